use alloc::format;
use core::fmt;

use chrono::{NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};

use crate::{Direction, DirectionSource, EventId};

/// What is made of one punch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The punch it is a second one of; `None` if it is kept.
    pub duplicate_of: Option<EventId>,
    /// Which way the person went.
    pub direction: Direction,
    /// What that rests on.
    pub source: DirectionSource,
    /// How sure it is, in percent.
    pub confidence: u8,
    /// The shift it belongs to. A punch that is not kept has none.
    pub session: Option<SessionId>,
    /// The day that shift belongs to.
    pub business_date: Option<NaiveDate>,
    /// What is missing or odd about it.
    pub exceptions: Exceptions,
    /// What stands for the departure that is missing, if anything is to.
    pub synthetic_out: Option<SyntheticOut>,
}

/// What stands for a departure that nobody made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyntheticOut {
    /// When it would have been, by the clock on the wall.
    pub local: NaiveDateTime,
    /// What that rests on: `shift_end`, `max_shift` or `fixed`.
    pub reason: &'static str,
}

impl Finding {
    pub(super) fn unknown() -> Self {
        Self {
            duplicate_of: None,
            direction: Direction::Unknown,
            source: DirectionSource::None,
            confidence: 0,
            session: None,
            business_date: None,
            exceptions: Exceptions::default(),
            synthetic_out: None,
        }
    }
}

/// The name of a shift: `ses_` and the digits of its first punch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(EventId);

impl SessionId {
    pub(super) fn of(first: &EventId) -> Self {
        let digits = first.as_str().strip_prefix("evt_").unwrap_or(first.as_str());
        // An id of the longest kind would become too long, and keeps its own name.
        Self(EventId::parse(&format!("ses_{digits}")).unwrap_or_else(|_| first.clone()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is missing or odd about a punch.
///
/// ```
/// use punch_normalize::timeline::Exceptions;
///
/// let both = Exceptions::MISSING_IN | Exceptions::REPEAT_OUT;
/// assert_eq!(both.words().collect::<Vec<_>>(), ["missing_in", "repeat_out"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Exceptions(u16);

impl Exceptions {
    /// A departure without an arrival.
    pub const MISSING_IN: Self = Self(1);
    /// An arrival without a departure.
    pub const MISSING_OUT: Self = Self(1 << 1);
    /// A second arrival of the same shift.
    pub const REPEAT_IN: Self = Self(1 << 2);
    /// A second departure of the same shift; it counts, the one before does not.
    pub const REPEAT_OUT: Self = Self(1 << 3);
    /// A break that nobody came back from.
    pub const UNCLOSED_BREAK: Self = Self(1 << 4);
    /// Back from a break that nobody took.
    pub const MISSING_BREAK_OUT: Self = Self(1 << 5);
    /// At two sites within the window of one punch.
    pub const IMPOSSIBLE_TRAVEL: Self = Self(1 << 6);
    /// The key that was pressed cannot have been meant; another direction was put in its place.
    pub const WRONG_KEY: Self = Self(1 << 7);

    const WORDS: [(Self, &str); 8] = [
        (Self::MISSING_IN, "missing_in"),
        (Self::MISSING_OUT, "missing_out"),
        (Self::REPEAT_IN, "repeat_in"),
        (Self::REPEAT_OUT, "repeat_out"),
        (Self::UNCLOSED_BREAK, "unclosed_break"),
        (Self::MISSING_BREAK_OUT, "missing_break_out"),
        (Self::IMPOSSIBLE_TRAVEL, "impossible_travel"),
        (Self::WRONG_KEY, "wrong_key"),
    ];

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all of `other` are among these.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Their words, always in the same order.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Self::WORDS.into_iter().filter(move |(exception, _)| self.has(*exception)).map(|(_, word)| word)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl core::ops::BitOr for Exceptions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
