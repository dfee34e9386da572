//! How often the API may be called: said with every answer, refused with a time to come again, and no concern of terminals.

use gateway::clock::now;
use gateway::core::CallLimits;
use serde_json::{Value, json};

use crate::api::check_error;
use crate::harness::{API_KEY, Site, device};

pub(crate) fn number(response: &reqwest::Response, name: &str) -> i64 {
    let value = response.headers().get(name).unwrap_or_else(|| panic!("no {name}: {:?}", response.headers()));
    value.to_str().unwrap().parse().unwrap()
}

pub(crate) async fn call(site: &Site, method: &str, path: &str) -> reqwest::Response {
    site.request(method, path).bearer_auth(API_KEY).send().await.unwrap()
}

pub(crate) fn limits(per_device_and_day: u64, per_minute: u64) -> CallLimits {
    CallLimits { per_device_and_day, per_minute }
}

/// S2-056 to S2-059, S2-060: a call too many is refused and says until when; terminals and agents go on.
#[tokio::test]
async fn a_call_too_many_is_refused_with_a_time_and_terminals_are_not() {
    let site = Site::start(|config| {
        config.devices.push(device("T2"));
        config.calls = limits(3, 1_000_000);
    })
    .await;
    for left in (0..6).rev() {
        let response = call(&site, "GET", "/v1/sites").await;
        assert_eq!((response.status().as_u16(), number(&response, "x-ratelimit-remaining")), (200, left));
    }
    let refused = call(&site, "POST", "/v1/employees").await;
    assert_eq!((refused.status().as_u16(), number(&refused, "x-ratelimit-remaining")), (429, 0));
    let wait = number(&refused, "retry-after");
    let reset = number(&refused, "x-ratelimit-reset");
    assert!((reset - now().timestamp() - wait).abs() <= 60, "{wait} s until {reset}");
    check_error(&serde_json::from_str::<Value>(&refused.text().await.unwrap()).unwrap(), "rate_limited");
    site.punch("1001\t2026-03-28 08:47:12\t0\t1\n").await;
    let row = json!({ "pin": "1002", "time": "2026-03-28T08:47:12", "state": 0 });
    assert_eq!(
        site.post("/v1/devices/T1/punches", row).await.0,
        200,
        "what an agent brings is what the terminal sends"
    );
    // A restart gives nothing back.
    let site = site
        .restart(|config| {
            config.devices.push(device("T2"));
            config.calls = limits(3, 1_000_000);
        })
        .await;
    assert_eq!(call(&site, "GET", "/v1/sites").await.status(), 429);
    // Another key has its own.
    let site = site
        .restart(|config| {
            config.devices.push(device("T2"));
            config.calls = limits(4, 1_000_000);
        })
        .await;
    let (status, made) = site.post("/v1/api-keys", json!({ "name": "erp", "scope": "read" })).await;
    assert_eq!(status, 201, "{made}");
    let other =
        site.request("GET", "/v1/sites").bearer_auth(made["data"]["key"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(number(&other, "x-ratelimit-remaining"), 7);
}

/// A minute ends sooner than a day.
#[tokio::test]
async fn a_burst_is_told_to_wait_for_the_next_minute() {
    let site = Site::start(|config| config.calls = limits(1000, 2)).await;
    let mut refused = None;
    // The minute may change once while this runs.
    for _ in 0..6 {
        let response = call(&site, "GET", "/v1/sites").await;
        if response.status() == 429 {
            refused = Some(response);
            break;
        }
    }
    let refused = refused.expect("more than two calls in a minute");
    assert!((1..=60).contains(&number(&refused, "retry-after")));
    assert!(number(&refused, "x-ratelimit-remaining") > 990);
}
