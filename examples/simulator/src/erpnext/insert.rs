use bytes::Bytes;
use chrono::{DateTime, Datelike as _, NaiveDateTime, Utc};
use http::Request;
use http::header::ACCEPT_LANGUAGE;
use serde_json::{Map, Value};

use super::clock::{self, Reading};
use super::reply::{Api, Exception};
use super::{ErpNextStandIn, Naming, StoredCheckin};

impl ErpNextStandIn {
    pub(super) fn insert(
        &mut self,
        request: &Request<Bytes>,
        api: Api,
        now: DateTime<Utc>,
    ) -> Result<Value, Exception> {
        let Ok(Value::Object(body)) = serde_json::from_slice(request.body()) else {
            return Err(Exception::new(500, "JSONDecodeError", "Expecting value: line 1 column 1 (char 0)"));
        };
        let sent = text(&body, "employee")
            .ok_or_else(|| Exception::new(417, "MandatoryError", "[Employee Checkin, EMP-CKIN-1]: employee"))?;
        let employee = self.employee(sent).cloned();
        let log_type = log_type(&body)?;
        let device_id = device_id(&body)?;
        if employee.as_ref().is_some_and(|employee| employee.status == "Inactive") {
            let message = format!("Transactions cannot be created for an Inactive Employee {sent}.");
            return Err(Exception::new(417, "InactiveEmployeeStatusError", message));
        }
        let own_name = self.own_name(&body, api);
        let row = StoredCheckin {
            time: self.time(&body, request, employee.as_ref().is_some_and(|employee| employee.has_shift), now)?,
            name: own_name.clone().unwrap_or_default(),
            employee: employee.as_ref().map_or(sent, |employee| employee.name.as_str()).to_owned(),
            employee_name: employee.as_ref().map(|employee| employee.employee_name.clone()),
            log_type,
            device_id,
            creation: self.local(now),
            shift: employee.filter(|employee| employee.has_shift).map(|_| "Day".to_owned()),
        };
        self.check(&body, &row, request)?;
        self.store(row, own_name)
    }

    /// The name as the server takes it: only where it is honoured, and only a text with something in it.
    fn own_name(&self, body: &Map<String, Value>, api: Api) -> Option<String> {
        let honoured = api == Api::V2 && self.config.naming == Naming::Honoured;
        text(body, "name").filter(|_| honoured).map(str::to_owned)
    }

    fn time(
        &self,
        body: &Map<String, Value>,
        request: &Request<Bytes>,
        has_shift: bool,
        now: DateTime<Utc>,
    ) -> Result<NaiveDateTime, Exception> {
        let right_now = clock::whole(self.local(now));
        let sent = match body.get("time") {
            None | Some(Value::Null) => return Ok(right_now),
            Some(Value::String(sent)) => sent,
            Some(_) => return Err(Exception::new(500, "TypeError", "Parser must be a string or character stream")),
        };
        match clock::read(sent) {
            // The user's level decides, without a word.
            Reading::Local(_) if !self.config.may_set_time => Ok(right_now),
            Reading::Local(time) => Ok(time),
            // The database compares the wall clock, so a time with a zone can be a "duplicate" of another instant.
            Reading::Zoned(wall) => Err(match self.checkins.iter().find(|row| row.time == wall) {
                Some(row) => self.duplicate_of(row, request),
                None if has_shift => {
                    Exception::new(500, "TypeError", "can't compare offset-naive and offset-aware datetimes")
                }
                None => {
                    let message = format!("(1292, \"Incorrect datetime value: '{wall}+00:00' for column `time`\")");
                    Exception::new(500, "OperationalError", message)
                }
            }),
            Reading::Unreadable => Err(Exception::new(500, "ParserError", "Unknown string format")),
        }
    }

    fn check(&self, body: &Map<String, Value>, row: &StoredCheckin, request: &Request<Bytes>) -> Result<(), Exception> {
        if self.config.geolocation && !(body.contains_key("latitude") && body.contains_key("longitude")) {
            return Err(Exception::validation("Latitude and longitude values are required for checking in."));
        }
        // A look before the insert, not a constraint. The row's own name is left out of it, so repeating an own
        // name gets as far as the primary key.
        let same = |other: &&StoredCheckin| {
            other.employee == row.employee
                && other.time == row.time
                && other.log_type == row.log_type
                && (row.name.is_empty() || !other.name.eq_ignore_ascii_case(&row.name))
        };
        match self.checkins.iter().find(same) {
            Some(other) => Err(self.duplicate_of(other, request)),
            None => Ok(()),
        }
    }

    fn store(&mut self, mut row: StoredCheckin, own_name: Option<String>) -> Result<Value, Exception> {
        row.name = match own_name {
            Some(name) if name.chars().count() > 140 => {
                return Err(Exception::new(500, "DataError", "(1406, \"Data too long for column 'name' at row 1\")"));
            }
            Some(name) if self.checkin(&name).is_some() => {
                return Err(Exception::new(
                    409,
                    "DuplicateEntryError",
                    format!("Employee Checkin {name} already exists"),
                ));
            }
            Some(name) => name,
            None => {
                self.series = self.series.saturating_add(1);
                let (month, year) = (row.creation.month(), row.creation.year());
                format!("EMP-CKIN-{month:02}-{year}-{:06}", self.series)
            }
        };
        let document = row.document();
        self.checkins.push(row);
        Ok(document)
    }

    /// The text follows the language of the request, then of the site.
    fn duplicate_of(&self, row: &StoredCheckin, request: &Request<Bytes>) -> Exception {
        let asked = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let words = match asked.unwrap_or(&self.config.language) {
            "de" => "Dieser Mitarbeiter hat bereits ein Protokoll mit demselben Zeitstempel.",
            _ => "This employee already has a log with the same timestamp.",
        };
        let (name, person) = (&row.name, row.employee_name.as_deref().unwrap_or_default());
        let link = format!("<a href=\"/app/Form/Employee Checkin/{name}\">Employee Checkin {person}</a>");
        Exception::validation(format!("{words}<Br>{link}"))
    }
}

fn log_type(body: &Map<String, Value>) -> Result<Option<String>, Exception> {
    match body.get("log_type") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(word)) if word.is_empty() => Ok(None),
        Some(Value::String(word)) if word == "IN" || word == "OUT" => Ok(Some(word.clone())),
        Some(_) => Err(Exception::validation("Log Type cannot be that. It should be one of \"\", \"IN\", \"OUT\"")),
    }
}

fn device_id(body: &Map<String, Value>) -> Result<Option<String>, Exception> {
    let Some(sent) = text(body, "device_id") else { return Ok(None) };
    if sent.chars().count() > 140 {
        let message = "'Location / Device ID' will get truncated, as max characters allowed is 140";
        return Err(Exception::new(417, "CharacterLengthExceededError", message));
    }
    Ok(Some(sent.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")))
}

fn text<'a>(body: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}
