use alloc::vec::Vec;

use chrono::{DateTime, TimeDelta, Utc};

use super::sample::{ClockSample, SampleKind, seconds};
use crate::ClockHealth;

/// The last comparisons of one terminal's clock with the true time.
///
/// Transport and queues only add to what a live row measures, so the estimate follows the **lower envelope**:
/// the 10th percentile. Rows that were late cannot move it while they are few.
///
/// A [probe](SampleKind::Probe) can err in both directions, but only by half of its round trip. It therefore
/// counts as [`PROBE_WEIGHT`](Self::PROBE_WEIGHT) rows, enough to stand alone, and what is older than the
/// newest probe no longer counts.
///
/// ```
/// use chrono::{DateTime, TimeDelta, Utc};
/// use punch_normalize::{ClockHealth, ClockSample, ClockSamples, SampleKind};
///
/// let noon: DateTime<Utc> = "2026-03-28T12:00:00Z".parse()?;
/// let mut samples = ClockSamples::new();
/// for (minute, late) in [(0, 0), (1, 3), (2, 1), (3, 600)] {
///     let offset = TimeDelta::seconds(47 + late);
///     samples.observe(ClockSample::new(noon + TimeDelta::minutes(minute), SampleKind::LiveRow, offset));
/// }
/// assert!(samples.estimate(noon).is_none()); // four are not enough
///
/// samples.observe(ClockSample::new(noon + TimeDelta::minutes(4), SampleKind::LiveRow, TimeDelta::seconds(48)));
/// let estimate = samples.estimate(noon + TimeDelta::minutes(5)).ok_or("five are")?;
/// assert_eq!(estimate.offset, TimeDelta::seconds(47));
/// assert_eq!(estimate.health(), ClockHealth::Drift);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClockSamples {
    /// In their order. No more than [`ClockSamples::MAX`], none older than the newest probe, and none more than
    /// [`ClockSamples::WINDOW`] older than the newest.
    pub(super) samples: Vec<ClockSample>,
    /// The clock was set in this second; samples up to it say nothing.
    pub(super) set_at: Option<i64>,
}

impl ClockSamples {
    /// How many samples are kept: the newest 32.
    pub const MAX: usize = 32;

    /// How old a sample may be: 24 hours.
    pub const WINDOW: TimeDelta = TimeDelta::hours(24);

    /// How many live rows make an estimate: 5.
    pub const MIN: usize = 5;

    /// The largest median distance from the median that makes an estimate: 5 seconds.
    pub const MAX_SPREAD: TimeDelta = TimeDelta::seconds(5);

    /// How many live rows a probe counts for.
    pub const PROBE_WEIGHT: usize = Self::MIN;

    /// Which percentile of the samples is the estimate.
    pub const PERCENTILE: usize = 10;

    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What these are together, of a clock that was set then.
    pub(super) fn of(mut samples: Vec<ClockSample>, set_at: Option<i64>) -> Self {
        samples.retain(|sample| set_at.is_none_or(|set_at| sample.at > set_at));
        samples.sort_unstable();
        let mut all = Self { samples, set_at };
        all.forget();
        all
    }

    /// Takes a sample, in any order.
    pub fn observe(&mut self, sample: ClockSample) {
        if self.set_at.is_some_and(|set_at| sample.at <= set_at) {
            return;
        }
        let index = self.samples.partition_point(|other| *other < sample);
        self.samples.insert(index, sample);
        self.forget();
    }

    /// The terminal's clock was set at `at`, or its zone was changed here: what was measured up to that
    /// second is void.
    ///
    /// Call it when a terminal asks for the time (`type=time`), when it was sent the time, and when it was
    /// set by hand. It is no measurement: what the terminal made of it shows in its next rows.
    pub fn clock_set(&mut self, at: DateTime<Utc>) {
        self.set_at = self.set_at.max(Some(at.timestamp()));
        self.samples.retain(|sample| Some(sample.at) > self.set_at);
    }

    /// The offset at `now`, from the samples of the last [`WINDOW`](Self::WINDOW).
    ///
    /// `None` unless there are [`MIN`](Self::MIN) and they agree to within [`MAX_SPREAD`](Self::MAX_SPREAD).
    #[must_use]
    pub fn estimate(&self, now: DateTime<Utc>) -> Option<ClockEstimate> {
        let oldest = now.timestamp().saturating_sub(Self::WINDOW.num_seconds());
        let recent = self.samples.iter().filter(|sample| (oldest..=now.timestamp()).contains(&sample.at));
        let mut offsets = Vec::with_capacity(self.samples.len());
        offsets.extend(recent.flat_map(|sample| core::iter::repeat_n(sample.offset, weight(sample.kind))));
        offsets.sort_unstable();
        let estimate = ClockEstimate {
            offset: seconds(percentile(&offsets, Self::PERCENTILE)?),
            samples: offsets.len(),
            spread: seconds(spread(offsets)?),
        };
        (estimate.samples >= Self::MIN && estimate.spread <= Self::MAX_SPREAD).then_some(estimate)
    }

    /// How many samples are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// What says nothing any more goes.
    fn forget(&mut self) {
        self.forget_old();
        self.forget_superseded();
        let surplus = self.samples.len().saturating_sub(Self::MAX);
        self.samples.drain(..surplus);
    }

    fn forget_old(&mut self) {
        let newest = self.samples.last().map_or(0, |sample| sample.at);
        let oldest = newest.saturating_sub(Self::WINDOW.num_seconds());
        self.samples.retain(|sample| sample.at >= oldest);
    }

    fn forget_superseded(&mut self) {
        let probes = self.samples.iter().filter(|sample| sample.kind == SampleKind::Probe);
        if let Some(newest) = probes.map(|sample| sample.at).max() {
            self.samples.retain(|sample| sample.at >= newest);
        }
    }
}

/// What a terminal's clock is off by.
///
/// ```
/// use chrono::TimeDelta;
/// use punch_normalize::{ClockEstimate, ClockHealth};
///
/// let ahead = ClockEstimate::new(TimeDelta::seconds(-14), 32, TimeDelta::seconds(1));
/// assert_eq!(ahead.health(), ClockHealth::Drift);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockEstimate {
    /// True time minus terminal's clock, in whole seconds. Positive: the terminal is behind.
    pub offset: TimeDelta,
    /// How many samples it rests on; a probe counts as [`ClockSamples::PROBE_WEIGHT`].
    pub samples: usize,
    /// The median distance of the samples from their median.
    pub spread: TimeDelta,
}

impl ClockEstimate {
    /// An estimate that was made elsewhere.
    #[must_use]
    pub fn new(offset: TimeDelta, samples: usize, spread: TimeDelta) -> Self {
        Self { offset, samples, spread }
    }

    /// The class of this offset.
    #[must_use]
    pub fn health(&self) -> ClockHealth {
        ClockHealth::of_offset(self.offset)
    }
}

fn weight(kind: SampleKind) -> usize {
    match kind {
        SampleKind::Probe => ClockSamples::PROBE_WEIGHT,
        SampleKind::LiveRow => 1,
    }
}

/// The nearest rank: the smallest value that at least `percent` of the values do not exceed.
fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = sorted.len().saturating_mul(percent).div_ceil(100).max(1);
    sorted.get(rank.saturating_sub(1)).copied()
}

/// The median absolute deviation.
fn spread(mut sorted: Vec<i64>) -> Option<i64> {
    let median = percentile(&sorted, 50)?;
    sorted.iter_mut().for_each(|offset| *offset = offset.saturating_sub(median).saturating_abs());
    sorted.sort_unstable();
    percentile(&sorted, 50)
}
