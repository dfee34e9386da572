//! `/metrics`: what is documented is there, counts what happened, and names nobody.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use axum::response::IntoResponse as _;

use crate::harness::{Recorder, Site, eventually};

pub(crate) async fn scrape(site: &Site) -> String {
    let response = site.request("GET", "/metrics").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"), "{kind}");
    response.text().await.unwrap()
}

pub(crate) fn value(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
}

/// S3-048: documented names; the counts are those of what happened.
#[tokio::test]
async fn what_happened_is_counted_under_the_documented_names() {
    let receiver = Recorder::start(|number| match number {
        0 => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        _ => StatusCode::OK.into_response(),
    })
    .await;
    let site = Site::delivering_to(&receiver).await;
    site.punch("84261\t2026-03-02 08:00:00\t0\t1\n84261\t2026-03-02 08:00:05\t0\t1\njunk\n").await;
    site.punch("84261\t2026-03-02 08:00:00\t0\t1\n").await;
    assert_eq!(site.upload("UNKNOWN9", "ATTLOG", "1\t2026-03-02 08:00:00\t0\t1\n").await.status, 503);
    eventually("the attempt is counted", async || {
        scrape(&site).await.contains("punch_delivery_attempts_total{class=\"5xx\"} 1").then_some(())
    })
    .await;
    let hour_ago = (gateway::clock::now() - chrono::TimeDelta::hours(1)).timestamp_millis();
    let sql = "INSERT INTO watermark (site, complete_to) VALUES ('Plant', ?1)";
    site.gateway.store().write(move |tx| tx.execute(sql, &[&hour_ago])).await.unwrap();
    let text = scrape(&site).await;
    assert!((3600.0..3660.0).contains(&value(&text, "punch_watermark_lag_seconds{site=\"Plant\"}")), "{text}");
    for (name, expected) in [
        ("punch_rows_total{result=\"delivered\"}", 1.0),
        ("punch_rows_total{result=\"suppressed\"}", 1.0),
        ("punch_rows_total{result=\"held\"}", 1.0),
        ("punch_rows_total{result=\"replayed\"}", 1.0),
        ("punch_rows_held{reason=\"malformed\"}", 1.0),
        ("punch_acknowledge_seconds_count", 2.0),
        ("punch_terminals_unknown_total", 1.0),
        ("punch_uploads_refused_total", 0.0),
        ("punch_deliveries_waiting", 1.0),
        ("punch_endpoints{state=\"healthy\"}", 1.0),
    ] {
        assert!((value(&text, name) - expected).abs() < f64::EPSILON, "{name} in {text}");
    }
    assert!(value(&text, "punch_commit_seconds_count") >= 3.0 && text.ends_with("# EOF\n"), "{text}");
    assert!(!text.contains("84261") && !text.contains("T1\"") && !text.contains("UNKNOWN9"), "{text}");

    let page = include_str!("../../../../docs/metrics.md");
    let mut documented: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    // No listener of this one speaks TLS.
    documented.remove("punch_certificate_expires_seconds");
    if !site.store_path().exists() {
        // The disk is that of the server.
        documented.remove("punch_disk_free_ratio");
    }
    // Here is no source; `sources` looks at them.
    documented.retain(|name| !name.starts_with("punch_source_"));
    let total = |line: &str| {
        let (name, kind) = line.split_once(' ').unwrap();
        if kind == "counter" { format!("{name}_total") } else { name.to_owned() }
    };
    let told: Vec<String> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).map(total).collect();
    assert_eq!(told.iter().map(String::as_str).collect::<BTreeSet<_>>(), documented);
}
