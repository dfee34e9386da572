use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, FixedOffset, Utc};
use punch_normalize::timeline::Role;
use punch_normalize::{DeviceZone, Direction, DirectionSource, EventId, Observation, Punch, TimeQuality};
use punch_protocol::{Pin, RawPunch, SerialNumber, Status};

use super::{PassageMethod, PersonKey, PersonScheme};

/// One person at one door at one moment, as an access system told it. `Debug` shows the event and the time, never the person.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Passage {
    /// The source's own id with the source before it: `hcp:A1F0`, `isc:E2`, `isapi:DS-1:914:2026-03-28T08:01:23Z`.
    pub event_id: EventId,
    /// The id of the person that counts.
    pub employee: PersonKey,
    /// The person's other ids.
    pub other_keys: Vec<PersonKey>,
    /// The instant, with the offset of the text, or of the configured zone.
    pub at: DateTime<FixedOffset>,
    /// The text itself.
    pub at_original: Box<str>,
    /// Whether the text had no offset.
    pub is_zone_assumed: bool,
    /// Which way the person went.
    pub direction: Direction,
    /// What that rests on.
    pub direction_source: PassageSource,
    /// How the person was recognised.
    pub method: PassageMethod,
    /// Where.
    pub device: PassageDevice,
    /// Whether it was stored for a while before it was told.
    pub is_backlog: bool,
    pub(crate) serial: SerialNumber,
}

/// Where somebody passed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PassageDevice {
    /// The code of the door, or the id of the terminal.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// The code of the reader.
    pub reader: Option<String>,
}

/// What the direction of a [`Passage`] rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PassageSource {
    /// The event says so.
    Event,
    /// The site's list of doors or readers says so.
    DoorMap,
    /// Nothing; the direction is unknown.
    None,
}

impl PassageSource {
    /// The word: `event`, `door_map`, `none`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::DoorMap => "door_map",
            Self::None => "none",
        }
    }
}

impl Passage {
    /// What it is known by besides its id: door, second, person. An event that is pushed and read again may have two ids; it
    /// has one such key. It holds an id of the person: do not log it.
    pub fn natural_key(&self) -> String {
        // What pushes and lists have in common comes first.
        let schemes =
            [PersonScheme::PersonId, PersonScheme::EmployeeNo, PersonScheme::CardNo, PersonScheme::PersonCode];
        let person = schemes.iter().find_map(|scheme| self.key(scheme)).unwrap_or(&self.employee);
        format!("{}|{}|{}:{}", self.device.id, self.at.timestamp(), person.scheme.as_str(), person.value)
    }

    /// One of the person's ids, if the event has it.
    pub fn key(&self, scheme: &PersonScheme) -> Option<&PersonKey> {
        core::iter::once(&self.employee).chain(&self.other_keys).find(|key| key.scheme == *scheme)
    }

    /// The same with another id of the person in its place, found elsewhere.
    #[must_use]
    pub fn with_employee(mut self, key: PersonKey) -> Self {
        let before = core::mem::replace(&mut self.employee, key);
        self.other_keys.retain(|other| *other != self.employee);
        if before != self.employee {
            self.other_keys.push(before);
        }
        self
    }

    /// The row of a terminal that says the same. Its time is UTC, to the second, so that it is one row whatever offset the
    /// event was written with; its state is what the event itself says, and nothing else.
    pub fn raw(&self) -> RawPunch {
        let time = self.at.with_timezone(&Utc).timestamp();
        let time = DateTime::from_timestamp(time, 0).unwrap_or_default().naive_utc();
        let pin = Pin::new(self.employee.value.as_bytes()).into_owned();
        let mut raw = RawPunch::new(self.serial.clone(), pin, time);
        raw.is_utc = true;
        raw.status = self.said();
        raw.verify = self.method.verify();
        raw
    }

    /// What a [`Normalizer`](punch_normalize::Normalizer) takes: a door of one direction is a terminal with that role.
    pub fn observation(&self, received_at: DateTime<Utc>) -> Observation {
        let mut observation = Observation::new(self.raw(), received_at);
        observation.live = !self.is_backlog;
        observation.role = match (self.direction_source, self.direction) {
            (PassageSource::DoorMap, Direction::In) => Some(Role::Entry),
            (PassageSource::DoorMap, Direction::Out) => Some(Role::Exit),
            _ => None,
        };
        observation
    }

    /// The zone that goes with the observation: the offset of this event.
    pub fn zone(&self) -> DeviceZone {
        DeviceZone::Fixed(*self.at.offset())
    }

    /// The punch that it is, by itself and under the source's own id.
    pub fn punch(&self, received_at: DateTime<Utc>) -> Punch {
        let (at, event_id) = (self.at.with_timezone(&Utc), self.event_id.clone());
        let mut punch = Punch::new(event_id, self.raw(), at, self.at, TimeQuality::Exact, received_at);
        punch.direction = self.direction;
        punch.direction_source = match self.direction_source {
            PassageSource::Event => DirectionSource::State,
            PassageSource::DoorMap => DirectionSource::Role,
            PassageSource::None => DirectionSource::None,
        };
        punch.method = self.method.method();
        punch
    }

    /// The state a key press would have, where the event itself says it, or a door that is there for more than in and out.
    fn said(&self) -> Option<Status> {
        let is_role = self.direction_source == PassageSource::DoorMap && self.direction.plain() == self.direction;
        if is_role {
            return None;
        }
        match self.direction {
            Direction::In => Some(Status::CHECK_IN),
            Direction::Out => Some(Status::CHECK_OUT),
            Direction::BreakOut => Some(Status::BREAK_OUT),
            Direction::BreakIn => Some(Status::BREAK_IN),
            Direction::OvertimeIn => Some(Status::OVERTIME_IN),
            Direction::OvertimeOut => Some(Status::OVERTIME_OUT),
            Direction::Intermediate | Direction::Unknown => None,
        }
    }
}

impl fmt::Debug for Passage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passage")
            .field("event_id", &self.event_id)
            .field("at", &self.at)
            .field("direction", &self.direction)
            .finish_non_exhaustive()
    }
}
