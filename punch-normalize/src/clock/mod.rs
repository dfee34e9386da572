//! Is the terminal's clock right, and what follows if it is not.

mod diagnosis;
mod health;
mod history;
mod policy;
mod sample;
mod samples;
mod state;
mod timeliness;
mod zones;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use diagnosis::Diagnosis;
pub use health::ClockHealth;
pub use history::ClockHistory;
pub use policy::{Adjustment, ClockOffset, ClockPolicy, ClockTreatment};
pub use sample::{Arrival, ClockSample, SampleKind};
pub use samples::{ClockEstimate, ClockSamples};
pub use state::ClockStateError;
pub use timeliness::{Horizon, Timeliness};
pub use zones::{ZoneHistory, ZoneHistoryError};

/// All that is known of one terminal's clock. A store keeps it: as JSON it has less than
/// [`MAX_STATE_LEN`](Self::MAX_STATE_LEN) bytes, and a number says which layout it has.
///
/// ```
/// use chrono::{DateTime, TimeDelta, Utc};
/// use punch_normalize::{ClockHealth, ClockSample, SampleKind, TerminalClock};
///
/// let noon: DateTime<Utc> = "2026-03-28T12:00:00Z".parse()?;
/// let mut clock = TerminalClock::new();
/// clock.observe(ClockSample::new(noon, SampleKind::Probe, TimeDelta::seconds(740)));
/// assert_eq!(clock.estimate(noon).map(|estimate| estimate.health()), Some(ClockHealth::ClockWrong));
///
/// let stored = serde_json::to_string(&clock)?;
/// assert_eq!(stored, r#"{"v":1,"probes":1,"samples":[1774699200,740],"history":[1774699200,740]}"#);
/// assert_eq!(serde_json::from_str::<TerminalClock>(&stored)?, clock);
///
/// // It asks for the time: what was measured is no longer so.
/// clock.clock_set(noon + TimeDelta::minutes(1));
/// assert!(clock.estimate(noon + TimeDelta::minutes(2)).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "state::State", into = "state::State")]
pub struct TerminalClock {
    samples: ClockSamples,
    history: ClockHistory,
}

impl TerminalClock {
    /// The longest JSON of it, in bytes. That of a clock whose samples agree has less than 600.
    pub const MAX_STATE_LEN: usize = 768;

    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a comparison, and remembers what it makes the offset be.
    pub fn observe(&mut self, sample: ClockSample) {
        self.samples.observe(sample);
        if let Some(estimate) = self.samples.estimate(sample.at()) {
            self.history.record(sample.at(), estimate.offset);
        }
    }

    /// The terminal's clock was set at `at`, or its zone was changed here. See [`ClockSamples::clock_set`].
    pub fn clock_set(&mut self, at: DateTime<Utc>) {
        self.samples.clock_set(at);
        self.history.clock_set();
    }

    /// Whether nothing was measured since the clock was last set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The offset at `now`, if it is known. See [`ClockSamples::estimate`].
    #[must_use]
    pub fn estimate(&self, now: DateTime<Utc>) -> Option<ClockEstimate> {
        self.samples.estimate(now)
    }

    /// The class of the clock at `now`.
    #[must_use]
    pub fn health(&self, now: DateTime<Utc>) -> ClockHealth {
        self.estimate(now).map_or(ClockHealth::Unknown, |estimate| estimate.health())
    }

    /// What applies to a row that was sent as it happened and came at `received_at`.
    #[must_use]
    pub fn live_offset(&self, received_at: DateTime<Utc>) -> Option<ClockOffset> {
        ClockOffset::measured(self.estimate(received_at))
    }

    /// What applies to a row of a backlog whose civil time resolved to `shown`. See [`ClockHistory::between`].
    ///
    /// A backlog often comes before the first measurement after the outage; then there is no answer yet.
    #[must_use]
    pub fn backlog_offset(&self, shown: DateTime<Utc>) -> Option<ClockOffset> {
        self.history.between(shown)
    }
}
