//! Punches written to a server that works.

use punch_erp::Outcome;
use punch_erp::odoo::Protocol;

use super::world::{DOORS, OdooEmployee, World, alice, naive, punch, settings, words};

/// S0-001, S0-031 for this adapter: a punch becomes a record, by each protocol of each version.
#[test]
fn in_and_out_by_every_door() {
    for (version, protocol) in DOORS {
        let mut world = World::at_door(version, protocol);
        let came = alice("08:00:00", "in");
        assert_eq!(
            world.write(std::slice::from_ref(&came)),
            [Outcome::Applied { remote_id: "1".into() }],
            "{version} {protocol:?}"
        );
        assert_eq!(world.records(), ["10 08:00:00-"]);
        let left = alice("16:00:00", "out");
        assert_eq!(
            world.write(std::slice::from_ref(&left)),
            [Outcome::Applied { remote_id: "1".into() }],
            "{version} {protocol:?}"
        );
        assert_eq!(world.records(), ["10 08:00:00-16:00:00"]);
        let again = world.write(&[left, came]);
        assert_eq!(words(&again), ["already", "already"], "{version} {protocol:?}");
        assert_eq!(world.records(), ["10 08:00:00-16:00:00"]);
    }
}

/// S0-032: one version, one login, one look for the employee; then reading and writing alone.
#[test]
fn login_and_employees_are_kept() {
    let mut world = World::new();
    for (time, direction) in [("08:00:00", "in"), ("12:00:00", "out"), ("13:00:00", "in"), ("17:00:00", "out")] {
        assert_eq!(words(&world.write(&[alice(time, direction)])), ["applied"]);
    }
    let calls = world.calls_since(0);
    let count = |name: &str| calls.get(name).copied().unwrap_or_default();
    assert_eq!((count("common.version"), count("common.authenticate"), count("hr.employee.search_read")), (1, 1, 1));
    assert_eq!((count("hr.attendance.create"), count("hr.attendance.write")), (2, 2));
    assert_eq!(world.records(), ["10 08:00:00-12:00:00", "10 13:00:00-17:00:00"]);
}

/// Without a choice, the version decides, and whether the secret is a key.
#[test]
fn the_protocol_is_found_out() {
    for (version, secret, expected) in [
        (16, super::world::KEY, Protocol::JsonRpc),
        (18, super::world::PASSWORD, Protocol::JsonRpc),
        (19, super::world::KEY, Protocol::Json2),
        (19, super::world::PASSWORD, Protocol::JsonRpc),
    ] {
        let mut settings = settings();
        settings.secret = secret.into();
        let mut world = World::with(version, settings);
        assert_eq!(words(&world.write(&[alice("08:00:00", "in")])), ["applied"], "{version}");
        assert_eq!(world.session.login().unwrap().protocol, expected, "{version}");
    }
}

/// S0-033 and the traps of section 3: no guess books on anybody.
#[test]
fn badges_are_exact() {
    for (badge, expected) in [
        ("9999", "unknown_employee"),
        ("42", "unknown_employee"),
        ("042", "unknown_employee"),
        (" 0042", "unknown_employee"),
        ("", "unknown_employee"),
        ("\u{1}", "unknown_employee"),
        ("3003", "employee_inactive"),
        ("0042", "applied"),
    ] {
        for (version, protocol) in DOORS {
            let mut world = World::at_door(version, protocol);
            assert_eq!(words(&world.write(&[punch(badge, "08:00:00", "in")])), [expected], "{badge:?} {protocol:?}");
            assert_eq!(world.server.attendances().len(), usize::from(expected == "applied"));
        }
    }
}

/// S0-039: a stock database does; another field can be named, and there a badge can be two people's.
#[test]
fn another_field_for_the_badge() {
    let mut settings = settings();
    settings.badge_field = "x_terminal_id".to_owned();
    let mut world = World::with(18, settings);
    let employees = &mut world.server.config_mut().employees;
    employees[1].terminal_id = Some("T7".to_owned());
    for id in [21, 22] {
        employees.push(OdooEmployee { terminal_id: Some("T8".to_owned()), ..OdooEmployee::new(id, "Twin", "x") });
    }
    let outcomes = world.write(&[punch("T7", "08:00:00", "in"), punch("T8", "08:00:00", "in")]);
    assert_eq!(words(&outcomes), ["applied", "ambiguous_employee"]);
    assert_eq!(words(&world.write(&[punch("T8", "09:00:00", "in")])), ["ambiguous_employee"]);
    assert_eq!(world.records(), ["10 08:00:00-"]);
}

/// X7, S0-034: an unknown employee is kept, not lost, and written once the badge is entered.
#[test]
fn an_unknown_employee_is_parked_until_the_badge_is_entered() {
    let mut world = World::new();
    let stranger = [punch("9999", "08:00:00", "in")];
    assert_eq!(words(&world.write(&stranger)), ["unknown_employee"]);
    world.server.config_mut().employees.push(OdooEmployee::new(19, "New", "9999"));
    assert_eq!(words(&world.write(&stranger)), ["applied"]);
    assert_eq!(world.records_of(19), ["10 08:00:00-"]);
}

/// Somebody who leaves is not booked on for ever because their badge was known once.
#[test]
fn badges_are_asked_for_again_in_time() {
    let mut world = World::new();
    world.write(&[alice("08:00:00", "in")]);
    world.server.config_mut().employees[1].active = false;
    let later = super::world::now() + punch_erp::odoo::Session::BADGES_KEPT;
    let mut flow = punch_erp::odoo::WriteAttendances::new(&world.odoo, &[alice("16:00:00", "out")], later)
        .with_session(world.session.clone());
    let outcomes = punch_erp::drive(&mut flow, |request| world.send(&request));
    assert_eq!(words(&outcomes), ["employee_inactive"]);
}

/// S0-037: a departure without an arrival is parked and changes no record; S0-072: an unknown stays unknown.
#[test]
fn what_is_no_pair_is_parked() {
    let mut world = World::new();
    let outcomes = world.write(&[
        alice("07:00:00", "out"),
        alice("08:00:00", "in"),
        alice("12:00:00", "unknown"),
        alice("16:00:00", "out"),
    ]);
    assert_eq!(words(&outcomes), ["orphan_out", "applied", "unknown_direction", "applied"]);
    assert_eq!(world.records(), ["10 08:00:00-16:00:00"]);

    let mut settings = settings();
    settings.unknown_direction = punch_erp::odoo::UnknownDirection::Out;
    let mut world = World::with(18, settings);
    let outcomes = world.write(&[alice("08:00:00", "in"), alice("12:00:00", "unknown")]);
    assert_eq!(words(&outcomes), ["applied", "applied"]);
    assert_eq!(world.records(), ["10 08:00:00-12:00:00"]);
}

/// Section 4: years 1899 and 2030 would be stored, and a future arrival blocks all real ones.
#[test]
fn implausible_times_are_parked() {
    let mut world = World::new();
    let mut punches = [alice("08:00:00", "in"), alice("08:00:00", "in")];
    punches[0].at = super::world::at("2009-12-31T23:59:59Z");
    punches[1].at = super::world::now() + chrono::TimeDelta::days(1) + chrono::TimeDelta::seconds(1);
    assert_eq!(words(&world.write(&punches)), ["time_out_of_range", "time_out_of_range"]);
    assert!(world.server.calls().is_empty());
}

/// Many people at once: one look for the badges, one reading, one create.
#[test]
fn a_batch_takes_few_calls() {
    let mut world = World::new();
    let badges: Vec<String> = (0..60).map(|number| format!("B{number:03}")).collect();
    for (id, badge) in (100..).zip(&badges) {
        world.server.config_mut().employees.push(OdooEmployee::new(id, "X", badge));
    }
    let arrivals: Vec<_> = badges.iter().map(|badge| punch(badge, "08:00:00", "in")).collect();
    assert!(world.write(&arrivals).iter().all(|outcome| outcome.word() == "applied"));
    assert_eq!(world.server.calls().len(), 5);
    // Each departure is a write of its own; the rest is one reading.
    let departures: Vec<_> = badges.iter().map(|badge| punch(badge, "16:00:00", "out")).collect();
    assert!(world.write(&departures).iter().all(|outcome| outcome.word() == "applied"));
    assert_eq!(world.server.calls().len(), 5 + 61);
    assert_eq!(world.records_of(100), ["10 08:00:00-16:00:00"]);
}

/// More rows than one call takes go into several.
#[test]
fn rows_are_split_at_the_limit() {
    let limit = punch_erp::odoo::WriteAttendances::ROWS_PER_CALL;
    for (people, creates) in [(limit, 1), (limit + 1, 2)] {
        let mut world = World::new();
        let badges: Vec<String> = (0..people).map(|number| format!("B{number:03}")).collect();
        for (id, badge) in (100..).zip(&badges) {
            world.server.config_mut().employees.push(OdooEmployee::new(id, "X", badge));
        }
        let arrivals: Vec<_> = badges.iter().map(|badge| punch(badge, "08:00:00", "in")).collect();
        assert!(world.write(&arrivals).iter().all(|outcome| outcome.word() == "applied"));
        assert_eq!(world.calls_since(0)["hr.attendance.create"], creates);
        assert_eq!(world.server.attendances().len(), people);
    }
}

/// Seen on Odoo 19.0 (Debian 19.0.0+dfsg-1): a pair is taken that begins in the second of an open record. Two attempts at once
/// can come to that. One record is the presence in the end; the other has no time in it, until somebody comes again.
#[test]
fn a_pair_over_an_open_record_of_the_same_second() {
    for (version, protocol) in DOORS {
        for open_first in [true, false] {
            let mut world = World::at_door(version, protocol);
            world.write(&[alice("06:00:00", "in"), alice("07:00:00", "out")]);
            let ends = if open_first { [None, Some("16:00:00")] } else { [Some("16:00:00"), None] };
            for end in ends {
                world.server.store_attendance(11, naive("08:00:00"), end.map(naive));
            }
            let day = [alice("08:00:00", "in"), alice("16:00:00", "out"), alice("17:00:00", "in")];
            assert_eq!(words(&world.write(&day[..2])), ["applied", "applied"], "{version} {protocol:?}");
            assert_eq!(words(&world.write(&day)), ["already", "already", "applied"]);
            let expected = ["10 06:00:00-07:00:00", "10 08:00:00-16:00:00", "10 17:00:00-"];
            assert_eq!(world.records(), expected);
            assert_eq!(words(&world.write(&day)), ["already", "already", "already"]);
        }
    }
}
