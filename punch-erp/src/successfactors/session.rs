use alloc::collections::{BTreeSet, VecDeque};
use core::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::access::Held;
use super::{CallBudget, TimeEventId, Token};
use crate::Credential;

/// What is kept from one flow to the next: the token, the count of calls, and which events a refused call is narrowed down
/// to. One for each tenant; flows follow each other, never side by side.
///
/// All of it may be lost: the next flow asks for a token and begins with whole calls. Keep [`budget`](Self::budget) over
/// restarts. `Debug` shows no credential.
#[derive(Clone, Default)]
pub struct Session {
    pub(super) held: Option<Held>,
    pub(super) assertion: Option<Credential>,
    pub(super) budget: CallBudget,
    /// Parts of a refused call, each to be sent by itself, before anything else.
    pub(super) suspects: VecDeque<BTreeSet<TimeEventId>>,
}

impl Session {
    /// The same with a token that was got elsewhere at this time.
    #[must_use]
    pub fn with_token(mut self, token: Token, since: DateTime<Utc>) -> Self {
        self.held = Some(Held { token, since });
        self
    }

    /// The same with a signed SAML assertion in base64. It serves for one token: servers may refuse to see it twice.
    #[must_use]
    pub fn with_assertion(mut self, assertion: impl Into<Credential>) -> Self {
        self.assertion = Some(assertion.into());
        self
    }

    /// The same with a count of calls that was kept.
    #[must_use]
    pub fn with_budget(mut self, budget: CallBudget) -> Self {
        self.budget = budget;
        self
    }

    /// The count of calls.
    pub fn budget(&self) -> &CallBudget {
        &self.budget
    }

    /// How long the token is good for, if there is one.
    pub fn token_is_good_for(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let held = self.held.as_ref().filter(|held| held.is_fresh(now))?;
        held.token.renew_after().checked_sub(&now.signed_duration_since(held.since))
    }

    /// Whether a refused call is being narrowed down to the event that is to blame.
    pub fn is_narrowing_down(&self) -> bool {
        !self.suspects.is_empty()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("held", &self.held)
            .field("budget", &self.budget)
            .field("suspects", &self.suspects.len())
            .finish_non_exhaustive()
    }
}
