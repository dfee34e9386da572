use core::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Map, Value, json};

use super::domain::{Row, select};
use super::exception::Exception;
use super::{OdooStandIn, clock};

/// A stored attendance. Times are UTC.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredAttendance {
    /// The record's number.
    pub id: i64,
    /// The employee's number.
    pub employee: i64,
    /// When it begins.
    pub check_in: NaiveDateTime,
    /// When it ends.
    pub check_out: Option<NaiveDateTime>,
    /// `manual`, `auto_check_out` or `technical`.
    pub out_mode: String,
}

impl fmt::Debug for StoredAttendance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredAttendance")
            .field("id", &self.id)
            .field("check_in", &self.check_in)
            .field("check_out", &self.check_out)
            .finish_non_exhaustive()
    }
}

impl OdooStandIn {
    pub(super) fn search_attendances(&self, named: &Map<String, Value>) -> Result<Value, Exception> {
        let mut fields = vec!["id", "employee_id", "check_in", "check_out"];
        if self.config.version >= 18 {
            fields.push("out_mode");
        }
        let wanted = wanted_employees(named);
        let readable = self.attendances.iter().filter(|row| !self.hidden.contains(&row.id));
        let rows = readable.filter(|row| wanted.as_ref().is_none_or(|ids| ids.contains(&row.employee)));
        let rows = rows.map(|row| {
            let name = self.name_of(row.employee);
            let row = json!({
                "id": row.id, "employee_id": [row.employee, name], "check_in": clock::text(row.check_in),
                "check_out": row.check_out.map_or(json!(false), |time| json!(clock::text(time))),
                "out_mode": row.out_mode,
            });
            row.as_object().cloned().unwrap_or_default()
        });
        select(rows.collect::<Vec<Row>>(), &fields, named)
    }

    /// All of them or none.
    pub(super) fn create(&mut self, rows: &[Value], now: DateTime<Utc>) -> Result<Vec<i64>, Exception> {
        let before = (self.attendances.clone(), self.last_id);
        let result = self.create_all(rows, now);
        if result.is_err() {
            (self.attendances, self.last_id) = before;
        }
        result
    }

    fn create_all(&mut self, rows: &[Value], now: DateTime<Utc>) -> Result<Vec<i64>, Exception> {
        let mut ids = Vec::new();
        for row in rows {
            let Value::Object(row) = row else { return Err(Exception::value("expected a dict of values")) };
            self.check_fields(row)?;
            let employee = self.employee(row.get("employee_id"))?;
            let check_in = row.get("check_in").map(clock::field).transpose()?;
            let check_out = row.get("check_out").map(clock::field).transpose()?.flatten();
            self.last_id += 1;
            ids.push(self.last_id);
            self.attendances.push(StoredAttendance {
                id: self.last_id,
                employee,
                // Left out, it is now.
                check_in: check_in
                    .unwrap_or_else(|| Some(now.naive_utc()))
                    .ok_or_else(|| Exception::required("Check In", "check_in"))?,
                check_out,
                out_mode: row.get("out_mode").and_then(Value::as_str).unwrap_or("manual").to_owned(),
            });
        }
        // Checked when all are there, each against all.
        ids.iter().try_for_each(|id| self.check(*id))?;
        Ok(ids)
    }

    pub(super) fn write(&mut self, ids: &[i64], values: &Map<String, Value>) -> Result<(), Exception> {
        self.check_fields(values)?;
        let check_in = values.get("check_in").map(clock::field).transpose()?;
        if check_in == Some(None) {
            return Err(Exception::required("Check In", "check_in"));
        }
        let check_out = values.get("check_out").map(clock::field).transpose()?;
        let before = self.attendances.clone();
        for id in ids {
            let Some(row) = self.attendances.iter_mut().find(|row| row.id == *id) else {
                self.attendances = before;
                return Err(Exception::missing("hr.attendance", *id, self.config.uid));
            };
            row.check_in = check_in.flatten().unwrap_or(row.check_in);
            row.check_out = check_out.unwrap_or(row.check_out);
            if let Some(mode) = values.get("out_mode").and_then(Value::as_str) {
                mode.clone_into(&mut row.out_mode);
            }
        }
        let result = ids.iter().try_for_each(|id| self.check(*id));
        if result.is_err() {
            self.attendances = before;
        }
        result
    }

    /// The rules of the real one, in its order. A record that ends when the other begins does not overlap.
    fn check(&self, id: i64) -> Result<(), Exception> {
        let Some(row) = self.attendances.iter().find(|row| row.id == id) else { return Ok(()) };
        let name = self.name_of(row.employee);
        let others = || self.attendances.iter().filter(|other| other.employee == row.employee && other.id != id);
        let latest = |until: NaiveDateTime, includes: bool| {
            let before = others().filter(|other| other.check_in < until || (includes && other.check_in == until));
            before.max_by_key(|other| (other.check_in, other.id))
        };
        if row.check_out.is_some_and(|end| end < row.check_in) {
            return Err(Exception::validation(self.words(
                "\"Check Out\" time cannot be earlier than \"Check In\" time.",
                "La hora de salida no puede ser anterior a la hora de entrada.",
            )));
        }
        let already = |other: &StoredAttendance| {
            let time = other.check_in.format("%m/%d/%Y %I:%M:%S %p");
            Exception::validation(self.words(
                &format!(
                    "Cannot create new attendance record for {name}, the employee was already checked in on {time}"
                ),
                &format!(
                    "No se puede crear un nuevo registro de asistencia para {name}, su entrada ya fue registrada a las \
                     {time}"
                ),
            ))
        };
        let before = latest(row.check_in, true);
        if let Some(other) = before.filter(|other| other.check_out.is_some_and(|end| end > row.check_in)) {
            return Err(already(other));
        }
        let Some(end) = row.check_out else {
            return match others().find(|other| other.check_out.is_none()) {
                Some(open) => {
                    let time = open.check_in.format("%m/%d/%Y %I:%M:%S %p");
                    Err(Exception::validation(self.words(
                        &format!(
                            "Cannot create new attendance record for {name}, the employee hasn't checked out since {time}"
                        ),
                        &format!(
                            "No se puede crear una nuevo registro de asistencia para {name}, el empleado no ha registrado \
                             su salida desde {time}"
                        ),
                    )))
                }
                None => Ok(()),
            };
        };
        match latest(end, false) {
            Some(other) if before.is_none_or(|before| before.id != other.id) => Err(already(other)),
            _ => Ok(()),
        }
    }

    fn employee(&self, value: Option<&Value>) -> Result<i64, Exception> {
        let version = self.config.version;
        let id = match value {
            Some(Value::Number(number)) => number.as_i64(),
            Some(Value::String(text)) if version == 16 => text.parse().ok(),
            Some(Value::String(_)) => return Err(Exception::top_secret(&self.config.user, self.config.uid)),
            _ => None,
        };
        let Some(id) = id else {
            return Err(Exception::required("Employee", "employee_id"));
        };
        // Archived or not: that is not asked.
        match self.config.employees.iter().any(|employee| employee.id == id) {
            true => Ok(id),
            false if version >= 19 => Err(Exception::missing("hr.employee", id, self.config.uid)),
            false => Err(Exception::validation(
                "The operation cannot be completed: insert or update on table \"hr_attendance\" violates foreign key \
                 constraint \"hr_attendance_employee_id_fkey\"",
            )),
        }
    }

    /// Which fields there are depends on the version, and some take one of a few words only.
    fn check_fields(&self, values: &Map<String, Value>) -> Result<(), Exception> {
        let modes: &[&str] = if self.config.version >= 18 { &["in_mode", "out_mode"] } else { &[] };
        let words = ["kiosk", "systray", "manual", "technical"];
        for (field, value) in values {
            let is_mode = modes.contains(&field.as_str());
            if !is_mode && !["employee_id", "check_in", "check_out"].contains(&field.as_str()) {
                return Err(Exception::value(format!("Invalid field '{field}' in 'hr.attendance'")));
            }
            let is_word = |word: &str| words.contains(&word) || (field == "out_mode" && word == "auto_check_out");
            if is_mode && !value.as_str().is_some_and(is_word) {
                return Err(Exception::value(format!("Wrong value for hr.attendance.{field}: {value}")));
            }
        }
        Ok(())
    }

    fn name_of(&self, employee: i64) -> &str {
        self.config.employees.iter().find(|row| row.id == employee).map_or("", |row| row.name.as_str())
    }
}

/// The employees that the search is restricted to, if it says so first: an index, and nothing else.
fn wanted_employees(named: &Map<String, Value>) -> Option<Vec<i64>> {
    let [Value::String(field), Value::String(operator), values] = named.get("domain")?.get(0)?.as_array()?.as_slice()
    else {
        return None;
    };
    let ids = values.as_array().filter(|_| field == "employee_id" && operator == "in")?;
    Some(ids.iter().filter_map(Value::as_i64).collect())
}
