mod agenda;
mod endpoint;
mod ids;
mod lanes;
mod pace;
mod ramp;
mod record;
mod rules;
mod settling;
mod state;
mod together;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use chrono::{DateTime, Utc};

pub use ids::{DeliveryId, EndpointId, Lane};
pub use record::{Attempt, Progress, Record, Waiting};
pub use rules::{EndpointRules, EnqueueError, QueueLimits};
pub use state::{EndpointState, EndpointStatus, Health, QueueStatus};

use crate::{Class, Disposition};
use agenda::Agenda;
use endpoint::Endpoint;
use lanes::Held;

/// Who is sent what, when: the delivery machine, without a socket, a clock or a disk.
///
/// # Rules
///
/// * Order is per (endpoint, lane): one request in flight per lane, events in the order they were enqueued. While the
///   head of a lane is retried the rest waits, at most [`EndpointRules::max_head_block`]; then it goes ahead with a
///   [`Record::HeadBypassed`] and the head keeps its own schedule.
/// * Retry state belongs to the endpoint. After [`EndpointRules::back_off_after`] retryable failures in a row it backs
///   off: one probe at a time, by the schedule and at least every [`EndpointRules::probe_interval`]; the oldest event
///   and the oldest of a lane that has not failed take turns. The first success makes everything due and drains it in
///   order, with 1, 2, 4 … attempts in flight.
/// * An event that serves as a probe uses up nothing but its attempt numbers. While its endpoint backs off it fails by
///   its deadline or by an answer about itself (a permanent one, or 404 too often); by its deadline only together with
///   a probe that failed.
/// * A lane that fails, sees others succeed and fails again has itself to blame: it follows its own schedule and no
///   longer counts against the endpoint. While fewer lanes than `back_off_after` have failed, an event of another lane
///   need not wait for the next probe: it is one.
/// * `Retry-After` holds the whole endpoint, at most for the probe interval, and the event itself at most for twice its
///   slot.
/// * A paused or disabled endpoint keeps its events, without a deadline; those count anew when it starts again.
/// * A dead endpoint or a failing lane delays no other: budgets and rates are per endpoint, and endpoints take turns.
/// * [`EndpointRules::max_batch`] deliveries may share a request. Each keeps its attempts, its schedule and its deadline.
///   What failed by itself goes alone, and so does a probe. A request of several that is refused for good, or with 404,
///   fails nobody: its deliveries go out again at once in two halves, until the one to blame is alone.
///
/// # Driver
///
/// 1. Make every [`Queue::poll_record`] durable. Until a `Delivered` is, a crash sends its event once more.
/// 2. Send every [`Queue::poll_attempt`] and [`Queue::settle`] it whatever happens, a lost task included.
/// 3. Sleep until [`Queue::poll_timeout`], an answer, a new event or a command; go to 1.
///
/// After a restart set the endpoints with their last recorded states and enqueue everything undelivered, in its first
/// order, with its last recorded [`Progress`]. What was in flight is sent again.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use chrono::{DateTime, Utc};
/// use punch_webhook::{
///     Attempt, Class, DeliveryId, EndpointId, EndpointRules, EndpointState, Lane, Outcome, Queue, QueueLimits, Record,
///     Waiting,
/// };
///
/// fn send(attempt: Attempt) -> Outcome {
///     Outcome::answered(if attempt.number == 1 { 503 } else { 200 })
/// }
///
/// let mut now: DateTime<Utc> = DateTime::UNIX_EPOCH; // a real driver reads its clock
/// let mut store: BTreeMap<DeliveryId, Waiting> = BTreeMap::new(); // and has a database
///
/// let (endpoint, lane) = (EndpointId(1), Lane::of(b"1042"));
/// let mut queue = Queue::new(QueueLimits::default());
/// queue.set_endpoint(endpoint, EndpointRules::default(), EndpointState::default(), now);
/// for id in [DeliveryId(1), DeliveryId(2)] {
///     store.insert(id, Waiting::new(id, endpoint, lane, now));
///     queue.enqueue(store[&id], now)?;
/// }
/// while !store.is_empty() {
///     while let Some(attempt) = queue.poll_attempt(now) {
///         queue.settle(attempt.delivery, Class::of(&send(attempt)), now);
///     }
///     while let Some(record) = queue.poll_record() {
///         match record {
///             Record::Delivered { delivery, .. } | Record::Failed { delivery, .. } => drop(store.remove(&delivery)),
///             Record::Waiting { delivery, progress } => {
///                 store.entry(delivery).and_modify(|row| row.progress = progress);
///             }
///             other => println!("{other:?}"),
///         }
///     }
///     now = queue.poll_timeout().unwrap_or(now).max(now); // sleep until then
/// }
/// # Ok::<(), punch_webhook::EnqueueError>(())
/// ```
#[derive(Debug)]
pub struct Queue {
    limits: QueueLimits,
    endpoints: BTreeMap<EndpointId, Endpoint>,
    owners: BTreeMap<DeliveryId, EndpointId>,
    agenda: Agenda,
    records: VecDeque<Record>,
    in_flight: usize,
    sequence: u64,
}

impl Queue {
    /// An empty queue.
    pub fn new(limits: QueueLimits) -> Self {
        Self {
            limits,
            endpoints: BTreeMap::new(),
            owners: BTreeMap::new(),
            agenda: Agenda::default(),
            records: VecDeque::new(),
            in_flight: 0,
            sequence: 0,
        }
    }

    /// Adds an endpoint, or replaces the rules and the state of one; its deliveries stay.
    pub fn set_endpoint(
        &mut self,
        endpoint: EndpointId,
        rules: EndpointRules,
        state: EndpointState,
        now: DateTime<Utc>,
    ) {
        let state = EndpointState { since: state.since.or(Some(now)), ..state };
        self.endpoints.entry(endpoint).or_insert_with(|| Endpoint::new(endpoint, rules.clone(), state));
        self.change(endpoint, |it, _| {
            it.set_rules(rules);
            it.set_state(state);
        });
    }

    /// Replaces the rules of an endpoint and leaves its state alone. `false` if it is unknown.
    pub fn set_rules(&mut self, endpoint: EndpointId, rules: EndpointRules) -> bool {
        self.change(endpoint, |it, _| it.set_rules(rules)).is_some()
    }

    /// Forgets an endpoint and returns the deliveries it held; answers to those in flight are ignored.
    pub fn remove_endpoint(&mut self, endpoint: EndpointId) -> Vec<DeliveryId> {
        let Some(removed) = self.endpoints.remove(&endpoint) else { return Vec::new() };
        self.in_flight = self.in_flight.saturating_sub(removed.lanes.in_flight());
        self.agenda.forget(endpoint);
        let held: Vec<DeliveryId> = removed.lanes.ids().collect();
        for delivery in &held {
            self.owners.remove(delivery);
        }
        held
    }

    /// Stops an endpoint by the user's wish; attempts in flight end as they end. `false` if it is unknown or stopped.
    pub fn pause(&mut self, endpoint: EndpointId, now: DateTime<Utc>) -> bool {
        self.change(endpoint, |it, records| it.pause(now, records)).unwrap_or(false)
    }

    /// Ends a pause. `false` if the endpoint is not paused.
    pub fn resume(&mut self, endpoint: EndpointId, now: DateTime<Utc>) -> bool {
        self.change(endpoint, |it, records| it.start(Health::Paused, now, records)).unwrap_or(false)
    }

    /// Takes an endpoint that answered 410 back into service. `false` if it is not disabled.
    pub fn enable(&mut self, endpoint: EndpointId, now: DateTime<Utc>) -> bool {
        self.change(endpoint, |it, records| it.start(Health::Disabled, now, records)).unwrap_or(false)
    }

    /// Takes a delivery that is already durable. Order of enqueuing is order of delivery within a lane.
    ///
    /// A delivery that is held already is left as it is, so a store may feed the same rows twice.
    ///
    /// # Errors
    ///
    /// [`EnqueueError`] if the queue is full or the endpoint unknown. The delivery stays in the store.
    pub fn enqueue(&mut self, waiting: Waiting, now: DateTime<Utc>) -> Result<(), EnqueueError> {
        let Waiting { delivery, endpoint, lane, created_at, progress } = waiting;
        if self.owners.contains_key(&delivery) {
            return Ok(());
        }
        if !self.endpoints.contains_key(&endpoint) {
            return Err(EnqueueError::UnknownEndpoint { endpoint });
        }
        if self.owners.len() >= self.limits.max_waiting {
            return Err(EnqueueError::Full { delivery, max_waiting: self.limits.max_waiting });
        }
        let sequence = self.sequence;
        self.sequence = sequence.saturating_add(1);
        self.owners.insert(delivery, endpoint);
        let held = Held { lane, sequence, created_at, enqueued_at: now, progress };
        self.change(endpoint, |it, _| it.lanes.insert(delivery, held));
        Ok(())
    }

    /// Takes a delivery back without a record: cancelled, or leased by another replica. An answer to it is ignored.
    pub fn withdraw(&mut self, delivery: DeliveryId) -> bool {
        let Some(endpoint) = self.owners.remove(&delivery) else { return false };
        self.change(endpoint, |it, _| it.remove(delivery)).flatten().is_some()
    }

    /// The next attempt to make at `now`, alone in its request, until `None`.
    #[must_use]
    pub fn poll_attempt(&mut self, now: DateTime<Utc>) -> Option<Attempt> {
        self.poll(1, now)?.pop()
    }

    /// The attempts of the next request to make at `now`, until `None`: never none, and several only where
    /// [`EndpointRules::max_batch`] allows it, in the order in which their events have to be taken.
    ///
    /// Settle them together, by [`Queue::settle_request`]. What does not fit into the request after all is
    /// [given back](Queue::give_back), from the last on.
    #[must_use]
    pub fn poll_request(&mut self, now: DateTime<Utc>) -> Option<Vec<Attempt>> {
        self.poll(usize::MAX, now)
    }

    /// Takes the answer to an attempt. `None`, and nothing happens, if the delivery has no attempt in flight.
    pub fn settle(&mut self, delivery: DeliveryId, class: Class, now: DateTime<Utc>) -> Option<Disposition> {
        self.settle_request(&[delivery], &class, now)
    }

    /// Takes the answer to a request, in which these deliveries of one endpoint were sent. What becomes of the first;
    /// `None`, and nothing happens, if none has an attempt in flight.
    pub fn settle_request(
        &mut self,
        deliveries: &[DeliveryId],
        class: &Class,
        now: DateTime<Utc>,
    ) -> Option<Disposition> {
        let endpoint = deliveries.iter().find_map(|delivery| self.owners.get(delivery)).copied()?;
        self.change(endpoint, |it, records| match deliveries {
            &[delivery] => it.settle(delivery, class, now, records),
            several => it.settle_together(several, class, now, records),
        })
        .flatten()
    }

    /// Takes an attempt back that was not made: it is not counted, and the delivery waits as before. `false` if it has
    /// none in flight.
    pub fn give_back(&mut self, delivery: DeliveryId) -> bool {
        let Some(&endpoint) = self.owners.get(&delivery) else { return false };
        self.change(endpoint, |it, _| it.give_back(delivery)).unwrap_or(false)
    }

    /// The next record to make durable, until `None`.
    #[must_use]
    pub fn poll_record(&mut self) -> Option<Record> {
        self.records.pop_front()
    }

    /// When [`Queue::poll_attempt`] may next have something, if nothing is settled, enqueued or commanded before.
    ///
    /// After `poll_attempt` said `None` this is later than the `now` it was given, or `None`.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<DateTime<Utc>> {
        if self.in_flight >= self.limits.max_in_flight.max(1) {
            return None;
        }
        let ring = self.agenda.ring().filter_map(|endpoint| self.endpoints.get(&endpoint)?.next_at());
        ring.chain(self.agenda.next_later()).min()
    }

    /// The whole queue in numbers.
    pub fn status(&self) -> QueueStatus {
        QueueStatus {
            waiting: self.endpoints.values().map(|it| it.lanes.waiting()).sum(),
            in_flight: self.in_flight,
            oldest_created_at: self.endpoints.values().filter_map(|it| it.lanes.oldest_created_at()).min(),
        }
    }

    /// One endpoint in numbers.
    pub fn endpoint_status(&self, endpoint: EndpointId) -> Option<EndpointStatus> {
        self.endpoints.get(&endpoint).map(Endpoint::status)
    }

    /// Every endpoint in numbers, by id.
    pub fn endpoint_statuses(&self) -> impl Iterator<Item = (EndpointId, EndpointStatus)> {
        self.endpoints.iter().map(|(&id, it)| (id, it.status()))
    }

    fn poll(&mut self, most: usize, now: DateTime<Utc>) -> Option<Vec<Attempt>> {
        while self.in_flight < self.limits.max_in_flight.max(1) {
            let endpoint = self.agenda.turn(now)?;
            let attempts = self.change(endpoint, |it, records| it.begin(most, now, records)).unwrap_or_default();
            if !attempts.is_empty() {
                return Some(attempts);
            }
        }
        None
    }

    /// Changes one endpoint, then brings the totals, the records and the agenda up to date.
    fn change<T>(
        &mut self,
        endpoint: EndpointId,
        change: impl FnOnce(&mut Endpoint, &mut Vec<Record>) -> T,
    ) -> Option<T> {
        let it = self.endpoints.get_mut(&endpoint)?;
        let mut records = Vec::new();
        let before = it.lanes.in_flight();
        let result = change(it, &mut records);
        self.in_flight = self.in_flight.saturating_sub(before).saturating_add(it.lanes.in_flight());
        self.agenda.file(endpoint, it.next_at());
        for record in &records {
            if let Record::Delivered { delivery, .. } | Record::Failed { delivery, .. } = record {
                self.owners.remove(delivery);
            }
        }
        self.records.extend(records);
        Some(result)
    }
}
