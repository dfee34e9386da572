//! The vectors `ART-…`, `HCP-…` and `ISC-…`.

use std::collections::BTreeSet;

use bytes::Bytes;
use chrono::{SecondsFormat, Utc};
use punch_erp::hikcentral::{
    ArtemisCode, DoorEventQuery, DoorEvents, EventTypes, HikCentral, HikCentralRules, Receiver, read_notification,
    sign, string_to_sign, verify,
};
use punch_erp::passage::{DropReason, Passage, PersonKey, Reading};
use punch_erp::{Credential, Endpoint as _, HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};

use super::world::{World, at, settings};

#[derive(Deserialize)]
pub(crate) struct Vector {
    r#type: String,
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) config: Value,
    #[serde(default)]
    pub(crate) input: Value,
    #[serde(default)]
    pub(crate) input_text: String,
    #[serde(default)]
    pub(crate) content_type: String,
    pub(crate) expect: Value,
}

/// Runs `check` with every vector of a type; there must be `count` of them.
pub(crate) fn each(kind: &str, count: usize, check: impl Fn(&Vector)) {
    let lines = include_str!("../../data/hikvision-vectors.jsonl").lines();
    let vectors = lines.map(|line| serde_json::from_str::<Vector>(line).unwrap());
    let vectors: Vec<_> = vectors.filter(|vector| vector.r#type == kind).collect();
    assert_eq!(vectors.len(), count, "{kind}");
    vectors.iter().for_each(check);
}

/// A request as a vector describes it, its query escaped as on the wire.
fn request(input: &Value) -> HttpRequest {
    let escape = |value: &Value| value.as_str().unwrap().replace(' ', "%20");
    let query: Vec<String> = match &input["query"] {
        Value::Object(query) => query.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect(),
        _ => Vec::new(),
    };
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let mut request = http::Request::builder()
        .method(input["method"].as_str().unwrap())
        .uri(format!("https://hik.example.com{}{query}", input["path"].as_str().unwrap()));
    for (name, value) in input["headers"].as_object().unwrap() {
        request = request.header(name, value.as_str().unwrap());
    }
    request.body(Bytes::from(input["body"].as_str().unwrap_or_default().to_owned())).unwrap()
}

/// ART-02 to ART-08: S3-004, S3-005.
#[test]
fn signatures() {
    each("artemis_signature", 7, |vector| {
        let (input, secret) = (&vector.input, Credential::from(vector.input["app_secret"].as_str().unwrap()));
        let signed: Vec<&str> =
            input["signed_headers"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        let mut request = request(input);
        assert_eq!(string_to_sign(&request, &signed), vector.expect["string_to_sign"], "{}", vector.id);
        sign(&mut request, &signed, &secret);
        assert_eq!(request.headers()["x-ca-signature"], vector.expect["x_ca_signature"].as_str().unwrap());
        assert_eq!(
            request.headers()["x-ca-signature-headers"],
            vector.expect["x_ca_signature_headers"].as_str().unwrap()
        );
        verify(&request, &secret).unwrap();
    });
}

/// ART-N1, ART-N2: S3-006. The text that the published sample prints, and blank lines for absent headers, are refused.
#[test]
fn wrong_signatures() {
    each("artemis_signature_negative", 2, |vector| {
        let secret = Credential::from(vector.input["app_secret"].as_str().unwrap());
        let mut request = request(&vector.input);
        let wrong = vector.input["wrong_signature"].as_str().unwrap();
        request.headers_mut().insert("x-ca-signature", wrong.parse().unwrap());
        assert_eq!(verify(&request, &secret).unwrap_err().code(), "PE-SRC-006", "{}", vector.id);
    });
}

fn rules(config: &Value) -> HikCentralRules {
    let mut rules = HikCentralRules::default();
    for (code, door) in config["doors"].as_object().unwrap() {
        rules.passage.doors.insert(code.clone(), serde_json::from_value(door["direction"].clone()).unwrap());
    }
    let types = config["granted_event_types"].as_array().unwrap().iter().map(|code| code.as_i64().unwrap());
    rules.event_types = EventTypes::of(types);
    assert_eq!(rules.event_types, EventTypes::default(), "the defaults are those of the vectors");
    rules.isc_zero_is_out = config["isc_zero_is_out"] == true;
    rules
}

fn person(key: &PersonKey) -> Value {
    json!({ "scheme": key.scheme.as_str(), "value": key.value })
}

/// A passage in the words of the vectors.
pub(crate) fn told(passage: &Passage) -> Value {
    let at = passage.at.with_timezone(&Utc);
    let mut told = json!({
        "disposition": "punch", "event_id": passage.event_id.as_str(), "employee": person(&passage.employee),
        "at_utc": at.to_rfc3339_opts(SecondsFormat::AutoSi, true), "at_original": &*passage.at_original,
        "direction": passage.direction.as_str(), "direction_source": passage.direction_source.as_str(),
        "method": passage.method.as_str(),
        "device": { "id": passage.device.id, "name": passage.device.name, "reader": passage.device.reader },
    });
    for key in &passage.other_keys {
        told["alt_ids"][key.scheme.as_str()] = key.value.as_str().into();
    }
    told
}

fn word(reading: &Reading) -> Value {
    match reading {
        Reading::Punch(passage) => told(passage),
        other => json!({
            "disposition": other.word(), "event_id": other.event_id().map(|id| id.as_str()), "reason": other.reason(),
        }),
    }
}

/// Takes each passage once, as whoever stores them does.
fn once(readings: Vec<Reading>) -> Vec<Reading> {
    let mut seen = BTreeSet::new();
    let once = |reading: Reading| match &reading {
        Reading::Punch(passage) if !seen.insert(passage.event_id.clone()) => {
            let event_id = Some(passage.event_id.clone());
            Reading::Dropped { event_id, reason: DropReason::Duplicate }
        }
        _ => reading,
    };
    readings.into_iter().map(once).collect()
}

/// HCP-01, 03, 05, 06, 07, 09, ISC-02 to 04: S3-003, S3-022, S3-036.
#[test]
fn notifications() {
    each("hik_notification", 9, |vector| {
        let readings = read_notification(vector.input.to_string().as_bytes(), &rules(&vector.config)).unwrap();
        let found: Vec<_> = once(readings).iter().map(word).collect();
        assert_eq!(json!(found), vector.expect, "{}", vector.id);
    });
}

/// HCP-11.
#[test]
fn who_may_push() {
    each("hik_receiver_auth", 1, |vector| {
        for (case, expected) in vector.input.as_array().unwrap().iter().zip(vector.expect.as_array().unwrap()) {
            let token = case["configured"].as_str().map(Credential::from);
            match Receiver::new(token, false) {
                Ok(receiver) => {
                    let admitted = receiver.admits(case["header_token"].as_str().map(str::as_bytes));
                    assert_eq!(expected, if admitted { 200 } else { 401 });
                }
                Err(error) => {
                    assert_eq!(
                        (error.key(), expected),
                        ("token", &json!("config_error_unless_insecure_receiver_allowed"))
                    );
                    assert!(Receiver::new(None, true).unwrap().admits(None));
                }
            }
        }
    });
}

/// HCP-12.
#[test]
fn a_bad_event_costs_no_neighbour() {
    each("hik_receiver_reply", 1, |vector| {
        let readings = read_notification(vector.input.to_string().as_bytes(), &HikCentralRules::default()).unwrap();
        let stored: Vec<_> =
            readings.iter().filter_map(Reading::passage).map(|passage| passage.event_id.as_str()).collect();
        let held: Vec<_> = readings
            .iter()
            .filter(|reading| reading.word() == "quarantine")
            .map(|reading| json!({ "event_id": reading.event_id().unwrap().as_str(), "reason": reading.reason() }))
            .collect();
        assert_eq!(
            (json!(stored), json!(held)),
            (vector.expect["stored"].clone(), vector.expect["quarantined"].clone())
        );
        assert_eq!(serde_json::from_str::<Value>(Receiver::OK).unwrap(), vector.expect["body"]);
    });
}

/// HCP-P1, HCP-P2: S3-023.
#[test]
fn pages() {
    each("hik_poll_response", 2, |vector| {
        let body = &vector.input["body"];
        let response = HttpResponse::new(Bytes::from(body.to_string()));
        let (page, size) = (body["data"]["pageNo"].as_u64().unwrap(), vector.input["page_size"].as_u64().unwrap());
        let mut world = World::new();
        let query = DoorEventQuery::new(at("2026-01-27T00:00:00Z"), at("2026-01-28T00:00:00Z"), vec![196_893]);
        let call = DoorEvents::new(&world.site.clone(), query, 1, 2, world.stamp());
        let read = call.response(&response).unwrap();
        assert_eq!(vector.expect["events"], read.len());
        let (page, size) = (u32::try_from(page).unwrap(), u16::try_from(size).unwrap());
        let seen = u64::from((page - 1) * u32::from(size)) + u64::try_from(read.len()).unwrap();
        assert_eq!(vector.expect["next_page"], json!(read.next_page(page, size, seen)), "{}", vector.id);
        assert_eq!(
            read.readings(&HikCentralRules::default()).iter().filter(|row| row.passage().is_some()).count(),
            read.len()
        );
    });
}

/// HCP-E01 to HCP-E13: S3-035, S3-038.
#[test]
fn error_codes() {
    each("hik_error_class", 10, |vector| {
        let body = vector.input["body"].to_string();
        let code = ArtemisCode::of(body.as_bytes()).unwrap();
        let found = json!({ "class": code.class().as_str(), "action": code.class().action(&code).as_str() });
        assert_eq!(found, vector.expect, "{}", vector.id);
        // Whatever the code says, status 200 is no success.
        let call = punch_erp::hikcentral::GetVersion::new(&HikCentral::new(settings()).unwrap(), World::new().stamp());
        call.response(&HttpResponse::new(Bytes::from(body))).unwrap_err();
    });
}
