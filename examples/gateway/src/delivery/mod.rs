//! Drives the queue: takes what is durable, sends what is due, writes down what became of it.

mod guard;
mod leases;
pub(crate) mod mail;
pub mod replay;
mod sender;
mod shared;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use punch_webhook::{
    Attempt, Class, DeliveryId, EndpointId, EndpointRules, EnqueueError, Outcome, Queue, QueueLimits, QueueStatus,
    Record, Waiting,
};
use tokio::sync::futures::OwnedNotified;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::clock::now;
use crate::config::DeliveryConfig;
use crate::stage::{Stage, Watch};
use crate::store::lease;
use crate::store::{AttemptRow, EndpointRow, Failing, Outgoing, Store, StoreError, Told, delivery_rows, tell_failing};

use leases::Leases;
pub(crate) use sender::shown_headers;
use sender::{Sender, Sent, Target};

/// Deliveries read from the store in one go, at the start and after the queue was full.
const PAGE: u32 = 10_000;

/// The queue is filled up from the store when fewer deliveries than this wait in it.
const REFILL_BELOW: usize = 1_000;

/// How the rest of the gateway speaks to the engine.
#[derive(Debug, Clone)]
pub struct Engine {
    orders: mpsc::UnboundedSender<Order>,
    settled: Arc<Notify>,
}

#[derive(Debug)]
enum Order {
    /// These are durable.
    Deliver(Vec<Waiting>),
    /// An endpoint was added or changed.
    Endpoint(Box<EndpointRow>),
    /// An endpoint is to stop, or to go on.
    Wish(EndpointId, Wish, oneshot::Sender<()>),
    /// How does it stand?
    Status(oneshot::Sender<QueueStatus>),
    /// Begin nothing new and end when nothing is in flight.
    Drain(oneshot::Sender<()>),
}

/// What somebody wants of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Send nothing until told otherwise; keep everything.
    Pause,
    /// Go on, after a pause or after the receiver said that it is gone.
    Resume,
}

impl Engine {
    /// Starts delivering, first what an earlier life left undelivered. What people have to be told goes to `news`.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn start(
        store: Store,
        config: &DeliveryConfig,
        watch: Watch,
        news: mpsc::Sender<Failing>,
    ) -> Result<Self, StoreError> {
        let sender = Sender::new(config);
        let leases = Leases::of(&store).await?;
        let (orders, inbox) = mpsc::unbounded_channel();
        let settled = Arc::new(Notify::new());
        let mut driver = Driver {
            settled: Arc::clone(&settled),
            back: orders.downgrade(),
            news,
            queue: Queue::new(QueueLimits::default()),
            targets: BTreeMap::new(),
            store,
            sender: Arc::new(sender),
            watch,
            in_flight: JoinSet::new(),
            writes: JoinSet::new(),
            unwritten: BTreeSet::new(),
            look_again: BTreeSet::new(),
            early: Vec::new(),
            unfed_after: None,
            leases,
        };
        driver.take_up_work().await?;
        tokio::spawn(driver.run(inbox));
        Ok(Self { orders, settled })
    }

    /// Hands over deliveries that are durable.
    pub fn deliver(&self, deliveries: Vec<Waiting>) {
        if !deliveries.is_empty() {
            self.order(Order::Deliver(deliveries));
        }
    }

    /// Makes an endpoint known, or its change.
    pub fn set_endpoint(&self, endpoint: EndpointRow) {
        self.order(Order::Endpoint(Box::new(endpoint)));
    }

    /// Stops an endpoint, or lets it go on. Returns once that is on disk.
    pub async fn wish(&self, endpoint: EndpointId, wish: Wish) {
        let (answer, done) = oneshot::channel();
        self.order(Order::Wish(endpoint, wish, answer));
        // After a drain nobody takes orders; the store has the endpoint as it is.
        drop(done.await);
    }

    /// The queue in numbers; `None` once the engine has stopped.
    pub async fn status(&self) -> Option<QueueStatus> {
        let (answer, status) = oneshot::channel();
        self.order(Order::Status(answer));
        status.await.ok()
    }

    /// Begins nothing new and returns when nothing is in flight. What was not sent stays in the store.
    pub async fn drain(&self) {
        let (answer, drained) = oneshot::channel();
        self.order(Order::Drain(answer));
        // The engine may have stopped before; then there is nothing to wait for.
        drop(drained.await);
    }

    /// Ends when the next attempt is settled and that is on disk, counted from this call.
    fn settled(&self) -> OwnedNotified {
        Arc::clone(&self.settled).notified_owned()
    }

    /// Whether nothing is delivered any more.
    fn has_stopped(&self) -> bool {
        self.orders.is_closed()
    }

    fn order(&self, order: Order) {
        // After a drain nobody takes orders, and the store has everything.
        drop(self.orders.send(order));
    }
}

struct Driver {
    queue: Queue,
    targets: BTreeMap<EndpointId, Arc<Target>>,
    store: Store,
    sender: Arc<Sender>,
    watch: Watch,
    settled: Arc<Notify>,
    /// For what a result on its way to the disk gives rise to.
    back: mpsc::WeakUnboundedSender<Order>,
    news: mpsc::Sender<Failing>,
    in_flight: JoinSet<(Attempt, DateTime<Utc>, Sent)>,
    /// Results on their way to the disk.
    writes: JoinSet<DeliveryId>,
    /// Of which deliveries. The store still has them as waiting.
    unwritten: BTreeSet<DeliveryId>,
    /// Endpoints of which such a delivery was read, which may be one that is made again.
    look_again: BTreeSet<EndpointId>,
    /// Deliveries that came before their endpoint did.
    early: Vec<Waiting>,
    /// The queue was full: deliveries above this id are in the store only.
    unfed_after: Option<u64>,
    /// What this gateway delivers to, if others work with the store too; else it delivers to all.
    leases: Option<Leases>,
}

impl Driver {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Order>) {
        let mut draining: Option<oneshot::Sender<()>> = None;
        loop {
            if draining.is_none() {
                if self.leases.as_ref().is_none_or(Leases::hold) {
                    self.begin_attempts();
                }
            } else if self.in_flight.is_empty() {
                break;
            }
            let wait = self.queue.poll_timeout().map(|at| at.signed_duration_since(now()));
            let wait = wait.unwrap_or(TimeDelta::hours(1)).max(TimeDelta::milliseconds(1));
            tokio::select! {
                order = inbox.recv() => match order {
                    Some(Order::Drain(answer)) => draining = Some(answer),
                    Some(Order::Wish(endpoint, wish, answer)) => {
                        self.grant(endpoint, wish).await;
                        // Whoever asked may have stopped waiting.
                        let _ = answer.send(());
                    }
                    Some(order) => self.follow(order),
                    None => break,
                },
                Some(ended) = self.in_flight.join_next(), if !self.in_flight.is_empty() => match ended {
                    Ok((attempt, began, sent)) => self.settle(attempt, began, sent).await,
                    Err(error) => tracing::error!(%error, "an attempt was lost"),
                },
                () = news(self.leases.as_ref()), if draining.is_none() => self.look_around().await,
                () = tokio::time::sleep(wait.to_std().unwrap_or_default()), if draining.is_none() => {}
            }
        }
        while self.writes.join_next().await.is_some() {}
        if let Some(leases) = &mut self.leases {
            leases.leave().await;
        }
        if let Some(answer) = draining {
            // Whoever asked may have stopped waiting.
            let _ = answer.send(());
        }
    }

    /// What an earlier life left undelivered.
    async fn take_up_work(&mut self) -> Result<(), StoreError> {
        if self.leases.is_some() {
            self.look_around().await;
            return Ok(());
        }
        for endpoint in self.store.read(EndpointRow::all).await? {
            self.set_endpoint(endpoint);
        }
        self.feed(0).await
    }

    fn follow(&mut self, order: Order) {
        match order {
            // Where several deliver, whoever holds the endpoint finds it in the store.
            Order::Deliver(_) if self.leases.is_some() => {}
            Order::Deliver(deliveries) => {
                for waiting in deliveries {
                    // Whoever makes one again has seen its result on disk, also if this has not heard of that yet.
                    self.unwritten.remove(&waiting.delivery);
                    self.enqueue(waiting);
                }
            }
            Order::Endpoint(endpoint) => match &mut self.leases {
                Some(leases) => leases.hurry(),
                None => self.set_endpoint(*endpoint),
            },
            Order::Status(answer) => drop(answer.send(self.queue.status())),
            Order::Wish(..) | Order::Drain(_) => {}
        }
    }

    async fn grant(&mut self, endpoint: EndpointId, wish: Wish) {
        match wish {
            Wish::Pause => drop(self.queue.pause(endpoint, now())),
            Wish::Resume => {
                let _ = self.queue.resume(endpoint, now()) || self.queue.enable(endpoint, now());
            }
        }
        let mut records: Vec<Record> = Vec::new();
        while let Some(record) = self.queue.poll_record() {
            records.push(record);
        }
        let is_elsewhere = self.queue.endpoint_status(endpoint).is_none();
        let work = move |tx: &mut crate::store::Transaction<'_>| match wish {
            // Whoever delivers to it looks there.
            Wish::Pause if is_elsewhere => lease::wish(tx, endpoint, "pause"),
            Wish::Resume if is_elsewhere => lease::wish(tx, endpoint, "resume"),
            Wish::Pause | Wish::Resume => records.iter().try_for_each(|record| crate::store::persist(tx, record)),
        };
        if let Err(error) = self.store.write(work).await {
            tracing::error!(%error, endpoint = endpoint.0, "what is wanted of an endpoint could not be written down");
        }
    }

    fn set_endpoint(&mut self, endpoint: EndpointRow) {
        let mut rules = EndpointRules::default();
        rules.schedule = endpoint.schedule.clone();
        if let Some(count) = endpoint.options.max_in_flight {
            rules.max_in_flight = count.into();
        }
        if !self.queue.set_rules(endpoint.id, rules.clone()) {
            self.queue.set_endpoint(endpoint.id, rules, endpoint.state, now());
        }
        self.targets.insert(endpoint.id, Arc::new(Target::of(&endpoint)));
        for waiting in std::mem::take(&mut self.early) {
            self.enqueue(waiting);
        }
    }

    fn enqueue(&mut self, waiting: Waiting) {
        // Once something did not fit, everything after it has to wait its turn in the store.
        if self.unfed_after.is_some() {
            return;
        }
        if self.unwritten.contains(&waiting.delivery) {
            self.look_again.insert(waiting.endpoint);
            return;
        }
        match self.queue.enqueue(waiting, now()) {
            Ok(()) => {}
            // Somebody else holds it, and finds it in the store.
            Err(EnqueueError::UnknownEndpoint { .. }) if self.store.replica().is_some() => {}
            Err(EnqueueError::UnknownEndpoint { .. }) => self.early.push(waiting),
            Err(error) => {
                tracing::warn!(%error, "delivery stays in the store for now");
                self.unfed_after = Some(waiting.delivery.0.saturating_sub(1));
            }
        }
    }

    fn forget_written(&mut self) {
        while let Some(written) = self.writes.try_join_next() {
            match written {
                Ok(delivery) => drop(self.unwritten.remove(&delivery)),
                // Which one it was is not said, so each may be sent once more.
                Err(error) => {
                    tracing::error!(%error, "a result was lost");
                    self.unwritten.clear();
                }
            }
        }
    }

    /// Takes undelivered rows from the store, in order, until there are no more or the queue is full.
    async fn feed(&mut self, after: u64) -> Result<(), StoreError> {
        let mut after = after;
        self.unfed_after = None;
        loop {
            let page = self.store.read(move |connection| delivery_rows(connection, after, PAGE)).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.delivery.0;
            for waiting in page {
                self.enqueue(waiting);
            }
            if self.unfed_after.is_some() {
                return Ok(());
            }
        }
    }

    fn begin_attempts(&mut self) {
        while let Some(attempt) = self.queue.poll_attempt(now()) {
            let Some(target) = self.targets.get(&attempt.endpoint).map(Arc::clone) else {
                self.queue.settle(attempt.delivery, Class::Retry { after: None }, now());
                continue;
            };
            let (store, sender) = (self.store.clone(), Arc::clone(&self.sender));
            self.in_flight.spawn(async move {
                let began = now();
                let delivery = attempt.delivery;
                let sent = match store.read(move |connection| Outgoing::of(connection, delivery)).await {
                    Ok(Some(outgoing)) => sender.send(&target, &outgoing, attempt.number, began).await,
                    Ok(None) => Sent::nothing("the event has no body in this endpoint's format"),
                    Err(error) => Sent::nothing(&error.to_string()),
                };
                (attempt, began, sent)
            });
        }
    }

    async fn settle(&mut self, attempt: Attempt, began: DateTime<Utc>, sent: Sent) {
        let class = Class::of(&sent.outcome);
        let delivered = class == Class::Delivered;
        let is_known = self.queue.settle(attempt.delivery, class, now()).is_some();
        let row = attempt_row(&attempt, began, &sent);
        self.store.metrics().attempted(row.status, Duration::from_millis(row.millis));
        tracing::debug!(delivery = attempt.delivery.0, number = attempt.number, status = row.status, "attempt");
        let mut records: Vec<Record> = Vec::new();
        while let Some(record) = self.queue.poll_record() {
            records.push(record);
        }
        if delivered && !is_known {
            // The endpoint is somebody else's by now, who need not send it once more.
            let (delivery, attempts) = (attempt.delivery, attempt.number);
            records.push(Record::Delivered { delivery, attempts, at: now() });
        }
        let (holder, endpoint) = (self.leases.as_ref().map(Leases::holder), attempt.endpoint);
        let (store, watch, settled) = (self.store.clone(), self.watch.clone(), Arc::clone(&self.settled));
        let (back, news) = (self.back.clone(), self.news.clone());
        // Not awaited: until a record is durable a crash sends once more, which receivers expect.
        self.forget_written();
        self.unwritten.insert(attempt.delivery);
        self.writes.spawn(async move {
            let written = store
                .write(move |tx| {
                    row.insert(tx)?;
                    let records = match holder {
                        Some(holder) => lease::still_true(tx, &holder, endpoint, records)?,
                        None => records,
                    };
                    records.iter().try_for_each(|record| crate::store::persist(tx, record))?;
                    tell_failing(tx, &records, now())
                })
                .await;
            match written {
                Ok(told) => {
                    if let Some(event_id) = sent.event_id.filter(|_| delivered) {
                        watch.announce(event_id.as_str(), Stage::Delivered, now());
                    }
                    pass_on(told, &back, &news);
                }
                Err(error) => tracing::error!(%error, "an attempt could not be written down"),
            }
            settled.notify_waiters();
            attempt.delivery
        });
        if let Some(after) = self.unfed_after
            && self.queue.status().waiting < REFILL_BELOW
            && let Err(error) = self.feed(after).await
        {
            tracing::error!(%error, "undelivered rows could not be read");
            self.unfed_after = Some(after);
        }
    }
}

/// Ends when something is to be looked at that others have written; never, if there are no others.
async fn news(leases: Option<&Leases>) {
    match leases {
        Some(leases) => leases.news().await,
        None => core::future::pending().await,
    }
}

fn pass_on(told: Told, back: &mpsc::WeakUnboundedSender<Order>, news: &mpsc::Sender<Failing>) {
    if let Some(orders) = back.upgrade().filter(|_| !told.deliveries.is_empty()) {
        // After a drain nobody takes orders, and the store has everything.
        drop(orders.send(Order::Deliver(told.deliveries)));
    }
    for failing in told.failing {
        tracing::warn!(
            endpoint = failing.endpoint.0,
            state = failing.state,
            failed = failing.failed,
            "takes no events"
        );
        // Whoever tells people may be slow or not be there; the log and the API tell it too.
        drop(news.try_send(failing));
    }
}

fn attempt_row(attempt: &Attempt, began: DateTime<Utc>, sent: &Sent) -> AttemptRow {
    let (status, error) = match &sent.outcome {
        Outcome::Answered { status, .. } => (Some(*status), None),
        Outcome::TimedOut => (None, Some("timed out".to_owned())),
        Outcome::Refused(reason) => (None, Some(reason.to_string())),
        _ => (None, Some(sent.error.clone().unwrap_or_else(|| "unreachable".to_owned()))),
    };
    let millis = u64::try_from(now().signed_duration_since(began).num_milliseconds()).unwrap_or(0);
    AttemptRow {
        delivery: DeliveryId(attempt.delivery.0),
        number: attempt.number,
        at: began,
        status,
        error,
        millis,
        response: sent.response.clone(),
        format: sent.format,
    }
}
