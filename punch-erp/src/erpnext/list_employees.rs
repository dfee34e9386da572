use super::{EmployeeDirectory, ErpNext, fault};
use crate::{CallError, Endpoint, HttpRequest, HttpResponse};

/// Reads every employee with a badge, in one call.
///
/// Asking for one badge would be answered by the database's idea of equality, in which `42`, `0042 ` and `００４２` can
/// be the same; and a quote in a badge could change the question.
#[derive(Debug, Clone)]
pub struct ListEmployees {
    site: ErpNext,
}

impl ListEmployees {
    /// `GET /api/resource/Employee`, all rows whose `attendance_device_id` is set.
    pub fn new(site: &ErpNext) -> Self {
        Self { site: site.clone() }
    }
}

impl Endpoint for ListEmployees {
    type Output = EmployeeDirectory;

    fn request(&self) -> HttpRequest {
        let query = [
            ("fields", r#"["name","attendance_device_id","status","relieving_date"]"#),
            ("filters", r#"[["attendance_device_id","is","set"]]"#),
            // Without it the server answers the first 20.
            ("limit_page_length", "0"),
        ];
        self.site.get(&["api", "resource", "Employee"], &query)
    }

    fn response(&self, response: &HttpResponse) -> Result<EmployeeDirectory, CallError> {
        fault::read_data(response, "a list of employees")
    }
}
