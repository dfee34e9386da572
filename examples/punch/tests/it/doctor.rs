//! `punch doctor device`: what it finds, and what it says to do.

use std::net::SocketAddr;

use serde_json::Value;

use crate::command::{Done, run};
use crate::pull::terminal;

fn doctor(at: SocketAddr, arguments: &[&str]) -> Done {
    let (host, port) = (at.ip().to_string(), at.port().to_string());
    run(&[&["doctor", "device", &host, "--port", &port, "--patience", "1"], arguments].concat(), b"")
}

#[test]
fn a_terminal_that_is_well_has_nothing_to_complain_about() {
    let (_running, at) = terminal(&["--records", "30"]);
    let well = doctor(at, &[]);
    assert_eq!(well.code, Some(0), "{well:?}");
    for found in
        ["ok  TCP", "ok  UDP", "SIM4370", "30, room for", "right within a minute in UTC", "records of 72 bytes"]
    {
        assert!(well.stdout.contains(found), "{found}: {}", well.stdout);
    }
    let found: Value = serde_json::from_str(&doctor(at, &["--json"]).stdout).unwrap();
    assert_eq!(found["tcp"], serde_json::json!({ "open": true, "comm_key": false }));
    assert_eq!(
        (&found["serial"], &found["records"], &found["time_ranges"]),
        (&"SIM4370".into(), &30.into(), &true.into())
    );
    assert!(found["clock_off_seconds"].as_i64().unwrap().abs() < 60, "{found}");
}

#[test]
fn a_clock_in_another_zone_is_told_from_one_that_is_wrong() {
    let (_running, at) = terminal(&[]);
    let zone = doctor(at, &["--zone", "Asia/Kathmandu"]);
    assert_eq!(zone.code, Some(1));
    assert!(zone.stdout.contains("5 h 45 min slow") && zone.stdout.contains("another zone"), "{zone:?}");
}

#[test]
fn a_key_is_asked_for_and_then_tried() {
    let (_running, at) = terminal(&["--comm-key", "123456"]);
    let needed = doctor(at, &[]);
    assert_eq!(needed.code, Some(1));
    assert!(needed.stdout.contains("PP-TCP-043") && needed.stdout.contains("--comm-key KEY"), "{needed:?}");
    let given = doctor(at, &["--comm-key", "123456"]);
    assert_eq!(given.code, Some(0), "{given:?}");
    assert!(given.stdout.contains("wanted, and right"));
    let wrong: Value = serde_json::from_str(&doctor(at, &["--comm-key", "9", "--json"]).stdout).unwrap();
    assert_eq!((&wrong["tcp"]["answers"], &wrong["tcp"]["code"]), (&true.into(), &"PP-TCP-044".into()));
}

#[test]
fn units_with_one_carrier_and_units_that_encrypt_are_recognised() {
    let (_udp, at) = terminal(&["--udp", "--no-range", "--no-buffer"]);
    let udp = doctor(at, &[]);
    assert_eq!(udp.code, Some(0), "{udp:?}");
    assert!(udp.stdout.contains("read with --udp") && udp.stdout.contains("no, reads in one go"), "{udp:?}");
    assert!(udp.stdout.contains("no; the whole log is read each time"), "{udp:?}");

    let (_secure, at) = terminal(&["--secure"]);
    let secure = doctor(at, &[]);
    assert_eq!(secure.code, Some(1));
    assert!(secure.stdout.contains("PP-TCP-046") && secure.stdout.contains("let it push"), "{secure:?}");

    let nobody = doctor(SocketAddr::from(([127, 0, 0, 1], 9)), &[]);
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.stdout.contains("is it switched on"), "{nobody:?}");
}
