//! The subscription is there, whatever happened to it.

use punch_erp::hikcentral::{KeepSubscribed, Subscribed, Subscription, read_notification};

use super::world::{World, ids, local};
use crate::hikcentral_server::{DoorEvent, HikCentralFault};

const OURS: &str = "https://mw.example.com/hik/events";

fn wanted(world: &World) -> Subscription {
    Subscription::new(world.rules.event_types.codes(), OURS).unwrap()
}

fn keep(world: &mut World) -> Result<Subscribed, punch_erp::RetryReason> {
    let (stamp, wanted) = (world.stamp(), wanted(world));
    let mut flow = KeepSubscribed::new(&world.site, wanted, Some("t0k".into()), stamp);
    world.run(&mut flow)
}

/// S3-002: pushed, with the token, in either dialect.
#[test]
fn what_happens_is_pushed_to_our_address_with_our_token() {
    for is_isecure in [false, true] {
        let mut world = World::with(|config| config.is_isecure = is_isecure, |_| {});
        assert_eq!(keep(&mut world).unwrap(), Subscribed::Renewed);
        world.server.happen(DoorEvent::face("p1", local("08:00:00"), "11", "7"));
        let pushes = world.server.take_pushes();
        assert_eq!((pushes.len(), &pushes[0].headers()["token"]), (1, &"t0k".parse().unwrap()));
        let readings = read_notification(pushes[0].body(), &world.rules).unwrap();
        assert_eq!(ids(&readings), [if is_isecure { "isc:p1" } else { "hcp:p1" }]);
        assert_eq!(readings[0].passage().unwrap().direction.as_str(), "in");
    }
}

#[test]
fn one_that_is_there_is_left_and_one_that_was_lost_is_renewed() {
    let mut world = World::new();
    assert_eq!(keep(&mut world).unwrap(), Subscribed::Renewed);
    let before = world.server.requests().len();
    assert_eq!(keep(&mut world).unwrap(), Subscribed::Already);
    assert_eq!(world.server.requests().len(), before + 1);
    world.server.lose_subscriptions();
    assert_eq!(keep(&mut world).unwrap(), Subscribed::Renewed);
    assert_eq!(world.server.subscribed(OURS).len(), wanted(&world).event_types.len());
}

#[test]
fn a_new_token_is_told_although_the_subscription_looks_right() {
    let mut world = World::new();
    keep(&mut world).unwrap();
    let (stamp, wanted) = (world.stamp(), wanted(&world));
    let mut flow = KeepSubscribed::new(&world.site, wanted, Some("new".into()), stamp).renewed();
    assert_eq!(world.run(&mut flow).unwrap(), Subscribed::Renewed);
    world.server.happen(DoorEvent::face("p1", local("08:00:00"), "11", "7"));
    assert_eq!(world.server.take_pushes()[0].headers()["token"], "new");
}

/// A type that is wanted no more ends, unless somebody else has it: an end counts for every address.
#[test]
fn stale_types_end_and_those_of_others_stay() {
    let mut world = World::new();
    world.server.subscribe_other(197_151, OURS);
    world.server.subscribe_other(131_329, OURS);
    world.server.subscribe_other(131_329, "https://other.example.com/cameras");
    keep(&mut world).unwrap();
    let ours = world.server.subscribed(OURS);
    assert!(!ours.contains(&197_151) && ours.contains(&131_329), "{ours:?}");
    assert_eq!(world.server.subscribed("https://other.example.com/cameras"), [131_329]);
    assert_eq!(keep(&mut world).unwrap(), Subscribed::Already);
}

#[test]
fn an_answer_that_is_lost_costs_a_second_try() {
    let mut world = World::new();
    world.server.fail_next([HikCentralFault::None, HikCentralFault::DropAfter]);
    assert_eq!(keep(&mut world).unwrap_err().code(), "no_answer");
    assert_eq!(keep(&mut world).unwrap(), Subscribed::Already);
}

#[test]
fn an_address_that_cannot_be_is_refused() {
    for wrong in ["", "mw.example.com/hik", &format!("https://mw.example.com/{}", "x".repeat(1024))] {
        assert_eq!(Subscription::new(vec![196_893], wrong).unwrap_err().key(), "event_dest");
    }
}
