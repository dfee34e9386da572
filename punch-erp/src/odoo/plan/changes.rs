//! From the records there should be to the changes of those there are.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use super::walk::Target;
use super::{Change, Place};
use crate::odoo::{Attendance, EndedBy};

/// Odoo checks every change by itself, so records shrink before others grow, and an open one comes last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Shrink,
    Grow,
    Create,
    Open,
}

/// A change, and which target it is for.
struct Step {
    turn: Turn,
    at: DateTime<Utc>,
    change: Change,
    target: Option<usize>,
}

/// The changes in order, and where each target is.
pub(super) fn find(
    records: &[&Attendance],
    absences: &[&Attendance],
    times: &BTreeSet<DateTime<Utc>>,
    targets: &[Target],
) -> (Vec<Change>, Vec<Place>) {
    let mut free: Vec<&Attendance> = records.to_vec();
    free.sort_unstable_by_key(|record| (record.check_in, record.id));
    let mut places: Vec<Option<Place>> = alloc::vec![None; targets.len()];
    let (mut steps, mut homeless) = (Vec::new(), Vec::new());
    for (index, target) in targets.iter().enumerate() {
        let mut taken = take(&mut free, target);
        // Odoo takes a pair over an open record of the same second, and then lets the open one be ended by the pair's end only.
        if let (Some(pair), Some(open)) = (taken.filter(|record| !record.is_empty()), take_open(&mut free, target)) {
            steps.push(Step::aside(pair, target));
            taken = Some(open);
        }
        if let Some(record) = taken.filter(|record| stands(record, target, targets)) {
            if let Some(place) = places.get_mut(index) {
                *place = Some(Place::Standing(record.id));
            }
            continue;
        }
        // It cannot stay where somebody was, so it may as well become what was there.
        let mut in_the_way = absences.iter().copied().filter(|absence| is_within(absence, target));
        let record = taken.or_else(|| in_the_way.next());
        steps.extend(in_the_way.map(|absence| Step::aside(absence, target)));
        match record {
            Some(record) => steps.push(Step::write(record, target, index)),
            None => homeless.push((index, target)),
        }
    }
    // What is left of ours holds punches that turned out to be something else.
    let mut spare = free.into_iter().filter(|record| times.contains(&record.check_in));
    for (index, target) in homeless {
        steps.push(match spare.next() {
            Some(record) => Step::write(record, target, index),
            None => Step::create(target, index),
        });
    }
    steps.extend(spare.filter(|record| !record.is_empty()).map(Step::empty));
    steps.sort_by_key(|step| (step.turn, step.at));
    for (number, step) in steps.iter().enumerate() {
        if let Some(place) = step.target.and_then(|target| places.get_mut(target)) {
            *place = Some(Place::Change(number));
        }
    }
    (steps.into_iter().map(|step| step.change).collect(), places.into_iter().flatten().collect())
}

/// The record that begins when the target does; of several the one that needs no change.
fn take<'a>(free: &mut Vec<&'a Attendance>, target: &Target) -> Option<&'a Attendance> {
    let begins = |record: &&Attendance| record.check_in == target.check_in;
    let fits = |record: &&Attendance| begins(record) && record.check_out == target.check_out();
    let found = free.iter().position(fits).or_else(|| free.iter().position(begins))?;
    Some(free.remove(found))
}

/// An open record that begins when the target does, if the target is a presence.
fn take_open<'a>(free: &mut Vec<&'a Attendance>, target: &Target) -> Option<&'a Attendance> {
    target.left?;
    let found = free.iter().position(|record| record.check_in == target.check_in && record.check_out.is_none())?;
    Some(free.remove(found))
}

/// Whether the target's record cannot be stored while this one is where it is.
fn is_within(absence: &Attendance, target: &Target) -> bool {
    let ends = absence.check_out.unwrap_or(absence.check_in);
    target.check_out().is_some_and(|left| absence.check_in < left && target.check_in < ends)
}

/// Whether the record can stay. An end that Odoo put is as good as none, while nobody came before it.
fn stands(record: &Attendance, target: &Target, targets: &[Target]) -> bool {
    let is_kept = || {
        let end = record.check_out.unwrap_or(record.check_in);
        target.left.is_none()
            && record.ended_by == EndedBy::AutoCheckOut
            && !targets.iter().any(|other| record.check_in < other.check_in && other.check_in < end)
    };
    record.check_out == target.check_out() || is_kept()
}

impl Step {
    fn write(record: &Attendance, target: &Target, index: usize) -> Self {
        let (begin, end) = (target.check_in, target.check_out());
        let check_in = (begin != record.check_in).then_some(begin);
        let turn = match end {
            None => Turn::Open,
            Some(end) if record.check_in <= begin && record.check_out.is_none_or(|old| end <= old) => Turn::Shrink,
            Some(_) => Turn::Grow,
        };
        Self { turn, at: begin, change: Change::Write { id: record.id, check_in, check_out: end }, target: Some(index) }
    }

    fn create(target: &Target, index: usize) -> Self {
        let (check_in, check_out) = (target.check_in, target.check_out());
        let turn = if check_out.is_some() { Turn::Create } else { Turn::Open };
        Self { turn, at: check_in, change: Change::Create { check_in, check_out }, target: Some(index) }
    }

    /// Takes the time out of a record that no punch stands for any more.
    fn empty(record: &Attendance) -> Self {
        let change = Change::Write { id: record.id, check_in: None, check_out: Some(record.check_in) };
        Self { turn: Turn::Shrink, at: record.check_in, change, target: None }
    }

    /// Puts what is in the way of a presence, such as a mark of absence, to the end of it. It loses its time.
    fn aside(absence: &Attendance, target: &Target) -> Self {
        let end = target.check_out().unwrap_or(target.check_in);
        let change = Change::Write { id: absence.id, check_in: Some(end), check_out: Some(end) };
        Self { turn: Turn::Shrink, at: target.check_in, change, target: None }
    }
}
