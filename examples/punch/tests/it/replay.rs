//! `punch replay --retz`: rows that came while the zone was wrong.

use crate::command::{Done, run};
use crate::site::{Site, exchange};

fn replay(site: &Site, arguments: &[&str]) -> Done {
    let url = format!("http://{}", site.api);
    run(&[&["replay", "--gateway", &url, "--api-key", Site::KEY], arguments].concat(), b"")
}

#[test]
fn nothing_has_moved_while_the_zone_is_right() {
    let site = Site::start(&[("T1", "UTC")]);
    let rows = "1001\t2026-03-02 08:00:00\t255\t1\n1001\t2026-03-02 14:00:00\t255\t1\n";
    let answer = exchange(site.device, "POST", "/iclock/cdata?SN=T1&table=ATTLOG&Stamp=9999", "", rows);
    assert_eq!(answer, (200, "OK: 2".to_owned()));
    let Done { code, stdout, stderr } = replay(&site, &["--retz", "--device", "T1"]);
    let expected = "2 rows of T1 looked at, 0 have another instant now\n";
    assert_eq!((code, stdout.as_str()), (Some(0), expected), "{stderr}");
    let Done { stdout, .. } = replay(&site, &["--retz", "--device", "T1", "--json"]);
    assert_eq!(stdout, "{\"looked_at\":2,\"moved\":0}\n");
}

#[test]
fn what_cannot_be_done_says_why() {
    let site = Site::start(&[("T1", "UTC")]);
    let Done { code, stderr, .. } = replay(&site, &["--retz", "--device", "T1", "--since", "yesterday"]);
    assert!(code == Some(2) && stderr.contains("'since': expected a moment like"), "{stderr}");
    let Done { code, stderr, .. } = replay(&site, &["--device", "T1"]);
    assert!(code == Some(2) && stderr.contains("--retz"), "{stderr}");
    let Done { code, stderr, .. } = replay(&site, &["--retz", "--device", "T9"]);
    assert!(code == Some(2) && stderr.contains("knows no terminal T9"), "{stderr}");
}
