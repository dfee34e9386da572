//! What holds for every route, asked of each that the document of the API has.

use gateway::clock::now;
use serde_json::{Value, json};

use crate::api::check_error;
use crate::api_keys::make;
use crate::harness::{API_KEY, Operation, Site};
use crate::idempotent::call as call_with_key;
use crate::rate_limit::{call, limits, number};

/// S0-080. The router has no route beside those that the document is made of, and serves each of these.
#[tokio::test]
async fn the_document_has_every_route_and_every_route_is_in_the_document() {
    let router = include_str!("../../src/api/mod.rs");
    assert!(
        !router.contains(".route(") && !router.contains("axum::routing"),
        "a route that the document does not have"
    );
    let site = Site::start(|_| ()).await;
    let contract = site.contract().await;
    assert!(contract.operations.len() >= 61, "{}", contract.operations.len());
    for operation in &contract.operations {
        let Operation { method, template, .. } = operation;
        let response = call(&site, method, &operation.path()).await;
        let status = response.status().as_u16();
        let says = operation.value["responses"].as_object().unwrap();
        assert!(says.contains_key(&status.to_string()), "{method} {template}: {status}");
        assert_ne!(status, 405, "{method} {template}");
        let text = response.text().await.unwrap();
        // A thing that is not there is named; a route that is not there would be, too.
        assert!(!text.contains("There is no such route"), "{method} {template}");
    }
    let (status, document) = site.call(site.request("GET", "/openapi.json")).await;
    assert_eq!((status, &document["openapi"]), (200, &json!("3.1.0")));
}

/// S2-081, S1-017: and no key is repeated.
#[tokio::test]
async fn every_route_with_data_asks_for_the_key() {
    let site = Site::start(|_| ()).await;
    let open = ["/livez", "/readyz", "/metrics", "/openapi.json"];
    for operation in &site.contract().await.operations {
        let (method, path) = (&operation.method, operation.path());
        assert_eq!(operation.is_guarded(), !open.contains(&path.as_str()), "{path}");
        if !operation.is_guarded() {
            assert!(site.request(method, &path).send().await.unwrap().status().is_success(), "{path}");
            continue;
        }
        let (status, none) = site.call(site.request(method, &path)).await;
        assert_eq!(status, 401, "{method} {path}");
        check_error(&none, "unauthorized");
        for key in ["wrong", "", &API_KEY[1..], &format!("{API_KEY}x")] {
            let (status, wrong) = site.call(site.request(method, &path).bearer_auth(key)).await;
            assert_eq!(status, 401, "{method} {path} with {key:?}");
            check_error(&wrong, "unauthorized");
            assert!(key.is_empty() || !wrong.to_string().contains(key), "the key is not repeated");
        }
        let basic = site.request(method, &path).basic_auth("user", Some(API_KEY));
        assert_eq!(site.call(basic).await.0, 401);
    }
}

/// The scopes that the document tells are those that are let in.
#[tokio::test]
async fn every_route_lets_in_the_scopes_it_names_and_no_others() {
    let site = Site::start(|_| ()).await;
    for scope in ["read", "write", "admin", "inspector"] {
        let (_, key) = make(&site, scope, scope).await;
        for operation in site.contract().await.guarded() {
            let (method, path) = (&operation.method, operation.path());
            let may = operation.value["x-scopes"].as_array().unwrap().contains(&json!(scope));
            let status = site.request(method, &path).bearer_auth(&key).send().await.unwrap().status();
            assert_eq!(status != 403, may, "{scope}: {method} {path} is {status}");
        }
    }
}

/// S2-054, S2-055: whatever is asked and whatever is answered.
#[tokio::test]
async fn every_answer_says_how_many_calls_are_left() {
    let site = Site::start(|config| config.calls = limits(1000, 1_000_000)).await;
    let midnight = (now().timestamp() / 86_400 + 1) * 86_400;
    let mut left = 1000;
    for operation in site.contract().await.guarded() {
        let (method, path) = (&operation.method, operation.path());
        let response = call(&site, method, &path).await;
        assert_eq!(number(&response, "x-ratelimit-limit"), 1000, "{method} {path}");
        left -= i64::from(!is_of_agent(&path));
        assert_eq!(number(&response, "x-ratelimit-remaining"), left, "{method} {path}");
        // The day may change while this runs.
        assert!([midnight, midnight + 86_400].contains(&number(&response, "x-ratelimit-reset")), "{method} {path}");
    }
    for (path, status) in [("/v1/nothing", 404), ("/v1/devices", 401)] {
        let response = site.request("GET", path).send().await.unwrap();
        assert_eq!((response.status().as_u16(), number(&response, "x-ratelimit-limit")), (status, 1000), "{path}");
        assert_eq!(number(&response, "x-ratelimit-remaining"), 1000, "{path}");
    }
    let wrong_method = call(&site, "PUT", "/v1/devices").await;
    assert_eq!((wrong_method.status().as_u16(), number(&wrong_method, "x-ratelimit-limit")), (405, 1000));
}

/// What an agent brings and asks of terminals is what terminals do, and is not counted: S2-060.
fn is_of_agent(path: &str) -> bool {
    ["/punches", "/clock", "/probe", "/steps", "/steps/take", "/steps/results"].iter().any(|end| path.ends_with(end))
}

/// S2-056, S2-057, S2-058: with a time to come again, and an error object.
#[tokio::test]
async fn every_route_refuses_a_call_too_many_and_says_when_to_come_again() {
    let site = Site::start(|config| config.calls = limits(1, 1_000_000)).await;
    assert_eq!(call(&site, "GET", "/v1/sites").await.status(), 200);
    for operation in site.contract().await.guarded() {
        let (method, path) = (&operation.method, operation.path());
        if is_of_agent(&path) {
            continue;
        }
        let response = call(&site, method, &path).await;
        assert_eq!(response.status(), 429, "{method} {path}");
        assert!(number(&response, "retry-after") >= 1, "{method} {path}");
        check_error(&serde_json::from_str(&response.text().await.unwrap()).unwrap(), "rate_limited");
    }
}

/// S2-011, S2-045: none is left out, whatever it answers.
#[tokio::test]
async fn every_mutation_takes_a_key() {
    let site = Site::start(|_| ()).await;
    let mut mutations = 0;
    for operation in site.contract().await.guarded().filter(|operation| operation.changes()) {
        let (method, path) = (operation.method.as_str(), operation.path());
        let named = operation.value["parameters"].as_array().unwrap().iter();
        assert_eq!(named.filter(|parameter| parameter["name"] == "Idempotency-Key").count(), 1, "{method} {path}");
        mutations += 1;
        let key = format!("key-{mutations}");
        let (status, first, is_repeat) = call_with_key(&site, method, &path, &key, json!({})).await;
        assert!(status < 500 && !is_repeat, "{method} {path}: {status} {first}");
        let (again, second, is_repeat) = call_with_key(&site, method, &path, &key, json!({})).await;
        assert_eq!((again, second, is_repeat), (status, first, true), "{method} {path}");
        let (status, answer, _) = call_with_key(&site, method, &path, &key, json!({ "other": 1 })).await;
        assert_eq!((status, &answer["error"]["code"]), (422, &json!("idempotency_key_reused")), "{method} {path}");
    }
    assert!(mutations >= 25, "{mutations}");
}

/// Something that a filter, or another parameter, can be.
fn example(schema: &Value) -> String {
    let schema = schema["anyOf"].get(0).unwrap_or(schema);
    if let Some(word) = schema["enum"].get(0) {
        return word.as_str().unwrap().to_owned();
    }
    match (schema["type"].as_str().unwrap(), schema["format"].as_str()) {
        ("integer", _) => "1".to_owned(),
        (_, Some("date")) => "2026-03-28".to_owned(),
        (_, Some("date-time")) => "2026-03-28T08:00:00Z".to_owned(),
        _ => "T1".to_owned(),
    }
}

/// S2-074, S2-075, S2-076, S2-077: pages, a cursor, every filter and every order, of every list.
#[tokio::test]
async fn every_list_has_pages_a_cursor_filters_and_an_order() {
    let site = Site::start(|_| ()).await;
    let contract = site.contract().await;
    let body = json!({ "command": "info", "devices": ["T1"] });
    assert_eq!(site.post("/v1/commands", body).await.0, 202, "a job and a command, whose steps are lists");
    let webhook = json!({ "url": "https://127.0.0.1:9/1", "events": ["attendance.punch"] });
    assert_eq!(site.post("/v1/webhooks", webhook).await.0, 201, "an endpoint, whose deliveries are a list");
    let mut lists = 0;
    for operation in contract.guarded().filter(|operation| !operation.changes()) {
        let path = operation.path();
        let schema = operation.value.pointer("/responses/200/content/application~1json/schema/$ref");
        let Some(name) = schema.and_then(Value::as_str).and_then(|name| name.strip_prefix('#')) else { continue };
        if contract.document.pointer(name).unwrap()["properties"]["data"]["type"] != "array" {
            continue;
        }
        lists += 1;
        let names: Vec<&str> = operation.query().map(|(name, _)| name).collect();
        for name in ["page", "per_page", "cursor", "sort"] {
            assert!(names.contains(&name), "{path} has no {name}");
        }
        assert!(names.len() > 4, "{path} has no filter");
        let (status, answer) = site.get(&format!("{path}?page=7&per_page=1")).await;
        let meta = &answer["meta"];
        assert_eq!((status, &meta["page"], &meta["per_page"]), (200, &json!(7), &json!(1)), "{path}: {answer}");
        assert!(answer["data"].as_array().unwrap().is_empty() && meta["next_cursor"].is_null(), "{path}: {answer}");
        for (name, schema) in operation.query().filter(|(name, _)| !["page", "per_page", "cursor"].contains(name)) {
            let words = schema["enum"].as_array().map(Vec::as_slice).unwrap_or_default();
            let words: Vec<String> = words.iter().map(|word| word.as_str().unwrap().to_owned()).collect();
            let values = if words.is_empty() { vec![example(schema)] } else { words };
            for value in values {
                let is_in_path = path.contains("/T1/") && name == "device_id";
                let (status, answer) = site.get(&format!("{path}?{name}={value}")).await;
                assert_eq!(status, if is_in_path { 400 } else { 200 }, "{path}?{name}={value}: {answer}");
            }
        }
        for (query, field) in [
            ("color=red", "color"),
            ("sort=color", "sort"),
            ("per_page=0", "per_page"),
            ("per_page=201", "per_page"),
            ("page=0", "page"),
            ("page=1&page=2", "page"),
            ("cursor=GONE", "cursor"),
        ] {
            let (status, answer) = site.get(&format!("{path}?{query}")).await;
            assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)), "{path}?{query}: {answer}");
        }
    }
    assert!(lists >= 12, "{lists}");
}

/// The reference page shows what the document says, and loads nothing from elsewhere.
#[tokio::test]
async fn the_reference_page_has_every_operation_and_loads_nothing_from_elsewhere() {
    let site = Site::start(|_| ()).await;
    let response = site.request("GET", "/docs").send().await.unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(response.status() == 200 && policy.starts_with("default-src 'none'"), "{policy}");
    let page = response.text().await.unwrap();
    for Operation { method, template, .. } in &site.contract().await.operations {
        assert!(page.contains(&format!("{method} {template}<")), "{method} {template}");
    }
    for outside in ["src=\"http", "href=\"http", "@import", "<script"] {
        assert!(!page.contains(outside), "{outside}");
    }
    let anchors = page.split("href=\"#object-").skip(1).map(|rest| rest.split('"').next().unwrap());
    for anchor in anchors {
        assert!(page.contains(&format!("id=\"object-{anchor}\"")), "{anchor}");
    }
}
