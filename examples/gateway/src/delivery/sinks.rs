//! Endpoints that are ERPs: what an attempt is there.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use punch_erp::{Outcome, RetryReason, TransportError};
use punch_webhook::{Class, DeliveryId, Reason, ReceivedEvent, Verified};
use sinks::{Around, Gather, Sink, telling};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::sender::Sent;
use crate::clock::now;
use crate::config::SinkConfig;
use crate::store::{Store, StoreError, Transaction, around, resend, without_employee};

/// The ERPs at work, by the address of their endpoints.
#[derive(Debug, Clone)]
pub struct Sinks {
    store: Store,
    by_url: Arc<BTreeMap<String, Arc<Way>>>,
    stop: Arc<watch::Sender<bool>>,
}

/// An ERP, and what gathers for it where one call does for many people.
#[derive(Debug)]
struct Way {
    sink: Arc<Sink>,
    gather: Option<Gather<ReceivedEvent>>,
}

/// What was written, and what else that means.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) sent: Sent,
    /// What became of other deliveries with it.
    pub(super) others: Vec<(DeliveryId, Outcome)>,
}

/// The way into one ERP.
#[derive(Debug)]
pub(super) struct Entrance {
    store: Store,
    /// `None` if the configuration names it no more.
    way: Option<Arc<Way>>,
    stop: watch::Receiver<bool>,
}

impl Sinks {
    /// Sets ERPs to work.
    ///
    /// # Errors
    ///
    /// There is no HTTP client.
    pub fn open(configs: &[SinkConfig], store: &Store) -> Result<Self, TransportError> {
        let mut by_url = BTreeMap::new();
        for SinkConfig { name, settings, .. } in configs {
            by_url.insert(format!("{}{name}", SinkConfig::SCHEME), Arc::new(Way::open(Sink::open(settings.clone())?)));
        }
        Ok(Self { store: store.clone(), by_url: Arc::new(by_url), stop: Arc::new(watch::Sender::new(false)) })
    }

    /// The way into the ERP at an address, if the address is of one.
    pub(super) fn entrance(&self, url: &str) -> Option<Entrance> {
        let (store, stop) = (self.store.clone(), self.stop.subscribe());
        SinkConfig::is_sink(url).then(|| Entrance { store, way: self.by_url.get(url).cloned(), stop })
    }

    /// How many attempts may wait for company, beside those that are under way.
    pub(super) fn waiting_room(&self) -> usize {
        let erps = self.by_url.values().map(|way| &way.sink.settings().erp);
        erps.filter(|erp| erp.gathers() || erp.together().is_some()).map(|erp| erp.at_once()).sum()
    }

    /// What has only waited for company goes back.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Asks every ERP again and again, until the gateway stops, whether badges that were parked have an employee by now.
    pub(crate) fn probes(&self, configs: &[SinkConfig], stopped: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
        let probe = |SinkConfig { name, probe, .. }: &SinkConfig| {
            let url = format!("{}{name}", SinkConfig::SCHEME);
            tokio::spawn(self.clone().probe(url, *probe, stopped.clone()))
        };
        configs.iter().map(probe).collect()
    }

    async fn probe(self, url: String, every: Duration, mut stopped: watch::Receiver<bool>) {
        let Some(way) = self.by_url.get(&url).cloned() else { return };
        loop {
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                _ = stopped.wait_for(|&stop| stop) => return,
            }
            if let Err(error) = self.look(&way.sink, &url).await {
                tracing::error!(%error, "what is parked cannot be looked at");
            }
        }
    }

    async fn look(&self, sink: &Sink, url: &str) -> Result<(), StoreError> {
        let wanted = url.to_owned();
        let parked = self.store.read(move |connection| without_employee(connection, &wanted)).await?;
        let mut by_badge: BTreeMap<String, Vec<DeliveryId>> = BTreeMap::new();
        for (delivery, body) in parked {
            let event = Verified::assume_verified(&body).event().ok();
            if let Some((punch, _)) = event.as_ref().and_then(telling) {
                by_badge.entry(punch.badge.clone()).or_default().push(delivery);
            }
        }
        let badges: BTreeSet<String> = by_badge.keys().cloned().collect();
        if badges.is_empty() {
            return Ok(());
        }
        let standings = match sink.standings(&badges).await {
            Ok(standings) => standings,
            Err(reason) => {
                tracing::warn!(sink = url, %reason, "badges could not be looked up");
                return Ok(());
            }
        };
        let is_known = |badge: &String| standings.get(badge) == Some(&sinks::Standing::Good);
        let mut found: Vec<DeliveryId> =
            by_badge.into_iter().filter(|(badge, _)| is_known(badge)).flat_map(|(_, deliveries)| deliveries).collect();
        found.sort_unstable();
        if found.is_empty() {
            return Ok(());
        }
        tracing::info!(sink = url, deliveries = found.len(), "badges have an employee now; what was parked is written");
        let again =
            move |tx: &mut Transaction<'_>| found.iter().try_for_each(|&id| resend(tx, id, None, now()).map(drop));
        self.store.write(again).await
    }
}

impl Way {
    fn open(sink: Sink) -> Self {
        let sink = Arc::new(sink);
        let gather = sink.settings().erp.together().map(|together| {
            let sink = Arc::clone(&sink);
            Gather::start(together.writers, together.people, move |events| {
                let sink = Arc::clone(&sink);
                async move { sink.write(events).await }
            })
        });
        Self { sink, gather }
    }

    /// Writes the events of one person, with those of others where that is one call.
    async fn write(&self, events: Vec<ReceivedEvent>) -> Vec<Outcome> {
        match &self.gather {
            Some(gather) => gather.write(events).await,
            None => self.sink.write(events).await,
        }
    }
}

impl Entrance {
    /// How many attempts there may be at once.
    pub(super) fn at_once(&self) -> Option<usize> {
        self.way.as_ref().map(|way| way.sink.settings().erp.at_once())
    }

    /// One attempt. `None` if the gateway stops and nothing was sent.
    pub(super) async fn write(&self, delivery: DeliveryId, body: &[u8]) -> Option<Written> {
        let alone = |sent| Some(Written { sent, others: Vec::new() });
        let Some(way) = &self.way else {
            return alone(Sent::later("punch.toml names no such sink any more; add it, or remove the endpoint", None));
        };
        let event = match Verified::assume_verified(body).event() {
            Ok(event) => event,
            Err(error) => return alone(Sent::parked("unreadable", &error.to_string())),
        };
        if let ReceivedEvent::Test { .. } = event {
            return alone(greet(&way.sink).await);
        }
        let Some(mut around) = Around::of(event) else {
            return alone(Sent::written("not about a punch; taken note of"));
        };
        let erp = &way.sink.settings().erp;
        if let Some(reach) = erp.reach() {
            match self.store.read(move |connection| self::around(connection, delivery, reach)).await {
                Ok(others) => {
                    for (other, body) in others {
                        if let Ok(event) = Verified::assume_verified(&body).event() {
                            around.add(other, event, reach);
                        }
                    }
                }
                Err(error) => return alone(Sent::later(&error.to_string(), None)),
            }
        }
        let outcomes = if erp.gathers() {
            let mut stop = self.stop.clone();
            tokio::select! {
                outcomes = way.write(around.events()) => outcomes,
                _ = stop.wait_for(|&stop| stop) => return None,
            }
        } else {
            way.write(around.events()).await
        };
        let unanswered = || Outcome::Retry { after: None, reason: RetryReason::Unconfirmed };
        let sent = sent(&outcomes.first().cloned().unwrap_or_else(unanswered));
        let others = around.told_by().into_iter().zip(outcomes);
        let others = others.flat_map(|(ids, outcome)| ids.into_iter().map(move |id| (id, outcome.clone()))).collect();
        Some(Written { sent, others })
    }
}

/// An event of no meaning asks how the ERP stands.
async fn greet(sink: &Sink) -> Sent {
    let findings = sink.check().await;
    match findings.iter().find(|finding| finding.standing.is_bad()) {
        Some(bad) => Sent::parked("check", &format!("{}: {}", bad.part, bad.text)),
        None => Sent::written(&findings.iter().map(|finding| finding.text.as_str()).collect::<Vec<_>>().join("; ")),
    }
}

fn sent(outcome: &Outcome) -> Sent {
    match outcome {
        Outcome::Applied { remote_id } | Outcome::AlreadyThere { remote_id } => {
            Sent::written(&format!("{} {remote_id}", outcome.word()))
        }
        Outcome::Retry { after, reason } => Sent::later(&reason.to_string(), *after),
        Outcome::Park(reason) => Sent::parked(reason.code(), &reason.to_string()),
    }
}

impl Sent {
    /// The ERP has it, and said this.
    fn written(said: &str) -> Self {
        let outcome = punch_webhook::Outcome::answered(200);
        Self { class: Class::Delivered, outcome, error: None, response: Some(said.into()), headers: Some("".into()) }
    }

    /// Not now, for this reason.
    fn later(why: &str, after: Option<chrono::TimeDelta>) -> Self {
        Self::not_written(Class::Retry { after }, why)
    }

    /// Not without a person, for this reason.
    fn parked(code: &str, why: &str) -> Self {
        Self::not_written(Class::Permanent { reason: Reason::Parked(code.to_owned()) }, why)
    }

    fn not_written(class: Class, why: &str) -> Self {
        let outcome = punch_webhook::Outcome::Refused(why.to_owned().into());
        Self { class, outcome, error: None, response: None, headers: Some("".into()) }
    }
}
