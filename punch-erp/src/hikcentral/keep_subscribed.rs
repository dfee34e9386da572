use alloc::vec::Vec;

use super::{HikCentral, Stamp, Subscribe, Subscription, Unsubscribe, ViewSubscriptions};
use crate::answer::answer;
use crate::{CallError, Credential, Endpoint as _, Evidence, Failure, Flow, HttpResponse, RetryReason, Step};

/// Sees to it that the events come: looks, ends what is stale at our own address, subscribes what is missing, looks again.
///
/// Subscriptions of other addresses are left alone. Run it at the start and every ten minutes: a lost subscription says
/// nothing.
#[derive(Debug)]
pub struct KeepSubscribed {
    site: HikCentral,
    wanted: Subscription,
    token: Option<Credential>,
    is_renewed: bool,
    stamp: Stamp,
    stage: Stage,
}

/// What a [`KeepSubscribed`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subscribed {
    /// It was there.
    Already,
    /// It was missing, or other than wanted, and is there now.
    Renewed,
}

#[derive(Debug)]
enum Stage {
    Look,
    End(Vec<i64>),
    Begin,
    LookAgain,
    Done(Result<Subscribed, RetryReason>),
}

impl KeepSubscribed {
    /// Nothing happens before the first [`poll`](Flow::poll).
    pub fn new(site: &HikCentral, mut wanted: Subscription, token: Option<Credential>, stamp: Stamp) -> Self {
        wanted.event_types.sort_unstable();
        Self { site: site.clone(), wanted, token, is_renewed: false, stamp, stage: Stage::Look }
    }

    /// Subscribes although it looks right: the token is not shown, and may be another one.
    #[must_use]
    pub fn renewed(mut self) -> Self {
        self.is_renewed = true;
        self
    }

    /// The event types that are pushed to our address, or to others.
    fn types(&self, found: &[Subscription], ours: bool) -> Vec<i64> {
        let found = found.iter().filter(|found| (found.destination == self.wanted.destination) == ours);
        found.flat_map(|found| found.event_types.iter().copied()).collect()
    }

    /// What is to be done about what was found.
    fn plan(&self, found: &[Subscription]) -> Stage {
        let (ours, others) = (self.types(found, true), self.types(found, false));
        let wanted = &self.wanted.event_types;
        // An end counts for every address, so what somebody else has, too, goes on.
        let is_stale = |code: &i64| !wanted.contains(code) && !others.contains(code);
        let stale: Vec<i64> = ours.iter().copied().filter(is_stale).collect();
        if !stale.is_empty() {
            Stage::End(stale)
        } else if self.is_renewed || wanted.iter().any(|code| !ours.contains(code)) {
            Stage::Begin
        } else {
            Stage::Done(Ok(Subscribed::Already))
        }
    }

    fn next(&self, reply: Result<HttpResponse, Failure>) -> Result<Stage, RetryReason> {
        let stamp = self.stamp.clone();
        match &self.stage {
            Stage::Look => {
                let call = ViewSubscriptions::new(&self.site, stamp);
                Ok(self.plan(&answer(reply, |response| call.response(response))?))
            }
            Stage::End(stale) => {
                let call = Unsubscribe::new(&self.site, stale.clone(), stamp);
                answer(reply, |response| call.response(response)).map(|()| Stage::Begin)
            }
            Stage::Begin => {
                let call = Subscribe::new(&self.site, self.wanted.clone(), self.token.clone(), stamp);
                answer(reply, |response| call.response(response)).map(|()| Stage::LookAgain)
            }
            Stage::LookAgain => {
                let call = ViewSubscriptions::new(&self.site, stamp);
                let found = answer(reply, |response| {
                    let ours = self.types(&call.response(response)?, true);
                    let is_there = self.wanted.event_types.iter().all(|code| ours.contains(code));
                    let evidence = Evidence::of(response);
                    let expected = "a list with the subscription just made";
                    if is_there { Ok(()) } else { Err(CallError::Unreadable { expected, evidence }) }
                });
                found.map(|()| Stage::Done(Ok(Subscribed::Renewed)))
            }
            Stage::Done(end) => Ok(Stage::Done(end.clone())),
        }
    }
}

impl Flow for KeepSubscribed {
    type Output = Result<Subscribed, RetryReason>;

    fn poll(&mut self) -> Step<Self::Output> {
        let (site, stamp) = (&self.site, self.stamp.clone());
        match &self.stage {
            Stage::Look | Stage::LookAgain => Step::Send(ViewSubscriptions::new(site, stamp).request()),
            Stage::End(stale) => Step::Send(Unsubscribe::new(site, stale.clone(), stamp).request()),
            Stage::Begin => Step::Send(Subscribe::new(site, self.wanted.clone(), self.token.clone(), stamp).request()),
            Stage::Done(end) => Step::Done(end.clone()),
        }
    }

    fn handle(&mut self, reply: Result<HttpResponse, Failure>) {
        self.stage = self.next(reply).unwrap_or_else(|reason| Stage::Done(Err(reason)));
        self.stamp = self.stamp.next();
    }
}
