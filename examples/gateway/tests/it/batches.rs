//! Several events in one request, for endpoints that ask for it.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use gateway::config::{Batch, Config, EndpointConfig};
use punch_webhook::{BatchBody, PayloadFormat, ReceivedEvent, Secret, Verifier};
use serde_json::{Value, json};

use crate::harness::{API_KEY, Recorder, SECRET, Seen, Site, endpoint, eventually};

fn batched(receiver: &Recorder, batch: Batch) -> EndpointConfig {
    let mut endpoint = endpoint(&receiver.url(), PayloadFormat::Nested);
    endpoint.options.batch = Some(batch);
    endpoint
}

async fn patch(site: &Site, body: Value) -> (u16, Value) {
    let request = site.request("PATCH", "/v1/webhooks/1").bearer_auth(API_KEY);
    site.call(request.header("Content-Type", "application/json").body(body.to_string())).await
}

/// A site whose endpoint has so many punches of each of so many people waiting, which then go out.
async fn drained(receiver: &Recorder, batch: Batch, people: u32, minutes: u32) -> Site {
    let site = Site::start(|config| config.endpoints.push(batched(receiver, batch))).await;
    assert_eq!(patch(&site, json!({ "state": "paused" })).await.0, 200);
    for minute in 0..minutes {
        let row = |person| format!("{}\t2026-03-02 08:{:02}:00\t0\t1\n", 1001 + person, minute * 2);
        site.punch(&(0..people).map(row).collect::<String>()).await;
    }
    assert_eq!(patch(&site, json!({ "state": "active" })).await.0, 200);
    site
}

fn lists(receiver: &Recorder) -> Vec<Vec<Value>> {
    receiver.seen().iter().map(|seen| serde_json::from_slice(&seen.body).unwrap()).collect()
}

/// Design 6: signed as a whole, each event as it would be alone, in order per person, with a log of its own.
#[tokio::test]
async fn a_backlog_goes_out_in_signed_lists_in_order_per_person() {
    let receiver = Recorder::always(200).await;
    let site = drained(&receiver, Batch { max_events: 30, ..Batch::default() }, 10, 20).await;
    site.delivered_all().await;
    let lists = lists(&receiver);
    assert!(lists.iter().all(|list| list.len() <= 30) && lists.len() < 20, "{:?}", lists.len());
    let mut times = BTreeMap::<String, Vec<String>>::new();
    for event in lists.iter().flatten() {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        times.entry(text(&event["employee"]["badge_number"])).or_default().push(text(&event["timestamp"]));
    }
    assert!(times.len() == 10 && times.values().all(|times| times.len() == 20 && times.is_sorted()), "{times:?}");

    let verifier = Verifier::new(&Secret::new(SECRET).unwrap());
    for Seen { headers, body } in receiver.seen() {
        let verified = verifier.verify(&headers, &body, gateway::clock::now()).unwrap();
        let each = verified.each().unwrap();
        assert_eq!(headers["webhook-batch"], each.len().to_string());
        assert!(headers["webhook-id"].to_str().unwrap().starts_with("batch_"));
        for one in each {
            assert!(matches!(one.event().unwrap(), ReceivedEvent::Punch(_)));
        }
    }
    // The body in the log of one event is its own, byte for byte its part of the list.
    let id: i64 = site.ask("SELECT max(id) FROM delivery").await;
    let (_, shown) = site.get(&format!("/v1/deliveries/{id}")).await;
    let attempt = &shown["data"]["attempt_log"][0];
    let (body, batch) = (attempt["body"].as_str().unwrap(), attempt["request_headers"]["webhook-id"].as_str().unwrap());
    let seen = receiver.seen();
    let of_it = seen.iter().find(|seen| seen.header("webhook-id") == batch).unwrap();
    assert!(core::str::from_utf8(&of_it.body).unwrap().contains(body));
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM attempt").await, 200);
}

/// What does not fit into the bytes goes with the next one, and an event longer than that goes alone.
#[tokio::test]
async fn no_list_is_longer_than_its_limit() {
    let receiver = Recorder::always(200).await;
    let site = drained(&receiver, Batch { max_bytes: 4_096, ..Batch::default() }, 40, 3).await;
    site.delivered_all().await;
    let seen = receiver.seen();
    assert!(seen.iter().all(|seen| seen.body.len() <= 4_096));
    let events: usize = lists(&receiver).iter().map(Vec::len).sum();
    assert_eq!(events, 120, "each once");
    assert!(seen.len() < 60, "{}", seen.len());
    let attempts: i64 = site.ask("SELECT max(attempts) FROM delivery").await;
    assert_eq!(attempts, 1, "what was given back was not tried");
}

/// A receiver that refuses a list for one bad event in it gets the others.
#[tokio::test]
async fn one_bad_event_fails_alone() {
    let receiver = Recorder::judging(|body| {
        let list: Vec<Value> = serde_json::from_slice(body).unwrap();
        let is_bad = list.iter().any(|event| event["employee"]["badge_number"] == "1013");
        (if is_bad { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }).into_response()
    })
    .await;
    let site = drained(&receiver, Batch::default(), 32, 1).await;
    eventually("all are settled", async || {
        (site.ask::<i64>("SELECT count(*) FROM delivery WHERE state = 'waiting'").await == 0).then_some(())
    })
    .await;
    let failed = site.ask_all(
        "SELECT row.person FROM delivery JOIN event ON event.seq = event JOIN row ON row.id = event.id
         WHERE delivery.state = 'failed'",
    );
    assert_eq!(failed.await, ["1013"]);
    assert!(receiver.seen().len() <= 11, "{}", receiver.seen().len());
    // Those that were halved have every refusal in their own log.
    let logged: i64 = site.ask("SELECT count(*) FROM attempt WHERE status = 422").await;
    assert_eq!(logged, 32 + 16 + 8 + 4 + 2 + 1);
}

/// A list that is sent again as it was has the same id, so that whoever goes by it is not misled.
#[tokio::test]
async fn the_id_of_a_list_is_that_of_its_events() {
    let receiver = Recorder::always(200).await;
    let site = drained(&receiver, Batch::default(), 20, 1).await;
    site.delivered_all().await;
    for seen in receiver.seen() {
        let list: Vec<Value> = serde_json::from_slice(&seen.body).unwrap();
        let mut batch = BatchBody::new(BatchBody::MAX_BYTES);
        for event in &list {
            let id = punch_normalize::EventId::parse(event["event_id"].as_str().unwrap()).unwrap();
            assert!(batch.push(&id, b"{}"));
        }
        assert_eq!(batch.finish().unwrap().0.as_str(), seen.header("webhook-id"));
    }
}

/// A list that fails is one failure; each event of it is on record and waits by itself.
#[tokio::test]
async fn a_list_that_fails_leaves_each_event_with_its_own_attempt() {
    let receiver = Recorder::always(503).await;
    let site = drained(&receiver, Batch::default(), 12, 1).await;
    site.attempts(12).await;
    assert_eq!(receiver.seen().len(), 1);
    assert_eq!(site.ask_all("SELECT state || attempts FROM delivery").await, ["waiting1"; 12]);
    let distinct: i64 = site.ask("SELECT count(DISTINCT not_before) FROM delivery").await;
    assert!(distinct > 1, "each has its own time");
    assert_eq!(site.get("/v1/webhooks/1").await.1["data"]["state"], "healthy", "one failure, not twelve");
}

#[tokio::test]
async fn batches_and_rates_are_set_by_file_and_by_call() {
    let receiver = Recorder::always(200).await;
    let text = |batch: &str| {
        format!(
            "[delivery]\nallow_http = true\nallow_private_targets = true\n[[endpoint]]\nurl = \"{}\"\nsecret = \"{SECRET}\"\n\
             {batch}",
            receiver.url()
        )
    };
    let of = |batch: &str| Config::parse(&text(batch)).unwrap().endpoints[0].options.clone();
    assert_eq!(of("").batch, None);
    assert_eq!(of("batch = false\n").batch, None);
    assert_eq!(of("batch = true\n").batch, Some(Batch { max_events: 500, max_bytes: 262_144 }));
    assert_eq!(of("batch = { max_events = 7 }\n").batch, Some(Batch { max_events: 7, max_bytes: 262_144 }));
    let rates = of("max_requests_per_second = 5\nmax_events_per_second = 0\n");
    assert_eq!(rates.max_requests_per_second.map(|rate| rate.get()), Some(5));
    assert_eq!(rates.max_events_per_second, None);
    for (bad, key) in [
        ("batch = 7\n", "batch"),
        ("batch = { max_events = 501 }\n", "endpoint[1].batch.max_events"),
        ("batch = { max_bytes = 10 }\n", "endpoint[1].batch.max_bytes"),
        ("batch = { size = 10 }\n", "endpoint[1].batch.size"),
        ("max_events_per_second = 100001\n", "endpoint[1].max_events_per_second"),
    ] {
        let error = Config::parse(&text(bad)).unwrap_err().to_string();
        assert!(error.contains(key), "{bad}: {error}");
    }

    let site = Site::start(|config| config.endpoints.push(endpoint(&receiver.url(), PayloadFormat::Nested))).await;
    let (_, shown) = patch(&site, json!({ "batch": true, "max_events_per_second": 200 })).await;
    assert_eq!(shown["data"]["batch"], json!({ "max_events": 500, "max_bytes": 262_144 }));
    let (_, shown) = patch(&site, json!({ "batch": { "max_events": 9 } })).await;
    assert_eq!(
        (&shown["data"]["batch"]["max_events"], &shown["data"]["max_events_per_second"]),
        (&json!(9), &json!(200))
    );
    let (_, shown) = patch(&site, json!({ "batch": false, "max_events_per_second": 0 })).await;
    assert_eq!((&shown["data"]["batch"], &shown["data"]["max_events_per_second"]), (&Value::Null, &Value::Null));
    for (body, field) in [
        (json!({ "batch": { "max_events": 0 } }), "batch"),
        (json!({ "batch": { "max_bytes": 262_145 } }), "batch"),
        (json!({ "max_requests_per_second": 100_001 }), "max_requests_per_second"),
    ] {
        let (status, answer) = patch(&site, body).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)), "{answer}");
    }
    let (status, _) = patch(&site, json!({ "batch": { "size": 3 } })).await;
    assert_eq!(status, 400);
}

/// A rate of its own holds one endpoint and no other, and everything arrives.
#[tokio::test]
async fn an_endpoint_gets_no_more_in_a_second_than_it_asked_for() {
    let (slow, fast) = (Recorder::always(200).await, Recorder::always(200).await);
    let site = Site::start(|config| {
        let mut limited = endpoint(&slow.url(), PayloadFormat::Nested);
        limited.options.max_requests_per_second = core::num::NonZeroU32::new(10);
        config.endpoints = vec![limited, endpoint(&fast.url(), PayloadFormat::Nested)];
    })
    .await;
    let rows = (0..25).map(|person| format!("{}\t2026-03-02 08:00:00\t0\t1\n", 1001 + person));
    site.punch(&rows.collect::<String>()).await;
    site.delivered_all().await;
    assert_eq!((slow.event_ids().len(), fast.event_ids().len()), (25, 25));
    // By our own clock: of any eleven in a row the first and the last are a second apart.
    let began = site.ask_all(
        "SELECT CAST(at AS TEXT) FROM attempt JOIN delivery d ON d.id = delivery WHERE endpoint = 1 ORDER BY at",
    );
    let began: Vec<i64> = began.await.iter().map(|at| at.parse().unwrap()).collect();
    assert!(began.last().unwrap() - began.first().unwrap() >= 2_300, "{began:?}");
    let others: BTreeSet<String> = fast.event_ids();
    assert_eq!(others, slow.event_ids());
}
