//! The API: who may ask, what refusals look like, and what is shown to whom.

use serde_json::{Value, json};

use crate::harness::{API_KEY, Recorder, Site};

/// S2-090: every refusal says what, where, and where to read on.
pub(crate) fn check_error(answer: &Value, code: &str) {
    let error = answer["error"].as_object().unwrap_or_else(|| panic!("{answer}"));
    let keys: Vec<&str> = error.keys().map(String::as_str).collect();
    assert_eq!(keys, ["code", "doc_url", "field", "message", "request_id"]);
    assert_eq!(error["code"], code);
    assert!(error["message"].as_str().unwrap().ends_with('.'), "{answer}");
    assert!(error["doc_url"].as_str().unwrap().ends_with(&format!("#{code}")), "{answer}");
    assert!(error["request_id"].as_str().unwrap().starts_with("req_"), "{answer}");
}

#[tokio::test]
async fn unknown_routes_and_methods_are_refused_with_the_error_object() {
    let site = Site::start(|_| ()).await;
    for path in ["/v1/nothing", "/v2/devices", "/favicon.ico", "/v1/attendance/evt_1/more"] {
        let (status, answer) = site.get(path).await;
        assert_eq!(status, 404, "{path}");
        check_error(&answer, "not_found");
    }
    // S2-080: and so is what is not there.
    for path in ["/v1/attendance/evt_unknown", "/v1/devices/NOBODY", "/v1/commands/99", "/v1/quarantine/evt_1"] {
        let (status, answer) = site.get(path).await;
        assert_eq!(status, 404, "{path}");
        check_error(&answer, "not_found");
    }
    let (status, answer) = site.get("/v1/commands/first").await;
    assert_eq!((status, &answer["error"]["field"]), (400, &json!("id")));
    for (method, path) in [("DELETE", "/v1/webhooks"), ("DELETE", "/v1/employees"), ("POST", "/livez")] {
        let response = site.request(method, path).bearer_auth(API_KEY).send().await.unwrap();
        assert_eq!(response.status(), 405, "{method} {path}");
        assert!(response.headers().contains_key("allow"), "{method} {path}");
        let text = response.text().await.unwrap();
        check_error(&serde_json::from_str(&text).unwrap(), "method_not_allowed");
    }
}

/// S1-018, S1-041, S2-043, S2-044.
#[tokio::test]
async fn a_registration_that_cannot_work_names_the_field_at_fault() {
    let site = Site::start(|config| config.delivery.allow_http = false).await;
    let url = "https://example.com/webhook";
    let events = json!(["attendance.punch"]);
    let cases = [
        (json!({ "events": events }), "url"),
        (json!({ "url": url }), "events"),
        (json!({ "url": url, "events": events, "secrets": "x" }), "secrets"),
        (json!({ "url": 7, "events": events }), "url"),
        (json!({ "url": url, "events": "attendance.punch" }), "events"),
        (json!({ "url": "http://example.com/", "events": events }), "url"),
        (json!({ "url": "ftp://example.com/", "events": events }), "url"),
        (json!({ "url": "https://user:pass@example.com/", "events": events }), "url"),
        (json!({ "url": "example.com", "events": events }), "url"),
        (json!({ "url": url, "events": [] }), "events"),
        (json!({ "url": url, "events": ["attendance.punched"] }), "events"),
        (json!({ "url": url, "events": events, "secret": "" }), "secret"),
        (json!({ "url": url, "events": events, "payload_format": "xml" }), "payload_format"),
        (json!({ "url": url, "events": events, "schedule": "daily" }), "schedule"),
    ];
    for (body, field) in cases {
        let (status, answer) = site.post("/v1/webhooks", body.clone()).await;
        assert_eq!(status, 400, "{body}");
        check_error(&answer, "validation_failed");
        assert_eq!(answer["error"]["field"], field, "{body}: {answer}");
    }
    let not_json = site.request("POST", "/v1/webhooks").bearer_auth(API_KEY).header("Content-Type", "application/json");
    let (status, answer) = site.call(not_json.body("{")).await;
    assert_eq!(status, 400);
    check_error(&answer, "validation_failed");
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM endpoint").await, 0);
}

#[tokio::test]
async fn a_http_url_is_taken_only_where_the_deployment_allows_it() {
    let site = Site::start(|_| ()).await;
    let (status, _) =
        site.post("/v1/webhooks", json!({ "url": "http://127.0.0.1:9/", "events": ["attendance.punch"] })).await;
    assert_eq!(status, 201);
}

/// S2-036, contracts.md: a secret is made when none is given, serves both schemes, and is shown once.
#[tokio::test]
async fn a_secret_is_made_once_and_never_shown_again() {
    let receiver = Recorder::always(200).await;
    let site = Site::start(|_| ()).await;
    let body = json!({ "url": receiver.url(), "events": ["attendance.punch"] });
    let (status, made) = site.post("/v1/webhooks", body).await;
    assert_eq!(status, 201);
    let secret = made["data"]["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_") && secret.len() == "whsec_".len() + 44, "base64 of 32 bytes");
    assert_eq!(made["data"]["signatures"], json!(["punchconnect", "standard"]));
    let (_, listed) = site.get("/v1/webhooks").await;
    assert!(!listed.to_string().contains(&secret[6..]), "{listed}");

    let body = json!({ "url": "http://127.0.0.1:9/given", "events": ["attendance.punch"], "secret": "chosen by hand" });
    let (_, given) = site.post("/v1/webhooks", body).await;
    assert_eq!((&given["data"]["secret"], &given["data"]["signatures"]), (&Value::Null, &json!(["punchconnect"])));

    // And it is the one that signs.
    site.punch("1001\t2026-03-28 08:47:12\t0\t1\n").await;
    crate::harness::eventually("the punch arrives", async || (!receiver.seen().is_empty()).then_some(())).await;
    let verifier = punch_webhook::Verifier::new(&punch_webhook::Secret::new(secret).unwrap());
    let seen = &receiver.seen()[0];
    let headers = || seen.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    verifier.verify_punchconnect(headers(), &seen.body).unwrap();
    verifier.verify_standard(headers(), &seen.body, gateway::clock::now()).unwrap();
}

/// S2-074, S2-077.
#[tokio::test]
async fn lists_come_in_pages_under_one_envelope() {
    let site = Site::start(|_| ()).await;
    let rows: String = (0..5).map(|person| format!("{}\t2026-03-28 08:47:12\t0\t1\n", 1001 + person)).collect();
    site.punch(&rows).await;
    site.upload("T1", "ATTLOG", "a\nb\nc\nd\ne\n").await;
    for person in 2..6 {
        site.post("/v1/devices", json!({ "serial_number": format!("T{person}") })).await;
        let body = json!({ "url": format!("http://127.0.0.1:9/{person}"), "events": ["attendance.punch"] });
        site.post("/v1/webhooks", body).await;
    }
    site.post("/v1/webhooks", json!({ "url": "http://127.0.0.1:9/6", "events": ["attendance.punch"] })).await;
    for path in ["/v1/attendance", "/v1/quarantine", "/v1/devices", "/v1/webhooks"] {
        let mut seen = Vec::new();
        for (page, expected) in [(1, 2), (2, 2), (3, 1), (4, 0)] {
            let (status, list) = site.get(&format!("{path}?page={page}&per_page=2")).await;
            assert_eq!(status, 200, "{path}");
            let data = list["data"].as_array().unwrap();
            assert_eq!(data.len(), expected, "{path} page {page}");
            assert_eq!((&list["meta"]["page"], &list["meta"]["per_page"]), (&json!(page), &json!(2)), "{path}");
            assert!(list["meta"]["request_id"].as_str().unwrap().starts_with("req_"), "{path}");
            seen.extend(data.iter().map(ToString::to_string));
        }
        let (_, whole) = site.get(path).await;
        let whole: Vec<String> = whole["data"].as_array().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(seen, whole, "{path}: the pages are the list");
        for wrong in ["per_page=0", "per_page=201", "page=0", "page=x", "per_page=-1"] {
            let (status, answer) = site.get(&format!("{path}?{wrong}")).await;
            assert_eq!(status, 400, "{path}?{wrong}");
            check_error(&answer, "validation_failed");
        }
        assert_eq!(site.get(&format!("{path}?per_page=200")).await.0, 200);
    }
}

/// S1-023: a terminal is added by its serial number and what it is, once.
#[tokio::test]
async fn a_terminal_is_added_once_with_its_model() {
    let site = Site::start(|_| ()).await;
    let new = json!({ "serial_number": "NEW1", "model": "SpeedFace-V5L" });
    let (status, added) = site.post("/v1/devices", new.clone()).await;
    assert_eq!((status, &added["data"]["model"]), (201, &json!("SpeedFace-V5L")));
    let (status, again) = site.post("/v1/devices", new).await;
    assert_eq!((status, &again["error"]["field"]), (409, &json!("serial_number")));
    check_error(&again, "conflict");
    let site = site.restart(|_| ()).await;
    assert_eq!(site.get("/v1/devices/NEW1").await.1["data"]["model"], "SpeedFace-V5L");
    let (status, answer) = site.post("/v1/devices", json!({ "serial_number": "NEW2", "model": "x".repeat(101) })).await;
    assert_eq!((status, &answer["error"]["field"]), (400, &json!("model")));
}

#[tokio::test]
async fn a_serial_or_badge_that_cannot_be_is_refused() {
    let site = Site::start(|_| ()).await;
    for serial in ["", "../../etc/passwd", "BAD SN", &"x".repeat(65)] {
        let (status, answer) = site.post("/v1/devices", json!({ "serial_number": serial })).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!("serial_number")), "{serial}");
    }
    let (status, answer) = site.post("/v1/employees", json!({ "badge_number": "  " })).await;
    assert_eq!((status, &answer["error"]["field"]), (400, &json!("badge_number")));
}

/// Health needs no key; readiness means that a row could be made durable now.
#[tokio::test]
async fn health_needs_no_key_and_names_nobody() {
    let site = Site::start(|_| ()).await;
    site.punch("7700771\t2026-03-28 08:47:12\t0\t1\njunk 7700771\n").await;
    for (path, body) in [("/livez", "live\n"), ("/readyz", "ready\n")] {
        let response = site.request("GET", path).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.text().await.unwrap(), body);
    }
}
