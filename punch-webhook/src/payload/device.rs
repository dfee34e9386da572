//! Events of a terminal: it came or went, its clock is wrong, it learned somebody.

use alloc::string::{String, ToString as _};

use chrono::{DateTime, Utc};
use punch_normalize::{ClockEstimate, ClockHealth, Diagnosis, EventId, Method};
use punch_protocol::SerialNumber;

use super::json::Object;
use super::{Detail, DeviceInfo, EmployeeInfo, Event};
use crate::event_type::EventType;

/// What became of a terminal.
///
/// ```
/// use punch_webhook::DeviceStatus;
///
/// assert_eq!(DeviceStatus::Offline.as_str(), "offline");
/// assert_eq!(DeviceStatus::from_word("blocked"), Some(DeviceStatus::Blocked));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceStatus {
    /// It calls: for the first time, or again after it was away.
    Online,
    /// It has not called for longer than it may be silent.
    Offline,
    /// Somebody has let it in.
    Approved,
    /// Somebody keeps it out.
    Blocked,
}

impl DeviceStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Online, Self::Offline, Self::Approved, Self::Blocked];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Approved => "approved",
            Self::Blocked => "blocked",
        }
    }

    /// The status with this [word](Self::as_str).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// What a terminal learned of a person: that there is one, or by what to recognise them.
///
/// ```
/// use punch_normalize::Method;
/// use punch_webhook::EnrollmentKind;
///
/// assert_eq!(EnrollmentKind::Credential(Method::Fingerprint).as_str(), "fingerprint");
/// assert_eq!(EnrollmentKind::User.as_str(), "user");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnrollmentKind {
    /// A person was made at its menu.
    User,
    /// A finger, a face, a card, a palm, a password. [`Method::Unknown`] if it is none that we know.
    Credential(Method),
}

impl EnrollmentKind {
    /// The stable word: `user`, or that of the method.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Credential(method) => method.as_str(),
        }
    }
}

/// What is wrong with a terminal's clock, for people and for machines.
///
/// ```
/// use chrono::{DateTime, TimeDelta};
/// use punch_normalize::{ClockEstimate, DeviceZone, Diagnosis};
/// use punch_webhook::ClockAlarm;
///
/// let estimate = Some(ClockEstimate::new(TimeDelta::seconds(740), 12, TimeDelta::seconds(1)));
/// let diagnosis = Diagnosis::new(estimate, DeviceZone::Utc, DateTime::UNIX_EPOCH);
/// let alarm = ClockAlarm::new(&diagnosis, estimate);
/// assert_eq!(alarm.health.as_str(), "clock_wrong");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockAlarm {
    /// The class of the clock.
    pub health: ClockHealth,
    /// What was measured, if it was.
    pub estimate: Option<ClockEstimate>,
    /// What is wrong and what exactly to do, as a sentence.
    pub advice: String,
}

impl ClockAlarm {
    /// The alarm that a diagnosis gives, with the estimate it rests on.
    pub fn new(diagnosis: &Diagnosis, estimate: Option<ClockEstimate>) -> Self {
        Self { health: diagnosis.health(), estimate, advice: diagnosis.to_string() }
    }
}

#[derive(Debug, Clone)]
pub(super) struct DeviceDetail<'a> {
    serial: &'a SerialNumber,
    pub(super) device: &'a DeviceInfo,
    news: News<'a>,
}

#[derive(Debug, Clone)]
enum News<'a> {
    Status(DeviceStatus),
    Clock { alarm: &'a ClockAlarm, opened: bool },
    Enrollment { employee: &'a EmployeeInfo, kind: EnrollmentKind },
}

impl<'a> Event<'a> {
    /// `device.status`: the terminal came or went, was let in or is kept out, since `at`.
    pub fn device_status(
        id: &'a EventId,
        serial: &'a SerialNumber,
        device: &'a DeviceInfo,
        status: DeviceStatus,
        at: DateTime<Utc>,
    ) -> Self {
        Self::of_device(id, serial, device, News::Status(status), at)
    }

    /// `device.clock`: an alarm about the terminal's clock was `opened`, or closed, at `at`.
    pub fn device_clock(
        id: &'a EventId,
        serial: &'a SerialNumber,
        device: &'a DeviceInfo,
        alarm: &'a ClockAlarm,
        opened: bool,
        at: DateTime<Utc>,
    ) -> Self {
        Self::of_device(id, serial, device, News::Clock { alarm, opened }, at)
    }

    /// `enrollment.created`: the terminal learned at `at` of a person, or to recognise one by a finger, a face, a card or a
    /// palm. What it learned is never part of it.
    pub fn enrollment_created(
        id: &'a EventId,
        serial: &'a SerialNumber,
        device: &'a DeviceInfo,
        employee: &'a EmployeeInfo,
        kind: EnrollmentKind,
        at: DateTime<Utc>,
    ) -> Self {
        Self::of_device(id, serial, device, News::Enrollment { employee, kind }, at)
    }

    fn of_device(
        id: &'a EventId,
        serial: &'a SerialNumber,
        device: &'a DeviceInfo,
        news: News<'a>,
        at: DateTime<Utc>,
    ) -> Self {
        Self { id, at, detail: Detail::Device(DeviceDetail { serial, device, news }) }
    }
}

impl DeviceDetail<'_> {
    pub(super) fn event_type(&self) -> EventType {
        match self.news {
            News::Status(_) => EventType::DEVICE_STATUS,
            News::Clock { .. } => EventType::DEVICE_CLOCK,
            News::Enrollment { .. } => EventType::ENROLLMENT_CREATED,
        }
    }

    pub(super) fn nested(&self, event: &mut Object<'_>) {
        event.object("device", |object| object.device(self.serial, self.device));
        match &self.news {
            News::Status(status) => event.text("status", status.as_str()),
            News::Clock { alarm, opened } => {
                event.object("clock", |object| alarm.nested(object));
                event.text("state", opened_word(*opened));
            }
            News::Enrollment { employee, kind } => {
                event.object("employee", |object| object.employee(employee));
                event.object("enrollment", |object| object.text("kind", kind.as_str()));
            }
        }
    }

    pub(super) fn flat(&self, at: &str, event: &mut Object<'_>) {
        event.text("device_serial", self.serial.as_str());
        event.text("timestamp", at);
        match &self.news {
            News::Status(status) => event.text("status", status.as_str()),
            News::Clock { alarm, opened } => {
                event.text("state", opened_word(*opened));
                event.text("health", alarm.health.as_str());
                if let Some(estimate) = &alarm.estimate {
                    event.integer("offset_s", estimate.offset.num_seconds());
                }
            }
            News::Enrollment { employee, kind } => {
                // Not `employee_id`: whoever looks at no type would book it as a punch.
                event.text("badge_number", &employee.badge);
                event.text("kind", kind.as_str());
            }
        }
    }
}

impl ClockAlarm {
    fn nested(&self, clock: &mut Object<'_>) {
        clock.text("health", self.health.as_str());
        if let Some(ClockEstimate { offset, samples, spread, .. }) = &self.estimate {
            clock.integer("offset_s", offset.num_seconds());
            clock.integer("samples", i64::try_from(*samples).unwrap_or(i64::MAX));
            clock.integer("spread_s", spread.num_seconds());
        }
        clock.text("advice", &self.advice);
    }
}

fn opened_word(opened: bool) -> &'static str {
    if opened { "opened" } else { "closed" }
}
