use chrono::TimeDelta;
use gateway::clock::now;
use gateway::store::StoreError;
use punch_erp::{Outcome, RetryReason};
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
    /// `write` gets the punch that is due, and behind it the others of the person up to `reach` around it, if there is a
    /// reach; it answers with an outcome for each.
    pub(crate) async fn start<W, F>(table: Table, reach: Option<TimeDelta>, write: W) -> Result<Self, StoreError>
    where
        W: Fn(Vec<ReceivedPunch>) -> F + Send + 'static,
        F: Future<Output = Vec<Outcome>> + Send + 'static,
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
        tokio::spawn(run(queue, table, reach, write, inbox));
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

async fn run<W, F>(
    mut queue: Queue,
    table: Table,
    reach: Option<TimeDelta>,
    write: W,
    mut inbox: mpsc::UnboundedReceiver<Waiting>,
) where
    W: Fn(Vec<ReceivedPunch>) -> F + Send + 'static,
    F: Future<Output = Vec<Outcome>> + Send + 'static,
{
    let mut in_flight = JoinSet::new();
    loop {
        while let Some(attempt) = queue.poll_attempt(now()) {
            match read(&table, attempt.delivery, reach).await {
                Ok(job) => {
                    let (event_id, writing) = (job.event_id, write(job.punches));
                    in_flight.spawn(async move { (attempt, event_id, job.others, writing.await) });
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
            Some(Ok((attempt, event_id, others, outcomes))) = in_flight.join_next(), if !in_flight.is_empty() => {
                let mut outcomes = outcomes.into_iter();
                let unanswered = || Outcome::Retry { after: None, reason: RetryReason::Unconfirmed };
                let outcome = outcomes.next().unwrap_or_else(unanswered);
                let (word, reason) = (outcome.word(), outcome.reason());
                tracing::info!(event_id, attempt = attempt.number, outcome = word, reason, "written");
                let remote_id = outcome.remote_id().map(ToOwned::to_owned);
                let others = others.into_iter().zip(outcomes).filter_map(|(other, outcome)| Some((other?, outcome)));
                settle(&mut queue, &table, attempt, class_of(outcome), remote_id, others.collect()).await;
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

/// What one attempt is about.
struct Job {
    event_id: String,
    /// The punch that is due, then the others around it.
    punches: Vec<ReceivedPunch>,
    /// The deliveries of those others; none where too little of what is around it is known to judge it anew.
    others: Vec<Option<DeliveryId>>,
}

async fn read(table: &Table, delivery: DeliveryId, reach: Option<TimeDelta>) -> Result<Job, Reason> {
    let parked = |error: StoreError| Reason::Parked(error.to_string());
    let punch = parse(&table.body(delivery).await.map_err(parked)?)?;
    let (event_id, at, badge) = (punch.event_id.to_string(), punch.at, punch.badge.clone());
    let mut job = Job { event_id, punches: vec![punch], others: Vec::new() };
    let Some(reach) = reach else { return Ok(job) };
    for (other, body) in table.around(delivery, at, reach).await.map_err(parked)? {
        // Two people can share a lane.
        if let Some(punch) = parse(&body).ok().filter(|punch| punch.badge == badge) {
            job.others.push(((punch.at - at).abs() <= reach / 2).then_some(other));
            job.punches.push(punch);
        }
    }
    Ok(job)
}

fn parse(body: &[u8]) -> Result<ReceivedPunch, Reason> {
    // The body was verified before it was stored.
    match Verified::assume_verified(body).event() {
        Ok(ReceivedEvent::Punch(punch)) => Ok(punch),
        Ok(_) => Err(Reason::Parked("not a punch".to_owned())),
        Err(error) => Err(Reason::Parked(error.to_string())),
    }
}
