//! How fast a backlog goes out. A measure and no test: `cargo test --release -p gateway speed -- --ignored --nocapture`.

use std::time::Instant;

use gateway::config::{Batch, EndpointOptions};
use punch_webhook::PayloadFormat;
use serde_json::json;

use crate::harness::{API_KEY, Recorder, Site, endpoint, eventually};

/// Deliveries in a second, from the end of a pause to the last one on disk, with the receiver in the same process.
#[expect(clippy::disallowed_methods, reason = "it measures")]
async fn per_second(options: EndpointOptions, people: u32, punches: u32) -> f64 {
    let receiver = Recorder::always(200).await;
    let site = Site::start(|config| {
        let mut endpoint = endpoint(&receiver.url(), PayloadFormat::Nested);
        endpoint.options = options;
        config.endpoints.push(endpoint);
    })
    .await;
    let wish = async |state: &str| {
        let request = site.request("PATCH", "/v1/webhooks/1").bearer_auth(API_KEY);
        let request = request.header("Content-Type", "application/json").body(json!({ "state": state }).to_string());
        assert_eq!(site.call(request).await.0, 200);
    };
    wish("paused").await;
    for minute in 0..punches {
        let row =
            |person| format!("{}\t2026-03-02 {:02}:{:02}:00\t0\t1\n", 1001 + person, 8 + minute / 30, minute % 30 * 2);
        site.punch(&(0..people).map(row).collect::<String>()).await;
    }
    let began = Instant::now();
    wish("active").await;
    eventually("all are delivered", async || {
        let waiting: i64 = site.ask("SELECT EXISTS (SELECT 1 FROM delivery WHERE state = 'waiting')").await;
        (waiting == 0).then_some(())
    })
    .await;
    f64::from(people * punches) / began.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measure; it takes the whole machine"]
async fn deliveries_in_a_second() {
    let alone = EndpointOptions { max_in_flight: Some(64), ..EndpointOptions::default() };
    let batched = EndpointOptions { batch: Some(Batch::default()), ..EndpointOptions::default() };
    for (what, options) in
        [("one by one, 8 at once", EndpointOptions::default()), ("64 at once", alone), ("in lists", batched)]
    {
        println!("{what}: {:.0} deliveries/s", per_second(options, 500, 12).await);
    }
}
