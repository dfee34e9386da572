use alloc::collections::{BTreeMap, BTreeSet};
use core::num::NonZeroU32;

use chrono::TimeDelta;
use proptest::prelude::*;
use punch_webhook::{Class, DeliveryId, EndpointId, EndpointRules, Lane, Outcome, Reason, Schedule};

use super::world::{HOUR, World, at};

const ENDPOINTS: u64 = 3;
const LANES: u64 = 4;
/// Longer than every horizon after the last arrival, outage and pause.
const END: i64 = 400 * HOUR;

/// One run of the world. Times in seconds; every outage and every pause ends.
#[derive(Debug, Clone)]
struct Plan {
    events: Vec<(i64, u64, u64)>,
    outages: Vec<(u64, i64, i64, u16)>,
    poisoned: Vec<(u64, u64, u16)>,
    refused: BTreeSet<u64>,
    /// Deliveries that fail for so long, whatever the others do.
    stubborn: BTreeMap<u64, i64>,
    commands: Vec<(i64, Command)>,
    max_in_flight: usize,
    max_batch: usize,
    /// Events a second, at most.
    rate: Option<NonZeroU32>,
    seed_001: bool,
}

#[derive(Debug, Clone, Copy)]
enum Command {
    Restart { saved: usize },
    Pause(u64),
    Resume(u64),
}

fn plans() -> impl Strategy<Value = Plan> {
    let day = 24 * HOUR;
    let events = prop::collection::vec((0..day, 0..ENDPOINTS, 0..LANES), 1..80);
    let bad = prop::sample::select(vec![0, 301, 408, 429, 500, 503, 410, 404]);
    let outages = prop::collection::vec((0..ENDPOINTS, 0..day, 1..90 * HOUR, bad.clone()), 0..4);
    let poisoned = prop::collection::vec((0..ENDPOINTS, 0..LANES, prop::sample::select(vec![0, 500, 503, 404])), 0..3);
    let command = prop_oneof![
        3 => (0_usize..4).prop_map(|saved| Command::Restart { saved }),
        1 => (0..ENDPOINTS).prop_map(Command::Pause),
        1 => (0..ENDPOINTS).prop_map(Command::Resume),
    ];
    let commands = prop::collection::vec((0..5 * day, command), 0..6);
    let refused = prop::collection::btree_set(0_u64..80, 0..4);
    let stubborn = prop::collection::btree_map(0_u64..80, HOUR..60 * HOUR, 0..9);
    let rate = prop::option::of((1_u32..30).prop_map(|rate| NonZeroU32::new(rate).unwrap()));
    let rest = (1_usize..9, any::<bool>(), stubborn, prop_oneof![Just(1_usize), 2_usize..20], rate);
    (events, outages, poisoned, refused, commands, rest).prop_map(
        |(mut events, outages, poisoned, refused, mut commands, rest)| {
            events.sort_unstable();
            commands.sort_by_key(|(second, _)| *second);
            Plan {
                events,
                outages,
                poisoned,
                refused,
                commands,
                max_in_flight: rest.0,
                seed_001: rest.1,
                stubborn: rest.2,
                max_batch: rest.3,
                rate: rest.4,
            }
        },
    )
}

fn outcome(status: u16) -> Outcome {
    let retry_after = (status == 503).then(|| TimeDelta::seconds(100));
    if status == 0 { Outcome::TimedOut } else { Outcome::Answered { status, retry_after, says_duplicate: false } }
}

fn world(plan: &Plan) -> World {
    let script = plan.clone();
    let mut world = World::new(move |attempt, now| {
        let outage = script.outages.iter().find(|(endpoint, from, long, _)| {
            EndpointId(*endpoint) == attempt.endpoint && (at(*from)..at(from + long)).contains(&now)
        });
        let poison = script
            .poisoned
            .iter()
            .find(|(endpoint, lane, _)| (EndpointId(*endpoint), Lane(*lane)) == (attempt.endpoint, attempt.lane));
        let status = match (outage, poison) {
            (Some((.., status)), _) | (None, Some((.., status))) => *status,
            _ if script.stubborn.get(&attempt.delivery.0).is_some_and(|until| now < at(*until)) => 500,
            _ if script.refused.contains(&attempt.delivery.0) => 400,
            _ => 200,
        };
        Class::of(&outcome(status))
    });
    world.limits.max_in_flight = 10;
    for endpoint in 0..ENDPOINTS {
        let mut rules = EndpointRules::default();
        (rules.max_in_flight, rules.max_batch) = (plan.max_in_flight, plan.max_batch);
        rules.max_events_per_second = plan.rate;
        rules.schedule = if plan.seed_001 { Schedule::seed_001() } else { Schedule::seed_002() };
        world = world.endpoint(endpoint, rules);
    }
    world.restart(0); // takes the limits over
    for (id, &(second, endpoint, lane)) in plan.events.iter().enumerate() {
        world.event(second, id as u64, endpoint, lane);
    }
    world
}

fn run(plan: &Plan) -> World {
    let mut world = world(plan);
    for &(second, command) in &plan.commands {
        world.run_until(second);
        let now = world.now;
        match command {
            Command::Restart { saved } => world.restart(saved),
            Command::Pause(endpoint) => drop(world.queue.pause(EndpointId(endpoint), now)),
            Command::Resume(endpoint) => drop(world.queue.resume(EndpointId(endpoint), now)),
        }
    }
    // The user mends what was stopped, as often as a 410 stops it again.
    for hour in 120..130 {
        world.run_until(hour * HOUR);
        let now = world.now;
        for endpoint in (0..ENDPOINTS).map(EndpointId) {
            world.queue.resume(endpoint, now);
            world.queue.enable(endpoint, now);
        }
    }
    world.run_until(END);
    world
}

fn check(plan: &Plan, world: &World) {
    assert!(world.store.is_empty(), "still waiting: {:?}", world.store);
    assert_eq!((world.queue.status().waiting, world.queue.status().in_flight), (0, 0));
    let delivered: BTreeSet<DeliveryId> = world.received.iter().map(|(_, attempt)| attempt.delivery).collect();
    for (id, &(second, endpoint, lane)) in plan.events.iter().enumerate() {
        let id = DeliveryId(id as u64);
        assert!(delivered.contains(&id) || world.failed.contains_key(&id), "{id} is lost");
        let is_poisoned = plan.poisoned.iter().any(|(e, l, _)| (*e, *l) == (endpoint, lane));
        let has_outage = plan.outages.iter().any(|(e, ..)| *e == endpoint);
        let is_stubborn = plan.stubborn.contains_key(&id.0);
        if !is_poisoned && !has_outage && !is_stubborn && !plan.refused.contains(&id.0) {
            assert!(delivered.contains(&id), "{id} had a healthy receiver: {:?}", world.failed.get(&id));
        }
        if let Some((failed_at, _, Reason::Exhausted)) = world.failed.get(&id) {
            let early = if plan.seed_001 { TimeDelta::hours(10) } else { TimeDelta::zero() };
            assert!(*failed_at >= at(second) + TimeDelta::hours(72) - early, "{id} gave up at {failed_at}");
        }
    }
    for endpoint in 0..ENDPOINTS {
        for lane in 0..LANES {
            let order = world.order(endpoint, lane);
            let passed = |id: &u64| world.bypasses.iter().any(|(_, _, head, _)| head.0 == *id);
            let unpassed: Vec<u64> = order.into_iter().filter(|id| !passed(id)).collect();
            assert!(unpassed.is_sorted(), "out of order without a warning: {unpassed:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the receivers do and whenever we are killed: delivered or visibly failed, in order or with a warning.
    #[test]
    fn nothing_is_lost_doubled_in_flight_or_silently_reordered(plan in plans()) {
        check(&plan, &run(&plan));
    }

    /// The same plan gives the same attempts at the same times.
    #[test]
    fn the_machine_is_deterministic(plan in plans()) {
        assert_eq!(run(&plan).sent, run(&plan).sent);
    }
}
