use std::sync::Arc;

use chrono::TimeDelta;
use gateway::clock::now;
use gateway::store::StoreError;
use punch_erp::{Mapping, Outcome, RetryReason};
use punch_webhook::{
    Attempt, Class, DeliveryId, EndpointRules, EndpointState, Queue, QueueLimits, Reason, ReceivedEvent, ReceivedPunch,
    Verified, Waiting,
};
use sinks::{Around, Reach, punch_of, telling};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::table::{ERP, Table};

/// Has the events written, in order, by the queue's rules.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    orders: mpsc::UnboundedSender<Waiting>,
}

impl Worker {
    /// `write` gets the event that is due, its punch, and behind that the others of the person up to `reach` around it, if
    /// there is a reach; it answers with an outcome for each punch. At most `max_in_flight` of them wait for their answer
    /// at once.
    pub(crate) async fn start<W, F>(
        table: Table,
        mapping: Option<Arc<Mapping>>,
        reach: Option<Reach>,
        max_in_flight: usize,
        write: W,
    ) -> Result<Self, StoreError>
    where
        W: Fn(Due) -> F + Send + 'static,
        F: Future<Output = Vec<Outcome>> + Send + 'static,
    {
        let (orders, inbox) = mpsc::unbounded_channel();
        let (mut limits, mut rules) = (QueueLimits::default(), EndpointRules::default());
        limits.max_in_flight = limits.max_in_flight.max(max_in_flight);
        rules.max_in_flight = max_in_flight;
        let mut queue = Queue::new(limits);
        queue.set_endpoint(ERP, rules, EndpointState::default(), now());
        for waiting in table.waiting().await? {
            enqueue(&mut queue, waiting);
        }
        tokio::spawn(run(queue, Reader { table, mapping, reach }, write, inbox));
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

async fn run<W, F>(mut queue: Queue, reader: Reader, write: W, mut inbox: mpsc::UnboundedReceiver<Waiting>)
where
    W: Fn(Due) -> F + Send + 'static,
    F: Future<Output = Vec<Outcome>> + Send + 'static,
{
    let (table, mut in_flight) = (reader.table.clone(), JoinSet::new());
    loop {
        while let Some(attempt) = queue.poll_attempt(now()) {
            match reader.read(attempt.delivery).await {
                Ok(around) => {
                    let (event, punches) = (around.due().clone(), around.punches());
                    let (event_id, told_by) = (event.event_id().to_string(), around.told_by());
                    let writing = write(Due { event, punches });
                    in_flight.spawn(async move { (attempt, event_id, told_by, writing.await) });
                }
                Err(reason) => settle(&mut queue, &table, attempt, Class::Permanent { reason }, None, Vec::new()).await,
            }
        }
        let wait = queue.poll_timeout().map(|at| at.signed_duration_since(now())).unwrap_or(TimeDelta::hours(1));
        tokio::select! {
            order = inbox.recv() => match order {
                Some(waiting) => enqueue(&mut queue, waiting),
                None => return,
            },
            Some(Ok((attempt, event_id, told_by, outcomes))) = in_flight.join_next(), if !in_flight.is_empty() => {
                let unanswered = || Outcome::Retry { after: None, reason: RetryReason::Unconfirmed };
                let outcome = outcomes.first().cloned().unwrap_or_else(unanswered);
                let (word, reason) = (outcome.word(), outcome.reason());
                tracing::info!(event_id, attempt = attempt.number, outcome = word, reason, "written");
                let remote_id = outcome.remote_id().map(ToOwned::to_owned);
                let others = told_by.into_iter().zip(outcomes);
                let others = others.flat_map(|(ids, outcome)| ids.into_iter().map(move |id| (id, outcome.clone())));
                settle(&mut queue, &table, attempt, class_of(outcome), remote_id, others.collect()).await;
            }
            () = tokio::time::sleep(wait.max(TimeDelta::milliseconds(1)).to_std().unwrap_or_default()) => {}
        }
    }
}

fn class_of(outcome: Outcome) -> Class {
    match outcome {
        Outcome::Applied { .. } | Outcome::AlreadyThere { .. } => Class::Delivered,
        // It is about the punch alone, and no reason for the others to wait.
        Outcome::Retry { reason: RetryReason::Held, .. } => Class::Retry { after: None },
        Outcome::Retry { after, .. } => Class::Retry { after },
        Outcome::Park(reason) => Class::Permanent { reason: Reason::Parked(reason.code().to_owned()) },
    }
}

async fn settle(
    queue: &mut Queue,
    table: &Table,
    attempt: Attempt,
    class: Class,
    remote_id: Option<String>,
    others: Vec<(DeliveryId, Outcome)>,
) {
    queue.settle(attempt.delivery, class, now());
    let mut records = Vec::new();
    while let Some(record) = queue.poll_record() {
        records.push(record);
    }
    if let Err(error) = table.persist(records, remote_id, others).await {
        tracing::error!(%error, "an outcome could not be written down; the ERP is asked again after a restart");
    }
}

/// What is to be written.
#[derive(Debug)]
pub(crate) struct Due {
    /// The event that is due.
    pub(crate) event: ReceivedEvent,
    /// Its punch, then the others around it, each as it was told last.
    pub(crate) punches: Vec<ReceivedPunch>,
}

/// Reads what an attempt is about.
struct Reader {
    table: Table,
    mapping: Option<Arc<Mapping>>,
    reach: Option<Reach>,
}

impl Reader {
    async fn read(&self, delivery: DeliveryId) -> Result<Around, Reason> {
        let parked = |error: StoreError| Reason::Parked(error.to_string());
        let due = self.parse(&self.table.body(delivery).await.map_err(parked)?)?;
        let mut around = Around::of(due).ok_or_else(not_a_punch)?;
        let Some((at, reach)) = telling(around.due()).map(|(punch, _)| punch.at).zip(self.reach) else {
            return Ok(around);
        };
        for (other, body) in self.table.around(delivery, at, reach).await.map_err(parked)? {
            if let Ok(event) = self.parse(&body) {
                around.add(other, event, reach);
            }
        }
        Ok(around)
    }

    /// The event, with the employee in the place of the badge.
    fn parse(&self, body: &[u8]) -> Result<ReceivedEvent, Reason> {
        // The body was verified before it was stored.
        let mut event = Verified::assume_verified(body).event().map_err(|error| Reason::Parked(error.to_string()))?;
        if let Some(mapping) = &self.mapping {
            let punch = punch_of(&mut event).ok_or_else(not_a_punch)?;
            mapping.apply(punch).map_err(|reason| Reason::Parked(reason.code().to_owned()))?;
        }
        Ok(event)
    }
}

fn not_a_punch() -> Reason {
    Reason::Parked("not a punch".to_owned())
}
