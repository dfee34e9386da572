//! One request: the attempts it makes, the bodies it carries, and what it came to.

use core::time::Duration;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use punch_normalize::EventId;
use punch_webhook::{Attempt, BatchBody, DeliveryId, Outcome, PayloadFormat};
use tokio::sync::{mpsc, oneshot};

use super::Order;
use super::sender::{Parcel, Sender, Sent, Target};
use super::sinks::{Entrance, Written};
use crate::clock::now;
use crate::config::Batch;
use crate::store::{AttemptRow, Outgoing, Store};

/// A request that was answered, or not.
#[derive(Debug)]
pub(super) struct Answered {
    /// In the order of the body.
    pub(super) made: Vec<Made>,
    pub(super) sent: Sent,
    /// What became of other deliveries with it.
    pub(super) others: Vec<(DeliveryId, punch_erp::Outcome)>,
    began: DateTime<Utc>,
    took: Duration,
}

/// One attempt of it.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) attempt: Attempt,
    pub(super) event_id: Option<EventId>,
    /// The shape of the body that left, if one did.
    format: Option<PayloadFormat>,
}

/// The bodies of a request, in the order of its attempts.
type Contents = Vec<Option<Outgoing>>;

/// Whose bodies are wanted, and where they go.
pub(super) type Wanted = (Vec<DeliveryId>, oneshot::Sender<Contents>);

/// Reads the bodies of all these requests in one go. Where that fails, nothing comes.
pub(super) fn read_bodies(store: &Store, wanted: Vec<Wanted>) {
    if wanted.is_empty() {
        return;
    }
    let store = store.clone();
    tokio::spawn(async move {
        let read = store.read(move |connection| {
            for (deliveries, hand_over) in wanted {
                // Whoever waited for it may be gone.
                drop(hand_over.send(Outgoing::all(connection, &deliveries)?));
            }
            Ok(())
        });
        if let Err(error) = read.await {
            tracing::error!(%error, "bodies could not be read");
        }
    });
}

/// Makes a request. What does not fit into it is given back before it leaves.
pub(super) async fn make(
    mut attempts: Vec<Attempt>,
    contents: oneshot::Receiver<Contents>,
    target: Arc<Target>,
    sender: Arc<Sender>,
    back: mpsc::WeakUnboundedSender<Order>,
) -> Answered {
    let Ok(contents) = contents.await else {
        return Answered::nothing(attempts, "the store could not be read");
    };
    // Up to the first body that is missing.
    let contents: Vec<Outgoing> = contents.into_iter().map_while(|content| content).collect();
    let Some(first) = contents.first() else {
        let spare = attempts.split_off(1.min(attempts.len()));
        give_back(&back, &spare);
        return Answered::nothing(attempts, "the event has no body in this endpoint's format");
    };
    if let (Some(entrance), Some(attempt)) = (&target.entrance, attempts.first().copied()) {
        let spare = attempts.split_off(1.min(attempts.len()));
        give_back(&back, &spare);
        return write_into(entrance, attempt, first).await;
    }
    let parcel = match target.batch {
        Some(batch) => listed(batch, &attempts, &contents),
        None => attempts.first().map(|attempt| Parcel {
            id: first.event_id.clone(),
            body: first.body.render(attempt.number),
            number: attempt.number,
            listed: None,
        }),
    };
    let Some(parcel) = parcel else { return Answered::nothing(attempts, "there is nothing to be sent") };
    let spare = attempts.split_off(parcel.listed.unwrap_or(1).min(attempts.len()));
    give_back(&back, &spare);
    let began = now();
    let clock = tokio::time::Instant::now();
    let sent = sender.send(&target, parcel).await;
    let left = sent.headers.is_some();
    let made = attempts.into_iter().zip(contents).map(|(attempt, Outgoing { event_id, format, .. })| Made {
        attempt,
        event_id: Some(event_id),
        format: left.then_some(format),
    });
    Answered { made: made.collect(), sent, others: Vec::new(), began, took: clock.elapsed() }
}

/// An attempt at an ERP. Nothing was made if the gateway stops meanwhile.
async fn write_into(entrance: &Entrance, attempt: Attempt, outgoing: &Outgoing) -> Answered {
    let began = now();
    let clock = tokio::time::Instant::now();
    let written = entrance.write(attempt.delivery, &outgoing.body.render(attempt.number)).await;
    let Some(Written { sent, others }) = written else { return Answered::nothing(Vec::new(), "the gateway stops") };
    let made = Made { attempt, event_id: Some(outgoing.event_id.clone()), format: Some(outgoing.format) };
    Answered { made: vec![made], sent, others, began, took: clock.elapsed() }
}

/// As many as fit, as a list.
fn listed(batch: Batch, attempts: &[Attempt], contents: &[Outgoing]) -> Option<Parcel> {
    let mut list = BatchBody::new(batch.max_bytes);
    let mut number = 0;
    for (attempt, outgoing) in attempts.iter().zip(contents) {
        if !list.push(&outgoing.event_id, &outgoing.body.render(attempt.number)) {
            break;
        }
        number = number.max(attempt.number);
    }
    let events = list.events();
    list.finish().map(|(id, body)| Parcel { id, body, number, listed: Some(events) })
}

fn give_back(back: &mpsc::WeakUnboundedSender<Order>, spare: &[Attempt]) {
    if let Some(orders) = back.upgrade().filter(|_| !spare.is_empty()) {
        // After a drain nobody takes orders, and the store has everything. From the last on, so that order is kept.
        drop(orders.send(Order::GiveBack(spare.iter().rev().map(|attempt| attempt.delivery).collect())));
    }
}

impl Answered {
    fn nothing(attempts: Vec<Attempt>, error: &str) -> Self {
        let made = attempts.into_iter().map(|attempt| Made { attempt, event_id: None, format: None });
        let (sent, others) = (Sent::nothing(error), Vec::new());
        Self { made: made.collect(), sent, others, began: now(), took: Duration::ZERO }
    }

    pub(super) fn deliveries(&self) -> Vec<DeliveryId> {
        self.made.iter().map(|made| made.attempt.delivery).collect()
    }

    /// One line of the log for each attempt.
    pub(super) fn rows(&self) -> Vec<AttemptRow> {
        let (status, error) = match &self.sent.outcome {
            Outcome::Answered { status, .. } => (Some(*status), None),
            Outcome::TimedOut => (None, Some("timed out".to_owned())),
            Outcome::Refused(reason) => (None, Some(reason.to_string())),
            _ => (None, Some(self.sent.error.clone().unwrap_or_else(|| "unreachable".to_owned()))),
        };
        let row = |made: &Made| AttemptRow {
            delivery: made.attempt.delivery,
            number: made.attempt.number,
            at: self.began,
            status,
            error: error.clone(),
            millis: u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            response: self.sent.response.clone(),
            format: made.format,
            headers: self.sent.headers.clone(),
        };
        self.made.iter().map(row).collect()
    }
}
