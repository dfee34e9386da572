//! One event, pushed, streamed or found, becomes a [`Reading`].

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{SecondsFormat, Utc};
use punch_normalize::{Direction, EventId};
use punch_protocol::SerialNumber;
use serde_json::{Map, Value};

use super::PassCodes;
use crate::passage::{
    DropReason, IgnoreReason, PassageDevice, PassageRules, PersonKey, PersonScheme, QuarantineReason, Reading,
    Sighting, fields, is_true, number, read_moment, text,
};

/// How the events of one terminal are read.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct IsapiRules {
    /// Which terminal it is: what stands in the ids of its events. The serial number, or what the site calls it.
    pub device: SerialNumber,
    /// What people call it, where the event does not say.
    pub device_name: Option<String>,
    /// Doors, readers, people and the zone of the terminal. A door is known by its number, or by the terminal's id.
    pub passage: PassageRules,
    /// Which codes say that somebody passed.
    pub codes: PassCodes,
}

impl IsapiRules {
    /// The defaults: people by employee number.
    pub fn new(device: SerialNumber) -> Self {
        let passage = PassageRules { employee_fields: [PersonScheme::EmployeeNo].into(), ..PassageRules::default() };
        Self { device, device_name: None, passage, codes: PassCodes::default() }
    }
}

/// Reads an event as it is pushed or streamed.
pub(super) fn read_alert(event: &Value, rules: &IsapiRules) -> Reading {
    let Value::Object(members) = event else {
        return Reading::quarantined(None, QuarantineReason::Malformed, event);
    };
    let kind = text(members, "eventType").unwrap_or_default().to_ascii_lowercase();
    let is_inactive = text(members, "eventState").is_some_and(|state| state.eq_ignore_ascii_case("inactive"));
    match kind.as_str() {
        "accesscontrollerevent" => {}
        "heartbeat" => return Reading::dropped(None, DropReason::Heartbeat),
        "videoloss" if is_inactive => return Reading::dropped(None, DropReason::Heartbeat),
        _ => return Reading::Ignored { reason: IgnoreReason::NotAccessControl },
    }
    let detail = fields(members.get("AccessControllerEvent"));
    let is_backlog = is_true(&detail, "currentEvent") == Some(false);
    let told = Told {
        major: number(&detail, "majorEventType").or_else(|| number(&detail, "major")),
        minor: number(&detail, "subEventType").or_else(|| number(&detail, "minor")),
        time: text(members, "dateTime").or_else(|| text(&detail, "time")),
        is_backlog,
    };
    told.judge(&detail, event, rules)
}

/// Reads an event as a search finds it.
pub(super) fn read_found(event: &Value, rules: &IsapiRules) -> Reading {
    let Value::Object(members) = event else {
        return Reading::quarantined(None, QuarantineReason::Malformed, event);
    };
    let told = Told {
        major: number(members, "major").or_else(|| number(members, "majorEventType")),
        minor: number(members, "minor").or_else(|| number(members, "subEventType")),
        time: text(members, "time").or_else(|| text(members, "dateTime")),
        is_backlog: true,
    };
    told.judge(members, event, rules)
}

/// What the two forms have under different names.
struct Told {
    major: Option<i64>,
    minor: Option<i64>,
    time: Option<String>,
    is_backlog: bool,
}

impl Told {
    fn judge(self, detail: &Map<String, Value>, event: &Value, rules: &IsapiRules) -> Reading {
        let codes = self.major.zip(self.minor);
        let Some(method) = codes.and_then(|(major, minor)| rules.codes.method(major, minor)) else {
            return Reading::dropped(None, DropReason::NotPassEvent);
        };
        let Some(person) = rules.passage.person(people(detail)) else {
            return Reading::dropped(None, DropReason::NoPerson);
        };
        let moment = self.time.as_deref().and_then(|time| read_moment(time, rules.passage.zone));
        let (Some(moment), Some(time)) = (moment, self.time) else {
            return Reading::quarantined(None, QuarantineReason::BadTime, event);
        };
        let Some(serial) = number(detail, "serialNo") else {
            return Reading::quarantined(None, QuarantineReason::MissingEventId, event);
        };
        let at = moment.at.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::Secs, true);
        // An id has no dot, a serial number may.
        let device = rules.device.as_str().replace('.', "_");
        let Ok(event_id) = EventId::parse(&format!("isapi:{device}:{serial}:{at}")) else {
            return Reading::quarantined(None, QuarantineReason::BadEventId, event);
        };
        let device = PassageDevice {
            id: rules.device.as_str().into(),
            name: text(detail, "deviceName").or_else(|| rules.device_name.clone()),
            reader: text(detail, "cardReaderNo"),
        };
        let (said, serial, is_backlog) = (direction(detail), rules.device.clone(), self.is_backlog);
        let sighting =
            Sighting { event_id, person, moment, at_original: time, said, method, device, serial, is_backlog };
        // A door is known by its number, or by the terminal's id.
        let door = text(detail, "doorNo").filter(|door| rules.passage.doors.contains_key(door));
        sighting.judge(&rules.passage, door.as_deref())
    }
}

fn people(detail: &Map<String, Value>) -> Vec<PersonKey> {
    let employee = text(detail, "employeeNoString").or_else(|| text(detail, "employeeNo"));
    let employee = employee.and_then(|value| PersonKey::new(PersonScheme::EmployeeNo, value));
    let card = text(detail, "cardNo").and_then(|value| PersonKey::new(PersonScheme::CardNo, value));
    employee.into_iter().chain(card).collect()
}

/// `attendanceStatus`, in whatever letters. Leaving for a break is `breakOut`.
fn direction(detail: &Map<String, Value>) -> Direction {
    match text(detail, "attendanceStatus").unwrap_or_default().to_ascii_lowercase().as_str() {
        "checkin" => Direction::In,
        "checkout" => Direction::Out,
        "breakout" => Direction::BreakOut,
        "breakin" => Direction::BreakIn,
        "overtimein" => Direction::OvertimeIn,
        "overtimeout" => Direction::OvertimeOut,
        _ => Direction::Unknown,
    }
}
