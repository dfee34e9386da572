//! Events of a time sent once more: under their own ids, beside what is new, over a restart, until somebody ends it.

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use punch_webhook::PayloadFormat;
use serde_json::{Value, json};

use crate::harness::{API_KEY, Recorder, Site, endpoint, eventually};

fn rows(count: u32) -> String {
    (0..count).map(|number| format!("{}\t2026-03-02 08:00:00\t0\t1\t0\n", 1001 + number)).collect()
}

async fn set_state(site: &Site, state: &str) {
    let request = site.request("PATCH", "/v1/webhooks/1").bearer_auth(API_KEY);
    let request = request.header("Content-Type", "application/json").body(json!({ "state": state }).to_string());
    assert_eq!(site.call(request).await.0, 200);
}

async fn replay(site: &Site, body: Value) -> Value {
    let (status, answer) = site.post("/v1/webhooks/1/replay", body).await;
    assert_eq!(status, 202, "{answer}");
    answer["data"].clone()
}

async fn job(site: &Site, id: u64) -> Value {
    site.get(&format!("/v1/jobs/{id}")).await.1["data"].clone()
}

async fn ended(site: &Site, id: u64) -> Value {
    eventually("the replay ends", async || {
        let job = job(site, id).await;
        (job["state"] != "running").then_some(job)
    })
    .await
}

/// S2-013, S2-093: every event of the time once more, in order and under its own id.
#[tokio::test]
async fn a_replay_sends_the_events_of_a_time_again_under_their_own_ids() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    site.punch(&rows(30)).await;
    site.delivered_all().await;
    let began = replay(&site, json!({ "since": "2020-01-01T00:00:00Z" })).await;
    assert_eq!((&began["state"], &began["total"]), (&json!("running"), &json!(30)));
    let job = ended(&site, 1).await;
    let counts = ["taken", "delivered", "failed", "waiting"].map(|name| job[name].as_u64().unwrap());
    assert_eq!((&job["state"], counts), (&json!("done"), [30, 30, 0, 0]));
    assert!(job["ended_at"].is_string());
    let seen = receiver.seen();
    assert_eq!((seen.len(), receiver.event_ids().len()), (60, 30));
    assert!(seen[30..].iter().all(|seen| seen.header("webhook-attempt") == "2"));
    // Nothing was made before then, and what comes later is not in it. The published names of the bounds do too.
    let began = replay(&site, json!({ "from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00+01:00" })).await;
    assert_eq!(began["total"], 0);
    assert_eq!(ended(&site, 2).await["state"], "done");
    assert_eq!(receiver.seen().len(), 60);
}

/// An endpoint that came later, and one that gave up some.
#[tokio::test]
async fn a_replay_makes_what_was_never_made_and_can_keep_to_what_was_given_up() {
    let refusing = Recorder::start(|number| match number {
        0 | 1 => StatusCode::BAD_REQUEST.into_response(),
        _ => StatusCode::OK.into_response(),
    })
    .await;
    let late = Recorder::always(200).await;
    let site = Site::delivering_to(&refusing).await;
    site.punch(&rows(6)).await;
    eventually("all are settled", async || {
        (site.ask::<i64>("SELECT count(*) FROM delivery WHERE state = 'waiting'").await == 0).then_some(())
    })
    .await;
    let began = replay(&site, json!({ "since": "2020-01-01T00:00:00Z", "only_failed": true })).await;
    assert_eq!(began["total"], 2);
    assert_eq!(ended(&site, 1).await["delivered"], 2);
    assert_eq!((refusing.seen().len(), refusing.event_ids().len()), (8, 6));

    let body = json!({ "url": late.url(), "events": ["attendance.punch"] });
    assert_eq!(site.post("/v1/webhooks", body).await.0, 201);
    let (_, began) = site.post("/v1/webhooks/2/replay", json!({ "since": "2020-01-01T00:00:00Z" })).await;
    ended(&site, began["data"]["id"].as_u64().unwrap()).await;
    assert_eq!((late.event_ids(), late.seen().len()), (refusing.event_ids(), 6));
    let devices = json!({ "since": "2020-01-01T00:00:00Z", "types": ["device.status"] });
    assert_eq!(replay(&site, devices).await["total"], 0);
}

/// It goes on where it stood, and what was on its way when the gateway stopped is sent.
#[tokio::test]
async fn a_replay_goes_on_after_a_restart_and_can_be_ended() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    site.punch(&rows(20)).await;
    site.delivered_all().await;
    set_state(&site, "paused").await;
    replay(&site, json!({ "since": "2020-01-01T00:00:00Z" })).await;
    let standing = eventually("it has begun", async || {
        let job = job(&site, 1).await;
        (job["waiting"] == 4).then_some(job)
    })
    .await;
    assert_eq!((&standing["taken"], &standing["state"]), (&json!(4), &json!("running")));
    let (status, answer) = site.post("/v1/webhooks/1/replay", json!({ "since": "2020-01-01T00:00:00Z" })).await;
    assert_eq!((status, &answer["error"]["code"]), (409, &json!("conflict")), "one at a time");

    let site = site.restart(|_| ()).await;
    assert_eq!(job(&site, 1).await["state"], "running");
    set_state(&site, "active").await;
    let done = ended(&site, 1).await;
    assert_eq!((&done["state"], &done["delivered"]), (&json!("done"), &json!(20)));
    assert_eq!((receiver.seen().len(), receiver.event_ids().len()), (40, 20));

    set_state(&site, "paused").await;
    replay(&site, json!({ "since": "2020-01-01T00:00:00Z" })).await;
    let cancel = || site.request("DELETE", "/v1/jobs/2").bearer_auth(API_KEY);
    let (status, cancelled) = site.call(cancel()).await;
    assert_eq!((status, &cancelled["data"]["state"]), (200, &json!("cancelled")));
    assert_eq!(site.call(cancel()).await.0, 409);
    set_state(&site, "active").await;
    site.delivered_all().await;
    let resent = receiver.seen().len() - 40;
    assert!(resent <= 4, "{resent} of what was on its way");

    // An endpoint that nobody wants any more has no replay either.
    set_state(&site, "paused").await;
    replay(&site, json!({ "since": "2020-01-01T00:00:00Z" })).await;
    let remove = site.request("DELETE", "/v1/webhooks/1").bearer_auth(API_KEY);
    assert!(site.call(remove).await.0 < 300);
    assert_eq!(job(&site, 3).await["state"], "cancelled");
}

/// Half of an endpoint's budget is always there for what is new: it does not stand behind a long replay.
#[tokio::test]
async fn a_punch_does_not_wait_for_a_replay() {
    let receiver = Recorder::slow(std::time::Duration::from_millis(20)).await;
    let site = Site::delivering_to(&receiver).await;
    site.punch(&rows(200)).await;
    site.delivered_all().await;
    replay(&site, json!({ "since": "2020-01-01T00:00:00Z" })).await;
    eventually("it is at work", async || (receiver.seen().len() > 210).then_some(())).await;
    // Of somebody who is in the replay too.
    let before = receiver.seen().len();
    site.punch("1200\t2026-03-02 17:00:00\t1\t1\t0\n").await;
    let came = eventually("the punch came", async || {
        let seen = receiver.seen();
        seen.iter().position(|seen| seen.json()["timestamp"] == "2026-03-02T17:00:00Z")
    })
    .await;
    assert_eq!(job(&site, 1).await["state"], "running", "it came while the replay was at work");
    assert!(came - before < 60, "{} went before it", came - before);
    assert_eq!(ended(&site, 1).await["delivered"], 200);
}

#[tokio::test]
async fn a_replay_that_cannot_be_names_the_field_at_fault() {
    let site = Site::start(|config| config.endpoints.push(endpoint("http://127.0.0.1:9/", PayloadFormat::Flat))).await;
    let since = "2026-01-01T00:00:00Z";
    for (body, field) in [
        (json!({}), "since"),
        (json!({ "since": "yesterday" }), "since"),
        (json!({ "since": since, "until": since }), "until"),
        (json!({ "since": since, "types": ["x"] }), "types"),
        (json!({ "since": since, "types": ["attendance.revised"] }), "types"),
        (json!({ "since": since, "speed": 9 }), "speed"),
    ] {
        let (status, answer) = site.post("/v1/webhooks/1/replay", body.clone()).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)), "{body}: {answer}");
    }
    assert_eq!(site.post("/v1/webhooks/2/replay", json!({ "since": since })).await.0, 404);
    assert_eq!(site.get("/v1/jobs/1").await.0, 404);
    assert_eq!(site.call(site.request("DELETE", "/v1/jobs/1").bearer_auth(API_KEY)).await.0, 404);
}
