//! The punches of an attempt, by person, and the calls that follow from their plans.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use punch_normalize::Direction;

use super::{Change, Login, Odoo, Session, WriteAttendance, WriteAttendances};
use crate::ParkReason;
use crate::odoo::{
    Attendance, AttendanceId, EmployeeId, EndedBy, Fate, Mark, NewAttendance, PairingRules, Place, Plan,
};

/// One call that changes something.
pub(super) enum Job {
    Write(Rewrite),
    Create(Vec<Row>),
}

/// Other times for a record, and which change of whose plan it is.
#[derive(Clone, Copy)]
pub(super) struct Rewrite {
    pub(super) employee: EmployeeId,
    pub(super) change: usize,
    pub(super) id: AttendanceId,
    check_in: Option<DateTime<Utc>>,
    check_out: Option<DateTime<Utc>>,
    over: EndedBy,
}

impl Rewrite {
    pub(super) fn call(&self, odoo: &Odoo, login: &Login) -> WriteAttendance {
        WriteAttendance::new(odoo, login, self.id, self.check_in, self.check_out).over(self.over)
    }
}

/// A record of a create, and which change of whose plan it is.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) attendance: NewAttendance,
    pub(super) change: usize,
}

impl Job {
    /// The people it is about.
    pub(super) fn people(&self) -> BTreeSet<EmployeeId> {
        match self {
            Self::Write(rewrite) => [rewrite.employee].into(),
            Self::Create(rows) => rows.iter().map(|row| row.attendance.employee).collect(),
        }
    }
}

/// Every punch of the attempt.
#[derive(Default)]
pub(super) struct People {
    punches: Vec<Punch>,
    found: BTreeMap<EmployeeId, Person>,
}

struct Punch {
    badge: String,
    mark: Mark,
    whose: Whose,
}

#[derive(Clone)]
pub(super) enum Whose {
    Asked,
    Nobody(ParkReason),
    /// Of this person, and there the punch of this number.
    Of(EmployeeId, usize),
}

/// One person, and how far their records are.
#[derive(Default)]
pub(super) struct Person {
    marks: Vec<Mark>,
    /// `None` until Odoo's records were read, and again when they turned out to be others.
    pub(super) plan: Option<Plan>,
    /// The records that came out of the plan's changes.
    pub(super) done: BTreeMap<usize, AttendanceId>,
    /// The records this attempt has written.
    pub(super) written: BTreeSet<AttendanceId>,
    pub(super) conflicts: u8,
    /// Why the rest is not written.
    pub(super) parked: Option<ParkReason>,
    /// A call about this person got no answer.
    pub(super) is_unsure: bool,
}

impl People {
    pub(super) fn add(&mut self, badge: &str, at: DateTime<Utc>, direction: Direction, refusal: Option<ParkReason>) {
        let whose = refusal.map_or(Whose::Asked, Whose::Nobody);
        self.punches.push(Punch { badge: badge.into(), mark: Mark { at, direction }, whose });
    }

    pub(super) fn len(&self) -> usize {
        self.punches.len()
    }

    /// Whether nothing has to be asked at all.
    pub(super) fn is_settled(&self) -> bool {
        self.punches.iter().all(|punch| matches!(punch.whose, Whose::Nobody(_)))
    }

    /// Puts punches of known badges to their people; the badges of others, as many as fit one call.
    pub(super) fn badges_to_find(&mut self, session: &Session, now: DateTime<Utc>) -> Vec<String> {
        let mut badges = BTreeSet::new();
        for punch in &mut self.punches {
            if !matches!(punch.whose, Whose::Asked) {
                continue;
            }
            match session.employee(&punch.badge, now) {
                Some(employee) => {
                    let person = self.found.entry(employee).or_default();
                    punch.whose = Whose::Of(employee, person.marks.len());
                    person.marks.push(punch.mark);
                }
                None => drop(badges.insert(&punch.badge)),
            }
        }
        badges.into_iter().take(WriteAttendances::PEOPLE_PER_CALL).cloned().collect()
    }

    /// Nobody who could be booked on has this badge.
    pub(super) fn refuse_badge(&mut self, badge: &str, reason: &ParkReason) {
        for punch in self.punches.iter_mut().filter(|punch| punch.badge == badge) {
            if let Whose::Asked = punch.whose {
                punch.whose = Whose::Nobody(reason.clone());
            }
        }
    }

    /// People without a plan, as many as fit one call.
    pub(super) fn to_read(&self) -> Vec<EmployeeId> {
        let unread = self.found.iter().filter(|(_, person)| person.plan.is_none() && person.parked.is_none());
        // After a call without an answer nobody else is begun with.
        let is_unsure = self.found.values().any(|person| person.is_unsure);
        let unread = unread.filter(|(_, person)| person.is_unsure == is_unsure);
        unread.map(|(id, _)| *id).take(WriteAttendances::PEOPLE_PER_CALL).collect()
    }

    /// A call about these people got no answer.
    pub(super) fn look_at(&mut self, people: &BTreeSet<EmployeeId>) {
        for (_, person) in self.found.iter_mut().filter(|(id, _)| people.contains(id)) {
            (person.plan, person.is_unsure) = (None, true);
        }
    }

    /// The earliest punch of these people.
    pub(super) fn first_punch(&self, people: &[EmployeeId]) -> Option<DateTime<Utc>> {
        let marks = people.iter().filter_map(|id| self.found.get(id)).flat_map(|person| &person.marks);
        marks.map(|mark| mark.at).min()
    }

    /// Plans for these people, and what there is to do: records make room before new ones come.
    pub(super) fn plan(
        &mut self,
        people: &[EmployeeId],
        standing: &[Attendance],
        rules: &PairingRules,
    ) -> VecDeque<Job> {
        let (mut jobs, mut rows) = (VecDeque::new(), Vec::new());
        for employee in people {
            let Some(person) = self.found.get_mut(employee) else { continue };
            let records: Vec<_> = standing.iter().filter(|record| record.employee == *employee).cloned().collect();
            let plan = Plan::of(&records, &person.marks, rules);
            for (number, change) in plan.changes.iter().enumerate() {
                match *change {
                    Change::Write { id, check_in, check_out } => {
                        let old = records.iter().find(|record| record.id == id).filter(|old| {
                            // A mark of absence that is only put aside stays one.
                            check_out.is_some_and(|end| check_in.unwrap_or(old.check_in) < end)
                        });
                        let over = old.map_or(EndedBy::Somebody, |old| old.ended_by);
                        let (employee, change) = (*employee, number);
                        jobs.push_back(Job::Write(Rewrite { employee, change, id, check_in, check_out, over }));
                    }
                    Change::Create { check_in, check_out } => {
                        let attendance = NewAttendance { employee: *employee, check_in, check_out };
                        rows.push(Row { attendance, change: number });
                    }
                }
            }
            person.done.clear();
            person.plan = Some(plan);
        }
        jobs.extend(rows.chunks(WriteAttendances::ROWS_PER_CALL).map(|rows| Job::Create(rows.to_vec())));
        jobs
    }

    pub(super) fn person(&mut self, employee: EmployeeId) -> Option<&mut Person> {
        self.found.get_mut(&employee)
    }

    /// Notes that a change is made.
    pub(super) fn note(&mut self, employee: EmployeeId, change: usize, id: AttendanceId) {
        if let Some(person) = self.found.get_mut(&employee) {
            person.done.insert(change, id);
            person.written.insert(id);
        }
    }

    /// For each punch, in the order given: nobody's, or its person and what the plan makes of it.
    pub(super) fn fates(&self) -> impl Iterator<Item = Result<(&Person, Option<Fate>), Option<&ParkReason>>> {
        self.punches.iter().map(|punch| match &punch.whose {
            Whose::Asked => Err(None),
            Whose::Nobody(reason) => Err(Some(reason)),
            Whose::Of(employee, number) => {
                let person = self.found.get(employee).ok_or(None)?;
                Ok((person, person.plan.as_ref().and_then(|plan| plan.fates.get(*number).copied())))
            }
        })
    }
}

impl Person {
    /// The record of a place, and whether it stood there before this attempt. `None` while it is not written.
    pub(super) fn record(&self, place: Place) -> Option<(AttendanceId, bool)> {
        match place {
            Place::Standing(id) => Some((id, !self.written.contains(&id))),
            Place::Change(number) => self.done.get(&number).map(|id| (*id, false)),
        }
    }
}
