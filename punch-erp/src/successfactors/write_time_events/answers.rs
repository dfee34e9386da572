//! What each answer leads to.

use alloc::collections::BTreeSet;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use chrono::TimeDelta;

use super::{Access, CreateTimeEvents, NewTimeEvent, RequestToken, Stage, TimeEventId, WriteTimeEvents};
use crate::answer::{answer, asked_wait};
use crate::successfactors::TimeEventResult;
use crate::{CallError, Endpoint as _, Failure, HttpResponse, Outcome, ParkReason, RetryReason};

type Reply = Result<HttpResponse, Failure>;

impl WriteTimeEvents {
    pub(super) fn after_token(&mut self, call: &RequestToken, reply: Reply) -> Stage {
        match self.login.after(call, reply) {
            Ok(()) => self.next(),
            Err((asked, reason)) => self.end(asked, reason),
        }
    }

    pub(super) fn after_write(&mut self, access: &Access, call: Vec<NewTimeEvent>, reply: Reply) -> Stage {
        let asked = asked_wait(&reply);
        let endpoint = CreateTimeEvents::new(&self.login.tenant, access, call.clone());
        match answer(reply, |response| endpoint.response(response)) {
            Ok(results) => {
                self.login.session.suspects.pop_front();
                for (event, result) in call.into_iter().zip(results) {
                    self.settle(event.id, result);
                }
                Stage::Done(self.outcomes())
            }
            Err(RetryReason::Call(CallError::Refused { kind, evidence })) => {
                self.login.session.suspects.pop_front();
                let refusal = CallError::Refused { kind: kind.clone(), evidence: evidence.clone() };
                match call.as_slice() {
                    [event] => self.note([&event.id], &Outcome::Park(ParkReason::Refused { kind, evidence })),
                    several => self.split(several, refusal),
                }
                Stage::Done(self.outcomes())
            }
            Err(RetryReason::Call(CallError::Unauthorized(_))) if self.login.is_renewed() => self.next(),
            Err(reason) => {
                let after = asked.or(reason.asked_wait());
                self.note(call.iter().map(|event| &event.id), &Outcome::Retry { after, reason });
                Stage::Done(self.outcomes())
            }
        }
    }

    fn settle(&mut self, id: TimeEventId, result: TimeEventResult) {
        let outcome = match result {
            TimeEventResult::Stored { uuid } => Outcome::Applied { remote_id: uuid },
            TimeEventResult::AlreadyThere => Outcome::AlreadyThere { remote_id: id.to_string() },
            TimeEventResult::Refused(evidence) => Outcome::Park(ParkReason::Refused { kind: None, evidence }),
            TimeEventResult::Unmentioned => Outcome::Retry { after: None, reason: RetryReason::Unconfirmed },
        };
        self.settled.insert(id, outcome);
    }

    /// Nothing of the call was stored, and the refusal does not say whose fault it was.
    fn split(&mut self, call: &[NewTimeEvent], refusal: CallError) {
        let (first, second) = call.split_at(call.len().div_euclid(2));
        for half in [second, first] {
            let ids: BTreeSet<_> = half.iter().map(|event| event.id.clone()).collect();
            self.login.session.suspects.push_front(ids);
        }
        let reason = RetryReason::Call(refusal);
        self.note(call.iter().map(|event| &event.id), &Outcome::Retry { after: Some(self.gap()), reason });
    }

    fn note<'a>(&mut self, ids: impl IntoIterator<Item = &'a TimeEventId>, outcome: &Outcome) {
        self.settled.extend(ids.into_iter().map(|id| (id.clone(), outcome.clone())));
    }

    /// Nothing could be sent, for this reason.
    pub(super) fn end(&mut self, asked: Option<TimeDelta>, reason: RetryReason) -> Stage {
        let is_held_back = reason == RetryReason::HeldBack;
        let after = if is_held_back { Some(self.gap()) } else { asked.or(reason.asked_wait()) };
        let outcome = Outcome::Retry { after, reason };
        let ids: Vec<TimeEventId> = self.events.keys().cloned().collect();
        self.note(&ids, &outcome);
        Stage::Done(self.outcomes())
    }

    /// For each punch, in the order given. What was not in the call waits for the next one.
    pub(super) fn outcomes(&self) -> Vec<Outcome> {
        let held_back = || Outcome::Retry { after: Some(self.gap()), reason: RetryReason::HeldBack };
        let outcome = |punch: &Result<TimeEventId, Outcome>| match punch {
            Ok(id) => self.settled.get(id).cloned().unwrap_or_else(held_back),
            Err(outcome) => outcome.clone(),
        };
        self.punches.iter().map(outcome).collect()
    }
}
