use alloc::boxed::Box;
use alloc::string::String;

use bytes::Bytes;
use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::entry::{kind_of, read_id, time_text};
use super::fault::{self, Hint};
use super::plan::is_same_time;
use super::{EntryKind, Humand, NewEntry};
use crate::{CallError, Endpoint, Evidence, HttpRequest, HttpResponse};

/// Stores one entry: clocks somebody in or out. Humand takes one a request, and knows no key that would make a
/// repetition harmless.
#[derive(Debug, Clone)]
pub struct ClockEntry {
    humand: Humand,
    entry: NewEntry,
}

impl ClockEntry {
    /// `POST …/time-tracking/entries/clockIn` or `…/clockOut`, or as the [path style](super::PathStyle) says.
    pub fn new(humand: &Humand, entry: NewEntry) -> Self {
        Self { humand: humand.clone(), entry }
    }
}

/// What Humand says to a new entry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Clocked {
    /// It is stored.
    Stored(StoredEntry),
    /// It breaks a rule, or so it seems: read what is there.
    Violation {
        /// Which rule.
        hint: Hint,
        /// The code of the refusal.
        kind: Option<Box<str>>,
        /// The answer.
        evidence: Evidence,
    },
}

/// What the answer says of the entry just stored. Older servers leave some of it out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredEntry {
    /// The record's id.
    pub id: String,
    /// When it was stored for, if it says so.
    pub at: Option<DateTime<Utc>>,
    /// The first field in which it is not the entry sent: `time`, `type` or `employee`.
    pub difference: Option<&'static str>,
}

impl Endpoint for ClockEntry {
    type Output = Clocked;

    fn request(&self) -> HttpRequest {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            employee_id: Value,
            now: String,
            comment: &'a str,
        }
        let NewEntry { employee, kind, at, comment } = &self.entry;
        let number = employee_number(employee).filter(|_| self.humand.employee_id_as_number());
        let employee_id = number.map_or_else(|| Value::from(employee.as_str()), Value::from);
        // Texts and a number: this cannot fail to be written.
        let body = serde_json::to_vec(&Body { employee_id, now: time_text(*at), comment }).unwrap_or_default();
        self.humand.post(*kind, Bytes::from(body))
    }

    fn response(&self, response: &HttpResponse) -> Result<Clocked, CallError> {
        if let Some((hint, kind)) = fault::violation(response) {
            return Ok(Clocked::Violation { hint, kind, evidence: Evidence::of(response) });
        }
        let answer: Answer = fault::read(response, "the stored entry")?;
        let at = answer.time.map(|time| time.to_utc());
        Ok(Clocked::Stored(StoredEntry { difference: answer.difference(&self.entry), id: answer.id, at }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(deserialize_with = "read_id")]
    id: String,
    #[serde(default)]
    time: Option<DateTime<FixedOffset>>,
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    employee_internal_id: Option<Value>,
}

impl Answer {
    /// What the answer leaves out is no difference.
    fn difference(&self, sent: &NewEntry) -> Option<&'static str> {
        // A second more or less is another way to write it, not another time.
        let is_other_time = |time: &DateTime<FixedOffset>| !is_same_time(time.to_utc(), sent.at.to_utc());
        let kind = self.r#type.as_deref().map(kind_of);
        // A server that takes numbers may have lost leading zeros in its answer.
        let is_other = |id: &Value| match id.as_str() {
            Some(text) => text != sent.employee,
            None => id.as_u64() != sent.employee.parse().ok(),
        };
        if self.time.as_ref().is_some_and(is_other_time) {
            Some("time")
        } else if kind.is_some_and(|kind: Option<EntryKind>| kind != Some(sent.kind)) {
            Some("type")
        } else if self.employee_internal_id.as_ref().filter(|id| !id.is_null()).is_some_and(is_other) {
            Some("employee")
        } else {
            None
        }
    }
}

/// The id as a number, if it is one and stays itself that way.
pub(super) fn employee_number(employee: &str) -> Option<u64> {
    let is_canonical = !employee.starts_with('0') && employee.bytes().all(|byte| byte.is_ascii_digit());
    employee.parse().ok().filter(|_| is_canonical)
}
