//! Endpoints that differ: headers of their own, fewer requests at once, only what is about some sites.

use core::time::Duration;
use std::collections::BTreeSet;

use gateway::config::{Config, EndpointConfig};
use punch_webhook::PayloadFormat;
use serde_json::{Value, json};

use crate::harness::{API_KEY, Recorder, Site, device, endpoint, eventually};

async fn patch(site: &Site, body: Value) -> (u16, Value) {
    let request = site.request("PATCH", "/v1/webhooks/1").bearer_auth(API_KEY);
    site.call(request.header("Content-Type", "application/json").body(body.to_string())).await
}

/// S1-017: one endpoint a site, and one for all.
#[tokio::test]
async fn an_endpoint_gets_what_is_about_its_sites() {
    let (plant, all) = (Recorder::always(200).await, Recorder::always(200).await);
    let site = Site::start(|config| {
        let mut shop = device("T2");
        shop.site = "Shop".to_owned();
        config.devices.push(shop);
        let mut one = endpoint(&plant.url(), PayloadFormat::Nested);
        one.options.sites = BTreeSet::from(["Plant".to_owned()]);
        config.endpoints = vec![one, endpoint(&all.url(), PayloadFormat::Nested)];
    })
    .await;
    site.punch("7\t2026-03-02 08:00:00\t0\t1\n").await;
    assert_eq!(site.upload("T2", "ATTLOG", "8\t2026-03-02 08:00:00\t0\t1\n").await.body, "OK: 1");
    // What is about no site comes too.
    assert_eq!(site.post("/v1/webhooks/1/test", json!({})).await.0, 202);
    site.delivered_all().await;
    assert_eq!((plant.badges(), all.badges().len()), (BTreeSet::from(["7".to_owned()]), 2));
    assert_eq!(plant.seen().len(), 2, "the punch and the test");
    // From now on it gets everything, and after a restart too.
    let (status, changed) = patch(&site, json!({ "sites": [] })).await;
    assert_eq!((status, &changed["data"]["sites"]), (200, &json!([])));
    let site = site.restart(|_| ()).await;
    site.gateway.devices.approve(punch_protocol::SerialNumber::parse("T2").unwrap()).await.unwrap();
    assert_eq!(site.upload("T2", "ATTLOG", "9\t2026-03-02 08:00:00\t0\t1\n").await.body, "OK: 1");
    site.delivered_all().await;
    assert!(plant.badges().contains("9"));
}

#[tokio::test]
async fn its_headers_go_with_every_request_and_their_values_are_shown_to_nobody() {
    let receiver = Recorder::always(200).await;
    let text = format!(
        "[delivery]\nallow_http = true\nallow_private_targets = true\n[[endpoint]]\nurl = \"{}\"\nsecret = \"{}\"\n\
         max_in_flight = 2\nheaders = {{ Authorization = \"Bearer canary\", X-Tenant = \"7\" }}\n",
        receiver.url(),
        crate::harness::SECRET
    );
    let parsed = Config::parse(&text).unwrap();
    assert!(!format!("{:?}", parsed.endpoints).contains("canary"));
    let site = Site::start(|config| config.endpoints = parsed.endpoints).await;
    site.punch("7\t2026-03-02 08:00:00\t0\t1\n").await;
    site.delivered_all().await;
    let seen = receiver.seen();
    assert_eq!((seen[0].header("authorization"), seen[0].header("x-tenant")), ("Bearer canary", "7"));
    let (_, shown) = site.get("/v1/webhooks/1").await;
    assert_eq!(shown["data"]["headers"], json!(["Authorization", "X-Tenant"]));
    assert_eq!(shown["data"]["max_in_flight"], 2);
    assert!(!shown.to_string().contains("canary"));
    for (body, field) in [
        (json!({ "headers": { "Webhook-Id": "x" } }), "headers"),
        (json!({ "headers": { "Host": "x" } }), "headers"),
        (json!({ "headers": { "a b": "x" } }), "headers"),
        (json!({ "headers": { "X-A": "é" } }), "headers"),
        (json!({ "headers": { "X-A": "x\r\nY: z" } }), "headers"),
        (json!({ "max_in_flight": 0 }), "max_in_flight"),
        (json!({ "max_in_flight": 65 }), "max_in_flight"),
        (json!({ "sites": [""] }), "sites"),
    ] {
        let (status, answer) = patch(&site, body).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)), "{answer}");
    }
    // What a call does not name stays.
    assert_eq!(
        patch(&site, json!({ "max_in_flight": 3 })).await.1["data"]["headers"],
        json!(["Authorization", "X-Tenant"])
    );
}

/// No more requests at once than it takes, however much waits.
#[tokio::test]
async fn an_endpoint_gets_no_more_at_once_than_it_takes() {
    let receiver = Recorder::slow(Duration::from_millis(20)).await;
    let limited = EndpointConfig {
        options: gateway::config::EndpointOptions { max_in_flight: Some(2), ..Default::default() },
        ..endpoint(&receiver.url(), PayloadFormat::Nested)
    };
    let site = Site::start(|config| config.endpoints = vec![limited]).await;
    let rows = (0..24).map(|person| format!("{}\t2026-03-02 08:00:00\t0\t1\n", 100 + person));
    site.punch(&rows.collect::<String>()).await;
    eventually("all came", async || (receiver.seen().len() == 24).then_some(())).await;
    assert_eq!(receiver.most_at_once(), 2);
}
