use chrono::TimeDelta;

/// How right a terminal's clock is.
///
/// | class | offset, in either direction |
/// |---|---|
/// | `ok` | less than 5 s |
/// | `drift` | 5 s to 120 s |
/// | `timezone_misconfigured` | within 90 s of a multiple of 15 min up to 26 h, not 0 |
/// | `clock_wrong` | any other |
/// | `unknown` | not measured |
///
/// ```
/// use chrono::TimeDelta;
/// use punch_normalize::ClockHealth;
///
/// let health = ClockHealth::of_offset(TimeDelta::seconds(9001));
/// assert_eq!(health, ClockHealth::TimezoneMisconfigured { minutes: 150 });
/// assert_eq!(health.as_str(), "timezone_misconfigured");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ClockHealth {
    /// Too few comparisons, or they contradict each other.
    #[default]
    Unknown,
    /// Right.
    Ok,
    /// Off by seconds, as clocks are that nobody sets.
    Drift,
    /// Off by what two time zones differ.
    TimezoneMisconfigured {
        /// True time minus terminal's clock. Positive: the terminal is behind.
        minutes: i32,
    },
    /// Off by something else: set by hand, or a battery at its end.
    ClockWrong,
}

impl ClockHealth {
    /// From here on a clock drifts: 5 seconds.
    pub const DRIFT_FROM: TimeDelta = TimeDelta::seconds(5);

    /// Up to here a clock only drifts: 120 seconds.
    pub const DRIFT_TO: TimeDelta = TimeDelta::seconds(120);

    /// What the offsets of all time zones are multiples of: 15 minutes.
    pub const ZONE_STEP: TimeDelta = TimeDelta::minutes(15);

    /// How near a multiple is near: 90 seconds.
    pub const ZONE_TOLERANCE: TimeDelta = TimeDelta::seconds(90);

    /// What two time zones differ at most: 26 hours, from `-12:00` to `+14:00`.
    pub const ZONE_LIMIT: TimeDelta = TimeDelta::hours(26);

    /// The class of an offset, true time minus terminal's clock.
    #[must_use]
    pub fn of_offset(offset: TimeDelta) -> Self {
        let size = offset.abs();
        if size < Self::DRIFT_FROM {
            return Self::Ok;
        }
        if size <= Self::DRIFT_TO {
            return Self::Drift;
        }
        match zone_steps(size) {
            Some(minutes) if offset < TimeDelta::zero() => {
                Self::TimezoneMisconfigured { minutes: minutes.saturating_neg() }
            }
            Some(minutes) => Self::TimezoneMisconfigured { minutes },
            None => Self::ClockWrong,
        }
    }

    /// The stable word for stores, APIs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Ok => "ok",
            Self::Drift => "drift",
            Self::TimezoneMisconfigured { .. } => "timezone_misconfigured",
            Self::ClockWrong => "clock_wrong",
        }
    }

    /// Whether telling the terminal the time mends it. A wrong zone comes back with the next such answer.
    #[must_use]
    pub fn is_mended_by_sync(self) -> bool {
        self == Self::Drift
    }

    /// Whether somebody has to look at the terminal.
    #[must_use]
    pub fn is_alarm(self) -> bool {
        matches!(self, Self::TimezoneMisconfigured { .. } | Self::ClockWrong)
    }

    /// The worse of two; of two equally bad ones the second.
    pub(super) fn worse(self, other: Self) -> Self {
        if self.rank() > other.rank() { self } else { other }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Drift => 1,
            Self::ClockWrong => 2,
            Self::TimezoneMisconfigured { .. } => 3,
            Self::Unknown => 4,
        }
    }
}

/// The multiple of 15 minutes, in minutes, that an offset of this size is near to.
fn zone_steps(size: TimeDelta) -> Option<i32> {
    let step = ClockHealth::ZONE_STEP.num_seconds();
    let tolerance = ClockHealth::ZONE_TOLERANCE.num_seconds();
    let seconds = size.num_seconds();
    let steps = seconds.saturating_add(tolerance).checked_div(step)?;
    let nearest = steps.saturating_mul(step);
    let near = seconds.abs_diff(nearest) <= tolerance.unsigned_abs();
    let possible = steps > 0 && nearest <= ClockHealth::ZONE_LIMIT.num_seconds();
    (near && possible).then(|| i32::try_from(nearest.div_euclid(60)).ok()).flatten()
}
