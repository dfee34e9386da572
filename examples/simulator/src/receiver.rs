//! A webhook receiver that verifies every signature and can misbehave by script.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use gateway::clock::now;
use punch_webhook::{ReceiveError, Secret, Verified, Verifier};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// One answer of a receiver, or what it does instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// This status.
    Status(u16),
    /// Nothing, ever.
    Silent,
    /// 200 whose body breaks off with the connection.
    Reset,
    /// 200 whose body never ends: a byte a second.
    Drip,
}

/// What is expected of the text of a [`Reply`].
pub const REPLIES: &str = "a status from 200 to 599, `silent`, `reset` or `drip`";

impl FromStr for Reply {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "silent" => Ok(Self::Silent),
            "reset" => Ok(Self::Reset),
            "drip" => Ok(Self::Drip),
            _ => {
                let status = text.parse().ok().filter(|status| (200..=599).contains(status));
                status.map(Self::Status).ok_or_else(|| format!("expected {REPLIES}"))
            }
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::Silent => f.write_str("silent"),
            Self::Reset => f.write_str("reset"),
            Self::Drip => f.write_str("drip"),
        }
    }
}

/// How a receiver answers.
#[derive(Debug, Clone)]
pub struct Script {
    /// Answers used in turn, again and again; empty means 200.
    pub replies: Vec<Reply>,
    /// Waits this long before it answers.
    pub delay: Duration,
}

impl Default for Script {
    fn default() -> Self {
        Self { replies: Vec::new(), delay: Duration::ZERO }
    }
}

/// One event that arrived, alone or in a list, or a request that had none.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The event, if the body was one and the signature held.
    pub event_id: Option<String>,
    /// Why it was refused.
    pub problem: Option<String>,
    /// What was answered.
    pub reply: Reply,
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
        Ok(verified) => events_of(&verified).map_err(|error| (400, error.to_string())),
        Err(error) => Err((401, error.to_string())),
    };
    let reply = match &read {
        Ok(_) => state.next_reply(),
        Err((status, _)) => Reply::Status(*status),
    };
    let problem = read.as_ref().err().map(|(_, problem)| problem.clone());
    let unread = |_| vec![(None, body.to_vec())];
    for (event_id, body) in
        read.map_or_else(unread, |events| events.into_iter().map(|(id, body)| (Some(id), body)).collect())
    {
        if let Some(id) = event_id.as_ref().filter(|_| matches!(reply, Reply::Status(200..300))) {
            *state.accepted.lock().unwrap_or_else(PoisonError::into_inner).entry(id.clone()).or_default() += 1;
        }
        // Whoever listened may be gone; the answer goes out all the same.
        drop(state.arrivals.send(Arrival { event_id, problem: problem.clone(), reply, body }));
    }
    let status = match reply {
        Reply::Status(status) => StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        Reply::Silent => core::future::pending().await,
        Reply::Reset => return endless(Duration::ZERO, true),
        Reply::Drip => return endless(Duration::from_secs(1), false),
    };
    match problem {
        Some(problem) => (status, axum::Json(json!({ "error": problem }))).into_response(),
        None => (status, axum::Json(json!({ "received": true }))).into_response(),
    }
}

/// The events of a body, or of its list, each with its id and its bytes.
fn events_of(verified: &Verified<'_>) -> Result<Vec<(String, Vec<u8>)>, ReceiveError> {
    let each = verified.each()?.into_iter();
    each.map(|one| Ok((one.event()?.event_id().to_string(), one.body().to_vec()))).collect()
}

/// 200 with a byte after each pause, or with one that is the last before the connection breaks.
fn endless(pause: Duration, breaks: bool) -> Response {
    let bytes = stream::unfold(0_u32, move |count| async move {
        tokio::time::sleep(pause).await;
        let broken = || Err(std::io::Error::other("broken off by the script"));
        let piece = if breaks && count > 0 { broken() } else { Ok(Bytes::from_static(b" ")) };
        Some((piece, count.saturating_add(1)))
    });
    Body::from_stream(bytes).into_response()
}

impl Inner {
    fn next_reply(&self) -> Reply {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let reply = turn.checked_rem(self.script.replies.len()).and_then(|index| self.script.replies.get(index));
        *turn += 1;
        reply.copied().unwrap_or(Reply::Status(200))
    }
}
