//! The function as it runs at the edge: built for `wasm32-unknown-unknown`, loaded by Node.js, which stands for any runtime
//! with WebAssembly and `fetch`, and writing to the stand-in of ERPNext over a real socket.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use edge::{Next, Visit};
use punch_normalize::EventId;
use punch_webhook::{Secret, Signer};
use serde_json::{Value, json};
use simulator::erp::{SharedErpNext, serve_erpnext};
use simulator::erpnext::{ErpNextConfig, ErpNextEmployee, ErpNextFault, ErpNextStandIn};

const SECRET: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

fn site() -> SharedErpNext {
    let mut config = ErpNextConfig::new("America/Mexico_City", "key", "canary-of-the-api").unwrap();
    config.employees = vec![ErpNextEmployee::new("HR-EMP-1", "Ada", "1001")];
    Arc::new(Mutex::new(ErpNextStandIn::new(config)))
}

async fn settings(site: &SharedErpNext) -> Value {
    let addr = serve_erpnext(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::clone(site)).await.unwrap();
    let erpnext = json!({
        "base": format!("http://{addr}"), "key": "key", "secret": "canary-of-the-api", "zone": "America/Mexico_City",
    });
    json!({ "webhook_secret": SECRET, "erpnext": erpnext })
}

/// A signed webhook about a badge.
fn webhook(id: &str, badge: &str) -> Value {
    let body = json!({
        "event": "attendance.punch", "event_id": id, "employee_id": badge, "device_serial": "T1",
        "timestamp": "2026-03-28T14:47:12Z", "direction": "in",
    });
    signed(id, &body.to_string())
}

fn signed(id: &str, body: &str) -> Value {
    let now = gateway_time();
    let signer = Signer::new(&Secret::new(SECRET).unwrap());
    let headers = signer.headers(&EventId::parse(id).unwrap(), body.as_bytes(), now);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    json!({ "headers": headers, "body": body, "now": now.timestamp_millis() })
}

/// When the webhooks arrive: shortly after the punches.
fn gateway_time() -> chrono::DateTime<chrono::Utc> {
    "2026-03-28T14:47:20Z".parse().unwrap()
}

/// The function as WebAssembly, and Node.js to run it. `None` where one of them cannot be had, unless `PUNCH_INTEROP=required`.
fn wasm() -> Option<PathBuf> {
    let is_required = std::env::var("PUNCH_INTEROP").is_ok_and(|word| word == "required");
    let runs = |program: &str, arguments: &[&str]| {
        Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
    };
    let target = "wasm32-unknown-unknown";
    let folder = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output().ok()?;
    let has_target = Path::new(String::from_utf8(folder.stdout).ok()?.trim()).is_dir();
    let is_there = has_target && runs("node", &["--version"]);
    assert!(is_there || !is_required, "needs Node.js and `rustup target add {target}`");
    if !is_there {
        eprintln!("skipped: needs Node.js and `rustup target add {target}`");
        return None;
    }
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
    let mut build = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    build.args(["build", "--quiet", "--lib", "--package", "edge", "--target", target, "--target-dir"]).arg(all);
    assert!(build.status().unwrap().success(), "it builds for {target}");
    Some(all.join(target).join("debug/edge.wasm"))
}

/// What each webhook is answered: status, body and the time to wait.
fn deliver(wasm: &Path, settings: &Value, webhooks: &[Value], at_once: bool) -> Vec<(u64, Value, Value)> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/deliver.mjs");
    let mut node = Command::new("node");
    let mut child = node.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let job = json!({ "wasm": wasm, "settings": settings, "webhooks": webhooks, "at_once": at_once });
    child.stdin.take().unwrap().write_all(job.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["imports"], json!([]), "it asks nothing of who runs it: no clock, no socket, no random number");
    let answers = said["answers"].as_array().unwrap().iter();
    answers
        .map(|answer| (answer["status"].as_u64().unwrap(), answer["body"].clone(), answer["retry_after"].clone()))
        .collect()
}

fn received() -> (u64, Value, Value) {
    (200, json!({ "received": true }), Value::Null)
}

fn refused(status: u64, code: &str) -> (u64, Value, Value) {
    (status, json!({ "code": code }), Value::Null)
}

/// S0-014, S0-040: verified and forwarded, once, however often it comes; refused where it is not the sender's, or nobody's.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_verified_and_forwarded_or_refused() {
    let Some(wasm) = wasm() else { return };
    let site = site();
    let settings = settings(&site).await;
    let good = webhook("evt_1", "1001");
    let (mut changed, mut unsigned, mut old) = (good.clone(), good.clone(), good.clone());
    changed["body"] = json!(good["body"].as_str().unwrap().replace("1001", "1002"));
    unsigned["headers"] = json!([]);
    old["now"] = json!(gateway_time().timestamp_millis() + 600_000);
    let webhooks = [
        good.clone(),
        good,
        changed,
        unsigned,
        old,
        webhook("evt_2", "9999"),
        signed(
            "evt_3",
            r#"{"event_id":"evt_3","event_type":"device.status","status":"offline","device":{"serial_number":"T1"}}"#,
        ),
        signed("evt_4", "no JSON"),
    ];
    let answers = deliver(&wasm, &settings, &webhooks, false);
    assert_eq!(answers[..2], [received(), received()]);
    assert_eq!(answers[2..5], [refused(401, "signature"), refused(401, "signature"), refused(401, "signature")]);
    assert_eq!(answers[5..7], [refused(404, "unknown_employee"), received()]);
    assert_eq!(answers[7].0, 400);
    let site = site.lock().unwrap();
    let [row] = site.checkins() else { panic!("{:?}", site.checkins()) };
    assert_eq!((row.name.as_str(), row.time.to_string().as_str()), ("evt_1", "2026-03-28 08:47:12"));
}

/// What ERPNext cannot take now is asked for again, and what got lost on the way is found.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_told_to_the_sender_and_the_repetition_doubles_nothing() {
    let Some(wasm) = wasm() else { return };
    let site = site();
    let settings = settings(&site).await;
    let webhooks = [webhook("evt_1", "1001")];
    for (faults, expected) in [
        (vec![ErpNextFault::RateLimited(13)], (503, json!({ "code": "busy" }), json!("13"))),
        (vec![ErpNextFault::None, ErpNextFault::DatabaseDown], refused(503, "unavailable")),
        (vec![ErpNextFault::None, ErpNextFault::BadGatewayAfter], refused(503, "unavailable")),
        (vec![ErpNextFault::None], received()),
    ] {
        site.lock().unwrap().fail_next(faults);
        assert_eq!(deliver(&wasm, &settings, &webhooks, false), [expected]);
    }
    assert_eq!(site.lock().unwrap().checkins().len(), 1);
}

/// Two at once do not disturb each other, and the same one twice at once is written once.
#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_come_at_once_are_each_their_own() {
    let Some(wasm) = wasm() else { return };
    let site = site();
    let settings = settings(&site).await;
    let webhooks: Vec<_> =
        (0..12).map(|number| webhook(&format!("evt_{}", number / 2), ["1001", "9999"][number / 2 % 2])).collect();
    let answers = deliver(&wasm, &settings, &webhooks, true);
    for (number, answer) in answers.into_iter().enumerate() {
        let expected = [received(), refused(404, "unknown_employee")][number / 2 % 2].clone();
        assert_eq!(answer, expected, "{number}");
    }
    // Of one person, second and direction there is one record, by whatever event: the second is answered as done.
    assert_eq!(site.lock().unwrap().checkins().len(), 1);
}

/// A wrong setting is named, its value is not, and the sender keeps the event.
#[test]
fn a_wrong_setting_is_named_and_its_value_is_not() {
    let erpnext =
        json!({ "base": "https://erp.example.com", "key": "key", "secret": "canary-of-the-api", "zone": "UTC" });
    let good = json!({ "webhook_secret": SECRET, "erpnext": erpnext });
    let (mut unknown, mut secret, mut zone) = (good.clone(), good.clone(), good.clone());
    unknown["colour"] = json!("canary-of-the-api");
    secret["webhook_secret"] = json!("whsec_");
    zone["erpnext"]["zone"] = json!("Mars");
    for (settings, named) in
        [(json!("canary-of-the-api"), "line 1"), (unknown, "line 1"), (secret, "webhook_secret"), (zone, "zone")]
    {
        let visit = &mut Visit::begin(settings.to_string().as_bytes(), "", b"", gateway_time());
        let Next::Answer(answer) = visit.poll() else { panic!("{settings}") };
        assert_eq!(answer["status"], 503);
        let error = answer["body"]["error"].as_str().unwrap();
        assert!(error.contains(named) && !error.contains("canary"), "{error}");
    }
    let visit = &mut Visit::begin(good.to_string().as_bytes(), "", b"", gateway_time());
    let Next::Answer(answer) = visit.poll() else { panic!("not signed") };
    assert_eq!(answer["status"], 401);
}

/// S0-002: the glue is short.
#[test]
fn the_handler_is_short() {
    let lines = include_str!("../src/handler.rs").lines().count();
    assert!(lines <= 40, "{lines} lines");
}
