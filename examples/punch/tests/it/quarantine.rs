//! `punch quarantine`: what is held is seen, put right, taken once more and put away from the terminal.

use serde_json::Value;

use crate::command::{Done, run};
use crate::site::{Site, exchange};

fn quarantine(site: &Site, arguments: &[&str]) -> Done {
    let url = format!("http://{}", site.api);
    run(&[&["quarantine"], arguments, &["--gateway", &url, "--api-key", Site::KEY]].concat(), b"")
}

fn push(site: &Site, rows: &str) {
    let answer = exchange(site.device, "POST", "/iclock/cdata?SN=T1&table=ATTLOG&Stamp=9999", "", rows);
    assert_eq!(answer, (200, format!("OK: {}", rows.lines().count())));
}

fn id(site: &Site, reason: &str) -> String {
    let Done { stdout, .. } = quarantine(site, &["list", "--json", "--reason", reason]);
    let row: Value = serde_json::from_str(stdout.lines().next().unwrap()).unwrap();
    row["id"].as_str().unwrap().to_owned()
}

#[test]
fn an_empty_quarantine_says_what_would_be_there() {
    let site = Site::start(&[("T1", "UTC")]);
    let Done { code, stdout, stderr } = quarantine(&site, &["list"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.starts_with("nothing is held; "), "{stdout}");
}

#[test]
fn rows_are_listed_shown_put_right_and_put_away() {
    let site = Site::start(&[("T1", "UTC")]);
    push(&site, "\t2026-03-02 08:00:00\t0\t1\n7\t2000-01-01 00:00:07\t0\t1\njunk\n");
    let Done { code, stdout, .. } = quarantine(&site, &["list"]);
    assert_eq!((code, stdout.lines().count()), (Some(1), 5), "{stdout}");
    assert!(stdout.contains("clock_reset        T1                   2000-01-01T00:00:07 7 2000-01-01 00:00:07 0 1"));

    let anonymous = id(&site, "anonymous");
    let Done { code, stdout, .. } = quarantine(&site, &["show", &anonymous]);
    assert_eq!(code, Some(0));
    assert!(stdout.contains("held: anonymous; the row has no PIN"), "{stdout}");
    assert!(stdout.contains(&format!("next: punch quarantine fix {anonymous} --pin PIN")), "{stdout}");
    let Done { code, stderr, .. } = quarantine(&site, &["fix", &anonymous]);
    assert!(code == Some(2) && stderr.contains("punch quarantine show ID"), "{stderr}");
    let Done { code, stdout, .. } = quarantine(&site, &["fix", &anonymous, "--pin", "9"]);
    assert_eq!(
        (code, stdout.as_str()),
        (Some(0), "1 taken once more: 1 are punches, 0 second punches, 0 still held\n")
    );

    let Done { code, stdout, .. } = quarantine(&site, &["reanchor", "T1", "--shift-seconds", "825753600", "--json"]);
    let answer: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, answer["delivered"].as_u64()), (Some(0), Some(1)));

    let malformed = id(&site, "malformed");
    let Done { code, stdout, .. } = quarantine(&site, &["retry"]);
    assert_eq!(
        (code, stdout.as_str()),
        (Some(1), "1 taken once more: 0 are punches, 0 second punches, 1 still held\n")
    );
    let Done { code, stdout, .. } = quarantine(&site, &["discard", &malformed, "--reason", "a test"]);
    assert_eq!((code, stdout), (Some(0), format!("{malformed} is put away\n")));
    let Done { code, stdout, .. } = quarantine(&site, &["list", "--discarded", "--json"]);
    assert!(code == Some(0) && stdout.contains(r#""put_away":"a test""#), "{stdout}");
    let Done { stdout, .. } = quarantine(&site, &["show", &malformed]);
    assert!(
        stdout.contains("put away: a test\nnext: punch quarantine retry") && !stdout.contains("discard "),
        "{stdout}"
    );
    let Done { code, stdout, .. } = quarantine(&site, &["list", "--reason", "future"]);
    assert!(code == Some(0) && stdout.starts_with("no row fits; "), "{stdout}");
    let Done { code, stdout, .. } = quarantine(&site, &["retry", "--discarded"]);
    assert_eq!(code, Some(1), "{stdout}");
    let known = "9\\t2026-03-02 08:00:00\\t0\\t1";
    push(&site, "9\t2026-03-02 08:00:00\t0\t1\n");
    let Done { code, stdout, .. } = quarantine(&site, &["fix", &malformed, "--text", known]);
    assert!(code == Some(0) && stdout.contains("1 known already"), "{stdout}");
    let Done { code, stderr, .. } = quarantine(&site, &["show", "evt_nobody"]);
    assert!(code == Some(2) && stderr.contains("see `punch quarantine list`"), "{stderr}");
    let Done { code, stderr, .. } = quarantine(&site, &["list", "--reason", "bad"]);
    assert!(code == Some(2) && stderr.contains("`bad` is none, expected one of: malformed"), "{stderr}");
}
