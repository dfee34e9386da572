use chrono::TimeDelta;
use punch_webhook::{
    Attempt, Class, DeliveryId, Disposition, EndpointId, EndpointState, EnqueueError, Health, Lane, Outcome, Queue,
    QueueLimits, Reason, Record, Waiting,
};

use super::world::{HOUR, World, at, exact, start, status};

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
    assert_eq!((world.offsets(1), world.offsets(2)), (vec![0, 90, 390, 480, 570], vec![570]));
}

#[test]
fn not_found_behind_an_outage_is_asked_by_the_schedule_and_ends() {
    let answer = |_: &Attempt, now| status(if now < at(100) { 502 } else { 404 });
    let mut world = World::new(answer).endpoint(1, exact());
    for id in 1..=4 {
        world.event(0, id, 1, id % 3);
    }
    world.run_until(24 * HOUR);
    assert!(world.failed.values().all(|(.., reason)| *reason == Reason::Status(404)), "{:?}", world.failed);
    assert_eq!(world.failed.len(), 4);
    let probes: Vec<_> = world.sent.iter().filter(|(_, attempt)| attempt.probe).map(|(now, _)| *now).collect();
    assert!(probes.windows(2).all(|pair| pair[1] - pair[0] >= TimeDelta::minutes(1)), "{probes:?}");
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
