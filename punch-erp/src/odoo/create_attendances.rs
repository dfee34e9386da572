use alloc::vec::Vec;

use serde_json::{Value, json};

use super::call::Call;
use super::{AttendanceId, Login, NewAttendance, Odoo, fault};
use crate::{CallError, Endpoint, Evidence, HttpRequest, HttpResponse};

/// Stores attendances, all of them or none: it is one transaction.
#[derive(Debug, Clone)]
pub struct CreateAttendances {
    odoo: Odoo,
    login: Login,
    rows: Vec<NewAttendance>,
}

impl CreateAttendances {
    /// `hr.attendance.create`
    pub fn new(odoo: &Odoo, login: &Login, rows: Vec<NewAttendance>) -> Self {
        Self { odoo: odoo.clone(), login: login.clone(), rows }
    }
}

impl Endpoint for CreateAttendances {
    /// Their numbers, in the order of the rows.
    type Output = Vec<AttendanceId>;

    fn request(&self) -> HttpRequest {
        // A list also for one: then the answer is a list by each protocol.
        let rows: Vec<Value> = self.rows.iter().map(NewAttendance::fields).collect();
        let call = Call::new("hr.attendance", "create", alloc::vec![("vals_list", json!(rows))]);
        self.odoo.call(&self.login, call.with("context", self.odoo.quiet()))
    }

    fn response(&self, response: &HttpResponse) -> Result<Vec<AttendanceId>, CallError> {
        let expected = "the numbers of the new attendances";
        let ids: Vec<AttendanceId> = fault::read(&self.login, response, expected)?;
        if ids.len() == self.rows.len() {
            Ok(ids)
        } else {
            Err(CallError::Unreadable { expected, evidence: Evidence::of(response) })
        }
    }
}
