//! Duplicates, directions and sessions: the named cases, and what holds for every history.

mod alternation;
mod bounces;
mod closing;
mod declared;
mod first_last;
mod laws;
mod remembered;
mod scheduled;
mod watermark;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use punch_normalize::EventId;
use punch_normalize::timeline::{Finding, Mark, TimelineRules, infer};
use punch_protocol::Status;

/// `2 18:30` is half past six in the evening of the second day; days count from Monday 2 March 2026 as day 0.
pub(crate) fn time(text: &str) -> NaiveDateTime {
    let (day, clock) = text.split_once(' ').unwrap_or(("0", text));
    let clock = NaiveTime::parse_from_str(clock, if clock.len() > 5 { "%H:%M:%S" } else { "%H:%M" }).unwrap();
    let monday = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
    (monday + TimeDelta::days(day.parse().unwrap())).and_time(clock)
}

/// A punch without a state, at a site whose clocks show UTC.
pub(crate) fn mark(text: &str) -> Mark {
    let local = time(text);
    let id = format!("evt_{}", local.format("%d%H%M%S"));
    Mark::new(EventId::parse(&id).unwrap(), local.and_utc(), local)
}

/// Times without a state.
pub(crate) fn marks(times: &[&str]) -> Vec<Mark> {
    times.iter().map(|text| mark(text)).collect()
}

/// Times with the state that was reported.
pub(crate) fn declared(times: &[(&str, u16)]) -> Vec<Mark> {
    let with_state = |(text, state): &(&str, u16)| {
        let mut mark = mark(text);
        mark.event_id = EventId::parse(&format!("{}_{state}", mark.event_id.as_str())).unwrap();
        mark.status = Some(Status(*state));
        mark
    };
    times.iter().map(with_state).collect()
}

pub(crate) fn find(mut marks: Vec<Mark>, rules: &TimelineRules) -> Vec<Finding> {
    infer(&mut marks, rules, None)
}

/// The directions, as words.
pub(crate) fn directions(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.direction.as_str()).collect()
}

/// The exceptions of each punch, as words.
pub(crate) fn exceptions(findings: &[Finding]) -> Vec<Vec<&'static str>> {
    findings.iter().map(|finding| finding.exceptions.words().collect()).collect()
}

/// How many shifts there are.
pub(crate) fn shifts(findings: &[Finding]) -> usize {
    let mut sessions: Vec<_> = findings.iter().filter_map(|finding| finding.session.clone()).collect();
    sessions.sort();
    sessions.dedup();
    sessions.len()
}

/// The punches that are kept, by their place in time.
pub(crate) fn kept(findings: &[Finding]) -> Vec<usize> {
    (0..findings.len()).filter(|&index| findings[index].duplicate_of.is_none()).collect()
}
