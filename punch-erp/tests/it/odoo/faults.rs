//! Servers, networks and secrets in trouble.

use chrono::TimeDelta;
use proptest::prelude::*;
use punch_erp::odoo::{Odoo, Protocol, WriteAttendances};
use punch_erp::{CallError, Failure, Flow as _, Outcome, ParkReason, RetryReason, Step, drive};

use super::world::{DOORS, KEY, OdooFault, PASSWORD, World, alice, now, punch, settings, words};

/// A world in which Alice is known, and her departure is written with a fault in the write.
fn with_fault_in_the_write(version: u16, protocol: Protocol, fault: OdooFault) -> (World, Outcome) {
    let mut world = World::at_door(version, protocol);
    world.write(&[alice("08:00:00", "in")]);
    world.server.fail_next([OdooFault::None, fault]);
    let outcome = world.write(&[alice("16:00:00", "out")]).remove(0);
    (world, outcome)
}

/// What each fault is, and that it costs nothing but an attempt.
#[test]
fn faults_that_pass() {
    for (version, protocol) in DOORS {
        for (fault, word) in [
            (OdooFault::TooManyRequests(13), "busy"),
            (OdooFault::Maintenance, "busy"),
            (OdooFault::BadGateway, "unavailable"),
            (OdooFault::BadGatewayAfter, "unavailable"),
            (OdooFault::Serialization, "busy"),
            (OdooFault::OvertimeClash, "busy"),
            (OdooFault::DatabaseDown, "unavailable"),
            (OdooFault::Redirect, "redirected"),
            (OdooFault::DropBefore, "unconfirmed"),
            (OdooFault::Portal, "unconfirmed"),
            (OdooFault::DropAfter, "already"),
            (OdooFault::Stall, "unconfirmed"),
        ] {
            let (mut world, outcome) = with_fault_in_the_write(version, protocol, fault);
            assert_eq!(words(core::slice::from_ref(&outcome)), [word], "{fault:?} {version} {protocol:?}");
            if let OdooFault::TooManyRequests(seconds) = fault {
                let Outcome::Retry { after, .. } = outcome else { panic!("{outcome:?}") };
                assert_eq!(after, Some(TimeDelta::seconds(seconds.into())));
            }
            assert!(world.write_until_settled(&[alice("16:00:00", "out")])[0].is_done());
            assert_eq!(world.records(), ["10 08:00:00-16:00:00"]);
        }
    }
}

/// Section 5: no answer, and the record is there. The flow looks and finds it; it sends nothing twice.
#[test]
fn a_time_out_after_the_write() {
    let mut world = World::new();
    world.write(&[punch("0042", "08:00:00", "in")]);
    let calls = world.server.calls().len();
    world.server.fail_next([OdooFault::None, OdooFault::None, OdooFault::DropAfter]);
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["already"]);
    let expected =
        ["hr.employee.search_read", "hr.attendance.search_read", "hr.attendance.create", "hr.attendance.search_read"];
    assert_eq!(world.server.calls()[calls..], expected);
}

/// Not there yet: what stalled may still come, so nothing is sent again in this attempt, and the next one finds it.
#[test]
fn a_stalled_create() {
    let mut world = World::new();
    world.write(&[alice("08:00:00", "in")]);
    let day = [alice("16:00:00", "out"), alice("11 08:00:00", "in")];
    world.server.fail_next([OdooFault::None, OdooFault::None, OdooFault::Stall]);
    assert_eq!(words(&world.write(&day)), ["applied", "unconfirmed"]);
    assert_eq!(words(&world.write(&day)), ["already", "already"]);
    assert_eq!(world.records(), ["10 08:00:00-16:00:00", "11 08:00:00-"]);
}

/// Never connected: nothing to look for.
#[test]
fn not_reached() {
    let world = World::new();
    let outcomes = drive(&mut world.flow(&[alice("08:00:00", "in")]), |_| Err(Failure::not_reached("no connection")));
    let Outcome::Retry { reason, .. } = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!((reason.code(), reason.may_have_happened()), ("not_reached", false));
}

/// Section 2: a wrong secret is no error to the server, but to us it is; mended, nothing is lost.
#[test]
fn credentials() {
    for (version, protocol) in DOORS {
        let mut world = World::at_door(version, protocol);
        world.server.config_mut().key = "another".to_owned();
        assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["unauthorized"], "{version} {protocol:?}");
        world.server.config_mut().key = KEY.to_owned();
        world.server.config_mut().may_read_badges = false;
        assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["forbidden"], "{version} {protocol:?}");
        world.server.config_mut().may_read_badges = true;
        world.server.config_mut().may_write = false;
        assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["forbidden"], "{version} {protocol:?}");
        world.server.config_mut().may_write = true;
        assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["applied"]);
    }
}

/// A login that does not hold any more is renewed once, at whatever call it shows, and the work goes on.
#[test]
fn a_login_is_renewed_once() {
    for (version, protocol) in DOORS.into_iter().filter(|door| door.1 != Protocol::Json2) {
        let mut world = World::at_door(version, protocol);
        world.write(&[alice("08:00:00", "in")]);
        // The database was restored, and the user has another number.
        world.server.config_mut().uid = 6;
        let calls = world.server.calls().len();
        let outcomes = world.write(&[alice("16:00:00", "out")]);
        let logins = world.calls_since(calls).get("common.authenticate").copied().unwrap_or_default();
        assert_eq!((words(&outcomes), logins), (vec!["applied"], 1), "{version} {protocol:?}");

        // Refused again after the new login: not a third time.
        world.server.config_mut().key = "another".to_owned();
        let calls = world.server.calls().len();
        assert_eq!(words(&world.write(&[alice("11 08:00:00", "in")])), ["unauthorized"]);
        assert_eq!(world.calls_since(calls)["common.authenticate"], 1);
        assert!(world.session.login().is_none());
    }
}

/// Section 1: a key that has ended is refused at once by JSON-2; the older door goes on taking it, if none is prescribed.
#[test]
fn a_key_that_has_ended() {
    let mut world = World::at_door(19, Protocol::Json2);
    world.write(&[alice("08:00:00", "in")]);
    world.server.config_mut().key_has_ended = true;
    assert_eq!(words(&world.write(&[alice("16:00:00", "out")])), ["unauthorized"]);

    let mut world = World::with(19, settings());
    world.write(&[alice("08:00:00", "in")]);
    world.server.config_mut().key_has_ended = true;
    assert_eq!(words(&world.write(&[alice("16:00:00", "out")])), ["applied"]);
    assert_eq!(world.session.login().unwrap().protocol, Protocol::JsonRpc);
}

/// Section 1: the older doors end with Odoo 22. Without a choice the newer one is found; with one, it is what was chosen.
#[test]
fn a_server_without_the_older_doors() {
    for (secret, word) in [(KEY, "applied"), (PASSWORD, "unauthorized")] {
        let mut settings = settings();
        settings.secret = secret.into();
        let mut world = World::with(19, settings);
        world.server.config_mut().has_rpc = false;
        assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), [word]);
    }
    let mut world = World::at_door(19, Protocol::JsonRpc);
    world.server.config_mut().has_rpc = false;
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["misaddressed"]);
    // An older server behind a proxy that lets nothing through: neither door is there, and that is what is said.
    let mut world = World::with(18, settings());
    world.server.config_mut().has_rpc = false;
    assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["misaddressed"]);
}

/// Another database, or no server of this kind at all.
#[test]
fn misaddressed() {
    for (version, protocol) in DOORS {
        let mut world = World::at_door(version, protocol);
        world.server.config_mut().database = "other".to_owned();
        let outcomes = world.write(&[alice("08:00:00", "in")]);
        assert_eq!(words(&outcomes), ["misaddressed"], "{version} {protocol:?}");
    }
    let mut settings = settings();
    settings.protocol = Some(Protocol::Json2);
    assert_eq!(words(&World::with(18, settings).write(&[alice("08:00:00", "in")])), ["misaddressed"]);
}

/// The app *Attendances* is not installed. Seen on Odoo 19.0 (Debian 19.0.0+dfsg-1): three texts for it, none of them in a
/// user's language.
#[test]
fn without_the_app() {
    for (version, protocol) in DOORS {
        let mut world = World::at_door(version, protocol);
        world.server.config_mut().has_attendances = false;
        assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["misaddressed"], "{version} {protocol:?}");
    }
}

/// Seen on Odoo 19.0 (Debian 19.0.0+dfsg-1): the older doors refuse in the user's language, JSON-2 in English. What is
/// refused is read and planned anew all the same, and what stays refused is parked.
#[test]
fn refused_in_spanish() {
    for (version, protocol) in DOORS {
        let mut world = World::at_door(version, protocol);
        world.server.config_mut().is_spanish = true;
        // Somebody else writes the same between the reading and the writing.
        let mut flow = world.flow(&[alice("08:00:00", "in"), alice("16:00:00", "out")]);
        let outcomes = drive(&mut flow, |request| {
            if world.server.calls().last().is_some_and(|call| call == "hr.attendance.search_read")
                && world.records().is_empty()
            {
                world.put("08:00:00", Some("16:00:00"), "manual");
            }
            world.send(&request)
        });
        assert_eq!(words(&outcomes), ["already", "already"], "{version} {protocol:?}");
        assert_eq!(world.records(), ["10 08:00:00-16:00:00"]);
        let hidden = world.put("11 07:00:00", Some("11 09:00:00"), "manual");
        world.server.hide_attendance(hidden);
        assert_eq!(words(&world.write(&[alice("11 08:00:00", "in")])), ["refused"], "{version} {protocol:?}");
    }
}

/// An employee who is gone is asked for anew by the next attempt.
#[test]
fn an_employee_deleted_in_between() {
    for (version, protocol) in DOORS {
        let mut world = World::at_door(version, protocol);
        world.write(&[alice("08:00:00", "in"), alice("09:00:00", "out")]);
        world.server.config_mut().employees.retain(|employee| employee.id != 11);
        let outcomes = world.write(&[alice("10:00:00", "in")]);
        assert_eq!(words(&outcomes), ["refused"], "{version} {protocol:?}");
        assert_eq!(words(&world.write(&[alice("10:00:00", "in")])), ["unknown_employee"]);
    }
}

/// A record deleted between reading and writing: read and planned anew.
#[test]
fn a_record_deleted_in_between() {
    for (version, protocol) in DOORS {
        let mut world = World::at_door(version, protocol);
        world.write(&[alice("08:00:00", "in")]);
        let mut flow = world.flow(&[alice("08:00:00", "in"), alice("16:00:00", "out")]);
        let outcomes = drive(&mut flow, |request| {
            if !world.calls_since(0).contains_key("hr.attendance.write")
                && world.calls_since(0)["hr.attendance.search_read"] == 2
            {
                world.server.delete_attendance(1);
            }
            world.send(&request)
        });
        assert_eq!(words(&outcomes), ["applied", "applied"], "{version} {protocol:?}");
        assert_eq!(world.records(), ["10 08:00:00-16:00:00"]);
    }
}

/// Refused because of something we cannot see: read anew twice, then parked; and those in the same call are not harmed.
#[test]
fn one_refused_among_many() {
    for (version, protocol) in DOORS {
        let mut world = World::at_door(version, protocol);
        world.write(&[alice("06:00:00", "in"), alice("06:30:00", "out"), punch("0042", "06:00:00", "in")]);
        let id = world.put("07:00:00", Some("09:00:00"), "manual");
        world.server.hide_attendance(id);
        let calls = world.server.calls().len();
        let outcomes = world.write(&[
            alice("08:00:00", "in"),
            punch("0042", "07:00:00", "out"),
            alice("16:00:00", "out"),
            punch("0042", "08:00:00", "in"),
        ]);
        assert_eq!(words(&outcomes), ["refused", "applied", "refused", "applied"], "{version} {protocol:?}");
        assert_eq!(world.records_of(12), ["10 06:00:00-07:00:00", "10 08:00:00-"]);
        // Both in one create, each in its own, then hers alone twice.
        assert_eq!(world.calls_since(calls)["hr.attendance.create"], 5);
        assert_eq!(world.calls_since(calls)["hr.attendance.search_read"], 3);
        // Once it is gone she is written, and it was worth a new look at whose badge it is.
        world.server.delete_attendance(id);
        assert_eq!(words(&world.write(&[alice("08:00:00", "in"), alice("16:00:00", "out")])), ["applied", "applied"]);
    }
}

/// Answers to questions nobody asked change nothing, and asking twice asks the same.
#[test]
fn unasked_answers() {
    let mut world = World::new();
    let mut flow = world.flow(&[alice("08:00:00", "in")]);
    flow.handle(Err(Failure::unknown("nobody asked")));
    let (Step::Send(first), Step::Send(second)) = (flow.poll(), flow.poll()) else { panic!("a request") };
    assert_eq!(first.body(), second.body());
    assert_eq!(words(&drive(&mut flow, |request| world.send(&request))), ["applied"]);
    flow.handle(Err(Failure::unknown("nobody asked")));
    assert!(matches!(flow.poll(), Step::Done(_)));
    let mut nothing = WriteAttendances::new(&world.odoo, &[], now());
    assert!(matches!(nothing.poll(), Step::Done(outcomes) if outcomes.is_empty()));
}

/// The reason says what to do, and whether it may have happened.
#[test]
fn a_failure_says_what_to_do() {
    let (_, Outcome::Retry { reason, .. }) = with_fault_in_the_write(18, Protocol::JsonRpc, OdooFault::DatabaseDown)
    else {
        panic!("retry")
    };
    let RetryReason::Call(CallError::Unavailable(evidence)) = &reason else { panic!("{reason:?}") };
    assert!(reason.to_string().starts_with("PE-CALL-006: ") && reason.may_have_happened());
    assert_eq!(evidence.status(), 200, "as JSON-RPC has it");
}

/// Parked with the number of the record in question, as an alarm where Odoo holds something wrong.
#[test]
fn parked_with_the_record() {
    let mut world = World::new();
    let outcomes = world.write(&[alice("08:00:00", "in"), alice("11 08:00:00", "in")]);
    let Outcome::Park(reason) = &outcomes[0] else { panic!("{outcomes:?}") };
    let empty = world.server.attendances().iter().find(|row| row.check_out == Some(row.check_in)).unwrap();
    assert_eq!(*reason, ParkReason::MissingOut { remote_id: empty.id.to_string() });
    assert!(reason.is_alarm() && !reason.is_about_employee());

    let mut world = World::new();
    let id = world.put("07:00:00", Some("17:00:00"), "manual");
    assert_eq!(
        world.write(&[alice("08:00:00", "in")]),
        [Outcome::Park(ParkReason::Covered { remote_id: id.to_string() })]
    );
}

/// A password works wherever a key does, but for JSON-2.
#[test]
fn passwords() {
    for (version, protocol) in DOORS {
        let mut settings = settings();
        (settings.protocol, settings.secret) = (Some(protocol), PASSWORD.into());
        let word = if protocol == Protocol::Json2 { "unauthorized" } else { "applied" };
        assert_eq!(words(&World::with(version, settings).write(&[alice("08:00:00", "in")])), [word], "{protocol:?}");
    }
}

fn fault() -> impl Strategy<Value = OdooFault> {
    prop_oneof![
        3 => Just(OdooFault::None),
        1 => (0u32..100).prop_map(OdooFault::TooManyRequests),
        1 => Just(OdooFault::Maintenance),
        1 => Just(OdooFault::BadGateway),
        2 => Just(OdooFault::BadGatewayAfter),
        2 => Just(OdooFault::DropBefore),
        3 => Just(OdooFault::DropAfter),
        2 => Just(OdooFault::Stall),
        1 => Just(OdooFault::Serialization),
        1 => Just(OdooFault::OvertimeClash),
        1 => Just(OdooFault::DatabaseDown),
        1 => Just(OdooFault::Portal),
        1 => Just(OdooFault::Redirect),
    ]
}

proptest! {
    /// Any faults in any order, then retries: the records of a world without faults.
    #[test]
    fn faults_change_nothing(
        faults in proptest::collection::vec(fault(), 0..60),
        door in proptest::sample::select(DOORS.to_vec()),
        mut days in proptest::collection::vec((10u32..14, 0u32..24, any::<bool>()), 1..16),
    ) {
        days.sort_unstable();
        days.dedup_by_key(|day| (day.0, day.1));
        let all: Vec<_> = days
            .iter()
            .map(|(day, hour, is_in)| alice(&format!("{day} {hour:02}:00:00"), if *is_in { "in" } else { "out" }))
            .collect();
        let mut calm = World::at_door(door.0, door.1);
        calm.write(&all);
        let mut world = World::at_door(door.0, door.1);
        world.server.fail_next(faults);
        for known in 1..=all.len() {
            let outcomes = world.write_until_settled(&all[..known]);
            let allowed = ["applied", "already", "missing_out", "orphan_out"];
            prop_assert!(words(&outcomes).iter().all(|word| allowed.contains(word)), "{:?}", words(&outcomes));
        }
        prop_assert_eq!(world.records(), calm.records());
    }

    /// Whatever a server answers, the flow ends, and soon, and nothing counts as written.
    #[test]
    fn any_answer_ends_the_flow(
        answers in proptest::collection::vec((100u16..=599, proptest::collection::vec(any::<u8>(), 0..200)), 1..12),
        protocol in proptest::sample::select(vec![None, Some(Protocol::JsonRpc), Some(Protocol::XmlRpc), Some(Protocol::Json2)]),
    ) {
        let mut settings = settings();
        settings.protocol = protocol;
        let odoo = Odoo::new(settings).unwrap();
        let mut flow = WriteAttendances::new(&odoo, &[alice("08:00:00", "in")], now());
        let mut calls = 0;
        let outcomes = drive(&mut flow, |_| {
            let (status, body) = &answers[calls % answers.len()];
            calls += 1;
            Ok(http::Response::builder().status(*status).body(bytes::Bytes::copy_from_slice(body)).unwrap())
        });
        prop_assert!(calls <= 10);
        prop_assert!(!outcomes[0].is_done());
    }
}
