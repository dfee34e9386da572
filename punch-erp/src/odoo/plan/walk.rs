//! From punches in order of time to the records they ask for.

use alloc::vec::Vec;

use chrono::{DateTime, Utc};

use super::PairingRules;
use crate::odoo::{Attendance, AttendanceId};

/// A punch on the line of time: the same way in the same second is the same punch, however often it is given.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub(super) at: DateTime<Utc>,
    pub(super) kind: Kind,
    /// Which of the given punches; none if only a record tells of it.
    pub(super) marks: Vec<usize>,
}

/// Which way. The order is that of one second: who is there leaves before coming again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Out,
    In,
    /// Overtime begins: an arrival, unless the person is there anyway.
    MoreIn,
}

/// A record that stays as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Barrier {
    pub(super) id: AttendanceId,
    pub(super) check_in: DateTime<Utc>,
    pub(super) check_out: DateTime<Utc>,
}

impl Barrier {
    pub(super) fn of(record: &Attendance) -> Option<Self> {
        Some(Self { id: record.id, check_in: record.check_in, check_out: record.check_out? })
    }
}

/// A record as it should be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) check_in: DateTime<Utc>,
    /// The departure, if there is one.
    pub(super) left: Option<DateTime<Utc>>,
    /// Nothing comes after it.
    pub(super) is_last: bool,
    /// Its begin is that of a record we know nothing else of.
    is_implied: bool,
}

impl Target {
    pub(super) fn is_missing_out(&self) -> bool {
        self.left.is_none() && !self.is_last
    }

    pub(super) fn check_out(&self) -> Option<DateTime<Utc>> {
        self.left.or_else(|| self.is_missing_out().then_some(self.check_in))
    }
}

/// What a given punch turned out to be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role {
    Undirected,
    OrphanOut,
    Standing(AttendanceId),
    Within(AttendanceId),
    Part(usize),
}

/// The record whose end was passed last.
#[derive(Clone, Copy)]
enum Closed {
    Target(usize, DateTime<Utc>),
    Barrier(Barrier),
}

/// `points` in order of time; in one second as [`Kind`] has it.
pub(super) fn walk(
    points: &mut [Point],
    marks: usize,
    barriers: &[Barrier],
    rules: &PairingRules,
) -> (Vec<Target>, Vec<Role>) {
    let mut walk = Walk {
        rules,
        ahead: barriers,
        targets: Vec::new(),
        roles: alloc::vec![Role::Undirected; marks],
        open: None,
        closed: None,
    };
    let mut rest = points;
    while let Some(first) = rest.first() {
        // Nobody is there to leave: who comes in the same second comes first.
        if first.kind == Kind::Out
            && !walk.can_leave(first.at)
            && rest.get(1).is_some_and(|coming| coming.at == first.at)
        {
            rest.swap(0, 1);
        }
        let [first, others @ ..] = rest else { break };
        walk.step(first, barriers);
        rest = others;
    }
    walk.finish(barriers)
}

struct Walk<'a> {
    rules: &'a PairingRules,
    /// The barriers not yet passed.
    ahead: &'a [Barrier],
    targets: Vec<Target>,
    roles: Vec<Role>,
    open: Option<usize>,
    closed: Option<Closed>,
}

impl Walk<'_> {
    fn step(&mut self, point: &Point, barriers: &[Barrier]) {
        if let Some(role) = barriers.iter().find_map(|barrier| self.covered(point, barrier)) {
            return self.is(point, role);
        }
        self.pass(point.at);
        if point.kind == Kind::Out { self.depart(point) } else { self.arrive(point) }
    }

    /// What a barrier makes of a punch at its ends or within it.
    fn covered(&self, point: &Point, barrier: &Barrier) -> Option<Role> {
        let Barrier { id, check_in, check_out } = *barrier;
        let is_out = point.kind == Kind::Out;
        let own_end = if is_out { check_out } else { check_in };
        if point.at == own_end {
            return Some(Role::Standing(id));
        }
        let is_within = check_in < point.at && point.at < check_out;
        let is_again = !is_out && point.at.signed_duration_since(check_in) < self.rules.bounce;
        is_within.then_some(if is_again { Role::Standing(id) } else { Role::Within(id) })
    }

    /// Nobody stays through a record that is somebody else's word.
    fn pass(&mut self, at: DateTime<Utc>) {
        while let [barrier, others @ ..] = self.ahead
            && barrier.check_in < at
        {
            (self.open, self.closed) = (None, Some(Closed::Barrier(*barrier)));
            self.ahead = others;
        }
    }

    fn arrive(&mut self, point: &Point) {
        let (is_implied, rules) = (point.marks.is_empty(), self.rules);
        if let Some(index) = self.open
            && let Some(open) = self.targets.get_mut(index)
            && !(is_implied && open.is_implied)
        {
            let is_again = point.at.signed_duration_since(open.check_in) < rules.repeat;
            if is_again && is_implied {
                (open.check_in, open.is_implied) = (point.at, true);
            }
            if is_again || point.kind == Kind::MoreIn {
                return self.is(point, Role::Part(index));
            }
        }
        let index = self.targets.len();
        self.targets.push(Target { check_in: point.at, left: None, is_last: false, is_implied });
        (self.open, self.closed) = (Some(index), None);
        self.is(point, Role::Part(index));
    }

    fn depart(&mut self, point: &Point) {
        let open = self.open.take();
        let role = open.and_then(|index| self.leave(index, point.at)).unwrap_or_else(|| self.leave_again(point.at));
        self.is(point, role);
    }

    /// Whether somebody is there whose departure this could be.
    fn can_leave(&self, at: DateTime<Utc>) -> bool {
        let open = self.open.and_then(|index| self.targets.get(index));
        open.is_some_and(|open| at.signed_duration_since(open.check_in) <= self.rules.lookback)
    }

    fn leave(&mut self, index: usize, at: DateTime<Utc>) -> Option<Role> {
        let target = self.targets.get_mut(index)?;
        if at.signed_duration_since(target.check_in) > self.rules.lookback {
            return None;
        }
        target.left = Some(at);
        self.closed = Some(Closed::Target(index, at));
        Some(Role::Part(index))
    }

    /// Nobody is there: it is a second departure, or its arrival is missing.
    fn leave_again(&mut self, at: DateTime<Utc>) -> Role {
        match self.closed {
            Some(Closed::Barrier(barrier)) if at.signed_duration_since(barrier.check_out) < self.rules.bounce => {
                Role::Standing(barrier.id)
            }
            Some(Closed::Target(index, left)) if at.signed_duration_since(left) < self.rules.bounce => {
                Role::Part(index)
            }
            Some(Closed::Target(index, left)) if at.signed_duration_since(left) < self.rules.repeat => {
                self.leave(index, at).unwrap_or(Role::OrphanOut)
            }
            Some(Closed::Target(..) | Closed::Barrier(_)) | None => Role::OrphanOut,
        }
    }

    fn finish(mut self, barriers: &[Barrier]) -> (Vec<Target>, Vec<Role>) {
        if let Some(last) = self.targets.last_mut() {
            last.is_last = barriers.iter().all(|barrier| barrier.check_in < last.check_in);
        }
        (self.targets, self.roles)
    }

    fn is(&mut self, point: &Point, role: Role) {
        for mark in &point.marks {
            if let Some(slot) = self.roles.get_mut(*mark) {
                *slot = role;
            }
        }
    }
}
