//! What monitoring reads: counted as it happens, the rest looked up when it is asked for. No label names a person.

use core::fmt;
use core::time::Duration;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use punch_webhook::QueueStatus;

use crate::core::Tally;
use crate::source::SourceStatus;
use crate::store::{Removed, Snapshot};

/// What a client can offer of TLS, the newest version that it says.
pub(crate) const VERSIONS: [&str; 5] = ["no TLS", "SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2 or newer"];

/// One label and its value.
type Label = [(&'static str, String); 1];

/// The counters of a gateway; cheap to clone, and shared by whatever counts.
#[derive(Clone, Default)]
pub(crate) struct Metrics(Arc<Inner>);

struct Inner {
    rows: Family<Label, Counter>,
    attempts: Family<Label, Counter>,
    removed: Family<Label, Counter>,
    commands: Family<Label, Counter>,
    refused_uploads: Counter,
    unknown_terminals: Counter,
    handshakes_failed: Family<Label, Counter>,
    acknowledge: Histogram,
    commit: Histogram,
    attempt: Histogram,
}

impl Default for Inner {
    fn default() -> Self {
        // From a quarter of a millisecond to 16 s.
        let buckets = || exponential_buckets(0.000_25, 4.0, 9);
        // There from the start, so that nobody takes what is not there for what never happens.
        let removed = Family::<Label, Counter>::default();
        for what in ["deliveries", "attempts", "events", "commands", "audit"] {
            drop(removed.get_or_create(&[("what", what.to_owned())]));
        }
        let handshakes_failed = Family::<Label, Counter>::default();
        for offered in VERSIONS {
            drop(handshakes_failed.get_or_create(&[("offered", offered.to_owned())]));
        }
        let commands = Family::<Label, Counter>::default();
        for result in ["sent", "done", "failed"] {
            drop(commands.get_or_create(&[("result", result.to_owned())]));
        }
        Self {
            rows: Family::default(),
            attempts: Family::default(),
            removed,
            commands,
            refused_uploads: Counter::default(),
            unknown_terminals: Counter::default(),
            handshakes_failed,
            acknowledge: Histogram::new(buckets()),
            commit: Histogram::new(buckets()),
            attempt: Histogram::new(buckets()),
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics(..)")
    }
}

impl Metrics {
    /// Rows are on disk, and what became of them; it took so long from the moment they were read.
    pub(crate) fn stored(&self, tally: Tally, took: Duration) {
        let Tally { delivered, suppressed, held, replayed, recorded, discarded } = tally;
        let results = [
            ("delivered", delivered),
            ("suppressed", suppressed),
            ("held", held),
            ("replayed", replayed),
            ("recorded", recorded),
            ("discarded", discarded),
        ];
        for (result, count) in results.into_iter().filter(|(_, count)| *count > 0) {
            self.0.rows.get_or_create(&[("result", result.to_owned())]).inc_by(count.into());
        }
        self.0.acknowledge.observe(took.as_secs_f64());
    }

    /// Rows could not be put on disk; the terminal keeps them.
    pub(crate) fn refused(&self) {
        self.0.refused_uploads.inc();
    }

    /// A terminal nobody has approved has called.
    pub(crate) fn met_unknown(&self) {
        self.0.unknown_terminals.inc();
    }

    /// A client, which offers this version at most, and we found no TLS that both speak, or it trusts no certificate of ours.
    pub(crate) fn handshake_failed(&self, offered: &str) {
        self.0.handshakes_failed.get_or_create(&[("offered", offered.to_owned())]).inc();
    }

    /// A commit is on disk.
    pub(crate) fn committed(&self, took: Duration) {
        self.0.commit.observe(took.as_secs_f64());
    }

    /// An attempt to deliver has ended: with this status, or without an answer.
    pub(crate) fn attempted(&self, status: Option<u16>, took: Duration) {
        let class = status.map_or_else(|| "none".to_owned(), |status| format!("{}xx", status / 100));
        self.0.attempts.get_or_create(&[("class", class)]).inc();
        self.0.attempt.observe(took.as_secs_f64());
    }

    /// Steps of commands were sent to a terminal, or this became of them.
    pub(crate) fn commanded(&self, result: &str, steps: usize) {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        self.0.commands.get_or_create(&[("result", result.to_owned())]).inc_by(steps);
    }

    /// This was old enough to be removed.
    pub(crate) fn removed(&self, removed: Removed) {
        let Removed { deliveries, attempts, events, commands, audit } = removed;
        let counts = [
            ("deliveries", deliveries),
            ("attempts", attempts),
            ("events", events),
            ("commands", commands),
            ("audit", audit),
        ];
        for (what, count) in counts {
            self.0.removed.get_or_create(&[("what", what.to_owned())]).inc_by(count);
        }
    }

    /// All of it as OpenMetrics text.
    ///
    /// # Errors
    ///
    /// Never in practice: it is written to memory.
    pub(crate) fn encode(&self, now: &Now<'_>) -> Result<String, fmt::Error> {
        let mut registry = Registry::with_prefix("punch");
        self.register_counted(&mut registry);
        now.register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }

    fn register_counted(&self, registry: &mut Registry) {
        let Inner { rows, attempts, removed, commands, refused_uploads, unknown_terminals, handshakes_failed, .. } =
            &*self.0;
        let Inner { acknowledge, commit, attempt, .. } = &*self.0;
        registry.register("rows", "Rows on disk, by what became of them", rows.clone());
        registry.register("uploads_refused", "Uploads that could not be put on disk", refused_uploads.clone());
        registry.register(
            "terminals_unknown",
            "Calls of terminals that nobody has approved",
            unknown_terminals.clone(),
        );
        registry.register(
            "tls_handshakes_failed",
            "TLS handshakes that failed, by the newest version that was offered",
            handshakes_failed.clone(),
        );
        registry.register("delivery_attempts", "Attempts to deliver, by class of status", attempts.clone());
        registry.register("commands", "Steps of commands, sent and by what became of them", commands.clone());
        registry.register("removed", "What was old enough to be removed, by what it is", removed.clone());
        let mut timed = |name, help, histogram: &Histogram| {
            registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        };
        timed("acknowledge", "From an upload that was read to its rows on disk", acknowledge);
        timed("commit", "A group commit, to its end on disk", commit);
        timed("attempt", "An attempt to deliver, to the end of the answer", attempt);
    }
}

/// What is so at the moment, beside what was counted.
#[derive(Debug)]
pub(crate) struct Now<'a> {
    pub(crate) at: DateTime<Utc>,
    pub(crate) stored: &'a Snapshot,
    pub(crate) queue: &'a QueueStatus,
    /// The part of the disk under the store that is free, 0 to 1, if it can be told.
    pub(crate) disk_free: Option<f64>,
    /// How long ago each terminal was heard that was heard since the start.
    pub(crate) heard: Vec<DateTime<Utc>>,
    /// How the access systems stand that are read.
    pub(crate) sources: Vec<SourceStatus>,
    /// When the first certificate of each listener expires.
    pub(crate) expiries: Vec<(&'static str, DateTime<Utc>)>,
}

impl Now<'_> {
    fn register(&self, registry: &mut Registry) {
        let ago = |at: DateTime<Utc>| seconds(self.at.signed_duration_since(at));
        self.register_families(registry);
        self.register_sources(registry);
        let mut gauge = |name: &str, help: &str, value: f64| registry.register(name, help, ConstGauge::new(value));
        gauge("deliveries_waiting", "Deliveries that are not settled", count(self.queue.waiting));
        gauge("deliveries_in_flight", "Attempts that are under way", count(self.queue.in_flight));
        gauge("store_bytes", "The size of the store, without its log", count(self.stored.bytes));
        gauge("terminals_heard", "Terminals that were heard since the start", count(self.heard.len()));
        let oldest = self.queue.oldest_created_at.map_or(0.0, ago);
        gauge("delivery_oldest_seconds", "The age of the oldest delivery that is not settled", oldest);
        if let Some(silent) = self.heard.iter().min() {
            gauge("terminal_silent_seconds", "How long the most silent of these has been silent", ago(*silent));
        }
        if let Some(free) = self.disk_free {
            gauge("disk_free_ratio", "The part of the disk under the store that is free", free);
        }
    }

    fn register_sources(&self, registry: &mut Registry) {
        let events = Family::<[(&'static str, String); 2], Counter>::default();
        let failures = Family::<Label, Gauge>::default();
        for source in &self.sources {
            let SourceStatus { name, punches, known, dropped, quarantined, refused, .. } = source;
            let results = [
                ("punch", punches),
                ("known", known),
                ("dropped", dropped),
                ("quarantined", quarantined),
                ("refused", refused),
            ];
            for (result, count) in results {
                events.get_or_create(&[("source", name.clone()), ("result", result.to_owned())]).inc_by(*count);
            }
            failures.get_or_create(&[("source", name.clone())]).set(source.failures.into());
        }
        registry.register("source_events", "Events of access systems, by what became of them", events);
        registry.register("source_failures", "How often in a row an access system could not be read", failures);
    }

    fn register_families(&self, registry: &mut Registry) {
        let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let held = Family::<Label, Gauge>::default();
        for (reason, count) in &self.stored.held {
            held.get_or_create(&[("reason", reason.clone())]).set(whole(*count));
        }
        registry.register("rows_held", "Rows that wait for somebody, by reason", held);
        let endpoints = Family::<Label, Gauge>::default();
        for (health, count) in &self.stored.endpoints {
            endpoints.get_or_create(&[("state", health.clone())]).set(whole(*count));
        }
        registry.register("endpoints", "Endpoints, by state", endpoints);
        let expiries = Family::<Label, Gauge>::default();
        for (listener, at) in &self.expiries {
            let left = at.signed_duration_since(self.at).num_seconds();
            expiries.get_or_create(&[("listener", (*listener).to_owned())]).set(left);
        }
        registry.register("certificate_expires_seconds", "How long certificates are good for", expiries);
        let lag = Family::<Label, Gauge>::default();
        for (site, complete_to) in &self.stored.complete_to {
            lag.get_or_create(&[("site", site.clone())]).set(self.at.signed_duration_since(*complete_to).num_seconds());
        }
        registry.register("watermark_lag_seconds", "How long ago everything of a site was known", lag);
    }
}

fn seconds(span: chrono::TimeDelta) -> f64 {
    span.as_seconds_f64()
}

/// A count as the exposition has it; exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "no count comes near 2^53")]
fn count(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}

/// The part of the disk under a file that is free, 0 to 1. `None` where the system does not say.
pub(crate) fn disk_free(path: &Path) -> Option<f64> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let (free, total) = (fs4::available_space(folder).ok()?, fs4::total_space(folder).ok()?);
    (total > 0).then(|| count(free) / count(total))
}
