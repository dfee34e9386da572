//! Endpoints and deliveries over the API: looked at, stopped, changed, removed, and made again.

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use punch_webhook::PayloadFormat;
use serde_json::{Value, json};

use crate::harness::{API_KEY, Recorder, Seen, Site, endpoint, eventually};

pub(crate) async fn patch(site: &Site, id: u64, body: Value) -> (u16, Value) {
    let request = site.request("PATCH", &format!("/v1/webhooks/{id}")).bearer_auth(API_KEY);
    site.call(request.header("Content-Type", "application/json").body(body.to_string())).await
}

fn row(minute: u32) -> String {
    format!("7\t2026-03-02 08:{minute:02}:00\t0\t1\t0\n")
}

async fn deliveries(site: &Site, query: &str) -> Vec<Value> {
    let (status, answer) = site.get(&format!("/v1/deliveries{query}")).await;
    assert_eq!(status, 200, "{answer}");
    answer["data"].as_array().unwrap().clone()
}

/// S1-051 to S1-055: the request, the answer, how long it took and what was tried; and once more with one call.
#[tokio::test]
async fn a_delivery_is_shown_with_what_was_sent_and_answered_and_made_again() {
    let receiver = Recorder::start(|number| match number {
        0 => (StatusCode::UNPROCESSABLE_ENTITY, "no\u{7} such employee").into_response(),
        _ => StatusCode::OK.into_response(),
    })
    .await;
    let site = Site::delivering_to(&receiver).await;
    site.punch(&row(0)).await;
    eventually("it is given up", async || {
        (site.ask::<i64>("SELECT count(*) FROM delivery WHERE state = 'failed'").await == 1).then_some(())
    })
    .await;
    let failed = deliveries(&site, "?state=failed").await;
    let [failed] = failed.as_slice() else { panic!("{failed:?}") };
    let id = failed["id"].as_u64().unwrap();
    let (_, shown) = site.get(&format!("/v1/deliveries/{id}")).await;
    let shown = &shown["data"];
    assert_eq!((&shown["event_type"], &shown["attempts"]), (&json!("attendance.punch"), &json!(1)));
    assert_eq!(shown["body"], receiver.seen()[0].json());
    let attempt = &shown["attempt_log"][0];
    assert_eq!((&attempt["status"], &attempt["response"]), (&json!(422), &json!("no such employee")));
    assert!(attempt["millis"].as_i64().is_some_and(|millis| millis >= 0));

    let path = format!("/v1/deliveries/{id}/resend");
    let (status, again) = site.post(&path, json!({})).await;
    assert_eq!((status, &again["data"]["state"]), (202, &json!("waiting")));
    site.delivered_all().await;
    let seen = receiver.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].json()["event_id"], seen[1].json()["event_id"]);
    assert_eq!(seen[1].json()["metadata"]["delivery_attempt"], 2, "its attempts are counted on");
    // S1-051: byte for byte, each attempt.
    let (_, shown) = site.get(&format!("/v1/deliveries/{id}")).await;
    let bodies: Vec<&str> =
        shown["data"]["attempt_log"].as_array().unwrap().iter().map(|line| line["body"].as_str().unwrap()).collect();
    assert_eq!(bodies, [0, 1].map(|attempt| core::str::from_utf8(&seen[attempt].body).unwrap()));
    // What was delivered can be sent again too; S2-013: it has the same identity.
    assert_eq!(site.post(&path, json!({})).await.0, 202);
    eventually("it came once more", async || (receiver.seen().len() == 3).then_some(())).await;
    assert_eq!(receiver.event_ids().len(), 1);
    assert_eq!(site.post("/v1/deliveries/999/resend", json!({})).await.0, 404);
    assert_eq!(site.get("/v1/deliveries?state=lost").await.0, 400);
}

#[tokio::test]
async fn a_paused_endpoint_gets_nothing_and_then_everything() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    let (status, paused) = patch(&site, 1, json!({ "state": "paused" })).await;
    assert_eq!((status, &paused["data"]["state"]), (200, &json!("paused")));
    for minute in 0..5 {
        site.punch(&row(minute)).await;
    }
    let conflict = deliveries(&site, "").await[0]["id"].as_u64().unwrap();
    let (status, answer) = site.post(&format!("/v1/deliveries/{conflict}/resend"), json!({})).await;
    assert_eq!((status, &answer["error"]["code"]), (409, &json!("conflict")));
    // A pause is a pause after a restart too.
    let url = receiver.url();
    let site = site.restart(|config| config.endpoints.push(endpoint(&url, PayloadFormat::Nested))).await;
    assert_eq!((receiver.seen().len(), deliveries(&site, "?state=waiting").await.len()), (0, 5));
    assert_eq!(patch(&site, 1, json!({ "state": "active" })).await.0, 200);
    site.delivered_all().await;
    let times: Vec<String> =
        receiver.seen().iter().map(|seen| seen.json()["timestamp"].as_str().unwrap().to_owned()).collect();
    assert!(times.len() == 5 && times.is_sorted(), "{times:?}");
    for (body, field) in [
        (json!({ "state": "asleep" }), "state"),
        (json!({ "events": ["x"] }), "events"),
        (json!({ "payload_format": "xml" }), "payload_format"),
        (json!({ "schedule": "never" }), "schedule"),
    ] {
        let (status, answer) = patch(&site, 1, body).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)));
    }
    assert_eq!(patch(&site, 9, json!({})).await.0, 404);
}

#[tokio::test]
async fn a_removed_endpoint_gets_nothing_and_what_waits_for_it_stays() {
    let (gone, stays) = (Recorder::always(200).await, Recorder::always(200).await);
    let site = Site::start(|config| {
        config.endpoints =
            vec![endpoint(&gone.url(), PayloadFormat::Nested), endpoint(&stays.url(), PayloadFormat::Nested)];
    })
    .await;
    patch(&site, 1, json!({ "state": "paused" })).await;
    site.punch(&row(0)).await;
    let (status, _) = site.call(site.request("DELETE", "/v1/webhooks/1").bearer_auth(API_KEY)).await;
    assert_eq!(status, 200);
    site.punch(&row(1)).await;
    eventually("the other one has both", async || (stays.seen().len() == 2).then_some(())).await;
    assert_eq!(gone.seen().len(), 0);
    assert_eq!(deliveries(&site, "?endpoint_id=1").await.len(), 1, "what was made stays, and no more is made");
    let (_, listed) = site.get("/v1/webhooks").await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert_eq!(site.get("/v1/webhooks/1").await.0, 404);
    // Registered anew, it gets what waited.
    let body = json!({ "url": gone.url(), "events": ["attendance.punch"], "secret": crate::harness::SECRET });
    assert_eq!(site.post("/v1/webhooks", body).await.0, 201);
    eventually("what waited came", async || (gone.seen().len() == 1).then_some(())).await;
}

#[tokio::test]
async fn a_test_event_goes_to_one_endpoint_alone() {
    let (one, other) = (Recorder::always(200).await, Recorder::always(200).await);
    let site = Site::start(|config| {
        config.endpoints =
            vec![endpoint(&one.url(), PayloadFormat::Flat), endpoint(&other.url(), PayloadFormat::Nested)];
    })
    .await;
    let (status, sent) = site.post("/v1/webhooks/1/test", json!({})).await;
    assert_eq!(status, 202);
    site.delivered_all().await;
    assert_eq!((one.seen().len(), other.seen().len()), (1, 0));
    let body = one.seen()[0].json();
    assert_eq!((&body["event"], &body["event_id"]), (&json!("webhook.test"), &sent["data"]["event_id"]));
}

/// Receivers that nobody can reach ask for the same events, in order, and miss none.
#[tokio::test]
async fn events_can_be_fetched_behind_a_cursor() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    for minute in 0..7 {
        site.punch(&row(minute)).await;
    }
    let (mut cursor, mut fetched) = (0, Vec::new());
    loop {
        let (_, answer) = site.get(&format!("/v1/events?after={cursor}&limit=3")).await;
        let events = answer["data"]["events"].as_array().unwrap().clone();
        if events.is_empty() {
            break;
        }
        cursor = answer["data"]["cursor"].as_u64().unwrap();
        fetched.extend(events);
    }
    site.delivered_all().await;
    let sent: Vec<Value> = receiver.seen().iter().map(Seen::json).collect();
    assert_eq!(fetched, sent);
    let waiting = site.get("/v1/events?after=7&wait=20&types=attendance.punch");
    let ((_, later), ()) = tokio::join!(waiting, async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        site.punch(&row(9)).await;
    });
    assert_eq!(later["data"]["events"].as_array().unwrap().len(), 1);
    assert_eq!(site.get("/v1/events?types=device.status").await.1["data"]["events"], json!([]));
    for (query, field) in
        [("limit=0", "limit"), ("wait=31", "wait"), ("types=x", "types"), ("after=x", "after"), ("before=1", "before")]
    {
        let (status, answer) = site.get(&format!("/v1/events?{query}")).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)));
    }
}

/// S1-051, S1-054: found by when, by what and by where from; and nothing that is no filter is taken for one.
#[tokio::test]
async fn deliveries_are_found_by_time_type_and_terminal() {
    let receiver = Recorder::always(200).await;
    let site = Site::start(|config| {
        config.devices.push(crate::harness::device("T2"));
        config.endpoints.push(endpoint(&receiver.url(), PayloadFormat::Nested));
    })
    .await;
    site.punch(&row(0)).await;
    assert_eq!(site.upload("T2", "ATTLOG", row(9)).await.body, "OK: 1");
    assert_eq!(site.post("/v1/webhooks/1/test", json!({})).await.0, 202);
    site.delivered_all().await;
    // The first was made on the first of March.
    assert_eq!(site.edit("UPDATE delivery SET created_at = 1772323200000 WHERE id = 1").await, 1);
    for (query, expected) in [
        ("?until=2026-03-01T00:00:00Z", &[][..]),
        ("?until=2026-03-01T00:00:01Z", &[1]),
        ("?since=2026-03-01T00:00:00Z&until=2026-03-02T00:00:00%2B01:00", &[1]),
        ("?since=2026-03-01T00:00:01Z", &[3, 2]),
        ("?event_type=webhook.test", &[3]),
        ("?device=T2", &[2]),
        ("?device=T1&event_type=attendance.punch&state=delivered", &[1]),
        ("?device=T3", &[]),
    ] {
        let found: Vec<u64> = deliveries(&site, query).await.iter().map(|row| row["id"].as_u64().unwrap()).collect();
        assert_eq!(found, expected, "{query}");
    }
    for (query, field) in [
        ("since=yesterday", "since"),
        ("until=2026-03-01", "until"),
        ("since=2026-03-02T00:00:00Z&until=2026-03-02T00:00:00Z", "until"),
        ("serial=T1", "serial"),
    ] {
        let (status, answer) = site.get(&format!("/v1/deliveries?{query}")).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)));
    }
}

/// S1-051: whoever looks why a receiver refused sees what it was given; what may be a key stays out of it.
#[tokio::test]
async fn each_attempt_shows_the_headers_it_sent_and_no_value_of_the_endpoints_own() {
    let receiver =
        Recorder::start(|number| (if number == 0 { StatusCode::UNAUTHORIZED } else { StatusCode::OK }).into_response())
            .await;
    let site = Site::start(|config| {
        let mut one = endpoint(&receiver.url(), PayloadFormat::Nested);
        one.options.headers.insert("Authorization".to_owned(), "Bearer canary".to_owned());
        config.endpoints.push(one);
    })
    .await;
    site.punch(&row(0)).await;
    site.attempts(1).await;
    assert_eq!(site.post("/v1/deliveries/1/resend", json!({})).await.0, 202);
    site.delivered_all().await;
    let (_, shown) = site.get("/v1/deliveries/1").await;
    let log = shown["data"]["attempt_log"].as_array().unwrap();
    let seen = receiver.seen();
    for (attempt, seen) in log.iter().zip(&seen) {
        let headers = attempt["request_headers"].as_object().unwrap();
        assert_eq!(headers["authorization"], "(not kept)");
        for (name, value) in headers.iter().filter(|(name, _)| *name != "authorization") {
            assert_eq!(value, seen.header(name), "{name}");
        }
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature", "x-punchconnect-signature", "content-type"]
        {
            assert!(headers.contains_key(name), "{name}");
        }
    }
    assert_eq!(log.len(), 2);
    assert!(!shown.to_string().contains("canary"));
    let kept: String = site.ask("SELECT string_agg(headers, ',') FROM attempt").await;
    assert!(!kept.contains("canary"), "{kept}");
}

/// S1-051, S1-055: under the endpoint they are of, too.
#[tokio::test]
async fn the_deliveries_of_an_endpoint_are_listed_and_sent_again_under_it() {
    let (one, other) = (Recorder::always(200).await, Recorder::always(200).await);
    let site = Site::start(|config| {
        let to = |receiver: &Recorder| endpoint(&receiver.url(), PayloadFormat::Nested);
        config.endpoints.extend([to(&one), to(&other)]);
    })
    .await;
    site.punch(&row(0)).await;
    site.delivered_all().await;
    let (_, all) = site.get("/v1/deliveries").await;
    let (status, of_one) = site.get("/v1/webhooks/1/deliveries?state=delivered").await;
    assert_eq!((status, &all["meta"]["total"], &of_one["meta"]["total"]), (200, &json!(2), &json!(1)), "{of_one}");
    let delivery = &of_one["data"][0];
    assert_eq!((&delivery["endpoint_id"], &delivery["url"]), (&json!(1), &json!(one.url())));
    let again = |endpoint: u64| format!("/v1/webhooks/{endpoint}/deliveries/{}/resend", delivery["id"]);
    assert_eq!(site.post(&again(2), json!({})).await.0, 404, "it is of the other one");
    assert_eq!(site.post(&again(1), json!({})).await.0, 202);
    site.delivered_all().await;
    assert_eq!((one.seen().len(), other.seen().len(), one.event_ids().len()), (2, 1, 1));
    for (path, expected) in [("/v1/webhooks/9/deliveries", 404), ("/v1/webhooks/1/deliveries?endpoint_id=2", 400)] {
        assert_eq!(site.get(path).await.0, expected, "{path}");
    }
}
