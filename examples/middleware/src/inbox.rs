use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use chrono::TimeDelta;
use gateway::clock::now;
use punch_erp::Outcome;
use punch_webhook::{ReceiveError, ReceivedEvent, ReceivedPunch, Verified, Verifier};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::Settings;
use crate::table::{Progress, Table};
use crate::worker::{Due, Reach, Worker};

/// Receives events, remembers them on disk, and has them written to the ERP.
#[derive(Debug)]
pub struct Inbox {
    /// Where it listens.
    pub addr: SocketAddr,
    listener: TcpListener,
    table: Table,
    verifier: Verifier,
}

/// Calls to an ERP at once: it is slower than a webhook receiver, and some serialise their writers.
const IN_FLIGHT: usize = 4;

impl Inbox {
    /// Opens the file and the port.
    ///
    /// # Errors
    ///
    /// One of them cannot be opened.
    pub async fn open(settings: &Settings) -> anyhow::Result<Self> {
        let table = Table::open(&settings.path)?;
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, settings.port)).await;
        let listener = listener.with_context(|| format!("listen on port {}; set PORT", settings.port))?;
        let addr = listener.local_addr()?;
        Ok(Self { addr, listener, table, verifier: Verifier::new(&settings.secret) })
    }

    /// Serves for ever. `write` is called in order per person, one at a time, until it says that it is done;
    /// what it parks is kept and shown.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or the listener failed.
    pub async fn serve<W, F>(self, write: W) -> anyhow::Result<()>
    where
        W: Fn(ReceivedPunch) -> F + Send + 'static,
        F: Future<Output = Outcome> + Send + 'static,
    {
        self.serve_many(IN_FLIGHT, write).await
    }

    /// The same for an ERP that is written to in batches: up to `max_in_flight` punches are given to `write` before the
    /// first of them is answered for. Of each person it is still one at a time.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or the listener failed.
    pub async fn serve_many<W, F>(self, max_in_flight: usize, write: W) -> anyhow::Result<()>
    where
        W: Fn(ReceivedPunch) -> F + Send + 'static,
        F: Future<Output = Outcome> + Send + 'static,
    {
        let one_by_one = move |due: Due| {
            let writing: Vec<_> = due.punches.into_iter().map(&write).collect();
            async move {
                let mut outcomes = Vec::new();
                for one in writing {
                    outcomes.push(one.await);
                }
                outcomes
            }
        };
        self.run(None, Takes::Punches, max_in_flight, one_by_one).await
    }

    /// The same for an ERP whose records are made of several punches: with each punch `write` gets the others of the
    /// person up to `reach` before and after it, each as it was told last, and it answers for all of them. A direction
    /// that is told anew is such a punch again.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or the listener failed.
    pub async fn serve_people<W, F>(self, reach: TimeDelta, write: W) -> anyhow::Result<()>
    where
        W: Fn(Vec<ReceivedPunch>) -> F + Send + 'static,
        F: Future<Output = Vec<Outcome>> + Send + 'static,
    {
        let reach = Some(Reach { time: reach, waiting_only: false });
        self.run(reach, Takes::Revisions, IN_FLIGHT, move |due| write(due.punches)).await
    }

    /// The same for an ERP that takes one punch at a time, and each only after the one before it: with each punch `write`
    /// gets those of the person that are waiting, or were parked for want of another one.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or the listener failed.
    pub async fn serve_waiting<W, F>(self, reach: TimeDelta, write: W) -> anyhow::Result<()>
    where
        W: Fn(Vec<ReceivedPunch>) -> F + Send + 'static,
        F: Future<Output = Vec<Outcome>> + Send + 'static,
    {
        let reach = Some(Reach { time: reach, waiting_only: true });
        self.run(reach, Takes::Revisions, IN_FLIGHT, move |due| write(due.punches)).await
    }

    /// The same for whoever keeps what is told as it is told: punches, revisions and late ones, each by itself.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or the listener failed.
    pub async fn serve_tellings<W, F>(self, write: W) -> anyhow::Result<()>
    where
        W: Fn(ReceivedEvent) -> F + Send + 'static,
        F: Future<Output = Outcome> + Send + 'static,
    {
        let one_by_one = move |due: Due| {
            let writing = write(due.event);
            async { vec![writing.await] }
        };
        self.run(None, Takes::Tellings, IN_FLIGHT, one_by_one).await
    }

    async fn run<W, F>(self, reach: Option<Reach>, takes: Takes, max_in_flight: usize, write: W) -> anyhow::Result<()>
    where
        W: Fn(Due) -> F + Send + 'static,
        F: Future<Output = Vec<Outcome>> + Send + 'static,
    {
        let worker = Worker::start(self.table.clone(), reach, max_in_flight, write).await?;
        let door = Arc::new(Door { table: self.table, verifier: self.verifier, worker, takes });
        let mut router = Router::new().route("/health", get(health));
        for path in ["/webhook", "/webhook/asistencia", "/webhooks/attendance"] {
            router = router.route(path, post(receive));
        }
        let router = router.layer(DefaultBodyLimit::max(Verified::MAX_BODY)).with_state(door);
        axum::serve(self.listener, router).await.context("listener")
    }
}

#[derive(Debug)]
struct Door {
    table: Table,
    verifier: Verifier,
    worker: Worker,
    takes: Takes,
}

/// Which events are remembered. The others are answered and forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Punches: where a punch is a record of its own, it says what it said first.
    Punches,
    /// Punches and what was told of them anew.
    Revisions,
    /// These, and what belongs to a closed pay period.
    Tellings,
}

async fn health(State(door): State<Arc<Door>>) -> Response {
    match door.table.progress().await {
        Ok(Progress { waiting, done, parked }) => {
            answer(StatusCode::OK, &json!({ "waiting": waiting, "done": done, "parked": parked }))
        }
        Err(error) => answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "error": error.to_string() })),
    }
}

async fn receive(State(door): State<Arc<Door>>, headers: HeaderMap, body: Bytes) -> Response {
    let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let verified = match door.verifier.verify(pairs, &body, now()) {
        Ok(verified) => verified,
        Err(error) => {
            tracing::warn!(%error, "signature");
            return answer(StatusCode::UNAUTHORIZED, &json!({ "error": "Invalid signature" }));
        }
    };
    let told = match door.told(&verified) {
        Ok(told) => told,
        Err(error) => {
            tracing::warn!(%error, "event");
            return answer(StatusCode::BAD_REQUEST, &json!({ "error": error.to_string(), "code": error.reason() }));
        }
    };
    // What is not remembered is taken note of and forgotten, which is no duplicate.
    let mut is_new = told.is_empty();
    for (event_id, punch, body) in told {
        match door.table.remember(event_id.clone(), &punch, body, now()).await {
            Ok(Some(waiting)) => {
                door.worker.write(waiting);
                is_new = true;
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, event_id, "not remembered, the sender will try again");
                return answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "error": "not stored" }));
            }
        }
    }
    let said = match is_new {
        true => json!({ "received": true }),
        // The word of the sample that writes to a table of its own.
        false if door.takes == Takes::Tellings => json!({ "received": true, "duplicate": true, "status": "duplicado" }),
        false => json!({ "received": true, "duplicate": true }),
    };
    answer(StatusCode::OK, &said)
}

impl Door {
    /// What a body, or its list, has that is remembered: each with its id and its own bytes.
    fn told(&self, verified: &Verified<'_>) -> Result<Vec<(String, ReceivedPunch, Vec<u8>)>, ReceiveError> {
        let mut told = Vec::new();
        for one in verified.each()? {
            let (event_id, punch) = match one.event()? {
                ReceivedEvent::Punch(punch) => (punch.event_id.to_string(), punch),
                ReceivedEvent::Revised(it) if self.takes != Takes::Punches => (it.event_id.to_string(), it.punch),
                ReceivedEvent::Late(it) if self.takes == Takes::Tellings => (it.event_id.to_string(), it.punch),
                _ => continue,
            };
            told.push((event_id, punch, one.body().to_vec()));
        }
        Ok(told)
    }
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, axum::Json(body)).into_response()
}
