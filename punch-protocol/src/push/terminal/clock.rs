use chrono::{DateTime, NaiveDateTime, TimeDelta, Timelike as _, Utc};

/// The wall clock of a terminal: so far from UTC, and drifting.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WallClock {
    offset: TimeDelta,
    /// When the clock was last set; drift counts from there.
    since: Option<DateTime<Utc>>,
    drift_ppm: i32,
}

impl WallClock {
    /// What it shows, to the second.
    pub(super) fn show(&self, now: DateTime<Utc>) -> NaiveDateTime {
        let wall = now.naive_utc().checked_add_signed(self.offset);
        let wall = wall.and_then(|wall| wall.checked_add_signed(self.drifted(now))).unwrap_or_else(|| now.naive_utc());
        wall.with_nanosecond(0).unwrap_or(wall)
    }

    /// Sets it; the answer is by how much it jumps.
    pub(super) fn set(&mut self, wall: NaiveDateTime, now: DateTime<Utc>) -> TimeDelta {
        let jump = wall.signed_duration_since(self.show(now));
        self.offset = wall.signed_duration_since(now.naive_utc());
        self.since = Some(now);
        jump
    }

    /// From `now` on it gains `ppm` microseconds a second.
    pub(super) fn drift(&mut self, ppm: i32, now: DateTime<Utc>) {
        self.set(self.show(now), now);
        self.drift_ppm = ppm;
    }

    /// Sets the clock by an HTTP `Date`, if the answer was quick and the clock more than 10 s wrong.
    pub(super) fn follow(
        &mut self,
        date: &str,
        east: TimeDelta,
        asked: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Option<TimeDelta> {
        let quick = now.signed_duration_since(asked) < TimeDelta::seconds(5);
        let date = DateTime::parse_from_rfc2822(date.trim()).ok().filter(|_| quick)?;
        let wall = date.naive_utc().checked_add_signed(east)?;
        let wrong = wall.signed_duration_since(self.show(now)).abs() > TimeDelta::seconds(10);
        wrong.then(|| self.set(wall, now))
    }

    fn drifted(&self, now: DateTime<Utc>) -> TimeDelta {
        let Some(since) = self.since else { return TimeDelta::zero() };
        let seconds = now.signed_duration_since(since).num_seconds();
        TimeDelta::microseconds(seconds.saturating_mul(i64::from(self.drift_ppm)))
    }
}
