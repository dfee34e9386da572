use core::fmt;

use chrono::NaiveDateTime;
use punch_protocol::{Pin, civil};
use serde::{Deserialize, Serialize};

use crate::Timeliness;

/// Why a row is kept aside instead of delivered. Nothing is lost: it can be released when the cause is gone.
///
/// `Display` is a sentence for the person who has to act; [`HoldReason::code`] is for programs.
///
/// ```
/// use punch_normalize::HoldReason;
///
/// assert_eq!(HoldReason::ClockReset.code(), "clock_reset");
/// assert_eq!(HoldReason::from_code("future"), Some(HoldReason::Future));
/// assert!(HoldReason::UnregisteredBadge.to_string().contains("register the badge"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HoldReason {
    /// The row names nobody: its PIN is empty.
    Anonymous,
    /// The terminal's clock was not set: the time is before 2010.
    ClockReset,
    /// The time is further ahead of its receipt than [`Rules::future_limit`](crate::Rules::future_limit).
    Future,
    /// The terminal's clock is known to be wrong, and its rows are to be [held](crate::ClockPolicy::Quarantine) then.
    ClockWrong,
    /// The PIN belongs to nobody known.
    UnregisteredBadge,
    /// The row could not be read. Set by the caller, who has the bytes: such a row never becomes an
    /// [`Observation`](crate::Observation).
    Malformed,
}

impl HoldReason {
    /// Why a row that could be read is held for what it says itself, if it is: `local` is what the terminal's clock showed,
    /// and `timeliness` how that compares with its receipt, if the receipt is known.
    ///
    /// The most basic reason comes first: a stranger at a dead clock is a stranger.
    ///
    /// ```
    /// use punch_normalize::HoldReason;
    /// use punch_protocol::{Pin, civil};
    ///
    /// let dead = civil::parse(b"2000-01-01 00:00:07")?;
    /// assert_eq!(HoldReason::of_row(&Pin::new(b"1042"), dead, None), Some(HoldReason::ClockReset));
    /// assert_eq!(HoldReason::of_row(&Pin::new(b""), dead, None), Some(HoldReason::Anonymous));
    /// # Ok::<(), civil::CivilError>(())
    /// ```
    pub fn of_row(pin: &Pin<'_>, local: NaiveDateTime, timeliness: Option<Timeliness>) -> Option<Self> {
        if pin.is_empty() { Some(Self::Anonymous) } else { Self::of_time(local, timeliness) }
    }

    /// Why a row is held for its time, if it is.
    pub(crate) fn of_time(local: NaiveDateTime, timeliness: Option<Timeliness>) -> Option<Self> {
        if civil::is_unset_clock(local) {
            return Some(Self::ClockReset);
        }
        timeliness.filter(|timeliness| *timeliness == Timeliness::Future).map(|_| Self::Future)
    }

    /// Every reason, in the order in which they are checked.
    pub const ALL: &'static [Self] =
        &[Self::Malformed, Self::Anonymous, Self::ClockReset, Self::Future, Self::ClockWrong, Self::UnregisteredBadge];

    /// The stable word for stores, APIs and metrics.
    pub fn code(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::ClockReset => "clock_reset",
            Self::Future => "future",
            Self::ClockWrong => "clock_wrong",
            Self::UnregisteredBadge => "unregistered_badge",
            Self::Malformed => "malformed",
        }
    }

    /// The reason with this [`code`](Self::code), if there is one.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "the row has no PIN; have the person punch again, or discard it",
            Self::ClockReset => {
                "the terminal's clock was unset, the time is before 2010; \
                 set the clock, then release the row with the right shift"
            }
            Self::Future => {
                "the time lies too far ahead of its receipt; \
                 check the terminal's clock and its configured zone, then release the row"
            }
            Self::ClockWrong => {
                "the terminal's clock is wrong and its rows are to be held then; \
                 set the clock or its configured zone, then release the row"
            }
            Self::UnregisteredBadge => "nobody is registered under this PIN; register the badge, then release the row",
            Self::Malformed => "the row could not be read; compare its raw bytes with the terminal's manual",
        })
    }
}
