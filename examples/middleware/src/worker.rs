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

/// Which other punches of a person go with the one that is due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    /// How far before and after it.
    pub(crate) time: TimeDelta,
    /// Only those that are still waiting, or parked for want of another punch: what somebody deleted in the ERP is not
    /// written again, nor what it refuses.
    pub(crate) waiting_only: bool,
}

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
    reach: Option<Reach>,
    write: W,
    mut inbox: mpsc::UnboundedReceiver<Waiting>,
) where
    W: Fn(Due) -> F + Send + 'static,
    F: Future<Output = Vec<Outcome>> + Send + 'static,
{
    let mut in_flight = JoinSet::new();
    loop {
        while let Some(attempt) = queue.poll_attempt(now()) {
            match read(&table, attempt.delivery, reach).await {
                Ok(job) => {
                    let known = job.known.into_iter().map(|known| (known.punch, known.told_by));
                    let (punches, told_by): (Vec<_>, Vec<_>) = known.unzip();
                    let event_id = job.event.event_id().to_string();
                    let writing = write(Due { event: job.event, punches });
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

/// What one attempt is about.
struct Job {
    event: ReceivedEvent,
    /// The punch that is due, then the others around it.
    known: Vec<Known>,
}

/// A punch as it was told last.
struct Known {
    punch: ReceivedPunch,
    /// How often it was told anew.
    number: u32,
    /// The deliveries that told of it, the one that is due left out. None if too little of what is around the punch is
    /// known to judge it anew.
    told_by: Vec<DeliveryId>,
}

async fn read(table: &Table, delivery: DeliveryId, reach: Option<Reach>) -> Result<Job, Reason> {
    let parked = |error: StoreError| Reason::Parked(error.to_string());
    let (event, due) = parse(&table.body(delivery).await.map_err(parked)?)?;
    let (at, badge) = (due.punch.at, due.punch.badge.clone());
    let mut known = vec![due];
    let Some(reach) = reach else { return Ok(Job { event, known }) };
    for (other, body) in table.around(delivery, at, reach).await.map_err(parked)? {
        // Two people can share a lane.
        let Some((_, mut told)) = parse(&body).ok().filter(|(_, told)| told.punch.badge == badge) else { continue };
        // Where a record is made of several punches, one far away lacks what is around it.
        if reach.waiting_only || (told.punch.at - at).abs() <= reach.time / 2 {
            told.told_by.push(other);
        }
        match known.iter_mut().find(|known| known.punch.event_id == told.punch.event_id) {
            Some(known) => {
                known.told_by.append(&mut told.told_by);
                if known.number < told.number {
                    (known.punch, known.number) = (told.punch, told.number);
                }
            }
            None => known.push(told),
        }
    }
    Ok(Job { event, known })
}

/// The event, and the punch it tells of.
fn parse(body: &[u8]) -> Result<(ReceivedEvent, Known), Reason> {
    // The body was verified before it was stored.
    let event = Verified::assume_verified(body).event().map_err(|error| Reason::Parked(error.to_string()))?;
    let (punch, number) = match &event {
        ReceivedEvent::Punch(punch) => (punch, 0),
        ReceivedEvent::Revised(told) => (&told.punch, told.change.number),
        ReceivedEvent::Late(told) => (&told.punch, told.change.as_ref().map_or(0, |change| change.number)),
        _ => return Err(Reason::Parked("not a punch".to_owned())),
    };
    let known = Known { punch: punch.clone(), number, told_by: Vec::new() };
    Ok((event, known))
}
