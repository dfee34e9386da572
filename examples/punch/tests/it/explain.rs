//! `punch explain`: what was decided about a punch, in words that need no manual.

use serde_json::Value;

use crate::command::{Done, run};
use crate::site::{Site, exchange};

fn push(site: &Site, rows: &str) {
    let (status, said) = exchange(site.device, "POST", "/iclock/cdata?SN=T1&table=ATTLOG&Stamp=9999", "", rows);
    assert_eq!((status, said), (200, format!("OK: {}", rows.lines().count())));
}

/// The punches by their terminal's time.
fn ids(site: &Site) -> Vec<String> {
    let store = rusqlite::Connection::open(site.folder.path().join("punch.sqlite")).unwrap();
    let mut statement = store.prepare("SELECT id FROM row ORDER BY device_local").unwrap();
    let ids = statement.query_map([], |row| row.get(0)).unwrap();
    ids.map(Result::unwrap).collect()
}

fn explain(site: &Site, arguments: &[&str]) -> Done {
    let key = site.folder.path().join("punch.key");
    std::fs::write(&key, format!("{}\n", Site::KEY)).unwrap();
    let url = format!("http://{}", site.api);
    run(&[&["explain", "--gateway", &url, "--api-key-file", key.to_str().unwrap()], arguments].concat(), b"")
}

#[test]
fn a_punch_is_explained_with_what_its_direction_rests_on_and_how_it_was_told_anew() {
    let site = Site::start(&[("T1", "UTC")]);
    push(&site, "1001\t2026-03-02 08:00:00\t255\t1\n1001\t2026-03-02 14:00:00\t255\t1\n");
    push(&site, "1001\t2026-03-02 13:00:00\t255\t1\n\t2026-03-02 15:00:00\t0\t1\n");
    let ids = ids(&site);
    let Done { code, stdout, stderr } = explain(&site, &[&ids[2]]);
    assert_eq!(code, Some(0), "{stderr}");
    let expected = [
        format!("{} from terminal T1, received ", ids[2]),
        "time: the terminal's clock showed 2026-03-02T14:00:00, which is 2026-03-02T14:00:00Z".to_owned(),
        "fate: a punch; ".to_owned(),
        "direction: in, 60 % sure; nothing said it, so the punches around it do: in, out, in, out".to_owned(),
        format!("shift: {}, of 2026-03-02", ids[0].replace("evt_", "ses_")),
        "told anew (1) at ".to_owned(),
    ];
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{stdout}");
    for (line, expected) in lines.iter().zip(&expected) {
        assert!(line.starts_with(expected), "expected `{expected}`, got `{line}`");
    }
    assert!(lines[5].contains("a row from before it came late; direction out became in; evt_"), "{}", lines[5]);
    // The revision leads to the same punch, and JSON has it all.
    let revision = lines[5].rsplit(' ').next().unwrap();
    let Done { code, stdout, .. } = explain(&site, &["--json", revision]);
    let way: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, way["event_id"].as_str(), way["revision"].as_u64()), (Some(0), Some(ids[2].as_str()), Some(1)));
    // A row that is held says what to do.
    let Done { stdout, .. } = explain(&site, &[&ids[3]]);
    assert!(stdout.contains("fate: held, anonymous: the row has no PIN; have the person punch again"), "{stdout}");
}

#[test]
fn what_was_done_by_hand_is_told_with_its_note() {
    let site = Site::start(&[("T1", "UTC")]);
    push(&site, "1001\t2026-03-02 08:00:00\t255\t1\n1001\t2026-03-02 14:00:00\t255\t1\njunk\n");
    let ids = ids(&site);
    let by_hand = |path: &str, body: &str| {
        let headers = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", Site::KEY);
        let (status, said) = exchange(site.api, "POST", path, &headers, body);
        assert_eq!(status, 200, "{said}");
    };
    by_hand(
        &format!("/v1/attendance/{}/direction", ids[1]),
        r#"{"direction":"out","note":"the day before was left open"}"#,
    );
    by_hand(&format!("/v1/quarantine/{}/discard", ids[0]), r#"{"reason":"a test of the installer"}"#);
    let Done { stdout, .. } = explain(&site, &[&ids[1]]);
    assert!(
        stdout.contains("direction: out, 100 % sure; somebody corrected it: the day before was left open"),
        "{stdout}"
    );
    assert!(stdout.contains(": somebody corrected it; direction in became out"), "{stdout}");
    let Done { stdout, .. } = explain(&site, &[&ids[0]]);
    assert!(stdout.contains("fate: discarded by hand, and still stored: a test of the installer"), "{stdout}");
}

#[test]
fn what_cannot_be_explained_is_told_by_exit_code() {
    let site = Site::start(&[("T1", "UTC")]);
    let unknown = explain(&site, &["evt_0"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(1), ""), "{}", unknown.stderr);
    let url = format!("http://{}", site.api);
    let wrong = run(&["explain", "--gateway", &url, "--api-key", "pk_wrong", "evt_0"], b"");
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
    assert!(!wrong.stderr.contains("pk_wrong"), "{}", wrong.stderr);
    let keyless = run(&["explain", "evt_0"], b"");
    assert!(keyless.code == Some(2) && keyless.stderr.contains("--api-key-file"), "{}", keyless.stderr);
    let path = explain(&site, &["../devices"]);
    assert_eq!(path.code, Some(2), "{}", path.stderr);
    // The key stays off the network unless somebody says that it may go there.
    let plain = run(&["explain", "--gateway", "http://192.0.2.1:8080", "--api-key", "pk_x", "evt_0"], b"");
    assert!(plain.code == Some(2) && plain.stderr.contains("use https"), "{}", plain.stderr);
    let dead = run(&["explain", "--gateway", "http://127.0.0.1:1", "--api-key", "pk_x", "evt_0"], b"");
    assert_eq!(dead.code, Some(3), "{}", dead.stderr);
}
