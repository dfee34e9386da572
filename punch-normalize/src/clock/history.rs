use alloc::vec::Vec;

use chrono::{DateTime, TimeDelta, Utc};

use super::policy::{Adjustment, ClockOffset};
use super::sample::{ClockSample, seconds};
use crate::ClockHealth;

/// What a terminal's clock was off by, so that rows of an outage can be dated between two measurements.
///
/// ```
/// use chrono::{DateTime, TimeDelta, Utc};
/// use punch_normalize::ClockHistory;
///
/// let monday: DateTime<Utc> = "2026-03-23T08:00:00Z".parse()?;
/// let mut history = ClockHistory::new();
/// history.record(monday, TimeDelta::seconds(10));
/// history.record(monday + TimeDelta::days(4), TimeDelta::seconds(50)); // heard of again on Friday
///
/// let wednesday = history.between(monday + TimeDelta::days(2)).ok_or("lies between")?;
/// assert_eq!(wednesday.offset, TimeDelta::seconds(30));
/// assert_eq!(wednesday.label.as_str(), "adjusted_interpolated");
/// assert!(history.between(monday - TimeDelta::days(1)).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClockHistory {
    /// In time order, one per instant. No more than [`ClockHistory::MAX`].
    pub(super) points: Vec<Point>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) at: i64,
    pub(super) offset: i64,
}

impl ClockHistory {
    /// How many measurements are kept: the newest 8.
    pub const MAX: usize = 8;

    /// How far apart they are while the terminal is heard of: 3 hours. Both ends of a longer outage are kept.
    pub const SPACING: TimeDelta = TimeDelta::hours(3);

    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the offset estimated at `at`. One that is not newer than the last is ignored.
    pub fn record(&mut self, at: DateTime<Utc>, offset: TimeDelta) {
        let offset = offset.clamp(seconds_back(), ClockSample::MAX_OFFSET).num_seconds();
        let point = Point { at: at.timestamp(), offset };
        if self.points.last().is_some_and(|last| point.at <= last.at) {
            return;
        }
        // The last one is needed only as the end of an outage or of a long stretch.
        if let [.., before, _] = *self.points
            && point.at.saturating_sub(before.at) < Self::SPACING.num_seconds()
        {
            self.points.pop();
        }
        self.points.push(point);
        let surplus = self.points.len().saturating_sub(Self::MAX);
        self.points.drain(..surplus);
    }

    /// The terminal's clock was set: nothing before can be compared with anything after.
    pub fn clock_set(&mut self) {
        self.points.clear();
    }

    /// The offset of a clock when it showed `shown`, if it was measured before and after: the straight line
    /// between the last measurement before and the first after.
    ///
    /// The result keeps the order of rows between the same two measurements.
    #[must_use]
    pub fn between(&self, shown: DateTime<Utc>) -> Option<ClockOffset> {
        let shown = shown.timestamp();
        self.points.windows(2).rev().find_map(|pair| match *pair {
            [before, after] if (before.shown()..=after.shown()).contains(&shown) => Some(ClockOffset {
                offset: seconds(interpolate(before, after, shown)?),
                health: before.health().worse(after.health()),
                label: Adjustment::Interpolated,
            }),
            _ => None,
        })
    }
}

impl Point {
    /// What the terminal showed: rows are dated by its clock, so the line is drawn over its clock.
    fn shown(self) -> i64 {
        self.at.saturating_sub(self.offset)
    }

    fn health(self) -> ClockHealth {
        ClockHealth::of_offset(seconds(self.offset))
    }
}

/// In 128 bits, because a product of two spans of time does not fit in 64. `None` if the clock stood still.
fn interpolate(before: Point, after: Point, shown: i64) -> Option<i64> {
    // The end of the scale is no measurement. It stays what it is, so that nothing is corrected by it.
    let limit = ClockSample::MAX_OFFSET.num_seconds().unsigned_abs();
    if let Some(end) = [before, after].into_iter().find(|point| point.offset.unsigned_abs() >= limit) {
        return Some(end.offset);
    }
    let span = |from: i64, to: i64| i128::from(to).checked_sub(i128::from(from));
    let rise = span(before.offset, after.offset)?.checked_mul(span(before.shown(), shown)?)?;
    let risen = rise.checked_div_euclid(span(before.shown(), after.shown())?)?;
    before.offset.checked_add(i64::try_from(risen).ok()?)
}

fn seconds_back() -> TimeDelta {
    seconds(ClockSample::MAX_OFFSET.num_seconds().saturating_neg())
}
