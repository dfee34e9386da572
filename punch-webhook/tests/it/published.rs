//! `tests/data/published.jsonl`: WHK-01 to WHK-34.

use chrono::{DateTime, Utc};
use punch_webhook::{ReceivedEvent, ReceivedPunch, Verifier};
use serde_json::{Value, json};

use crate::build::{rows, secret, text, trusted};

fn vectors(kind: &str, wanted: usize) -> Vec<Value> {
    let mut rows = rows(include_str!("../data/published.jsonl"));
    rows.retain(|row| text(row, "type") == kind);
    assert_eq!(rows.len(), wanted, "{kind}");
    rows
}

/// WHK-01 to WHK-11; S1-031, S1-033, S2-039.
#[test]
fn signatures() {
    for row in vectors("webhook_signature", 11) {
        let (input, expect) = (&row["input"], &row["expect"]);
        let header = input["header"].as_str().map(|header| header.split_once(": ").unwrap());
        let verifier = Verifier::new(&secret(text(input, "secret")));
        let result = verifier.verify(header, text(input, "raw_body").as_bytes(), DateTime::<Utc>::UNIX_EPOCH);
        assert_eq!(result.is_ok(), expect["valid"].as_bool().unwrap(), "{}: {result:?}", row["id"]);
        if let (Err(error), Some(reason)) = (result, expect["reason"].as_str()) {
            assert_eq!(error.reason(), reason, "{}", row["id"]);
            assert_eq!(u64::from(error.http_status()), expect["http_status"].as_u64().unwrap());
        }
    }
}

/// WHK-20 to WHK-25; S0-016, S0-017, S0-018, S0-019, S0-020, S0-021, S0-022, S0-023, S0-024, S1-014, S1-015, S2-029 to S2-035, S2-040, S2-041.
#[test]
fn payloads() {
    for row in vectors("webhook_payload", 6) {
        let body = row["input"].to_string();
        let expect = &row["expect"];
        match text(expect, "disposition") {
            "punch" => {
                let Ok(ReceivedEvent::Punch(punch)) = trusted(body.as_bytes()).event() else {
                    panic!("{} is a punch", row["id"])
                };
                for (field, value) in expect.as_object().unwrap() {
                    assert_eq!(&member(&punch, field), value, "{}: {field}", row["id"]);
                }
            }
            "ignore" => {
                let event = trusted(body.as_bytes()).event().unwrap();
                assert!(!matches!(event, ReceivedEvent::Punch(_)), "{} is no punch", row["id"]);
                assert_eq!(event.event_type().as_str(), text(&row["input"], "event_type"));
            }
            _ => {
                let error = trusted(body.as_bytes()).event().unwrap_err();
                assert_eq!(error.reason(), text(expect, "code"));
                assert_eq!(u64::from(error.http_status()), expect["http_status"].as_u64().unwrap());
            }
        }
    }
}

/// WHK-26 to WHK-34.
#[test]
fn direction_words() {
    for row in vectors("direction_synonym", 9) {
        for field in ["direction", "punch_type"] {
            let flat = json!({"event_id": "evt_1", "employee_id": "1", "timestamp": "2026-03-28T08:47:12Z",
                field: row["input"]});
            let nested = json!({"event_id": "evt_1", "employee": {"badge_number": "1"},
                "timestamp": "2026-03-28T08:47:12Z", "punch": {field: row["input"]}});
            for body in [flat.to_string(), nested.to_string()] {
                let Ok(ReceivedEvent::Punch(punch)) = trusted(body.as_bytes()).event() else { panic!("{body}") };
                assert_eq!(punch.direction.as_str(), text(&row, "expect"), "{}", row["id"]);
            }
        }
    }
}

fn member(punch: &ReceivedPunch, field: &str) -> Value {
    match field {
        "disposition" => json!("punch"),
        "event_type" => json!("attendance.punch"),
        "event_id" => json!(punch.event_id),
        "employee" => json!({"scheme": "badge", "value": punch.badge}),
        "at_utc" => json!(punch.at.format("%Y-%m-%dT%H:%M:%SZ").to_string()),
        "direction" => json!(punch.direction),
        "method" => json!(punch.method),
        "device_serial" => json!(punch.device_serial),
        "device_id" => json!(punch.device_id),
        "device_name" => json!(punch.device_name),
        "site" => json!(punch.site),
        "employee_ref" => json!(punch.employee_ref),
        "local_time" => json!(punch.local_time.map(|time| time.to_rfc3339())),
        "confidence" => json!(punch.confidence),
        "delivery_attempt" => json!(punch.delivery_attempt),
        "deduplicated" => json!(punch.deduplicated),
        other => panic!("the vectors have a new field: {other}"),
    }
}
