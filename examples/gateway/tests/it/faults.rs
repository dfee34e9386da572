//! What made another sender of webhooks stop, fill up or call the wrong address.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use punch_webhook::PayloadFormat;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::harness::{Recorder, Site, endpoint, eventually};

/// Punches of so many people.
fn rows(count: u32) -> String {
    (0..count).map(|number| format!("{}\t2026-03-02 08:00:00\t0\t1\t0\n", 1001 + number)).collect()
}

/// How a bad receiver goes on after it has read a request.
#[derive(Clone, Copy)]
enum Manner {
    /// It never says anything.
    Silent,
    /// It answers 200 and then a byte at a time, for ever.
    Dripping,
    /// It answers 200 with a body that has no end.
    Gushing,
}

struct BadReceiver {
    addr: SocketAddr,
    requests: Arc<AtomicUsize>,
    /// Bytes of bodies that somebody took.
    taken: Arc<AtomicU64>,
}

impl BadReceiver {
    async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (requests, taken) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)));
        let counters = (Arc::clone(&requests), Arc::clone(&taken));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (requests, taken) = (Arc::clone(&counters.0), Arc::clone(&counters.1));
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    drop(stream.read(&mut request).await);
                    requests.fetch_add(1, Ordering::Relaxed);
                    let (chunk, pause) = match manner {
                        Manner::Silent => return tokio::time::sleep(Duration::from_secs(600)).await,
                        Manner::Dripping => (vec![b'.'; 1], Duration::from_millis(200)),
                        Manner::Gushing => (vec![b'.'; 64 << 10], Duration::ZERO),
                    };
                    drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 300000000\r\n\r\n").await);
                    while stream.write_all(&chunk).await.is_ok() {
                        taken.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                        tokio::time::sleep(pause).await;
                    }
                });
            }
        });
        Self { addr, requests, taken }
    }

    fn url(&self) -> String {
        format!("http://{}/webhook", self.addr)
    }
}

/// S0-078: 700 events for a receiver that never answers delay nobody: the other one has its own long before the first
/// attempt at the silent one is over.
#[tokio::test]
async fn seven_hundred_events_to_a_silent_endpoint_delay_no_other() {
    let (silent, alive) = (BadReceiver::start(Manner::Silent).await, Recorder::always(200).await);
    let timeout = Duration::from_secs(600);
    let site = Site::start(|config| {
        config.delivery.timeout = timeout;
        let urls = [silent.url(), alive.url()];
        config.endpoints = urls.iter().map(|url| endpoint(url, PayloadFormat::Nested)).collect();
    })
    .await;
    site.punch(&rows(700)).await;
    eventually("the other has all", async || (alive.event_ids().len() == 700).then_some(())).await;
    let made: i64 =
        site.ask("SELECT count(*) FROM attempt JOIN delivery d ON d.id = delivery WHERE endpoint = 1").await;
    assert_eq!(made, 0, "no attempt at the silent one was over");
    assert!(silent.requests.load(Ordering::Relaxed) <= 8, "the budget of one endpoint");
    // What comes now does not wait either.
    site.punch("1001\t2026-03-02 17:00:00\t1\t1\t0\n").await;
    eventually("the next one too", async || (alive.event_ids().len() == 701).then_some(())).await;
}

/// 500 events for receivers that drip: the deadline is for the whole answer, and others are served meanwhile.
#[tokio::test]
async fn five_hundred_dripping_answers_stop_nobody_and_end_at_the_deadline() {
    let mut dripping = Vec::new();
    for _ in 0..10 {
        dripping.push(BadReceiver::start(Manner::Dripping).await);
    }
    let alive = Recorder::always(200).await;
    let site = Site::start(|config| {
        config.delivery.timeout = Duration::from_secs(2);
        let urls = dripping.iter().map(BadReceiver::url).chain([alive.url()]);
        config.endpoints = urls.map(|url| endpoint(&url, PayloadFormat::Nested)).collect();
    })
    .await;
    site.punch(&rows(50)).await;
    eventually("the living one has all", async || (alive.event_ids().len() == 50).then_some(())).await;
    eventually("the drips were cut off", async || {
        let cut: i64 = site.ask("SELECT count(*) FROM attempt WHERE error = 'timed out'").await;
        (cut >= 10).then_some(())
    })
    .await;
    let shortest: i64 = site.ask("SELECT min(millis) FROM attempt WHERE error = 'timed out'").await;
    assert!(shortest >= 1_900, "{shortest} ms");
    let good: i64 = site.ask("SELECT count(*) FROM attempt WHERE status = 200").await;
    assert_eq!(good, 50, "an answer that does not end is none");
}

/// 12 answers of 300 MB: 16 KiB of each are read, 1 KiB is kept, and the connection is closed.
#[tokio::test]
async fn answers_without_end_are_cut_off_and_cost_no_memory() {
    let gushing = BadReceiver::start(Manner::Gushing).await;
    let site = Site::start(|config| config.endpoints = vec![endpoint(&gushing.url(), PayloadFormat::Nested)]).await;
    site.punch(&rows(12)).await;
    site.delivered_all().await;
    assert_eq!(gushing.requests.load(Ordering::Relaxed), 12, "each on a connection of its own: the old one is closed");
    // What the sockets of both sides hold is taken too, so the bound is that of the system and not ours.
    let taken = gushing.taken.load(Ordering::Relaxed);
    assert!(taken < 12 * (16 << 20), "{taken} bytes left the receiver");
    let kept: i64 = site.ask("SELECT max(length(response)) FROM attempt").await;
    assert_eq!(kept, 1_024);
}

/// Addresses of ourselves and of the cloud's own services, in every spelling, are refused and never connected to.
#[tokio::test]
async fn addresses_of_our_own_network_are_refused_however_they_are_spelt() {
    let receiver = Recorder::always(200).await;
    let port = receiver.addr.port();
    let site = Site::start(|config| {
        config.delivery.allow_private_targets = false;
        let hosts = [
            "127.0.0.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "0.0.0.0",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::7f00:1]",
            "localhost",
            "169.254.169.254",
            "[::ffff:169.254.169.254]",
            "0xa9fea9fe",
            "[fd00:ec2::254]",
        ];
        let urls = hosts.iter().map(|host| format!("http://{host}:{port}/webhook"));
        config.endpoints = urls.map(|url| endpoint(&url, PayloadFormat::Nested)).collect();
    })
    .await;
    site.punch(&rows(1)).await;
    site.attempts(15).await;
    let errors = site.ask_all("SELECT coalesce(error, 'answered ' || status) FROM attempt").await;
    assert_eq!(errors.len(), 15);
    for error in &errors {
        assert!(error.contains("private network"), "{errors:?}");
    }
    assert!(receiver.seen().is_empty());
}

/// Every status that redirects is a failure; nobody follows.
#[tokio::test]
async fn no_redirect_is_followed() {
    let thief = Recorder::always(200).await;
    let location = format!("http://{}/stolen", thief.addr);
    for status in [301, 302, 303, 307, 308] {
        let location = location.clone();
        let receiver = Recorder::start(move |_| {
            (StatusCode::from_u16(status).unwrap(), [(header::LOCATION, location.clone())]).into_response()
        })
        .await;
        let site = Site::delivering_to(&receiver).await;
        site.punch(&rows(1)).await;
        site.attempts(1).await;
        assert_eq!(site.ask::<u16>("SELECT status FROM attempt").await, status);
        assert_ne!(site.ask::<String>("SELECT state FROM delivery").await, "delivered");
        assert_eq!((receiver.seen().len(), thief.seen().len()), (1, 0), "{status}");
    }
}

/// `Retry-After` holds the whole endpoint, and no other.
#[tokio::test]
async fn a_receiver_that_asks_for_time_gets_it() {
    let (busy, alive) = (
        Recorder::start(|_| (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "90")]).into_response()).await,
        Recorder::always(200).await,
    );
    let site = Site::start(|config| {
        let urls = [busy.url(), alive.url()];
        config.endpoints = urls.iter().map(|url| endpoint(url, PayloadFormat::Nested)).collect();
    })
    .await;
    site.punch(&rows(1)).await;
    site.attempts(2).await;
    let at: i64 = site.ask("SELECT at FROM attempt WHERE status = 429").await;
    let not_before: i64 = site.ask("SELECT not_before FROM delivery WHERE endpoint = 1").await;
    // A tenth is what the schedule may add; never less than was asked for.
    let waits = not_before - at;
    assert!((90_000..130_000).contains(&waits), "{waits} ms");
    site.punch("2000\t2026-03-02 08:00:00\t0\t1\t0\n").await;
    eventually("the other has both", async || (alive.event_ids().len() == 2).then_some(())).await;
    assert_eq!(busy.seen().len(), 1, "another person's punch waits too");
}

/// 410 says that nobody is there: nothing more is sent, nothing is lost, and it goes on when somebody says so.
#[tokio::test]
async fn an_endpoint_that_is_gone_gets_nothing_until_it_is_taken_back() {
    let receiver =
        Recorder::start(|number| StatusCode::from_u16(if number == 0 { 410 } else { 200 }).unwrap().into_response())
            .await;
    let site = Site::delivering_to(&receiver).await;
    site.punch(&rows(1)).await;
    site.attempts(1).await;
    for hour in 9..12 {
        site.punch(&format!("1001\t2026-03-02 {hour:02}:00:00\t0\t1\t0\n")).await;
    }
    assert_eq!(site.get("/v1/webhooks/1").await.1["data"]["state"], "disabled");
    assert_eq!(receiver.seen().len(), 1);
    let request = site.request("PATCH", "/v1/webhooks/1").bearer_auth(crate::harness::API_KEY);
    let request = request.header("Content-Type", "application/json").body(json!({ "state": "active" }).to_string());
    assert_eq!(site.call(request).await.0, 200);
    site.delivered_all().await;
    let times: Vec<String> =
        receiver.seen()[1..].iter().map(|seen| seen.json()["timestamp"].as_str().unwrap().to_owned()).collect();
    assert!(times.len() == 4 && times.is_sorted(), "{times:?}");
}
