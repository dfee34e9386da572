use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

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
use sinks::{Gather, Reach, Takes, telling};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::Settings;
use crate::hikcentral::Source;
use crate::shifts::{Advance, keep_telling};
use crate::table::{Letter, Progress, Standing, Table};
use crate::worker::{Due, Worker};

/// Receives events, remembers them on disk, and has them written to the ERP.
pub struct Inbox {
    /// Where it listens.
    pub addr: SocketAddr,
    listener: TcpListener,
    table: Table,
    verifier: Option<Verifier>,
    source: Option<Arc<Source>>,
    mapping: Option<Arc<Mapping>>,
    sample_answers: bool,
    advance: Option<Advance>,
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("addr", &self.addr).finish_non_exhaustive()
    }
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
        Ok(Self {
            addr,
            listener,
            table,
            verifier,
            source: None,
            mapping: settings.mapping.clone(),
            sample_answers: settings.sample_answers,
            advance: None,
        })
    }

    /// Takes events from a source besides, or in the place of, the webhook.
    #[must_use]
    pub fn fed_by(mut self, source: Source) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Tells an ERP that closes days up to when everything is written, as far as `site.watermark` says so.
    #[must_use]
    pub fn advancing(mut self, advance: Option<Advance>) -> Self {
        self.advance = advance;
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
    /// that is told anew is such a punch again. What comes while it is busy it gets at once, of up to 50 people.
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
        let gather = Gather::start(write);
        self.run(reach, Takes::Revisions, Gather::ROOM, move |due| gather.write(due.punches)).await
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
        let (mailbox, table) = (Mailbox { table: self.table.clone(), worker }, self.table);
        let door = Arc::new(Door { mailbox: mailbox.clone(), source: self.source.clone() });
        let mut router =
            Router::new().route("/health", get(health)).route("/webhook/health", get(health)).with_state(door);
        if let Some(verifier) = self.verifier {
            let (mailbox, sample_answers) = (mailbox.clone(), self.sample_answers);
            let slot = Arc::new(Slot { mailbox, verifier, takes, sample_answers });
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
        let advancing: Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>> = match self.advance {
            Some(advance) => Box::pin(keep_telling(table, advance)),
            None => Box::pin(std::future::pending()),
        };
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::select! {
            served = async { axum::serve(self.listener, service).await } => served.context("listener"),
            fed = feeding => fed,
            told = advancing => told,
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

impl Mailbox {
    /// Waits until it is known how an event stands, which is written again if it was parked.
    async fn rewrite(&self, event_id: String, deadline: Instant) -> Result<Standing, StoreError> {
        if let Some(waiting) = self.table.revive(event_id.clone(), now()).await? {
            self.worker.write(waiting);
        }
        loop {
            let standing = self.table.standing(event_id.clone()).await?;
            if standing != Standing::Waiting || Instant::now() >= deadline {
                return Ok(standing);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
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
    sample_answers: bool,
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
    if let Err(error) = slot.take_watermarks(&verified).await {
        tracing::error!(%error, "not remembered, the sender will try again");
        return answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "error": "not stored" }));
    }
    // What is not remembered is taken note of and forgotten, which is no duplicate.
    if letters.is_empty() {
        return answer(StatusCode::OK, &json!({ "received": true, "status": "ok" }));
    }
    let ids: Vec<String> = letters.iter().map(|letter| letter.event_id.clone()).collect();
    match slot.mailbox.take(letters).await.map(|taken| taken.contains(&true)) {
        Ok(_) if slot.sample_answers => sample_answer(&slot.mailbox, ids).await,
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

/// How long the ERP may take where its answer is waited for. A sender waits 10 s.
const PATIENCE: Duration = Duration::from_secs(8);

/// The answer of the published samples. An event that was parked is tried again: somebody may have entered the badge.
async fn sample_answer(mailbox: &Mailbox, ids: Vec<String>) -> Response {
    let deadline = Instant::now() + PATIENCE;
    for id in ids {
        let standing = match mailbox.rewrite(id, deadline).await {
            Ok(standing) => standing,
            Err(error) => {
                tracing::error!(%error, "stored, and not known how it stands");
                Standing::Waiting
            }
        };
        let (status, error) = match &standing {
            Standing::Done => continue,
            // A departure that nobody arrived for is taken note of there.
            Standing::Parked(reason) if reason.ends_with("orphan_out") => continue,
            Standing::Parked(reason) if reason.ends_with("unknown_employee") => {
                (StatusCode::NOT_FOUND, reason.as_str())
            }
            Standing::Parked(reason) => (StatusCode::INTERNAL_SERVER_ERROR, reason.as_str()),
            Standing::Failed | Standing::Waiting => (StatusCode::INTERNAL_SERVER_ERROR, "not written yet"),
        };
        return answer(status, &json!({ "error": error }));
    }
    answer(StatusCode::OK, &json!({ "received": true, "status": "ok" }))
}

impl Slot {
    /// Remembers up to when sites have told everything.
    async fn take_watermarks(&self, verified: &Verified<'_>) -> Result<(), StoreError> {
        // What does not read was refused before.
        for one in verified.each().into_iter().flatten() {
            if let Ok(ReceivedEvent::SiteWatermark(told)) = one.event() {
                self.mailbox.table.set_watermark(&told.site, told.complete_to).await?;
            }
        }
        Ok(())
    }

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
