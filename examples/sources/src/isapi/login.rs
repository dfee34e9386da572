//! Calls that are not a search: sent once, and once more with a login where one is asked for.

use punch_erp::isapi::{DigestChallenge, DigestSession};
use punch_erp::{Failure, HttpRequest, HttpResponse};

use super::{IsapiSource, random_text};

impl IsapiSource {
    /// With the login of before, if there is one.
    pub(super) fn signed(&self, request: &HttpRequest) -> HttpRequest {
        let mut request = request.clone();
        if let Some(session) = self.session().as_mut() {
            self.settings.terminal.log_in(&mut request, session, &random_text());
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
            *self.session() = Some(DigestSession::new(challenge));
        }
        may
    }

    /// Sends a request, logging in on the way.
    pub(super) async fn call(&self, request: &HttpRequest) -> Result<HttpResponse, Failure> {
        let mut tried = 0;
        loop {
            let response = self.settings.transport.send(self.signed(request)).await?;
            if !self.meets(&response, tried) {
                return Ok(response);
            }
            tried += 1;
        }
    }
}
