use chrono::{DateTime, NaiveDateTime, Utc};
use punch_protocol::Status;
use serde::{Deserialize, Serialize};

use crate::{Direction, EventId};

/// A punch as far as its neighbours are concerned: when, where, and what is said of its direction.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update syntax")]
pub struct Mark {
    /// Its identity.
    pub event_id: EventId,
    /// The instant.
    pub at: DateTime<Utc>,
    /// What the clock on the wall showed.
    pub local: NaiveDateTime,
    /// Where, by numbers of the caller's.
    pub place: Place,
    /// The place of its row among those of the same terminal; it decides between two of one second.
    pub order: u64,
    /// The state that the terminal reported.
    pub status: Option<Status>,
    /// Whether that state says something. A terminal that always reports the same says nothing; see
    /// [`StateTrust`](super::StateTrust).
    pub is_trusted: bool,
    /// What the terminal is there for, if it has one direction.
    pub role: Option<Role>,
    /// What somebody has corrected by hand.
    pub manual: Option<Direction>,
    /// Whether it was delivered already. What was delivered is never withdrawn as a second punch.
    pub is_published: bool,
}

impl Mark {
    /// A punch of which nothing but the time is known.
    pub fn new(event_id: EventId, at: DateTime<Utc>, local: NaiveDateTime) -> Self {
        Self {
            event_id,
            at,
            local,
            place: Place::default(),
            order: 0,
            status: None,
            is_trusted: true,
            role: None,
            manual: None,
            is_published: false,
        }
    }
}

/// A terminal and its site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[expect(clippy::exhaustive_structs, reason = "two numbers of the caller's")]
pub struct Place {
    /// The terminal.
    pub device: u32,
    /// The site.
    pub site: u32,
}

/// What a terminal is there for: the reader outside of a door, or the one inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a terminal with both has none")]
pub enum Role {
    /// Whoever punches comes in.
    Entry,
    /// Whoever punches goes out.
    Exit,
}

impl Role {
    pub(super) fn direction(self) -> Direction {
        match self {
            Self::Entry => Direction::In,
            Self::Exit => Direction::Out,
        }
    }
}
