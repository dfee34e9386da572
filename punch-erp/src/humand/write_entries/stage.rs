//! Where an attempt stands.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{NaiveDate, TimeDelta};

use crate::humand::{Entry, EntryKind, Hint, Mark};
use crate::{Evidence, Outcome, ParkReason, RetryReason};

pub(super) enum Stage {
    Start,
    /// Is there an active user of this id?
    User(Doubt),
    /// What stands on these days? The pages read so far, and why it is asked.
    Entries {
        days: (NaiveDate, NaiveDate),
        page: u32,
        read: Vec<Entry>,
        why: Why,
    },
    /// One entry is on its way: this punch, as this kind.
    Clock(usize, EntryKind),
    Done(Vec<Outcome>),
}

/// Why a user is looked for.
pub(super) enum Doubt {
    /// The directory says so.
    Directory(ParkReason),
    /// Humand knows no such thing, and does not say whether that is the person or the address.
    NotFound(Evidence),
}

/// Why entries are read.
pub(super) enum Why {
    /// To plan.
    Plan,
    /// This punch was sent and got no answer.
    Lost(usize),
    /// This punch was refused for breaking a rule.
    Refused(Refusal),
}

pub(super) struct Refusal {
    pub(super) punch: usize,
    pub(super) sent: EntryKind,
    pub(super) hint: Hint,
    pub(super) kind: Option<Box<str>>,
    pub(super) evidence: Evidence,
}

/// One punch of the attempt.
pub(super) struct Punch {
    pub(super) mark: Mark,
    pub(super) comment: String,
    /// `None` while it is undecided.
    pub(super) outcome: Option<Outcome>,
}

/// Why the attempt ends early, and how long to wait.
#[derive(Clone)]
pub(super) struct End {
    pub(super) reason: RetryReason,
    pub(super) after: Option<TimeDelta>,
}

impl From<RetryReason> for End {
    fn from(reason: RetryReason) -> Self {
        Self { after: reason.asked_wait(), reason }
    }
}
