use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::Entry;

/// The entries of one person on some days: all there were when they were read, and those written since.
///
/// Keep it with the person from one flow to the next, and only in memory: whatever a program left undone when it died is
/// found by reading again. `Debug` shows counts.
#[derive(Clone, PartialEq, Eq)]
pub struct Standing {
    pub(super) entries: Vec<Entry>,
    days: (NaiveDate, NaiveDate),
    read_at: DateTime<Utc>,
}

impl Standing {
    /// How long it is believed: 12 hours. What people change in Humand meanwhile shows when a punch is refused.
    pub const KEPT: TimeDelta = TimeDelta::hours(12);

    /// The entries of these days, the last one included.
    pub(super) fn new(entries: Vec<Entry>, days: (NaiveDate, NaiveDate), now: DateTime<Utc>) -> Self {
        Self { entries, days, read_at: now }
    }

    /// The entries, in no particular order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The last day of which the day after is known, too.
    pub(super) fn last_inner_day(&self) -> NaiveDate {
        self.days.1.pred_opt().unwrap_or(self.days.1)
    }

    /// Whether it can be said of these days what there is and what is not.
    pub(super) fn covers(&self, days: (NaiveDate, NaiveDate), now: DateTime<Utc>) -> bool {
        let is_fresh = now.signed_duration_since(self.read_at).abs() < Self::KEPT;
        is_fresh && self.days.0 <= days.0 && days.1 <= self.days.1
    }
}

impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Standing");
        shown.field("entries", &self.entries.len()).field("days", &self.days).finish_non_exhaustive()
    }
}
