use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use chrono::NaiveDateTime;
use serde_json::json;

use super::checkin::time_text;
use super::{Checkin, ErpNext, fault};
use crate::{CallError, Endpoint, HttpRequest, HttpResponse};

/// Reads the checkins of an employee at one second, under whatever names.
#[derive(Clone)]
pub struct FindCheckins {
    site: ErpNext,
    employee: String,
    time: NaiveDateTime,
}

impl FindCheckins {
    /// `GET /api/resource/Employee Checkin`, filtered by employee and local time of the site.
    pub fn new(site: &ErpNext, employee: impl Into<String>, time: NaiveDateTime) -> Self {
        Self { site: site.clone(), employee: employee.into(), time }
    }
}

impl Endpoint for FindCheckins {
    type Output = Vec<Checkin>;

    fn request(&self) -> HttpRequest {
        // Written as JSON, then escaped: no value can end its filter.
        let filters = json!([["employee", "=", self.employee], ["time", "=", time_text(self.time)]]).to_string();
        let query = [
            ("fields", r#"["name","employee","employee_name","time","log_type","device_id"]"#),
            ("filters", filters.as_str()),
            ("limit_page_length", "0"),
        ];
        self.site.get(&["api", "resource", "Employee Checkin"], &query)
    }

    fn response(&self, response: &HttpResponse) -> Result<Vec<Checkin>, CallError> {
        fault::read_data(response, "a list of checkins")
    }
}

impl core::fmt::Debug for FindCheckins {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("FindCheckins").field("time", &self.time).finish_non_exhaustive()
    }
}
