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
use gateway::store::StoreError;
use punch_erp::{Mapping, Outcome};
use punch_webhook::{ReceiveError, ReceivedEvent, ReceivedPunch, Verified, Verifier, Waiting};
use serde_json::{Value, json};
use sinks::{Reach, Takes, telling};
use tokio::net::TcpListener;

use crate::Settings;
use crate::hikcentral::Source;
use crate::table::{Letter, Progress, Table};
use crate::worker::{Due, Worker};

/// Receives events, remembers them on disk, and has them written to the ERP.
#[derive(Debug)]
pub struct Inbox {
    /// Where it listens.
    pub addr: SocketAddr,
    listener: TcpListener,
    table: Table,
    verifier: Option<Verifier>,
    source: Option<Arc<Source>>,
    mapping: Option<Arc<Mapping>>,
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
        let verifier = settings.secret.as_ref().map(Verifier::new);
        Ok(Self { addr, listener, table, verifier, source: None, mapping: settings.mapping.clone() })
    }

    /// Takes events from a source besides, or in the place of, the webhook.
    #[must_use]
    pub fn fed_by(mut self, source: Source) -> Self {
        self.source = Some(Arc::new(source));
        self
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
        let worker = Worker::start(self.table.clone(), self.mapping, reach, max_in_flight, write).await?;
        let mailbox = Mailbox { table: self.table, worker };
        let door = Arc::new(Door { mailbox: mailbox.clone(), source: self.source.clone() });
        let mut router =
            Router::new().route("/health", get(health)).route("/webhook/health", get(health)).with_state(door);
        if let Some(verifier) = self.verifier {
            let slot = Arc::new(Slot { mailbox: mailbox.clone(), verifier, takes });
            let mut webhook = Router::new();
            for path in ["/webhook", "/webhook/asistencia", "/webhooks/attendance"] {
                webhook = webhook.route(path, post(receive));
            }
            router = router.merge(webhook.layer(DefaultBodyLimit::max(Verified::MAX_BODY)).with_state(slot));
        }
        let feeding = match &self.source {
            Some(source) => {
                router = router.merge(source.routes(&mailbox));
                Arc::clone(source).feed(mailbox)
            }
            None => Box::pin(std::future::pending()),
        };
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::select! {
            served = async { axum::serve(self.listener, service).await } => served.context("listener"),
            fed = feeding => fed,
        }
    }
}

/// Where events are stored and from where they are written: one place for the webhook and for sources.
#[derive(Debug, Clone)]
pub(crate) struct Mailbox {
    pub(crate) table: Table,
    worker: Worker,
}

impl Mailbox {
    /// Stores punches, and has those that are new written. Which ones are new.
    pub(crate) async fn take(&self, letters: Vec<Letter>) -> Result<Vec<bool>, StoreError> {
        let taken = self.table.remember(letters, now()).await?;
        let write = |waiting: Option<Waiting>| waiting.map(|waiting| self.worker.write(waiting)).is_some();
        Ok(taken.into_iter().map(write).collect())
    }
}

#[derive(Debug)]
struct Door {
    mailbox: Mailbox,
    source: Option<Arc<Source>>,
}

#[derive(Debug)]
struct Slot {
    mailbox: Mailbox,
    verifier: Verifier,
    takes: Takes,
}

async fn health(State(door): State<Arc<Door>>) -> Response {
    match door.mailbox.table.progress().await {
        Ok(Progress { waiting, done, parked }) => {
            let mut health = json!({ "waiting": waiting, "done": done, "parked": parked });
            if let (Some(source), Some(health)) = (&door.source, health.as_object_mut()) {
                health.insert("source".to_owned(), source.health());
            }
            answer(StatusCode::OK, &health)
        }
        Err(error) => answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "error": error.to_string() })),
    }
}

async fn receive(State(slot): State<Arc<Slot>>, headers: HeaderMap, body: Bytes) -> Response {
    let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let verified = match slot.verifier.verify(pairs, &body, now()) {
        Ok(verified) => verified,
        Err(error) => {
            tracing::warn!(%error, "signature");
            return answer(StatusCode::UNAUTHORIZED, &json!({ "error": "Invalid signature" }));
        }
    };
    let letters = match slot.letters(&verified) {
        Ok(letters) => letters,
        Err(error) => {
            tracing::warn!(%error, "event");
            return answer(StatusCode::BAD_REQUEST, &json!({ "error": error.to_string(), "code": error.reason() }));
        }
    };
    // What is not remembered is taken note of and forgotten, which is no duplicate.
    if letters.is_empty() {
        return answer(StatusCode::OK, &json!({ "received": true, "status": "ok" }));
    }
    match slot.mailbox.take(letters).await.map(|taken| taken.contains(&true)) {
        Ok(true) => answer(StatusCode::OK, &json!({ "received": true, "status": "ok" })),
        Ok(false) if slot.takes == Takes::Tellings => {
            // The word of the sample that writes to a table of its own.
            answer(StatusCode::OK, &json!({ "received": true, "duplicate": true, "status": "duplicado" }))
        }
        Ok(false) => answer(StatusCode::OK, &json!({ "received": true, "duplicate": true })),
        Err(error) => {
            tracing::error!(%error, "not remembered, the sender will try again");
            answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "error": "not stored" }))
        }
    }
}

impl Slot {
    /// What a body, or its list, has that is remembered: each with its own bytes.
    fn letters(&self, verified: &Verified<'_>) -> Result<Vec<Letter>, ReceiveError> {
        let mut letters = Vec::new();
        for one in verified.each()? {
            let event = one.event()?;
            let Some((punch, _)) = telling(&event).filter(|_| self.takes.wants(&event)) else { continue };
            letters.push(Letter::new(event.event_id().to_string(), punch, one.body().to_vec()));
        }
        Ok(letters)
    }
}

pub(crate) fn answer(status: StatusCode, body: &Value) -> Response {
    (status, axum::Json(body)).into_response()
}
