use chrono::TimeDelta;
use punch_webhook::{
    Attempt, Class, DeliveryId, Disposition, EndpointId, EndpointState, Health, Lane, Queue, QueueLimits, Reason,
    Waiting,
};

use super::world::{HOUR, World, at, exact, start, status};

/// Lane 0 always fails, the others never.
fn poisoned() -> World {
    let answer = |attempt: &Attempt, _| if attempt.lane == Lane(0) { status(500) } else { Class::Delivered };
    World::new(answer).endpoint(1, exact())
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
    assert_eq!(world.offsets(1_000_000), [0, 60, 360, 2160, 9360, 52560, 259_200]);
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
    assert_eq!(world.offsets(1), [0, 60, 360, 2160], "the head keeps its own schedule");
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
    assert_eq!(world.offsets(1), [0, 60, 360, 2160]);
    assert_eq!(world.failed[&DeliveryId(1)].2, Reason::Status(404));
    assert_eq!(world.health(1), Health::Healthy, "the endpoint answers");
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
fn blame_ends_with_a_success_or_with_the_last_event_of_the_lane() {
    let mut rules = exact();
    rules.back_off_after = 2;
    for succeeds in [true, false] {
        let mut queue = Queue::new(QueueLimits::default());
        queue.set_endpoint(EndpointId(1), rules.clone(), EndpointState::default(), start());
        let mut answer = |id, lane, class, second| {
            queue.enqueue(Waiting::new(DeliveryId(id), EndpointId(1), Lane(lane), start()), at(second)).unwrap();
            let attempt = queue.poll_attempt(at(second)).unwrap();
            assert_eq!(attempt.delivery, DeliveryId(id));
            queue.settle(attempt.delivery, class, at(second));
            if succeeds && second == 60 {
                let successor = Waiting::new(DeliveryId(3), EndpointId(1), Lane(1), start());
                queue.enqueue(successor, at(second)).unwrap();
            }
            queue.endpoint_status(EndpointId(1)).unwrap().state
        };
        assert_eq!(answer(1, 1, status(500), 0).failures, 1);
        assert_eq!(answer(2, 2, Class::Delivered, 1).failures, 0);
        assert_eq!(answer(1, 1, status(500), 60).failures, 0, "its own fault");
        let end = if succeeds { Class::Delivered } else { status(400) };
        assert_eq!(answer(1, 1, end, 360).failures, 0);
        assert_eq!(answer(3, 1, status(500), 400).failures, 1, "judged anew");
        assert_eq!(answer(4, 4, status(500), 401).health, Health::BackingOff);
    }
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
