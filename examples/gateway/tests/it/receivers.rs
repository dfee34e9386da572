//! The receivers and the requests of `docs/receivers.md`, as they stand there, against the gateway.

use std::path::Path;
use std::process::Command;

use chrono::TimeDelta;
use futures_util::future::join_all;
use gateway::clock::now;
use punch_normalize::EventId;
use punch_webhook::{BatchBody, PayloadFormat};
use serde_json::{Value, json};

use crate::harness::{
    API_KEY, HEADER, Headers, Language, NODE, OTHER_SECRET, PATIENCE, PYTHON, RUST, SECRET, STANDARD, Sample, Site,
    blocks, endpoint, eventually, flat_punch, is_there, rolling, signed, signer, standard,
};

/// What makes the headers of a body.
type Form = fn(&[u8]) -> Headers;

/// S1-003, S1-010, S1-016, S1-028, S1-043.
#[tokio::test]
async fn the_node_receiver_stores_every_event_once() {
    runs_as_documented(&NODE).await;
}

#[tokio::test]
async fn the_python_receiver_stores_every_event_once() {
    runs_as_documented(&PYTHON).await;
}

#[tokio::test]
async fn the_rust_receiver_stores_every_event_once() {
    runs_as_documented(&RUST).await;
}

/// S1-013: an ordinary POST route, made of what the language has, or of its usual server.
#[test]
fn the_receivers_need_no_framework_of_ours() {
    let [node] = blocks(NODE.fence).try_into().expect("one block");
    let imports = node.lines().filter(|line| line.starts_with("import ")).collect::<Vec<_>>();
    assert!(
        !imports.is_empty() && imports.iter().all(|line| line.contains("'node:") || line.contains("\"node:")),
        "{imports:?}"
    );
    let [python] = blocks(PYTHON.fence).try_into().expect("one block");
    let modules: Vec<&str> =
        python.lines().filter(|line| line.starts_with("import ") || line.starts_with("from ")).collect();
    let foreign = ["flask", "django", "fastapi", "requests", "standardwebhooks"];
    assert!(
        !modules.is_empty() && modules.iter().all(|line| foreign.iter().all(|name| !line.contains(name))),
        "{modules:?}"
    );
}

#[test]
fn the_rust_receiver_of_the_document_is_the_program() {
    let (_lints, program) = include_str!("../../src/bin/receiver.rs").split_once("\n\n").unwrap();
    assert_eq!(blocks(RUST.fence), [program]);
}

async fn runs_as_documented(language: &Language) {
    if !language.is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sample = Sample::start(language, folder.path()).await;
    takes_from_the_gateway(&sample).await;
    refuses_what_is_not_signed(&sample).await;
    takes_every_form_of_a_signature(&sample).await;
    answers_after_it_has_stored(&sample).await;
    takes_lists(&sample).await;
    // S1-037: what was seen is on disk, and stays.
    let before = sample.stored();
    sample.kill();
    let sample = Sample::start(language, folder.path()).await;
    for id in &before {
        let body = flat_punch(id);
        assert_eq!(sample.post(&signed(&body), &body).await, (200, json!({ "received": true, "duplicate": true })));
    }
    assert_eq!(sample.stored(), before, "what was stored is known after a kill");
}

/// One punch is one event; sent again through the API it is taken again and stored no more. S1-035, S1-036, S2-042.
async fn takes_from_the_gateway(sample: &Sample) {
    let site = Site::start(|config| {
        config.delivery.timeout = PATIENCE;
        config.endpoints.push(endpoint(&sample.url, PayloadFormat::Nested));
    })
    .await;
    site.punch("1001\t2026-03-28 08:47:12\t0\t1\n").await;
    site.delivered_all().await;
    let stored: String = site.ask("SELECT id FROM event").await;
    assert_eq!(sample.stored(), [stored.as_str()]);

    let delivery: i64 = site.ask("SELECT id FROM delivery").await;
    let (status, _) = site.post(&format!("/v1/deliveries/{delivery}/resend"), json!({})).await;
    assert_eq!(status, 202);
    site.attempts(2).await;
    site.delivered_all().await;
    let (_, shown) = site.get(&format!("/v1/deliveries/{delivery}")).await;
    let answers: Vec<(u64, Value)> = shown["data"]["attempt_log"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| {
            let answer = serde_json::from_str(attempt["response"].as_str().unwrap()).unwrap();
            (attempt["status"].as_u64().unwrap(), answer)
        })
        .collect();
    let expected = [(200, json!({ "received": true })), (200, json!({ "received": true, "duplicate": true }))];
    assert_eq!(answers, expected);
    assert_eq!(sample.stored(), [stored]);
}

/// S1-029, S1-031, S1-033, S1-042: 401, whatever is wrong about it, and nothing is stored.
async fn refuses_what_is_not_signed(sample: &Sample) {
    let before = sample.stored();
    let (body, id, at) = (flat_punch("evt_forged"), "evt_forged", now());
    let good = signer(SECRET).punchconnect(&body);
    let forged = |value: &str| vec![(HEADER, value.as_bytes().to_vec())];
    let mut cases: Vec<(&str, Headers)> = vec![
        ("none", Vec::new()),
        ("empty", forged("")),
        ("no digits", forged("sha256=")),
        ("cut", forged(&good[..40])),
        ("too long", forged(&format!("{good}00"))),
        ("no hex", forged(&format!("sha256={}", "z".repeat(64)))),
        ("no ASCII", forged(&format!("sha256={}", "ñ".repeat(32)))),
        ("of another body", forged(&signer(SECRET).punchconnect(b"{}"))),
        ("of another secret", forged(&signer(OTHER_SECRET).punchconnect(&body))),
        ("standard, old", standard(SECRET, id, &body, at - TimeDelta::minutes(10))),
        ("standard, early", standard(SECRET, id, &body, at + TimeDelta::minutes(10))),
        ("standard, of another secret", standard(OTHER_SECRET, id, &body, at)),
        ("standard, of another id", standard(SECRET, "evt_2", &body, at)),
        ("standard, of another body", standard(SECRET, id, b"{}", at)),
    ];
    // Those of another id sign well by themselves.
    cases[12].1[0].1 = id.as_bytes().to_vec();
    let mut renewed = standard(SECRET, id, &body, at - TimeDelta::minutes(10));
    renewed[1].1 = at.timestamp().to_string().into_bytes();
    cases.push(("standard, with a newer time than was signed", renewed));
    let mut timeless = standard(SECRET, id, &body, at);
    timeless.remove(1);
    cases.push(("standard, without a time", timeless));
    for (what, headers) in cases {
        let answer = sample.post(&headers, &body).await;
        assert_eq!(answer, (401, json!({ "error": "Invalid signature" })), "{what}");
    }
    for body in [&b"no JSON"[..], b"null", b"[]", b"{}", b"{\"event_id\":\"\"}"] {
        assert_eq!(sample.post(&signed(body), body).await.0, 400);
    }
    assert_eq!(sample.stored(), before);
}

/// What the gateway may send, while a secret is rolled too, and what other senders in its place write.
async fn takes_every_form_of_a_signature(sample: &Sample) {
    let forms: [(&str, Form); 5] = [
        ("evt_digits", |body| {
            let value = signer(SECRET).punchconnect(body);
            vec![(HEADER, value["sha256=".len()..].to_uppercase().into_bytes())]
        }),
        ("evt_list", |body| vec![(HEADER, rolling().punchconnect(body).into_bytes())]),
        ("evt_standard", |body| standard(SECRET, "evt_standard", body, now())),
        ("evt_late", |body| standard(SECRET, "evt_late", body, now() - TimeDelta::minutes(4))),
        ("evt_rolled", |body| {
            let headers = rolling().headers(&EventId::parse("evt_rolled").unwrap(), body, now());
            STANDARD.map(|name| (name, headers.get(name).unwrap().as_bytes().to_vec())).to_vec()
        }),
    ];
    for (id, form) in forms {
        let body = flat_punch(id);
        assert_eq!(sample.post(&form(&body), &body).await, (200, json!({ "received": true })), "{id}");
        assert!(sample.stored().contains(&id.to_owned()), "{id}");
    }
}

/// What cannot be stored gets no 2xx, and of repeats at the same time one is new.
async fn answers_after_it_has_stored(sample: &Sample) {
    let body = flat_punch("evt_unlucky");
    sample.hide_store(true);
    assert_eq!(sample.post(&signed(&body), &body).await.0, 503);
    sample.hide_store(false);
    assert!(!sample.stored().contains(&"evt_unlucky".to_owned()));
    assert_eq!(sample.post(&signed(&body), &body).await, (200, json!({ "received": true })));

    let body = flat_punch("evt_crowd");
    let crowd = (0..8).map(async |_| {
        // A store that is busy for long may say so, and a sender comes again.
        let taken = async || Some(sample.post(&signed(&body), &body).await).filter(|(status, _)| *status != 503);
        eventually("it is taken", taken).await
    });
    let answers = join_all(crowd).await;
    let new = answers.iter().filter(|answer| **answer == (200, json!({ "received": true }))).count();
    assert!(answers.iter().all(|answer| answer.0 == 200) && new == 1, "{answers:?}");
    assert_eq!(sample.stored().iter().filter(|id| *id == "evt_crowd").count(), 1);
}

/// What an endpoint with `batch` sends: each event is stored by itself, and one without an id costs the whole list.
async fn takes_lists(sample: &Sample) {
    let list = |ids: &[&str]| {
        let mut batch = BatchBody::new(BatchBody::MAX_BYTES);
        assert!(ids.iter().all(|id| batch.push(&EventId::parse(id).unwrap(), &flat_punch(id))));
        batch.finish().unwrap()
    };
    let post = async |ids: &[&str]| {
        let (id, body) = list(ids);
        sample.post(&standard(SECRET, id.as_str(), &body, now()), &body).await
    };
    assert_eq!(post(&["evt_list_1", "evt_list_2"]).await, (200, json!({ "received": true })));
    assert_eq!(post(&["evt_list_2", "evt_list_3"]).await, (200, json!({ "received": true })));
    assert_eq!(post(&["evt_list_3", "evt_list_1"]).await, (200, json!({ "received": true, "duplicate": true })));
    let stored = sample.stored();
    assert_eq!(stored.iter().filter(|id| id.starts_with("evt_list_")).count(), 3);
    // As long as a list may be.
    let ids: Vec<String> = (0..500).map(|number| format!("evt_long_{number}")).collect();
    let (id, body) = list(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(body.len() > 65_536);
    assert_eq!(sample.post(&standard(SECRET, id.as_str(), &body, now()), &body).await.0, 200);
    assert_eq!(sample.stored().iter().filter(|id| id.starts_with("evt_long_")).count(), 500);
    for body in [&br#"[{"event_id":"evt_x","event":"webhook.test"},{}]"#[..], b"[7]", b"[null]"] {
        assert_eq!(sample.post(&signed(body), body).await.0, 400);
    }
    assert!(!sample.stored().contains(&"evt_x".to_owned()));
}

/// S1-003, S1-017, S1-018: signed with openssl and posted, registered and asked for a test event.
#[tokio::test]
async fn the_curl_requests_reach_the_receivers() {
    let tools = [("bash", "--version"), ("curl", "--version"), ("openssl", "version")];
    if !tools.into_iter().all(|(tool, version)| is_there(tool, version, "install bash, curl and openssl")) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sample = Sample::start(&RUST, folder.path()).await;
    let [posting, registering] = blocks("bash").try_into().expect("two blocks");
    let site = Site::start(|_| ()).await;
    let gateway = format!("http://{}", site.gateway.api_addr);
    let variables = [
        ("RECEIVER_URL", sample.url.clone()),
        ("WEBHOOK_SECRET", SECRET.to_owned()),
        ("PUNCH_URL", gateway),
        ("PUNCH_API_KEY", API_KEY.to_owned()),
    ];
    let bash = async |block: &str| bash(block.to_owned(), folder.path(), variables.clone()).await;
    let new = json!({ "received": true });
    let repeated = json!({ "received": true, "duplicate": true });
    assert_eq!(bash(&posting).await, [new.clone(), new]);
    assert_eq!(bash(&posting).await, [repeated.clone(), repeated]);
    assert_eq!(sample.stored(), ["evt_curl_1", "evt_curl_2"]);

    let answers = bash(&registering).await;
    let [made, sent, shown] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!(made["data"]["url"], sample.url);
    assert_eq!(shown["data"]["event_type"], "webhook.test");
    let id = sent["data"]["event_id"].as_str().unwrap();
    eventually("the test event is stored", async || sample.stored().contains(&id.to_owned()).then_some(())).await;
    site.delivered_all().await;
    assert_eq!(sample.stored().len(), 3);
}

/// What a block prints, one JSON value a line. The gateway goes on in this thread meanwhile.
pub(crate) async fn bash<const N: usize>(
    block: String,
    folder: &Path,
    variables: [(&'static str, String); N],
) -> Vec<Value> {
    let mut command = Command::new("bash");
    command.arg("-c").arg(block).current_dir(folder).envs(variables);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let (said, errors) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{said}{errors}");
    said.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}
