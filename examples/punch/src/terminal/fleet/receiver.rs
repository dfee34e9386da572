//! From a punch to the receiver of its webhook.

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use chrono::{DateTime, FixedOffset, NaiveDateTime};
use punch_protocol::RawPunch;
use punch_webhook::Secret;
use serde_json::Value;
use simulator::receiver::{Arrival, Receiver, Script};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::exit::UsageError;

/// What makes a punch known again at the other end: terminal, badge, and time of the terminal's clock.
type Mark = (String, String, NaiveDateTime);

/// A receiver, and what it is to receive.
pub(super) struct Arrivals {
    /// Where webhooks go.
    pub(super) url: String,
    /// By what they are signed.
    pub(super) secret: Secret,
    expected: Arc<Mutex<BTreeMap<Mark, Instant>>>,
    counted: Arc<Mutex<Delivered>>,
    _receiver: Receiver,
}

/// What has arrived.
#[derive(Debug, Clone, Default)]
pub(super) struct Delivered {
    /// From each live punch to the arrival of its event, in microseconds; sorted.
    pub(super) latencies: Vec<u32>,
    /// Events in all.
    pub(super) events: u64,
    /// Requests that were no event, or were not signed by this secret.
    pub(super) refused: u64,
    /// Live punches whose event has not come.
    pub(super) missing: usize,
}

impl Arrivals {
    /// Listens. Without a secret one is made up, for a gateway that is started here.
    pub(super) async fn listen(addr: SocketAddr, secret: Option<&str>, makes_one: bool) -> anyhow::Result<Self> {
        // Nobody else is told of it, and it ends with this program.
        let made_up = || Secret::from_random([7; 32]).expose().to_owned();
        let secret = match secret {
            Some(secret) => secret.to_owned(),
            None if makes_one => made_up(),
            None => {
                let text =
                    "--webhook-secret: give the secret of the endpoint that the gateway has for --webhook-listen";
                return Err(UsageError(text.to_owned()).into());
            }
        };
        let parse = |text: &str| Secret::new(text).map_err(|error| UsageError(format!("--webhook-secret: {error}")));
        let (receiver, reports) = Receiver::start(addr, &parse(&secret)?, Script::default())
            .await
            .with_context(|| format!("listen on {addr}"))?;
        let url = format!("http://{}/webhook", receiver.addr);
        let (expected, counted) = (Arc::default(), Arc::default());
        tokio::spawn(count(reports, Arc::clone(&expected), Arc::clone(&counted)));
        Ok(Self { url, secret: parse(&secret)?, expected, counted, _receiver: receiver })
    }

    /// This punch is to arrive.
    pub(super) fn expect(&self, punch: &RawPunch, at: Instant) {
        let mark = (punch.serial.to_string(), punch.pin.to_text().to_string(), punch.time);
        self.expected.lock().unwrap_or_else(PoisonError::into_inner).insert(mark, at);
    }

    /// Waits for what is still on its way.
    pub(super) async fn finish(self, patience: Duration) -> Delivered {
        let begun = Instant::now();
        let left = || self.expected.lock().unwrap_or_else(PoisonError::into_inner).len();
        while left() > 0 && begun.elapsed() < patience {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let mut delivered = self.counted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        delivered.missing = left();
        delivered.latencies.sort_unstable();
        delivered
    }
}

async fn count(
    mut reports: mpsc::UnboundedReceiver<Arrival>,
    expected: Arc<Mutex<BTreeMap<Mark, Instant>>>,
    counted: Arc<Mutex<Delivered>>,
) {
    while let Some(arrival) = reports.recv().await {
        let since =
            mark_of(&arrival).and_then(|mark| expected.lock().unwrap_or_else(PoisonError::into_inner).remove(&mark));
        let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.events += u64::from(arrival.event_id.is_some());
        counted.refused += u64::from(arrival.problem.is_some());
        let micros = since.map(|since| u32::try_from(since.elapsed().as_micros()).unwrap_or(u32::MAX));
        counted.latencies.extend(micros);
    }
}

/// The time of the terminal's clock is the local time of the event.
fn mark_of(arrival: &Arrival) -> Option<Mark> {
    let body: Value = serde_json::from_slice(&arrival.body).ok()?;
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let time: DateTime<FixedOffset> = text("/punch/local_time").or_else(|| text("/timestamp"))?.parse().ok()?;
    Some((text("/device/serial_number")?.to_owned(), text("/employee/badge_number")?.to_owned(), time.naive_local()))
}
