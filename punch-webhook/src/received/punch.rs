use alloc::string::String;
use core::fmt;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use punch_normalize::{Direction, EventId, Method};
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as WordError, StrDeserializer};

use super::fields::{Fields, Presence};
use super::{ReceiveError, ReceivedDevice, ReceivedMetadata, direction};

/// A punch as a receiver sees it, whichever of the published shapes carried it.
///
/// `Debug` shows the event and the time, never the person.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ReceivedPunch {
    /// The idempotency key: equal for every delivery of this punch.
    pub event_id: EventId,
    /// The badge, the key to the employee. Text: leading zeros matter.
    pub badge: String,
    /// The instant of the punch.
    pub at: DateTime<Utc>,
    /// The same instant with the site's offset, if the sender gave it.
    pub local_time: Option<DateTime<FixedOffset>>,
    /// Which way the person went.
    pub direction: Direction,
    /// How the person was recognised.
    pub method: Method,
    /// Serial number of the terminal.
    pub device_serial: Option<String>,
    /// The sender's id of the terminal (`dev_…`).
    pub device_id: Option<String>,
    /// Name of the terminal.
    pub device_name: Option<String>,
    /// Name of the site.
    pub site: Option<String>,
    /// The sender's id of the employee (`emp_…`); not the badge.
    pub employee_ref: Option<String>,
    /// Name of the person, if the sender shares it.
    pub employee_name: Option<String>,
    /// How sure the terminal was, 0 to 1.
    pub confidence: Option<f64>,
    /// Number of this attempt, from 1.
    pub delivery_attempt: Option<u32>,
    /// Whether this punch absorbed repeated ones.
    pub deduplicated: Option<bool>,
    /// What else the sender says of it.
    pub metadata: ReceivedMetadata,
}

impl ReceivedPunch {
    pub(super) fn read(event: &Fields<'_>, event_id: EventId) -> Result<Self, ReceiveError> {
        let (employee, punch, metadata) = (event.object("employee"), event.object("punch"), event.object("metadata"));
        let badge = badge(&employee, event)?;
        let at = event.key_time("timestamp", "timestamp")?.ok_or(ReceiveError::MissingField { field: "timestamp" })?;
        let at = at.with_timezone(&Utc);
        let local_time = punch.key_time("local_time", "punch.local_time")?;
        if local_time.is_some_and(|local| local.signed_duration_since(at).abs() >= TimeDelta::seconds(1)) {
            return Err(ReceiveError::TimeConflict);
        }
        let ReceivedDevice { serial, id, name, site } = ReceivedDevice::read(event);
        Ok(Self {
            event_id,
            badge,
            at,
            local_time,
            direction: direction::find([&punch, event]),
            method: method([(&punch, "method"), (event, "method")]),
            device_serial: serial,
            device_id: id,
            device_name: name,
            site,
            employee_ref: employee.text("id"),
            employee_name: employee.text("name"),
            confidence: punch.share("confidence"),
            delivery_attempt: metadata.count("delivery_attempt"),
            deduplicated: metadata.flag("deduplicated"),
            metadata: ReceivedMetadata::read(&metadata),
        })
    }
}

impl fmt::Debug for ReceivedPunch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedPunch")
            .field("event_id", &self.event_id)
            .field("at", &self.at)
            .field("direction", &self.direction)
            .finish_non_exhaustive()
    }
}

fn badge(employee: &Fields<'_>, event: &Fields<'_>) -> Result<String, ReceiveError> {
    let field = "employee.badge_number";
    match employee.key_text("badge_number").or_else(|| event.key_text("employee_id")) {
        Presence::Text(text) => Ok(text),
        Presence::Absent => Err(ReceiveError::MissingField { field }),
        Presence::Other => Err(ReceiveError::BadField { field, expected: "a string" }),
    }
}

/// The method in the first member that is there.
pub(super) fn method(places: [(&Fields<'_>, &str); 2]) -> Method {
    let Some(word) = places.into_iter().find_map(|(fields, name)| fields.text(name)) else { return Method::Unknown };
    let word = word.to_ascii_lowercase();
    let word: StrDeserializer<'_, WordError> = word.as_str().into_deserializer();
    Method::deserialize(word).unwrap_or(Method::Unknown)
}
