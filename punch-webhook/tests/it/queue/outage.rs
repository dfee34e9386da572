use alloc::collections::BTreeSet;

use chrono::TimeDelta;
use punch_webhook::{Class, DeliveryId, EndpointId, EndpointRules, EndpointState, Health, Outcome, Reason, Schedule};

use super::world::{HOUR, World, at};

fn down() -> Class {
    Class::of(&Outcome::Unreachable)
}

/// One endpoint that is down from second `from` to second `to`.
fn with_outage(from: i64, to: i64) -> World {
    let answer = move |_: &_, now| if (at(from)..at(to)).contains(&now) { down() } else { Class::Delivered };
    World::new(answer).endpoint(1, EndpointRules::default())
}

/// `count` events over `seconds`, in turn from `lanes` employees.
fn events(world: &mut World, count: u64, seconds: i64, lanes: u64) {
    for id in 0..count {
        let second = seconds * i64::try_from(id).unwrap() / i64::try_from(count).unwrap();
        world.event(second, id, 1, id % lanes);
    }
}

/// S0-074, S0-075, S1-012, S1-048, S1-049, S2-092: what waited comes in the order it was made.
#[test]
fn s0_075_s2_092_after_an_outage_of_five_hours_everything_arrives_in_order() {
    let mut world = with_outage(600, 5 * HOUR + 600);
    events(&mut world, 2000, 6 * HOUR, 50);
    world.run_until(5 * HOUR + 600);
    assert_eq!(world.health(1), Health::BackingOff);
    assert!(world.store.len() > 1500);
    world.run_until(6 * HOUR + 60);
    assert!(world.store.is_empty() && world.failed.is_empty() && world.bypasses.is_empty());
    for lane in 0..50 {
        let order = world.order(1, lane);
        assert_eq!(order.len(), 40);
        assert!(order.is_sorted(), "{order:?}");
    }
    let back = world.received.iter().find(|(now, _)| *now >= at(5 * HOUR + 600)).unwrap().0;
    assert!(back <= at(5 * HOUR + 600 + 15 * 60), "found to be back within one probe interval");
    let drained = world.received.iter().filter(|(now, _)| *now >= back && *now < back + TimeDelta::minutes(1)).count();
    assert!(drained > 1500, "drained at once, not by each event's schedule: {drained}");
}

/// S1-040: nothing is given up before its time.
#[test]
fn s1_040_down_for_71_hours_then_delivered() {
    for schedule in [Schedule::seed_001(), Schedule::seed_002()] {
        let mut world = with_outage(0, 71 * HOUR);
        let mut rules = EndpointRules::default();
        rules.schedule = schedule;
        world = world.endpoint(1, rules);
        events(&mut world, 100, HOUR, 7);
        world.run_until(72 * HOUR - 1);
        assert!(world.store.is_empty() && world.failed.is_empty(), "{:?}", world.failed);
    }
}

/// S2-027: afterwards it is, and says so.
#[test]
fn s2_027_down_for_longer_than_72_hours_then_failed_and_visible() {
    let mut world = with_outage(0, 100 * HOUR);
    events(&mut world, 60, 600, 7);
    world.run_until(72 * HOUR - 1);
    assert!(world.failed.is_empty(), "nothing fails early, however often it was a probe");
    world.run_until(72 * HOUR + 700);
    assert!(world.store.is_empty());
    assert_eq!(world.failed.len(), 60);
    for (id, (failed_at, _, reason)) in &world.failed {
        let deadline = at(72 * HOUR + 10 * i64::try_from(id.0).unwrap());
        assert_eq!(*reason, Reason::Exhausted);
        assert!((deadline..deadline + TimeDelta::seconds(15)).contains(failed_at), "{id}: {failed_at}");
    }
    assert_eq!(
        world.failed[&DeliveryId(0)].0,
        at(72 * HOUR) + TimeDelta::milliseconds(50),
        "its last attempt is at T+72h"
    );
    world.event(80 * HOUR, 100, 1, 1);
    world.run_until(101 * HOUR);
    assert_eq!(world.order(1, 1).last(), Some(&100), "the endpoint is still asked, and found");
}

#[test]
fn the_last_attempt_of_the_oldest_event_is_at_72_hours_whoever_was_probed_before() {
    for back_off_after in 1..6 {
        let mut world = with_outage(0, 100 * HOUR);
        let mut rules = EndpointRules::default();
        rules.back_off_after = back_off_after;
        world = world.endpoint(1, rules);
        events(&mut world, 400, 50, 400);
        world.run_until(73 * HOUR);
        assert_eq!(world.sent_of(0).last(), Some(&at(72 * HOUR)));
        let last = world.sent.iter().filter(|(now, _)| *now >= at(72 * HOUR)).count();
        assert!(last < 8, "{last} attempts for 400 deadlines within a minute");
        assert_eq!(world.failed.len(), 400);
    }
}

#[test]
fn s0_078_a_dead_endpoint_does_not_delay_another() {
    let answer =
        |attempt: &punch_webhook::Attempt, _| if attempt.endpoint == EndpointId(1) { down() } else { Class::Delivered };
    let rules = EndpointRules::default;
    let mut world = World::new(answer).endpoint(1, rules()).endpoint(2, rules());
    for id in 0..1000 {
        world.event(i64::try_from(id).unwrap(), 2 * id, 1, id % 10);
        world.event(i64::try_from(id).unwrap(), 2 * id + 1, 2, id % 10);
    }
    world.run_until(1000);
    let second = world.received.iter().filter(|(_, attempt)| attempt.endpoint == EndpointId(2));
    assert_eq!(second.clone().count(), 1000);
    for (now, attempt) in second {
        let made = at(i64::try_from(attempt.delivery.0 / 2).unwrap());
        assert!(*now <= made + TimeDelta::milliseconds(100), "{attempt:?} waited until {now}");
    }
    assert!(world.sent.len() < 1030, "the dead one is probed, not flooded");
}

#[test]
fn probes_come_at_least_every_quarter_of_an_hour_with_the_oldest_event_first() {
    let mut world = with_outage(0, 20 * HOUR);
    events(&mut world, 50, 1000, 10);
    world.run_until(20 * HOUR - 1);
    let probes: Vec<_> = world.sent.iter().filter(|(_, attempt)| attempt.probe).collect();
    assert!(probes.len() >= 80);
    for pair in probes.windows(2) {
        assert!(pair[1].0 - pair[0].0 <= TimeDelta::minutes(15) + TimeDelta::seconds(1), "{pair:?}");
    }
    let oldest = probes.iter().filter(|(_, attempt)| attempt.delivery == DeliveryId(0)).count();
    assert!(2 * oldest >= probes.len(), "{oldest} of {}", probes.len());
    let log = world.sent.iter().filter(|(_, attempt)| attempt.delivery == DeliveryId(0));
    let numbers: Vec<u32> = log.map(|(_, attempt)| attempt.number).collect();
    assert!(numbers.iter().zip(1..).all(|(number, count)| *number == count), "every attempt has its number");
}

#[test]
fn a_short_outage_is_noticed_after_a_minute() {
    let mut world = with_outage(0, 30);
    events(&mut world, 8, 1, 8);
    world.run_until(70);
    assert!(world.store.is_empty(), "{:?}", world.store);
}

#[test]
fn the_drain_starts_with_one_and_doubles() {
    let mut world = with_outage(0, HOUR);
    events(&mut world, 400, 10, 40);
    world.run_until(3 * HOUR);
    let back = world.received[0].0;
    let counts: Vec<usize> = (1..8)
        .map(|round| back + TimeDelta::milliseconds(50 * round))
        .map(|round| world.sent.iter().filter(|(now, _)| *now == round).count())
        .collect();
    assert_eq!(counts, [1, 2, 4, 8, 8, 8, 8], "in flight in each round trip");
}

#[test]
fn a_restart_in_the_middle_of_an_outage_loses_nothing() {
    let mut world = with_outage(60, 5 * HOUR);
    events(&mut world, 300, 4 * HOUR, 9);
    for second in (0..5 * HOUR).step_by(700) {
        world.run_until(second);
        world.restart(usize::try_from(second).unwrap() % 3);
    }
    world.run_until(6 * HOUR);
    assert!(world.store.is_empty() && world.failed.is_empty());
    let received: BTreeSet<_> = world.received.iter().map(|(_, attempt)| attempt.delivery).collect();
    assert_eq!(received.len(), 300);
    assert!((0..9).all(|lane| world.order(1, lane).is_sorted()));
}

#[test]
fn a_long_stop_of_our_own_does_not_fail_what_waited() {
    let mut world = with_outage(0, HOUR);
    events(&mut world, 20, 10, 4);
    world.run_until(60);
    world.now = at(100 * HOUR);
    world.restart(usize::MAX);
    world.run_until(101 * HOUR);
    assert!(world.store.is_empty() && world.failed.is_empty());
}

#[test]
fn gone_disables_and_keeps() {
    let answer = |_: &_, now| Class::of(&Outcome::answered(if now < at(100) { 410 } else { 204 }));
    let mut world = World::new(answer).endpoint(1, EndpointRules::default());
    events(&mut world, 30, 60, 3);
    world.run_until(99);
    assert_eq!((world.health(1), world.store.len(), world.sent.len()), (Health::Disabled, 30, 1));
    world.run_until(200 * HOUR);
    assert_eq!((world.store.len(), world.sent.len()), (30, 1), "kept beyond every deadline, and not tried");
    assert!(!world.queue.resume(EndpointId(1), world.now), "a disabled endpoint is enabled, not resumed");
    world.restart(0);
    assert_eq!(world.health(1), Health::Disabled);
    assert!(world.queue.enable(EndpointId(1), world.now));
    world.run_until(201 * HOUR);
    assert!(world.store.is_empty() && world.failed.is_empty());
    assert!((0..3).all(|lane| world.order(1, lane).is_sorted()));
}

#[test]
fn a_paused_endpoint_keeps_its_events_and_their_time() {
    let mut world = with_outage(0, 120 * HOUR);
    events(&mut world, 30, 60, 3);
    world.run_until(10);
    assert!(world.queue.pause(EndpointId(1), world.now));
    assert!(!world.queue.pause(EndpointId(1), world.now));
    let sent = world.sent.len();
    world.run_until(100 * HOUR);
    assert_eq!((world.sent.len(), world.store.len()), (sent, 30));
    assert!(world.queue.resume(EndpointId(1), world.now));
    world.run_until(119 * HOUR);
    assert!(world.failed.is_empty(), "the pause is not held against them");
    assert_eq!(world.health(1), Health::BackingOff);
    world.run_until(121 * HOUR);
    assert!(world.store.is_empty() && world.failed.is_empty());
}

#[test]
fn an_outage_is_told_once() {
    let mut world = with_outage(600, 5 * HOUR);
    events(&mut world, 500, 6 * HOUR, 5);
    world.run_until(7 * HOUR);
    let mut healths: Vec<_> = world.states.iter().map(|(_, _, state)| (state.health, state.since)).collect();
    healths.dedup();
    assert_eq!(healths.iter().map(|(health, _)| *health).collect::<Vec<_>>(), [Health::BackingOff, Health::Healthy]);
    assert_eq!(EndpointState::default().health, Health::Healthy);
}
