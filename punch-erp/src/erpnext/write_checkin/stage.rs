//! Where an attempt stands, and the small steps every answer ends in.

use alloc::string::String;

use crate::erpnext::{Checkin, NewCheckin, Resource};
use crate::{Outcome, ParkReason, RetryReason};

pub(super) enum Stage {
    Start,
    Employees,
    Row { row: NewCheckin, ask: Ask },
    Done(Outcome),
}

/// The question under way about the row.
pub(super) enum Ask {
    Create(Resource),
    /// Is there a record of our name?
    Name(Why),
    /// Is there a record of this employee at this second?
    Time(Why),
    /// Does the employee of the stored record exist? If so, this is the outcome.
    Employee(Outcome),
}

pub(super) enum Why {
    /// An earlier attempt got no answer.
    First,
    /// The server says it is there.
    Taken,
    /// This attempt got no answer.
    Lost,
    /// `/api/v2` is not there, and without it nothing but looking prevents a second record.
    NoV2,
    /// It was stored under a name of the server's: is it the only one?
    Renamed(String),
}

/// The record is as it should be; the last doubt is whether its employee exists, because the server does not check.
pub(super) fn settle(row: NewCheckin, stored: &Checkin, outcome: Outcome) -> Stage {
    match stored.employee_name {
        Some(_) => Stage::Done(outcome),
        None => Stage::Row { row, ask: Ask::Employee(outcome) },
    }
}

pub(super) fn parked(reason: ParkReason) -> Stage {
    Stage::Done(Outcome::Park(reason))
}

pub(super) fn retry(reason: impl Into<RetryReason>) -> Stage {
    let reason = reason.into();
    Stage::Done(Outcome::Retry { after: reason.asked_wait(), reason })
}

/// Looking failed. When our own create got no answer, that is the news, and not why looking failed.
pub(super) fn retry_look(why: &Why, reason: RetryReason) -> Stage {
    let after = reason.asked_wait();
    let reason = match why {
        Why::Lost | Why::Renamed(_) => RetryReason::Unconfirmed,
        Why::First | Why::Taken | Why::NoV2 => reason,
    };
    Stage::Done(Outcome::Retry { after, reason })
}
