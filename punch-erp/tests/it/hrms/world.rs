//! Events, and two tables in memory that keep the rules of the statements.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use punch_erp::Outcome;
use punch_erp::hrms::{Dialect, Hrms, HrmsSettings, Seen, Step, Telling, Transaction, Value};
use punch_webhook::{ReceivedEvent, Verified};
use serde_json::json;

pub(crate) fn hrms(dialect: Dialect) -> Hrms {
    Hrms::new(HrmsSettings::new(dialect)).unwrap()
}

pub(super) fn now() -> DateTime<Utc> {
    "2026-03-28T20:00:00Z".parse().unwrap()
}

pub(super) fn event(body: &serde_json::Value) -> ReceivedEvent {
    Verified::assume_verified(body.to_string().as_bytes()).event().unwrap()
}

pub(super) fn punch(id: &str, badge: &str, direction: &str) -> ReceivedEvent {
    event(&json!({
        "event": "attendance.punch", "event_id": id, "employee_id": badge, "device_serial": "T1",
        "timestamp": "2026-03-28T08:47:12Z", "direction": direction, "method": "face",
    }))
}

/// `attendance.revised` or `attendance.late` about `evt_1`; number 0 is no change.
pub(super) fn told(kind: &str, number: u32, direction: &str) -> ReceivedEvent {
    let mut metadata = json!({ "about": "evt_1", "reason": "late_row" });
    if number > 0 {
        metadata["revises"] = "evt_1".into();
        metadata["revision"] = number.into();
    }
    event(&json!({
        "event_id": format!("evt_{kind}_{number}"), "event_type": format!("attendance.{kind}"),
        "timestamp": "2026-03-28T08:47:12Z", "employee": { "badge_number": "0042" },
        "punch": { "direction": direction, "method": "face" }, "device": { "serial_number": "T1" }, "metadata": metadata,
    }))
}

pub(crate) fn transaction(hrms: &Hrms, event: &ReceivedEvent) -> Transaction {
    hrms.write(&Telling::of(event).unwrap(), now()).unwrap()
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(Some(text.to_owned()))
}

/// Rows by table and key.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Database {
    pub(crate) rows: BTreeMap<(bool, String), Vec<Value>>,
}

impl Database {
    /// Runs a transaction as a database does.
    pub(crate) fn run(&mut self, transaction: &Transaction) -> Outcome {
        let seen: Vec<_> = transaction.steps().iter().map(|step| self.step(step)).collect();
        transaction.judge(&seen)
    }

    fn step(&mut self, step: &Step) -> Seen {
        let is_revision = step.write.sql.contains("\"attendance_revision\"");
        let Some((Value::Text(Some(key)), values)) = step.write.values.split_first() else { panic!("no key") };
        let (key, values) = ((is_revision, key.clone()), values[..6].to_vec());
        let number = |row: &[Value]| match row.last() {
            Some(Value::Number(number)) => *number,
            other => panic!("{other:?}"),
        };
        let overwrites = |row: &Vec<Value>| step.write.sql.contains("DO UPDATE") && number(row) < number(&values);
        let writes = self.rows.get(&key).is_none_or(overwrites);
        if writes {
            self.rows.insert(key.clone(), values);
        }
        Seen::new(u64::from(writes), self.rows.get(&key).cloned())
    }

    /// The direction that the punch's row tells.
    pub(super) fn direction(&self) -> &Value {
        &self.rows[&(false, "evt_1".to_owned())][2]
    }
}
