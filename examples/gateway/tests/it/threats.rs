//! What somebody may try, and that those who work here do not notice: see the table in SECURITY.md.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tracing_subscriber::fmt::MakeWriter;

use crate::harness::{API_KEY, Recorder, Site, exchange, get, post};

/// Somebody comes in, at the terminal and at the API, and the punch is delivered.
async fn works(site: &Site, receiver: &Recorder, minute: u32) {
    let before = receiver.event_ids().len();
    site.punch(&format!("7\t2026-03-28 08:{minute:02}:00\t0\t1\n")).await;
    assert_eq!(site.get("/v1/devices").await.0, 200);
    site.delivered_all().await;
    assert_eq!(receiver.event_ids().len(), before + 1);
}

/// Both listeners of a gateway.
fn listeners(site: &Site) -> [SocketAddr; 2] {
    [site.gateway.device_addr, site.gateway.api_addr]
}

async fn opened(addr: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    // It may be closed already; who tries this does not mind.
    drop(stream.write_all(bytes).await);
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_begin_and_never_end_hold_up_nobody() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    let beginnings: [&[u8]; 5] = [
        b"",
        b"GET /iclock/cd",
        b"GET /iclock/cdata?SN=T1 HTTP/1.1\r\nX-Slow: ",
        b"POST /iclock/cdata?SN=T1&table=ATTLOG HTTP/1.1\r\nContent-Length: 1000\r\n\r\n7\t2026-03",
        b"POST /v1/employees HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
    ];
    let mut held = Vec::new();
    for number in 0..250 {
        for addr in listeners(&site) {
            held.push(opened(addr, beginnings[number % beginnings.len()]).await);
        }
    }
    works(&site, &receiver, 1).await;
    assert_eq!(held.len(), 500);
    drop(held);
    works(&site, &receiver, 2).await;
    assert_eq!(site.fates().await.len(), 2, "nothing of what was begun is stored");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_http_and_what_is_too_large_is_refused_beside_those_who_work() {
    let receiver = Recorder::always(200).await;
    let site = Site::start(|config| {
        config.limits.stream = 1 << 16;
        config.limits.body = 1 << 16;
        config.endpoints.push(crate::harness::endpoint(&receiver.url(), Default::default()));
    })
    .await;
    let long = "x".repeat(40_000);
    let garbage: Vec<Vec<u8>> = vec![
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        vec![0; 5000],
        (0..=255).collect(),
        b"\r\n\r\n\r\n".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        format!("GET /{long} HTTP/1.1\r\n\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(5000)).into_bytes(),
        format!("GET / HTTP/1.1\r\nA: {long}{long}{long}{long}{long}{long}{long}{long}{long}{long}{long}\r\n\r\n")
            .into_bytes(),
        b"POST /iclock/cdata?SN=T1 HTTP/1.1\r\nContent-Length: -1\r\n\r\n".to_vec(),
        b"POST /iclock/cdata?SN=T1 HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx".to_vec(),
        b"POST /iclock/cdata?SN=T1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n".to_vec(),
    ];
    for bytes in &garbage {
        for addr in listeners(&site) {
            let answer = exchange(addr, bytes).await;
            assert!(!answer.starts_with(b"HTTP/1.1 200") && !answer.windows(2).any(|pair| pair == b"OK"), "{answer:?}");
        }
    }
    let rows = "7\t2026-03-28 08:47:12\t0\t1\n".repeat(4000);
    let refused = site.upload("T1", "ATTLOG", &rows).await;
    assert!(refused.status >= 400, "{} bytes: {}", rows.len(), refused.body);
    let long = json!({ "badge_number": "7", "name": "x".repeat(10 << 20) });
    let request = site.request("POST", "/v1/employees").bearer_auth(API_KEY).header("Content-Type", "application/json");
    // The answer may come before all of it was sent.
    assert!(request.body(long.to_string()).send().await.map_or(true, |answer| answer.status().is_client_error()));
    works(&site, &receiver, 1).await;
    assert_eq!(site.fates().await, ["delivered"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_calls_that_are_refused_costs_the_others_nothing() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    let [device, api] = listeners(&site);
    let flood = tokio::spawn(async move {
        for number in 0..400 {
            let strange = get(device, &format!("/iclock/cdata?SN=FLOOD{number}&options=all")).await;
            assert_eq!(strange.status, 503);
            let refused = post(api, "/v1/employees", b"{}").await;
            assert_eq!(refused.status, 401);
        }
    });
    for minute in 0..10 {
        works(&site, &receiver, minute).await;
    }
    flood.await.unwrap();
    works(&site, &receiver, 10).await;
    assert_eq!(site.fates().await.len(), 11);
    let pending: i64 = site.ask("SELECT count(*) FROM device WHERE admission = 'pending'").await;
    assert!((1..=120).contains(&pending), "a minute's worth, or two: {pending}");
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM audit WHERE outcome <> 'done'").await, 0, "nor a log");
}

/// A row that was recorded on the wire and is sent again is known, and so is one that was changed and has the same identity.
#[tokio::test]
async fn what_is_sent_again_is_known_and_what_a_terminal_claims_of_another_is_not_believed() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    let row = "7\t2026-03-28 08:47:12\t0\t1\n";
    site.punch(row).await;
    let changes = site.ask::<i64>("SELECT count(*) FROM row").await;
    for _ in 0..3 {
        site.punch(row).await;
        // Another way to verify is no other punch.
        site.punch("7\t2026-03-28 08:47:12\t0\t15\n").await;
    }
    site.delivered_all().await;
    assert_eq!((site.ask::<i64>("SELECT count(*) FROM row").await, receiver.event_ids().len()), (changes, 1));
    // A terminal speaks for itself: what it says of its name, its address and its proxy changes nothing.
    for target in
        ["/iclock/cdata?SN=T2&table=ATTLOG", "/iclock/cdata?SN=T1%00&table=ATTLOG", "/iclock/cdata?table=ATTLOG&sn=T1x"]
    {
        let head = format!(
            "POST {target} HTTP/1.0\r\nX-Forwarded-For: 127.0.0.1\r\nX-Real-IP: 127.0.0.1\r\nForwarded: for=127.0.0.1\r\n\
             Authorization: Bearer {API_KEY}\r\nCookie: token=timestamp_1\r\nContent-Length: {}\r\n\r\n{row}",
            row.len()
        );
        let answer = exchange(site.gateway.device_addr, head.as_bytes()).await;
        assert!(!String::from_utf8_lossy(&answer).contains("OK"), "{target}");
    }
    // A time to come and one long past are held, and a broken count costs nobody anything.
    let strange = "7\t2099-01-01 00:00:00\t0\t1\n7\t1970-01-01 00:00:00\t0\t1\n";
    assert_eq!(site.upload("T1", "ATTLOG", strange).await.body, "OK: 2");
    assert_eq!(site.fates().await.iter().filter(|fate| fate.starts_with("held/")).count(), 2);
    assert_eq!(receiver.event_ids().len(), 1);
}

/// Keeps every line that is logged on this thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn nobody_can_write_a_line_into_the_log() {
    let lines = Lines::default();
    let logging = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(true);
    let _guard = tracing::subscriber::set_default(logging.with_writer(lines.clone()).finish());
    let site = Site::start(|_| ()).await;
    let forged = "2026-03-28T08:00:00Z  INFO forged";
    for text in
        [format!("%0A{forged}"), format!("%0D%0A{forged}"), format!("%1B[2J{forged}"), format!("%E2%80%AE{forged}")]
    {
        let text = text.replace(' ', "%20");
        for target in [
            format!("/iclock/cdata?SN={text}&options=all"),
            format!("/iclock/cdata?SN=T1&options=all&pushver={text}&DeviceType={text}"),
            format!("/{text}/iclock/getrequest?SN=T1&INFO={text}"),
            format!("/iclock/{text}?SN=STRANGER"),
        ] {
            get(site.gateway.device_addr, &target).await;
        }
        post(site.gateway.device_addr, &format!("/iclock/cdata?SN=T1&table={text}"), text.as_bytes()).await;
        let agent = site.request("GET", &format!("/v1/devices/{text}")).header("User-Agent", &forged[..10]);
        agent.bearer_auth(API_KEY).send().await.unwrap();
        site.post("/v1/devices", json!({ "serial_number": format!("X\n{forged}") })).await;
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("request refused"), "it was logged: {log}");
    for line in log.lines() {
        assert!(!line.starts_with("2026-03-28T08:00:00Z"), "a forged line: {line}");
        // Colours are ours; what somebody sent has none, and turns no text around.
        assert!(!line.contains("\u{1b}[2J") && !line.contains('\u{202e}') && !line.contains('\r'), "{line:?}");
    }
}

/// Time decides no test, so this looks at what is written: each place where a secret is compared does it over all of it.
#[test]
fn secrets_are_compared_in_a_time_that_tells_nothing() {
    for (source, function) in [
        (include_str!("../../src/api/auth.rs"), "fn find("),
        (include_str!("../../src/core/access.rs"), "fn is("),
        (include_str!("../../../../punch-erp/src/hikcentral/receiver.rs"), "fn admits("),
        (include_str!("../../src/dashboard/seal.rs"), "fn read("),
        (include_str!("../../src/dashboard/visit.rs"), "fn with_token("),
        (include_str!("../../src/dashboard/mod.rs"), "fn caller("),
        (include_str!("../../../../punch-protocol/src/push/session/settings.rs"), "impl CommKey"),
        (include_str!("../../../../punch-webhook/src/verifier/mod.rs"), "impl Verifier"),
    ] {
        let (_, body) = source.split_once(function).unwrap_or_else(|| panic!("no {function}"));
        let ends = ["\n    fn ", "\n    pub", "\n    async fn ", "\nfn ", "\npub", "\nimpl"];
        let end = ends.iter().filter(|_| !function.starts_with("impl")).filter_map(|end| body.find(end)).min();
        let body = &body[..end.unwrap_or(body.len())];
        assert!(body.contains(".ct_eq("), "{function} compares otherwise: {body}");
    }
}
