use chrono::TimeDelta;
use punch_webhook::{
    Attempt, Class, DeliveryId, Disposition, EndpointId, EndpointRules, EndpointState, EnqueueError, Health, Lane,
    Outcome, Queue, QueueLimits, Reason, Record, Waiting,
};

use super::world::{HOUR, World, at, start};

fn status(status: u16) -> Class {
    Class::of(&Outcome::answered(status))
}

fn exact() -> EndpointRules {
    let mut rules = EndpointRules::default();
    rules.schedule = rules.schedule.without_jitter();
    rules
}

/// Lane 0 always fails, the others never.
fn poisoned() -> World {
    let answer = |attempt: &Attempt, _| if attempt.lane == Lane(0) { status(500) } else { Class::Delivered };
    World::new(answer).endpoint(1, exact())
}

fn offsets(world: &World, id: u64) -> Vec<i64> {
    world.sent_of(id).into_iter().map(|now| (now - start()).num_seconds()).collect()
}

#[test]
fn a_poisoned_lane_delays_nobody_and_follows_its_schedule() {
    let mut world = poisoned();
    world.event(0, 1_000_000, 1, 0);
    for id in 0..6 * 72 {
        world.event(30 + 600 * i64::try_from(id).unwrap(), id, 1, 1 + id % 9);
    }
    world.run_until(74 * HOUR);
    for (now, attempt) in &world.received {
        let made = at(30 + 600 * i64::try_from(attempt.delivery.0).unwrap());
        assert_eq!(*now, made, "{attempt:?}");
    }
    assert_eq!(world.received.len(), 6 * 72);
    assert!(world.states.is_empty(), "the endpoint never backs off");
    assert_eq!(offsets(&world, 1_000_000), [0, 60, 360, 2160, 9360, 52560, 259_200]);
    assert_eq!(world.failed[&DeliveryId(1_000_000)].1, 7);
}

#[test]
fn a_poisoned_lane_alone_at_night_delays_nobody_either() {
    let bad = |attempt: &Attempt, now| attempt.lane == Lane(0) || now < at(600);
    let mut world = World::new(move |attempt, now| if bad(attempt, now) { status(500) } else { Class::Delivered })
        .endpoint(1, exact());
    for id in 0..9 {
        world.event(0, 2_000_000 + id, 1, 1 + id); // an outage in the evening must not count against anyone
    }
    for id in 0..4 {
        world.event(HOUR + i64::try_from(id).unwrap(), 1_000_000 + id, 1, 0);
    }
    let made = |id: u64| 2 * HOUR + 3333 * i64::try_from(id).unwrap();
    for id in 0..40 {
        world.event(made(id), id, 1, 1 + id % 3);
    }
    world.run_until(2 * HOUR - 1);
    assert_eq!((world.health(1), world.received.len()), (Health::BackingOff, 9));
    world.run_until(60 * HOUR);
    assert_eq!(world.received.len(), 49);
    for (now, attempt) in world.received.iter().filter(|(_, attempt)| attempt.delivery.0 < 40) {
        assert!(*now <= at(made(attempt.delivery.0) + 1), "{attempt:?} at {now}");
    }
}

#[test]
fn five_poisoned_lanes_hardly_disturb_the_others_even_after_an_outage() {
    let is_down = |now| (at(6 * HOUR)..at(7 * HOUR)).contains(&now);
    let bad = move |attempt: &Attempt, now| attempt.lane.0 < 5 || is_down(now);
    let mut world = World::new(move |attempt, now| if bad(attempt, now) { status(500) } else { Class::Delivered })
        .endpoint(1, exact());
    for id in 0..24 * 3 {
        world.event(1200 * i64::try_from(id).unwrap(), 1_000_000 + id, 1, id % 5);
    }
    for id in 0..24 * 180 {
        world.event(20 * i64::try_from(id).unwrap(), id, 1, 5 + id % 100);
    }
    world.run_until(24 * HOUR);
    assert_eq!(world.received.len(), 24 * 180);
    let made = |it: &Attempt| 20 * i64::try_from(it.delivery.0).unwrap();
    let late = world.received.iter().filter(|(now, it)| *now > at(made(it) + 1));
    let stray: Vec<_> = late.filter(|(_, it)| !(6 * HOUR..7 * HOUR + 31 * 60).contains(&made(it))).collect();
    assert!(stray.is_empty(), "{stray:?}");
    let outages = world.states.iter().filter(|(.., it)| it.health == Health::Healthy).count();
    assert_eq!(outages, 1);
    let wasted = world.sent.len() - world.received.len();
    assert!(wasted < 72 * 9, "{wasted} attempts for 72 poisoned events");
}

#[test]
fn two_poisoned_lanes_cannot_hide_that_the_endpoint_is_back() {
    let bad = |attempt: &Attempt, now| attempt.lane.0 < 2 || now < at(HOUR);
    let mut world = World::new(move |attempt, now| if bad(attempt, now) { status(500) } else { Class::Delivered })
        .endpoint(1, exact());
    for id in 0..100 {
        world.event(i64::try_from(id).unwrap(), id, 1, id % 10);
    }
    world.run_until(HOUR + 31 * 60);
    assert_eq!(world.received.len(), 80);
}

#[test]
fn a_failing_head_is_passed_after_a_quarter_of_an_hour() {
    let answer = |attempt: &Attempt, _| if attempt.delivery == DeliveryId(1) { status(500) } else { Class::Delivered };
    let mut world = World::new(answer).endpoint(1, exact());
    for id in 1..=3 {
        world.event(0, id, 1, 0);
    }
    for id in 10..200 {
        world.event(10 * i64::try_from(id).unwrap(), id, 1, 5);
    }
    world.run_until(899);
    assert!(world.order(1, 0).is_empty() && world.bypasses.is_empty());
    world.run_until(901);
    assert_eq!(world.order(1, 0), [2, 3]);
    assert_eq!(world.bypasses, [(EndpointId(1), Lane(0), DeliveryId(1), DeliveryId(2))]);
    world.run_until(3000);
    assert_eq!(offsets(&world, 1), [0, 60, 360, 2160], "the head keeps its own schedule");
    assert_eq!(world.store.keys().collect::<Vec<_>>(), [&DeliveryId(1)]);
}

#[test]
fn a_permanent_answer_fails_the_event_and_the_lane_goes_on() {
    let answer = |attempt: &Attempt, _| if attempt.delivery == DeliveryId(1) { status(400) } else { Class::Delivered };
    let mut world = World::new(answer).endpoint(1, exact());
    world.event(0, 1, 1, 0);
    world.event(0, 2, 1, 0);
    world.run_until(1);
    assert_eq!(world.failed[&DeliveryId(1)].2, Reason::Status(400));
    assert_eq!(world.order(1, 0), [2]);
    assert!(world.store.is_empty());
}

#[test]
fn an_unknown_employee_gets_three_retries_and_is_then_visible() {
    let answer = |attempt: &Attempt, _| if attempt.lane == Lane(0) { status(404) } else { Class::Delivered };
    let mut world = World::new(answer).endpoint(1, exact());
    world.event(0, 1, 1, 0);
    world.run_until(HOUR);
    assert_eq!(offsets(&world, 1), [0, 60, 360, 2160]);
    assert_eq!(world.failed[&DeliveryId(1)].2, Reason::Status(404));
    assert_eq!(world.health(1), Health::Healthy, "the endpoint answers");
}

#[test]
fn a_permanent_answer_to_a_probe_asks_with_the_next_event_at_once() {
    let answer = |attempt: &Attempt, now| match now < at(HOUR) {
        true => status(502),
        false if attempt.delivery.0 < 3 => status(422),
        false => Class::Delivered,
    };
    let mut world = World::new(answer).endpoint(1, exact());
    for id in 0..10 {
        world.event(0, id, 1, id);
    }
    world.run_until(HOUR + 16 * 60);
    assert_eq!((world.failed.len(), world.received.len()), (3, 7));
    assert_eq!(world.health(1), Health::Healthy);
}

#[test]
fn retry_after_quietens_the_whole_endpoint() {
    let busy =
        Class::of(&Outcome::Answered { status: 429, retry_after: Some(TimeDelta::seconds(90)), says_duplicate: false });
    let mut first = true;
    let answer = move |_: &_, _| if core::mem::take(&mut first) { busy.clone() } else { Class::Delivered };
    let mut world = World::new(answer).endpoint(1, exact());
    world.event(0, 1, 1, 1);
    world.event(1, 2, 1, 2);
    world.event(2, 3, 1, 1);
    world.run_until(200);
    let sent: Vec<_> = world.sent.iter().map(|(now, it)| ((*now - start()).num_seconds(), it.delivery.0)).collect();
    assert_eq!(sent, [(0, 1), (90, 2), (90, 1), (90, 3)]);
}

#[test]
fn retry_after_holds_early_probes_too() {
    let busy = Class::Retry { after: Some(TimeDelta::seconds(90)) };
    let answer = move |attempt: &Attempt, _| if attempt.lane == Lane(1) { busy.clone() } else { Class::Delivered };
    let mut world = World::new(answer).endpoint(1, exact());
    world.event(0, 1, 1, 1);
    world.event(400, 2, 1, 2);
    world.run_until(600);
    // The endpoint backs off at 390 and is held until 480, where the oldest event goes first and is told to wait again.
    assert_eq!((offsets(&world, 1), offsets(&world, 2)), (vec![0, 90, 390, 480, 570], vec![570]));
}

#[test]
fn a_retry_that_recovery_made_early_repeats_its_slot() {
    let mut rules = exact();
    rules.back_off_after = 2;
    let mut queue = Queue::new(QueueLimits::default());
    queue.set_endpoint(EndpointId(1), rules, EndpointState::default(), start());
    for id in 1..=3 {
        queue.enqueue(Waiting::new(DeliveryId(id), EndpointId(1), Lane(id), start()), start()).unwrap();
    }
    let fail = |queue: &mut Queue, id, second| queue.settle(DeliveryId(id), status(500), at(second));
    let take = |queue: &mut Queue, second| queue.poll_attempt(at(second)).unwrap().delivery.0;
    assert_eq!([take(&mut queue, 0), take(&mut queue, 0), take(&mut queue, 0)], [1, 2, 3]);
    assert_eq!(fail(&mut queue, 1, 0), Some(Disposition::RetryAt(at(60))));
    assert_eq!(fail(&mut queue, 2, 0), Some(Disposition::RetryAt(at(60))));
    queue.settle(DeliveryId(3), Class::Delivered, at(1));
    assert_eq!(take(&mut queue, 1), 1, "the endpoint is back, so nothing waits for its own time");
    assert_eq!(fail(&mut queue, 1, 2), Some(Disposition::RetryAt(at(62))), "the first slot again");
    assert_eq!(take(&mut queue, 2), 2);
    queue.settle(DeliveryId(2), Class::Delivered, at(2));
    assert_eq!(take(&mut queue, 62), 1);
    assert_eq!(fail(&mut queue, 1, 62), Some(Disposition::RetryAt(at(362))), "then the second");
}

#[test]
fn resuming_makes_everything_due() {
    let mut world = World::new(|_, now| if now < at(100) { status(500) } else { Class::Delivered });
    world = world.endpoint(1, exact());
    world.event(0, 1, 1, 1);
    world.event(1, 2, 1, 1);
    world.run_until(100);
    let now = world.now;
    assert!(!world.queue.resume(EndpointId(1), now) && world.queue.pause(EndpointId(1), now));
    assert!(world.queue.resume(EndpointId(1), now));
    world.run_until(101);
    assert_eq!(world.order(1, 1), [1, 2]);
}

#[test]
fn endpoints_take_turns() {
    let mut queue = Queue::new({
        let mut limits = QueueLimits::default();
        limits.max_in_flight = 4;
        limits
    });
    for endpoint in 1..=2 {
        queue.set_endpoint(EndpointId(endpoint), exact(), EndpointState::default(), start());
    }
    for id in 0..100 {
        let endpoint = EndpointId(if id < 90 { 1 } else { 2 });
        queue.enqueue(Waiting::new(DeliveryId(id), endpoint, Lane(id), start()), start()).unwrap();
    }
    let taken: Vec<u64> = core::iter::from_fn(|| queue.poll_attempt(start())).map(|it| it.endpoint.0).collect();
    assert_eq!(taken, [1, 2, 1, 2], "the total budget is shared");
    assert_eq!(queue.poll_timeout(), None, "only an answer helps");
    assert_eq!((queue.status().waiting, queue.status().in_flight), (96, 4));
}

#[test]
fn limits_refuse_and_lose_nothing() {
    let mut limits = QueueLimits::default();
    limits.max_waiting = 1;
    let mut queue = Queue::new(limits);
    let waiting = |id| Waiting::new(DeliveryId(id), EndpointId(1), Lane(0), start());
    let unknown = queue.enqueue(waiting(1), start()).unwrap_err();
    assert_eq!(unknown, EnqueueError::UnknownEndpoint { endpoint: EndpointId(1) });
    queue.set_endpoint(EndpointId(1), exact(), EndpointState::default(), start());
    queue.enqueue(waiting(1), start()).unwrap();
    queue.enqueue(waiting(1), start()).unwrap();
    let full = queue.enqueue(waiting(2), start()).unwrap_err();
    assert!(full.is_retryable() && full.to_string().contains("feed 2 again"), "{full}");
    let attempt = queue.poll_attempt(start()).unwrap();
    queue.settle(attempt.delivery, Class::Delivered, start());
    queue.enqueue(waiting(2), start()).unwrap();
}

#[test]
fn late_and_unknown_answers_are_ignored() {
    let mut queue = Queue::new(QueueLimits::default());
    queue.set_endpoint(EndpointId(1), exact(), EndpointState::default(), start());
    assert_eq!(queue.settle(DeliveryId(9), Class::Delivered, start()), None);
    queue.enqueue(Waiting::new(DeliveryId(1), EndpointId(1), Lane(0), start()), start()).unwrap();
    assert_eq!(queue.settle(DeliveryId(1), Class::Delivered, start()), None, "not in flight");
    let attempt = queue.poll_attempt(start()).unwrap();
    assert_eq!(queue.settle(attempt.delivery, Class::Delivered, start()), Some(Disposition::Delivered));
    assert_eq!(queue.settle(attempt.delivery, Class::Gone, start()), None, "answered before");
    assert_eq!(queue.poll_record(), Some(Record::Delivered { delivery: DeliveryId(1), attempts: 1, at: start() }));
    assert_eq!(queue.poll_record(), None);
}

#[test]
fn a_removed_endpoint_and_a_withdrawn_delivery_give_their_budget_back() {
    let mut queue = Queue::new(QueueLimits::default());
    for endpoint in 1..=2 {
        queue.set_endpoint(EndpointId(endpoint), exact(), EndpointState::default(), start());
    }
    for id in 0..4 {
        queue.enqueue(Waiting::new(DeliveryId(id), EndpointId(1 + id % 2), Lane(0), start()), start()).unwrap();
    }
    assert_eq!(core::iter::from_fn(|| queue.poll_attempt(start())).count(), 2);
    assert_eq!(queue.remove_endpoint(EndpointId(1)), [DeliveryId(0), DeliveryId(2)]);
    assert!(queue.withdraw(DeliveryId(1)) && !queue.withdraw(DeliveryId(1)));
    assert_eq!(queue.settle(DeliveryId(1), Class::Delivered, start()), None);
    assert_eq!(queue.status().in_flight, 0);
    assert_eq!(queue.poll_attempt(start()).unwrap().delivery, DeliveryId(3), "the lane is free again");
    assert!(queue.endpoint_status(EndpointId(1)).is_none());
}

#[test]
fn rules_change_under_way() {
    let mut world = poisoned();
    world.event(0, 1, 1, 0);
    world.event(0, 2, 1, 0);
    world.run_until(30);
    let mut rules = exact();
    rules.max_head_block = TimeDelta::seconds(40);
    assert!(world.queue.set_rules(EndpointId(1), rules.clone()));
    assert!(!world.queue.set_rules(EndpointId(7), rules));
    world.run_until(41);
    assert_eq!(world.bypasses.len(), 1);
}

#[test]
fn twenty_thousand_events_of_five_thousand_employees_drain_in_order() {
    let mut queue = Queue::new(QueueLimits::default());
    queue.set_endpoint(EndpointId(1), exact(), EndpointState::default(), start());
    for id in 0..20_000 {
        queue.enqueue(Waiting::new(DeliveryId(id), EndpointId(1), Lane(id % 5_000), start()), start()).unwrap();
    }
    let mut expected = 0;
    while let Some(attempt) = queue.poll_attempt(start()) {
        assert_eq!(attempt.delivery, DeliveryId(expected));
        queue.settle(attempt.delivery, Class::Delivered, start());
        expected += 1;
    }
    assert_eq!(expected, 20_000);
}
