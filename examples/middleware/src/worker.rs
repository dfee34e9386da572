use chrono::TimeDelta;
use gateway::clock::now;
use gateway::store::StoreError;
use punch_erp::Outcome;
use punch_webhook::{
    Attempt, Class, DeliveryId, EndpointRules, EndpointState, Queue, QueueLimits, Reason, ReceivedEvent, ReceivedPunch,
    Verified, Waiting,
};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::table::{ERP, Table};

/// Has the events written, in order, by the queue's rules.
#[derive(Debug)]
pub(crate) struct Worker {
    orders: mpsc::UnboundedSender<Waiting>,
}

impl Worker {
    pub(crate) async fn start<W, F>(table: Table, write: W) -> Result<Self, StoreError>
    where
        W: Fn(ReceivedPunch) -> F + Send + 'static,
        F: Future<Output = Outcome> + Send + 'static,
    {
        let (orders, inbox) = mpsc::unbounded_channel();
        let mut queue = Queue::new(QueueLimits::default());
        let mut rules = EndpointRules::default();
        // An ERP is slower than a webhook receiver, and some serialise their writers.
        rules.max_in_flight = 4;
        queue.set_endpoint(ERP, rules, EndpointState::default(), now());
        for waiting in table.waiting().await? {
            enqueue(&mut queue, waiting);
        }
        tokio::spawn(run(queue, table, write, inbox));
        Ok(Self { orders })
    }

    pub(crate) fn write(&self, waiting: Waiting) {
        // If the worker is gone the event is still in the table, for the next start.
        let _ = self.orders.send(waiting);
    }
}

fn enqueue(queue: &mut Queue, waiting: Waiting) {
    if let Err(error) = queue.enqueue(waiting, now()) {
        tracing::warn!(%error, "the event stays in the table until the next start");
    }
}

async fn run<W, F>(mut queue: Queue, table: Table, write: W, mut inbox: mpsc::UnboundedReceiver<Waiting>)
where
    W: Fn(ReceivedPunch) -> F + Send + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    let mut in_flight = JoinSet::new();
    loop {
        while let Some(attempt) = queue.poll_attempt(now()) {
            match read(&table, attempt.delivery).await {
                Ok(punch) => {
                    let (event_id, writing) = (punch.event_id.to_string(), write(punch));
                    in_flight.spawn(async move { (attempt, event_id, writing.await) });
                }
                Err(reason) => settle(&mut queue, &table, attempt, Class::Permanent { reason }, None).await,
            }
        }
        let wait = queue.poll_timeout().map(|at| at.signed_duration_since(now())).unwrap_or(TimeDelta::hours(1));
        tokio::select! {
            order = inbox.recv() => match order {
                Some(waiting) => enqueue(&mut queue, waiting),
                None => return,
            },
            Some(Ok((attempt, event_id, outcome))) = in_flight.join_next(), if !in_flight.is_empty() => {
                let (word, reason) = (outcome.word(), outcome.reason());
                tracing::info!(event_id, attempt = attempt.number, outcome = word, reason, "written");
                let remote_id = outcome.remote_id().map(ToOwned::to_owned);
                settle(&mut queue, &table, attempt, class_of(outcome), remote_id).await;
            }
            () = tokio::time::sleep(wait.max(TimeDelta::milliseconds(1)).to_std().unwrap_or_default()) => {}
        }
    }
}

fn class_of(outcome: Outcome) -> Class {
    match outcome {
        Outcome::Applied { .. } | Outcome::AlreadyThere { .. } => Class::Delivered,
        Outcome::Retry { after, .. } => Class::Retry { after },
        Outcome::Park(reason) => Class::Permanent { reason: Reason::Parked(reason.code().to_owned()) },
    }
}

async fn settle(queue: &mut Queue, table: &Table, attempt: Attempt, class: Class, remote_id: Option<String>) {
    queue.settle(attempt.delivery, class, now());
    let mut records = Vec::new();
    while let Some(record) = queue.poll_record() {
        records.push(record);
    }
    if let Err(error) = table.persist(records, remote_id).await {
        tracing::error!(%error, "an outcome could not be written down; the ERP is asked again after a restart");
    }
}

async fn read(table: &Table, delivery: DeliveryId) -> Result<ReceivedPunch, Reason> {
    let body = table.body(delivery).await.map_err(|error| Reason::Parked(error.to_string()))?;
    // The body was verified before it was stored.
    match Verified::assume_verified(&body).event() {
        Ok(ReceivedEvent::Punch(punch)) => Ok(punch),
        Ok(_) => Err(Reason::Parked("not a punch".to_owned())),
        Err(error) => Err(Reason::Parked(error.to_string())),
    }
}
