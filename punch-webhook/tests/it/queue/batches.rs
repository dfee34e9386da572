//! Requests of several deliveries.

use chrono::TimeDelta;
use punch_webhook::{
    Attempt, Class, DeliveryId, EndpointId, EndpointRules, EndpointState, Health, Lane, Queue, QueueLimits, Reason,
    Record, Waiting,
};

use super::world::{HOUR, World, at, exact, start, status};

fn batches(max_batch: usize) -> EndpointRules {
    let mut rules = exact();
    rules.max_batch = max_batch;
    rules
}

fn ids(world: &World) -> Vec<Vec<u64>> {
    world.requests.iter().map(|(_, ids)| ids.clone()).collect()
}

#[test]
fn what_waits_goes_out_together_oldest_first_and_in_order_per_person() {
    let mut world = World::new(|_, _| Class::Delivered).endpoint(1, batches(4));
    for id in 0..10 {
        world.event(0, id, 1, id % 2);
    }
    world.run_until(10);
    // Two people, both in the first request: the others wait until it is answered.
    assert_eq!(ids(&world), [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]]);
    assert_eq!((world.order(1, 0), world.order(1, 1)), (vec![0, 2, 4, 6, 8], vec![1, 3, 5, 7, 9]));
}

#[test]
fn requests_of_several_count_once_and_others_go_beside_them() {
    let mut rules = batches(3);
    rules.max_in_flight = 2;
    let mut queue = Queue::new(QueueLimits::default());
    queue.set_endpoint(EndpointId(1), rules, EndpointState::default(), start());
    for id in 0..9 {
        queue.enqueue(Waiting::new(DeliveryId(id), EndpointId(1), Lane(id), start()), start()).unwrap();
    }
    let requests: Vec<usize> = core::iter::from_fn(|| queue.poll_request(start())).map(|it| it.len()).collect();
    assert_eq!(requests, [3, 3]);
    assert_eq!((queue.status().waiting, queue.status().in_flight), (3, 2));
    let sent = [DeliveryId(0), DeliveryId(1), DeliveryId(2)];
    queue.settle_request(&sent, &Class::Delivered, start());
    assert_eq!(queue.poll_request(start()).unwrap().len(), 3);
    assert_eq!(queue.settle_request(&sent, &Class::Delivered, start()), None, "answered before");
    // Whoever asks for attempts one by one gets them one by one.
    queue.settle_request(&[DeliveryId(3), DeliveryId(4), DeliveryId(5)], &Class::Delivered, start());
    queue.enqueue(Waiting::new(DeliveryId(9), EndpointId(1), Lane(9), start()), start()).unwrap();
    assert_eq!(queue.poll_attempt(start()).unwrap().delivery, DeliveryId(9));
}

/// One bad event of 64 costs a few requests a halving, and none of its neighbours.
#[test]
fn a_poisoned_batch_is_halved_until_the_bad_event_is_alone() {
    for bad in [400, 404, 409, 413] {
        let answer = move |attempt: &Attempt, _| if attempt.delivery.0 == 37 { status(bad) } else { Class::Delivered };
        let mut world = World::new(answer).endpoint(1, batches(64));
        for id in 0..64 {
            world.event(0, id, 1, id % 9);
        }
        world.run_until(HOUR * 3);
        assert_eq!(world.failed.keys().copied().collect::<Vec<_>>(), [DeliveryId(37)], "{bad}");
        let (_, attempts, reason) = &world.failed[&DeliveryId(37)];
        assert_eq!(*reason, Reason::Status(bad));
        // 64, 32, 16, 8, 4, 2 and alone; 404 has three retries more.
        assert_eq!(*attempts, if bad == 404 { 10 } else { 7 });
        assert_eq!(world.received.len(), 63, "each once");
        assert!(world.requests.len() <= 24, "{:?}", ids(&world));
        for lane in 0..9 {
            assert!(world.order(1, lane).is_sorted(), "{lane}");
        }
        assert_eq!(world.health(1), Health::Healthy);
    }
}

/// Many bad events at once, as where a receiver does not know half of the people: each fails by its own answer.
#[test]
fn every_bad_event_of_a_batch_is_found() {
    let answer = |attempt: &Attempt, _| if attempt.lane.0.is_multiple_of(2) { status(422) } else { Class::Delivered };
    let mut world = World::new(answer).endpoint(1, batches(16));
    for id in 0..48 {
        world.event(0, id, 1, id % 7);
    }
    world.run_until(60);
    let failed: Vec<u64> = world.failed.keys().map(|id| id.0).collect();
    assert_eq!(failed, (0..48).filter(|id| (id % 7) % 2 == 0).collect::<Vec<_>>());
    assert!(world.store.is_empty());
}

/// An event that breaks its receiver must not take its neighbours through 72 hours with it: what has failed goes alone.
#[test]
fn what_failed_together_is_tried_alone() {
    let answer = |attempt: &Attempt, _| if attempt.delivery.0 == 5 { status(500) } else { Class::Delivered };
    let mut world = World::new(answer).endpoint(1, batches(8));
    for id in 0..8 {
        world.event(0, id, 1, id);
    }
    world.run_until(90);
    assert_eq!(world.received.len(), 7);
    assert!(ids(&world)[1..].iter().all(|ids| ids.len() == 1), "{:?}", ids(&world));
    // Others go out together again meanwhile, and the bad one has its own schedule to its own end.
    for id in 10..14 {
        world.event(100, id, 1, id);
    }
    world.run_until(120);
    assert_eq!(ids(&world).last().unwrap(), &[10, 11, 12, 13]);
    world.run_until(73 * HOUR);
    assert_eq!(world.offsets(5), [0, 60, 360, 2160, 9360, 52_560, 259_200]);
    assert_eq!(world.failed[&DeliveryId(5)].2, Reason::Exhausted);
}

/// A request is one failure however many are in it; the endpoint is asked by one event, and drains in batches.
#[test]
fn an_endpoint_that_is_down_is_asked_by_one_event_and_then_drained_in_batches() {
    let answer = |_: &Attempt, now| status(if now < at(HOUR) { 503 } else { 200 });
    let mut world = World::new(answer).endpoint(1, batches(50));
    for id in 0..50 {
        world.event(0, id, 1, id);
    }
    world.run_until(1);
    assert_eq!((world.health(1), world.requests.len()), (Health::Healthy, 1), "one failure");
    world.run_until(120);
    assert_eq!(world.health(1), Health::BackingOff);
    for id in 50..250 {
        world.event(121, id, 1, id % 50);
    }
    world.run_until(HOUR + 16 * 60);
    assert_eq!((world.received.len(), world.failed.len()), (250, 0));
    let drained: Vec<usize> =
        world.requests.iter().filter(|(now, _)| *now >= at(HOUR)).map(|(_, ids)| ids.len()).collect();
    assert_eq!((drained[0], drained.iter().max()), (1, Some(&50)), "{drained:?}");
    assert!(drained.len() < 10, "{drained:?}");
}

/// Of one request each event is given up at its own deadline.
#[test]
fn each_event_of_a_batch_has_its_own_deadline() {
    let mut world = World::new(|_, _| status(503)).endpoint(1, batches(10));
    world.event(0, 1, 1, 1);
    world.event(30 * HOUR, 2, 1, 2);
    world.event(30 * HOUR, 3, 1, 3);
    world.run_until(73 * HOUR);
    assert_eq!(world.failed.keys().map(|id| id.0).collect::<Vec<_>>(), [1]);
    world.run_until(103 * HOUR);
    let times = world.failed.values().map(|(now, ..)| (*now - start()).num_hours()).collect::<Vec<_>>();
    assert_eq!(times, [72, 102, 102]);
}

#[test]
fn a_receiver_that_is_gone_keeps_the_whole_batch() {
    let mut world = World::new(|_, _| Class::Gone).endpoint(1, batches(10));
    for id in 0..10 {
        world.event(0, id, 1, id);
    }
    world.run_until(HOUR);
    assert_eq!((world.store.len(), world.requests.len(), world.health(1)), (10, 1, Health::Disabled));
}

/// What did not fit into the body goes with the next one, as if nothing had been.
#[test]
fn what_is_given_back_was_not_tried() {
    let mut queue = Queue::new(QueueLimits::default());
    queue.set_endpoint(EndpointId(1), batches(10), EndpointState::default(), start());
    for id in 0..6 {
        queue.enqueue(Waiting::new(DeliveryId(id), EndpointId(1), Lane(id % 2), start()), start()).unwrap();
    }
    let request = queue.poll_request(start()).unwrap();
    assert_eq!(request.len(), 6);
    for attempt in request[4..].iter().rev() {
        assert!(queue.give_back(attempt.delivery) && !queue.give_back(attempt.delivery));
    }
    assert_eq!(queue.poll_request(start()), None, "the people of the others are on their way");
    let sent: Vec<DeliveryId> = request[..4].iter().map(|attempt| attempt.delivery).collect();
    queue.settle_request(&sent, &Class::Delivered, start());
    let next = queue.poll_request(start()).unwrap();
    assert_eq!(next.iter().map(|it| (it.delivery.0, it.number)).collect::<Vec<_>>(), [(4, 1), (5, 1)]);
    let records: Vec<Record> = core::iter::from_fn(|| queue.poll_record()).collect();
    assert_eq!(records.len(), 4, "{records:?}");
    assert_eq!(queue.status().in_flight, 1);
}

/// Taken back while its request is under way, it leaves nothing behind that waits.
#[test]
fn a_withdrawn_delivery_of_a_batch_frees_its_place_and_the_rest_is_settled() {
    let mut queue = Queue::new(QueueLimits::default());
    queue.set_endpoint(EndpointId(1), batches(10), EndpointState::default(), start());
    for id in 0..3 {
        queue.enqueue(Waiting::new(DeliveryId(id), EndpointId(1), Lane(0), start()), start()).unwrap();
    }
    let sent: Vec<DeliveryId> = queue.poll_request(start()).unwrap().iter().map(|it| it.delivery).collect();
    assert!(queue.withdraw(DeliveryId(0)));
    queue.settle_request(&sent, &status(400), start());
    assert_eq!((queue.status().waiting, queue.status().in_flight), (2, 0));
    let halves = [queue.poll_request(start()).unwrap().len(), 0];
    assert_eq!(halves[0], 2, "half of three");
    queue.settle_request(&sent[1..], &Class::Delivered, start() + TimeDelta::seconds(1));
    assert_eq!((queue.status().waiting, queue.status().in_flight), (0, 0));
}
