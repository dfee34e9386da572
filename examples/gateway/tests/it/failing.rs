//! An endpoint takes no events: others are told, once an hour, and never with what its URL may hide.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use chrono::TimeDelta;
use punch_webhook::PayloadFormat;
use serde_json::json;

use crate::harness::{Recorder, SECRET, Site, eventually};

fn rows(count: u32) -> String {
    (0..count).map(|number| format!("{}\t2026-03-02 08:00:00\t0\t1\t0\n", 1001 + number)).collect()
}

async fn subscribe(site: &Site, url: &str, event: &str) {
    let body = json!({ "url": url, "events": [event], "secret": SECRET });
    assert_eq!(site.post("/v1/webhooks", body).await.0, 201);
}

async fn settled(site: &Site, state: &'static str, count: i64) {
    eventually("the deliveries stand so", async || {
        let states = site.ask_all("SELECT state FROM delivery WHERE endpoint = 1").await;
        let found = states.iter().filter(|found| *found == state).count();
        (i64::try_from(found) == Ok(count)).then_some(())
    })
    .await;
}

/// S2-028: what is given up is told to whoever asked for it by name; to nobody else, and not for every single event.
#[tokio::test]
async fn a_delivery_that_is_given_up_is_told_to_another_endpoint_once_an_hour() {
    let (refusing, told, bystander) =
        (Recorder::always(400).await, Recorder::always(200).await, Recorder::always(200).await);
    let site = Site::start(|_| ()).await;
    subscribe(&site, &format!("{}?token=s3cret", refusing.url()), "attendance.punch").await;
    subscribe(&site, &told.url(), "webhook.failing").await;
    subscribe(&site, &bystander.url(), "enrollment.created").await;
    site.punch(&rows(5)).await;
    settled(&site, "failed", 5).await;
    eventually("it is told", async || (!told.seen().is_empty()).then_some(())).await;
    let event = told.seen()[0].json();
    assert_eq!((&event["event_type"], &event["endpoint"]["id"]), (&json!("webhook.failing"), &json!("1")));
    assert_eq!(event["endpoint"]["host"], "127.0.0.1");
    assert!(!event.to_string().contains("s3cret"), "{event}");
    // Again within the hour, and after it.
    site.punch("1001\t2026-03-02 17:00:00\t1\t1\t0\n").await;
    settled(&site, "failed", 6).await;
    assert_eq!((told.seen().len(), bystander.seen().len()), (1, 0));
    let site =
        site.restart_edited("UPDATE endpoint SET notified_at = notified_at - 3600000 WHERE id = 1".to_owned()).await;
    site.punch("1002\t2026-03-02 17:00:00\t1\t1\t0\n").await;
    settled(&site, "failed", 7).await;
    eventually("it is told again", async || (told.seen().len() == 2).then_some(())).await;
    assert_eq!(told.event_ids().len(), 2, "each is an event of its own");
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_told_in_the_shape_asked_for_and_never_to_itself() {
    let (gone, flat) = (Recorder::always(410).await, Recorder::always(200).await);
    let site = Site::start(|_| ()).await;
    let both = json!({ "url": gone.url(), "events": ["attendance.punch", "webhook.failing"], "secret": SECRET });
    assert_eq!(site.post("/v1/webhooks", both).await.0, 201);
    let body = json!({ "url": flat.url(), "events": ["webhook.failing"], "secret": SECRET,
                       "payload_format": PayloadFormat::Flat.as_str() });
    assert_eq!(site.post("/v1/webhooks", body).await.0, 201);
    site.punch(&rows(3)).await;
    eventually("it is told", async || (!flat.seen().is_empty()).then_some(())).await;
    let event = flat.seen()[0].json();
    let members = ["event", "endpoint_id", "state", "host"].map(|name| event[name].as_str().unwrap().to_owned());
    assert_eq!(members, ["webhook.failing", "1", "disabled", "127.0.0.1"]);
    let types =
        site.ask_all("SELECT type FROM event JOIN delivery ON delivery.event = event.seq WHERE endpoint = 1").await;
    assert_eq!(types, ["attendance.punch"; 3], "what waits for it is kept, and it is told nothing of itself");
}

/// Retries are no news: most outages end by themselves. One that lasts is told once, and so is its end.
#[tokio::test]
async fn an_outage_is_told_once_after_its_time_and_so_is_its_end() {
    let is_up = Arc::new(AtomicBool::new(false));
    let answer = Arc::clone(&is_up);
    let down = Recorder::start(move |_| {
        let status = if answer.load(Ordering::Relaxed) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        status.into_response()
    })
    .await;
    let told = Recorder::always(200).await;
    let site = Site::start(|_| ()).await;
    subscribe(&site, &down.url(), "attendance.punch").await;
    subscribe(&site, &told.url(), "webhook.failing").await;
    site.punch(&rows(4)).await;
    site.attempts(3).await;
    eventually("it backs off", async || (site.health().await == "backing_off").then_some(())).await;
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM event WHERE type = 'webhook.failing'").await, 0);

    // A start looks at the endpoints before anything else; the outage is as old as it is.
    let site = site.aged(TimeDelta::minutes(58)).await;
    assert_eq!(site.ask::<i64>("SELECT count(outage_told) FROM endpoint").await, 0, "not yet");
    let site = site.aged(TimeDelta::minutes(2)).await;
    eventually("it is told", async || (told.seen().len() == 1).then_some(())).await;
    let event = told.seen()[0].json();
    assert_eq!(event["endpoint"]["state"], "backing_off");
    assert!(event["endpoint"]["waiting"].as_u64().unwrap() >= 1, "{event}");
    let site = site.aged(TimeDelta::minutes(90)).await;
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM event WHERE type = 'webhook.failing'").await, 1, "once an outage");

    is_up.store(true, Ordering::Relaxed);
    let site = site.aged(TimeDelta::minutes(20)).await;
    eventually("its end is told", async || (told.seen().len() == 2).then_some(())).await;
    let end = told.seen()[1].json();
    assert_eq!((&end["endpoint"]["state"], &end["endpoint"]["recovered"]), (&json!("healthy"), &json!(true)));
    assert_eq!(event["endpoint"].get("recovered"), None);
    site.delivered_all().await;
    assert_eq!(told.event_ids().len(), 2);
    assert_eq!(site.ask::<i64>("SELECT count(outage_told) FROM endpoint").await, 0, "the next outage is news");
}

impl Site {
    async fn health(&self) -> String {
        self.get("/v1/webhooks/1").await.1["data"]["state"].as_str().unwrap().to_owned()
    }

    /// The same a while later: all times that it waits for are so much longer ago.
    async fn aged(self, span: TimeDelta) -> Self {
        let millis = span.num_milliseconds();
        let columns = ["since", "outage_told", "next_probe_at"].map(|column| format!("{column} = {column} - {millis}"));
        self.restart_edited(format!("UPDATE endpoint SET {}", columns.join(", "))).await
    }
}
