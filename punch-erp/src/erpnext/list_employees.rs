use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde_json::{Map, Value};

use super::settings::ATTENDANCE_DEVICE_ID;
use super::{EmployeeDirectory, ErpNext, fault};
use crate::{CallError, Endpoint, Evidence, HttpRequest, HttpResponse};

/// Reads every employee with a badge, in one call.
///
/// Asking for one badge would be answered by the database's idea of equality, in which `42`, `0042 ` and `００４２` can
/// be the same; and a quote in a badge could change the question.
#[derive(Debug, Clone)]
pub struct ListEmployees {
    site: ErpNext,
}

impl ListEmployees {
    /// `GET /api/resource/Employee`, all rows whose [`badge_field`](ErpNext::badge_field) is set.
    pub fn new(site: &ErpNext) -> Self {
        Self { site: site.clone() }
    }
}

impl Endpoint for ListEmployees {
    type Output = EmployeeDirectory;

    fn request(&self) -> HttpRequest {
        // The name of a field was checked: nothing in it ends its place.
        let field = self.site.badge_field();
        let fields = match field {
            "name" => r#"["name","status","relieving_date"]"#.into(),
            field => alloc::format!(r#"["name","{field}","status","relieving_date"]"#),
        };
        let query = [
            ("fields", fields.as_str()),
            ("filters", &alloc::format!(r#"[["{field}","is","set"]]"#)),
            // Without it the server answers the first 20.
            ("limit_page_length", "0"),
        ];
        self.site.get(&["api", "resource", "Employee"], &query)
    }

    fn response(&self, response: &HttpResponse) -> Result<EmployeeDirectory, CallError> {
        let (field, expected) = (self.site.badge_field(), "a list of employees");
        if field == ATTENDANCE_DEVICE_ID {
            return fault::read_data(response, expected);
        }
        let mut rows: Vec<Map<String, Value>> = fault::read_data(response, expected)?;
        for row in &mut rows {
            let badge = match row.get(field) {
                Some(Value::Number(number)) => Value::String(number.to_string()),
                badge => badge.cloned().unwrap_or_default(),
            };
            row.insert(ATTENDANCE_DEVICE_ID.into(), badge);
        }
        serde_json::from_value(rows.into_iter().map(Value::Object).collect())
            .map_err(|_| CallError::Unreadable { expected, evidence: Evidence::of(response) })
    }
}
