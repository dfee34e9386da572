//! Events of a terminal. All their members only inform: whatever is absent or strange is `None`.

use alloc::string::String;
use core::fmt;

use chrono::{DateTime, Utc};
use punch_normalize::EventId;

use super::fields::Fields;
use super::punch::method;
use crate::payload::{DeviceStatus, EnrollmentKind};

/// The terminal of an event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ReceivedDevice {
    /// Its serial number.
    pub serial: Option<String>,
    /// The sender's id of it (`dev_…`).
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Name of the site.
    pub site: Option<String>,
}

/// A terminal came or went, was let in or is kept out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedDeviceStatus {
    /// The idempotency key.
    pub event_id: EventId,
    /// When.
    pub at: Option<DateTime<Utc>>,
    /// The terminal.
    pub device: ReceivedDevice,
    /// What became of it.
    pub status: Option<DeviceStatus>,
}

/// An alarm about a terminal's clock, opened or closed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedClock {
    /// The idempotency key.
    pub event_id: EventId,
    /// When.
    pub at: Option<DateTime<Utc>>,
    /// The terminal.
    pub device: ReceivedDevice,
    /// Whether the alarm was opened or closed.
    pub opened: Option<bool>,
    /// The class of the clock, as a word: `drift`, `timezone_misconfigured`, `clock_wrong` …
    pub health: Option<String>,
    /// True time minus the time shown, in seconds.
    pub offset_s: Option<i64>,
    /// How many comparisons that rests on.
    pub samples: Option<u32>,
    /// How far they lie apart, in seconds.
    pub spread_s: Option<i64>,
    /// What is wrong and what to do, as a sentence.
    pub advice: Option<String>,
}

/// A terminal learned of somebody, or to recognise somebody. `Debug` shows the event and the kind, never the person.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedEnrollment {
    /// The idempotency key.
    pub event_id: EventId,
    /// When.
    pub at: Option<DateTime<Utc>>,
    /// The terminal.
    pub device: ReceivedDevice,
    /// The badge of the person.
    pub badge: Option<String>,
    /// The sender's id of the person (`emp_…`); not the badge.
    pub employee_ref: Option<String>,
    /// Name of the person, if the sender shares it.
    pub employee_name: Option<String>,
    /// What it learned; unknown credentials are [`Method::Unknown`](punch_normalize::Method::Unknown).
    pub kind: EnrollmentKind,
}

impl ReceivedDevice {
    pub(super) fn read(event: &Fields<'_>) -> Self {
        let device = event.object("device");
        Self {
            serial: device.text("serial_number").or_else(|| event.text("device_serial")),
            id: device.text("id"),
            name: device.text("name"),
            site: device.text("site"),
        }
    }
}

impl ReceivedDeviceStatus {
    pub(super) fn read(event: &Fields<'_>, event_id: EventId) -> Self {
        let status = event.text("status").and_then(|word| DeviceStatus::from_word(&word));
        Self { event_id, at: event.time("timestamp"), device: ReceivedDevice::read(event), status }
    }
}

impl ReceivedClock {
    pub(super) fn read(event: &Fields<'_>, event_id: EventId) -> Self {
        let clock = event.object("clock");
        Self {
            event_id,
            at: event.time("timestamp"),
            device: ReceivedDevice::read(event),
            opened: event.either("state", ["opened", "closed"]),
            health: clock.text("health").or_else(|| event.text("health")),
            offset_s: clock.integer("offset_s").or_else(|| event.integer("offset_s")),
            samples: clock.count("samples"),
            spread_s: clock.integer("spread_s"),
            advice: clock.text("advice"),
        }
    }
}

impl ReceivedEnrollment {
    pub(super) fn read(event: &Fields<'_>, event_id: EventId) -> Self {
        let employee = event.object("employee");
        let enrollment = event.object("enrollment");
        let is_user = enrollment.text("kind").or_else(|| event.text("kind")).is_some_and(|word| word == "user");
        let credential = || EnrollmentKind::Credential(method([(&enrollment, "kind"), (event, "kind")]));
        let kind = if is_user { EnrollmentKind::User } else { credential() };
        Self {
            event_id,
            at: event.time("timestamp"),
            device: ReceivedDevice::read(event),
            badge: employee.text("badge_number").or_else(|| event.text("badge_number")),
            employee_ref: employee.text("id"),
            employee_name: employee.text("name"),
            kind,
        }
    }
}

impl fmt::Debug for ReceivedEnrollment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedEnrollment")
            .field("event_id", &self.event_id)
            .field("device", &self.device)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
