//! Deliveries: signed, once per endpoint, retried by the schedule, and never to where a secret does not belong.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use gateway::core::Identity;
use punch_protocol::Pin;
use punch_webhook::{PayloadFormat, Secret, Verifier};
use serde_json::{Value, json};
use simulator::receiver::{Receiver, Reply, Script};
use simulator::world::quiet_addr;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use crate::harness::{Recorder, SECRET, Site, endpoint, eventually};

const ROW: &str = "1001\t2026-03-28 08:47:12\t0\t1\n";

/// A row of person `1001 + person`.
fn row(person: u32) -> String {
    format!("{}\t2026-03-28 08:47:12\t0\t1\n", 1001 + person)
}

async fn timeline(site: &Site) -> Value {
    let id: String = site.ask("SELECT id FROM event").await;
    let (status, timeline) = site.get(&format!("/v1/attendance/{id}")).await;
    assert_eq!((status, &timeline["data"]["event_id"]), (200, &json!(id)));
    timeline["data"].clone()
}

/// S1-028, S1-029, S2-037, S2-038: the receiver of the contract verifies what the gateway sends.
#[tokio::test]
async fn a_verifying_receiver_accepts_every_format_the_gateway_sends() {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let secret = Secret::new(SECRET).unwrap();
    for format in PayloadFormat::ALL {
        let (receiver, mut arrivals) = Receiver::start(loopback, &secret, Script::default()).await.unwrap();
        let site = Site::start(|config| {
            config.endpoints.push(endpoint(&format!("http://{}/webhook", receiver.addr), format));
        })
        .await;
        site.punch(ROW).await;
        let arrival = tokio::time::timeout(crate::harness::PATIENCE, arrivals.recv()).await.unwrap().unwrap();
        assert_eq!((arrival.reply, &arrival.problem), (Reply::Status(200), &None), "{format:?}");
        let stored: String = site.ask("SELECT id FROM event").await;
        assert_eq!(arrival.event_id, Some(stored), "{format:?}");
    }
}

/// The published shapes (S0-016 to S0-024, S1-014, S2-029 to S2-036) and every header of one attempt.
#[tokio::test]
async fn nested_and_flat_bodies_carry_the_same_punch_under_their_published_names() {
    let (nested, flat) = (Recorder::always(204).await, Recorder::always(200).await);
    let site = Site::start(|config| {
        config.endpoints.push(endpoint(&nested.url(), PayloadFormat::Nested));
        config.endpoints.push(endpoint(&flat.url(), PayloadFormat::Flat));
        config.employees = vec![Identity { name: Some("Ada".to_owned()), ..Identity::new(Pin::new(b"0042")) }];
    })
    .await;
    site.punch("0042\t2026-03-28 08:47:12\t1\t15\n").await;
    site.delivered_all().await;
    let (nested, flat) = (nested.seen(), flat.seen());
    assert_eq!((nested.len(), flat.len()), (1, 1));
    let (full, short) = (nested[0].json(), flat[0].json());
    let id = full["event_id"].as_str().unwrap();
    assert!(id.starts_with("evt_") && id.len() == 30, "{id}");
    assert_eq!(full["event_type"], "attendance.punch");
    assert_eq!(full["timestamp"], "2026-03-28T08:47:12Z");
    assert_eq!((&full["employee"]["badge_number"], &full["employee"]["name"]), (&json!("0042"), &json!("Ada")));
    assert!(full["employee"]["id"].as_str().unwrap().starts_with("emp_"));
    assert!(full["device"]["id"].as_str().unwrap().starts_with("dev_"));
    assert_eq!((&full["device"]["serial_number"], &full["device"]["site"]), (&json!("T1"), &json!("Plant")));
    assert_eq!((&full["punch"]["direction"], &full["punch"]["method"]), (&json!("out"), &json!("face")));
    assert_eq!(full["metadata"]["delivery_attempt"], 1);
    assert_eq!((&short["event"], &short["event_id"]), (&json!("attendance.punch"), &full["event_id"]));
    assert_eq!((&short["direction"], &short["punch_type"]), (&json!("out"), &json!("out")));
    assert_eq!((&short["employee_id"], &short["device_serial"]), (&json!("0042"), &json!("T1")));

    let verifier = Verifier::new(&Secret::new(SECRET).unwrap());
    for seen in nested.iter().chain(&flat) {
        assert_eq!(seen.header("content-type"), "application/json");
        assert_eq!(seen.header("webhook-attempt"), "1");
        assert_eq!(seen.header("webhook-id"), id);
        assert_eq!(seen.header("content-length"), seen.body.len().to_string());
        assert!(seen.header("x-punchconnect-signature").starts_with("sha256="));
        let headers = || seen.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let now = gateway::clock::now();
        verifier.verify_punchconnect(headers(), &seen.body).unwrap();
        verifier.verify_standard(headers(), &seen.body, now).unwrap();
        let mut tampered = seen.body.to_vec();
        tampered[10] ^= 1;
        verifier.verify(headers(), &tampered, now).unwrap_err();
    }
}

/// S0-029, S2-020, S2-021: after a 500 the delivery waits one minute, give or take a tenth, and is on record.
#[tokio::test]
async fn a_500_leaves_the_delivery_waiting_one_minute_with_its_attempt_on_record() {
    let receiver = Recorder::always(500).await;
    let site = Site::delivering_to(&receiver).await;
    site.punch(ROW).await;
    site.attempts(1).await;
    assert_eq!(site.ask::<String>("SELECT state || attempts FROM delivery").await, "waiting1");
    let at: i64 = site.ask("SELECT at FROM attempt").await;
    let not_before: i64 = site.ask("SELECT not_before FROM delivery").await;
    let until_now = gateway::clock::now().timestamp_millis() - at;
    assert!((54_000..=66_000 + until_now).contains(&(not_before - at)), "waits {} ms", not_before - at);

    // S0-007, S1-052 to S1-054: the timeline tells it.
    let timeline = timeline(&site).await;
    assert_eq!(timeline["fate"], "delivered");
    assert!(timeline["received_at"].is_string());
    let delivery = &timeline["deliveries"][0];
    assert_eq!((&delivery["state"], &delivery["url"]), (&json!("waiting"), &json!(receiver.url())));
    let attempt = &delivery["attempts"][0];
    assert_eq!((&attempt["number"], &attempt["status"], &attempt["error"]), (&json!(1), &json!(500), &Value::Null));
    assert!(attempt["millis"].is_u64() && attempt["at"].is_string());

    // A restart forgets neither the attempt nor the wait.
    let site = site.restart(|_| ()).await;
    assert_eq!(site.ask::<i64>("SELECT not_before FROM delivery").await, not_before);
    assert_eq!(receiver.seen().len(), 1);
}

/// S2-020, S2-035, S2-094: what is due after a failure goes out again under the same id, with the next attempt number.
#[tokio::test]
async fn a_retry_that_has_come_due_carries_the_same_id_and_the_next_number() {
    let receiver = Recorder::start(|number| {
        let status = if number == 0 { 500 } else { 200 };
        axum::response::IntoResponse::into_response(axum::http::StatusCode::from_u16(status).unwrap())
    })
    .await;
    let site = Site::delivering_to(&receiver).await;
    site.punch(ROW).await;
    site.attempts(1).await;
    // The minute passes while the gateway is down.
    let site = site.restart_edited("UPDATE delivery SET not_before = not_before - 120000".to_owned()).await;
    site.delivered_all().await;
    let seen = receiver.seen();
    let numbers: Vec<_> = seen.iter().map(|seen| seen.header("webhook-attempt").to_owned()).collect();
    assert_eq!(numbers, ["1", "2"]);
    assert_eq!(seen[0].json()["event_id"], seen[1].json()["event_id"]);
    assert_eq!(seen[1].json()["metadata"]["delivery_attempt"], 2);
    assert_ne!(seen[0].header("x-punchconnect-signature"), seen[1].header("x-punchconnect-signature"));
    let timeline = timeline(&site).await;
    let attempts = timeline["deliveries"][0]["attempts"].as_array().unwrap();
    assert_eq!(attempts.iter().map(|attempt| attempt["status"].as_u64().unwrap()).collect::<Vec<_>>(), [500, 200]);
    assert_eq!(timeline["deliveries"][0]["state"], "delivered");
    assert!(timeline["deliveries"][0]["settled_at"].is_string());
}

/// S0-076, S1-047, S1-050: an endpoint needs a URL and nothing else. A name is enough, it may be slow to wake up, and it may
/// close the connection behind each answer.
#[tokio::test]
async fn an_endpoint_needs_a_url_and_nothing_else() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let function = tokio::spawn(async move {
        let mut heads = Vec::new();
        while heads.len() < 3 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = String::new();
            let mut reader = BufReader::new(&mut stream);
            while !head.ends_with("\r\n\r\n") {
                reader.read_line(&mut head).await.unwrap();
            }
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.expect("a length, and no stream")];
            reader.read_exact(&mut body).await.unwrap();
            // It wakes up first.
            tokio::time::sleep(Duration::from_millis(500)).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            heads.push(head);
        }
        heads
    });
    let url = format!("http://localhost:{port}/functions/punch?region=eu");
    let site = Site::start(|config| config.endpoints.push(endpoint(&url, PayloadFormat::Nested))).await;
    site.punch(&(0..3).map(row).collect::<String>()).await;
    site.delivered_all().await;
    for head in function.await.unwrap() {
        assert!(head.starts_with("POST /functions/punch?region=eu HTTP/1.1\r\n") && !head.contains("pgrade"), "{head}");
    }
    assert!(
        gateway::config::Config::default().delivery.timeout >= Duration::from_secs(8),
        "a cold start may take so long"
    );
}

/// A redirect is a failure: a secret is in hand, and whoever answers is not whom it was meant for.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let thief = Recorder::always(200).await;
    let receiver = Recorder::redirecting(thief.addr).await;
    let site = Site::delivering_to(&receiver).await;
    site.punch(ROW).await;
    site.attempts(1).await;
    assert_eq!(timeline(&site).await["deliveries"][0]["attempts"][0]["status"], 302);
    assert_eq!(site.ask::<String>("SELECT state FROM delivery").await, "waiting");
    assert_eq!((receiver.seen().len(), thief.seen().len()), (1, 0));
}

#[tokio::test]
async fn a_400_fails_visibly_at_once_and_blocks_nobody() {
    let receiver = Recorder::start(|number| {
        let status = if number == 0 { 400 } else { 200 };
        axum::response::IntoResponse::into_response(axum::http::StatusCode::from_u16(status).unwrap())
    })
    .await;
    let site = Site::delivering_to(&receiver).await;
    site.punch(ROW).await;
    site.attempts(1).await;
    let timeline = timeline(&site).await;
    let delivery = &timeline["deliveries"][0];
    assert_eq!(delivery["state"], "failed");
    assert!(delivery["reason"].as_str().unwrap().contains("400"), "{delivery}");
    assert_eq!(site.get("/status").await.1["data"]["counts"]["failed"], 1);
    // The next punch of the same person is delivered.
    site.punch("1001\t2026-03-28 17:00:00\t1\t1\n").await;
    eventually("the next punch is delivered", async || {
        let made: i64 = site.ask("SELECT count(*) FROM delivery WHERE state = 'delivered'").await;
        (made == 1).then_some(())
    })
    .await;
}

/// Production 3, design 6: 410 disables the endpoint and drops nothing.
#[tokio::test]
async fn a_410_disables_the_endpoint_and_keeps_what_waits() {
    let receiver = Recorder::always(410).await;
    let site = Site::delivering_to(&receiver).await;
    site.punch(ROW).await;
    site.attempts(1).await;
    site.punch(&row(1)).await;
    let (_, webhooks) = site.get("/v1/webhooks").await;
    assert_eq!(webhooks["data"][0]["state"], "disabled");
    assert_eq!(site.ask_all("SELECT state FROM delivery").await, ["waiting"; 2]);
    let site = site.restart(|_| ()).await;
    assert_eq!(site.get("/v1/webhooks").await.1["data"][0]["state"], "disabled", "it stays so");
    assert_eq!(site.ask_all("SELECT state FROM delivery").await, ["waiting"; 2]);
    assert_eq!(receiver.seen().len(), 1);
}

/// Design 6: the guard refuses private targets whether they are written as numbers or as names.
#[tokio::test]
async fn private_targets_are_refused_by_default_and_the_timeline_says_so() {
    let receiver = Recorder::always(200).await;
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"] {
        let site = Site::start(|config| {
            config.delivery.allow_private_targets = false;
            let url = format!("http://{host}:{}/webhook", receiver.addr.port());
            config.endpoints.push(endpoint(&url, PayloadFormat::Nested));
        })
        .await;
        site.punch(ROW).await;
        site.attempts(1).await;
        let timeline = timeline(&site).await;
        let delivery = &timeline["deliveries"][0];
        let error = delivery["attempts"][0]["error"].as_str().unwrap();
        assert!(error.contains("private network") && error.contains("allow_private_targets"), "{host}: {error}");
        assert_eq!(
            (&delivery["state"], &delivery["attempts"][0]["status"]),
            (&json!("waiting"), &Value::Null),
            "{host}"
        );
    }
    assert!(receiver.seen().is_empty());
}

/// S1-017, S1-026: an endpoint that comes while rows flow gets what comes after it, each once, and nothing before.
#[tokio::test]
async fn an_endpoint_added_while_rows_flow_gets_the_later_events_each_once() {
    let (old, new) = (Recorder::always(200).await, Recorder::always(200).await);
    let site = Site::delivering_to(&old).await;
    for person in 0..10 {
        site.punch(&row(person)).await;
    }
    let flow = async {
        for person in 10..60 {
            site.punch(&row(person)).await;
        }
    };
    let body = json!({ "url": new.url(), "events": ["attendance.punch"], "secret": SECRET });
    let ((status, _), ()) = tokio::join!(site.post("/v1/webhooks", body), flow);
    assert_eq!(status, 201);
    site.punch(&row(60)).await;
    site.delivered_all().await;
    assert_eq!(old.event_ids().len(), 61);
    let all = site.ask_all("SELECT id FROM event ORDER BY seq").await;
    let expected: BTreeSet<String> = site
        .ask_all("SELECT event.id FROM delivery JOIN event ON seq = event WHERE endpoint = 2")
        .await
        .into_iter()
        .collect();
    assert_eq!(new.event_ids(), expected);
    assert_eq!(new.seen().len(), expected.len(), "each once");
    // A tail of all events: the ten before are not in it, the last one is.
    let tail: BTreeSet<String> = all[all.len() - expected.len()..].iter().cloned().collect();
    assert_eq!(tail, expected);
    assert!(!expected.is_empty() && expected.len() <= 51, "{}", expected.len());
}

/// S2-043: an endpoint that asked for other events gets no punches.
#[tokio::test]
async fn an_endpoint_gets_only_the_types_of_events_it_asked_for() {
    let (punches, others) = (Recorder::always(200).await, Recorder::always(200).await);
    let site = Site::start(|_| ()).await;
    for (receiver, events) in [(&punches, json!(["attendance.punch"])), (&others, json!(["device.status"]))] {
        let (status, _) = site.post("/v1/webhooks", json!({ "url": receiver.url(), "events": events })).await;
        assert_eq!(status, 201);
    }
    site.punch(ROW).await;
    site.delivered_all().await;
    assert_eq!((punches.seen().len(), others.seen().len()), (1, 0));
}

/// S0-078: one endpoint that is down and one that never answers delay nobody else.
#[tokio::test]
async fn dead_and_silent_endpoints_do_not_delay_a_living_one() {
    let alive = Recorder::always(200).await;
    let dead = format!("http://{}/", quiet_addr());
    // Accepted by the system, answered by nobody.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let site = Site::start(|config| {
        let urls = [dead.clone(), format!("http://{}/", silent.local_addr().unwrap()), alive.url()];
        config.endpoints = urls.iter().map(|url| endpoint(url, PayloadFormat::Nested)).collect();
        config.delivery.timeout = Duration::from_secs(30);
    })
    .await;
    for person in 0..40 {
        site.punch(&row(person)).await;
    }
    eventually("the living endpoint has everything", async || (alive.event_ids().len() == 40).then_some(())).await;
    let others: i64 = site.ask("SELECT count(*) FROM delivery WHERE endpoint <> 3 AND state = 'waiting'").await;
    assert_eq!(others, 80, "kept for the others");
    let error: String =
        site.ask("SELECT error FROM attempt JOIN delivery d ON d.id = delivery WHERE endpoint = 1").await;
    assert!(!error.is_empty() && !error.contains("http://"), "{error}");
}

/// S0-067, S2-085, X11: per person, in the order of the punches. S2-086: at the time of the punch, not of its arrival.
#[tokio::test]
async fn a_backlog_is_delivered_in_order_per_person() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    let mut rows = String::new();
    for minute in 0..25 {
        for person in 0..8 {
            rows.push_str(&format!("{}\t2026-03-28 08:{:02}:00\t0\t1\n", 1001 + person, minute * 2));
        }
    }
    site.punch(&rows).await;
    site.delivered_all().await;
    let mut per_person = std::collections::BTreeMap::<String, Vec<String>>::new();
    for seen in receiver.seen() {
        let event = seen.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        per_person.entry(text(&event["employee"]["badge_number"])).or_default().push(text(&event["timestamp"]));
    }
    assert_eq!(per_person.len(), 8);
    for (person, times) in per_person {
        assert_eq!(times.len(), 25, "{person}");
        assert!(times.is_sorted(), "{person}: {times:?}");
        assert_eq!(
            (times[0].as_str(), times[24].as_str()),
            ("2026-03-28T08:00:00Z", "2026-03-28T08:48:00Z"),
            "{person}"
        );
    }
}
