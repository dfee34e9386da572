use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::TerminalClock;
use super::history::{ClockHistory, Point};
use super::sample::{ClockSample, SampleKind};
use super::samples::ClockSamples;

/// The layout of a stored [`TerminalClock`]. Seconds of the epoch, the first absolute and each later one since
/// the one before it, in pairs with the offset in seconds.
#[derive(Serialize, Deserialize)]
pub(super) struct State {
    v: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    set_at: Option<i64>,
    /// How many of the samples, from the first, are probes.
    probes: usize,
    samples: Vec<i64>,
    history: Vec<i64>,
}

impl State {
    const VERSION: u32 = 1;
}

/// Why what a store has is not a [`TerminalClock`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClockStateError {
    /// A layout of another version of this crate.
    #[error("clock state: found version {found}, expected 1; forget it, it is measured again within a day")]
    UnknownVersion {
        /// The version found.
        found: u32,
    },
    /// More than is ever stored, or half a pair, or times that go backwards.
    #[error("clock state: it is damaged; forget it, it is measured again within a day")]
    Damaged,
}

impl From<TerminalClock> for State {
    fn from(clock: TerminalClock) -> Self {
        let samples = &clock.samples.samples;
        Self {
            v: Self::VERSION,
            set_at: clock.samples.set_at,
            probes: samples.iter().filter(|sample| sample.kind == SampleKind::Probe).count(),
            samples: flatten(samples.iter().map(|sample| (sample.at, sample.offset))),
            history: flatten(clock.history.points.iter().map(|point| (point.at, point.offset))),
        }
    }
}

impl TryFrom<State> for TerminalClock {
    type Error = ClockStateError;

    fn try_from(state: State) -> Result<Self, ClockStateError> {
        if state.v != State::VERSION {
            return Err(ClockStateError::UnknownVersion { found: state.v });
        }
        let samples = unflatten(&state.samples, ClockSamples::MAX).ok_or(ClockStateError::Damaged)?;
        let history = unflatten(&state.history, ClockHistory::MAX).ok_or(ClockStateError::Damaged)?;
        let samples = samples.into_iter().enumerate().map(|(index, (at, offset))| {
            let kind = if index < state.probes { SampleKind::Probe } else { SampleKind::LiveRow };
            ClockSample { at, kind, offset }
        });
        let mut clock = Self::new();
        clock.samples = ClockSamples::of(samples.collect(), state.set_at);
        clock.history.points = history.into_iter().map(|(at, offset)| Point { at, offset }).collect();
        Ok(clock)
    }
}

fn flatten(pairs: impl Iterator<Item = (i64, i64)>) -> Vec<i64> {
    let mut flat = Vec::new();
    let mut last = 0;
    for (at, offset) in pairs {
        flat.extend([at.saturating_sub(last), offset]);
        last = at;
    }
    flat
}

fn unflatten(flat: &[i64], max: usize) -> Option<Vec<(i64, i64)>> {
    let (pairs, rest) = flat.as_chunks::<2>();
    let limit = ClockSample::MAX_OFFSET.num_seconds().unsigned_abs();
    let mut last = None;
    let whole = rest.is_empty() && pairs.len() <= max;
    let pairs = pairs.iter().map(|[gap, offset]| {
        let at = last.map_or(Some(*gap), |last: i64| last.checked_add(*gap).filter(|_| *gap >= 0))?;
        last = Some(at);
        (offset.unsigned_abs() <= limit).then_some((at, *offset))
    });
    if whole { pairs.collect() } else { None }
}
