use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use punch_normalize::{ClockSample, DeviceZone, Hint};

/// What a terminal's clock showed when somebody asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// What it showed.
    pub shown: NaiveDateTime,
    /// When the question was sent.
    pub before: DateTime<Utc>,
    /// When the answer was there.
    pub after: DateTime<Utc>,
}

/// Why a probe measures nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// The answer came before the question.
    #[error("is earlier than `before`")]
    Backwards,
    /// Nobody knows when within the round trip the terminal looked at its clock.
    #[error("is more than 5 seconds later than `before`; ask again")]
    TooSlow,
    /// Reported late, or by a machine whose own clock is wrong.
    #[error("is {seconds} s away from this gateway's clock; report at once, from a machine whose clock is right")]
    Elsewhen {
        /// How far away, in seconds; ahead of the gateway's clock if negative.
        seconds: i64,
    },
    /// The hour happened twice or never, or the clock is unset.
    #[error("is no moment that can be compared: the hour happens twice or never, or the clock was never set")]
    NoMoment,
}

impl Probe {
    /// How late a probe may be reported: 15 seconds. What it is late by can be the error of the reporter's clock.
    pub const MAX_AGE: TimeDelta = TimeDelta::seconds(15);

    /// How far ahead the reporter's clock may be: 5 seconds.
    pub const MAX_AHEAD: TimeDelta = TimeDelta::seconds(5);

    /// How long a probe that says the same as the one before is not written down: 1 hour.
    pub const SPACING: TimeDelta = TimeDelta::hours(1);

    /// The measurement, for a terminal that is configured with `zone`.
    ///
    /// # Errors
    ///
    /// [`ProbeError`] says why there is none.
    pub fn sample(&self, zone: DeviceZone, now: DateTime<Utc>) -> Result<ClockSample, ProbeError> {
        let round_trip = self.after.signed_duration_since(self.before);
        if round_trip < TimeDelta::zero() {
            return Err(ProbeError::Backwards);
        }
        if round_trip > ClockSample::MAX_ROUND_TRIP {
            return Err(ProbeError::TooSlow);
        }
        let age = now.signed_duration_since(self.after);
        if age > Self::MAX_AGE || age < -Self::MAX_AHEAD {
            return Err(ProbeError::Elsewhen { seconds: age.num_seconds() });
        }
        let shown = zone.resolve(self.shown, Hint::default());
        ClockSample::of_probe(self.before, self.after, &shown).ok_or(ProbeError::NoMoment)
    }

    /// Whether `sample` says what `last` has said, not long ago.
    pub fn is_repetition(sample: &ClockSample, last: &ClockSample) -> bool {
        let apart = sample.at().signed_duration_since(last.at());
        let difference = (sample.offset().num_seconds()).abs_diff(last.offset().num_seconds());
        (TimeDelta::zero()..Self::SPACING).contains(&apart) && difference <= 1
    }
}
