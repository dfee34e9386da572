//! HikCentral in the place of the webhook: what it pushes and lists is stored in the inbox, each passage once.

mod environment;
mod keeping;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use punch_erp::hikcentral::NOTIFICATION_BODY_MAX;
use serde_json::{Value, json};
use sources::Answer;
use sources::hikcentral::HikCentralSource;

use crate::inbox::{Mailbox, answer};

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

/// A HikCentral, and what is to be done with it.
#[derive(Debug)]
pub struct Source {
    hikcentral: HikCentralSource,
    /// Who may push, by address. None lets everybody who knows the token.
    allowed: Option<BTreeSet<IpAddr>>,
    task: Task,
}

/// How long a single run waits for what it read to be written.
const PATIENCE: Duration = Duration::from_secs(60);

impl Source {
    /// The routes on which HikCentral pushes.
    pub(crate) fn routes(self: &Arc<Self>, mailbox: &Mailbox) -> Router {
        let mut router = Router::new();
        if self.hikcentral.settings().receiver.is_none() || self.task == Task::Once {
            return router;
        }
        for path in ["/hik/events", "/webhook/hikvision/events"] {
            let (source, mailbox) = (Arc::clone(self), mailbox.clone());
            let receive = async move |ConnectInfo(peer): ConnectInfo<SocketAddr>, headers: HeaderMap, body: Bytes| {
                source.receive(&mailbox, peer.ip(), &headers, &body).await
            };
            router = router.route(path, post(receive));
        }
        router.layer(DefaultBodyLimit::max(NOTIFICATION_BODY_MAX))
    }

    async fn receive(&self, mailbox: &Mailbox, peer: IpAddr, headers: &HeaderMap, body: &[u8]) -> Response {
        if self.allowed.as_ref().is_some_and(|allowed| !allowed.contains(&peer.to_canonical())) {
            self.hikcentral.refused();
            tracing::warn!(%peer, "a push from an address that is not in HIK_ALLOW_FROM");
            return answer(StatusCode::FORBIDDEN, &json!({ "code": "1", "msg": "address not allowed" }));
        }
        let Answer { status, body } = match self.hikcentral.admit(headers) {
            Ok(()) => self.hikcentral.receive(mailbox, body).await,
            Err(refusal) => refusal,
        };
        answer(status, &serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    /// Reads and subscribes, for ever or once.
    pub(crate) fn feed(self: Arc<Self>, mailbox: Mailbox) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>> {
        match self.task {
            Task::Receive => Box::pin(std::future::pending()),
            Task::Once => Box::pin(async move { self.feed_once(&mailbox).await }),
            Task::Serve => Box::pin(async move { self.hikcentral.feed(&mailbox).await }),
        }
    }

    /// S3-017: reads what is new, waits until it is written, and says how it stands.
    async fn feed_once(&self, mailbox: &Mailbox) -> anyhow::Result<()> {
        self.hikcentral.feed_once(mailbox).await?;
        let written = async {
            while mailbox.table.progress().await?.waiting > 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            anyhow::Ok(())
        };
        let patience = if self.hikcentral.settings().is_dry { Duration::from_secs(1) } else { PATIENCE };
        let in_time = tokio::time::timeout(patience, written).await;
        let progress = mailbox.table.progress().await?;
        tracing::info!(waiting = progress.waiting, done = progress.done, parked = progress.parked, "read once");
        in_time.unwrap_or(Ok(()))
    }

    pub(crate) fn health(&self) -> Value {
        serde_json::to_value(self.hikcentral.health()).unwrap_or_default()
    }
}
