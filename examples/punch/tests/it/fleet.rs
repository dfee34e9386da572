//! `punch terminal fleet`: what it counts is what arrived. No time decides anything here.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::command::{Done, PATIENCE, Running, feed, punch, run};
use crate::site::Site;

fn figures(done: &Done) -> Value {
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:?}"))
}

fn fleet(server: &str, more: &[&str]) -> Done {
    let arguments = [&["terminal", "fleet", "--server", server, "--json"], more].concat();
    run(&arguments, b"")
}

/// Backlogs, live punches and a power cut in the middle: no terminal is refused, and every row is there once.
#[test]
fn a_fleet_with_backlogs_and_a_power_cut_is_served_whole_and_every_row_arrives_once() {
    let serials: Vec<String> = (0..300).map(|number| format!("FLEET{number:06}")).collect();
    let terminals: Vec<(&str, &str)> = serials.iter().map(|serial| (serial.as_str(), "UTC")).collect();
    let site = Site::start(&terminals);
    let page = site.folder.path().join("fleet.html");
    let more = ["--devices", "300", "--poll", "4s", "--rate", "10", "--duration", "4s", "--storm", "2s"];
    let backlog = ["--backlog-devices", "10", "--backlog-rows", "1000", "--report", page.to_str().unwrap()];
    let done = fleet(&site.url(), &[&more[..], &backlog].concat());
    let figures = figures(&done);
    assert_eq!(done.code, Some(0), "{done:?}");
    for (name, expected) in
        [("connected", 300), ("refused_devices", 0), ("rows", 10_000), ("rows_acknowledged", 10_000)]
    {
        assert_eq!(figures[name], expected, "{name}: {figures}");
    }
    let punches = figures["punches"].as_u64().unwrap();
    assert!(punches > 0 && figures["punches_acknowledged"] == punches, "{figures}");
    // The power cut happened: every terminal has shaken hands twice.
    assert!(figures["served"]["handshakes"].as_u64().unwrap() >= 600, "{figures}");
    assert!(figures["storm_seconds"].is_number(), "{figures}");

    let rows = site.rows();
    assert_eq!(u64::try_from(rows.len()).unwrap(), 10_000 + punches);
    assert!(rows.iter().all(|row| row.fate == "delivered"));
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("<svg") && page.contains("10000 rows, 10000 acknowledged"), "{page}");
}

/// The whole way to a receiver, by one command: what S0-009, S0-073 and S2-010 are judged by is told.
#[test]
fn a_fleet_starts_a_gateway_of_its_own_and_measures_to_the_receiver() {
    let more =
        ["--devices", "20", "--rate", "20", "--duration", "3s", "--webhook-listen", "127.0.0.1:0", "--keep-alive"];
    let done = run(&[&["terminal", "fleet", "--spawn", "--json"][..], &more].concat(), b"");
    let figures = figures(&done);
    assert_eq!(done.code, Some(0), "{done:?}");
    let delivered = &figures["delivered"];
    assert_eq!((delivered["missing"].as_u64(), delivered["refused"].as_u64()), (Some(0), Some(0)), "{figures}");
    assert_eq!(delivered["events"], figures["punches"]);
    for percent in ["p50", "p99", "max"] {
        assert!(delivered["latency_ms"][percent].as_f64().unwrap() > 0.0, "{figures}");
    }
    if cfg!(target_os = "linux") {
        assert!(figures["server"]["memory_peak_kib"].as_u64().unwrap() > 0, "{figures}");
    }
}

/// Whoever has seen enough gets the figures up to then.
#[test]
fn a_fleet_that_is_interrupted_still_says_what_it_has_measured() {
    let site = Site::start(&[("FLEET000000", "UTC")]);
    let page = site.folder.path().join("fleet.html");
    let mut command = punch();
    command.args(["terminal", "fleet", "--server", &site.url(), "--json", "--devices", "1", "--poll", "1s"]);
    command.args(["--rate", "20", "--duration", "1h", "--report", page.to_str().unwrap()]);
    let running = Running::start(&mut command);
    for _ in 0..PATIENCE.as_millis() / 50 {
        if !site.rows().is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let done = running.end("INT");
    assert_eq!(done.code, Some(1), "{done:?}");
    let figures = figures(&done);
    assert_eq!(figures["stopped"], true, "{figures}");
    assert!(figures["punches_acknowledged"].as_u64().unwrap() > 0, "{figures}");
    assert!(std::fs::read_to_string(page).unwrap().contains("stopped before its end"));
}

#[test]
fn terminals_that_nobody_let_in_are_counted_as_refused_and_can_be_let_in() {
    let site = Site::start(&[]);
    let some = ["--devices", "5", "--rate", "0", "--duration", "1s"];
    let done = fleet(&site.url(), &some);
    let refused = figures(&done);
    assert_eq!((done.code, refused["refused_devices"].as_u64()), (Some(1), Some(5)), "{done:?}");
    assert!(refused["statuses"]["503"].as_u64().unwrap() >= 5, "{refused}");

    let api = format!("http://{}", site.api);
    let approve = ["--approve", "--gateway", &api, "--api-key", Site::KEY];
    let done = fleet(&site.url(), &[&some[..], &approve].concat());
    assert_eq!(done.code, Some(0), "{done:?}");
}

#[test]
fn too_few_descriptors_are_an_error_that_names_the_cure() {
    let program = punch().get_program().to_str().unwrap().to_owned();
    let line = format!("ulimit -n 256 && exec {program} terminal fleet --server http://127.0.0.1:9 --devices 5000");
    let done = feed(Command::new("sh").args(["-c", &line]), b"");
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.contains("`ulimit -n 5064`"), "{}", done.stderr);
}
