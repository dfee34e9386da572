use core::fmt;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use gateway::stage::Stage;
use serde_json::json;
use simulator::fleet::quantile;

use super::cast::{Checkin, Written};

/// Where every punch is, and how fast it went.
#[derive(Debug)]
pub(super) struct Board {
    expected: Vec<Checkin>,
    tracks: BTreeMap<String, Track>,
    json: bool,
    printed: u64,
}

#[derive(Debug, Default)]
struct Track {
    received: Option<DateTime<Utc>>,
    durable: Option<DateTime<Utc>>,
    delivered: Option<DateTime<Utc>>,
    written: Option<Written>,
    printed: bool,
}

/// The last line of the demo.
#[derive(Debug)]
pub(super) struct Summary {
    punches: usize,
    once: usize,
    lost: usize,
    doubled: usize,
    p50: i64,
    p99: i64,
}

impl Board {
    pub(super) fn new(expected: Vec<Checkin>, json: bool) -> Self {
        Self { expected, tracks: BTreeMap::new(), json, printed: 0 }
    }

    pub(super) fn expected(&self) -> u64 {
        u64::try_from(self.expected.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn finished(&self) -> u64 {
        self.tracks.values().filter(|track| track.written.is_some()).count().try_into().unwrap_or(u64::MAX)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.finished() >= self.expected()
    }

    pub(super) fn all_at(&self, stage: Stage) -> bool {
        self.tracks.values().all(|track| track.at(stage).is_some())
    }

    pub(super) fn see(&mut self, event_id: &str, stage: Stage, at: DateTime<Utc>) {
        let track = self.tracks.entry(event_id.to_owned()).or_default();
        let slot = match stage {
            Stage::Received => &mut track.received,
            Stage::Durable => &mut track.durable,
            Stage::Delivered => &mut track.delivered,
        };
        // A row that is uploaded again is seen again; its first way is the one that counts.
        slot.get_or_insert(at);
    }

    pub(super) fn see_written(&mut self, written: &Written) {
        self.tracks.entry(written.event_id.clone()).or_default().written.get_or_insert_with(|| written.clone());
    }

    pub(super) fn print_head(&self) {
        if !self.json {
            crate::say(format_args!(
                "badge  device          punched at           received      durable  delivered   written"
            ));
        }
    }

    /// Prints the punches that have reached every stage since the last time.
    pub(super) fn print_finished(&mut self) {
        for (event_id, track) in &mut self.tracks {
            if track.printed || track.delivered.is_none() {
                continue;
            }
            let Some(line) = track.line(event_id, self.json) else { continue };
            crate::say(format_args!("{line}"));
            track.printed = true;
            self.printed += 1;
        }
    }

    /// Compares what the ERP has with what the terminals were given, independently of everything between.
    pub(super) fn summary(&self, stored: &[Checkin]) -> Summary {
        let mut counts: BTreeMap<&Checkin, usize> = BTreeMap::new();
        for checkin in stored {
            *counts.entry(checkin).or_default() += 1;
        }
        let count = |checkin: &Checkin| counts.get(checkin).copied().unwrap_or(0);
        let once = self.expected.iter().filter(|checkin| count(checkin) == 1).count();
        let lost = self.expected.iter().filter(|checkin| count(checkin) == 0).count();
        let mut latencies: Vec<i64> = self.tracks.values().filter_map(Track::latency).collect();
        latencies.sort_unstable();
        Summary {
            punches: self.expected.len(),
            once,
            lost,
            doubled: stored.len().saturating_sub(once),
            p50: quantile(&latencies, 50).unwrap_or(0),
            p99: quantile(&latencies, 99).unwrap_or(0),
        }
    }
}

impl Track {
    fn at(&self, stage: Stage) -> Option<DateTime<Utc>> {
        match stage {
            Stage::Received => self.received,
            Stage::Durable => self.durable,
            Stage::Delivered => self.delivered,
        }
    }

    /// From arrival at the gateway to the ERP's answer, in milliseconds.
    fn latency(&self) -> Option<i64> {
        let written = self.written.as_ref()?.at;
        Some(written.signed_duration_since(self.received?).num_milliseconds())
    }

    fn line(&self, event_id: &str, json: bool) -> Option<String> {
        let (received, written) = (self.received?, self.written.as_ref()?);
        let after = |at: Option<DateTime<Utc>>| at.map(|at| at.signed_duration_since(received).num_milliseconds());
        let (durable, delivered, in_erp) = (after(self.durable), after(self.delivered), after(Some(written.at)));
        if json {
            let line = json!({
                "event_id": event_id, "badge": written.badge, "device": written.device, "punched_at": written.local,
                "received_at": received.to_rfc3339(), "durable_ms": durable, "delivered_ms": delivered,
                "written_ms": in_erp,
            });
            return Some(line.to_string());
        }
        let ms = |value: Option<i64>| value.map_or_else(|| "-".to_owned(), |ms| format!("+{ms} ms"));
        let (badge, device, local) = (&written.badge, &written.device, &written.local);
        let time = received.format("%H:%M:%S%.3f");
        Some(format!(
            "{badge:<6} {device:<15} {local}  {time} {:>9} {:>10} {:>9}",
            ms(durable),
            ms(delivered),
            ms(in_erp)
        ))
    }
}

impl Summary {
    pub(super) fn is_perfect(&self) -> bool {
        self.once == self.punches && self.lost == 0 && self.doubled == 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { punches, once, lost, doubled, p50, p99 } = self;
        write!(
            f,
            "demo: {punches} punches, {once} delivered once, {lost} lost, {doubled} doubled, p50 {p50} ms, p99 {p99} ms"
        )
    }
}
