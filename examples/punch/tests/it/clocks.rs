//! `punch clocks`: a table for people, lines for programs, and an exit code for whoever watches.

use chrono::{TimeDelta, Utc};
use serde_json::Value;

use crate::command::{Done, run};
use crate::site::{Site, exchange};

/// People punch, one after another, at a terminal that is this far behind.
fn punches(site: &Site, serial: &str, behind: TimeDelta) {
    for pin in 1..=6 {
        #[expect(clippy::disallowed_methods, reason = "a terminal shows the time")]
        let shown = Utc::now() - behind;
        let target = format!("/iclock/cdata?SN={serial}&table=ATTLOG&Stamp=9999");
        let row = format!("{pin}\t{}\t0\t1\n", shown.format("%Y-%m-%d %H:%M:%S"));
        assert_eq!(exchange(site.device, "POST", &target, "", &row), (200, "OK: 1".to_owned()));
    }
}

fn clocks(site: &Site, arguments: &[&str]) -> Done {
    let url = format!("http://{}", site.api);
    run(&[&["clocks", "--gateway", &url, "--api-key", Site::KEY], arguments].concat(), b"")
}

#[test]
fn a_drifting_clock_is_shown_and_a_wrong_one_is_an_exit_code() {
    let site = Site::start(&[("T1", "UTC"), ("T2", "+01:00"), ("T3", "America/Mexico_City")]);
    // Nobody has let it in.
    exchange(site.device, "GET", "/iclock/getrequest?SN=NEW1", "", "");
    punches(&site, "T1", TimeDelta::seconds(47));
    let Done { code, stdout, stderr } = clocks(&site, &[]);
    assert_eq!(code, Some(0), "{stderr}");
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines[0].starts_with("terminal") && lines.len() == 4, "{stdout}");
    for (line, words) in lines[1..].iter().zip([
        ["T1", "UTC", "drift", "synchronise it"],
        ["T2", "+01:00", "unknown", "too few live punches"],
        ["T3", "America/Mexico_City", "unknown", "too few live punches"],
    ]) {
        assert!(words.iter().all(|word| line.contains(word)), "{line}");
    }

    // It shows UTC, and is said to show an hour more.
    punches(&site, "T2", TimeDelta::zero());
    let Done { code, stdout, .. } = clocks(&site, &["--json"]);
    assert_eq!(code, Some(1), "{stdout}");
    let devices: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(devices.len(), 3);
    let clock = &devices[1]["clock"];
    assert_eq!(clock["health"], "timezone_misconfigured", "{clock}");
    assert!(clock["advice"].as_str().unwrap().contains("set its zone here to +00:00"), "{clock}");
}

#[test]
fn whoever_cannot_be_asked_is_no_table() {
    let site = Site::start(&[]);
    let url = format!("http://{}", site.api);
    let wrong = run(&["clocks", "--gateway", &url, "--api-key", "pk_wrong"], b"");
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    let empty = clocks(&site, &[]);
    assert_eq!((empty.code, empty.stdout.lines().count()), (Some(0), 1), "{empty:?}");
}
