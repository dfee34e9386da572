use core::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use crate::Credential;

/// A token as it was answered. `Debug` shows nothing of it but how long it lives.
#[derive(Clone)]
pub struct Token {
    text: Credential,
    /// How long after its arrival a new one is to be got.
    renew_after: TimeDelta,
}

impl Token {
    /// How long before its end a token is renewed: 60 s.
    pub const MARGIN: TimeDelta = TimeDelta::seconds(60);

    /// A token that lives so long; none if that is not known, which does for one attempt.
    pub fn new(text: impl Into<Credential>, lives: Option<TimeDelta>) -> Self {
        let lives = lives.unwrap_or_default();
        let renew_after = lives.checked_sub(&Self::MARGIN).unwrap_or_default().max(TimeDelta::zero());
        Self { text: text.into(), renew_after }
    }

    /// How long after its arrival a new one is to be got.
    pub fn renew_after(&self) -> TimeDelta {
        self.renew_after
    }

    pub(super) fn expose(&self) -> &str {
        self.text.expose()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("renew_after", &self.renew_after).finish_non_exhaustive()
    }
}

/// What a call shows of who we are.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "the two schemes there are")]
pub enum Access {
    /// `Authorization: Bearer`.
    Bearer(Token),
    /// `Authorization: Basic`, with user and password of the settings.
    Basic,
}

/// A token and when it came.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) token: Token,
    pub(super) since: DateTime<Utc>,
}

impl Held {
    pub(super) fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        // A clock that was put back makes nothing younger.
        (TimeDelta::zero()..self.token.renew_after).contains(&now.signed_duration_since(self.since))
    }
}
