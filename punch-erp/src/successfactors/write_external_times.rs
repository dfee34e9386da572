use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::RangeInclusive;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use punch_webhook::ReceivedPunch;

use super::login::{Entry, Login};
use super::pairing::{Pairing, Role};
use super::{Access, ExternalTime, RequestToken, Session, SuccessFactors, UpsertExternalTimes, UpsertResult};
use crate::answer::{answer, asked_wait};
use crate::{CallError, Endpoint as _, Failure, Flow, HttpResponse, Outcome, ParkReason, RetryReason, Step};

/// Writes punches as records of `ExternalTimeData`, for customers without *Clock In Clock Out*: one attempt, for some days.
///
/// A record is a pair: a departure and the arrival right before it, at most [`max_open`](SuccessFactors::max_open) apart. An
/// arrival waits for its departure, and is parked when that is too late; a departure without an arrival is parked. A second
/// tap within a minute is the first one. Nothing is invented.
///
/// # Why nothing is lost or doubled
///
/// * The key is user, local day of the arrival, and the number of the pair on that day; a sending overwrites what has the
///   key. So a repetition changes nothing, and a punch that comes late moves the day's pairs to where they belong.
/// * For that, **every punch of the days and of the longest pair around them has to be given**, whenever it was written: with
///   one left out the pairs behind it have other numbers. Pairs that begin on another day are not written (`held_back`).
/// * A late arrival on the next day can take the departure of a pair that was written. That record stays, and has to be
///   deleted by hand: what stands in the tenant is not read.
///
/// `Debug` shows counts, never a person.
pub struct WriteExternalTimes {
    login: Login,
    pairs: Vec<ExternalTime>,
    roles: Vec<Role>,
    /// What became of the pairs, by number.
    settled: BTreeMap<usize, Outcome>,
    waiting: VecDeque<usize>,
    end: Option<Outcome>,
    stage: Stage,
}

/// The question under way.
enum Stage {
    Start,
    Token(RequestToken),
    Upsert(Access, Vec<usize>),
    Done(Vec<Outcome>),
}

impl WriteExternalTimes {
    /// Prepares the attempt for pairs that begin on one of `days`, in local time. Nothing happens before the first
    /// [`poll`](Flow::poll).
    pub fn new<'a>(
        tenant: &SuccessFactors,
        punches: impl IntoIterator<Item = &'a ReceivedPunch>,
        days: &RangeInclusive<NaiveDate>,
        now: DateTime<Utc>,
    ) -> Self {
        let Pairing { pairs, roles, .. } = Pairing::of(tenant, punches, now);
        let waiting = pairs.iter().enumerate().filter(|(_, pair)| days.contains(&pair.day)).map(|(number, _)| number);
        Self {
            login: Login::new(tenant, now),
            waiting: waiting.collect(),
            pairs,
            roles,
            settled: BTreeMap::new(),
            end: None,
            stage: Stage::Start,
        }
    }

    /// Uses what earlier flows found out. A token that is refused is renewed, once.
    #[must_use]
    pub fn with_session(mut self, session: Session) -> Self {
        self.login.keep(session);
        self
    }

    /// What is known of the tenant now. Keep it for the next flow.
    pub fn session(&self) -> &Session {
        &self.login.session
    }

    fn next(&mut self) -> Stage {
        if self.end.is_some() || self.waiting.is_empty() {
            return Stage::Done(self.outcomes());
        }
        match self.login.next() {
            Entry::Open(access) => {
                let count = self.waiting.len().min(UpsertExternalTimes::MAX_ROWS);
                Stage::Upsert(access, self.waiting.drain(..count).collect())
            }
            Entry::Ask(call) => Stage::Token(call),
            Entry::Closed => self.end(None, RetryReason::NoToken),
        }
    }

    fn upsert(&self, access: &Access, numbers: &[usize]) -> UpsertExternalTimes {
        let rows = numbers.iter().filter_map(|number| self.pairs.get(*number)).cloned().collect();
        UpsertExternalTimes::new(&self.login.tenant, access, rows)
    }

    fn end(&mut self, asked: Option<TimeDelta>, reason: RetryReason) -> Stage {
        self.end = Some(Outcome::Retry { after: asked.or(reason.asked_wait()), reason });
        Stage::Done(self.outcomes())
    }

    fn after_token(&mut self, call: &RequestToken, reply: Result<HttpResponse, Failure>) -> Stage {
        match self.login.after(call, reply) {
            Ok(()) => self.next(),
            Err((asked, reason)) => self.end(asked, reason),
        }
    }

    fn after_upsert(&mut self, access: &Access, numbers: &[usize], reply: Result<HttpResponse, Failure>) -> Stage {
        let asked = asked_wait(&reply);
        match answer(reply, |response| self.upsert(access, numbers).response(response)) {
            Ok(results) => {
                for (number, result) in numbers.iter().zip(results) {
                    let outcome = self.outcome(*number, result);
                    self.settled.insert(*number, outcome);
                }
            }
            // Single records are refused with a good status: this is about the call.
            Err(RetryReason::Call(CallError::Refused { kind, evidence })) => {
                let outcome = Outcome::Park(ParkReason::Refused { kind, evidence });
                self.settled.extend(numbers.iter().map(|number| (*number, outcome.clone())));
            }
            Err(RetryReason::Call(CallError::Unauthorized(_))) if self.login.is_renewed() => {
                self.waiting.extend(numbers);
            }
            Err(reason) => {
                self.waiting.extend(numbers);
                return self.end(asked, reason);
            }
        }
        self.next()
    }

    fn outcome(&self, number: usize, result: UpsertResult) -> Outcome {
        match result {
            UpsertResult::Stored => Outcome::Applied { remote_id: self.remote_id(number) },
            UpsertResult::Refused(evidence) => Outcome::Park(ParkReason::Refused { kind: None, evidence }),
            UpsertResult::Unmentioned => Outcome::Retry { after: None, reason: RetryReason::Unconfirmed },
        }
    }

    /// The key without the user in front, who is in no log.
    fn remote_id(&self, number: usize) -> String {
        let key = |pair: &ExternalTime| alloc::format!("{}-{}", pair.day.format("%Y%m%d"), pair.ordinal);
        self.pairs.get(number).map(key).unwrap_or_default()
    }

    /// For each punch, in the order given; both ends of a pair have the same.
    fn outcomes(&self) -> Vec<Outcome> {
        let held_back = Outcome::Retry { after: None, reason: RetryReason::HeldBack };
        let is_due = |number: &usize| self.waiting.contains(number);
        let outcome = |role: &Role| match role {
            Role::Alone(outcome) => outcome.clone(),
            Role::Of(number) => match (self.settled.get(number), &self.end) {
                (Some(outcome), _) => outcome.clone(),
                (None, Some(end)) if is_due(number) => end.clone(),
                (None, _) => held_back.clone(),
            },
        };
        self.roles.iter().map(outcome).collect()
    }
}

impl Flow for WriteExternalTimes {
    /// An outcome for each punch, in the order given. The remote id is day and number of the pair.
    type Output = Vec<Outcome>;

    fn poll(&mut self) -> Step<Vec<Outcome>> {
        if let Stage::Start = self.stage {
            self.stage = self.next();
        }
        Step::Send(match &self.stage {
            Stage::Start => return Step::Done(Vec::new()),
            Stage::Token(call) => call.request(),
            Stage::Upsert(access, numbers) => self.upsert(access, numbers).request(),
            Stage::Done(outcomes) => return Step::Done(outcomes.clone()),
        })
    }

    fn handle(&mut self, reply: Result<HttpResponse, Failure>) {
        self.stage = match core::mem::replace(&mut self.stage, Stage::Start) {
            // Nothing was asked, so this answers nothing.
            stage @ (Stage::Start | Stage::Done(_)) => stage,
            Stage::Token(call) => self.after_token(&call, reply),
            Stage::Upsert(access, numbers) => self.after_upsert(&access, &numbers, reply),
        };
    }
}

impl fmt::Debug for WriteExternalTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("WriteExternalTimes");
        shown.field("punches", &self.roles.len()).field("pairs", &self.pairs.len()).finish_non_exhaustive()
    }
}
