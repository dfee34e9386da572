use alloc::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::finding::{Finding, SessionId};
use super::mark::Mark;
use super::settings::{BusinessDay, TimelineRules};

/// Gives every kept mark the name of its shift, and the day that the shift belongs to.
pub(super) fn name(
    marks: &[Mark],
    kept: &[usize],
    shifts: &[Option<usize>],
    findings: &mut [Finding],
    rules: &TimelineRules,
) {
    let mut spans = BTreeMap::<usize, (&Mark, &Mark)>::new();
    let of = |index: usize| Some((marks.get(index)?, (*shifts.get(index)?)?));
    for (mark, number) in kept.iter().filter_map(|&index| of(index)) {
        spans.entry(number).and_modify(|(_, last)| *last = mark).or_insert((mark, mark));
    }
    for &index in kept {
        let Some((mark, (first, last))) = of(index).and_then(|(mark, number)| Some((mark, *spans.get(&number)?)))
        else {
            continue;
        };
        let Some(finding) = findings.get_mut(index) else { continue };
        finding.session = Some(SessionId::of(&first.event_id));
        // A rule that goes by days has said which one.
        let date = match rules.business_day {
            BusinessDay::Start => first.local.date(),
            BusinessDay::End => last.local.date(),
            BusinessDay::MostTime => most_time(first.local, last.local),
            BusinessDay::SplitMidnight => mark.local.date(),
        };
        finding.business_date.get_or_insert(date);
    }
}

/// The day that has most of a span; of equal ones the first.
fn most_time(first: NaiveDateTime, last: NaiveDateTime) -> NaiveDate {
    let mut best = (TimeDelta::MIN, first.date());
    // Shifts are hours long: two days, three if the clock was moved.
    for date in first.date().iter_days().take_while(|date| *date <= last.date()).take(4) {
        let midnight = date.and_time(NaiveTime::MIN);
        let next = midnight.checked_add_signed(TimeDelta::days(1)).unwrap_or(midnight);
        let on_it = last.min(next).signed_duration_since(first.max(midnight));
        if on_it > best.0 {
            best = (on_it, date);
        }
    }
    best.1
}
