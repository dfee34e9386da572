//! `Idempotency-Key` on whatever changes something: carried out once, answered as often as it is asked.

use chrono::TimeDelta;
use punch_webhook::Idempotency;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::harness::{API_KEY, Recorder, Site, eventually};

pub(crate) async fn call(site: &Site, method: &str, path: &str, key: &str, body: Value) -> (u16, Value, bool) {
    let request = site.request(method, path).bearer_auth(API_KEY).header("Content-Type", "application/json");
    let response = request.header("Idempotency-Key", key).body(body.to_string()).send().await.unwrap();
    let status = response.status().as_u16();
    let is_repeat = response.headers().contains_key("idempotent-replayed");
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap(), is_repeat)
}

/// S2-046 to S2-049: one effect, after a restart too, until the answer is old.
#[tokio::test]
async fn what_was_carried_out_is_not_carried_out_again() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    let (status, first, _) = call(&site, "POST", "/v1/webhooks/1/test", "test-1", json!({})).await;
    assert_eq!(status, 202);
    let url = receiver.url();
    let site = site.restart(|config| config.endpoints.push(crate::harness::endpoint(&url, Default::default()))).await;
    assert_eq!(call(&site, "POST", "/v1/webhooks/1/test", "test-1", json!({})).await, (202, first.clone(), true));
    site.delivered_all().await;
    assert_eq!(receiver.seen().len(), 1);
    // The key of one route says nothing of another.
    let employee = json!({ "badge_number": "7", "name": "Ana" });
    assert_eq!(call(&site, "POST", "/v1/employees", "test-1", employee).await.0, 201);
    // A day later the request is a new one.
    assert_eq!(Idempotency::LIFETIME, TimeDelta::hours(24));
    site.edit("UPDATE idempotency SET began_at = began_at - 86460000").await;
    let (status, later, is_repeat) = call(&site, "POST", "/v1/webhooks/1/test", "test-1", json!({})).await;
    assert_eq!((status, is_repeat), (202, false));
    assert_ne!(later["data"]["event_id"], first["data"]["event_id"]);
    let (status, answer, _) = call(&site, "POST", "/v1/webhooks/1/test", "", json!({})).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!("idempotency_key_invalid")));
}

/// S2-048.
#[tokio::test]
async fn a_client_that_missed_the_answer_gets_it_the_next_time() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    let mut socket = TcpStream::connect(site.gateway.api_addr).await.unwrap();
    let request = format!(
        "POST /v1/webhooks/1/test HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {API_KEY}\r\n\
         Content-Type: application/json\r\nIdempotency-Key: gone\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    eventually("its answer is kept", async || {
        (site.ask::<i64>("SELECT count(*) FROM idempotency").await == 1).then_some(())
    })
    .await;
    // The answer is never read.
    drop(socket);
    let (status, answer, is_repeat) = call(&site, "POST", "/v1/webhooks/1/test", "gone", json!({})).await;
    assert_eq!((status, is_repeat), (202, true), "{answer}");
    site.delivered_all().await;
    assert_eq!(receiver.seen().len(), 1);
}

/// Many at once with one key: one is carried out, the others are told to come again or get its answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_with_one_key_one_is_carried_out() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    let calls = (0..20).map(|_| call(&site, "POST", "/v1/webhooks/1/test", "k", json!({})));
    for (status, answer, _) in futures_util::future::join_all(calls).await {
        let in_progress = status == 409 && answer["error"]["code"] == "idempotency_in_progress";
        assert!(status == 202 || in_progress, "{status} {answer}");
    }
    site.delivered_all().await;
    assert_eq!(receiver.seen().len(), 1);
}
