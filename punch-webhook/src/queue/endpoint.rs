use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use chrono::{DateTime, TimeDelta, Utc};

use super::lanes::{Bypass, Held, Lanes};
use super::pace::Pace;
use super::ramp::Ramp;
use super::{
    Attempt, DeliveryId, EndpointId, EndpointRules, EndpointState, EndpointStatus, Health, Lane, Progress, Record,
};

/// One endpoint: its state, and what may be sent to it when. What an answer changes is in `settling`.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) id: EndpointId,
    pub(super) rules: EndpointRules,
    pub(super) state: EndpointState,
    pub(super) lanes: Lanes,
    pub(super) ramp: Ramp,
    pub(super) pace: Pace,
    /// Of what was refused together with others: the most that go out with it. Not durable, as the faults are not.
    pub(super) parts: BTreeMap<DeliveryId, usize>,
    /// The receiver asked to be left alone until then.
    pub(super) hold_until: Option<DateTime<Utc>>,
    pub(super) successes: u64,
    /// The lanes that hold something and failed since their last success.
    pub(super) faults: BTreeMap<Lane, Fault>,
    /// The lanes that failed since the last success.
    pub(super) suspects: BTreeSet<Lane>,
    pub(super) probe: Option<DeliveryId>,
}

/// Whose fault the failures of a lane are. Not durable: it is found out again after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It failed when the endpoint had had so many successes.
    Unclear { successes: u64 },
    /// It failed, others succeeded, it failed again: the endpoint is not to blame.
    Own,
}

impl Endpoint {
    pub(super) fn new(id: EndpointId, rules: EndpointRules, state: EndpointState) -> Self {
        let lanes = Lanes::new(rules.max_head_block);
        let (ramp, pace, parts) = (Ramp::default(), Pace::default(), BTreeMap::new());
        let (faults, suspects) = (BTreeMap::new(), BTreeSet::new());
        Self {
            id,
            rules,
            state,
            lanes,
            ramp,
            pace,
            parts,
            hold_until: None,
            successes: 0,
            faults,
            suspects,
            probe: None,
        }
    }

    pub(super) fn set_rules(&mut self, rules: EndpointRules) {
        self.lanes.set_max_head_block(rules.max_head_block);
        self.rules = rules;
    }

    pub(super) fn set_state(&mut self, state: EndpointState) {
        self.state = state;
        self.hold_until = None;
        self.suspects.clear();
        self.faults.clear();
    }

    pub(super) fn remove(&mut self, id: DeliveryId) -> Option<Held> {
        let held = self.lanes.remove(id)?;
        self.parts.remove(&id);
        if self.lanes.is_empty(held.lane) {
            self.faults.remove(&held.lane);
        }
        Some(held)
    }

    /// When the next attempt may be made, if nothing is settled before.
    pub(super) fn next_at(&self) -> Option<DateTime<Utc>> {
        let wake = self.lanes.next_wake()?;
        let not_before = match self.state.health {
            Health::Paused | Health::Disabled => return None,
            Health::Healthy if self.lanes.in_flight() >= self.allowed_in_flight() => return None,
            Health::Healthy => self.hold_until,
            Health::BackingOff if self.lanes.in_flight() > 0 => return None,
            Health::BackingOff => self.state.next_probe_at,
        };
        let scheduled = not_before.map_or(wake, |at| at.max(wake));
        let at = self.early_probe_at().map_or(scheduled, |early| early.min(scheduled));
        Some(self.pace.next_at(&self.rules).map_or(at, |paced| paced.max(at)))
    }

    /// The attempts of the next request, at most `most`: a probe is always alone. Empty if none may go out now.
    pub(super) fn begin(&mut self, most: usize, now: DateTime<Utc>, records: &mut Vec<Record>) -> Vec<Attempt> {
        if self.next_at().is_none_or(|at| at > now) {
            return Vec::new();
        }
        let probe = self.state.health == Health::BackingOff;
        let mut bypasses = Vec::new();
        let taken = if probe { self.take_probe(now, &mut bypasses) } else { self.lanes.take_due(now, &mut bypasses) };
        records.extend(bypasses.into_iter().map(|Bypass { lane, head, next }| Record::HeadBypassed {
            endpoint: self.id,
            lane,
            head,
            next,
            at: now,
        }));
        let Some(first) = taken else { return Vec::new() };
        self.probe = probe.then_some(first);
        let mut together = alloc::vec![first];
        if !probe && most > 1 {
            let most = most.min(self.rules.max_batch).min(self.pace.room(&self.rules, now));
            self.lanes.take_along(&mut together, most, &self.parts, now);
        }
        self.pace.spend(&self.rules, together.len(), now);
        together.into_iter().filter_map(|delivery| self.attempt(delivery, probe)).collect()
    }

    fn attempt(&self, delivery: DeliveryId, probe: bool) -> Option<Attempt> {
        let held = self.lanes.held(delivery)?;
        let number = held.progress.attempts.saturating_add(1);
        Some(Attempt { delivery, endpoint: self.id, lane: held.lane, number, probe })
    }

    /// A delivery did not go out with its request.
    pub(super) fn give_back(&mut self, delivery: DeliveryId) -> bool {
        let is_given = self.lanes.give_back(delivery);
        if is_given {
            self.probe.take_if(|probe| *probe == delivery);
            self.pace.refund(&self.rules);
        }
        is_given
    }

    pub(super) fn pause(&mut self, now: DateTime<Utc>, records: &mut Vec<Record>) -> bool {
        let stops = matches!(self.state.health, Health::Healthy | Health::BackingOff);
        if stops {
            self.stop(Health::Paused, now, records);
        }
        stops
    }

    pub(super) fn start(&mut self, from: Health, now: DateTime<Utc>, records: &mut Vec<Record>) -> bool {
        let starts = self.state.health == from;
        if starts {
            // The time it was stopped for is not held against the events that waited.
            self.set_state(EndpointState { deadlines_from: Some(now), ..EndpointState::new(Health::Healthy, now) });
            self.ramp = Ramp::restarted();
            self.release_retrying(now, records);
            self.record_state(records);
        }
        starts
    }

    pub(super) fn stop(&mut self, health: Health, now: DateTime<Utc>, records: &mut Vec<Record>) {
        let deadlines_from = self.state.deadlines_from;
        self.set_state(EndpointState { deadlines_from, ..EndpointState::new(health, now) });
        self.record_state(records);
    }

    pub(super) fn status(&self) -> EndpointStatus {
        let in_flight = self.lanes.in_flight();
        EndpointStatus {
            state: self.state,
            waiting: self.lanes.waiting(),
            in_flight,
            allowed_in_flight: self.allowed_in_flight(),
            oldest_created_at: self.lanes.oldest_created_at(),
            next_attempt_at: self.next_at(),
        }
    }

    pub(super) fn record_state(&self, records: &mut Vec<Record>) {
        records.push(Record::Endpoint { endpoint: self.id, state: self.state });
    }

    /// Makes everything that waits for a time of its own due, at its place by age.
    pub(super) fn release_retrying(&mut self, now: DateTime<Utc>, records: &mut Vec<Record>) {
        for (delivery, held) in self.lanes.take_retrying() {
            self.release(delivery, &held, held.progress, now, records);
        }
    }

    /// Lets a delivery wait for its endpoint. A lane whose failures are its own stands behind all others.
    pub(super) fn release(
        &mut self,
        delivery: DeliveryId,
        held: &Held,
        progress: Progress,
        now: DateTime<Utc>,
        records: &mut Vec<Record>,
    ) {
        let progress = released(progress);
        let is_own = self.faults.get(&held.lane) == Some(&Fault::Own);
        self.lanes.put_back(delivery, progress, if is_own { now } else { held.enqueued_at });
        records.push(Record::Waiting { delivery, progress });
    }

    /// From when the horizon of a delivery counts.
    pub(super) fn horizon_from(&self, created_at: DateTime<Utc>) -> DateTime<Utc> {
        self.state.deadlines_from.map_or(created_at, |from| from.max(created_at))
    }

    /// The deadline of the oldest delivery held.
    pub(super) fn first_deadline(&self) -> Option<DateTime<Utc>> {
        self.lanes.oldest_created_at().map(|at| self.rules.schedule.deadline(self.horizon_from(at)))
    }

    pub(super) fn probes_made(&self) -> u32 {
        self.state.failures.saturating_sub(self.rules.back_off_after.max(1))
    }

    fn allowed_in_flight(&self) -> usize {
        let most = self.rules.max_in_flight.max(1);
        match self.state.health {
            Health::Healthy => self.ramp.allowed(most),
            Health::BackingOff => 1,
            Health::Paused | Health::Disabled => 0,
        }
    }

    /// A few failing lanes say little about the endpoint: an event of another lane is asked at once.
    fn early_probe_at(&self) -> Option<DateTime<Utc>> {
        let few = 1..usize::try_from(self.rules.back_off_after).unwrap_or(usize::MAX);
        if self.state.health != Health::BackingOff || !few.contains(&self.suspects.len()) {
            return None;
        }
        let wake = self.lanes.next_wake_outside(&self.suspects)?;
        Some(self.hold_until.map_or(wake, |until| until.max(wake)))
    }

    /// The oldest event and the oldest of a lane without blame take turns, so that an event which never succeeds
    /// cannot hide that the endpoint is back.
    fn take_probe(&mut self, now: DateTime<Utc>, bypasses: &mut Vec<Bypass>) -> Option<DeliveryId> {
        let is_scheduled = self.state.next_probe_at.is_none_or(|at| at <= now);
        let is_last_chance = self.first_deadline().is_some_and(|deadline| deadline <= now);
        if is_scheduled && (is_last_chance || self.probes_made() & 1 == 0) {
            return self.lanes.take_due(now, bypasses);
        }
        let outside = self.lanes.take_due_outside(&self.suspects, now, bypasses);
        outside.or_else(|| is_scheduled.then(|| self.lanes.take_due(now, bypasses)).flatten())
    }
}

/// The progress of a delivery that waits for its endpoint.
fn released(progress: Progress) -> Progress {
    Progress { not_before: None, blocking_since: None, ..progress }
}

/// The shortest pause after a failed probe, whatever deadline comes next: the time one attempt may take.
pub(super) const MIN_PROBE_PAUSE: TimeDelta = TimeDelta::seconds(10);
