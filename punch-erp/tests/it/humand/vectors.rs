//! The vectors `HUM-…`.

use bytes::Bytes;
use chrono::{DateTime, FixedOffset, TimeDelta};
use punch_erp::humand::{
    AlternationRules, ClockEntry, Clocked, EntryKind, Fate, Hint, Humand, Mark, NewEntry, PathStyle, Plan, RateLimit,
    ReadUsers,
};
use punch_erp::{CallError, Endpoint as _, HttpResponse, drive};
use punch_normalize::{Direction, EventId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::world::{KEY, at, settings};

#[derive(Deserialize)]
struct Vector {
    r#type: String,
    id: String,
    #[serde(default)]
    config: Value,
    input: Value,
    expect: Value,
}

/// Runs `check` with every vector of a type; there must be `count` of them.
fn each(kind: &str, count: usize, check: impl Fn(&Vector)) {
    let lines = include_str!("../../data/humand-vectors.jsonl").lines();
    let vectors = lines.map(|line| serde_json::from_str::<Vector>(line).unwrap());
    let vectors: Vec<_> = vectors.filter(|vector| vector.r#type == kind).collect();
    assert_eq!(vectors.len(), count, "{kind}");
    vectors.iter().for_each(check);
}

fn direction(word: &Value) -> Direction {
    serde_json::from_value(word.clone()).unwrap()
}

fn local(text: &Value) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(text.as_str().unwrap()).unwrap()
}

/// HUM-01 to HUM-04: S3-008, S3-010, S3-011, S3-012.
#[test]
fn requests() {
    each("humand_request", 4, |vector| {
        let mut settings = settings();
        if vector.config["path_style"] == "seed" {
            settings.path_style = PathStyle::Seed;
        }
        let Vector { input, expect, id, .. } = vector;
        let text = |name: &str| input[name].as_str().unwrap();
        let kind = EntryKind::of(direction(&input["direction"])).unwrap();
        let entry = NewEntry::new(text("employee"), kind, local(&input["at_local"]), text("comment"));
        let request = ClockEntry::new(&Humand::new(settings).unwrap(), entry).request();
        assert_eq!(request.method().as_str(), expect["method"], "{id}");
        assert_eq!(request.uri().to_string(), expect["url"], "{id}");
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        assert_eq!(body, expect["body"], "{id}");
        for (name, value) in expect["headers"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap().replace("<api_key>", KEY);
            assert_eq!(request.headers()[name.to_lowercase()], value, "{id}");
        }
    });
}

/// The answer in the words of the vectors.
fn word(answer: Result<Clocked, CallError>) -> Value {
    match answer {
        Ok(Clocked::Stored(entry)) => json!({ "outcome": "accepted", "remote_id": entry.id }),
        Ok(Clocked::Violation { hint, .. }) => {
            let (hint, action) = match hint {
                Hint::Future => ("future", "hold_until_not_future"),
                Hint::Duplicate => ("duplicate", "reconcile_then_done"),
                Hint::Alternation => ("alternation", "reconcile_then_park"),
                _ => ("other", "reconcile_then_park"),
            };
            json!({ "outcome": "conflict", "hint": hint, "action": action })
        }
        Err(CallError::Refused { kind, .. }) => json!({ "outcome": "rejected", "code": kind.as_deref() }),
        Err(CallError::NotFound(_)) => json!({ "outcome": "rejected", "code": "NOT_FOUND" }),
        Err(CallError::Unauthorized(_)) => json!({ "outcome": "auth", "action": "pause_and_alert" }),
        Err(CallError::Forbidden(_)) => json!({ "outcome": "permission", "action": "pause_and_alert" }),
        Err(CallError::Busy { after, .. }) => {
            json!({ "outcome": "throttled", "retry_after_s": after.map(|after| after.num_seconds()) })
        }
        Err(error @ CallError::Unavailable(_)) => json!({ "outcome": "transient", "retry": error.is_retryable() }),
        other => panic!("{other:?}"),
    }
}

/// HUM-10 to HUM-23: S3-028 to S3-031, S3-045. What each leads to is shown in `faults` and `writing`.
#[test]
fn answers() {
    let entry = NewEntry::new("43000001", EntryKind::Start, local(&json!("2026-01-27T08:12:45.123-03:00")), "x");
    let call = ClockEntry::new(&Humand::new(settings()).unwrap(), entry);
    each("humand_response", 14, |vector| {
        let status = u16::try_from(vector.input["status"].as_u64().unwrap()).unwrap();
        let mut response = http::Response::builder().status(status);
        for (name, value) in vector.input["headers"].as_object().unwrap() {
            response = response.header(name, value.as_str().unwrap());
        }
        let response: HttpResponse = response.body(Bytes::from(vector.input["body"].to_string())).unwrap();
        let answer = call.response(&response);
        if let Ok(Clocked::Stored(entry)) = &answer {
            assert_eq!((entry.difference, entry.at), (None, Some(at("2026-01-27T11:12:45.123Z"))));
        }
        assert_eq!(word(answer), vector.expect, "{}", vector.id);
    });
}

/// HUM-30.
#[test]
fn rate_headers() {
    each("humand_rate_headers", 1, |vector| {
        let mut response = HttpResponse::new(Bytes::new());
        for (name, value) in vector.input.as_object().unwrap() {
            let name: http::HeaderName = name.to_lowercase().parse().unwrap();
            response.headers_mut().insert(name, value.as_str().unwrap().parse().unwrap());
        }
        let RateLimit { limit, window_s, remaining, reset_s, .. } = RateLimit::of(response.headers());
        let found = json!({ "limit": limit, "window_s": window_s, "remaining": remaining, "reset_s": reset_s });
        assert_eq!(found, vector.expect);
    });
}

/// HUM-31, S3-009.
#[test]
fn users_pages() {
    each("humand_users_page", 1, |vector| {
        let mut pages = vector.input["pages"].as_array().unwrap().iter();
        let mut requests = Vec::new();
        let humand = Humand::new(settings()).unwrap();
        let directory = drive(&mut ReadUsers::new(&humand), |request| {
            let target = request.uri().path_and_query().unwrap().as_str().to_owned();
            let page = pages.next().unwrap();
            let rows = page["users"].as_u64().unwrap();
            let first = requests.len();
            let user = |row: u64| json!({ "employeeInternalId": format!("{first}-{row}"), "status": "ACTIVE" });
            let users: Vec<_> = (0..rows).map(user).collect();
            requests.push(target.strip_prefix("/public/api/v1").unwrap().to_owned());
            let body = json!({ "count": page["count"], "totalPages": 1, "users": users });
            Ok(HttpResponse::new(Bytes::from(body.to_string())))
        });
        assert_eq!(directory.unwrap().len(), 73);
        assert_eq!(json!(requests), vector.expect["requests"]);
    });
}

/// HUM-32, HUM-33: S3-027.
#[test]
fn alternation() {
    each("humand_alternation", 2, |vector| {
        let inputs = vector.input.as_array().unwrap();
        let mark = |input: &Value| {
            let id = EventId::parse(input["id"].as_str().unwrap()).unwrap();
            Mark::new(id, local(&input["at"]), direction(&input["direction"]))
        };
        let marks: Vec<_> = inputs.iter().map(mark).collect();
        let window = TimeDelta::seconds(vector.config["dedup_window_s"].as_i64().unwrap());
        let rules = AlternationRules { dedup_window: window, ..AlternationRules::default() };
        let plan = Plan::of(&[], &marks, &rules, at("2026-01-28T00:00:00Z"));
        let mut found = json!({ "send": [] });
        for (input, fate) in inputs.iter().zip(plan.fates) {
            let (list, row) = match fate {
                Fate::Send(_) => ("send", input["id"].clone()),
                Fate::Repeats(_) => ("suppressed", json!({ "id": input["id"], "reason": "duplicate_window" })),
                Fate::Alternation(_) => ("parked", json!({ "id": input["id"], "reason": "alternation" })),
                other => panic!("{other:?}"),
            };
            if found[list].is_null() {
                found[list] = json!([]);
            }
            found[list].as_array_mut().unwrap().push(row);
        }
        assert_eq!(found, vector.expect, "{}", vector.id);
    });
}
