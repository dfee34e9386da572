use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::attendance::time_text;
use super::call::Call;
use super::{Attendance, EmployeeId, Login, Odoo, fault};
use crate::{CallError, Endpoint, HttpRequest, HttpResponse};

const MODEL: &str = "hr.attendance";

/// Reads attendances.
#[derive(Clone)]
pub struct FindAttendances {
    odoo: Odoo,
    login: Login,
    domain: Value,
    order: &'static str,
    limit: Option<u8>,
}

impl FindAttendances {
    /// Those of some employees that end after `from`, or have not ended, in order of time.
    pub fn since(odoo: &Odoo, login: &Login, employees: &[EmployeeId], from: DateTime<Utc>) -> Self {
        let ids: Vec<i64> = employees.iter().map(|employee| employee.0).collect();
        let domain =
            json!([["employee_id", "in", ids], "|", ["check_out", ">=", time_text(from)], ["check_out", "=", false]]);
        Self { odoo: odoo.clone(), login: login.clone(), domain, order: "check_in, id", limit: None }
    }

    /// The open one of an employee; of several, which only a direct write to the database makes, the newest.
    pub fn open(odoo: &Odoo, login: &Login, employee: EmployeeId) -> Self {
        let domain = json!([["employee_id", "=", employee.0], ["check_out", "=", false]]);
        Self { odoo: odoo.clone(), login: login.clone(), domain, order: "check_in desc", limit: Some(1) }
    }
}

impl Endpoint for FindAttendances {
    type Output = Vec<Attendance>;

    fn request(&self) -> HttpRequest {
        let mut fields = alloc::vec!["id", "employee_id", "check_in", "check_out"];
        if self.login.knows_out_mode() {
            fields.push("out_mode");
        }
        let call = Call::new(MODEL, "search_read", alloc::vec![("domain", self.domain.clone())])
            .with("fields", json!(fields))
            .with("order", json!(self.order))
            .with("limit", self.limit.map(|limit| json!(limit)));
        self.odoo.call(&self.login, call)
    }

    fn response(&self, response: &HttpResponse) -> Result<Vec<Attendance>, CallError> {
        fault::read(&self.login, response, "a list of attendances")
    }
}

impl fmt::Debug for FindAttendances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FindAttendances").field("order", &self.order).finish_non_exhaustive()
    }
}
