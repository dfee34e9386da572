//! Who we are at a terminal, and calls that are not a search: sent once, and once more with a login where one is asked for.

use std::sync::{Mutex, MutexGuard, PoisonError};

use punch_erp::isapi::{DigestChallenge, DigestSession, IsapiTerminal};
use punch_erp::{Failure, HttpRequest, HttpResponse};

use super::{IsapiSource, random_text};

/// A login, kept from one request to the next.
#[derive(Debug, Default)]
pub(super) struct Login(Mutex<Option<DigestSession>>);

impl Login {
    pub(super) fn session(&self) -> MutexGuard<'_, Option<DigestSession>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The request with it, if there is one.
    pub(super) fn sign(&self, terminal: &IsapiTerminal, request: &HttpRequest) -> HttpRequest {
        let mut request = request.clone();
        if let Some(session) = self.session().as_mut() {
            terminal.log_in(&mut request, session, &random_text());
        }
        request
    }

    /// Whether the answer is a challenge that can be met; it is the login from then on. A terminal locks whoever tries often, so
    /// it is met once, and once more if only its number had become too old.
    pub(super) fn meets(&self, response: &HttpResponse, tried: u8) -> bool {
        if response.status() != http::StatusCode::UNAUTHORIZED {
            return false;
        }
        let Some(challenge) = DigestChallenge::of(response.headers()) else { return false };
        let may = tried == 0 || (challenge.is_stale && tried < 2);
        if may {
            let mut session = self.session();
            *session = Some(DigestSession::renewed(session.as_ref(), challenge));
        }
        may
    }
}

impl IsapiSource {
    /// Sends a request, logging in on the way.
    pub(super) async fn call(&self, request: &HttpRequest) -> Result<HttpResponse, Failure> {
        let mut tried = 0;
        loop {
            let signed = self.session.sign(&self.settings.terminal, request);
            let response = self.settings.transport.send(signed).await?;
            if !self.session.meets(&response, tried) {
                return Ok(response);
            }
            tried += 1;
        }
    }
}
