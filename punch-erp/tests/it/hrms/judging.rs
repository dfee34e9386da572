//! What becomes of what a database says.

use punch_erp::hrms::{Dialect, Meaning, Seen, SqlState, Transaction, Value};
use punch_erp::{Outcome, ParkReason};

use super::world::{hrms, punch, text, told, transaction};

fn one() -> (Transaction, Vec<Value>) {
    let transaction = transaction(&hrms(Dialect::Postgres), &punch("evt_1", "0042", "in"));
    let row = transaction.steps()[0].write.values[1..].to_vec();
    (transaction, row)
}

#[test]
fn written_and_there_before() {
    let (transaction, row) = one();
    let remote_id = || "evt_1".to_owned();
    let judge = |written| transaction.judge(&[Seen::new(written, Some(row.clone()))]);
    assert_eq!(judge(1), Outcome::Applied { remote_id: remote_id() });
    assert_eq!(judge(0), Outcome::AlreadyThere { remote_id: remote_id() });
}

/// Whichever field it is: what the database changed is not kept, what was there before is a conflict.
#[test]
fn a_row_that_differs() {
    let (transaction, row) = one();
    let fields = ["employee_id", "punch_time", "direction", "device_serial", "method", "revision"];
    for (number, field) in fields.into_iter().enumerate() {
        let mut other = row.clone();
        other[number] = Value::Number(-42);
        let judge = |written| transaction.judge(&[Seen::new(written, Some(other.clone()))]);
        assert_eq!(judge(1), Outcome::Park(ParkReason::NotKept { field }));
        assert_eq!(judge(0), Outcome::Park(ParkReason::Conflict { remote_id: "evt_1".into(), field }));
    }
    let short = transaction.judge(&[Seen::new(0, Some(Vec::new()))]);
    assert_eq!(short.reason(), Some("conflict"));
}

#[test]
fn a_row_that_is_not_shown() {
    let (transaction, _) = one();
    let reasons = |seen: &[Seen]| transaction.judge(seen).reason();
    assert_eq!(reasons(&[Seen::new(0, None)]), Some("duplicate_unseen"));
    assert_eq!(reasons(&[Seen::new(1, None)]), Some("not_kept"));
    assert_eq!(reasons(&[]), Some("duplicate_unseen"));
}

/// A higher revision says more, whatever it says. An upsert that a trigger swallowed is no success.
#[test]
fn revisions_above_and_below() {
    let transaction = transaction(&hrms(Dialect::Postgres), &told("revised", 2, "out"));
    let rows: Vec<_> = transaction.steps().iter().map(|step| step.write.values[1..7].to_vec()).collect();
    let judge = |number, written| {
        let mut standing = rows[1].clone();
        (standing[2], standing[5]) = (text("in"), Value::Number(number));
        transaction.judge(&[Seen::new(1, Some(rows[0].clone())), Seen::new(written, Some(standing))])
    };
    assert!(judge(3, 0).is_done());
    assert_eq!(judge(2, 0).reason(), Some("conflict"));
    assert_eq!(judge(1, 0).reason(), Some("conflict"));
    assert_eq!(judge(1, 1).reason(), Some("not_kept"));
}

#[test]
fn states_of_postgres() {
    for (code, meaning) in [
        ("23505", Meaning::Record),
        ("23503", Meaning::Record),
        ("22021", Meaning::Record),
        ("P0001", Meaning::Record),
        ("28P01", Meaning::Setup),
        ("3D000", Meaning::Setup),
        ("42P01", Meaning::Setup),
        ("25006", Meaning::Setup),
        ("40001", Meaning::Server),
        ("40P01", Meaning::Server),
        ("53100", Meaning::Server),
        ("57P01", Meaning::Server),
        ("", Meaning::Server),
        ("é", Meaning::Server),
    ] {
        let state = SqlState::postgres(code, None);
        assert_eq!(state.meaning(), meaning, "{code}");
        let is_parked = matches!(state.clone().outcome(), Outcome::Park(_));
        assert_eq!(is_parked, meaning == Meaning::Record);
        assert_eq!(state.retry().word(), "retry", "making tables is never about the event");
    }
    let refused = SqlState::postgres("23514", Some("no_mondays")).outcome();
    let Outcome::Park(reason) = refused else { panic!("{refused:?}") };
    assert_eq!(
        reason.to_string(),
        "refused_by_database: the database refuses the record (check_violation, constraint `no_mondays`); mend the cause \
         there, then release"
    );
}

#[test]
fn states_of_sqlite() {
    for (code, meaning) in [
        (275, Meaning::Record),
        (787, Meaning::Record),
        (1811, Meaning::Record),
        (20, Meaning::Record),
        (1, Meaning::Setup),
        (14, Meaning::Setup),
        (8, Meaning::Setup),
        (5, Meaning::Server),
        (13, Meaning::Server),
        (-1, Meaning::Server),
    ] {
        assert_eq!(SqlState::sqlite(code).meaning(), meaning, "{code}");
    }
    let missing = SqlState::sqlite(1).outcome();
    assert_eq!((missing.word(), missing.reason()), ("retry", Some("database_setup")));
}
