//! Servers, networks and keys in trouble.

use bytes::Bytes;
use chrono::TimeDelta;
use proptest::prelude::*;
use punch_erp::humand::{GetUser, Humand, ListEntries, ListUsers, UserDirectory};
use punch_erp::{CallError, Endpoint as _, Failure, HttpResponse, Outcome, ParkReason, RetryReason, drive};

use super::world::{ALICE, BOB, HumandFault, RULES, Rules, World, alice, local, punch, settings, words};

/// A world in which the entries are read, and a departure is sent into a fault.
fn with_fault(rules: Rules, fault: HumandFault) -> (World, Outcome) {
    let mut world = World::with_rules(rules);
    world.write(&[alice("08:00:00", "in")]);
    world.server.fail_next([fault]);
    let outcome = world.write(&[alice("17:00:00", "out")]).remove(0);
    (world, outcome)
}

/// What each fault is, and that it costs nothing but an attempt, whatever the server thinks of repetitions.
#[test]
fn faults_that_pass() {
    for (fault, word, after) in [
        (HumandFault::RateLimited(42), "busy", Some(42)),
        (HumandFault::RateLimitedUntilReset(17), "busy", Some(17)),
        (HumandFault::RateLimitedSilently, "busy", Some(60)),
        (HumandFault::Maintenance, "busy", None),
        (HumandFault::DatabaseError, "unavailable", None),
        (HumandFault::UnknownErrorAfter, "unavailable", None),
        (HumandFault::BadGateway, "unavailable", None),
        (HumandFault::BadGatewayAfter, "unavailable", None),
        (HumandFault::Redirect, "redirected", None),
        (HumandFault::DropBefore, "unconfirmed", None),
        (HumandFault::Portal, "unconfirmed", None),
        (HumandFault::Stall, "unconfirmed", None),
        (HumandFault::DropAfter, "already", None),
        (HumandFault::PortalAfter, "already", None),
        (HumandFault::NoSuchAddress, "misaddressed", None),
        (HumandFault::Future, "refused", None),
    ] {
        for rules in RULES {
            let (mut world, outcome) = with_fault(rules, fault);
            assert_eq!(words(core::slice::from_ref(&outcome)), [word], "{fault:?} {rules:?}");
            if let Outcome::Retry { after: found, .. } = outcome {
                assert_eq!(found, after.map(TimeDelta::seconds), "{fault:?}");
            }
            let again = world.write_until_settled(&[alice("17:00:00", "out")]);
            assert!(again[0].is_done(), "{fault:?} {rules:?}: {again:?}");
            assert_eq!(world.entries(ALICE), ["27 08:00:00 START", "27 17:00:00 END"], "{fault:?} {rules:?}");
        }
    }
}

/// Section 4: by what is asked after each fault. After doubt the entries are read before anything is sent again.
#[test]
fn what_follows_a_fault() {
    let look = ["POST clockOut", "GET entries"];
    let look_then_send = ["POST clockOut", "GET entries", "GET entries", "POST clockOut"];
    for (fault, calls) in [
        (HumandFault::DropAfter, &look[..]),
        (HumandFault::PortalAfter, &look),
        (HumandFault::DropBefore, &look_then_send),
        (HumandFault::Stall, &["POST clockOut", "GET entries", "GET entries"]),
        // The server said that it failed: the next attempt looks.
        (HumandFault::UnknownErrorAfter, &look),
        (HumandFault::BadGatewayAfter, &look),
        (HumandFault::DatabaseError, &["POST clockOut", "GET entries", "POST clockOut"]),
        (HumandFault::Maintenance, &["POST clockOut", "GET entries", "POST clockOut"]),
        // It said that it did nothing.
        (HumandFault::RateLimited(1), &["POST clockOut", "POST clockOut"]),
    ] {
        let (mut world, _) = with_fault(Rules::None, fault);
        world.write_until_settled(&[alice("17:00:00", "out")]);
        assert_eq!(world.calls_since(2), calls, "{fault:?}");
    }
}

/// The request never left: nothing to look for, and what was known is known still.
#[test]
fn not_reached() {
    let mut world = World::new();
    world.write(&[alice("08:00:00", "in")]);
    let mut flow = world.flow(&[alice("17:00:00", "out"), alice("18:00:00", "in")]);
    let outcomes = drive(&mut flow, |_| Err(Failure::not_reached("no connection")));
    assert_eq!(words(&outcomes), ["not_reached"; 2]);
    let Outcome::Retry { reason, .. } = &outcomes[0] else { panic!("{outcomes:?}") };
    assert!(!reason.may_have_happened());
    world.keep(ALICE, &flow);
    world.write(&[alice("17:00:00", "out")]);
    assert_eq!(world.calls_since(2), ["POST clockOut"]);
}

/// Looking fails, too: the news is that the entry may be there.
#[test]
fn blind_looks() {
    for fault in [HumandFault::DropBefore, HumandFault::DatabaseError, HumandFault::RateLimited(9)] {
        let mut world = World::new();
        world.server.fail_next([HumandFault::None, HumandFault::DropAfter, fault]);
        let outcomes = world.write(&[alice("08:00:00", "in"), alice("17:00:00", "out")]);
        assert_eq!(words(&outcomes), ["unconfirmed"; 2], "{fault:?}");
        assert!(world.standing.is_empty());
        assert_eq!(words(&world.write_until_settled(&[alice("08:00:00", "in")])), ["already"]);
    }
}

/// S3-028 to S3-031 where reading does not explain the refusal: kept and shown, never sent again by itself.
#[test]
fn refusals_that_stay() {
    for (fault, word) in [
        (HumandFault::Unprocessable, "refused"),
        (HumandFault::FalseDuplicate, "duplicate_unseen"),
        (HumandFault::ErrorWith200, "refused"),
    ] {
        let (mut world, outcome) = with_fault(Rules::None, fault);
        assert_eq!(words(core::slice::from_ref(&outcome)), [word], "{fault:?}");
        if let Outcome::Park(ParkReason::Refused { kind, evidence }) = &outcome {
            assert!(kind.is_some() && evidence.body_len() > 0);
        }
        // It does not block what comes after it.
        assert_eq!(words(&world.write(&[alice("17:30:00", "out"), alice("18:00:00", "in")])), ["applied", "applied"]);
    }
}

/// S3-029: Humand's clock is behind ours. The punch waits, and everything later with it, for a day.
#[test]
fn humand_is_behind() {
    let mut world = World::new();
    world.now = local("08:00:01");
    world.server.fail_next([HumandFault::None, HumandFault::Future]);
    let outcomes = world.write(&[alice("08:00:00", "in"), alice("08:05:00", "out")]);
    assert_eq!(words(&outcomes), ["held", "held"]);
    let Outcome::Retry { after, .. } = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(*after, Some(TimeDelta::seconds(5)));
    assert_eq!(words(&world.write_until_settled(&[alice("08:00:00", "in")])), ["applied"]);

    let mut world = World::new();
    world.now = local("28 08:00:01");
    world.server.fail_next([HumandFault::None, HumandFault::Future]);
    assert_eq!(words(&world.write(&[alice("08:00:00", "in"), alice("17:00:00", "out")])), ["refused", "orphan_out"]);
}

/// S3-007, sections 1 and 2.2: a wrong key, one without rights. Nothing is parked, and once mended nothing is lost.
#[test]
fn credentials() {
    let mut world = World::new();
    let day = [alice("08:00:00", "in"), alice("17:00:00", "out")];
    let right = core::mem::take(&mut world.server.config_mut().api_key);
    assert_eq!(words(&world.write(&day)), ["unauthorized"; 2]);
    world.server.config_mut().api_key = right.clone();
    world.server.config_mut().is_allowed = false;
    assert_eq!(words(&world.write(&day)), ["forbidden"; 2]);
    world.server.config_mut().is_allowed = true;
    assert_eq!(words(&world.write(&day)), ["applied"; 2]);
    // It ends in the middle of a day's work; what was known stays.
    let next = [alice("18:00:00", "in"), alice("19:00:00", "out")];
    world.server.config_mut().api_key = "rotated".to_owned();
    assert_eq!(words(&world.write(&next)), ["unauthorized"; 2]);
    world.server.config_mut().api_key = right;
    let calls = world.server.requests().len();
    assert_eq!(words(&world.write(&next)), ["applied"; 2]);
    assert_eq!(world.calls_since(calls), ["POST clockIn", "POST clockOut"]);
}

/// The addresses of the published sample, on a server that has them, and on one that has not: an error of the setup, and no
/// reason to park anybody.
#[test]
fn seed_addresses() {
    let seed = || {
        let mut settings = settings();
        settings.path_style = punch_erp::humand::PathStyle::Seed;
        settings
    };
    let mut world = World::with(seed(), |config| config.seed_paths = true);
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["applied"]);
    let mut world = World::with(seed(), |_| {});
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["misaddressed"]);
}

/// A 404 with the code of one is about the person, unless the person is there. A key that may not ask takes the first word.
#[test]
fn not_found() {
    let mut world = World::new();
    world.server.fail_next([HumandFault::NoSuchAddress]);
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["misaddressed"]);
    assert_eq!(world.calls_since(0), ["GET entries", "GET 43000001"]);
    let forbidden = |request: punch_erp::HttpRequest| {
        let is_user = request.uri().path().contains("/users/");
        let (status, code) = if is_user { (403, "ACCESS_DENIED") } else { (404, "NOT_FOUND") };
        let body = Bytes::from(format!("{{\"code\":\"{code}\"}}"));
        Ok(http::Response::builder().status(status).body(body).unwrap())
    };
    assert_eq!(words(&drive(&mut world.flow(&[alice("08:00:00", "in")]), forbidden)), ["unknown_employee"]);
    // A server that lists nothing for nobody says it when the entry comes.
    let nobody = |request: punch_erp::HttpRequest| {
        let is_list = request.uri().path().ends_with("/entries");
        let (status, body) = if is_list { (200, r#"{"items":[]}"#) } else { (404, r#"{"code":"NOT_FOUND"}"#) };
        Ok(http::Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap())
    };
    let day = [alice("08:00:00", "in"), alice("17:00:00", "out")];
    assert_eq!(words(&drive(&mut world.flow(&day), nobody)), ["unknown_employee"; 2]);
}

/// Stored, and not as it was sent: an alarm, and never sent again.
#[test]
fn echoes() {
    for (answer, word) in [
        (
            r#"{"id":1,"type":"START","time":"2026-01-31T15:00:02.000Z","employeeInternalId":"43000001"}"#,
            "time_not_echoed",
        ),
        (r#"{"id":1,"type":"END","time":"2026-01-27T11:00:00.000Z"}"#, "echo_differs"),
        (r#"{"id":1,"type":"START","time":"2026-01-27T11:00:00.000Z","employeeInternalId":"42"}"#, "echo_differs"),
        (r#"{"id":1,"type":"START","time":"2026-01-27T11:00:00.400Z","employeeInternalId":43000001}"#, "applied"),
        (r#"{"id":"x-1"}"#, "applied"),
    ] {
        let world = World::new();
        let outcomes = drive(&mut world.flow(&[alice("08:00:00", "in")]), |request| {
            let body = if request.method() == "GET" { r#"{"items":[]}"# } else { answer };
            Ok(HttpResponse::new(Bytes::from_static(body.as_bytes())))
        });
        assert_eq!(words(&outcomes), [word], "{answer}");
        if let Outcome::Park(reason) = &outcomes[0] {
            assert!(reason.is_alarm());
        }
    }
}

/// Two entries of one event: nobody is paid twice in silence.
#[test]
fn doubled() {
    let mut world = World::with_rules(Rules::None);
    let first = world.put("08:00:00", "START", "evt_8_27110000_in T1", "INTEGRATION");
    world.put("08:00:00", "START", "evt_8_27110000_in T1", "INTEGRATION");
    let doubled = Outcome::Park(ParkReason::Doubled { remote_id: first, count: 2 });
    assert_eq!(world.write(&[alice("08:00:00", "in")]), [doubled]);
}

/// A request that stalls until its double stands: refused by Humand's rule, or an alarm without it.
#[test]
fn a_request_that_stalls_for_long() {
    for (rules, entries, word) in [(Rules::Unprocessable, 1, "already"), (Rules::None, 2, "doubled")] {
        let mut world = World::with_rules(rules);
        let punches = [alice("08:00:00", "in")];
        let mut lost = None;
        drive(&mut world.flow(&punches), |request| {
            if request.method() == "POST" {
                lost = Some(request);
                return Err(Failure::unknown("timed out"));
            }
            world.send(&request)
        });
        assert_eq!(words(&world.write_until_settled(&punches)), ["applied"]);
        // Now it arrives.
        let _answer = world.send(&lost.unwrap());
        assert_eq!(world.entries(ALICE).len(), entries);
        world.standing.clear();
        assert_eq!(words(&world.write(&punches)), [word]);
    }
}

/// What is no answer of Humand's is kept, up to a limit, and never panics; cut anywhere it is no other answer.
#[test]
fn cut_answers() {
    let humand = Humand::new(settings()).unwrap();
    let days = ("2026-01-26".parse().unwrap(), "2026-01-28".parse().unwrap());
    let list = ListEntries::new(&humand, ALICE, days, 1);
    let page = r#"{"count":1,"totalPages":1,"items":[{"id":981,"type":"BREAK","time":"2026-01-27T11:00:00.000Z","comment":null}]}"#;
    let answer = |text: &str| HttpResponse::new(Bytes::copy_from_slice(text.as_bytes()));
    let whole = list.response(&answer(page)).unwrap();
    assert_eq!((whole.count, whole.items[0].kind, whole.items[0].comment.as_str()), (Some(1), None, ""));
    for end in 0..page.len() {
        assert!(matches!(list.response(&answer(&page[..end])), Err(CallError::Unreadable { .. })), "{end}");
    }
    let user = r#"{"employeeInternalId":"0042","status":"ACTIVE","deleted":false,"firstName":"Ada"}"#;
    let get = GetUser::new(&humand, BOB);
    assert!(get.response(&answer(user)).unwrap().unwrap().is_active());
    for end in 0..user.len() {
        assert!(matches!(get.response(&answer(&user[..end])), Err(CallError::Unreadable { .. })), "{end}");
    }
    let users = ListUsers::new(&humand, 1).response(&answer(r#"{"users":[]}"#)).unwrap();
    assert_eq!((users.items.len(), users.count), (0, None));
    // Whoever has no id, or a number, costs nobody else theirs.
    let rows = r#"{"count":4,"users":[{"employeeInternalId":null,"status":"ACTIVE"},{"status":"ACTIVE"},
        {"employeeInternalId":4711,"status":"ACTIVE"},{"employeeInternalId":"0042","status":"ACTIVE"}]}"#;
    let users = ListUsers::new(&humand, 1).response(&answer(rows)).unwrap();
    assert_eq!((users.items.len(), users.count), (4, Some(4)), "pages are counted with them");
    let directory: UserDirectory = users.items.into_iter().collect();
    assert_eq!((directory.len(), directory.check("4711"), directory.check("0042")), (2, Ok(()), Ok(())));
    assert_eq!(directory.check(""), Err(ParkReason::UnknownEmployee));
}

fn fault() -> impl Strategy<Value = HumandFault> {
    prop_oneof![
        6 => Just(HumandFault::None),
        1 => (0u32..100).prop_map(HumandFault::RateLimited),
        1 => Just(HumandFault::RateLimitedSilently),
        1 => Just(HumandFault::DatabaseError),
        2 => Just(HumandFault::UnknownErrorAfter),
        1 => Just(HumandFault::Maintenance),
        1 => Just(HumandFault::BadGateway),
        2 => Just(HumandFault::BadGatewayAfter),
        2 => Just(HumandFault::DropBefore),
        3 => Just(HumandFault::DropAfter),
        2 => Just(HumandFault::Stall),
        1 => Just(HumandFault::Portal),
        2 => Just(HumandFault::PortalAfter),
        1 => Just(HumandFault::Redirect),
    ]
}

proptest! {
    /// Whatever fails, and however often, in whatever groups and order the punches come, on servers that check and on those
    /// that do not: every punch is one entry, and with the program dying in between, too.
    #[test]
    fn one_punch_is_one_entry(
        faults in proptest::collection::vec(fault(), 0..40),
        cuts in proptest::collection::vec(any::<bool>(), 8),
        rules in prop_oneof![Just(Rules::Unprocessable), Just(Rules::Invalid), Just(Rules::IllegalState), Just(Rules::None)],
    ) {
        let mut world = World::with_rules(rules);
        world.server.fail_next(faults);
        let times = [("08:00:00", "in"), ("12:00:00", "out"), ("13:00:00", "in"), ("17:00:00", "out")];
        for ((time, way), is_cut) in times.iter().zip(cuts) {
            if is_cut {
                world.standing.clear();
            }
            for badge in [ALICE, BOB] {
                let outcomes = world.write_until_settled(&[punch(badge, time, way)]);
                prop_assert!(outcomes[0].is_done(), "{outcomes:?}");
            }
        }
        let day = ["27 08:00:00 START", "27 12:00:00 END", "27 13:00:00 START", "27 17:00:00 END"];
        for badge in [ALICE, BOB] {
            prop_assert_eq!(world.entries(badge), day);
        }
    }
}

/// The words of retries say whether to look; here that the flow's own word does.
#[test]
fn unconfirmed_may_have_happened() {
    let (_, outcome) = with_fault(Rules::None, HumandFault::DropBefore);
    let Outcome::Retry { reason, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!((reason.clone(), reason.may_have_happened()), (RetryReason::Unconfirmed, true));
}
