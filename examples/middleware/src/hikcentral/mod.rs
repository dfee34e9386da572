//! HikCentral as a source: its events are received, read again at intervals, and stored like those of the webhook.
//!
//! A push is answered once its events are on disk. What was missed is found by reading: the mark of how far moves only once
//! everything before it is stored. An event is taken once, by its id and by door, person and second.

mod environment;
mod feeding;
mod receiving;
mod taking;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit};
use axum::http::HeaderMap;
use axum::routing::post;
use chrono::{DateTime, Utc};
use gateway::clock::now;
use punch_erp::hikcentral::{
    HikCentral, HikCentralRules, KnownPeople, NOTIFICATION_BODY_MAX, PollRules, Receiver, Stamp, Subscription,
};
use punch_erp::passage::PersonScheme;
use punch_erp::{Failure, HttpRequest, HttpResponse, ReqwestTransport};
use serde_json::{Value, json};

use crate::inbox::Mailbox;

pub use environment::from_env;

/// What is to be done, as the first argument of the program says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Nothing is said: receive if there is a token, subscribe if there is an address, read at intervals.
    Serve,
    /// `once`: read what is new, have it written, end.
    Once,
    /// `receive`: receive only.
    Receive,
}

/// A HikCentral, and how its events are taken.
#[derive(Debug)]
pub struct Source {
    site: HikCentral,
    transport: ReqwestTransport,
    rules: HikCentralRules,
    employee_field: PersonScheme,
    poll: PollRules,
    begin: DateTime<Utc>,
    /// Where pushes are received; `None` where nobody may push.
    receiver: Option<Receiver>,
    /// Who may push, by address. None lets everybody who knows the token.
    allowed: Option<BTreeSet<IpAddr>>,
    subscription: Option<Subscription>,
    task: Task,
    dry_run: bool,
    people: Mutex<KnownPeople>,
    seen: Mutex<Seen>,
}

/// What `/health` tells.
#[derive(Debug, Default)]
struct Seen {
    punches: u64,
    known: u64,
    dropped: u64,
    quarantined: u64,
    without_direction: u64,
    last_event: Option<DateTime<Utc>>,
    last_push: Option<DateTime<Utc>>,
    read_to: Option<DateTime<Utc>>,
    is_subscribed: bool,
    error: Option<String>,
}

impl Source {
    /// The routes on which HikCentral pushes.
    pub(crate) fn routes(self: &Arc<Self>, mailbox: &Mailbox) -> Router {
        let mut router = Router::new();
        if self.receiver.is_none() || self.task == Task::Once {
            return router;
        }
        for path in ["/hik/events", "/webhook/hikvision/events"] {
            let (source, mailbox) = (Arc::clone(self), mailbox.clone());
            let receive = async move |ConnectInfo(peer): ConnectInfo<SocketAddr>, headers: HeaderMap, body| {
                source.receive(&mailbox, peer.ip(), &headers, body).await
            };
            router = router.route(path, post(receive));
        }
        router.layer(DefaultBodyLimit::max(NOTIFICATION_BODY_MAX))
    }

    /// Reads and subscribes, for ever or once.
    pub(crate) fn feed(self: Arc<Self>, mailbox: Mailbox) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>> {
        match self.task {
            Task::Receive => Box::pin(std::future::pending()),
            Task::Once => Box::pin(async move { self.feed_once(&mailbox).await }),
            Task::Serve => Box::pin(async move { self.feed_always(&mailbox).await }),
        }
    }

    pub(crate) fn health(&self) -> Value {
        let seen = lock(&self.seen);
        json!({
            "punches": seen.punches, "known": seen.known, "dropped": seen.dropped, "quarantined": seen.quarantined,
            "without_direction": seen.without_direction, "last_event": seen.last_event, "last_push": seen.last_push,
            "read_to": seen.read_to, "subscribed": seen.is_subscribed, "error": seen.error,
        })
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let (path, begun) = (request.uri().path().to_owned(), now());
        let reply = self.transport.send(request).await;
        let ms = (now() - begun).num_milliseconds();
        match &reply {
            Ok(response) => tracing::debug!(path, status = response.status().as_u16(), ms, "HikCentral answered"),
            Err(failure) => tracing::warn!(path, %failure, ms, "HikCentral did not answer"),
        }
        reply
    }
}

/// A stamp that nobody had before.
fn stamp() -> Stamp {
    let mut seed = [0; 16];
    // Without random numbers the clock alone makes it another one.
    if getrandom::fill(&mut seed).is_err() {
        seed = i128::from(now().timestamp_micros()).to_be_bytes();
    }
    Stamp::new(seed, now())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
