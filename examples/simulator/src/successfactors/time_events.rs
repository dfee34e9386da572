//! The REST service that takes time events.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, FixedOffset};
use http::Response;
use serde_json::{Map, Value, json};

use super::SuccessFactorsStandIn;
use super::reply::{json, refused};

/// An event that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredTimeEvent {
    /// The service's key.
    pub uuid: String,
    /// The sender's key.
    pub id: String,
    /// Whose it is.
    pub assignment: String,
    /// What happened.
    pub code: String,
    /// When, with the offset it came with.
    pub at: DateTime<FixedOffset>,
    /// Where.
    pub terminal: Option<String>,
    /// The time type it came with.
    pub time_type: Option<String>,
}

const MAX_EVENTS: usize = 1000;
const MAX_OF_ONE: usize = 200;
const FIELDS: [&str; 6] = ["id", "assignmentId", "typeCode", "timestamp", "terminalId", "timeTypeCode"];

impl SuccessFactorsStandIn {
    /// Stores the events of a call, each for itself, the first `most` of them; or refuses all.
    pub(super) fn create(&mut self, body: &[u8], most: usize) -> Response<Bytes> {
        let events = match read_call(body) {
            Ok(events) => events,
            Err(error) => return refused(&error),
        };
        if events.iter().any(|event| self.config.refuses_assignment.as_ref() == Some(&event.assignment)) {
            return refused("The request could not be validated.");
        }
        let (mut succeeded, mut failed) = (Vec::new(), Vec::new());
        for event in events.into_iter().take(most) {
            match self.store(event) {
                Ok((id, uuid)) => succeeded.push(json!({ "UUID": uuid, "id": id })),
                Err((id, text)) => failed.push(json!({ "id": id, "errorText": text })),
            }
        }
        json(201, &json!({ "succeededTimeEvents": succeeded, "failedTimeEvents": failed }))
    }

    fn store(&mut self, mut event: StoredTimeEvent) -> Result<(String, String), (String, String)> {
        let kind = self.config.types.iter().find(|(code, _)| *code == event.code).map(|(_, kind)| *kind);
        let second = (event.assignment.clone(), event.at.to_utc());
        let refusal = if !self.config.assignments.contains(&event.assignment) {
            Some("The assignment ID is not valid.".to_owned())
        } else if kind.is_none() {
            Some("The time event type is not valid for this employee.".to_owned())
        } else if event.time_type.is_some() && kind != Some("START") {
            Some("A time type is not allowed for this time event type.".to_owned())
        } else if self.seconds.contains(&second) {
            Some(self.config.duplicate_text.clone())
        } else {
            None
        };
        if let Some(text) = refusal {
            return Err((event.id, text));
        }
        event.uuid = format!("{:032x}", self.events.len() + 0x4f5a_0000);
        let keys = (event.id.clone(), event.uuid.clone());
        self.seconds.insert(second);
        self.events.push(event);
        Ok(keys)
    }
}

/// The call as a whole, or what is wrong with it.
fn read_call(body: &[u8]) -> Result<Vec<StoredTimeEvent>, String> {
    let rows: Vec<Map<String, Value>> = serde_json::from_slice(body).map_err(|_| "Not readable.".to_owned())?;
    if rows.is_empty() || rows.len() > MAX_EVENTS {
        return Err("The number of time events must be between 1 and 1000.".to_owned());
    }
    let events = rows.iter().map(read_row).collect::<Result<Vec<_>, _>>()?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    events.iter().for_each(|event| *counts.entry(&event.assignment).or_default() += 1);
    if counts.values().any(|count| *count > MAX_OF_ONE) {
        return Err("There are more than 200 time events of an assignment.".to_owned());
    }
    Ok(events)
}

fn read_row(row: &Map<String, Value>) -> Result<StoredTimeEvent, String> {
    if let Some(name) = row.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(format!("The field {name} is not known."));
    }
    let text = |name: &str, most: usize, is_legal: fn(&str) -> bool| match row.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if (1..=most).contains(&text.chars().count()) && is_legal(text) => {
            Ok(Some(text.clone()))
        }
        Some(_) => Err(format!("The {name} is not valid.")),
    };
    let required = |name: &str, value: Option<String>| value.ok_or_else(|| format!("The {name} must not be blank."));
    let at = required("timestamp", text("timestamp", 25, |_| true)?)?;
    Ok(StoredTimeEvent {
        uuid: String::new(),
        id: required("id", text("id", 36, is_id)?)?,
        assignment: required("assignmentId", text("assignmentId", 100, |text| !text.trim().is_empty())?)?,
        code: required("typeCode", text("typeCode", 20, is_code)?)?,
        at: read_time(&at).ok_or("The timestamp is not valid.")?,
        terminal: text("terminalId", 30, |_| true)?,
        time_type: text("timeTypeCode", 128, |_| true)?,
    })
}

/// Letters and digits, or a UUID.
fn is_id(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let is_hex = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_uuid = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(is_hex);
    is_uuid || text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_code(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// `yyyy-MM-dd'T'HH:mm:ss` and `+05:30` or `+0530`: no fraction, no `Z`.
fn read_time(text: &str) -> Option<DateTime<FixedOffset>> {
    let sign = text.as_bytes().get(19)?;
    let is_plain = matches!(text.len(), 24 | 25) && matches!(sign, b'+' | b'-');
    DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z").ok().filter(|_| is_plain)
}
