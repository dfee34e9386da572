//! Their clients, our gateway.

use serde_json::{Value, json};

use super::{Peer, Site};

const SIMULATOR: Peer = Peer {
    package: "PyPI django-fingerprint-attendance",
    module: "fingerprint_attendance",
    script: "device_simulator.py",
};

const FIRMWARE: [&str; 3] = ["legacy", "push2", "biodata"];

/// A name that the clients send for a person. No file of ours may have it.
const NAME: &str = "Canary Person";

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

fn simulate(site: &Site, serial: &str, firmware: &str, more: &[&str]) -> Value {
    let url = site.url();
    let mut said = SIMULATOR.ask(&[&[url.as_str(), serial, firmware], more].concat(), "");
    assert_eq!(said.len(), 1, "{said:?}");
    said.remove(0)
}

/// One day of a terminal of each generation: handshake, punches, an outage, a spoiled row, an enrolment, results.
#[test]
fn a_day_of_the_simulated_terminal_of_django_fingerprint_attendance() {
    if !SIMULATOR.is_there() {
        return;
    }
    let site = Site::start(&FIRMWARE.map(|firmware| (firmware, "Asia/Kolkata")));
    for firmware in FIRMWARE {
        let said = simulate(&site, firmware, firmware, &["day"]);
        let options = &said["options"];
        assert_eq!((&options["TimeZone"], &options["Realtime"]), (&json!("330"), &json!("1")), "{options}");
        assert_eq!(options["TransFlag"], "TransData AttLog\tOpLog", "no template is asked for");
        let answers = ["OK: 1", "OK: 3", "OK: 38", "OK: 1", "OK", "OK"].map(|body| json!([200, body]));
        assert_eq!(said["answers"], json!(answers), "user, enrolment, backlog, spoiled row, ping, result");
        assert_eq!(said["commands"], json!([]));

        assert_eq!(site.raw(firmware, "delivered"), texts(&said["rows"]), "every punch once, byte for byte");
        assert_eq!(said["rows"].as_array().map(Vec::len), Some(40));
        assert_eq!(site.raw(firmware, "held"), ["garbage\tnot-a-date"]);
        let recorded = site.raw(firmware, "recorded");
        assert!(recorded[0].starts_with("OPLOG 6\t0\t") && recorded[0].ends_with("\t0042\t3\t0\t0"), "{recorded:?}");
        assert_eq!(recorded[1], "ID=7&Return=0&CMD=INFO");
        assert_eq!(recorded.len(), 2, "{recorded:?}");
    }
    // The template is filler that says so: `canary template `, in base64.
    assert!(!site.has_bytes(NAME) && !site.has_bytes("Y2FuYXJ5IHRlbXBsYXRl"));
    assert!(site.has_bytes("AB-7\t"), "the search finds what is there");
}

/// It takes the mark of the handshake for the number of rows that the server has, also after `kill -9`.
#[test]
fn the_simulated_terminal_goes_on_where_a_killed_gateway_stood() {
    if !SIMULATOR.is_there() {
        return;
    }
    let mut site = Site::start(&[("T1", "UTC")]);
    assert_eq!(simulate(&site, "T1", "push2", &["resume", "3"])["sent_again"], 3);
    site.restart();
    let said = simulate(&site, "T1", "push2", &["resume", "8"]);
    assert_eq!(said["sent_again"], 5);
    assert_eq!(site.raw("T1", "delivered"), texts(&said["rows"]));
}

/// Nobody hears `OK` before the terminal is approved, so nobody forgets a row.
#[test]
fn the_simulated_terminal_keeps_its_rows_until_it_is_approved() {
    if !SIMULATOR.is_there() {
        return;
    }
    let site = Site::start(&[]);
    let said = simulate(&site, "NEW1", "push2", &["refused"]);
    assert!(said["handshake"].as_str().unwrap().starts_with("handshake failed: 503 "), "{said}");
    let answers = said["answers"].as_array().unwrap();
    assert!(!answers.is_empty() && answers.iter().all(|answer| answer[0] == 503), "{said}");
    assert!(!said["answers"].to_string().contains("OK"), "{said}");
    assert_eq!((&said["pending"], &said["uploaded"]), (&json!(1), &json!(0)));
    assert_eq!(site.rows(), []);
    site.approve("NEW1");
    let said = simulate(&site, "NEW1", "push2", &["resume", "1"]);
    assert_eq!(site.raw("NEW1", "delivered"), texts(&said["rows"]));
}
