//! One event, pushed or listed, becomes a [`Reading`].

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use punch_normalize::{Direction, EventId};
use punch_protocol::SerialNumber;
use serde_json::{Map, Value};

use super::{Dialect, EventTypes};
use crate::passage::{
    DropReason, PassageDevice, PassageRules, PersonKey, PersonScheme, QuarantineReason, Reading, Sighting, number,
    read_moment, text,
};

/// How the events of a server are read.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct HikCentralRules {
    /// Doors and people.
    pub passage: PassageRules,
    /// The event types that count.
    pub event_types: EventTypes,
    /// Whether 0 in `ExtEventInOut` is a departure. One of the makers' comments says so, and 0 is also what an empty field has.
    /// Default: no.
    pub isc_zero_is_out: bool,
}

/// The members of an event, under whichever names they came.
pub(super) struct Told {
    pub(super) dialect: Dialect,
    pub(super) event_id: Option<String>,
    pub(super) event_type: Option<i64>,
    pub(super) time: Option<String>,
    pub(super) door: Option<String>,
    pub(super) door_name: Option<String>,
    pub(super) reader: Option<String>,
    pub(super) keys: Vec<PersonKey>,
    pub(super) direction: Direction,
    pub(super) is_backlog: bool,
}

impl Told {
    pub(super) fn judge(self, event: &Value, rules: &HikCentralRules) -> Reading {
        let Some(id) = self.event_id else {
            return Reading::quarantined(None, QuarantineReason::MissingEventId, event);
        };
        let Ok(event_id) = EventId::parse(&format!("{}:{id}", self.dialect.prefix())) else {
            return Reading::quarantined(None, QuarantineReason::BadEventId, event);
        };
        let id = Some(&event_id);
        let Some(method) = self.event_type.and_then(|code| rules.event_types.method(code)) else {
            return Reading::dropped(id, DropReason::EventTypeNotGranted);
        };
        let moment = self.time.as_deref().and_then(|time| read_moment(time, rules.passage.zone));
        let (Some(moment), Some(time)) = (moment, self.time) else {
            return Reading::quarantined(id, QuarantineReason::BadTime, event);
        };
        let Some(person) = rules.passage.person(self.keys) else {
            return Reading::dropped(id, DropReason::NoPerson);
        };
        let door = self.door.and_then(|door| Some((SerialNumber::parse(&door).ok()?, door)));
        let Some((serial, door)) = door else {
            return Reading::quarantined(id, QuarantineReason::BadDevice, event);
        };
        let sighting = Sighting {
            event_id,
            person,
            moment,
            at_original: time,
            said: self.direction,
            method,
            device: PassageDevice { id: door, name: self.door_name, reader: self.reader },
            serial,
            is_backlog: self.is_backlog,
        };
        sighting.judge(&rules.passage, None)
    }
}

/// The ids of a person under the names of HikCentral Professional.
pub(super) fn hcp_keys(data: &Map<String, Value>) -> Vec<PersonKey> {
    let names = [
        ("personCode", PersonScheme::PersonCode),
        ("personId", PersonScheme::PersonId),
        ("cardNo", PersonScheme::CardNo),
    ];
    keys(data, names)
}

/// The ids of a person under these names.
pub(super) fn keys<const N: usize>(data: &Map<String, Value>, names: [(&str, PersonScheme); N]) -> Vec<PersonKey> {
    names.into_iter().filter_map(|(name, scheme)| PersonKey::new(scheme, text(data, name)?)).collect()
}

/// `checkInAndOutType`: 1 in, 2 out, 3 break start, 4 break end, 5 overtime start, 6 overtime end.
pub(super) fn hcp_direction(data: &Map<String, Value>) -> Direction {
    match number(data, "checkInAndOutType") {
        Some(1) => Direction::In,
        Some(2) => Direction::Out,
        Some(3) => Direction::BreakOut,
        Some(4) => Direction::BreakIn,
        Some(5) => Direction::OvertimeIn,
        Some(6) => Direction::OvertimeOut,
        Some(_) | None => Direction::Unknown,
    }
}

/// `ExtEventInOut` and its like: 1 in; 2 out; 0 as the site says.
pub(super) fn isc_direction(data: &Map<String, Value>, name: &str, rules: &HikCentralRules) -> Direction {
    match number(data, name) {
        Some(1) => Direction::In,
        Some(2) => Direction::Out,
        Some(0) if rules.isc_zero_is_out => Direction::Out,
        Some(_) | None => Direction::Unknown,
    }
}
