//! `punch webhook`: signatures by the vectors, exit codes, and the two ends of it against each other.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::command::{Done, Running, punch, run};
use crate::site::{Site, exchange};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../punch-webhook/tests/data/signatures.jsonl");
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

fn vectors(op: &str) -> Vec<(Value, &'static str, Vec<u8>)> {
    let text = std::fs::read_to_string(VECTORS).unwrap_or_else(|error| panic!("{VECTORS}: {error}"));
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let chosen = rows.filter(|row| row["op"] == op).filter_map(|row| {
        let scheme = match row["scheme"].as_str().unwrap() {
            "standard-v1" => "standard",
            "punchconnect-sha256" => "punchconnect",
            _ => return None,
        };
        let body = STANDARD.decode(row["body_b64"].as_str().unwrap()).unwrap();
        Some((row, scheme, body))
    });
    chosen.collect()
}

/// S2-037, S2-038, S1-029, and the reference vectors of Standard Webhooks.
#[test]
fn sign_prints_the_header_of_every_vector() {
    let vectors = vectors("sign");
    assert!(vectors.len() > 60);
    for (row, scheme, body) in vectors {
        let secret = row["secret"].as_str().unwrap();
        let timestamp = row["timestamp"].to_string();
        let mut arguments = vec!["webhook", "sign", "--scheme", scheme, "--secret", secret];
        if scheme == "standard" {
            arguments.extend(["--id", row["id"].as_str().unwrap(), "--timestamp", &timestamp]);
        }
        let done = run(&arguments, &body);
        assert_eq!(done.code, Some(0), "{row}\n{done:?}");
        let name = if scheme == "standard" { "webhook-signature" } else { "X-PunchConnect-Signature" };
        let line = format!("{name}: {}", row["expect"].as_str().unwrap());
        assert!(done.stdout.lines().any(|found| found == line), "{row}\n{done:?}");
    }
}

#[test]
fn verify_answers_every_vector_with_its_exit_code() {
    let vectors = vectors("verify");
    assert!(vectors.len() > 30);
    for (row, scheme, body) in vectors {
        let (now, tolerance) = (row["now"].to_string(), row["tolerance_s"].to_string());
        let mut arguments: Vec<String> =
            ["webhook", "verify", "--scheme", scheme, "--now", &now, "--tolerance", &tolerance]
                .map(str::to_owned)
                .into();
        for secret in row["secrets"].as_array().unwrap() {
            arguments.extend(["--secret".to_owned(), secret.as_str().unwrap().to_owned()]);
        }
        for (name, value) in row["headers"].as_object().unwrap() {
            arguments.extend(["--header".to_owned(), format!("{name}: {}", value.as_str().unwrap())]);
        }
        let done = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), &body);
        let expected = if row["expect"] == "ok" { 0 } else { 1 };
        assert_eq!(done.code, Some(expected), "{row}\n{done:?}");
        // The reason is on standard error; nothing else is anywhere.
        assert_eq!((done.stdout.is_empty(), done.stderr.is_empty()), (true, expected == 0), "{row}\n{done:?}");
    }
}

fn sign(secrets: &[&str], scheme: &str, body: &[u8]) -> Vec<String> {
    let mut arguments = vec!["webhook", "sign", "--scheme", scheme, "--id", "evt_1", "--timestamp", "1614265330"];
    for secret in secrets {
        arguments.extend(["--secret", secret]);
    }
    let done = run(&arguments, body);
    assert_eq!(done.code, Some(0), "{done:?}");
    done.stdout.lines().map(ToOwned::to_owned).collect()
}

fn verify(secrets: &[&str], headers: &[String], body: &[u8]) -> Done {
    let mut arguments = vec!["webhook", "verify", "--now", "1614265330"];
    for secret in secrets {
        arguments.extend(["--secret", secret]);
    }
    for header in headers {
        arguments.extend(["--header", header]);
    }
    run(&arguments, body)
}

#[test]
fn two_secrets_sign_and_verify_during_a_roll() {
    let body = "{\"name\":\"Añorve\"}".as_bytes();
    let rolling = sign(&[SECRET, OTHER], "standard", body);
    let signature = rolling.iter().find(|line| line.starts_with("webhook-signature: ")).unwrap();
    assert_eq!(signature.matches("v1,").count(), 2, "{signature}");
    for secret in [SECRET, OTHER] {
        assert_eq!(verify(&[secret], &rolling, body).code, Some(0), "a receiver with either secret");
        let one = sign(&[secret], "punchconnect", body);
        assert_eq!(verify(&[SECRET, OTHER], &one, body).code, Some(0), "a receiver with both");
        assert_eq!(verify(&["another secret"], &one, body).code, Some(1));
        assert_eq!(verify(&[secret], &one, b"{}").code, Some(1), "another body");
    }
    assert_eq!(verify(&[SECRET], &[], body).code, Some(1), "no header at all");
}

#[test]
fn a_secret_may_come_from_a_file_and_its_last_line_end_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let file = file.to_str().unwrap();
    let from_file = run(&["webhook", "sign", "--secret-file", file], b"{}");
    assert_eq!(from_file.code, Some(0), "{from_file:?}");
    assert_eq!(from_file.stdout.trim_end(), sign(&[SECRET], "punchconnect", b"{}")[0]);
    let header = from_file.stdout.trim_end();
    assert_eq!(run(&["webhook", "verify", "--secret-file", file, "--header", header], b"{}").code, Some(0));
    let missing = run(&["webhook", "sign", "--secret-file", "/nonexistent/secret"], b"{}");
    assert!(matches!(missing.code, Some(2 | 3)), "{missing:?}");
}

#[test]
fn wrong_usage_ends_with_2_and_repeats_no_secret() {
    let wrong: [&[&str]; 8] = [
        &["webhook", "sign"],
        &["webhook", "sign", "--secret", ""],
        &["webhook", "sign", "--secret", "s3cret", "--scheme", "standard"],
        &["webhook", "sign", "--secret", "s3cret", "--scheme", "standard", "--id", "evt_1"],
        &["webhook", "sign", "--secret", "s3cret", "--scheme", "md5"],
        &["webhook", "sign", "--secret", "s3cret", "--secret", "s3cret2", "--secret", "s3cret3"],
        &["webhook", "verify", "--secret", "s3cret", "--header", "no colon"],
        &["webhook", "verify", "--secret", "s3cret", "--now", "soon"],
    ];
    for arguments in wrong {
        let done = run(arguments, b"{}");
        assert_eq!(done.code, Some(2), "{arguments:?}: {done:?}");
        assert!(!done.stderr.contains("s3cret") && done.stdout.is_empty(), "{arguments:?}: {done:?}");
    }
}

/// S2-095: what `send` signs, `listen` verifies; it answers as it is told and shows what came.
#[test]
fn listen_and_send_understand_each_other() {
    let listen = |more: &[&str]| {
        let arguments = ["webhook", "listen", "--addr", "127.0.0.1:0", "--secret", SECRET];
        let mut listener = Running::start(punch().args(arguments).args(more));
        let line = listener.complaint_with("listening on ");
        let url = line.split(' ').find(|word| word.starts_with("http://")).unwrap().trim_end_matches(';').to_owned();
        (listener, url)
    };
    let send =
        |url: &str, secret: &str| run(&["webhook", "send", "--url", url, "--secret", secret, "--id", "evt_77"], b"");
    let (mut listener, url) = listen(&["--respond", "500,200"]);
    for (code, status) in [(1, "500"), (0, "200"), (1, "500")] {
        let done = send(&format!("{url}/webhook"), SECRET);
        assert_eq!(done.code, Some(code), "{done:?}");
        assert!(done.stdout.starts_with(status), "{}", done.stdout);
        let shown = listener.line();
        assert!(
            shown.starts_with(&format!("{status}  evt_77  webhook.test  ")) && shown.ends_with("verified"),
            "{shown}"
        );
    }
    let refused = send(&url, OTHER);
    assert_eq!((refused.code, refused.stdout.starts_with("401")), (Some(1), true), "{refused:?}");
    assert!(listener.complaint_with("refused").starts_with("401"));
    listener.kill();

    let (mut listener, url) = listen(&["--ndjson"]);
    assert_eq!(send(&url, SECRET).code, Some(0));
    let event: Value = serde_json::from_str(&listener.line()).unwrap();
    assert_eq!((&event["event_id"], &event["event_type"]), (&"evt_77".into(), &"webhook.test".into()));
    listener.kill();
    let gone = send(&url, SECRET);
    assert_eq!(gone.code, Some(3), "nobody there: {gone:?}");
}

/// What a gateway sends, and to whom, is seen from the terminal; what is on its way is not sent twice.
#[test]
fn deliveries_are_seen_from_the_terminal() {
    let site = Site::start(&[("T1", "UTC")]);
    let url = format!("http://{}", site.api);
    let ask = |arguments: &[&str]| {
        run(&[&["webhook"], arguments, &["--gateway", &url, "--api-key", Site::KEY]].concat(), b"")
    };
    let Done { code, stdout, .. } = ask(&["deliveries"]);
    assert!(code == Some(0) && stdout.starts_with("no such delivery"), "{stdout}");
    // An address of this machine is refused, so nothing is ever delivered there.
    let headers = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", Site::KEY);
    let body = r#"{"url":"https://127.0.0.1:9/hook","events":["attendance.punch"]}"#;
    assert_eq!(exchange(site.api, "POST", "/v1/webhooks", &headers, body).0, 201);
    let row = "1001\t2026-03-02 08:00:00\t0\t1\n";
    let target = "/iclock/cdata?SN=T1&table=ATTLOG&Stamp=9999";
    assert_eq!(exchange(site.device, "POST", target, "", row), (200, "OK: 1".to_owned()));
    let Done { stdout, .. } = ask(&["deliveries", "--state", "waiting", "--json"]);
    let row: Value = serde_json::from_str(stdout.lines().next().unwrap()).unwrap();
    let id = row["id"].as_u64().unwrap().to_string();
    let Done { stdout, .. } = ask(&["deliveries"]);
    assert!(stdout.contains("waiting") && stdout.contains("https://127.0.0.1:9/hook"), "{stdout}");
    let Done { code, stderr, .. } = ask(&["resend", &id]);
    assert!(code == Some(2) && stderr.contains("is on its way already"), "{stderr}");
    let Done { code, stdout, .. } = ask(&["resend", "--all-failed"]);
    assert!(code == Some(0) && stdout.starts_with("0 on their way again"), "{stdout}");
    let Done { code, stdout, .. } = ask(&["endpoints"]);
    assert!(code.is_some() && stdout.contains("https://127.0.0.1:9/hook"), "{stdout}");
    let Done { code, stderr, .. } = ask(&["resend", "99"]);
    assert!(code == Some(2) && stderr.contains("knows no delivery 99"), "{stderr}");

    let attempts = || ask(&["attempts", &id]);
    let tried = (0..200).map(|_| attempts()).find(|done| done.stdout.lines().count() > 3).expect("it is tried");
    assert!(tried.code == Some(0) && tried.stdout.contains("(attendance.punch) to https://127.0.0.1:9/hook: waiting"));
    assert!(tried.stdout.contains("the address is in a private network"), "{}", tried.stdout);
    let Done { code, stdout, .. } = ask(&["test", "1"]);
    assert!(code == Some(0) && stdout.contains("is on its way; `punch webhook deliveries --event evt_"), "{stdout}");
    let Done { code, stdout, .. } = ask(&["roll", "1", "--previous-hours", "2"]);
    assert!(code == Some(0) && stdout.starts_with("whsec_") && stdout.contains("signs too until"), "{stdout}");
    let past = ["replay", "1", "--since", "2020-01-01T00:00:00Z", "--until", "2020-01-02T00:00:00Z"];
    let Done { code, stdout, stderr } = ask(&past);
    assert_eq!((code, stdout.as_str()), (Some(0), "done of 0 events: 0 delivered, 0 given up\n"), "{stderr}");
    let Done { code, stdout, .. } = ask(&["replay", "1", "--since", "2020-01-01T00:00:00Z", "--detach"]);
    assert!(code == Some(0) && stdout.starts_with("1 events go out once more as job "), "{stdout}");
    for unknown in [&["replay", "9", "--since", "2020-01-01T00:00:00Z"][..], &["roll", "9"], &["test", "9"]] {
        let Done { code, stderr, .. } = ask(unknown);
        assert!(code == Some(2) && stderr.contains("see `punch webhook endpoints`"), "{stderr}");
    }
}
