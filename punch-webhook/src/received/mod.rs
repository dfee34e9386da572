mod direction;
mod error;
mod fields;
mod punch;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use punch_normalize::{EventId, Method};
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::Error as WordError;

use crate::event_type::EventType;
use fields::{Fields, Presence};

pub use error::ReceiveError;
pub use punch::ReceivedPunch;

/// What a verified body says.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ReceivedEvent {
    /// Somebody punched.
    Punch(ReceivedPunch),
    /// Another type of event. Answer 200 and go on: refusing it would have it sent again.
    Other {
        /// The idempotency key.
        event_id: EventId,
        /// What it is about.
        event_type: EventType,
    },
}

impl ReceivedEvent {
    /// The longest body read, in bytes. Ours stay far below.
    pub const MAX_BODY: usize = 65_536;

    /// The idempotency key, equal for every delivery of this event.
    pub fn event_id(&self) -> &EventId {
        match self {
            Self::Punch(punch) => &punch.event_id,
            Self::Other { event_id, .. } => event_id,
        }
    }
}

/// Reads any of the three published shapes. Names are looked up wherever one of the shapes has them, so a body
/// that mixes shapes reads as well.
pub(crate) fn parse(body: &[u8]) -> Result<ReceivedEvent, ReceiveError> {
    if body.len() > ReceivedEvent::MAX_BODY {
        return Err(ReceiveError::TooLarge { len: body.len() });
    }
    let value = serde_json::from_slice(body)
        .map_err(|error| ReceiveError::BadJson { line: error.line(), column: error.column() })?;
    let event = Fields::new(&value).ok_or(ReceiveError::NotAnObject)?;

    let event_id = event_id(&event)?;
    match event_type(&event)? {
        Some(event_type) if event_type != EventType::ATTENDANCE_PUNCH => {
            Ok(ReceivedEvent::Other { event_id, event_type })
        }
        // The second shape has no type: it was only ever used for punches.
        Some(_) | None => punch(&event, event_id).map(ReceivedEvent::Punch),
    }
}

fn event_id(event: &Fields<'_>) -> Result<EventId, ReceiveError> {
    match event.key_text("event_id") {
        Presence::Absent => Err(ReceiveError::MissingEventId),
        Presence::Text(text) => EventId::parse(&text)
            .map_err(|_| ReceiveError::BadField { field: "event_id", expected: "1 to 128 visible ASCII characters" }),
        Presence::Other => Err(ReceiveError::BadField { field: "event_id", expected: "a string" }),
    }
}

fn event_type(event: &Fields<'_>) -> Result<Option<EventType>, ReceiveError> {
    for field in ["event_type", "event"] {
        match event.key_text(field) {
            Presence::Absent => {}
            Presence::Text(text) => return Ok(Some(EventType::new(text))),
            Presence::Other => return Err(ReceiveError::BadField { field, expected: "a string" }),
        }
    }
    Ok(None)
}

fn punch(event: &Fields<'_>, event_id: EventId) -> Result<ReceivedPunch, ReceiveError> {
    let (device, employee) = (event.object("device"), event.object("employee"));
    let (punch, metadata) = (event.object("punch"), event.object("metadata"));
    let badge = match employee.key_text("badge_number").or_else(|| event.key_text("employee_id")) {
        Presence::Text(text) => text,
        Presence::Absent => return Err(ReceiveError::MissingField { field: "employee.badge_number" }),
        Presence::Other => {
            return Err(ReceiveError::BadField { field: "employee.badge_number", expected: "a string" });
        }
    };
    let at = time(event, "timestamp", "timestamp")?.ok_or(ReceiveError::MissingField { field: "timestamp" })?;
    let at = at.with_timezone(&Utc);
    let local_time = time(&punch, "local_time", "punch.local_time")?;
    if local_time.is_some_and(|local| local.signed_duration_since(at).abs() >= TimeDelta::seconds(1)) {
        return Err(ReceiveError::TimeConflict);
    }
    Ok(ReceivedPunch {
        event_id,
        badge,
        at,
        local_time,
        direction: direction::find([&punch, event]),
        method: method(&punch, event),
        device_serial: device.text("serial_number").or_else(|| event.text("device_serial")),
        device_id: device.text("id"),
        device_name: device.text("name"),
        site: device.text("site"),
        employee_ref: employee.text("id"),
        employee_name: employee.text("name"),
        confidence: punch.number("confidence").filter(|sure| (0.0..=1.0).contains(sure)),
        delivery_attempt: metadata.count("delivery_attempt"),
        deduplicated: metadata.flag("deduplicated"),
    })
}

fn time(fields: &Fields<'_>, name: &str, field: &'static str) -> Result<Option<DateTime<FixedOffset>>, ReceiveError> {
    let expected = "RFC 3339 with a zone, such as `2026-03-28T08:47:12Z`";
    match fields.key_text(name) {
        Presence::Absent => Ok(None),
        // A time without a zone is refused, not guessed: an hour off is a wrong payslip.
        Presence::Text(text) => match DateTime::parse_from_rfc3339(&text) {
            Ok(time) => Ok(Some(time)),
            Err(_) => Err(ReceiveError::BadField { field, expected }),
        },
        Presence::Other => Err(ReceiveError::BadField { field, expected }),
    }
}

fn method(punch: &Fields<'_>, event: &Fields<'_>) -> Method {
    let Some(word) = punch.text("method").or_else(|| event.text("method")) else { return Method::Unknown };
    let word = word.to_ascii_lowercase();
    let word: serde::de::value::StrDeserializer<'_, WordError> = word.as_str().into_deserializer();
    Method::deserialize(word).unwrap_or(Method::Unknown)
}
