//! What a receiver without a database has seen, against a list that is searched from end to end.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::collection::vec;
use proptest::prelude::*;
use punch_webhook::{EventClaim, Seen, SeenLimits, Sighting};

use crate::build::{at, id};

fn limits(horizon_s: i64, max_events: usize, max_in_progress: usize) -> SeenLimits {
    let mut limits = SeenLimits::default();
    limits.horizon = TimeDelta::seconds(horizon_s);
    (limits.max_events, limits.max_in_progress) = (max_events, max_in_progress);
    limits
}

fn fresh(seen: &mut Seen, event: &str, now: DateTime<Utc>) -> EventClaim {
    let Sighting::Fresh(claim) = seen.see(&id(event), now) else { panic!("{event} is fresh") };
    claim
}

fn word(sighting: &Sighting) -> &'static str {
    match sighting {
        Sighting::Fresh(_) => "fresh",
        Sighting::InProgress => "in progress",
        Sighting::Duplicate => "duplicate",
        Sighting::Busy => "busy",
    }
}

/// S0-024, S1-035: the second delivery of an event has no effect.
#[test]
fn an_event_is_processed_once() {
    let mut seen = Seen::new(SeenLimits::default());
    let claim = fresh(&mut seen, "evt_1", at(0));
    assert_eq!(word(&seen.see(&id("evt_1"), at(0))), "in progress");
    seen.done(claim, at(1));
    assert_eq!(word(&seen.see(&id("evt_1"), at(2))), "duplicate");
    drop(fresh(&mut seen, "evt_2", at(2)));
}

/// A task that is lost or fails has not processed its event.
#[test]
fn a_dropped_claim_makes_its_event_fresh_again() {
    let mut seen = Seen::new(SeenLimits::default());
    drop(fresh(&mut seen, "evt_1", at(0)));
    let again = fresh(&mut seen, "evt_1", at(0));
    seen.done(again, at(0));
    assert_eq!(word(&seen.see(&id("evt_1"), at(0))), "duplicate");
}

#[test]
fn limits_hold_at_their_edge() {
    let mut seen = Seen::new(limits(60, 2, 1));
    let one = fresh(&mut seen, "evt_1", at(0));
    assert_eq!(word(&seen.see(&id("evt_2"), at(0))), "busy");
    seen.done(one, at(0));
    assert_eq!(word(&seen.see(&id("evt_1"), at(60))), "duplicate");
    drop(fresh(&mut seen, "evt_1", at(61)));
    assert!(seen.is_empty());
    for event in ["evt_1", "evt_2", "evt_3"] {
        let claim = fresh(&mut seen, event, at(70));
        seen.done(claim, at(70));
    }
    assert_eq!(seen.len(), 2);
    drop(fresh(&mut seen, "evt_1", at(70)));
    assert_eq!(word(&seen.see(&id("evt_2"), at(70))), "duplicate");
}

#[test]
fn what_a_file_remembers_can_be_given_back() {
    let mut seen = Seen::new(limits(60, 10, 10));
    for (event, seconds) in [("evt_old", -61), ("evt_1", -60), ("evt_1", -50), ("evt_2", 0)] {
        seen.remember(id(event), at(seconds));
    }
    assert_eq!(seen.len(), 2);
    assert_eq!(word(&seen.see(&id("evt_1"), at(0))), "duplicate");
}

/// A repetition takes no second place in the order, or it would later push its own event out.
#[test]
fn what_is_given_back_twice_is_remembered_once() {
    let mut seen = Seen::new(limits(60, 2, 10));
    for event in ["evt_1", "evt_1", "evt_2", "evt_3", "evt_1"] {
        seen.remember(id(event), at(0));
    }
    assert_eq!(word(&seen.see(&id("evt_1"), at(0))), "duplicate");
    drop(fresh(&mut seen, "evt_2", at(0)));
}

/// The rules once more, without an index.
#[derive(Default)]
struct Naive {
    done: Vec<(usize, DateTime<Utc>)>,
    claimed: Vec<usize>,
}

impl Naive {
    fn see(&mut self, event: usize, now: DateTime<Utc>, limits: SeenLimits) -> &'static str {
        self.done.retain(|(_, at)| now - *at <= limits.horizon);
        if self.done.iter().any(|(done, _)| *done == event) {
            "duplicate"
        } else if self.claimed.contains(&event) {
            "in progress"
        } else if self.claimed.len() >= limits.max_in_progress {
            "busy"
        } else {
            self.claimed.push(event);
            "fresh"
        }
    }

    fn done(&mut self, event: usize, now: DateTime<Utc>, limits: SeenLimits) {
        self.claimed.retain(|claimed| *claimed != event);
        self.done.push((event, now));
        let too_many = self.done.len().saturating_sub(limits.max_events);
        self.done.drain(..too_many);
    }
}

proptest! {
    /// Any interleaving of arrivals, ends, lost tasks and time.
    #[test]
    fn a_list_that_is_searched_says_the_same(
        steps in vec((0_u8..4, 0_usize..6, 0_i64..20), 0..80), horizon_s in 0_i64..100, max_events in 0_usize..5,
        max_in_progress in 0_usize..4,
    ) {
        let limits = limits(horizon_s, max_events, max_in_progress);
        let (mut seen, mut naive, mut claims, mut now) = (Seen::new(limits), Naive::default(), Vec::new(), at(0));
        for (step, pick, seconds) in steps {
            now += TimeDelta::seconds(seconds);
            if step < 2 {
                let sighting = seen.see(&id(&format!("evt_{pick}")), now);
                prop_assert_eq!(word(&sighting), naive.see(pick, now, limits));
                if let Sighting::Fresh(claim) = sighting {
                    claims.push((pick, claim));
                }
            } else if !claims.is_empty() {
                let (event, claim) = claims.swap_remove(pick % claims.len());
                if step == 2 {
                    seen.done(claim, now);
                    naive.done(event, now, limits);
                } else {
                    drop(claim);
                    naive.claimed.retain(|claimed| *claimed != event);
                }
            }
            prop_assert!(seen.len() <= max_events && claims.len() <= max_in_progress);
        }
    }
}
