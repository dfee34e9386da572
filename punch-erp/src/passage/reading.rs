use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use punch_normalize::EventId;
use serde_json::Value;

use super::{Passage, kept};

/// What became of one event. Every event gets exactly one.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle every fate; a new one is a breaking change")]
pub enum Reading {
    /// Somebody passed.
    Punch(Box<Passage>),
    /// It says nothing about attendance, and that is certain.
    Dropped {
        /// The event, if it has an id.
        event_id: Option<EventId>,
        /// Why.
        reason: DropReason,
    },
    /// It is about something else than access.
    Ignored {
        /// Why.
        reason: IgnoreReason,
    },
    /// It may be a punch and cannot be read. It is to be kept and shown.
    Quarantined {
        /// The event, if it has an id that serves.
        event_id: Option<EventId>,
        /// Why.
        reason: QuarantineReason,
        /// The event as JSON, without health data, pictures and names. It may hold ids of people: do not log it.
        raw: String,
    },
}

impl Reading {
    pub(crate) fn dropped(event_id: Option<&EventId>, reason: DropReason) -> Self {
        Self::Dropped { event_id: event_id.cloned(), reason }
    }

    pub(crate) fn quarantined(event_id: Option<&EventId>, reason: QuarantineReason, event: &Value) -> Self {
        use alloc::string::ToString as _;

        Self::Quarantined { event_id: event_id.cloned(), reason, raw: kept(event).to_string() }
    }

    /// The passage, if it is one.
    pub fn passage(&self) -> Option<&Passage> {
        match self {
            Self::Punch(passage) => Some(passage),
            Self::Dropped { .. } | Self::Ignored { .. } | Self::Quarantined { .. } => None,
        }
    }

    /// The event's id, if it has one.
    pub fn event_id(&self) -> Option<&EventId> {
        match self {
            Self::Punch(passage) => Some(&passage.event_id),
            Self::Dropped { event_id, .. } | Self::Quarantined { event_id, .. } => event_id.as_ref(),
            Self::Ignored { .. } => None,
        }
    }

    /// One word for logs and counters: `punch`, `drop`, `ignore`, `quarantine`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Punch(_) => "punch",
            Self::Dropped { .. } => "drop",
            Self::Ignored { .. } => "ignore",
            Self::Quarantined { .. } => "quarantine",
        }
    }

    /// Why it is no punch, as a word.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Punch(_) => None,
            Self::Dropped { reason, .. } => Some(reason.as_str()),
            Self::Ignored { reason } => Some(reason.as_str()),
            Self::Quarantined { reason, .. } => Some(reason.as_str()),
        }
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Reading");
        shown.field("word", &self.word()).field("event_id", &self.event_id()).field("reason", &self.reason());
        shown.finish_non_exhaustive()
    }
}

/// Why an event says nothing about attendance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DropReason {
    /// Its type is none of those that say that somebody passed.
    EventTypeNotGranted,
    /// Its codes are none of those that say that somebody passed.
    NotPassEvent,
    /// It names nobody.
    NoPerson,
    /// The door does not count as attendance.
    OtherDoor,
    /// The terminal says that it is there.
    Heartbeat,
    /// It came before, under this id or as the same person at the same door in the same second.
    Duplicate,
}

impl DropReason {
    /// The word: `event_type_not_granted`, `not_pass_event`, `no_person`, `other_door`, `heartbeat`, `duplicate`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EventTypeNotGranted => "event_type_not_granted",
            Self::NotPassEvent => "not_pass_event",
            Self::NoPerson => "no_person",
            Self::OtherDoor => "other_door",
            Self::Heartbeat => "heartbeat",
            Self::Duplicate => "duplicate",
        }
    }
}

/// What else an event can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum IgnoreReason {
    /// A camera, a car park, a lift: anything but access.
    NotAccessControl,
}

impl IgnoreReason {
    /// The word: `not_access_control`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAccessControl => "not_access_control",
        }
    }
}

/// Why an event cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum QuarantineReason {
    /// It is no object.
    Malformed,
    /// It has no id, so that nobody could tell whether it came before.
    MissingEventId,
    /// Its id is longer than 128 characters or holds others than visible ASCII without a dot.
    BadEventId,
    /// Its time is none, has no offset where no zone is configured, or lies before the year 2000.
    BadTime,
    /// The door has no code, or one that is no serial number: 1 to 64 letters, digits, `_`, `-` or `.`.
    BadDevice,
}

impl QuarantineReason {
    /// The word: `malformed`, `missing_event_id`, `bad_event_id`, `bad_time`, `bad_device`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::MissingEventId => "missing_event_id",
            Self::BadEventId => "bad_event_id",
            Self::BadTime => "bad_time",
            Self::BadDevice => "bad_device",
        }
    }
}
