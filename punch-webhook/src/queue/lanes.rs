use alloc::collections::btree_map::Entry;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use chrono::{DateTime, TimeDelta, Utc};

use super::{DeliveryId, Lane, Progress};
use crate::schedule::later;

/// One delivery held for an endpoint.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) lane: Lane,
    pub(super) sequence: u64,
    pub(super) created_at: DateTime<Utc>,
    pub(super) enqueued_at: DateTime<Utc>,
    pub(super) progress: Progress,
}

impl Held {
    fn due(&self) -> DateTime<Utc> {
        self.progress.not_before.unwrap_or(self.enqueued_at)
    }
}

/// A lane that no longer waits for its failing head.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bypass {
    pub(super) lane: Lane,
    pub(super) head: DeliveryId,
    pub(super) next: DeliveryId,
}

/// When a lane has something to send, the sequence of what it would send, and the lane.
type Wake = (DateTime<Utc>, u64, Lane);

/// The deliveries of one endpoint: in order within a lane, at most one request in flight per lane, oldest lane first.
///
/// It knows no outcome and no endpoint state. Every operation costs a few tree look-ups.
#[derive(Debug)]
pub(super) struct Lanes {
    max_head_block: TimeDelta,
    all: BTreeMap<DeliveryId, Held>,
    line: BTreeMap<(Lane, u64), DeliveryId>,
    passed: BTreeMap<(Lane, DateTime<Utc>, u64), DeliveryId>,
    /// What is in flight, and the number of its request.
    flying: BTreeMap<DeliveryId, u64>,
    /// How many of each request, and of each lane, are in flight.
    requests: BTreeMap<u64, usize>,
    busy: BTreeMap<Lane, usize>,
    last_request: u64,
    /// One entry for every lane that holds something and is not busy.
    ready: BTreeSet<Wake>,
    by_age: BTreeSet<(DateTime<Utc>, DeliveryId)>,
    retrying: BTreeSet<DeliveryId>,
}

impl Lanes {
    pub(super) fn new(max_head_block: TimeDelta) -> Self {
        Self {
            max_head_block,
            all: BTreeMap::new(),
            line: BTreeMap::new(),
            passed: BTreeMap::new(),
            flying: BTreeMap::new(),
            requests: BTreeMap::new(),
            busy: BTreeMap::new(),
            last_request: 0,
            ready: BTreeSet::new(),
            by_age: BTreeSet::new(),
            retrying: BTreeSet::new(),
        }
    }

    /// How many wait and are not in flight.
    pub(super) fn waiting(&self) -> usize {
        self.all.len().saturating_sub(self.flying.len())
    }

    /// Requests in flight.
    pub(super) fn in_flight(&self) -> usize {
        self.requests.len()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = DeliveryId> {
        self.all.keys().copied()
    }

    pub(super) fn oldest_created_at(&self) -> Option<DateTime<Utc>> {
        self.by_age.first().map(|&(created_at, _)| created_at)
    }

    pub(super) fn next_wake(&self) -> Option<DateTime<Utc>> {
        self.ready.first().map(|&(wake, _, _)| wake)
    }

    pub(super) fn next_wake_outside(&self, lanes: &BTreeSet<Lane>) -> Option<DateTime<Utc>> {
        self.ready.iter().find(|(_, _, lane)| !lanes.contains(lane)).map(|&(wake, _, _)| wake)
    }

    pub(super) fn held(&self, id: DeliveryId) -> Option<Held> {
        self.all.get(&id).copied()
    }

    pub(super) fn held_in_flight(&self, id: DeliveryId) -> Option<Held> {
        self.held(id).filter(|_| self.flying.contains_key(&id))
    }

    pub(super) fn is_empty(&self, lane: Lane) -> bool {
        self.head(lane).is_none() && self.first_passed(lane).is_none()
    }

    pub(super) fn set_max_head_block(&mut self, max_head_block: TimeDelta) {
        self.max_head_block = max_head_block;
        let lanes: Vec<Lane> = self.ready.iter().map(|&(_, _, lane)| lane).collect();
        self.ready.clear();
        for lane in lanes {
            self.file(lane);
        }
    }

    pub(super) fn insert(&mut self, id: DeliveryId, held: Held) {
        self.unfile(held.lane);
        self.line.insert((held.lane, held.sequence), id);
        self.by_age.insert((held.created_at, id));
        self.note_retrying(id, &held.progress);
        self.all.insert(id, held);
        self.file(held.lane);
    }

    pub(super) fn remove(&mut self, id: DeliveryId) -> Option<Held> {
        let held = self.held(id)?;
        self.unfile(held.lane);
        self.line.remove(&(held.lane, held.sequence));
        self.passed.remove(&(held.lane, held.due(), held.sequence));
        self.by_age.remove(&(held.created_at, id));
        self.retrying.remove(&id);
        self.all.remove(&id);
        self.free(held.lane, id);
        self.file(held.lane);
        Some(held)
    }

    /// Ends an attempt, if one is in flight, and lets the delivery wait in its place with this progress. What is due at
    /// once is served as if enqueued at `enqueued_at`.
    pub(super) fn put_back(&mut self, id: DeliveryId, progress: Progress, enqueued_at: DateTime<Utc>) {
        let Some(held) = self.held(id) else { return };
        self.unfile(held.lane);
        let is_passed = self.passed.remove(&(held.lane, held.due(), held.sequence)).is_some();
        let held = Held { progress, enqueued_at, ..held };
        if is_passed {
            self.passed.insert((held.lane, held.due(), held.sequence), id);
        }
        self.note_retrying(id, &progress);
        self.all.insert(id, held);
        self.free(held.lane, id);
        self.file(held.lane);
    }

    /// Ends an attempt that was not made after all: the delivery waits as if it had never been taken.
    pub(super) fn give_back(&mut self, id: DeliveryId) -> bool {
        let Some(held) = self.held_in_flight(id) else { return false };
        self.free(held.lane, id);
        self.file(held.lane);
        true
    }

    /// Everything that waits for a time of its own after a failure.
    pub(super) fn take_retrying(&mut self) -> Vec<(DeliveryId, Held)> {
        let retrying = core::mem::take(&mut self.retrying).into_iter();
        // What is in flight is judged by its own answer.
        let idle = retrying.filter(|&id| self.held_in_flight(id).is_none());
        idle.filter_map(|id| self.held(id).map(|held| (id, held))).collect()
    }

    /// What was created at `cutoff` or before and is not in flight.
    pub(super) fn idle_until(&self, cutoff: DateTime<Utc>) -> Vec<DeliveryId> {
        let old = self.by_age.iter().take_while(|&&(created_at, _)| created_at <= cutoff);
        old.map(|&(_, id)| id).filter(|&id| self.held_in_flight(id).is_none()).collect()
    }

    /// Takes the oldest delivery that is due and marks its lane busy.
    pub(super) fn take_due(&mut self, now: DateTime<Utc>, bypasses: &mut Vec<Bypass>) -> Option<DeliveryId> {
        loop {
            let lane = self.ready.first().filter(|&&(wake, _, _)| wake <= now).map(|&(_, _, lane)| lane)?;
            if let Some(id) = self.take_from(lane, now, bypasses) {
                return Some(id);
            }
        }
    }

    /// As [`Self::take_due`], from a lane that is not one of `lanes`.
    pub(super) fn take_due_outside(
        &mut self,
        lanes: &BTreeSet<Lane>,
        now: DateTime<Utc>,
        bypasses: &mut Vec<Bypass>,
    ) -> Option<DeliveryId> {
        loop {
            let mut due = self.ready.iter().take_while(|&&(wake, _, _)| wake <= now);
            let lane = due.find(|(_, _, lane)| !lanes.contains(lane)).map(|&(_, _, lane)| lane)?;
            if let Some(id) = self.take_from(lane, now, bypasses) {
                return Some(id);
            }
        }
    }

    /// Adds to a request, oldest first, what may go out with the one it has: up to `most`, and of each no more than its
    /// part. What has failed by itself goes alone.
    pub(super) fn take_along(
        &mut self,
        taken: &mut Vec<DeliveryId>,
        most: usize,
        parts: &BTreeMap<DeliveryId, usize>,
        now: DateTime<Utc>,
    ) {
        let part = |id: &DeliveryId| parts.get(id).copied().unwrap_or(usize::MAX);
        let Some(first) = taken.first().copied().filter(|&id| self.joins(id)) else { return };
        let mut most = most.min(part(&first));
        let mut behind: BTreeSet<Wake> = self.follower(first).into_iter().collect();
        while taken.len() < most {
            let next = self.ready.first().into_iter().chain(behind.first()).min().copied();
            let Some((_, sequence, lane)) = next.filter(|&(wake, _, _)| wake <= now) else { return };
            let Some(&id) = self.line.get(&(lane, sequence)) else { return };
            if !self.joins(id) || part(&id) <= taken.len() {
                return;
            }
            most = most.min(part(&id));
            self.unfile(lane);
            self.fly(lane, id);
            behind.retain(|&(_, _, other)| other != lane);
            behind.extend(self.follower(id));
            taken.push(id);
        }
    }

    /// Whether it may share a request.
    fn joins(&self, id: DeliveryId) -> bool {
        self.held(id).is_some_and(|held| held.progress.blocking_since.is_none())
    }

    /// When what stands behind this one in its lane could go out with it.
    fn follower(&self, id: DeliveryId) -> Option<Wake> {
        let held = self.held(id)?;
        let next = self.held(self.successor(held.lane, held.sequence)?)?;
        Some((next.due(), next.sequence, next.lane))
    }

    fn take_from(&mut self, lane: Lane, now: DateTime<Utc>, bypasses: &mut Vec<Bypass>) -> Option<DeliveryId> {
        self.unfile(lane);
        let chosen = self.choose(lane, now, bypasses);
        if let Some(id) = chosen {
            self.last_request = self.last_request.wrapping_add(1);
            self.fly(lane, id);
        }
        self.file(lane);
        chosen
    }

    /// Notes that a delivery goes out with the last request.
    fn fly(&mut self, lane: Lane, id: DeliveryId) {
        self.flying.insert(id, self.last_request);
        for count in [self.requests.entry(self.last_request).or_default(), self.busy.entry(lane).or_default()] {
            *count = count.saturating_add(1);
        }
    }

    /// What the lane sends now: a bypassed delivery whose turn has come, its head, or what may pass the head.
    fn choose(&mut self, lane: Lane, now: DateTime<Utc>, bypasses: &mut Vec<Bypass>) -> Option<DeliveryId> {
        loop {
            if let Some((due, _, id)) = self.first_passed(lane)
                && due <= now
            {
                return Some(id);
            }
            let (sequence, head) = self.head(lane)?;
            let held = self.held(head)?;
            if held.due() <= now {
                return Some(head);
            }
            let next = self.successor(lane, sequence)?;
            if self.block_end(&held)? > now {
                return None;
            }
            self.line.remove(&(lane, sequence));
            self.passed.insert((lane, held.due(), sequence), head);
            bypasses.push(Bypass { lane, head, next });
        }
    }

    /// When the lane has something to send. `None` if it is busy or empty.
    fn wake(&self, lane: Lane) -> Option<Wake> {
        if self.busy.contains_key(&lane) {
            return None;
        }
        let passed = self.first_passed(lane).map(|(due, sequence, _)| (due, sequence, lane));
        let head = self.head(lane).and_then(|(sequence, id)| {
            let held = self.held(id)?;
            let block_end = self.successor(lane, sequence).and_then(|_| self.block_end(&held));
            Some((block_end.map_or(held.due(), |end| end.min(held.due())), sequence, lane))
        });
        passed.into_iter().chain(head).min()
    }

    fn block_end(&self, head: &Held) -> Option<DateTime<Utc>> {
        head.progress.blocking_since.map(|since| later(since, self.max_head_block))
    }

    fn head(&self, lane: Lane) -> Option<(u64, DeliveryId)> {
        self.line.range((lane, 0)..=(lane, u64::MAX)).next().map(|(&(_, sequence), &id)| (sequence, id))
    }

    /// What stands behind this place in its lane. A bypassed delivery has a place and is not in the line.
    fn successor(&self, lane: Lane, sequence: u64) -> Option<DeliveryId> {
        self.line.range((lane, sequence.saturating_add(1))..=(lane, u64::MAX)).next().map(|(_, &id)| id)
    }

    fn first_passed(&self, lane: Lane) -> Option<(DateTime<Utc>, u64, DeliveryId)> {
        let (first, last) = ((lane, DateTime::<Utc>::MIN_UTC, 0), (lane, DateTime::<Utc>::MAX_UTC, u64::MAX));
        self.passed.range(first..=last).next().map(|(&(_, due, sequence), &id)| (due, sequence, id))
    }

    fn unfile(&mut self, lane: Lane) {
        if let Some(wake) = self.wake(lane) {
            self.ready.remove(&wake);
        }
    }

    fn file(&mut self, lane: Lane) {
        if let Some(wake) = self.wake(lane) {
            self.ready.insert(wake);
        }
    }

    fn free(&mut self, lane: Lane, id: DeliveryId) {
        if let Some(request) = self.flying.remove(&id) {
            one_less(&mut self.requests, request);
            one_less(&mut self.busy, lane);
        }
    }

    fn note_retrying(&mut self, id: DeliveryId, progress: &Progress) {
        if progress.attempts > 0 && progress.not_before.is_some() {
            self.retrying.insert(id);
        } else {
            self.retrying.remove(&id);
        }
    }
}

/// Counts one down, and forgets the key with the last one.
fn one_less<K: Ord>(counts: &mut BTreeMap<K, usize>, key: K) {
    if let Entry::Occupied(mut count) = counts.entry(key) {
        *count.get_mut() = count.get().saturating_sub(1);
        if *count.get() == 0 {
            count.remove();
        }
    }
}
