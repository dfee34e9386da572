//! A push: who sends it, what it says, and what it is answered.

use http::{HeaderMap, StatusCode};
use punch_erp::hikcentral::{Receiver, read_notification};
use serde_json::json;
use sinks::clock::now;

use super::HikCentralSource;
use crate::{Answer, Keep};

impl HikCentralSource {
    /// Whether whoever pushes knows the token; else what they are answered.
    ///
    /// # Errors
    ///
    /// The answer.
    pub fn admit(&self, headers: &HeaderMap) -> Result<(), Answer> {
        let token = headers.get(Receiver::HEADER).map(|value| value.as_bytes());
        if self.settings.receiver.as_ref().is_some_and(|receiver| receiver.admits(token)) {
            return Ok(());
        }
        self.refused();
        tracing::warn!("a push without the token of the subscription");
        Err(refusal(StatusCode::UNAUTHORIZED, "wrong token"))
    }

    /// Stores what is good of an admitted push before it is answered. What is bad costs no neighbour.
    pub async fn receive<K: Keep>(&self, keep: &K, body: &[u8]) -> Answer {
        let readings = match read_notification(body, &self.settings.rules) {
            Ok(readings) => readings,
            Err(error) => {
                self.refused();
                tracing::warn!(%error, "a push that cannot be read");
                return refusal(StatusCode::BAD_REQUEST, error.reason());
            }
        };
        self.seen.lock().last_push = Some(now());
        match self.take(keep, readings).await {
            Ok(()) => Answer::new(StatusCode::OK, Receiver::OK),
            Err(error) => {
                // It is pushed again, and found by the next reading.
                tracing::error!(%error, "a push is not stored");
                refusal(StatusCode::SERVICE_UNAVAILABLE, "not stored")
            }
        }
    }
}

fn refusal(status: StatusCode, message: &str) -> Answer {
    Answer::new(status, json!({ "code": "1", "msg": message }).to_string())
}
