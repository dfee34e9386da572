//! What goes wrong on the way.

use chrono::TimeDelta;
use punch_erp::Outcome;

use super::world::{SuccessFactorsFault, World, alice, crowd, punch, words};

const NONE: SuccessFactorsFault = SuccessFactorsFault::None;

fn wait(outcome: &Outcome) -> Option<i64> {
    match outcome {
        Outcome::Retry { after, .. } => after.map(|after| after.num_seconds()),
        other => panic!("{other:?}"),
    }
}

/// SF-09 to SF-13 and what else can be answered: retried, as late as it was asked for, and written once in the end.
#[test]
fn every_fault_is_survived() {
    for (fault, word, seconds) in [
        (SuccessFactorsFault::TooManyRequests(Some(17)), "busy", Some(17)),
        (SuccessFactorsFault::TooManyRequests(None), "busy", Some(300)),
        (SuccessFactorsFault::Maintenance(60), "busy", Some(60)),
        (SuccessFactorsFault::Failure, "unavailable", None),
        (SuccessFactorsFault::BadGateway, "unavailable", None),
        (SuccessFactorsFault::BadGatewayAfter, "unavailable", None),
        (SuccessFactorsFault::DropBefore, "no_answer", None),
        (SuccessFactorsFault::DropAfter, "no_answer", None),
        (SuccessFactorsFault::DropWithin, "no_answer", None),
        (SuccessFactorsFault::Stall, "no_answer", None),
        (SuccessFactorsFault::Portal, "unreadable", None),
        (SuccessFactorsFault::Firewall, "unreadable", None),
        (SuccessFactorsFault::Redirect, "redirected", None),
    ] {
        let mut world = World::new();
        world.server.fail_next([NONE, fault]);
        let punches = [alice("08:00:00", "in"), alice("16:00:00", "out"), punch("0042", "08:00:00", "in")];
        let outcomes = world.write(&punches);
        assert_eq!(words(&outcomes), [word; 3], "{fault:?}");
        assert_eq!(wait(&outcomes[0]), seconds, "{fault:?}");
        let outcomes = world.write_until_settled(&punches);
        assert!(outcomes.iter().all(Outcome::is_done), "{fault:?}: {outcomes:?}");
        assert_eq!((world.records().len(), world.server.events().len()), (2, 3), "{fault:?}");
    }
}

/// `Retry-After` counts with any status that is not good.
#[test]
fn a_gateway_that_names_a_time() {
    use punch_erp::{HttpResponse, drive};
    let world = World::new();
    let outcomes = drive(&mut world.flow(&[alice("08:00:00", "in")]), |request| {
        if request.uri().path() == "/oauth2/token" {
            return Ok(HttpResponse::new(br#"{"access_token":"T"}"#.as_slice().into()));
        }
        let response = http::Response::builder().status(504).header("Retry-After", "42");
        Ok(response.body(bytes::Bytes::new()).unwrap())
    });
    assert_eq!((words(&outcomes), wait(&outcomes[0])), (vec!["unavailable"], Some(42)));
}

/// SF-09: a missing mapping or permission concerns everybody, and loses nothing.
#[test]
fn no_permission() {
    let mut world = World::new();
    world.server.config_mut().may_import = false;
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["forbidden"]);
    world.server.config_mut().may_import = true;
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["applied"]);
}

/// An event that the answer leaves out is tried again, and found to be there.
#[test]
fn an_answer_that_forgets() {
    let mut world = World::new();
    world.server.fail_next([NONE, SuccessFactorsFault::Forgetful]);
    let punches = [alice("08:00:00", "in"), alice("16:00:00", "out")];
    assert_eq!(words(&world.write(&punches)), ["applied", "unconfirmed"]);
    assert_eq!(words(&world.write(&punches[1..])), ["already"]);
    assert_eq!(world.records().len(), 2);
}

/// SF-07: a call is refused for one event; it is found by halves, and parked alone.
#[test]
fn one_bad_event_costs_nobody_else() {
    let mut world = World::new();
    let mut punches = crowd(&mut world, 300);
    // Something the service finds fault with, and no check of ours.
    let bad = 333;
    punches[bad].badge = "bad".to_owned();
    world.server.config_mut().refuses_assignment = Some("bad".to_owned());
    let outcomes = world.write(&punches);
    assert!(outcomes.iter().all(|outcome| outcome.reason() == Some("refused") && outcome.word() == "retry"));
    assert!(world.session.is_narrowing_down() && world.server.events().is_empty());
    let outcomes = world.write_until_settled(&punches);
    for (index, outcome) in outcomes.iter().enumerate() {
        assert_eq!(outcome.word(), if index == bad { "parked" } else { "applied" }, "{index}");
    }
    assert_eq!(world.server.events().len(), 599);
    assert!(!world.session.is_narrowing_down());
    // Of 600 one is found in ten halvings.
    assert!(world.server.writes() <= 21, "{}", world.server.writes());
}

/// The same with the session lost on the way: it begins anew, and ends.
#[test]
fn narrowing_down_survives_a_loss() {
    let mut world = World::new();
    let mut punches = crowd(&mut world, 4);
    world.server.config_mut().refuses_assignment = Some("bad".to_owned());
    punches[5].badge = "bad".to_owned();
    world.write(&punches);
    world.session = punch_erp::successfactors::Session::default();
    let outcomes = world.write_until_settled(&punches);
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_done()).count(), 7);
    assert_eq!((outcomes[5].word(), world.server.events().len()), ("parked", 7));
}

/// While a call is narrowed down its other half gets no answer: it stays a part, and is tried again.
#[test]
fn narrowing_down_survives_a_fault() {
    let mut world = World::new();
    let mut punches = crowd(&mut world, 4);
    world.server.config_mut().refuses_assignment = Some("bad".to_owned());
    punches[0].badge = "bad".to_owned();
    world.write(&punches);
    world.server.fail_next([SuccessFactorsFault::DropAfter, SuccessFactorsFault::Failure]);
    let outcomes = world.write_until_settled(&punches);
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_done()).count(), 7);
    assert_eq!((outcomes[0].word(), world.server.events().len()), ("parked", 7));
}

/// A flow does not call when the last call was a moment ago.
#[test]
fn the_gap_is_kept() {
    let mut world = World::new();
    world.write(&[alice("08:00:00", "in")]);
    world.now -= TimeDelta::seconds(298);
    let outcomes = world.write(&[alice("16:00:00", "out")]);
    assert_eq!((words(&outcomes), wait(&outcomes[0])), (vec!["held_back"], Some(4)));
    assert_eq!(world.server.writes(), 1);
}
