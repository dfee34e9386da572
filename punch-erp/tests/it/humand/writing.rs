//! From punches to entries, when nothing fails but people.

use chrono::TimeDelta;
use punch_erp::humand::{InferUnknown, OnViolation, ReadUsers, Standing, WriteEntries};
use punch_erp::{Failure, Flow as _, HttpResponse, Outcome, ParkReason, Step, drive};

use super::world::{ALICE, BOB, RULES, Rules, World, alice, local, punch, settings, words};

/// S3-026: one record a request, in order of time, whatever order they come in; the entries are read once.
#[test]
fn a_day() {
    let mut world = World::new();
    let day = [
        alice("17:00:00", "out"),
        alice("08:00:00", "in"),
        alice("13:00:00", "break_in"),
        alice("12:00:00", "break_out"),
    ];
    let outcomes = world.write(&day);
    assert_eq!(words(&outcomes), ["applied"; 4]);
    assert_eq!(world.entries(ALICE), ["27 08:00:00 START", "27 12:00:00 END", "27 13:00:00 START", "27 17:00:00 END"]);
    let calls = ["GET entries", "POST clockIn", "POST clockOut", "POST clockIn", "POST clockOut"];
    assert_eq!(world.calls_since(0), calls);
    let ids: Vec<_> = outcomes.iter().map(|outcome| outcome.remote_id().unwrap()).collect();
    assert_eq!(ids, ["984", "981", "983", "982"]);
    let row = &world.server.entries()[0];
    assert_eq!((row.comment.as_str(), row.source.as_str()), ("evt_8_27110000_in CZKE2241600045", "INTEGRATION"));
    // The next punch of these days is one request, a repetition none.
    assert_eq!(words(&world.write(&[alice("18:00:00", "in")])), ["applied"]);
    assert_eq!(words(&world.write(&day)), ["already"; 4]);
    assert_eq!(world.calls_since(5), ["POST clockIn"]);
}

/// A program that starts anew knows nothing, and reads before it writes.
#[test]
fn after_a_restart() {
    let mut world = World::new();
    world.write(&[alice("08:00:00", "in")]);
    world.standing.clear();
    assert_eq!(words(&world.write(&[alice("08:00:00", "in"), alice("17:00:00", "out")])), ["already", "applied"]);
    assert_eq!(world.calls_since(2), ["GET entries", "POST clockOut"]);
    assert_eq!(
        world.server.requests()[0],
        "GET /public/api/v1/time-tracking/entries?employeeId=43000001&startDate=2026-01-26&endDate=2026-01-28&page=1&limit=50"
    );
}

/// Head of line: what is parked delays nobody.
#[test]
fn parked_ones_are_passed() {
    let mut world = World::new();
    let punches = [
        alice("06:00:00", "out"),
        alice("08:00:00", "in"),
        alice("08:00:30", "in"),
        alice("09:00:00", "in"),
        alice("10:00:00", "unknown"),
        alice("17:00:00", "out"),
    ];
    let outcomes = world.write(&punches);
    assert_eq!(words(&outcomes), ["orphan_out", "applied", "already", "alternation", "unknown_direction", "applied"]);
    assert_eq!(outcomes[2].remote_id(), outcomes[1].remote_id());
    assert_eq!(outcomes[3], Outcome::Park(ParkReason::Alternation { remote_id: "981".to_owned() }));
    assert_eq!(world.entries(ALICE), ["27 08:00:00 START", "27 17:00:00 END"]);
}

/// What was parked for want of an arrival is written with it.
#[test]
fn what_comes_late_completes_what_was_parked() {
    let mut world = World::new();
    assert_eq!(words(&world.write(&[alice("17:00:00", "out")])), ["orphan_out"]);
    assert_eq!(words(&world.write(&[alice("08:00:00", "in"), alice("17:00:00", "out")])), ["applied", "applied"]);
    assert_eq!(world.entries(ALICE), ["27 08:00:00 START", "27 17:00:00 END"]);
}

/// A night shift goes on across the entries that Humand makes at midnight.
#[test]
fn a_night() {
    let mut world = World::new();
    let night =
        [alice("26 22:00:00", "in"), alice("02:00:00", "out"), alice("02:40:00", "in"), alice("06:00:00", "out")];
    for punch in &night {
        assert_eq!(words(&world.write(core::slice::from_ref(punch))), ["applied"]);
    }
    assert_eq!(world.server.entries().iter().filter(|row| row.source == "DAY_CHANGE").count(), 2);
    world.standing.clear();
    assert_eq!(words(&world.write(&night)), ["already"; 4]);
    assert_eq!(world.entries(ALICE).len(), 4);
}

/// Weeks of one person at once: the days are read in pieces, and nothing depends on where they are cut.
#[test]
fn a_long_backlog() {
    let mut world = World::new();
    let mut punches = Vec::new();
    for day in 1..31 {
        punches.push(alice(&format!("{day:02} 22:00:00"), "in"));
        punches.push(alice(&format!("{:02} 06:00:00", day + 1), "out"));
    }
    assert_eq!(words(&world.write(&punches)), vec!["applied"; 60]);
    let calls = world.calls_since(0);
    assert!(calls.iter().filter(|call| *call == "GET entries").count() <= 6, "{calls:?}");
    world.standing.clear();
    assert_eq!(words(&world.write(&punches)), vec!["already"; 60]);
    assert_eq!(world.entries(ALICE).len(), 60);
}

/// More entries than a page: all of them count.
#[test]
fn several_pages() {
    let mut world = World::new();
    for minute in 0..60 {
        world.put(&format!("07:{minute:02}:00"), if minute % 2 == 0 { "START" } else { "END" }, "", "MANUAL");
    }
    let last = world.put("07:59:59", "START", "evt_8_27110000_in T1", "INTEGRATION");
    let outcomes = world.write(&[alice("08:00:00", "in")]);
    assert_eq!(outcomes, [Outcome::AlreadyThere { remote_id: last }]);
    assert_eq!(world.calls_since(0), ["GET entries"; 2]);
}

/// A server that repeats its pages is not believed for ever.
#[test]
fn pages_without_end() {
    let world = World::new();
    let row = |id: usize| serde_json::json!({"id": id, "type": "START", "time": "2026-01-26T11:00:00.000Z"});
    let body = serde_json::json!({ "items": (0..50).map(row).collect::<Vec<_>>() }).to_string();
    let mut requests = 0;
    let outcomes = drive(&mut world.flow(&[alice("08:00:00", "in")]), |_| {
        requests += 1;
        Ok(HttpResponse::new(body.clone().into()))
    });
    assert_eq!((words(&outcomes), requests), (vec!["unreadable"], WriteEntries::MAX_PAGES));
}

/// Entries made by hand are entries: nothing is put beside them.
#[test]
fn entries_of_others() {
    let mut world = World::new();
    let by_hand = world.put("08:00:00", "START", "forgot my card", "MANUAL");
    assert_eq!(world.write(&[alice("08:00:01", "in")]), [Outcome::AlreadyThere { remote_id: by_hand.clone() }]);
    assert_eq!(words(&world.write(&[alice("09:00:00", "in")])), ["alternation"]);
    assert_eq!(words(&world.write(&[alice("17:00:00", "out")])), ["applied"]);
    // Moved by hand afterwards, it is still the punch.
    world.standing.clear();
    let moved = world.put("16:30:00", "END", "evt_8_27200000_out corrected", "MANUAL");
    assert!(world.server.delete(982));
    assert_eq!(world.write(&[alice("17:00:00", "out")]), [Outcome::AlreadyThere { remote_id: moved }]);
}

/// Somebody writes by hand while we believe to know what is there: Humand refuses, the flow reads, and decides anew.
#[test]
fn entries_of_others_meanwhile() {
    for rules in [Rules::Unprocessable, Rules::Invalid, Rules::IllegalState] {
        for language in ["en", "es"] {
            let mut world = World::with_rules(rules);
            world.server.config_mut().language = language.to_owned();
            world.write(&[alice("08:00:00", "in")]);
            world.put("17:00:00", "END", "by hand", "MANUAL");
            let calls = world.server.requests().len();
            // S3-031: reconcile, then park.
            assert_eq!(words(&world.write(&[alice("18:00:00", "out")])), ["alternation"], "{rules:?}");
            assert_eq!(world.calls_since(calls), ["POST clockOut", "GET entries"]);
            // S3-030: reconcile, then done.
            world.put("19:00:00", "START", "", "MANUAL");
            assert_eq!(words(&world.write(&[alice("19:00:00", "in")])), ["already"], "{rules:?}");
            // What somebody took away is found missing, too.
            world.standing.clear();
            world.write(&[alice("29 08:00:00", "in")]);
            let id = world.server.entries().last().unwrap().id;
            assert!(world.server.delete(id));
            assert_eq!(words(&world.write(&[alice("29 17:00:00", "out")])), ["orphan_out"], "{rules:?}");
        }
    }
}

/// Whom Humand does not know, or does not have any more, is parked; nothing is stored for them, and one asks no twice.
#[test]
fn unknown_and_inactive_people() {
    let mut world = World::new();
    for (badge, reason) in [("9999", "unknown_employee"), ("3003", "employee_inactive"), ("42", "unknown_employee")] {
        let punches = [punch(badge, "08:00:00", "in"), punch(badge, "17:00:00", "out")];
        assert_eq!(words(&world.write(&punches)), [reason; 2], "{badge}");
    }
    assert!(world.server.entries().is_empty());
    // No path and no list is asked for by what can be no id.
    let calls = world.server.requests().len();
    for badge in ["", ".", "..", "00\n42"] {
        assert_eq!(words(&world.write(&[punch(badge, "08:00:00", "in")])), ["unknown_employee"], "{badge:?}");
    }
    assert_eq!(world.server.requests().len(), calls);
    assert_eq!(words(&world.write(&[punch(BOB, "08:00:00", "in")])), ["applied"]);
}

/// With a table of users nothing is sent for those who are not in it; only they are asked for.
#[test]
fn with_a_directory() {
    let mut world = World::new();
    let humand = world.humand.clone();
    let directory = drive(&mut ReadUsers::new(&humand), |request| world.send(&request)).unwrap();
    assert_eq!((directory.len(), directory.check(BOB)), (4, Ok(())));
    assert_eq!(directory.check("42"), Err(ParkReason::UnknownEmployee));
    assert_eq!(directory.check("4004"), Err(ParkReason::EmployeeInactive));
    let directory = std::sync::Arc::new(directory);
    world.server.config_mut().users.push(super::world::HumandUser::new("7007", "New"));
    for (badge, word, calls) in [
        (BOB, "applied", &["GET entries", "POST clockIn"][..]),
        ("9999", "unknown_employee", &["GET 9999"]),
        ("4004", "employee_inactive", &["GET 4004"]),
        ("7007", "applied", &["GET 7007", "GET entries", "POST clockIn"]),
    ] {
        let before = world.server.requests().len();
        let mut flow = world.flow(&[punch(badge, "08:00:00", "in")]).with_directory(directory.clone());
        assert_eq!(words(&drive(&mut flow, |request| world.send(&request))), [word], "{badge}");
        assert_eq!(world.calls_since(before), calls);
    }
}

/// A community that takes numbers only, and one of 2024.
#[test]
fn other_communities() {
    let mut numbers = settings();
    numbers.employee_id_as_number = true;
    let mut world = World::with(numbers, |config| config.numbers_only = true);
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["applied"]);
    assert_eq!(words(&world.write(&[punch(BOB, "08:00:00", "in")])), ["unknown_employee"]);
    let mut world = World::with(settings(), |config| config.answers_of_2024 = true);
    assert_eq!(words(&world.write(&[alice("08:00:00", "in"), alice("17:00:00", "out")])), ["applied", "applied"]);
    // Texts where numbers are wanted: refused, kept and shown.
    let mut world = World::with(settings(), |config| config.numbers_only = true);
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["refused"]);
}

/// S3-029: held, not lost, and sent when its time has come. A day ahead is no clock's error any more.
#[test]
fn punches_ahead_of_the_clock() {
    let mut world = World::new();
    world.now = local("08:00:00");
    let outcomes = world.write(&[alice("08:00:00", "in"), alice("17:00:00", "out"), alice("29 08:00:00", "in")]);
    assert_eq!(words(&outcomes), ["applied", "held", "time_out_of_range"]);
    let Outcome::Retry { after: Some(after), reason } = &outcomes[1] else { panic!("{outcomes:?}") };
    assert_eq!((*after, reason.may_have_happened()), (TimeDelta::hours(9) + TimeDelta::seconds(5), false));
    assert_eq!(words(&world.write_until_settled(&[alice("17:00:00", "out")])), ["applied"]);
    assert_eq!(world.entries(ALICE), ["27 08:00:00 START", "27 17:00:00 END"]);
    // Only what is held: nothing is asked at all.
    let calls = world.server.requests().len();
    assert_eq!(words(&world.write(&[alice("28 08:00:00", "in")])), ["held"]);
    assert_eq!(world.server.requests().len(), calls);
}

/// `reorder_window_s`: the arrival from a slow terminal comes a minute after the departure, and is sent before it.
#[test]
fn held_back_for_others() {
    let mut settings = settings();
    settings.reorder_window_s = 300;
    let mut world = World::with(settings, |_| {});
    world.now = local("17:00:30");
    assert_eq!(words(&world.write(&[alice("17:00:00", "out")])), ["held"]);
    let both = [alice("17:00:00", "out"), alice("16:58:00", "in")];
    assert_eq!(words(&world.write(&both)), ["held", "held"]);
    assert_eq!(words(&world.write_until_settled(&both)), ["applied", "applied"]);
    assert_eq!(world.entries(ALICE), ["27 16:58:00 START", "27 17:00:00 END"]);
}

#[test]
fn unknown_directions_and_fixes() {
    let mut settings = settings();
    (settings.infer_unknown, settings.on_violation) = (InferUnknown::Alternate, OnViolation::Fix);
    let mut world = World::with(settings, |_| {});
    let mut inferred = alice("17:00:00", "in");
    inferred.metadata.direction_source = Some("alternate".to_owned());
    let punches = [alice("08:00:00", "unknown"), alice("12:00:00", "unknown"), alice("13:00:00", "in"), inferred];
    assert_eq!(words(&world.write(&punches)), ["applied"; 4]);
    let day = ["27 08:00:00 START", "27 12:00:00 END", "27 13:00:00 START", "27 17:00:00 END"];
    assert_eq!(world.entries(ALICE), day);
    world.standing.clear();
    assert_eq!(words(&world.write(&punches)), ["already"; 4]);
    // Pressed, and not inferred: that is parked.
    assert_eq!(words(&world.write(&[alice("17:30:00", "out")])), ["alternation"]);
}

/// What is known is believed for half a day.
#[test]
fn standing_ages() {
    let mut world = World::new();
    world.write(&[alice("08:00:00", "in")]);
    world.now += Standing::KEPT;
    world.write(&[alice("17:00:00", "out")]);
    assert_eq!(world.calls_since(0), ["GET entries", "POST clockIn", "GET entries", "POST clockOut"]);
}

/// Without a single rule on the server, ours hold.
#[test]
fn the_rules_are_ours() {
    for rules in RULES {
        let mut world = World::with_rules(rules);
        let punches =
            [alice("08:00:00", "in"), alice("08:00:00", "in"), alice("08:00:50", "in"), alice("17:00:00", "out")];
        assert_eq!(words(&world.write(&punches)), ["applied", "already", "already", "applied"], "{rules:?}");
        assert_eq!(world.entries(ALICE), ["27 08:00:00 START", "27 17:00:00 END"]);
    }
}

/// The same step until it is answered; an answer nobody asked for changes nothing.
#[test]
fn polling() {
    let mut world = World::new();
    let mut flow = world.flow(&[alice("08:00:00", "in")]);
    flow.handle(Err(Failure::unknown("nobody asked")));
    let (Step::Send(one), Step::Send(other)) = (flow.poll(), flow.poll()) else { panic!("nothing to send") };
    assert_eq!((one.uri(), one.body()), (other.uri(), other.body()));
    let answer = world.send(&one);
    flow.handle(answer);
    let outcomes = drive(&mut flow, |request| world.send(&request));
    flow.handle(Err(Failure::unknown("nobody asked")));
    let Step::Done(again) = flow.poll() else { panic!("not done") };
    assert_eq!((words(&outcomes), &outcomes), (vec!["applied"], &again));
    assert!(
        drive(&mut WriteEntries::new(&world.humand, ALICE, [], world.now), |_| panic!("nothing to ask")).is_empty()
    );
}
