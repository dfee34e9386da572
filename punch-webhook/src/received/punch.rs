use alloc::string::String;
use core::fmt;

use chrono::{DateTime, FixedOffset, Utc};
use punch_normalize::{Direction, EventId, Method};

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
