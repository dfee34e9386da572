//! Events of a terminal: it came or went, its clock is wrong, it learned somebody.

use alloc::string::{String, ToString as _};

use chrono::{DateTime, Utc};
use punch_normalize::{ClockEstimate, ClockHealth, Diagnosis, EventId, Method};
use punch_protocol::SerialNumber;

use super::json::Object;
use super::{Detail, DeviceInfo, EmployeeInfo, Event};
use crate::event_type::EventType;

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
    Status { online: bool },
    Clock { alarm: &'a ClockAlarm, opened: bool },
    Enrollment { employee: &'a EmployeeInfo, kind: Method },
}

impl<'a> Event<'a> {
    /// `device.status`: the terminal came (`online`) or went, at `at`.
    pub fn device_status(
        id: &'a EventId,
        serial: &'a SerialNumber,
        device: &'a DeviceInfo,
        online: bool,
        at: DateTime<Utc>,
    ) -> Self {
        Self::of_device(id, serial, device, News::Status { online }, at)
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

    /// `enrollment.created`: the terminal learned at `at` to recognise a person by a finger, a face, a card or a palm.
    /// What it learned is never part of it.
    pub fn enrollment_created(
        id: &'a EventId,
        serial: &'a SerialNumber,
        device: &'a DeviceInfo,
        employee: &'a EmployeeInfo,
        kind: Method,
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
            News::Status { .. } => EventType::DEVICE_STATUS,
            News::Clock { .. } => EventType::DEVICE_CLOCK,
            News::Enrollment { .. } => EventType::ENROLLMENT_CREATED,
        }
    }

    pub(super) fn nested(&self, event: &mut Object<'_>) {
        event.object("device", |object| object.device(self.serial, self.device));
        match &self.news {
            News::Status { online } => event.text("status", online_word(*online)),
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
            News::Status { online } => event.text("status", online_word(*online)),
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

fn online_word(online: bool) -> &'static str {
    if online { "online" } else { "offline" }
}

fn opened_word(opened: bool) -> &'static str {
    if opened { "opened" } else { "closed" }
}
