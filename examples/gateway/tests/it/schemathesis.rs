//! A published fuzzer holds the gateway to its own document: <https://schemathesis.io>. What it is told is in
//! `.ci/schemathesis.toml`.

use std::process::Command;

use serde_json::json;

use crate::harness::{API_KEY, Site};

/// A site that has some of everything, so that there is something to be asked about.
async fn filled() -> Site {
    let site = Site::start(|_| ()).await;
    site.punch("1042\t2026-03-28 08:47:12\t0\t1\n1043\t2026-03-28 08:48:12\t0\t1\n").await;
    site.upload("T1", "ATTLOG", "junk\n\t2026-03-28 08:00:00\t0\t1\n").await;
    for (path, body) in [
        ("/v1/webhooks", json!({ "url": "https://127.0.0.1:9/1", "events": ["attendance.punch"] })),
        ("/v1/employees", json!({ "badge_number": "1042", "name": "Ana" })),
        ("/v1/devices/T1/commands", json!({ "command": "info" })),
        ("/v1/commands", json!({ "command": "info", "devices": ["T1"] })),
        ("/v1/api-keys", json!({ "name": "one", "scope": "read" })),
        ("/v1/webhooks/1/test", json!({})),
        ("/v1/webhooks/1/replay", json!({ "from": "2026-01-01T00:00:00Z" })),
    ] {
        let (status, answer) = site.post(path, body).await;
        assert!((200..300).contains(&status), "{path}: {answer}");
    }
    site
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_does_what_its_document_says_whatever_it_is_asked() {
    let Some(program) = std::env::var_os("PUNCH_SCHEMATHESIS") else {
        eprintln!("skipped: PUNCH_SCHEMATHESIS does not say where schemathesis is; `.ci/run schemathesis` installs it");
        return;
    };
    let site = filled().await;
    let mut command = Command::new(program);
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).env("PUNCH_API_KEY", API_KEY);
    command.args(["--config-file", ".ci/schemathesis.toml", "run", "--no-color"]);
    command.arg(format!("http://{}/openapi.json", site.gateway.api_addr));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{errors}");
    // That it has tried something at all.
    assert!(said.contains("cases generated") || said.contains("passed"), "{said}");
    assert_eq!(site.get("/v1/devices/T1").await.0, 200, "and it goes on to work");
}
