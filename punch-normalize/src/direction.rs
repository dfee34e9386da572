use core::fmt;

use punch_protocol::Status;
use serde::{Deserialize, Serialize};

/// Which way a person went, as far as anybody knows.
///
/// `Unknown` is a legal answer: an unknown is never forced into in or out.
///
/// ```
/// use punch_normalize::Direction;
/// use punch_protocol::Status;
///
/// assert_eq!(Direction::from_status(Some(Status::CHECK_IN)), Direction::In);
/// assert_eq!(Direction::from_status(Some(Status(99))), Direction::Unknown);
/// assert_eq!(Direction::from_status(None), Direction::Unknown);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the contract's list of words; a new one is a breaking change")]
pub enum Direction {
    /// Arrived.
    In,
    /// Left.
    Out,
    /// Left for a break.
    BreakOut,
    /// Came back from a break.
    BreakIn,
    /// Arrived for overtime.
    OvertimeIn,
    /// Left after overtime.
    OvertimeOut,
    /// Between the first and the last punch of a day, where only those two count.
    Intermediate,
    /// Nobody can tell from this record.
    Unknown,
}

impl Direction {
    /// Reads the attendance state by the vendor manual: 0 in, 1 out, 2 and 3 break, 4 and 5 overtime.
    /// Absent, 255 and function keys the manual does not name are [`Direction::Unknown`].
    pub fn from_status(status: Option<Status>) -> Self {
        match status {
            Some(Status::CHECK_IN) => Self::In,
            Some(Status::CHECK_OUT) => Self::Out,
            Some(Status::BREAK_OUT) => Self::BreakOut,
            Some(Status::BREAK_IN) => Self::BreakIn,
            Some(Status::OVERTIME_IN) => Self::OvertimeIn,
            Some(Status::OVERTIME_OUT) => Self::OvertimeOut,
            Some(_) | None => Self::Unknown,
        }
    }

    /// The direction with breaks and overtime folded into plain in and out, for receivers that know three words.
    ///
    /// ```
    /// use punch_normalize::Direction;
    /// assert_eq!(Direction::BreakOut.plain(), Direction::Out);
    /// ```
    #[must_use]
    pub fn plain(self) -> Self {
        match self {
            Self::In | Self::BreakIn | Self::OvertimeIn => Self::In,
            Self::Out | Self::BreakOut | Self::OvertimeOut => Self::Out,
            Self::Intermediate | Self::Unknown => Self::Unknown,
        }
    }

    /// The word the contract uses: `in`, `out`, `break_out`, `break_in`, `overtime_in`, `overtime_out`, `intermediate`,
    /// `unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
            Self::BreakOut => "break_out",
            Self::BreakIn => "break_in",
            Self::OvertimeIn => "overtime_in",
            Self::OvertimeOut => "overtime_out",
            Self::Intermediate => "intermediate",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a [`Direction`] rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DirectionSource {
    /// Somebody corrected it by hand.
    Manual,
    /// The terminal stands where people only come in, or only go out.
    Role,
    /// The key the person pressed.
    State,
    /// The person's shift: before its middle in, after it out.
    Schedule,
    /// The punches around it: in, out, in, out.
    Alternate,
    /// The first of a business day, or the last.
    FirstLast,
    /// The key the person pressed cannot have been meant.
    Repair,
    /// Nothing; the direction is unknown.
    None,
}

impl DirectionSource {
    /// The word the contract uses: `manual`, `role`, `state`, `schedule`, `alternate`, `first_last`, `repair`, `none`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Role => "role",
            Self::State => "state",
            Self::Schedule => "schedule",
            Self::Alternate => "alternate",
            Self::FirstLast => "first_last",
            Self::Repair => "repair",
            Self::None => "none",
        }
    }
}
