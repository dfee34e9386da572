use core::time::Duration;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

/// A wall clock that shows `civil` at `since` and goes on from there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    civil: NaiveDateTime,
    since: Duration,
}

impl Clock {
    pub(super) fn set(&mut self, civil: NaiveDateTime, now: Duration) {
        (self.civil, self.since) = (civil, now);
    }

    pub(super) fn shows(&self, now: Duration) -> NaiveDateTime {
        let passed = TimeDelta::from_std(now.saturating_sub(self.since)).unwrap_or_default();
        self.civil.checked_add_signed(passed).unwrap_or(self.civil)
    }
}

impl Default for Clock {
    /// A clock that nobody has set.
    fn default() -> Self {
        let civil = NaiveDate::from_ymd_opt(2000, 1, 1).and_then(|day| day.and_hms_opt(0, 0, 0)).unwrap_or_default();
        Self { civil, since: Duration::ZERO }
    }
}
