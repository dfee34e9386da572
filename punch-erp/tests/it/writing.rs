//! Punches written to a current server.

use punch_erp::{Outcome, ParkReason};

use crate::erpnext::{ErpNextEmployee, ErpNextFault, Naming};
use crate::world::{World, alice, now, parked, punch, retry_code};

/// S0-001 for this adapter: one punch, one record, in two calls; one call once the table is known.
#[test]
fn a_punch_becomes_a_checkin() {
    let mut world = World::new();
    let outcome = world.write(&alice());
    assert_eq!(outcome, Outcome::Applied { remote_id: "evt_5xe9rzfeytktk4ns5q1xhc1e6k".into() });
    assert_eq!((outcome.word(), outcome.reason()), ("applied", None));
    let row = &world.server.checkins()[0];
    assert_eq!((row.employee.as_str(), row.log_type.as_deref()), ("HR-EMP-00001", Some("IN")));
    assert_eq!(row.time.to_string(), "2026-11-10 09:00:00");
    assert_eq!(row.device_id.as_deref(), Some("evt_5xe9rzfeytktk4ns5q1xhc1e6k"));
    assert_eq!(world.server.requests().len(), 2);

    assert_eq!(world.write(&punch("evt_2", "1001", "2026-11-10T11:00:00Z", "out")).word(), "applied");
    assert_eq!(world.requests_since(2), ["POST /api/v2/document/Employee%20Checkin"]);
}

/// Section 4: own name repeated is 409, read back. Replaying is harmless.
#[test]
fn replay_is_idempotent() {
    let mut world = World::new();
    assert_eq!(world.write(&alice()).word(), "applied");
    let rows = world.server.checkins().to_vec();
    for look_first in [false, true] {
        let outcome = world.attempt(&alice(), look_first);
        assert_eq!(outcome, Outcome::AlreadyThere { remote_id: "evt_5xe9rzfeytktk4ns5q1xhc1e6k".into() });
    }
    assert_eq!(world.server.checkins(), rows);
}

/// Section 4: a duplicate is 417 like any refusal; here another event has the same second and direction.
#[test]
fn two_taps_in_one_second() {
    let mut world = World::new();
    assert_eq!(world.write(&alice()).word(), "applied");
    let outcome = world.write(&punch("evt_2", "1001", "2026-11-10T03:00:00Z", "in"));
    assert_eq!(outcome, Outcome::AlreadyThere { remote_id: "evt_5xe9rzfeytktk4ns5q1xhc1e6k".into() });
    assert_eq!(world.server.checkins().len(), 1);
}

/// The other direction at the same second is another checkin, on every kind of server, also after a stall.
#[test]
fn in_and_out_in_one_second() {
    for naming in [Naming::Honoured, Naming::Ignored, Naming::NoV2] {
        let mut world = World::with(|config| config.naming = naming);
        assert_eq!(world.write(&alice()).word(), "applied");
        let out = punch("evt_2", "1001", "2026-11-10T03:00:00Z", "out");
        world.server.fail_next([ErpNextFault::DropBefore]);
        assert_eq!(world.write(&out).word(), "retry");
        assert_eq!(world.attempt(&out, true).word(), "applied", "{naming:?}");
        assert_eq!(world.server.checkins().len(), 2);
    }
}

/// Section 4: "already exists", but it is not this punch.
#[test]
fn a_name_taken_by_something_else() {
    let mut world = World::new();
    assert_eq!(world.write(&punch("evt_1", "0042", "2026-11-10T03:00:00Z", "in")).word(), "applied");
    for (same_name, field) in [
        (punch("evt_1", "1001", "2026-11-10T03:00:00Z", "in"), "employee"),
        (punch("evt_1", "0042", "2026-11-10T03:00:01Z", "in"), "time"),
        (punch("evt_1", "0042", "2026-11-10T03:00:00Z", "out"), "log_type"),
    ] {
        let outcome = world.write(&same_name);
        assert_eq!(*parked(&outcome), ParkReason::Conflict { remote_id: "evt_1".into(), field });
        assert_eq!((outcome.word(), outcome.reason()), ("parked", Some("conflict")));
    }
}

/// X7, S0-034, S0-056: an unknown employee is kept, not lost, and written once the table has the badge.
#[test]
fn unknown_employee_is_parked_until_the_table_changes() {
    let mut world = World::new();
    let stranger = punch("evt_1", "9999", "2026-11-10T03:00:00Z", "in");
    let outcome = world.write(&stranger);
    assert_eq!(*parked(&outcome), ParkReason::UnknownEmployee);
    assert!(parked(&outcome).is_about_employee());
    assert!(world.server.checkins().is_empty());

    let before = world.directory.clone().unwrap();
    assert_eq!(world.write(&stranger).reason(), Some("unknown_employee"));
    assert_eq!(*before, **world.directory.as_ref().unwrap(), "the table is as it was");

    world.server.config_mut().employees.push(ErpNextEmployee::new("HR-EMP-00009", "New", "9999"));
    assert_eq!(world.write(&stranger).word(), "applied", "the stale table is read anew");
    assert_ne!(*before, **world.directory.as_ref().unwrap());
}

/// A miss reads the table once, and not at all if told so.
#[test]
fn a_miss_reads_the_table_once() {
    let mut world = World::new();
    world.write(&alice());
    let stranger = punch("evt_1", "9999", "2026-11-10T03:00:00Z", "in");
    let from = world.server.requests().len();
    world.write(&stranger);
    assert_eq!(world.requests_since(from).len(), 1);

    let mut flow = punch_erp::erpnext::WriteCheckin::new(&world.site, &stranger, now())
        .with_directory(world.directory.clone().unwrap())
        .without_refresh();
    let outcome = punch_erp::drive(&mut flow, |_| panic!("no request"));
    assert_eq!(outcome.reason(), Some("unknown_employee"));
}

/// Section 8: badges are compared letter by letter, whatever the database finds equal.
#[test]
fn badges_are_exact() {
    for badge in ["42", "00042", "0042 ", "００４２", "\u{200b}0042", "7\"7", "a&b", "a#b", "10+01", "%"] {
        let outcome = World::new().write(&punch("evt_1", badge, "2026-11-10T03:00:00Z", "in"));
        assert_eq!(*parked(&outcome), ParkReason::UnknownEmployee, "{badge}");
    }
    let injected = r#"1001"]]&fields=["reports_to as name"]&x=[["a"#;
    assert_eq!(
        *parked(&World::new().write(&punch("evt_1", injected, "2026-11-10T03:00:00Z", "in"))),
        ParkReason::UnknownEmployee
    );
}

/// Strange badges that do belong to somebody are found.
#[test]
fn strange_badges_work() {
    for badge in ["7\"7", "a&b", "a#b", "10+01", "ñandú", "A-77b"] {
        let mut world = World::with(|config| config.employees = vec![ErpNextEmployee::new("HR-EMP-00007", "X", badge)]);
        assert_eq!(world.write(&punch("evt_1", badge, "2026-11-10T03:00:00Z", "in")).word(), "applied", "{badge}");
    }
}

/// S0-006: two employees with one badge park the punch.
#[test]
fn ambiguous_badge() {
    let mut world = World::with(|config| config.employees.push(ErpNextEmployee::new("HR-EMP-00008", "Twin", "1001")));
    assert_eq!(*parked(&world.write(&alice())), ParkReason::AmbiguousEmployee { count: 2 });
}

/// Section 0 fact 7: the server would book punches on people who left or are suspended.
#[test]
fn people_who_do_not_work_there() {
    for badge in ["3003", "5005"] {
        let outcome = World::new().write(&punch("evt_1", badge, "2026-11-10T03:00:00Z", "in"));
        assert_eq!(*parked(&outcome), ParkReason::EmployeeInactive, "{badge}");
    }
    // Liam's last day is 10 November, in Dhaka.
    for (timestamp, word) in [("2026-11-10T17:59:59Z", "applied"), ("2026-11-10T18:00:00Z", "parked")] {
        assert_eq!(World::new().write(&punch("evt_1", "4004", timestamp, "out")).word(), word, "{timestamp}");
    }
}

/// Section 4: `InactiveEmployeeStatusError`, when the employee became inactive after the table was read.
#[test]
fn inactive_since_the_table_was_read() {
    let mut world = World::new();
    world.write(&alice());
    world.server.config_mut().employees[0].status = "Inactive".into();
    let outcome = world.write(&punch("evt_2", "1001", "2026-11-10T11:00:00Z", "out"));
    assert_eq!(*parked(&outcome), ParkReason::EmployeeInactive);
}

/// Section 0 fact 6: the server stores a checkin of an employee that is gone; we say so, also on a replay.
#[test]
fn orphan_rows_are_noticed() {
    let mut world = World::new();
    world.write(&alice());
    world.server.config_mut().employees.remove(0);
    let second = punch("evt_2", "1001", "2026-11-10T11:00:00Z", "out");
    let outcome = world.write(&second);
    assert_eq!(*parked(&outcome), ParkReason::OrphanRow { remote_id: "evt_2".into() });
    assert!(parked(&outcome).is_alarm());
    assert_eq!(world.server.checkins()[1].employee_name, None);

    // The network fails where the employee is verified: the next attempt does not take the orphan for done.
    world.server.config_mut().employees.insert(0, ErpNextEmployee::new("HR-EMP-00001", "Alice", "1001"));
    world.directory = None;
    let third = punch("evt_3", "1001", "2026-11-10T12:00:00Z", "in");
    world.write(&alice());
    world.server.config_mut().employees.remove(0);
    world.server.fail_next([ErpNextFault::None, ErpNextFault::DropBefore]);
    let kept = world.directory.clone();
    assert_eq!(retry_code(&world.write(&third)), "no_answer");
    world.directory = kept;
    assert_eq!(world.write(&third).reason(), Some("orphan_row"));
}

/// A range check the server does not make: 1970 and 2030 are accepted there.
#[test]
fn impossible_times() {
    for timestamp in ["1970-01-01T00:00:00Z", "2009-12-31T23:59:59Z", "2026-11-23T04:46:49Z", "2030-01-01T00:00:00Z"] {
        let mut world = World::new();
        let outcome = world.write(&punch("evt_1", "1001", timestamp, "in"));
        assert_eq!(*parked(&outcome), ParkReason::TimeOutOfRange, "{timestamp}");
        assert!(world.server.requests().is_empty());
    }
    assert_eq!(World::new().write(&punch("evt_1", "1001", "2026-11-23T04:46:48Z", "in")).word(), "applied");
}

/// Section 3: an hour that happens twice. The second passage is not taken for the first.
#[test]
fn the_repeated_hour() {
    let mut world = World::in_zone("Europe/Madrid", |_| {});
    let (first, second) = ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z");
    assert_eq!(world.write(&punch("evt_1", "1001", first, "in")).word(), "applied");
    let outcome = world.write(&punch("evt_2", "1001", second, "in"));
    assert_eq!(*parked(&outcome), ParkReason::RepeatedHour { remote_id: "evt_1".into() });
    assert_eq!(world.write(&punch("evt_1", "1001", first, "in")).word(), "already");
}

/// Section 5: what a person deleted is written again, because nothing says it should not be.
#[test]
fn a_deleted_checkin() {
    let mut world = World::new();
    world.write(&alice());
    assert!(world.server.delete_checkin("evt_5xe9rzfeytktk4ns5q1xhc1e6k"));
    assert_eq!(world.write(&alice()).word(), "applied");
}

/// The same on a server that ignores names, where only `device_id` tells the two passages apart.
#[test]
fn the_repeated_hour_without_names() {
    let mut world = World::in_zone("Europe/Madrid", |config| config.naming = Naming::Ignored);
    let first = punch("evt_1", "1001", "2026-10-25T00:30:00Z", "in");
    assert_eq!(world.write(&first).word(), "applied");
    assert_eq!(world.write(&first).word(), "already");
    let second = punch("evt_2", "1001", "2026-10-25T01:30:00Z", "in");
    assert_eq!(world.write(&second).reason(), Some("repeated_hour"));
}

/// Section 5: the server compares names without regard to letter case; two such events are two records.
#[test]
fn events_that_differ_in_letter_case() {
    let mut world = World::new();
    assert_eq!(world.write(&punch("evt-a", "1001", "2026-11-10T03:00:00Z", "in")).word(), "applied");
    assert_eq!(world.write(&punch("EVT-A", "1001", "2026-11-10T04:00:00Z", "in")).word(), "applied");
    assert_eq!(world.server.checkins().len(), 2);
}

/// A queue runs attempts on whatever thread is free.
#[test]
fn flows_may_change_threads() {
    fn check<T: Send + 'static>() {}
    check::<punch_erp::erpnext::WriteCheckin>();
    check::<punch_erp::erpnext::ErpNext>();
    check::<Outcome>();
}
