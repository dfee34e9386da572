//! Drives the queue: takes what is durable, sends what is due, writes down what became of it.

mod answers;
mod guard;
mod leases;
pub(crate) mod mail;
pub(crate) mod outages;
pub mod replay;
mod request;
pub mod retention;
mod sender;
mod shared;
mod sinks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::TimeDelta;
use punch_webhook::{Class, DeliveryId, EndpointId, EnqueueError, Queue, QueueLimits, QueueStatus, Record, Waiting};
use tokio::sync::futures::OwnedNotified;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::clock::now;
use crate::config::DeliveryConfig;
use crate::stage::Watch;
use crate::store::lease;
use crate::store::{EndpointRow, Store, StoreError, delivery_rows};

pub use self::sinks::Sinks;
use leases::Leases;
use request::{Answered, make, read_bodies};
use sender::{Sender, Target};

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
    /// These are not in the request they were taken for.
    GiveBack(Vec<DeliveryId>),
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
    /// Starts delivering, first what an earlier life left undelivered. Whoever mails is woken by `post`, if anybody is.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn start(
        store: Store,
        config: &DeliveryConfig,
        sinks: Sinks,
        watch: Watch,
        post: Option<Arc<Notify>>,
    ) -> Result<Self, StoreError> {
        let sender = Sender::new(config);
        let leases = Leases::of(&store).await?;
        let (orders, inbox) = mpsc::unbounded_channel();
        if leases.is_none() {
            take_what_is_made(&store, orders.downgrade());
        }
        let settled = Arc::new(Notify::new());
        let mut limits = QueueLimits::default();
        limits.max_in_flight += sinks.waiting_room();
        let mut driver = Driver {
            settled: Arc::clone(&settled),
            back: orders.downgrade(),
            post,
            queue: Queue::new(limits),
            targets: BTreeMap::new(),
            sinks,
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

/// Has deliveries handed over that are durable. Where several gateways deliver, whoever holds the endpoint finds them in the
/// store.
fn take_what_is_made(store: &Store, orders: mpsc::WeakUnboundedSender<Order>) {
    store.hand_over_to(move |deliveries| {
        // After a drain nobody takes orders, and the store has everything.
        drop(orders.upgrade().map(|orders| orders.send(Order::Deliver(deliveries))));
    });
}

struct Driver {
    queue: Queue,
    targets: BTreeMap<EndpointId, Arc<Target>>,
    sinks: Sinks,
    store: Store,
    sender: Arc<Sender>,
    watch: Watch,
    settled: Arc<Notify>,
    /// For what a result on its way to the disk gives rise to.
    back: mpsc::WeakUnboundedSender<Order>,
    post: Option<Arc<Notify>>,
    in_flight: JoinSet<Answered>,
    /// Results on their way to the disk.
    writes: JoinSet<Vec<DeliveryId>>,
    /// Of which deliveries. The store still has them as waiting.
    unwritten: BTreeSet<DeliveryId>,
    /// Endpoints that are read from the store once more, also if reading them has failed.
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
                    Some(Order::Drain(answer)) => {
                        self.sinks.stop();
                        draining = Some(answer);
                    }
                    Some(Order::Wish(endpoint, wish, answer)) => {
                        self.grant(endpoint, wish).await;
                        // Whoever asked may have stopped waiting.
                        let _ = answer.send(());
                    }
                    Some(order) => self.follow(order),
                    None => break,
                },
                Some(ended) = self.in_flight.join_next(), if !self.in_flight.is_empty() => self.settle(ended).await,
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
            Order::Deliver(deliveries) => {
                for waiting in deliveries {
                    self.enqueue(waiting);
                }
            }
            Order::Endpoint(endpoint) => match &mut self.leases {
                Some(leases) => leases.hurry(),
                None => self.set_endpoint(*endpoint),
            },
            Order::GiveBack(deliveries) => {
                for delivery in deliveries {
                    self.queue.give_back(delivery);
                }
            }
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
        let work = move |tx: &mut crate::store::Transaction<'_>| {
            records.iter().try_for_each(|record| crate::store::persist(tx, record))?;
            match wish {
                // Whoever delivers to it looks there.
                Wish::Pause if is_elsewhere => lease::wish(tx, endpoint, "pause"),
                Wish::Resume if is_elsewhere => lease::wish(tx, endpoint, "resume"),
                Wish::Pause | Wish::Resume => Ok(()),
            }
        };
        if let Err(error) = self.store.write(work).await {
            tracing::error!(%error, endpoint = endpoint.0, "what is wanted of an endpoint could not be written down");
        }
    }

    fn set_endpoint(&mut self, endpoint: EndpointRow) {
        let target = Target::of(&endpoint, &self.sinks);
        let mut rules = endpoint.options.rules(&endpoint.schedule);
        if let (None, Some(count)) =
            (endpoint.options.max_in_flight, target.entrance.as_ref().and_then(|at| at.at_once()))
        {
            rules.max_in_flight = count;
        }
        if !self.queue.set_rules(endpoint.id, rules.clone()) {
            self.queue.set_endpoint(endpoint.id, rules, endpoint.state, now());
        }
        self.targets.insert(endpoint.id, Arc::new(target));
        for waiting in std::mem::take(&mut self.early) {
            self.enqueue(waiting);
        }
    }

    fn enqueue(&mut self, waiting: Waiting) {
        // Once something did not fit, everything after it has to wait its turn in the store.
        if self.unfed_after.is_some() {
            return;
        }
        // Where one gateway works alone, what is handed over was made after its last result was on disk.
        if self.store.replica().is_some() && self.unwritten.contains(&waiting.delivery) {
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
                Ok(deliveries) => {
                    for delivery in &deliveries {
                        self.unwritten.remove(delivery);
                    }
                }
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
        let mut wanted = Vec::new();
        while let Some(attempts) = self.queue.poll_request(now()) {
            let deliveries: Vec<DeliveryId> = attempts.iter().map(|attempt| attempt.delivery).collect();
            let target = attempts.first().and_then(|first| self.targets.get(&first.endpoint)).map(Arc::clone);
            let Some(target) = target else {
                self.queue.settle_request(&deliveries, &Class::Retry { after: None }, now());
                continue;
            };
            let (hand_over, contents) = oneshot::channel();
            wanted.push((deliveries, hand_over));
            self.in_flight.spawn(make(attempts, contents, target, Arc::clone(&self.sender), self.back.clone()));
        }
        read_bodies(&self.store, wanted);
    }
}

/// Ends when something is to be looked at that others have written; never, if there are no others.
async fn news(leases: Option<&Leases>) {
    match leases {
        Some(leases) => leases.news().await,
        None => core::future::pending().await,
    }
}
