//! How a flow comes to its access: a token that is kept, or one that is asked for.

use chrono::{DateTime, Utc};

use super::access::Held;
use super::{Access, Auth, RequestToken, Session, SuccessFactors};
use crate::answer::answer;
use crate::{CallError, Credential, Endpoint as _, Failure, HttpResponse, RetryReason};

/// One flow's way in.
#[derive(Default)]
pub(super) struct Login {
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
    pub(super) fn with(session: &Session) -> Self {
        Self { id_token: None, may_renew: session.held.is_some() }
    }

    pub(super) fn next(&self, tenant: &SuccessFactors, session: &Session, now: DateTime<Utc>) -> Entry {
        if tenant.auth() == Auth::Basic {
            return Entry::Open(Access::Basic);
        }
        // One of unknown life is good for the flow that got it.
        if let Some(held) = session.held.as_ref().filter(|held| held.is_fresh(now) || held.since == now) {
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

    /// Keeps what was answered to [`Entry::Ask`], or says why there is no token.
    pub(super) fn after(
        &mut self,
        call: &RequestToken,
        session: &mut Session,
        now: DateTime<Utc>,
        reply: Result<HttpResponse, Failure>,
    ) -> Result<(), RetryReason> {
        let answered = answer(reply, |response| call.response(response));
        if matches!(answered, Ok(_) | Err(RetryReason::Call(CallError::Unauthorized(_)))) {
            session.assertion = None;
        }
        let token = answered?;
        if call.is_first_of_two() {
            self.id_token = Some(token.expose().into());
        } else {
            self.id_token = None;
            session.held = Some(Held { token, since: now });
        }
        Ok(())
    }

    /// The token was refused. Whether another one is to be asked for.
    pub(super) fn is_renewed(&mut self, tenant: &SuccessFactors, session: &mut Session, now: DateTime<Utc>) -> bool {
        session.held = None;
        let may_renew = core::mem::take(&mut self.may_renew);
        may_renew && matches!(self.next(tenant, session, now), Entry::Ask(_))
    }
}
