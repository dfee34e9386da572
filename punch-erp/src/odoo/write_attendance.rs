use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::attendance::time_text;
use super::call::Call;
use super::{AttendanceId, EndedBy, Login, Odoo, fault};
use crate::{CallError, Endpoint, Evidence, HttpRequest, HttpResponse};

/// Changes the times of one attendance. The server overwrites whatever was there, so look before.
#[derive(Debug, Clone)]
pub struct WriteAttendance {
    odoo: Odoo,
    login: Login,
    id: AttendanceId,
    check_in: Option<DateTime<Utc>>,
    check_out: Option<DateTime<Utc>>,
    over: EndedBy,
}

impl WriteAttendance {
    /// `hr.attendance.write`: a new begin, if one is given, and the end; without one the record is open afterwards.
    pub fn new(
        odoo: &Odoo,
        login: &Login,
        id: AttendanceId,
        check_in: Option<DateTime<Utc>>,
        check_out: Option<DateTime<Utc>>,
    ) -> Self {
        Self { odoo: odoo.clone(), login: login.clone(), id, check_in, check_out, over: EndedBy::Somebody }
    }

    /// Over what Odoo wrote by itself: the record then says that the times are somebody's. Who corrects it later is
    /// told from Odoo by that.
    #[must_use]
    pub fn over(mut self, ended_by: EndedBy) -> Self {
        self.over = ended_by;
        self
    }
}

impl Endpoint for WriteAttendance {
    type Output = ();

    fn request(&self) -> HttpRequest {
        let mut fields = Map::new();
        fields.extend(self.check_in.map(|time| ("check_in".into(), json!(time_text(time)))));
        let end = self.check_out.map_or(Value::Bool(false), |time| json!(time_text(time)));
        fields.insert("check_out".into(), end);
        let modes: &[&str] = match self.over {
            EndedBy::Somebody => &[],
            EndedBy::AutoCheckOut => &["out_mode"],
            EndedBy::AbsenceManagement => &["in_mode", "out_mode"],
        };
        fields.extend(modes.iter().map(|mode| ((*mode).into(), json!("manual"))));
        let arguments = alloc::vec![("ids", json!([self.id.0])), ("vals", Value::Object(fields))];
        let call = Call::new("hr.attendance", "write", arguments);
        self.odoo.call(&self.login, call.with("context", self.odoo.quiet()))
    }

    fn response(&self, response: &HttpResponse) -> Result<(), CallError> {
        let expected = "`true`";
        if fault::read(&self.login, response, expected)? {
            Ok(())
        } else {
            Err(CallError::Unreadable { expected, evidence: Evidence::of(response) })
        }
    }
}
