use alloc::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use punch_webhook::{
    Attempt, Class, DeliveryId, EndpointId, EndpointRules, EndpointState, Health, Lane, Outcome, Queue, QueueLimits,
    Reason, Record, Waiting,
};

pub(crate) fn start() -> DateTime<Utc> {
    "2026-03-28T08:00:00Z".parse().unwrap()
}

/// Seconds after [`start`].
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    start() + TimeDelta::seconds(seconds)
}

/// The default rules to the second.
pub(crate) fn exact() -> EndpointRules {
    let mut rules = EndpointRules::default();
    rules.schedule = rules.schedule.without_jitter();
    rules
}

/// What a plain answer with this status means.
pub(crate) fn status(status: u16) -> Class {
    Class::of(&Outcome::answered(status))
}

pub(crate) const HOUR: i64 = 3600;

type Answer = Box<dyn FnMut(&Attempt, DateTime<Utc>) -> Class>;

/// A driver with virtual time, a map for a store and a function for all receivers.
pub(crate) struct World {
    pub(crate) now: DateTime<Utc>,
    pub(crate) queue: Queue,
    /// What the store knows: everything undelivered, in its first order.
    pub(crate) store: BTreeMap<DeliveryId, Waiting>,
    pub(crate) endpoints: BTreeMap<EndpointId, (EndpointRules, EndpointState)>,
    pub(crate) arrivals: BTreeMap<(DateTime<Utc>, DeliveryId), Waiting>,
    pub(crate) limits: QueueLimits,
    answer: Answer,
    latency: TimeDelta,
    on_the_way: BTreeMap<(DateTime<Utc>, DeliveryId), (Vec<Attempt>, Class)>,
    unsaved: Vec<Record>,
    /// What happened, in order.
    pub(crate) sent: Vec<(DateTime<Utc>, Attempt)>,
    pub(crate) requests: Vec<(DateTime<Utc>, Vec<u64>)>,
    pub(crate) received: Vec<(DateTime<Utc>, Attempt)>,
    pub(crate) failed: BTreeMap<DeliveryId, (DateTime<Utc>, u32, Reason)>,
    pub(crate) bypasses: Vec<(EndpointId, Lane, DeliveryId, DeliveryId)>,
    pub(crate) states: Vec<(DateTime<Utc>, EndpointId, EndpointState)>,
}

impl World {
    pub(crate) fn new(answer: impl FnMut(&Attempt, DateTime<Utc>) -> Class + 'static) -> Self {
        let limits = QueueLimits::default();
        Self {
            now: start(),
            queue: Queue::new(limits.clone()),
            store: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            limits,
            answer: Box::new(answer),
            latency: TimeDelta::milliseconds(50),
            on_the_way: BTreeMap::new(),
            unsaved: Vec::new(),
            sent: Vec::new(),
            requests: Vec::new(),
            received: Vec::new(),
            failed: BTreeMap::new(),
            bypasses: Vec::new(),
            states: Vec::new(),
        }
    }

    pub(crate) fn endpoint(mut self, id: u64, rules: EndpointRules) -> Self {
        let state = EndpointState::default();
        self.queue.set_endpoint(EndpointId(id), rules.clone(), state, self.now);
        self.endpoints.insert(EndpointId(id), (rules, state));
        self
    }

    /// Plans an event that is made, stored and enqueued at that second.
    pub(crate) fn event(&mut self, second: i64, id: u64, endpoint: u64, lane: u64) {
        let waiting = Waiting::new(DeliveryId(id), EndpointId(endpoint), Lane(lane), at(second));
        self.arrivals.insert((at(second), DeliveryId(id)), waiting);
    }

    pub(crate) fn run_until(&mut self, second: i64) {
        let end = at(second);
        loop {
            self.step();
            let next_answer = self.on_the_way.first_key_value().map(|((at, _), _)| *at);
            let next_arrival = self.arrivals.first_key_value().map(|((at, _), _)| *at);
            let timeout = self.queue.poll_timeout();
            assert!(timeout.is_none_or(|at| at > self.now), "the driver would spin: {timeout:?}");
            let next = [next_answer, next_arrival, timeout].into_iter().flatten().min();
            match next.filter(|next| *next <= end) {
                Some(next) => self.now = next,
                None => {
                    self.now = end;
                    return self.step();
                }
            }
        }
    }

    /// Everything that is due now.
    fn step(&mut self) {
        while let Some(((at, id), (attempts, class))) = self.on_the_way.pop_first() {
            if at > self.now {
                self.on_the_way.insert((at, id), (attempts, class));
                break;
            }
            let sent: Vec<DeliveryId> = attempts.iter().map(|attempt| attempt.delivery).collect();
            assert!(self.queue.settle_request(&sent, &class, self.now).is_some(), "the answer to {id} is taken");
        }
        while let Some(((at, id), waiting)) = self.arrivals.pop_first() {
            if at > self.now {
                self.arrivals.insert((at, id), waiting);
                break;
            }
            self.store.insert(id, waiting);
            self.queue.enqueue(waiting, self.now).unwrap();
        }
        self.see();
        self.save(usize::MAX);
        while let Some(attempts) = self.queue.poll_request(self.now) {
            self.send(attempts);
        }
        self.see();
    }

    /// A request of several is answered as the first of them would be that is not taken.
    fn send(&mut self, attempts: Vec<Attempt>) {
        let first = attempts[0];
        let (rules, _) = &self.endpoints[&first.endpoint];
        assert!(attempts.len() <= rules.max_batch, "{attempts:?}");
        assert!(attempts.iter().all(|attempt| attempt.endpoint == first.endpoint), "{attempts:?}");
        for attempt in &attempts {
            let mut others = self.on_the_way.values().flat_map(|(others, _)| others);
            let same_lane = others.any(|other| (other.endpoint, other.lane) == (attempt.endpoint, attempt.lane));
            assert!(!same_lane, "two in flight in a lane: {attempt:?}");
            assert!(self.store.contains_key(&attempt.delivery), "only what is stored is sent");
        }
        let here = self.on_the_way.values().filter(|(others, _)| others[0].endpoint == first.endpoint).count();
        let status = self.queue.endpoint_status(first.endpoint).unwrap();
        assert!(here < rules.max_in_flight && self.on_the_way.len() < self.limits.max_in_flight);
        assert!(status.in_flight == here + 1 && status.in_flight <= status.allowed_in_flight, "{status:?}");
        assert_eq!(first.probe, status.state.health == Health::BackingOff, "{status:?}");
        assert!(!first.probe || attempts.len() == 1, "a probe is alone: {attempts:?}");
        let answers = attempts.iter().map(|attempt| (self.answer)(attempt, self.now)).collect::<Vec<_>>();
        let class = answers.into_iter().find(|class| *class != Class::Delivered).unwrap_or(Class::Delivered);
        let dated = || attempts.iter().map(|attempt| (self.now, *attempt));
        self.sent.extend(dated());
        if class == Class::Delivered {
            self.received.extend(dated());
        }
        self.requests.push((self.now, attempts.iter().map(|attempt| attempt.delivery.0).collect()));
        self.on_the_way.insert((self.now + self.latency, first.delivery), (attempts, class));
    }

    fn see(&mut self) {
        while let Some(record) = self.queue.poll_record() {
            if let Record::HeadBypassed { endpoint, lane, head, next, .. } = record {
                self.bypasses.push((endpoint, lane, head, next));
            }
            if let Record::Endpoint { endpoint, state } = record {
                self.states.push((self.now, endpoint, state));
            }
            self.unsaved.push(record);
        }
    }

    /// Writes the first `count` records to the store and loses none of the others yet.
    fn save(&mut self, count: usize) {
        let count = count.min(self.unsaved.len());
        for record in self.unsaved.drain(..count) {
            match record {
                Record::Delivered { delivery, .. } => assert!(self.store.remove(&delivery).is_some()),
                Record::Failed { delivery, attempts, reason, at } => {
                    assert!(self.store.remove(&delivery).is_some());
                    self.failed.insert(delivery, (at, attempts, reason));
                }
                Record::Waiting { delivery, progress } => {
                    self.store.get_mut(&delivery).expect("a waiting delivery is stored").progress = progress;
                }
                Record::Endpoint { endpoint, state } => self.endpoints.get_mut(&endpoint).unwrap().1 = state,
                Record::HeadBypassed { .. } => {}
                other => panic!("a record the store cannot keep: {other:?}"),
            }
        }
    }

    /// Kill -9: what is in flight is forgotten, and of the records not yet durable only the first `saved` survive.
    pub(crate) fn restart(&mut self, saved: usize) {
        self.see();
        self.save(saved);
        self.unsaved.clear();
        self.on_the_way.clear();
        self.queue = Queue::new(self.limits.clone());
        for (&id, (rules, state)) in &self.endpoints {
            self.queue.set_endpoint(id, rules.clone(), *state, self.now);
        }
        for waiting in self.store.values() {
            self.queue.enqueue(*waiting, self.now).unwrap();
        }
    }

    /// The ids in the order in which their receiver first had them.
    pub(crate) fn order(&self, endpoint: u64, lane: u64) -> Vec<u64> {
        let mut seen = BTreeSet::new();
        let of_lane =
            self.received.iter().filter(|(_, it)| (it.endpoint, it.lane) == (EndpointId(endpoint), Lane(lane)));
        of_lane.map(|(_, it)| it.delivery.0).filter(|id| seen.insert(*id)).collect()
    }

    pub(crate) fn health(&self, endpoint: u64) -> Health {
        self.queue.endpoint_status(EndpointId(endpoint)).unwrap().state.health
    }

    /// Seconds after the start of every attempt of a delivery.
    pub(crate) fn offsets(&self, id: u64) -> Vec<i64> {
        self.sent_of(id).into_iter().map(|now| (now - start()).num_seconds()).collect()
    }

    pub(crate) fn sent_of(&self, id: u64) -> Vec<DateTime<Utc>> {
        self.sent.iter().filter(|(_, attempt)| attempt.delivery == DeliveryId(id)).map(|(at, _)| *at).collect()
    }
}
