//! The members of every event in every shape, in the order they are written.

use alloc::format;
use alloc::string::String;

use chrono::{DateTime, NaiveDateTime, SecondsFormat, SubsecRound as _, Utc};
use punch_normalize::Punch;
use punch_normalize::timeline::SessionId;
use punch_protocol::SerialNumber;

use super::json::Object;
use super::{Detail, DeviceInfo, EmployeeInfo, Event, PayloadFormat, PunchDetail, Revision, Telling, published};

impl Event<'_> {
    pub(super) fn nested(&self, event: &mut Object<'_>) {
        event.text("event_id", self.id.as_str());
        event.text("event_type", self.event_type().as_str());
        event.text("timestamp", &utc(self.at));
        match &self.detail {
            // Its metadata say more than the attempt.
            Detail::Punch(detail) => return detail.nested(event),
            Detail::Device(detail) => detail.nested(event),
            Detail::Watermark(detail) => detail.members(event),
            Detail::Failing(failing) => failing.nested(event),
            Detail::Test => {}
        }
        event.object("metadata", |object| object.first_attempt());
    }

    pub(super) fn flat(&self, format: PayloadFormat, event: &mut Object<'_>) {
        // The shape without a type is for punches alone.
        if let (Detail::Punch(detail), PayloadFormat::FlatStrict001) = (&self.detail, format) {
            return detail.flat_001(event);
        }
        let at = utc(self.at);
        event.text("event", self.event_type().as_str());
        match &self.detail {
            Detail::Punch(detail) => detail.flat_000(event),
            Detail::Device(detail) => detail.flat(&at, event),
            Detail::Watermark(detail) => {
                event.text("timestamp", &at);
                detail.members(event);
            }
            Detail::Failing(failing) => failing.flat(&at, event),
            Detail::Test => event.text("timestamp", &at),
        }
        event.text("event_id", self.id.as_str());
        if let (Detail::Punch(detail), PayloadFormat::Flat) = (&self.detail, format) {
            event.text("punch_type", detail.direction().plain().as_str());
        }
    }
}

impl PunchDetail<'_> {
    fn nested(&self, event: &mut Object<'_>) {
        let Self { punch, device, employee, .. } = self;
        event.object("device", |object| object.device(&punch.serial, device));
        event.object("employee", |object| object.employee(employee));
        event.object("punch", |object| {
            object.text("direction", self.direction().as_str());
            object.text("method", punch.method.as_str());
            if let Some(confidence) = self.confidence {
                object.share("confidence", confidence);
            }
            object.text("local_time", &punch.local_time.to_rfc3339_opts(SecondsFormat::Secs, false));
        });
        event.object("metadata", |object| self.metadata(object));
    }

    fn metadata(&self, object: &mut Object<'_>) {
        let punch = self.punch;
        object.flag("deduplicated", self.deduplicated);
        object.word("direction_source", &punch.direction_source);
        object.meaning(punch);
        object.word("time_quality", &punch.time_quality);
        if let Some(seconds) = punch.clock_offset_s {
            object.integer("clock_offset_s", seconds);
        }
        object.text("device_local", &civil(punch.device_local));
        object.text("received_at", &utc(punch.received_at));
        object.flag_if("historic", punch.is_historic);
        object.flag_if("late", self.late);
        let about = punch.event_id.as_str();
        match &self.telling {
            Telling::First => {}
            Telling::Anew(revision) => object.revision(about, revision),
            Telling::TooLate(revision) => {
                object.text("about", about);
                match revision {
                    Some(revision) => object.revision(about, revision),
                    None => object.text("reason", "late_row"),
                }
            }
        }
        object.first_attempt();
    }

    fn flat_000(&self, event: &mut Object<'_>) {
        event.text("device_serial", self.punch.serial.as_str());
        event.text("employee_id", &self.employee.badge);
        event.text("timestamp", &utc(self.punch.punched_at));
        event.text("direction", self.direction().plain().as_str());
        event.text("method", self.punch.method.as_str());
    }

    fn flat_001(&self, event: &mut Object<'_>) {
        event.text("event_id", self.punch.event_id.as_str());
        event.text("employee_id", &self.employee.badge);
        event.text("timestamp", &utc(self.punch.punched_at));
        event.text("device_serial", self.punch.serial.as_str());
        event.text("punch_type", self.direction().plain().as_str());
    }
}

impl Object<'_> {
    pub(super) fn device(&mut self, serial: &SerialNumber, device: &DeviceInfo) {
        self.optional_text("id", device.id.as_deref());
        self.text("serial_number", serial.as_str());
        self.optional_text("name", device.name.as_deref());
        self.optional_text("site", device.site.as_deref());
    }

    pub(super) fn employee(&mut self, employee: &EmployeeInfo) {
        self.optional_text("id", employee.id.as_deref());
        self.text("badge_number", &employee.badge);
        self.optional_text("name", employee.name.as_deref());
    }

    fn revision(&mut self, revises: &str, revision: &Revision) {
        self.text("revises", revises);
        self.number("revision", revision.number);
        self.text("old_direction", published(revision.old_direction).as_str());
        self.optional_text("old_timestamp", revision.old_timestamp.map(utc).as_deref());
        self.text("reason", revision.reason);
    }

    /// What the punches around this one make of it, beside the direction.
    fn meaning(&mut self, punch: &Punch) {
        let Some(percent) = punch.confidence else { return };
        self.share("confidence", f64::from(percent) / 100.0);
        self.optional_text("session_id", punch.session.as_ref().map(SessionId::as_str));
        if let Some(date) = punch.business_date {
            self.text("business_date", &format!("{date}"));
        }
        self.words("exceptions", punch.exceptions.words());
        if let Some(out) = punch.synthetic_out {
            self.object("synthetic_out", |object| {
                object.text("local_time", &civil(out.local));
                object.text("reason", out.reason);
            });
        }
    }

    /// Always the last member of the last member: [`StoredBody::render`] finds it there.
    fn first_attempt(&mut self) {
        self.number("delivery_attempt", 1);
    }
}

/// A civil time, which has no zone, to the second: ISO 8601, as its `Debug` is.
fn civil(time: NaiveDateTime) -> String {
    format!("{:?}", time.trunc_subsecs(0))
}

pub(super) fn utc(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
