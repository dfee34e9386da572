use alloc::vec;
use alloc::vec::Vec;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta, Timelike as _};

use super::finding::Finding;
use super::mark::Mark;
use super::settings::{SinglePunch, TimelineRules};
use crate::{Direction, DirectionSource};

/// Confidence of the rule, in percent.
const CONFIDENCE: u8 = 70;

/// The business day of a time: days begin at [`TimelineRules::day_start`].
fn business_day(local: NaiveDateTime, rules: &TimelineRules) -> NaiveDate {
    since_midnight(rules).and_then(|start| local.checked_sub_signed(start)).unwrap_or(local).date()
}

fn since_midnight(rules: &TimelineRules) -> Option<TimeDelta> {
    TimeDelta::try_seconds(rules.day_start.num_seconds_from_midnight().into())
}

/// The first of a business day arrives, the last leaves. Returns the number of each mark's business day.
pub(super) fn walk(
    marks: &[Mark],
    kept: &[usize],
    findings: &mut [Finding],
    rules: &TimelineRules,
) -> Vec<Option<usize>> {
    let mut shifts = vec![None; marks.len()];
    let day = |index: &usize| marks.get(*index).map(|mark| business_day(mark.local, rules));
    for (number, group) in kept.chunk_by(|one, other| day(one) == day(other)).enumerate() {
        for (place, &index) in group.iter().enumerate() {
            let (Some(finding), Some(mark)) = (findings.get_mut(index), marks.get(index)) else { continue };
            let direction = match (place, group.len()) {
                (0, 1) => single(mark, rules),
                (0, _) => Direction::In,
                (place, len) if place.saturating_add(1) == len => Direction::Out,
                _ => Direction::Intermediate,
            };
            (finding.direction, finding.source, finding.confidence) = match mark.manual {
                Some(manual) => (manual, DirectionSource::Manual, 100),
                None if direction == Direction::Unknown => (direction, DirectionSource::None, 0),
                None => (direction, DirectionSource::FirstLast, CONFIDENCE),
            };
            finding.business_date = Some(business_day(mark.local, rules));
            if let Some(slot) = shifts.get_mut(index) {
                *slot = Some(number);
            }
        }
    }
    shifts
}

fn single(mark: &Mark, rules: &TimelineRules) -> Direction {
    match rules.single {
        SinglePunch::In => Direction::In,
        SinglePunch::Unknown => Direction::Unknown,
        SinglePunch::Midpoint => {
            let half = since_midnight(rules).and_then(|start| mark.local.checked_sub_signed(start));
            if half.is_some_and(|time| time.hour() >= 12) { Direction::Out } else { Direction::In }
        }
    }
}
