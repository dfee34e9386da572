//! A new entry: what is read, what is refused, what is stored.

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::reply::{refusal, response};
use super::{HumandStandIn, Rules, StoredEntry};

/// The longest comment, in characters.
const MAX_COMMENT: usize = 200;

/// A body that was understood.
struct NewEntry {
    employee: String,
    at: DateTime<Utc>,
    comment: String,
}

/// Which rule an entry breaks.
#[derive(Debug, Clone, Copy)]
enum Breach {
    Future,
    Duplicate,
    NoExit,
    NoEntry,
}

impl HumandStandIn {
    pub(super) fn clock(&mut self, kind: &str, request: &Request<Bytes>, now: DateTime<Utc>) -> Response<Bytes> {
        let Some(entry) = self.read(request) else {
            return refusal(400, "INVALID_DATA", "The provided data is invalid");
        };
        let Some(user) = self.config.users.iter().find(|user| user.employee == entry.employee).cloned() else {
            return refusal(404, "NOT_FOUND", "Resource not found");
        };
        if user.status != "ACTIVE" {
            return refusal(404, "NOT_FOUND", "Resource not found");
        }
        match self.breach(&entry, kind, now).filter(|_| self.config.rules != Rules::None) {
            Some(breach) => self.refuse(breach, &user.name),
            None => self.store(entry, kind, now),
        }
    }

    /// Strictly: one object, the three known fields, each of its type and form.
    fn read(&self, request: &Request<Bytes>) -> Option<NewEntry> {
        let kind = request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
        let body: Map<String, Value> = serde_json::from_slice(request.body()).ok()?;
        let is_known = |field: &String| matches!(field.as_str(), "employeeId" | "now" | "comment");
        if !kind.starts_with("application/json") || !body.keys().all(is_known) {
            return None;
        }
        let employee = match body.get("employeeId")? {
            Value::String(text) if !text.is_empty() && !self.config.numbers_only => text.clone(),
            Value::Number(number) => number.as_u64().filter(|number| *number > 0)?.to_string(),
            _ => return None,
        };
        let comment = body.get("comment").map_or(Some(""), Value::as_str)?.to_owned();
        let at = read_time(body.get("now")?.as_str()?)?;
        (comment.chars().count() <= MAX_COMMENT).then_some(NewEntry { employee, at, comment })
    }

    /// One START, then one END, within a day; a shift may end on the day after.
    fn breach(&self, new: &NewEntry, kind: &str, now: DateTime<Utc>) -> Option<Breach> {
        if new.at > now {
            return Some(Breach::Future);
        }
        let mut own: Vec<&StoredEntry> =
            self.entries.iter().filter(|row| row.employee == new.employee && row.source != "DAY_CHANGE").collect();
        own.sort_by_key(|row| (row.at, row.id));
        if own.iter().any(|row| row.kind == kind && row.at == new.at) {
            return Some(Breach::Duplicate);
        }
        let (before, after): (Vec<_>, Vec<_>) = own.into_iter().partition(|row| row.at <= new.at);
        let today = self.day(new.at);
        let before = before.last();
        let is_today = |row: &&StoredEntry| self.day(row.at) == today && row.kind == kind;
        let is_there =
            before.is_some_and(|row| row.kind == "START" && (today - self.day(row.at)) <= TimeDelta::days(1));
        match kind {
            "START" if before.is_some_and(is_today) => Some(Breach::NoExit),
            "END" if !is_there => Some(Breach::NoEntry),
            _ if after.first().is_some_and(is_today) => Some(Breach::NoExit),
            _ => None,
        }
    }

    fn refuse(&self, breach: Breach, name: &str) -> Response<Bytes> {
        let (status, code) = match self.config.rules {
            Rules::Unprocessable | Rules::None => (422, "X"),
            Rules::Invalid => (400, "INVALID_DATA"),
            Rules::IllegalState => (500, "ILLEGAL_STATE"),
        };
        let message = match (breach, self.config.language.as_str()) {
            (Breach::Future, "es") => "la marca es futura",
            (Breach::Future, _) => "future entry",
            (Breach::Duplicate, "es") => "la marca ya existe",
            (Breach::Duplicate, _) => "duplicate entry",
            (Breach::NoExit, "es") => "entrada sin salida",
            (Breach::NoExit, _) => "entry without exit",
            (Breach::NoEntry, "es") => "salida sin entrada",
            (Breach::NoEntry, _) => "exit without entry",
        };
        refusal(status, code, &format!("{message}: {name}"))
    }

    fn store(&mut self, new: NewEntry, kind: &str, now: DateTime<Utc>) -> Response<Bytes> {
        let NewEntry { employee, at, comment } = new;
        let own = self.entries.iter().filter(|row| row.employee == employee && row.at < at);
        let last = own.max_by_key(|row| row.at).map(|row| (row.kind.clone(), self.day(row.at)));
        let midnight = last.filter(|(last, day)| kind == "END" && last == "START" && *day < self.day(at));
        if midnight.is_some() {
            self.change_day(&employee, self.day(at));
        }
        let row = self.put(&employee, kind, at, &comment, "INTEGRATION", now);
        if self.config.answers_of_2024 {
            return response(
                StatusCode::OK,
                &json!({
                    "type": row.kind, "userId": 7, "time": row.time(), "siteId": null, "location": null, "createdBy": 7,
                    "source": row.source, "summaryId": 5, "comment": row.comment, "id": row.id,
                }),
            );
        }
        response(StatusCode::CREATED, &row.document(self.day(row.at)))
    }

    /// A shift that goes on past midnight is cut there, by two entries nobody made.
    fn change_day(&mut self, employee: &str, day: NaiveDate) {
        let midnight = day.and_time(chrono::NaiveTime::MIN).and_local_timezone(self.config.zone).single();
        let Some(midnight) = midnight.map(|midnight| midnight.to_utc()) else { return };
        self.put(employee, "END", midnight - TimeDelta::milliseconds(1), "", "DAY_CHANGE", midnight);
        self.put(employee, "START", midnight, "", "DAY_CHANGE", midnight);
    }

    pub(super) fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.config.zone).date_naive()
    }
}

/// ISO 8601 with three digits of a second and a zone, as the manual prints it, and nothing else.
fn read_time(text: &str) -> Option<DateTime<Utc>> {
    let (civil, zone) = text.split_at_checked("2024-09-23T15:00:00.010".len())?;
    NaiveDateTime::parse_from_str(civil, "%Y-%m-%dT%H:%M:%S.%3f").ok()?;
    let is_zone = zone == "Z" || (zone.len() == "-03:00".len() && zone.starts_with(['+', '-']));
    DateTime::parse_from_rfc3339(text).ok().filter(|_| is_zone).map(|time| time.to_utc())
}
