//! What each answer leads to.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::people::{Job, Row};
use super::{
    Authenticate, CreateAttendances, DetectVersion, EmployeeId, FindEmployees, Login, Protocol, Version,
    WriteAttendances,
};
use crate::answer::answer;
use crate::odoo::Employee;
use crate::{CallError, Endpoint as _, Failure, HttpResponse, ParkReason, RetryReason};

/// How often somebody's records are read anew because Odoo refused what followed from them.
const MAX_CONFLICTS: u8 = 2;

type Reply = Result<HttpResponse, Failure>;

impl WriteAttendances {
    pub(super) fn after_version(&mut self, protocol: Protocol, reply: Reply) {
        match answer(reply, |response| DetectVersion::new(&self.odoo, protocol).response(response)) {
            Ok(version) => self.version = Some(version),
            // Announced for Odoo 22; and some proxies let only the newer one through.
            Err(RetryReason::Call(CallError::Misaddressed(_))) if self.odoo.protocol().is_none() && !self.is_no_rpc => {
                self.is_no_rpc = true;
            }
            Err(reason) => self.end = Some(reason),
        }
    }

    pub(super) fn after_login(&mut self, protocol: Protocol, version: Version, reply: Reply) {
        match answer(reply, |response| Authenticate::new(&self.odoo, protocol).response(response)) {
            Ok(uid) => self.session.login = Some(Login::rpc(protocol, uid, version)),
            Err(reason) => self.end = Some(reason),
        }
    }

    pub(super) fn after_employees(&mut self, login: &Login, badges: &[String], reply: Reply) {
        let call = FindEmployees::new(&self.odoo, login, badges.iter().cloned());
        let employees = match answer(reply, |response| call.response(response)) {
            Ok(employees) => employees,
            Err(reason) => return self.end_unless_renewed(login, reason),
        };
        let mut by_badge: BTreeMap<&str, Vec<&Employee>> = BTreeMap::new();
        for employee in &employees {
            by_badge.entry(&employee.badge).or_default().push(employee);
        }
        for badge in badges {
            match by_badge.get(badge.as_str()).map(Vec::as_slice) {
                None | Some([]) => self.people.refuse_badge(badge, &ParkReason::UnknownEmployee),
                Some([employee]) if employee.is_active => self.session.remember(badge, employee.id, self.now),
                Some([_]) => self.people.refuse_badge(badge, &ParkReason::EmployeeInactive),
                Some(several) => {
                    self.people.refuse_badge(badge, &ParkReason::AmbiguousEmployee { count: several.len() });
                }
            }
        }
    }

    pub(super) fn after_attendances(&mut self, login: &Login, people: &[EmployeeId], reply: Reply) {
        let call = self.reading(login, people);
        match answer(reply, |response| call.response(response)) {
            Ok(standing) => {
                let jobs = self.people.plan(people, &standing, &self.odoo.pairing());
                // When a call of this attempt is still on its way, looking is all that may be done.
                if people.iter().all(|id| self.people.person(*id).is_none_or(|person| !person.is_unsure)) {
                    self.jobs = jobs;
                } else {
                    self.end = Some(RetryReason::Unconfirmed);
                }
            }
            Err(reason) => self.end_unless_renewed(login, reason),
        }
    }

    pub(super) fn after_job(&mut self, login: &Login, job: Job, reply: Reply) {
        let answered = match &job {
            Job::Write(rewrite) => {
                let call = rewrite.call(&self.odoo, login);
                answer(reply, |response| call.response(response))
                    .map(|()| self.people.note(rewrite.employee, rewrite.change, rewrite.id))
            }
            Job::Create(rows) => {
                let call = CreateAttendances::new(&self.odoo, login, rows.iter().map(|row| row.attendance).collect());
                answer(reply, |response| call.response(response)).map(|ids| {
                    for (row, id) in rows.iter().zip(ids) {
                        self.people.note(row.attendance.employee, row.change, id);
                    }
                })
            }
        };
        match answered {
            Ok(()) => {}
            Err(RetryReason::Call(CallError::Refused { kind, evidence })) => {
                self.conflict(job, ParkReason::Refused { kind, evidence });
            }
            Err(RetryReason::Call(CallError::NotFound(evidence))) => {
                self.conflict(job, ParkReason::Refused { kind: Some("MissingError".into()), evidence });
            }
            // A gateway that gave up says so with a status; the server is ailing, and the next attempt looks anyway.
            Err(reason @ RetryReason::Call(CallError::Unreadable { .. })) | Err(reason @ RetryReason::Network(_))
                if reason.may_have_happened() =>
            {
                self.look(&job);
            }
            Err(reason) => {
                self.end_unless_renewed(login, reason);
                self.jobs.push_front(job);
            }
        }
    }

    /// Odoo refuses the change: somebody else wrote meanwhile, or we may not see what is in its way.
    fn conflict(&mut self, job: Job, reason: ParkReason) {
        let people = job.people();
        if let (Job::Create(rows), true) = (&job, people.len() > 1) {
            // Nothing of it was stored, and the refusal does not say whose row it was.
            for employee in people.into_iter().rev() {
                self.jobs.push_front(Job::Create(rows_of(rows, |whose| whose == employee)));
            }
            return;
        }
        for employee in people {
            self.cancel(employee);
            self.session.forget(employee);
            let Some(person) = self.people.person(employee) else { continue };
            person.conflicts = person.conflicts.saturating_add(1);
            if person.conflicts > MAX_CONFLICTS {
                person.parked = Some(reason.clone());
            } else {
                person.plan = None;
            }
        }
    }

    /// No answer: it may be there. Reads the records of these people once more, and sends nothing else.
    fn look(&mut self, job: &Job) {
        self.jobs.clear();
        self.people.look_at(&job.people());
    }

    /// Drops what was planned for somebody.
    fn cancel(&mut self, employee: EmployeeId) {
        let jobs = core::mem::take(&mut self.jobs).into_iter().filter_map(|job| match job {
            Job::Write(rewrite) if rewrite.employee == employee => None,
            Job::Create(rows) => {
                let others = rows_of(&rows, |whose| whose != employee);
                (!others.is_empty()).then_some(Job::Create(others))
            }
            write @ Job::Write(_) => Some(write),
        });
        self.jobs = jobs.collect();
    }

    /// A secret that is refused is tried once more: with a new login, or by another protocol if none is prescribed.
    fn end_unless_renewed(&mut self, login: &Login, reason: RetryReason) {
        let is_refused = matches!(reason, RetryReason::Call(CallError::Unauthorized(_)));
        if is_refused {
            self.session.login = None;
        }
        let is_json2 = login.protocol == Protocol::Json2;
        let has_other_door = self.odoo.protocol().is_none() && !self.is_no_key && !self.is_no_rpc;
        if is_refused && is_json2 && has_other_door {
            (self.is_no_key, self.version) = (true, Some(login.version));
        } else if is_refused && !is_json2 && core::mem::take(&mut self.may_renew) {
            self.version = Some(login.version);
        } else {
            self.end = Some(reason);
        }
    }
}

fn rows_of(rows: &[Row], is_wanted: impl Fn(EmployeeId) -> bool) -> Vec<Row> {
    rows.iter().filter(|row| is_wanted(row.attendance.employee)).copied().collect()
}
