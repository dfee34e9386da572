use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::CreateTimeEvents;

/// How many calls there may be, and when. SAP publishes some 300 clock-event calls a day and 10 a minute, and raises
/// neither (KBA 3657473).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the four rules there are")]
pub struct CallRules {
    /// Between two calls while fewer than a whole call's events wait. Default 300 s.
    pub flush_interval: TimeDelta,
    /// Between two calls in any case. Default 6 s.
    pub min_gap: TimeDelta,
    /// Calls a UTC day. Default 300.
    pub daily_cap: u32,
    /// Goes on when the day's calls are used up. Default no.
    pub ignore_daily_cap: bool,
}

impl Default for CallRules {
    fn default() -> Self {
        Self {
            flush_interval: TimeDelta::seconds(300),
            min_gap: TimeDelta::seconds(6),
            daily_cap: 300,
            ignore_daily_cap: false,
        }
    }
}

/// How many calls were made today, and when the last one was: one count for all that write to a tenant, kept over restarts.
///
/// ```
/// use punch_erp::successfactors::{CallBudget, CallRules};
///
/// let (rules, now) = (CallRules::default(), "2026-03-28T08:00:00Z".parse()?);
/// let mut budget = CallBudget::default();
/// assert_eq!(budget.due_at(1, &rules, now), now);
/// budget.note_call(now);
/// assert_eq!((budget.due_at(1, &rules, now) - now).num_seconds(), 300);
/// assert_eq!((budget.due_at(1000, &rules, now) - now).num_seconds(), 6);
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallBudget {
    day: NaiveDate,
    calls: u32,
    last: Option<DateTime<Utc>>,
}

impl CallBudget {
    /// The last calls of a day, spread over the rest of it: 10.
    pub const RESERVE: u32 = 10;

    /// Calls of this UTC day so far.
    pub fn calls_of(&self, now: DateTime<Utc>) -> u32 {
        if self.day == now.date_naive() { self.calls } else { 0 }
    }

    /// Counts a call that is about to be made. Write it down before it is.
    pub fn note_call(&mut self, now: DateTime<Utc>) {
        (self.calls, self.day) = (self.calls_of(now).saturating_add(1), now.date_naive());
        // A clock that was put back does not shorten the gap.
        self.last = self.last.max(Some(now));
    }

    /// The earliest time for another call: after the gap, and while the day has calls left.
    pub fn allowed_at(&self, rules: &CallRules, now: DateTime<Utc>) -> DateTime<Utc> {
        let after_gap = self.after(rules.min_gap, now);
        if rules.ignore_daily_cap || self.calls_of(after_gap) < rules.daily_cap {
            return after_gap;
        }
        midnight_after(after_gap)
    }

    /// The time for the next call if so many events wait. Nothing is due while none does.
    ///
    /// A whole call's events go as soon as it is [allowed](Self::allowed_at), fewer after the interval. The last
    /// [`RESERVE`](Self::RESERVE) calls of a day are spread over the rest of it.
    pub fn due_at(&self, waiting: usize, rules: &CallRules, now: DateTime<Utc>) -> DateTime<Utc> {
        let allowed = self.allowed_at(rules, now);
        let left = rules.daily_cap.saturating_sub(self.calls_of(now));
        let is_scarce = !rules.ignore_daily_cap && left <= Self::RESERVE.min(rules.daily_cap.saturating_sub(1));
        if waiting >= CreateTimeEvents::MAX_EVENTS && !is_scarce {
            return allowed;
        }
        let mut interval = rules.flush_interval;
        if is_scarce && let Ok(left @ 1..) = i32::try_from(left) {
            let since = self.last.unwrap_or(now);
            let rest = midnight_after(now).signed_duration_since(since);
            // One part more than calls, or the last one would be of the next day.
            interval = interval.max(rest.checked_div(left.saturating_add(1)).unwrap_or(rest));
        }
        self.after(interval, now).max(allowed)
    }

    /// So long after the last call, and not before now.
    fn after(&self, wait: TimeDelta, now: DateTime<Utc>) -> DateTime<Utc> {
        // A last call far in the future is of a clock that was wrong then.
        let last = self.last.filter(|last| last.signed_duration_since(now) <= wait);
        last.and_then(|last| last.checked_add_signed(wait)).map_or(now, |due| due.max(now))
    }
}

/// The end of a UTC day.
fn midnight_after(at: DateTime<Utc>) -> DateTime<Utc> {
    let next = at.date_naive().succ_opt().and_then(|day| day.and_hms_opt(0, 0, 0));
    next.map_or(at, |midnight| midnight.and_utc())
}
