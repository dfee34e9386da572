//! Receives webhooks: verifies each, stores it once by its `event_id`, and only then answers. Everything below the lints
//! is the Rust block of `docs/receivers.md`.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a program reads the clock and prints, and std is there"
)]

use std::env::var;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Json, Router, routing::post};
use chrono::Utc;
use punch_webhook::{Secret, Verified, Verifier};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

struct Receiver {
    verifier: Verifier,
    store: Mutex<Connection>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = Secret::new(var("WEBHOOK_SECRET").map_err(|_| "set WEBHOOK_SECRET")?)?;
    let store = Connection::open(var("STORE").unwrap_or_else(|_| "events.sqlite".to_owned()))?;
    store.execute_batch("CREATE TABLE IF NOT EXISTS events (event_id TEXT PRIMARY KEY, body BLOB NOT NULL)")?;
    let receiver = Arc::new(Receiver { verifier: Verifier::new(&secret), store: Mutex::new(store) });
    let limit = DefaultBodyLimit::max(Verified::MAX_BODY);
    let router = Router::new().route("/webhook", post(receive)).layer(limit).with_state(receiver);
    let port = var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("receiving on http://{}/webhook", listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}

async fn receive(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> (StatusCode, Json<Value>) {
    let Ok(verified) = receiver.verifier.verify(&headers, &body, Utc::now()) else {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "Invalid signature" })));
    };
    // The event of the body, or those of its list.
    let events: Result<Vec<_>, _> = verified
        .each()
        .and_then(|each| each.into_iter().map(|one| Ok((one.event()?.event_id().to_string(), one.body()))).collect());
    let Ok(events) = events else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "No event" })));
    };
    // SQLite waits for the disk, and other requests must not wait with it.
    match tokio::task::block_in_place(|| receiver.store(&events)) {
        Ok(true) => (StatusCode::OK, Json(json!({ "received": true }))),
        Ok(false) => (StatusCode::OK, Json(json!({ "received": true, "duplicate": true }))),
        // Not stored, so not a 2xx: the event comes again.
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": "Not stored" }))),
    }
}

impl Receiver {
    /// Whether one of them is new. They are on disk when this returns.
    fn store(&self, events: &[(String, &[u8])]) -> rusqlite::Result<bool> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = store.transaction()?;
        let insert = "INSERT INTO events (event_id, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        let mut is_new = false;
        for (event_id, body) in events {
            is_new |= transaction.execute(insert, params![event_id, body])? == 1;
        }
        transaction.commit()?;
        Ok(is_new)
    }
}
