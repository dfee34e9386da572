//! What each answer leads to.

use alloc::vec::Vec;

use chrono::{NaiveDate, TimeDelta};

use super::stage::{Doubt, End, Refusal, Stage, Why};
use super::{Entry, Fate, GetUser, ListEntries, Standing, WriteEntries, stored};
use crate::answer::answer;
use crate::humand::{AlternationRules, Clocked, EntryKind, Hint, StoredEntry};
use crate::{CallError, Endpoint as _, Evidence, Failure, HttpResponse, Outcome, ParkReason, RetryReason};

/// How often an attempt goes on after Humand refused what was planned.
const MAX_CONFLICTS: u8 = 2;

/// How long after its time a punch that Humand calls a future one is sent again.
const FUTURE_PATIENCE: TimeDelta = TimeDelta::hours(24);

type Reply = Result<HttpResponse, Failure>;

impl WriteEntries {
    pub(super) fn after_user(&mut self, doubt: Doubt, reply: Reply) {
        let call = GetUser::new(&self.humand, self.employee.as_str());
        let user = match answer(reply, |response| call.response(response)) {
            Ok(user) => user,
            // A key that may not read users: the first word on the matter stands.
            Err(RetryReason::Call(CallError::Forbidden(_))) => {
                let reason = match doubt {
                    Doubt::Directory(reason) => reason,
                    Doubt::NotFound(_) => ParkReason::UnknownEmployee,
                };
                return self.settle_all(&Outcome::Park(reason));
            }
            Err(reason) => return self.end = Some(reason.into()),
        };
        match (user, doubt) {
            (None, _) => self.settle_all(&Outcome::Park(ParkReason::UnknownEmployee)),
            (Some(user), _) if !user.is_active() => self.settle_all(&Outcome::Park(ParkReason::EmployeeInactive)),
            // The person is new, and the table is not.
            (Some(_), Doubt::Directory(_)) => {}
            // The person is there, so it is the address that is not.
            (Some(_), Doubt::NotFound(evidence)) => {
                self.end = Some(RetryReason::Call(CallError::Misaddressed(evidence)).into());
            }
        }
    }

    pub(super) fn after_entries(
        &mut self,
        (days, page): ((NaiveDate, NaiveDate), u32),
        mut read: Vec<Entry>,
        why: Why,
        reply: Reply,
    ) {
        let call = ListEntries::new(&self.humand, self.employee.as_str(), days, page);
        let rows = read.len();
        let answered = answer(reply, |response| {
            let answered = call.response(response)?;
            let is_last = answered.is_last(rows.saturating_add(answered.items.len()));
            if !is_last && page >= Self::MAX_PAGES {
                let (expected, evidence) = ("a list of entries that ends", Evidence::of(response));
                return Err(CallError::Unreadable { expected, evidence });
            }
            Ok((answered.items, is_last))
        });
        match answered {
            Ok((items, is_last)) => {
                // A page may move while others are read; an entry counts once.
                read.extend(items);
                read.sort_by(|a, b| a.id.cmp(&b.id));
                read.dedup_by(|a, b| a.id == b.id);
                if is_last {
                    self.standing = Some(Standing::new(read, days, self.now));
                    self.after_reading(why);
                } else {
                    self.stage = Stage::Entries { days, page: page.saturating_add(1), read, why };
                }
            }
            Err(reason) => self.after_blind_reading(&why, reason),
        }
    }

    fn after_reading(&mut self, why: Why) {
        let Some((batch, days)) = self.batch() else { return };
        let Some(standing) = self.standing.as_ref().filter(|standing| standing.covers(days, self.now)) else { return };
        let plan = self.plan(&batch, standing);
        self.note(&batch, &plan);
        let is_open = |flow: &Self, punch: usize| flow.punches.get(punch).is_some_and(|one| one.outcome.is_none());
        match why {
            Why::Lost(punch) if is_open(self, punch) => {
                // It may still arrive: whoever looks next must look again.
                self.standing = None;
                self.end = Some(RetryReason::Unconfirmed.into());
            }
            Why::Refused(refusal) if is_open(self, refusal.punch) => {
                let fate = batch.iter().zip(plan.fates).find(|(punch, _)| **punch == refusal.punch);
                self.conflict(refusal, fate.map(|(_, fate)| fate));
            }
            Why::Plan | Why::Lost(_) | Why::Refused(_) => {}
        }
    }

    /// Humand refused it, and it is not there.
    fn conflict(&mut self, refusal: Refusal, fate: Option<Fate>) {
        let Refusal { punch, sent, hint, kind, evidence } = refusal;
        self.conflicts = self.conflicts.saturating_add(1);
        // Nothing explains the refusal, or explaining it comes to no end.
        let is_hopeless = matches!(fate, Some(Fate::Send(kind)) if kind == sent || self.conflicts > MAX_CONFLICTS);
        let reason = match hint {
            Hint::Future => {
                let age = self.punches.get(punch).map(|punch| self.now.signed_duration_since(punch.mark.at));
                if age.is_some_and(|age| age < FUTURE_PATIENCE) {
                    // Every later one would be refused as well.
                    let (reason, after) = (RetryReason::Held, Some(AlternationRules::FUTURE_MARGIN));
                    return self.end = Some(End { reason, after });
                }
                ParkReason::Refused { kind, evidence }
            }
            Hint::Duplicate => ParkReason::DuplicateUnseen,
            // Others wrote meanwhile, and now it is something else.
            Hint::Alternation if !is_hopeless => return,
            Hint::Alternation | Hint::Other => ParkReason::Refused { kind, evidence },
        };
        self.settle(punch, Outcome::Park(reason));
    }

    /// Looking failed. When our own entry got no answer, that is the news, and not why looking failed.
    fn after_blind_reading(&mut self, why: &Why, reason: RetryReason) {
        self.standing = None;
        let is_lost = matches!(why, Why::Lost(_));
        let reason = match reason {
            RetryReason::Call(CallError::NotFound(evidence)) if !is_lost => {
                return self.stage = Stage::User(Doubt::NotFound(evidence));
            }
            RetryReason::Call(CallError::Refused { kind, evidence }) if !is_lost => {
                return self.settle_all(&Outcome::Park(ParkReason::Refused { kind, evidence }));
            }
            RetryReason::Call(_)
            | RetryReason::Network(_)
            | RetryReason::Database(_)
            | RetryReason::Unconfirmed
            | RetryReason::Held
            | RetryReason::HeldBack
            | RetryReason::NoToken
            | RetryReason::Incomplete => reason,
        };
        let after = reason.asked_wait();
        let reason = if is_lost { RetryReason::Unconfirmed } else { reason };
        self.end = Some(End { reason, after });
    }

    pub(super) fn after_clock(&mut self, punch: usize, kind: EntryKind, reply: Reply) {
        let Some(call) = self.clocking(punch, kind) else { return };
        match answer(reply, |response| call.response(response)) {
            Ok(Clocked::Stored(entry)) => self.after_stored(punch, kind, entry),
            Ok(Clocked::Violation { hint, kind: code, evidence }) => {
                self.look(Why::Refused(Refusal { punch, sent: kind, hint, kind: code, evidence }));
            }
            Err(RetryReason::Call(CallError::NotFound(evidence))) => {
                self.stage = Stage::User(Doubt::NotFound(evidence));
            }
            Err(RetryReason::Call(CallError::Refused { kind, evidence })) => {
                self.settle(punch, Outcome::Park(ParkReason::Refused { kind, evidence }));
            }
            Err(reason) => {
                // A server that failed says so with a status, 503 too; it is ailing, and the next attempt looks.
                let is_silent =
                    matches!(reason, RetryReason::Network(_) | RetryReason::Call(CallError::Unreadable { .. }));
                let is_failure = matches!(&reason, RetryReason::Call(error) if error.evidence().status() >= 500);
                if is_silent && reason.may_have_happened() {
                    return self.look(Why::Lost(punch));
                }
                if is_failure || reason.may_have_happened() {
                    self.standing = None;
                }
                self.end = Some(reason.into());
            }
        }
    }

    fn after_stored(&mut self, punch: usize, kind: EntryKind, entry: StoredEntry) {
        let StoredEntry { id: remote_id, difference, .. } = entry;
        let outcome = match difference {
            Some("time") => Outcome::Park(ParkReason::TimeNotEchoed { remote_id }),
            Some(field) => Outcome::Park(ParkReason::EchoDiffers { remote_id, field }),
            None => {
                let one = self.punches.get(punch).map(|punch| stored(punch, &remote_id, kind));
                if let Some(standing) = &mut self.standing {
                    standing.entries.extend(one);
                }
                return self.settle(punch, Outcome::Applied { remote_id });
            }
        };
        // What stands is not what was sent, so it is read.
        self.standing = None;
        self.settle(punch, outcome);
    }

    /// Reads what stands, whatever was known.
    fn look(&mut self, why: Why) {
        self.standing = None;
        let Some((_, days)) = self.batch() else { return };
        self.stage = Stage::Entries { days, page: 1, read: Vec::new(), why };
    }
}
