//! What a person's punches mean together: which of them are one, which way each went, and to which shift it belongs.
//!
//! [`infer`] is a pure function of the punches in time order. The order in which they arrived decides nothing, so a late
//! row gives what it would have given in time; what changes by it is the difference of two results.
//!
//! ```
//! use chrono::{NaiveDate, TimeDelta};
//! use punch_normalize::timeline::{Mark, TimelineRules, infer};
//! use punch_normalize::{Direction, EventId};
//!
//! // Four punches of a terminal without keys: 08:00, 13:00, 14:00, 18:00.
//! let day = NaiveDate::from_ymd_opt(2026, 3, 2).and_then(|day| day.and_hms_opt(0, 0, 0)).ok_or("a day")?;
//! let mark = |hour: i64| -> Result<Mark, Box<dyn std::error::Error>> {
//!     let local = day + TimeDelta::hours(hour);
//!     Ok(Mark::new(EventId::parse(&format!("evt_{hour}"))?, local.and_utc(), local))
//! };
//! let mut marks = vec![mark(18)?, mark(8)?, mark(14)?, mark(13)?]; // as they arrived
//! let findings = infer(&mut marks, &TimelineRules::default(), None);
//!
//! let directions: Vec<Direction> = findings.iter().map(|finding| finding.direction).collect();
//! assert_eq!(directions, [Direction::In, Direction::Out, Direction::In, Direction::Out]);
//! assert!(findings.iter().all(|finding| finding.session == findings[0].session)); // lunch is no end of a shift
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bounce;
mod closing;
mod finding;
mod first_last;
mod history;
mod machine;
mod mark;
mod schedule;
mod settings;
mod shifts;
mod trust;
mod watermark;

use alloc::vec;
use alloc::vec::Vec;

use chrono::{DateTime, NaiveDateTime, Utc};

pub use finding::{Exceptions, Finding, SessionId, SyntheticOut};
pub use history::{Cause, Change, ForeignId, History};
pub use mark::{Mark, Place, Role};
pub use schedule::{Days, Schedule, ShiftPattern, ShiftWindow};
pub use settings::{
    BounceRules, BounceScope, BusinessDay, Closing, DirectionRule, FlipTrap, SinglePunch, StateChange, TimelineRules,
};
pub use trust::{StateTrust, TrustError};
pub use watermark::Watermark;

use crate::{Direction, DirectionSource};
use machine::{Machine, Said, Walk};

/// Sorts a person's marks by time and says of each what it means, in that order.
///
/// `until` is a moment up to which nothing more of this person will come, if one is known: an arrival that is longer ago
/// than [`TimelineRules::max_shift`] by then has no departure.
pub fn infer(marks: &mut [Mark], rules: &TimelineRules, until: Option<DateTime<Utc>>) -> Vec<Finding> {
    marks.sort_by(|one, other| (one.at, one.order, &one.event_id).cmp(&(other.at, other.order, &other.event_id)));
    let marks = &*marks;
    let duplicates = bounce::bounces(marks, rules);
    let mut findings: Vec<Finding> = vec![Finding::unknown(); marks.len()];
    for (index, finding) in findings.iter_mut().enumerate() {
        if let Some((kept, root)) = root(&duplicates, index).and_then(|root| Some((marks.get(root)?, root))) {
            finding.duplicate_of = Some(kept.event_id.clone());
            let travels = marks.get(index).is_some_and(|mark| bounce::is_impossible_travel(mark, kept, rules));
            if travels && root != index {
                finding.exceptions.add(Exceptions::IMPOSSIBLE_TRAVEL);
            }
        }
    }
    let kept: Vec<usize> =
        (0..marks.len()).filter(|index| duplicates.get(*index).is_some_and(Option::is_none)).collect();
    let shifts = if rules.direction == DirectionRule::FirstLast {
        first_last::walk(marks, &kept, &mut findings, rules)
    } else {
        walk(marks, &kept, &mut findings, rules, until)
    };
    shifts::name(marks, &kept, &shifts, &mut findings, rules);
    closing::close(marks, &mut findings, rules);
    findings
}

/// The kept mark at the end of a chain of second punches; `None` for a kept one.
fn root(duplicates: &[Option<usize>], index: usize) -> Option<usize> {
    let mut at = (*duplicates.get(index)?)?;
    // A chain leads from mark to mark without coming back, so it is no longer than there are marks.
    for _ in 0..duplicates.len() {
        match duplicates.get(at) {
            Some(Some(next)) => at = *next,
            _ => break,
        }
    }
    Some(at)
}

/// Walks through the kept marks, and returns the number of each mark's shift.
fn walk(
    marks: &[Mark],
    kept: &[usize],
    findings: &mut [Finding],
    rules: &TimelineRules,
    until: Option<DateTime<Utc>>,
) -> Vec<Option<usize>> {
    let windows: Vec<Option<ShiftWindow<'_>>> = marks
        .iter()
        .map(|mark| (rules.direction == DirectionRule::Schedule).then(|| rules.schedule.window(mark.local)).flatten())
        .collect();
    let mut said: Vec<Option<Said>> =
        marks.iter().zip(&windows).map(|(mark, window)| said(mark, window.as_ref(), rules)).collect();
    if rules.wrong_key_repair && rules.direction == DirectionRule::Declared {
        machine::repair_wrong_keys(&mut said, marks, kept, rules);
    }
    let mut shifts = vec![None; marks.len()];
    let mut walk = Walk::new(marks, findings, &mut shifts, rules);
    let mut machine = Machine::default();
    let mut window: Option<NaiveDateTime> = None;
    for &index in kept {
        let lies_in = windows.get(index).and_then(Option::as_ref).map(|window| window.start);
        let same_window = lies_in.is_none() || window == lies_in;
        window = lies_in;
        machine.step(index, said.get(index).copied().flatten(), same_window, &mut walk);
    }
    if let Some(until) = until {
        machine.finish(until, &mut walk);
    }
    shifts
}

/// What is said of a mark's direction before its neighbours are asked: by hand, by the terminal's role, by the state it
/// reported, by the person's schedule.
fn said(mark: &Mark, window: Option<&ShiftWindow<'_>>, rules: &TimelineRules) -> Option<Said> {
    let (direction, source, confidence) = if let Some(direction) = mark.manual {
        (direction, DirectionSource::Manual, 100)
    } else if let Some(role) = mark.role {
        (role.direction(), DirectionSource::Role, 95)
    } else if let Some(direction) = declared(mark, rules) {
        (direction, DirectionSource::State, 90)
    } else {
        (window?.direction, DirectionSource::Schedule, 80)
    };
    Some(Said { direction, source, confidence })
}

fn declared(mark: &Mark, rules: &TimelineRules) -> Option<Direction> {
    let direction = Direction::from_status(mark.status);
    let counts = rules.direction == DirectionRule::Declared && mark.is_trusted && direction != Direction::Unknown;
    counts.then_some(direction)
}
