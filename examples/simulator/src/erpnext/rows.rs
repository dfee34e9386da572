use core::fmt;

use chrono::NaiveDateTime;
use serde_json::{Map, Value, json};

use super::{ErpNextEmployee, ErpNextStandIn};

/// A stored checkin.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredCheckin {
    /// The record's name: the caller's, or one of the series `EMP-CKIN-…`.
    pub name: String,
    /// The employee, in canonical spelling if it exists.
    pub employee: String,
    /// The person; `None` for an orphan.
    pub employee_name: Option<String>,
    /// Local time of the site.
    pub time: NaiveDateTime,
    /// `IN`, `OUT` or nothing.
    pub log_type: Option<String>,
    /// HTML-escaped.
    pub device_id: Option<String>,
    /// When it was stored, local time of the site.
    pub creation: NaiveDateTime,
    /// The shift found when it was stored.
    pub shift: Option<String>,
}

impl StoredCheckin {
    /// The row as a document: fields that are null are left out.
    pub(super) fn document(&self) -> Value {
        let mut fields = self.fields();
        fields.retain(|_, value| !value.is_null());
        Value::Object(fields)
    }

    /// Every field, null where there is nothing.
    pub(super) fn fields(&self) -> Map<String, Value> {
        let row = json!({
            "name": self.name,
            "creation": self.creation.format("%Y-%m-%d %H:%M:%S%.6f").to_string(),
            "employee": self.employee,
            "employee_name": self.employee_name,
            "log_type": self.log_type,
            "shift": self.shift,
            "time": self.time.format("%Y-%m-%d %H:%M:%S").to_string(),
            "device_id": self.device_id,
            "skip_auto_attendance": 0,
            "offshift": 0,
            "doctype": "Employee Checkin",
        });
        row.as_object().cloned().unwrap_or_default()
    }
}

impl fmt::Debug for StoredCheckin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredCheckin")
            .field("name", &self.name)
            .field("time", &self.time)
            .field("log_type", &self.log_type)
            .finish_non_exhaustive()
    }
}

impl ErpNextEmployee {
    pub(super) fn fields(&self) -> Map<String, Value> {
        let row = json!({
            "name": self.name,
            "employee_name": self.employee_name,
            "attendance_device_id": self.badge,
            "status": self.status,
            "relieving_date": self.relieving_date,
        });
        row.as_object().cloned().unwrap_or_default()
    }
}

impl ErpNextStandIn {
    /// The database compares without regard to letter case.
    pub(super) fn employee(&self, name: &str) -> Option<&ErpNextEmployee> {
        self.config.employees.iter().find(|employee| employee.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn checkin(&self, name: &str) -> Option<&StoredCheckin> {
        self.checkins.iter().find(|row| row.name.eq_ignore_ascii_case(name))
    }
}
