use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::samples::ClockEstimate;
use crate::{ClockHealth, ClockSample, TimeQuality};

/// What is done with the rows of a terminal whose clock is wrong.
///
/// The default alters nothing: in some countries nobody may alter a mark. No policy touches the terminal's
/// own civil time, and none corrects a clock whose zone is wrong, because that is mended where it is wrong.
///
/// ```
/// use punch_normalize::{ClockEstimate, ClockOffset, ClockPolicy, ClockTreatment};
/// use chrono::{DateTime, TimeDelta, Utc};
///
/// let shown: DateTime<Utc> = "2026-03-28T14:47:12Z".parse()?;
/// let estimate = ClockEstimate::new(TimeDelta::seconds(47), 32, TimeDelta::seconds(1));
/// let clock = ClockOffset::measured(Some(estimate));
///
/// let flagged = ClockPolicy::Flag.apply(shown, clock);
/// assert_eq!(flagged, ClockTreatment::Keep { clock_offset_s: Some(47) });
///
/// let ClockTreatment::Adjust { punched_at, label, .. } = ClockPolicy::Adjust.apply(shown, clock) else {
///     panic!("47 seconds are drift")
/// };
/// assert_eq!(punched_at.to_rfc3339(), "2026-03-28T14:47:59+00:00");
/// assert_eq!(label.as_str(), "adjusted");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClockPolicy {
    /// The terminal's time stands; the offset is told beside it.
    #[default]
    Flag,
    /// A clock that drifts is corrected. One that is wrong is flagged.
    Adjust,
    /// A clock that drifts or is wrong is corrected.
    AdjustWrong,
    /// Rows of a clock that is wrong, or whose zone is, are held. One that drifts is flagged.
    Quarantine,
}

impl ClockPolicy {
    /// Every policy.
    pub const ALL: &'static [Self] = &[Self::Flag, Self::Adjust, Self::AdjustWrong, Self::Quarantine];

    /// The stable word for configuration and stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Adjust => "adjust",
            Self::AdjustWrong => "adjust_wrong",
            Self::Quarantine => "quarantine",
        }
    }

    /// The policy with this [word](Self::as_str), if there is one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|policy| policy.as_str() == word)
    }

    /// What is done with a row whose civil time resolved to `shown`. `clock` is `None` if nothing is known.
    ///
    /// Rows that are corrected by one estimate, or between the same two, keep their order.
    #[must_use]
    pub fn apply(self, shown: DateTime<Utc>, clock: Option<ClockOffset>) -> ClockTreatment {
        let Some(clock) = clock else { return ClockTreatment::Keep { clock_offset_s: None } };
        if self.holds(clock.health) {
            return ClockTreatment::Hold { health: clock.health };
        }
        match shown.checked_add_signed(clock.offset) {
            Some(punched_at) if self.adjusts(&clock) => {
                ClockTreatment::Adjust { punched_at, clock_offset_s: clock.offset.num_seconds(), label: clock.label }
            }
            _ => ClockTreatment::Keep { clock_offset_s: clock.worth_telling() },
        }
    }

    /// Whether rows of a clock in this state are held.
    #[must_use]
    pub fn holds(self, health: ClockHealth) -> bool {
        self == Self::Quarantine && health.is_alarm()
    }

    fn adjusts(self, clock: &ClockOffset) -> bool {
        match self {
            Self::Flag | Self::Quarantine => false,
            Self::Adjust => clock.health == ClockHealth::Drift,
            Self::AdjustWrong => {
                clock.is_exact() && matches!(clock.health, ClockHealth::Drift | ClockHealth::ClockWrong)
            }
        }
    }
}

/// What is known of a terminal's clock at one row.
///
/// ```
/// use chrono::TimeDelta;
/// use punch_normalize::{ClockEstimate, ClockHealth, ClockOffset};
///
/// let estimate = ClockEstimate::new(TimeDelta::seconds(-14), 32, TimeDelta::zero());
/// let clock = ClockOffset::measured(Some(estimate)).ok_or("measured")?;
/// assert_eq!((clock.health, clock.label.as_str()), (ClockHealth::Drift, "adjusted"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockOffset {
    /// True time minus terminal's clock, in whole seconds.
    pub offset: TimeDelta,
    /// The class of the clock: for an interpolated offset the worse of the two it lies between.
    pub health: ClockHealth,
    /// How a row would be labelled that is corrected by it.
    pub label: Adjustment,
}

impl ClockOffset {
    /// What was measured when the row came. For live rows.
    #[must_use]
    pub fn measured(estimate: Option<ClockEstimate>) -> Option<Self> {
        let estimate = estimate?;
        Some(Self { offset: estimate.offset, health: estimate.health(), label: Adjustment::Measured })
    }

    /// A backlog row is corrected or left alone; an offset that nobody measured is not told as a fact.
    fn worth_telling(&self) -> Option<i64> {
        let told = self.label == Adjustment::Measured && self.health != ClockHealth::Ok;
        told.then_some(self.offset.num_seconds())
    }

    /// Whether the offset is what was measured, and not the end of the scale.
    fn is_exact(&self) -> bool {
        self.offset.abs() < ClockSample::MAX_OFFSET
    }
}

/// What a [`ClockPolicy`] does with a row. The terminal's civil time stays as it is, whatever is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle every fate; a new one is a breaking change")]
pub enum ClockTreatment {
    /// The instant stands.
    Keep {
        /// What the clock was measured to be off by, if that is worth telling: true time minus terminal's
        /// clock, in seconds.
        clock_offset_s: Option<i64>,
    },
    /// The instant is corrected, and says so.
    Adjust {
        /// The corrected instant.
        punched_at: DateTime<Utc>,
        /// By how much: true time minus terminal's clock, in seconds.
        clock_offset_s: i64,
        /// On what grounds.
        label: Adjustment,
    },
    /// The row is held.
    Hold {
        /// Why.
        health: ClockHealth,
    },
}

/// On what grounds an instant was corrected.
///
/// ```
/// use punch_normalize::Adjustment;
///
/// assert_eq!(Adjustment::Interpolated.as_str(), "adjusted_interpolated");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Adjustment {
    /// The clock was measured when the row came.
    Measured,
    /// The clock was measured before and after an outage, and the row lies between.
    Interpolated,
}

impl Adjustment {
    /// What it makes of a time.
    #[must_use]
    pub fn quality(self) -> TimeQuality {
        match self {
            Self::Measured => TimeQuality::Adjusted,
            Self::Interpolated => TimeQuality::AdjustedInterpolated,
        }
    }

    /// The stable word for stores and APIs: `adjusted` or `adjusted_interpolated`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.quality().as_str()
    }
}
