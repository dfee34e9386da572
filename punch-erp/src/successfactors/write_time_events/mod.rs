mod answers;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use punch_webhook::ReceivedPunch;

use super::login::{Entry, Login};
use super::{Access, CreateTimeEvents, NewTimeEvent, RequestToken, Session, SuccessFactors, TimeEventId, plan_calls};
use crate::{Endpoint as _, Failure, Flow, HttpResponse, Outcome, RetryReason, Step};

/// Writes punches as time events: one attempt, with one call for as many of them as a call may hold.
///
/// Give it everything that waits, in any order. What the call has no room for, or the day no call, is `held_back` and says
/// when there will be one; calls need a gap between them, and a flow does not sleep. Flows of a tenant follow each other.
///
/// ```text
/// token ── refused ────────────────────────────────► retry
///   │ ▲
///   │ └─── 401, once
/// write ── stored ─────────────────────────────────► applied
///   │ ├─── an event of that person and second is there ─► already
///   │ ├─── refused by itself ──────────────────────► parked
///   │ ├─── 400: all refused ──► in halves, one in each of the next attempts; the one alone is parked
///   │ ├─── not mentioned, or no answer ────────────► retry, under the same id
///   │ └─── 401 403 404 3xx 429 5xx ────────────────► retry
///   └───── no room, or no call left ───────────────► retry, held back
/// ```
///
/// # The idempotency argument: why nothing is lost or doubled
///
/// * A punch is done only when an answer names its id as stored, or says that an event of its assignment and second is
///   there. Everything else is tried again or parked. So a crash before the answer is written down costs a repetition, and
///   nothing more.
/// * A repetition is the same event to the byte: the id is a function of the event's id, time and assignment are those of
///   the punch. The service takes no second event of an assignment and second, under whatever id, so it answers a
///   repetition with that refusal, whether the first sending was cut off before, within or after the service's work. Even
///   one that is carried out late, after the repetition, meets the rule.
/// * A body that is cut off is no JSON, and is refused as a whole. Of a whole one each event is stored or not for itself;
///   the ids in the answer say which, and one in neither list counts as not stored.
/// * What a [`Session`] holds only saves calls. Lost, it costs a token, or the narrowing down of a refused call from its
///   start. Only the [count of calls](Session::budget) should survive, or the day's last calls may be refused.
/// * Two punches of a person in one second are one event to the service. The second is `already`; the gateway's
///   rule for repeated punches removes such pairs long before. For the same reason a direction that is told anew is not
///   written over the old one: somebody has to change it in the tenant, or delete the event first.
///
/// What is stored is paired and validated later, inside; [`FindTimeEvents`](super::FindTimeEvents) shows the result.
///
/// `Debug` shows counts, never a person.
pub struct WriteTimeEvents {
    login: Login,
    /// For each punch given: its event, or what is known without asking.
    punches: Vec<Result<TimeEventId, Outcome>>,
    /// The events, once each.
    events: BTreeMap<TimeEventId, NewTimeEvent>,
    settled: BTreeMap<TimeEventId, Outcome>,
    /// The one call of this attempt was begun. Made again with another token it needs no gap: a refused token is no load.
    is_begun: bool,
    stage: Stage,
}

/// The question under way.
enum Stage {
    Start,
    Token(RequestToken),
    Write(Access, Vec<NewTimeEvent>),
    Done(Vec<Outcome>),
}

impl WriteTimeEvents {
    /// Prepares the attempt. Nothing happens before the first [`poll`](Flow::poll).
    ///
    /// A punch before 2010 or more than a day after `now` is parked, and one without a code or a usable assignment: it
    /// could cost its neighbours a refused call.
    pub fn new<'a>(
        tenant: &SuccessFactors,
        punches: impl IntoIterator<Item = &'a ReceivedPunch>,
        now: DateTime<Utc>,
    ) -> Self {
        let mut events = BTreeMap::new();
        let add = |punch| match NewTimeEvent::of(tenant, punch, now) {
            Ok(event) => {
                let id = event.id.clone();
                events.insert(id.clone(), event);
                Ok(id)
            }
            Err(reason) => Err(Outcome::Park(reason)),
        };
        let punches = punches.into_iter().map(add).collect();
        Self {
            login: Login::new(tenant, now),
            punches,
            events,
            settled: BTreeMap::new(),
            is_begun: false,
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

    /// How many events are written in UTC because nobody says where their terminal is. A night shift may then count for
    /// the wrong day: set `time_zone`, or have the sender give local times.
    pub fn without_zone(&self) -> usize {
        self.events.values().filter(|event| event.is_without_zone).count()
    }

    /// The first thing that is missing.
    fn next(&mut self) -> Stage {
        let Some(call) = self.next_call() else { return Stage::Done(self.outcomes()) };
        if self.gap() > TimeDelta::zero() && !self.is_begun {
            return self.end(None, RetryReason::HeldBack);
        }
        match self.login.next() {
            Entry::Open(access) => self.write(access, call),
            Entry::Ask(call) => Stage::Token(call),
            Entry::Closed => self.end(None, RetryReason::NoToken),
        }
    }

    fn write(&mut self, access: Access, call: Vec<NewTimeEvent>) -> Stage {
        self.login.session.budget.note_call(self.login.now);
        self.is_begun = true;
        Stage::Write(access, call)
    }

    /// Parts of a refused call go first and by themselves, or the one to blame could not be found.
    fn next_call(&mut self) -> Option<Vec<NewTimeEvent>> {
        while let Some(part) = self.login.session.suspects.front() {
            let waiting: Vec<_> = part.iter().filter_map(|id| self.events.get(id)).cloned().collect();
            if let Some(call) = plan_calls(waiting).into_iter().next() {
                return Some(call);
            }
            self.login.session.suspects.pop_front();
        }
        plan_calls(self.events.values().cloned()).into_iter().next()
    }

    /// When the next call is allowed.
    fn gap(&self) -> TimeDelta {
        let Login { tenant, session, now, .. } = &self.login;
        session.budget.allowed_at(&tenant.call_rules(), *now).signed_duration_since(*now)
    }
}

impl Flow for WriteTimeEvents {
    /// An outcome for each punch, in the order given.
    type Output = Vec<Outcome>;

    fn poll(&mut self) -> Step<Vec<Outcome>> {
        if let Stage::Start = self.stage {
            self.stage = self.next();
        }
        Step::Send(match &self.stage {
            Stage::Start => return Step::Done(Vec::new()),
            Stage::Token(call) => call.request(),
            Stage::Write(access, call) => CreateTimeEvents::new(&self.login.tenant, access, call.clone()).request(),
            Stage::Done(outcomes) => return Step::Done(outcomes.clone()),
        })
    }

    fn handle(&mut self, reply: Result<HttpResponse, Failure>) {
        self.stage = match core::mem::replace(&mut self.stage, Stage::Start) {
            // Nothing was asked, so this answers nothing.
            stage @ (Stage::Start | Stage::Done(_)) => stage,
            Stage::Token(call) => self.after_token(&call, reply),
            Stage::Write(access, call) => self.after_write(&access, call, reply),
        };
    }
}

impl fmt::Debug for WriteTimeEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::Start => "start",
            Stage::Token(_) => "token",
            Stage::Write(..) => "write",
            Stage::Done(_) => "done",
        };
        f.debug_struct("WriteTimeEvents")
            .field("punches", &self.punches.len())
            .field("stage", &stage)
            .finish_non_exhaustive()
    }
}
