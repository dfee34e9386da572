use alloc::vec::Vec;

use chrono::{DateTime, TimeDelta, Utc};

use super::endpoint::{Endpoint, Fault, MIN_PROBE_PAUSE};
use super::lanes::Held;
use super::ramp::Ramp;
use super::{DeliveryId, EndpointState, Health, Lane, Progress, Record};
use crate::schedule::later;
use crate::{Class, Disposition, Reason};

/// An attempt that was answered at `now`; `held.progress` counts it already.
pub(super) struct Tried {
    pub(super) delivery: DeliveryId,
    pub(super) held: Held,
    was_probe: bool,
    pub(super) now: DateTime<Utc>,
}

impl Endpoint {
    /// What was tried, if an attempt of this delivery is in flight.
    pub(super) fn tried(&mut self, delivery: DeliveryId, now: DateTime<Utc>) -> Option<Tried> {
        let mut held = self.lanes.held_in_flight(delivery)?;
        held.progress.attempts = held.progress.attempts.saturating_add(1);
        let was_probe = self.probe.take_if(|probe| *probe == delivery).is_some();
        Some(Tried { delivery, held, was_probe, now })
    }

    /// Takes the answer to an attempt. `None` if no attempt of this delivery is in flight.
    pub(super) fn settle(
        &mut self,
        delivery: DeliveryId,
        class: &Class,
        now: DateTime<Utc>,
        records: &mut Vec<Record>,
    ) -> Option<Disposition> {
        let tried = self.tried(delivery, now)?;
        Some(match class {
            Class::Delivered => self.delivered(&tried, records),
            // No proof that the endpoint is back; its next probe is due, so the next event is asked at once.
            Class::Permanent { reason } => self.fail(&tried, reason, records),
            Class::Gone => self.gone(&tried, records),
            Class::Retry { after } => self.retry(&tried, *after, records),
            Class::RetryLimited { .. } => self.retry_limited(&tried, class, records),
        })
    }

    fn delivered(&mut self, tried: &Tried, records: &mut Vec<Record>) -> Disposition {
        self.arrived(tried, records);
        self.succeeded(tried.now, records);
        Disposition::Delivered
    }

    /// What an event brings about that has arrived.
    pub(super) fn arrived(&mut self, tried: &Tried, records: &mut Vec<Record>) {
        self.remove(tried.delivery);
        let attempts = tried.held.progress.attempts;
        records.push(Record::Delivered { delivery: tried.delivery, attempts, at: tried.now });
        self.faults.remove(&tried.held.lane);
    }

    /// What a request brings about that was taken.
    pub(super) fn succeeded(&mut self, now: DateTime<Utc>, records: &mut Vec<Record>) {
        self.suspects.clear();
        self.successes = self.successes.saturating_add(1);
        match self.state.health {
            Health::Healthy => {
                self.state.failures = 0;
                self.ramp = self.ramp.succeeded(self.rules.max_in_flight);
            }
            Health::BackingOff => {
                let deadlines_from = self.state.deadlines_from;
                self.state = EndpointState { deadlines_from, ..EndpointState::new(Health::Healthy, now) };
                self.hold_until = None;
                self.ramp = Ramp::restarted();
                self.record_state(records);
            }
            // A late answer does not undo what the user, or a 410, decided.
            Health::Paused | Health::Disabled => {}
        }
    }

    fn gone(&mut self, tried: &Tried, records: &mut Vec<Record>) -> Disposition {
        self.wait(tried, tried.held.progress, records);
        self.stop(Health::Disabled, tried.now, records);
        Disposition::DisableEndpoint
    }

    /// A failure that says the endpoint may be down.
    fn retry(&mut self, tried: &Tried, after: Option<TimeDelta>, records: &mut Vec<Record>) -> Disposition {
        self.hold(after, tried.now);
        if self.state.health == Health::Healthy && self.blame(tried.held.lane) == Fault::Own {
            // What fails where others succeed must not stop the others.
            return self.follow_schedule(tried, &Class::Retry { after }, records);
        }
        match self.state.health {
            Health::Healthy => {
                self.suspects.insert(tried.held.lane);
                if !self.has_failed_too_often(tried.now) {
                    return self.follow_schedule(tried, &Class::Retry { after }, records);
                }
                let disposition = self.wait_for_endpoint(tried, records);
                self.release_retrying(tried.now, records);
                self.plan_probe(after, tried.now, records);
                self.until_next_probe(disposition)
            }
            Health::BackingOff => {
                self.suspects.insert(tried.held.lane);
                let disposition = self.wait_for_endpoint(tried, records);
                if tried.was_probe {
                    self.probe_failed(after, tried.now, records);
                }
                self.until_next_probe(disposition)
            }
            Health::Paused | Health::Disabled => self.wait(tried, tried.held.progress, records),
        }
    }

    /// Counts a failure. With one too many the endpoint backs off.
    pub(super) fn has_failed_too_often(&mut self, now: DateTime<Utc>) -> bool {
        self.state.failures = self.state.failures.saturating_add(1);
        let too_often = self.state.failures >= self.rules.back_off_after.max(1);
        if too_often {
            (self.state.health, self.state.since) = (Health::BackingOff, Some(now));
        }
        too_often
    }

    /// A failure that says something about the event: it uses up a slot even where the endpoint backs off.
    fn retry_limited(&mut self, tried: &Tried, class: &Class, records: &mut Vec<Record>) -> Disposition {
        match self.state.health {
            Health::Healthy => {
                self.blame(tried.held.lane);
                self.follow_schedule(tried, class, records)
            }
            Health::BackingOff => {
                self.suspects.insert(tried.held.lane);
                let slots_used = slot_tried(tried, class);
                let disposition = if let Disposition::Failed { reason } = self.decide(tried, class) {
                    self.fail(tried, &reason, records)
                } else {
                    self.wait(tried, Progress { slots_used, ..tried.held.progress }, records)
                };
                if tried.was_probe {
                    self.probe_failed(None, tried.now, records);
                }
                self.until_next_probe(disposition)
            }
            Health::Paused | Health::Disabled => self.wait(tried, tried.held.progress, records),
        }
    }

    /// The delivery goes on by its own schedule, and its lane waits for it.
    pub(super) fn follow_schedule(&mut self, tried: &Tried, class: &Class, records: &mut Vec<Record>) -> Disposition {
        let disposition = self.decide(tried, class);
        if let Disposition::Failed { reason } = &disposition {
            return self.fail(tried, reason, records);
        }
        if let Disposition::RetryAt(at) = disposition {
            let before = tried.held.progress;
            let progress = Progress {
                attempts: before.attempts,
                slots_used: slot_tried(tried, class),
                not_before: Some(at),
                blocking_since: before.blocking_since.or(Some(tried.now)),
            };
            self.lanes.put_back(tried.delivery, progress, tried.held.enqueued_at);
            records.push(Record::Waiting { delivery: tried.delivery, progress });
        }
        disposition
    }

    fn decide(&self, tried: &Tried, class: &Class) -> Disposition {
        let attempt = slot_tried(tried, class);
        let from = self.horizon_from(tried.held.created_at);
        self.rules.schedule.decide(attempt, class, from, tried.delivery.0, tried.now)
    }

    /// While the endpoint backs off, an event fails by nothing but its deadline.
    pub(super) fn wait_for_endpoint(&mut self, tried: &Tried, records: &mut Vec<Record>) -> Disposition {
        if self.rules.schedule.deadline(self.horizon_from(tried.held.created_at)) <= tried.now {
            return self.fail(tried, &Reason::Exhausted, records);
        }
        self.wait(tried, tried.held.progress, records)
    }

    /// The endpoint is down now, so every event whose deadline has come is given up with this one probe.
    fn probe_failed(&mut self, after: Option<TimeDelta>, now: DateTime<Utc>, records: &mut Vec<Record>) {
        self.state.failures = self.state.failures.saturating_add(1);
        let horizon = self.rules.schedule.horizon();
        let cutoff = now.checked_sub_signed(horizon).unwrap_or(DateTime::<Utc>::MIN_UTC);
        if self.state.deadlines_from.is_none_or(|from| from <= cutoff) {
            for delivery in self.lanes.idle_until(cutoff) {
                let attempts = self.remove(delivery).map_or(0, |held| held.progress.attempts);
                records.push(Record::Failed { delivery, attempts, reason: Reason::Exhausted, at: now });
            }
        }
        self.plan_probe(after, now, records);
    }

    /// By the schedule and the count of probes that failed, but often enough, and at the first deadline.
    pub(super) fn plan_probe(&mut self, after: Option<TimeDelta>, now: DateTime<Utc>, records: &mut Vec<Record>) {
        let index = self.probes_made();
        let slot = self.rules.schedule.probe_delay(index, self.id.0).max(after.unwrap_or(TimeDelta::zero()));
        let at = later(now, slot.min(self.rules.probe_interval.max(MIN_PROBE_PAUSE)));
        let deadline = self.first_deadline().map(|deadline| deadline.max(later(now, MIN_PROBE_PAUSE)));
        self.state.next_probe_at = Some(deadline.map_or(at, |deadline| deadline.min(at)));
        self.record_state(records);
    }

    /// `Retry-After` speaks for the whole service: nothing more is sent until then, and then carefully.
    pub(super) fn hold(&mut self, after: Option<TimeDelta>, now: DateTime<Utc>) {
        let Some(after) = after.filter(|after| *after > TimeDelta::zero()) else { return };
        let until = later(now, after.min(self.rules.probe_interval));
        self.hold_until = Some(self.hold_until.map_or(until, |earlier| earlier.max(until)));
        self.ramp = Ramp::restarted();
    }

    pub(super) fn until_next_probe(&self, disposition: Disposition) -> Disposition {
        let next = self.state.next_probe_at.filter(|_| disposition == Disposition::Kept);
        next.map_or(disposition, Disposition::RetryAt)
    }

    /// Judges a lane that failed while the endpoint is healthy.
    fn blame(&mut self, lane: Lane) -> Fault {
        let fault = match self.faults.get(&lane) {
            Some(Fault::Own) => Fault::Own,
            Some(Fault::Unclear { successes }) if *successes < self.successes => Fault::Own,
            Some(Fault::Unclear { .. }) | None => Fault::Unclear { successes: self.successes },
        };
        self.faults.insert(lane, fault);
        fault
    }

    pub(super) fn wait(&mut self, tried: &Tried, progress: Progress, records: &mut Vec<Record>) -> Disposition {
        self.release(tried.delivery, &tried.held, progress, tried.now, records);
        Disposition::Kept
    }

    fn fail(&mut self, tried: &Tried, reason: &Reason, records: &mut Vec<Record>) -> Disposition {
        self.remove(tried.delivery);
        let (attempts, reason) = (tried.held.progress.attempts, reason.clone());
        records.push(Record::Failed { delivery: tried.delivery, attempts, reason: reason.clone(), at: tried.now });
        Disposition::Failed { reason }
    }
}

/// The count of slots this attempt has come to. One that was made early, because the endpoint came back, repeats its
/// slot; only an answer about the event itself uses up the next.
fn slot_tried(tried: &Tried, class: &Class) -> u32 {
    let Progress { slots_used, not_before, .. } = tried.held.progress;
    let uses_next = not_before.is_some() || slots_used == 0 || matches!(class, Class::RetryLimited { .. });
    slots_used.saturating_add(u32::from(uses_next))
}
