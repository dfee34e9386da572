//! A push: who sends it, what it says, and what it is answered.

use std::net::IpAddr;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use gateway::clock::now;
use punch_erp::hikcentral::{Receiver, read_notification};
use serde_json::{Value, json};

use super::{Source, lock};
use crate::inbox::{Mailbox, answer};

impl Source {
    /// Stores what is good of a push before it is answered. What is bad costs no neighbour.
    pub(super) async fn receive(&self, mailbox: &Mailbox, peer: IpAddr, headers: &HeaderMap, body: Bytes) -> Response {
        if self.allowed.as_ref().is_some_and(|allowed| !allowed.contains(&peer.to_canonical())) {
            tracing::warn!(%peer, "a push from an address that is not in HIK_ALLOW_FROM");
            return refusal(StatusCode::FORBIDDEN, "address not allowed");
        }
        let token = headers.get(Receiver::HEADER).map(|value| value.as_bytes());
        if !self.receiver.as_ref().is_some_and(|receiver| receiver.admits(token)) {
            tracing::warn!(%peer, "a push without the token of the subscription");
            return refusal(StatusCode::UNAUTHORIZED, "wrong token");
        }
        let readings = match read_notification(&body, &self.rules) {
            Ok(readings) => readings,
            Err(error) => {
                tracing::warn!(%peer, %error, "a push that cannot be read");
                return refusal(StatusCode::BAD_REQUEST, error.reason());
            }
        };
        lock(&self.seen).last_push = Some(now());
        match self.take(mailbox, readings).await {
            Ok(()) => answer(StatusCode::OK, &serde_json::from_str(Receiver::OK).unwrap_or(Value::Null)),
            Err(error) => {
                // It is pushed again, and found by the next reading.
                tracing::error!(%error, "a push is not stored");
                refusal(StatusCode::SERVICE_UNAVAILABLE, "not stored")
            }
        }
    }
}

fn refusal(status: StatusCode, message: &str) -> Response {
    answer(status, &json!({ "code": "1", "msg": message }))
}
