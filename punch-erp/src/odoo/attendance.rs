use alloc::string::String;
use core::fmt;

use chrono::{DateTime, NaiveDateTime, SubsecRound as _, TimeDelta, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::EmployeeId;

/// The number of an attendance in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
#[expect(clippy::exhaustive_structs, reason = "an id; it never grows a field")]
pub struct AttendanceId(pub i64);

impl fmt::Display for AttendanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An attendance as the server shows it. `Debug` shows no employee.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Attendance {
    /// The record's number.
    pub id: AttendanceId,
    /// Whose it is.
    #[serde(rename = "employee_id", deserialize_with = "read_reference")]
    pub employee: EmployeeId,
    /// When it begins.
    #[serde(deserialize_with = "read_time")]
    pub check_in: DateTime<Utc>,
    /// When it ends; `None` while it is open.
    #[serde(deserialize_with = "read_time_or_false")]
    pub check_out: Option<DateTime<Utc>>,
    /// Who ended it, as far as the server tells.
    #[serde(rename = "out_mode", default)]
    pub ended_by: EndedBy,
}

/// Who ended an attendance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndedBy {
    /// Somebody, by whatever means, or nobody yet.
    #[default]
    Somebody,
    /// Odoo closed it by itself, at a time nobody punched: `auto_check_out`.
    AutoCheckOut,
    /// Odoo made all of it, a second at midnight, to say that the person was absent: `technical`.
    AbsenceManagement,
}

impl<'de> Deserialize<'de> for EndedBy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mode = Value::deserialize(deserializer)?;
        Ok(match mode.as_str() {
            Some("auto_check_out") => Self::AutoCheckOut,
            Some("technical") => Self::AbsenceManagement,
            _ => Self::Somebody,
        })
    }
}

impl Attendance {
    /// A record of these times, closed by somebody if it is closed.
    pub fn new(
        id: AttendanceId,
        employee: EmployeeId,
        check_in: DateTime<Utc>,
        check_out: Option<DateTime<Utc>>,
    ) -> Self {
        Self { id, employee, check_in, check_out, ended_by: EndedBy::Somebody }
    }

    /// Whether it ends when it begins: an arrival whose departure is missing.
    pub fn is_empty(&self) -> bool {
        self.check_out == Some(self.check_in)
    }

    /// Whether it says that nobody was there: made by Odoo, and a second long at most.
    pub fn is_absence(&self) -> bool {
        let length = self.check_out.map(|end| end.signed_duration_since(self.check_in));
        self.ended_by == EndedBy::AbsenceManagement && length.is_some_and(|length| length <= TimeDelta::seconds(1))
    }
}

impl fmt::Debug for Attendance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attendance")
            .field("id", &self.id)
            .field("check_in", &self.check_in)
            .field("check_out", &self.check_out)
            .finish_non_exhaustive()
    }
}

/// An attendance to be stored. `Debug` shows no employee.
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the three fields every version has")]
pub struct NewAttendance {
    /// Whose it is.
    pub employee: EmployeeId,
    /// When it begins, whole seconds.
    pub check_in: DateTime<Utc>,
    /// When it ends; `None` for an open one.
    pub check_out: Option<DateTime<Utc>>,
}

impl NewAttendance {
    pub(super) fn fields(&self) -> Value {
        let mut fields = Map::new();
        fields.insert("employee_id".into(), json!(self.employee.0));
        fields.insert("check_in".into(), json!(time_text(self.check_in)));
        fields.extend(self.check_out.map(|time| ("check_out".into(), json!(time_text(time)))));
        Value::Object(fields)
    }
}

impl fmt::Debug for NewAttendance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAttendance")
            .field("check_in", &self.check_in)
            .field("check_out", &self.check_out)
            .finish_non_exhaustive()
    }
}

/// The only form the server reads as it is meant: UTC, no `T`, no fraction, and no zone.
pub(super) fn time_text(time: DateTime<Utc>) -> String {
    alloc::format!("{}", time.trunc_subsecs(0).format("%Y-%m-%d %H:%M:%S"))
}

fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok().map(|time| time.and_utc())
}

fn read_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    read_time_or_false(deserializer)?.ok_or_else(|| serde::de::Error::custom("expected a time"))
}

/// Nothing is `false`, never null.
fn read_time_or_false<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value == false {
        return Ok(None);
    }
    let time = value.as_str().and_then(parse_time);
    time.map(Some).ok_or_else(|| serde::de::Error::custom("expected `YYYY-MM-DD HH:MM:SS` or false"))
}

/// A reference is read as `[id, name]`.
fn read_reference<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EmployeeId, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let id = value.get(0).unwrap_or(&value).as_i64();
    id.map(EmployeeId).ok_or_else(|| serde::de::Error::custom("expected the number of an employee"))
}
