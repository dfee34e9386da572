//! The vectors, case by case.

use bytes::Bytes;
use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use punch_erp::successfactors::{
    Access, CallBudget, CallRules, CreateTimeEvents, NewTimeEvent, RequestToken, Session, SuccessFactors,
    SuccessFactorsSettings, TimeEventId, Token, TypeCodes, WriteTimeEvents, plan_calls,
};
use punch_erp::{CallError, Endpoint as _, HttpRequest, HttpResponse, Outcome, drive};
use punch_normalize::EventId;
use punch_webhook::ReceivedPunch;
use serde_json::{Value, json};

use super::world::{at, settings};

/// The vectors of these types, by id.
pub(super) fn vectors(types: &[&str]) -> Vec<(String, Value)> {
    let all = include_str!("../../data/successfactors-vectors.jsonl").lines();
    let all = all.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let wanted = all.filter(|vector| types.iter().any(|kind| vector["type"] == *kind));
    let wanted: Vec<_> = wanted.map(|vector| (vector["id"].as_str().unwrap().to_owned(), vector)).collect();
    assert!(!wanted.is_empty(), "{types:?}");
    wanted
}

pub(super) fn vector(id: &str) -> Value {
    let all = include_str!("../../data/successfactors-vectors.jsonl").lines();
    let mut all = all.map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.find(|vector| vector["id"] == *id).unwrap()
}

pub(super) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// The request is the expected one: method, address, the headers named, and the body to the byte.
pub(super) fn check_request(request: &HttpRequest, expected: &Value, id: &str) {
    assert_eq!(request.method().as_str(), text(expected, "/method"), "{id}");
    if let Some(url) = expected["url"].as_str() {
        assert_eq!(request.uri(), url, "{id}");
    }
    for (name, value) in expected["headers"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap().replace("<access_token>", "T1");
        assert_eq!(request.headers().get(name).unwrap(), value.as_str(), "{id}: {name}");
    }
    if let Some(headers) = expected["headers"].as_object() {
        assert_eq!(request.headers().len(), headers.len(), "{id}: {:?}", request.headers());
    }
    let body = expected["body"].as_str().map_or_else(|| in_order(&expected["body"]), str::to_owned);
    assert_eq!(core::str::from_utf8(request.body()).unwrap(), body, "{id}");
}

/// JSON without blanks, the fields in the order of the vectors, which a map of this crate does not keep.
fn in_order(value: &Value) -> String {
    const ORDER: [&str; 21] = [
        "__metadata",
        "uri",
        "type",
        "externalCode",
        "id",
        "assignmentId",
        "typeCode",
        "timestamp",
        "terminalId",
        "timeTypeCode",
        "userId",
        "startDate",
        "endDate",
        "startTime",
        "endTime",
        "timeType",
        "eventDate",
        "eventTime",
        "eventType",
        "terminal",
        "last",
    ];
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(in_order).collect::<Vec<_>>().join(",")),
        Value::Object(fields) => {
            let place = |name: &String| {
                let is_sample = fields.contains_key("eventDate") && name == "terminalId";
                if is_sample { 19 } else { ORDER.iter().position(|known| *known == name.as_str()).unwrap() }
            };
            let mut names: Vec<_> = fields.keys().collect();
            names.sort_by_key(|name| place(name));
            let field = |name: &&String| format!("{}:{}", json!(name), in_order(&fields[name.as_str()]));
            format!("{{{}}}", names.iter().map(field).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

/// A punch as a vector describes it, at a site with this offset.
fn punch(input: &Value, offset: &str) -> ReceivedPunch {
    let mut punch = crate::world::punch(
        text(input, "/event_id"),
        text(input, "/employee_id"),
        text(input, "/at_utc"),
        text(input, "/direction"),
    );
    punch.device_serial = Some(text(input, "/device_serial").to_owned());
    let offset: FixedOffset = if offset.is_empty() { "+00:00" } else { offset }.parse().unwrap();
    punch.local_time = Some(punch.at.with_timezone(&offset));
    punch
}

fn tenant(config: &Value) -> SuccessFactors {
    let mut settings = settings();
    if let Some(server) = config["api_server"].as_str() {
        settings.api_server = server.to_owned();
    }
    let code = |name: &str| config["codes"][name].as_str().map(str::to_owned);
    settings.codes = TypeCodes::new(code("in").unwrap(), code("out").unwrap());
    settings.codes.unknown = code("unknown");
    SuccessFactors::new(settings).unwrap()
}

/// SF-01 to SF-04. S0-045 and S0-049: assignment and terminal; S0-070: the site's time; S0-048: unknown is parked.
#[test]
fn requests() {
    for (id, vector) in vectors(&["sf_time_events_request"]) {
        let offset = text(&vector, "/config/offset");
        let punches: Vec<_> = vector["input"].as_array().unwrap().iter().map(|input| punch(input, offset)).collect();
        let now = at("2026-03-28T18:00:00Z");
        let session = Session::default().with_token(Token::new("T1", Some(TimeDelta::hours(1))), now);
        let mut sent = Vec::new();
        let mut flow = WriteTimeEvents::new(&tenant(&vector["config"]), &punches, now).with_session(session);
        let outcomes = drive(&mut flow, |request| {
            sent.push(request);
            Ok(HttpResponse::new(Bytes::from_static(br#"{"succeededTimeEvents":[],"failedTimeEvents":[]}"#)))
        });
        match sent.as_slice() {
            [request] => check_request(request, &vector["expect"], &id),
            several => {
                assert!(several.is_empty() && vector["expect"]["request"].is_null(), "{id}");
                assert_eq!(outcomes[0].reason(), Some("unknown_direction"), "{id}");
                assert_eq!(vector["expect"]["reason"], "direction_unknown");
            }
        }
    }
}

/// SF-05: at most 1000 a call and 200 of one, in order.
#[test]
fn chunks() {
    let vector = vector("SF-05");
    let tenant = SuccessFactors::new(settings()).unwrap();
    let mut events = Vec::new();
    for (assignment, count) in vector["input"]["counts_by_assignment"].as_object().unwrap() {
        for number in 0..count.as_i64().unwrap() {
            let time = at("2026-03-01T00:00:00Z") + TimeDelta::minutes(number);
            let mut punch =
                crate::world::punch(&format!("evt_{assignment}_{number}"), "1", "2026-03-01T00:00:00Z", "in");
            (punch.badge, punch.at) = (assignment.clone(), time);
            events.push(NewTimeEvent::of(&tenant, &punch, at("2026-04-01T00:00:00Z")).unwrap());
        }
    }
    let calls = plan_calls(events);
    let counted = calls.iter().map(|call| {
        let mut counts = serde_json::Map::new();
        for event in call {
            let count = counts.get(&event.assignment_id).and_then(Value::as_u64).unwrap_or(0);
            counts.insert(event.assignment_id.clone(), json!(count + 1));
        }
        Value::Object(counts)
    });
    assert_eq!(Value::Array(counted.collect()), vector["expect"]["calls"]);
    assert_eq!(json!(CreateTimeEvents::MAX_EVENTS), vector["expect"]["max_events_per_call"]);
    assert_eq!(json!(CreateTimeEvents::MAX_EVENTS_OF_ONE), vector["expect"]["max_per_assignment_per_call"]);
}

fn response(input: &Value) -> HttpResponse {
    let body = if input["body"].is_null() { String::new() } else { input["body"].to_string() };
    let mut response = http::Response::builder().status(u16::try_from(input["status"].as_u64().unwrap()).unwrap());
    for (name, value) in input["headers"].as_object().into_iter().flatten() {
        response = response.header(name, value.as_str().unwrap());
    }
    response.body(Bytes::from(body)).unwrap()
}

/// The outcome of each sent id, in the order they were sent. The vector's ids stand for ours.
fn outcomes_of(vector: &Value) -> Vec<(String, Outcome)> {
    let tenant = SuccessFactors::new(settings()).unwrap();
    let now = at("2026-03-28T18:00:00Z");
    let names: Vec<String> =
        vector["sent"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    let punches: Vec<_> =
        names.iter().map(|name| crate::world::punch(name, "1001", "2026-03-28T08:00:00Z", "in")).collect();
    let mut body = vector["input"]["body"].to_string();
    for name in &names {
        let id = TimeEventId::of(&EventId::parse(name).unwrap());
        body = body.replace(&format!("\"id\":\"{name}\""), &format!("\"id\":\"{id}\""));
    }
    let mut input = vector["input"].clone();
    input["body"] = serde_json::from_str(&body).unwrap();
    let session = Session::default().with_token(Token::new("T1", Some(TimeDelta::hours(1))), now);
    let outcomes = drive(&mut WriteTimeEvents::new(&tenant, &punches, now).with_session(session), |request| {
        let is_token = request.uri().path() == "/oauth2/token";
        Ok(if is_token {
            HttpResponse::new(Bytes::from_static(br#"{"access_token":"T2","expires_in":3600}"#))
        } else {
            response(&input)
        })
    });
    names.into_iter().zip(outcomes).collect()
}

/// SF-06 to SF-13. S0-051: what is success, and what the rest leads to.
#[test]
fn answers() {
    for (id, vector) in vectors(&["sf_time_events_response"]) {
        for (name, outcome) in outcomes_of(&vector) {
            let all = &vector["expect"]["all"];
            let expected = if all.is_null() { &vector["expect"][&name] } else { all };
            let reason = outcome.reason();
            match text(expected, "/outcome") {
                "accepted" => assert_eq!(outcome, Outcome::Applied { remote_id: text(expected, "/remote_id").into() }),
                "duplicate_ok" => assert_eq!(outcome.word(), "already", "{id}"),
                "rejected" => assert_eq!((outcome.word(), reason), ("parked", Some("refused")), "{id}"),
                "unknown" => assert_eq!((outcome.word(), reason), ("retry", Some("unconfirmed")), "{id}"),
                // A call of one event cannot be divided: it is to blame.
                "rejected_batch" => assert_eq!((outcome.word(), reason), ("parked", Some("refused")), "{id}"),
                "auth" => assert_eq!((outcome.word(), reason), ("retry", Some("unauthorized")), "{id}"),
                "permission" => assert_eq!((outcome.word(), reason), ("retry", Some("forbidden")), "{id}"),
                "throttled" => assert_eq!((outcome.word(), reason), ("retry", Some("busy")), "{id}"),
                "transient" => assert_eq!(outcome.word(), "retry", "{id}"),
                other => panic!("{id}: {other}"),
            }
            if let Some(seconds) = expected["retry_after_s"].as_i64() {
                let Outcome::Retry { after, .. } = outcome else { panic!("{id}") };
                assert_eq!(after, Some(TimeDelta::seconds(seconds)), "{id}");
            }
        }
    }
}

/// SF-26 to SF-28: every value of the form is escaped.
#[test]
fn token_requests() {
    for (id, vector) in vectors(&["sf_token_request", "sf_ias_token_request"]) {
        let input = |name: &str| vector["input"][name].as_str().map(str::to_owned);
        let mut settings = settings();
        if let Some(ias) = input("ias") {
            let (client, secret) = (input("client_id").unwrap(), input("client_secret").unwrap());
            settings = settings.with_ias(ias, client, secret.as_str(), input("dependency").unwrap());
        }
        if let Some(company) = input("company_id") {
            settings = settings.with_saml(company, input("client_id").unwrap());
        }
        let tenant = SuccessFactors::new(settings).unwrap();
        let call = match (input("assertion_b64"), input("id_token")) {
            (Some(assertion), _) => RequestToken::saml(&tenant, assertion),
            (None, Some(id_token)) => RequestToken::ias_exchange(&tenant, id_token),
            (None, None) => RequestToken::ias(&tenant),
        };
        check_request(&call.request(), &vector["expect"], &id);
    }
}

/// SF-29: renewed 60 s before its end; what is no token is told apart from a refusal.
#[test]
fn token_answers() {
    let vector = vector("SF-29");
    let tenant = SuccessFactors::new(settings()).unwrap();
    let expected = vector["expect"].as_array().unwrap();
    for (input, expected) in vector["input"].as_array().unwrap().iter().zip(expected) {
        let found = RequestToken::ias(&tenant).response(&response(input));
        match text(expected, "/outcome") {
            "token" => assert_eq!(json!(found.unwrap().renew_after().num_seconds()), expected["renew_after_s"]),
            "auth" => assert!(matches!(found, Err(CallError::Unauthorized(_))), "{found:?}"),
            "malformed" => assert!(matches!(found, Err(CallError::Unreadable { .. })), "{found:?}"),
            other => panic!("{other}"),
        }
    }
}

/// SF-30, S0-050: Basic is refused unless it is forced.
#[test]
fn basic_is_refused() {
    let vector = vector("SF-30");
    let mut basic = SuccessFactorsSettings::new("https://api55.sapsf.eu", "P10", "P20").with_basic("u", "ACME", "p");
    basic.force_basic = vector["input"]["force"].as_bool().unwrap();
    let errors = SuccessFactors::new(basic.clone()).unwrap_err();
    assert_eq!(errors.iter().map(|error| error.code()).collect::<Vec<_>>(), ["PE-CONF-007"]);
    assert!(errors.to_string().contains(text(&vector, "/expect/config_error")));
    basic.force_basic = true;
    let tenant = SuccessFactors::new(basic).unwrap();
    let request = CreateTimeEvents::new(&tenant, &Access::Basic, Vec::new()).request();
    assert_eq!(request.headers()["authorization"], "Basic dUBBQ01FOnA=");
}

/// SF-31: the interval makes 288 calls of a day's 300.
#[test]
fn a_day_of_calls() {
    let vector = vector("SF-31");
    let rules = CallRules::default();
    assert_eq!(json!(rules.flush_interval.num_seconds()), vector["input"]["flush_interval_s"]);
    assert_eq!(json!(rules.min_gap.num_seconds()), vector["input"]["min_gap_s"]);
    assert_eq!(json!(rules.daily_cap), vector["input"]["daily_cap"]);
    let (mut budget, start): (_, DateTime<Utc>) = (CallBudget::default(), at("2026-03-28T00:00:00Z"));
    let (mut now, mut calls) = (start, 0);
    loop {
        now = budget.due_at(1, &rules, now);
        if now >= start + TimeDelta::days(1) {
            break;
        }
        budget.note_call(now);
        calls += 1;
    }
    assert_eq!(json!(calls), vector["expect"]["scheduled_calls_per_day"]);
    assert_eq!(json!(rules.daily_cap - calls), vector["expect"]["spare"]);
}
