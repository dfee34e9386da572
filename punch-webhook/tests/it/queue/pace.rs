//! How many requests, and how many events, go out in a second.

use core::num::NonZeroU32;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use punch_webhook::{Class, DeliveryId, EndpointId, EndpointRules, EndpointState, Lane, Queue, QueueLimits, Waiting};

use super::world::{World, at, exact, start};

fn limited(requests: u32, events: u32, max_batch: usize) -> EndpointRules {
    let mut rules = exact();
    rules.max_batch = max_batch;
    rules.max_in_flight = 1_000;
    rules.max_requests_per_second = NonZeroU32::new(requests);
    rules.max_events_per_second = NonZeroU32::new(events);
    rules
}

/// The most that went out in any second, each time weighed.
fn most_in_a_second(sent: &[(DateTime<Utc>, usize)]) -> usize {
    let within = |from: DateTime<Utc>| {
        let second = from..from + TimeDelta::seconds(1);
        sent.iter().filter(|(now, _)| second.contains(now)).map(|(_, count)| count).sum()
    };
    sent.iter().map(|&(now, _)| within(now)).max().unwrap_or(0)
}

fn requests(world: &World) -> Vec<(DateTime<Utc>, usize)> {
    world.requests.iter().map(|(now, _)| (*now, 1)).collect()
}

fn events(world: &World) -> Vec<(DateTime<Utc>, usize)> {
    world.requests.iter().map(|(now, ids)| (*now, ids.len())).collect()
}

#[test]
fn ten_a_second_are_ten_in_every_second_and_all_go_out() {
    let mut world = World::new(|_, _| Class::Delivered).endpoint(1, limited(10, 0, 1));
    for id in 0..100 {
        world.event(0, id, 1, id);
    }
    world.run_until(9);
    assert_eq!((world.received.len(), most_in_a_second(&requests(&world))), (91, 10));
    world.run_until(10);
    assert_eq!(world.received.len(), 100);
}

/// Requests of several: the one rate counts requests, the other what is in them.
#[test]
fn events_are_counted_in_their_batches() {
    let mut world = World::new(|_, _| Class::Delivered).endpoint(1, limited(0, 100, 50));
    let mut other = World::new(|_, _| Class::Delivered).endpoint(1, limited(2, 0, 50));
    for id in 0..300 {
        world.event(0, id, 1, id);
        other.event(0, id, 1, id);
    }
    world.run_until(1);
    other.run_until(1);
    assert!((100..=110).contains(&world.received.len()), "{}", world.received.len());
    assert_eq!(other.received.len(), 150, "at 0, at a half and at 1");
    world.run_until(4);
    assert_eq!(world.received.len(), 300);
}

/// An endpoint that is slow by its own wish delays no other.
#[test]
fn a_rate_delays_its_own_endpoint_alone() {
    let mut world = World::new(|_, _| Class::Delivered).endpoint(1, limited(1, 0, 1)).endpoint(2, exact());
    for id in 0..400 {
        world.event(0, id, 1 + id % 2, id);
    }
    world.run_until(10);
    let of = |endpoint| world.received.iter().filter(|(_, it)| it.endpoint == EndpointId(endpoint)).count();
    assert_eq!((of(1), of(2)), (11, 200));
    let last = world.received.iter().filter(|(_, it)| it.endpoint == EndpointId(2)).map(|(now, _)| *now).max();
    assert!(last.unwrap() < at(3), "25 requests after each other of 50 ms");
}

/// A rate that is raised counts from now on; what went out before is not held against it for longer than it lasts.
#[test]
fn another_rate_takes_effect_at_once() {
    let mut queue = Queue::new(QueueLimits::default());
    queue.set_endpoint(EndpointId(1), limited(1, 0, 1), EndpointState::default(), start());
    for id in 0..50 {
        queue.enqueue(Waiting::new(DeliveryId(id), EndpointId(1), Lane(id), start()), start()).unwrap();
    }
    assert!(queue.poll_attempt(start()).is_some() && queue.poll_attempt(start()).is_none());
    assert_eq!(queue.poll_timeout(), Some(at(1)));
    queue.set_rules(EndpointId(1), limited(0, 0, 1));
    assert_eq!(core::iter::from_fn(|| queue.poll_attempt(start())).count(), 49);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whenever events come: never more than the rate and a tenth of it in any second, and nothing stays.
    #[test]
    fn no_second_has_more_than_the_rate_and_a_tenth(
        seconds in prop::collection::vec(0_i64..20, 1..200),
        (requests_rate, events_rate, max_batch) in (0_u32..60, 0_u32..200, 1_usize..30),
    ) {
        let rules = limited(requests_rate, events_rate, max_batch);
        let mut world = World::new(|_, _| Class::Delivered).endpoint(1, rules);
        for (id, &second) in seconds.iter().enumerate() {
            world.event(second, id as u64, 1, id as u64 % 50);
        }
        world.run_until(400);
        prop_assert_eq!(world.received.len(), seconds.len());
        let bound = |rate: u32| if rate == 0 { usize::MAX } else { (rate + rate / 10) as usize };
        prop_assert!(most_in_a_second(&requests(&world)) <= bound(requests_rate));
        prop_assert!(most_in_a_second(&events(&world)) <= bound(events_rate));
    }
}
