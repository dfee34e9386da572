//! Canaries: no badge or name in any `Debug` or error text.

use punch_erp::hrms::{Dialect, Hrms, HrmsSettings, Seen, SqlState, Telling, Value};
use punch_webhook::ReceivedEvent;
use serde_json::json;

use super::world::{event, hrms, transaction};
use crate::secrecy::texts;

const BADGE: &str = "canarybadge7Q";
const PERSON: &str = "Canary Nightingale";

fn check(text: &str) {
    for canary in [BADGE, PERSON] {
        assert!(!text.contains(canary), "`{canary}` is in {text}");
    }
}

fn canaries() -> [ReceivedEvent; 3] {
    ["attendance.punch", "attendance.revised", "attendance.late"].map(|kind| {
        event(&json!({
            "event_id": "evt_2", "event_type": kind, "timestamp": "2026-03-28T08:47:12Z",
            "employee": { "badge_number": BADGE, "name": PERSON }, "punch": { "direction": "in" },
            "metadata": { "about": "evt_1", "revises": "evt_1", "revision": 1, "reason": "late_row" },
        }))
    })
}

/// Every type on the way, and every verdict about a row that differs in one field.
#[test]
fn statements_and_verdicts() {
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        for event in &canaries() {
            let hrms = hrms(dialect);
            let transaction = transaction(&hrms, event);
            check(&format!("{hrms:?} {:?} {transaction:?}", Telling::of(event).unwrap()));
            let rows = transaction.steps().iter().map(|step| step.write.values[1..7].to_vec());
            let rows: Vec<_> = rows.collect();
            assert!(rows.iter().flatten().any(|value| *value == Value::Text(Some(BADGE.to_owned()))));
            for field in 0..6 {
                for written in [0, 1] {
                    let mut rows = rows.clone();
                    rows[0][field] = Value::Text(Some(PERSON.to_owned()));
                    let seen: Vec<_> = rows.into_iter().map(|row| Seen::new(written, Some(row))).collect();
                    let outcome = transaction.judge(&seen);
                    check(&format!("{seen:?} {}", texts(&outcome)));
                }
            }
            // A dry run is for reading, so there it is.
            assert!(transaction.steps()[0].write.render().contains(BADGE));
        }
    }
}

/// A database quotes the row; neither its words nor a name that is none is kept.
#[test]
fn refusals() {
    for constraint in [None, Some(PERSON), Some("Key (employee_id)=(canarybadge7Q)"), Some("no_mondays")] {
        for code in ["23503", "23514", "42P01", PERSON] {
            let state = SqlState::postgres(code, constraint);
            check(&format!("{state:?} {} {}", texts(&state.clone().outcome()), texts(&state.clone().retry())));
        }
    }
}

#[test]
fn settings_and_their_errors() {
    let mut settings = HrmsSettings::new(Dialect::Sqlite);
    settings.table = format!("attendance of the people, {PERSON}");
    let errors = Hrms::new(settings).unwrap_err();
    check(&format!("{errors} {errors:?}"));
}
