//! What both flows begin with: the tenant, what is kept of it, and an access, by a token that is kept or asked for.

use chrono::{DateTime, TimeDelta, Utc};

use super::access::Held;
use super::{Access, Auth, RequestToken, Session, SuccessFactors};
use crate::answer::{answer, asked_wait};
use crate::{CallError, Credential, Endpoint as _, Failure, HttpResponse, RetryReason};

/// One flow's way in.
pub(super) struct Login {
    pub(super) tenant: SuccessFactors,
    pub(super) session: Session,
    pub(super) now: DateTime<Utc>,
    /// What the first of two steps gave.
    id_token: Option<Credential>,
    /// Whether a refused token may be renewed: a kept one may, once.
    may_renew: bool,
}

/// What comes next.
pub(super) enum Entry {
    Open(Access),
    Ask(RequestToken),
    /// There is nothing to log in with.
    Closed,
}

impl Login {
    pub(super) fn new(tenant: &SuccessFactors, now: DateTime<Utc>) -> Self {
        Self { tenant: tenant.clone(), session: Session::default(), now, id_token: None, may_renew: false }
    }

    pub(super) fn keep(&mut self, session: Session) {
        self.may_renew = session.held.is_some();
        self.session = session;
    }

    pub(super) fn next(&self) -> Entry {
        let Self { tenant, session, now, .. } = self;
        if tenant.auth() == Auth::Basic {
            return Entry::Open(Access::Basic);
        }
        // One of unknown life is good for the flow that got it.
        if let Some(held) = session.held.as_ref().filter(|held| held.is_fresh(*now) || held.since == *now) {
            return Entry::Open(Access::Bearer(held.token.clone()));
        }
        match (tenant.auth(), &self.id_token, &session.assertion) {
            (Auth::Ias, Some(id_token), _) => Entry::Ask(RequestToken::ias_exchange(tenant, id_token.clone())),
            (Auth::Ias, None, _) if tenant.settings().ias_two_step => Entry::Ask(RequestToken::ias_id_token(tenant)),
            (Auth::Ias, None, _) => Entry::Ask(RequestToken::ias(tenant)),
            (Auth::Saml, _, Some(assertion)) => Entry::Ask(RequestToken::saml(tenant, assertion.clone())),
            (Auth::Saml, _, None) | (Auth::BearerCommand | Auth::Basic, ..) => Entry::Closed,
        }
    }

    /// Keeps what was answered to [`Entry::Ask`], or says why there is no token, and how long the server asks to wait.
    pub(super) fn after(
        &mut self,
        call: &RequestToken,
        reply: Result<HttpResponse, Failure>,
    ) -> Result<(), (Option<TimeDelta>, RetryReason)> {
        let asked = asked_wait(&reply);
        let answered = answer(reply, |response| call.response(response));
        if matches!(answered, Ok(_) | Err(RetryReason::Call(CallError::Unauthorized(_)))) {
            self.session.assertion = None;
        }
        let token = answered.map_err(|reason| (asked, reason))?;
        if call.is_first_of_two() {
            self.id_token = Some(token.expose().into());
        } else {
            self.id_token = None;
            self.session.held = Some(Held { token, since: self.now });
        }
        Ok(())
    }

    /// The token was refused. Whether another one is to be asked for.
    pub(super) fn is_renewed(&mut self) -> bool {
        self.session.held = None;
        let may_renew = core::mem::take(&mut self.may_renew);
        may_renew && matches!(self.next(), Entry::Ask(_))
    }
}
