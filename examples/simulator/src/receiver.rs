//! A webhook receiver that verifies every signature and can misbehave by script.

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use gateway::clock::now;
use punch_webhook::{Secret, Verifier};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// How a receiver answers.
#[derive(Debug, Clone)]
pub struct Script {
    /// Statuses used in turn, again and again; empty means 200.
    pub statuses: Vec<u16>,
    /// Waits this long before it answers.
    pub delay: Duration,
}

impl Default for Script {
    fn default() -> Self {
        Self { statuses: Vec::new(), delay: Duration::ZERO }
    }
}

/// One request that arrived.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The event, if the body was one and the signature held.
    pub event_id: Option<String>,
    /// Why it was refused.
    pub problem: Option<String>,
    /// The status answered.
    pub status: u16,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// A running receiver.
#[derive(Debug)]
pub struct Receiver {
    /// Where it listens.
    pub addr: SocketAddr,
    state: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    verifier: Verifier,
    script: Script,
    turn: Mutex<usize>,
    accepted: Mutex<BTreeMap<String, u32>>,
    arrivals: mpsc::UnboundedSender<Arrival>,
}

impl Receiver {
    /// Listens on `addr` and reports every arrival.
    ///
    /// # Errors
    ///
    /// The address cannot be listened on.
    pub async fn start(
        addr: SocketAddr,
        secret: &Secret,
        script: Script,
    ) -> std::io::Result<(Self, mpsc::UnboundedReceiver<Arrival>)> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let (arrivals, reports) = mpsc::unbounded_channel();
        let state = Arc::new(Inner {
            verifier: Verifier::new(secret),
            script,
            turn: Mutex::new(0),
            accepted: Mutex::default(),
            arrivals,
        });
        let router = Router::new().fallback(receive).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((Self { addr, state }, reports))
    }

    /// How often each event was accepted with 200. More than once is legal: delivery is at least once.
    pub fn accepted(&self) -> BTreeMap<String, u32> {
        self.state.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn receive(State(state): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    tokio::time::sleep(state.script.delay).await;
    let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let read = match state.verifier.verify(pairs, &body, now()) {
        Ok(verified) => verified.event().map_err(|error| (400, error.to_string())),
        Err(error) => Err((401, error.to_string())),
    };
    let event_id = read.as_ref().ok().map(|event| event.event_id().to_string());
    let status = match &read {
        Ok(_) => state.next_status(),
        Err((status, _)) => *status,
    };
    if let Some(id) = event_id.as_ref().filter(|_| (200..300).contains(&status)) {
        *state.accepted.lock().unwrap_or_else(PoisonError::into_inner).entry(id.clone()).or_default() += 1;
    }
    let problem = read.err().map(|(_, problem)| problem);
    let arrival = Arrival { event_id, problem: problem.clone(), status, body: body.to_vec() };
    // Whoever listened may be gone; the answer goes out all the same.
    drop(state.arrivals.send(arrival));
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match problem {
        Some(problem) => (status, axum::Json(json!({ "error": problem }))).into_response(),
        None => (status, axum::Json(json!({ "received": true }))).into_response(),
    }
}

impl Inner {
    fn next_status(&self) -> u16 {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let status = turn.checked_rem(self.script.statuses.len()).and_then(|index| self.script.statuses.get(index));
        *turn += 1;
        status.copied().unwrap_or(200)
    }
}
