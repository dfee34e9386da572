//! `punch agent` as a process between terminals and a gateway, any of which may be gone.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use simulator::world::quiet_addr;

use crate::command::{PATIENCE, Running, punch, run};
use crate::site::{Site, exchange};

pub(crate) const SERIAL: &str = "SIM4370";

/// A terminal on a port of its own, so that it can go and come back.
pub(crate) fn terminal(at: SocketAddr, arguments: &[&str]) -> Running {
    let at = at.to_string();
    let mut command = punch();
    command.args(["terminal", "serve", "--addr", &at, "--serial", SERIAL]).args(arguments);
    let mut running = Running::start(&mut command);
    assert!(running.line().contains(&at));
    running
}

pub(crate) fn configure(folder: &Path, terminals: &[SocketAddr], gateway: SocketAddr) -> String {
    let file = folder.join("agent.toml");
    std::fs::write(folder.join("key"), format!("{}\n", Site::KEY)).unwrap();
    std::fs::write(folder.join("comm"), "4711\n").unwrap();
    let entry = |at: &SocketAddr| {
        format!(
            "[[terminal]]\nhost = \"{}\"\nport = {}\nevery_seconds = 5\ncomm_key_file = \"comm\"\npatience_seconds = 5\n",
            at.ip(),
            at.port()
        )
    };
    let entries: String = terminals.iter().map(entry).collect();
    let gateway = format!("[gateway]\nurl = \"http://{gateway}\"\napi_key_file = \"key\"\n");
    std::fs::write(&file, format!("{gateway}{entries}")).unwrap();
    file.to_str().unwrap().to_owned()
}

pub(crate) fn agent(config: &str) -> Running {
    let mut running = Running::start(punch().args(["agent", "--config", config]));
    assert!(running.line().starts_with("agent reads "));
    running
}

/// Waits until the gateway has this many rows.
pub(crate) fn has(site: &Site, count: usize) -> Vec<String> {
    for _ in 0..PATIENCE.as_millis() / 50 {
        let rows = site.rows();
        if rows.len() >= count {
            return rows.into_iter().map(|row| row.raw).collect();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{} of {count} rows", site.rows().len())
}

/// Waits until the gateway knows the terminal's clock.
fn is_measured(site: &Site) {
    let headers = format!("Authorization: Bearer {}\r\n", Site::KEY);
    for _ in 0..PATIENCE.as_millis() / 50 {
        let (status, device) = exchange(site.api, "GET", &format!("/v1/devices/{SERIAL}"), &headers, "");
        let device: Value = serde_json::from_str(&device).unwrap();
        assert_eq!(status, 200, "{device}");
        // A probe counts as five.
        if device["data"]["clock"]["samples"] == 5 {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the clock was never told");
}

/// What the terminal has, as rows of a gateway.
fn log_of(at: SocketAddr) -> BTreeSet<String> {
    let port = at.port().to_string();
    let done = run(&["pull", "--host", "127.0.0.1", "--port", &port, "--comm-key", "4711"], b"");
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let time = row["time"].as_str().unwrap().replace('T', " ");
        format!("{}\t{time}\t{}\t{}\t", row["pin"].as_str().unwrap(), row["state"], row["verify"])
    };
    done.stdout.lines().map(row).collect()
}

/// S0-010 for terminals that are read: everything dies in turn, and every punch is at the gateway once.
#[test]
fn a_terminal_an_agent_and_a_gateway_may_die_and_no_punch_is_lost_or_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let at = quiet_addr();
    let mut site = Site::start(&[(SERIAL, "UTC")]);
    let config = configure(folder.path(), &[at], site.api);

    // The gateway is there, the terminal is not yet.
    let running = agent(&config);
    let serving = terminal(at, &["--records", "1500", "--comm-key", "4711"]);
    has(&site, 1500);
    // It tells what the terminal's clock shows, without being asked.
    is_measured(&site);

    // The agent is killed, and begins where it stood.
    running.kill();
    let running = agent(&config);

    // The gateway goes; another terminal stands where the first one was, and people punch.
    site.stop();
    serving.kill();
    let live = ["--records", "40", "--seed", "2", "--comm-key", "4711", "--live-every", "0.05"];
    let serving = terminal(at, &live);
    for _ in 0..PATIENCE.as_millis() / 50 {
        let status = run(&["agent", "--config", &config, "--status", "--json"], b"");
        let waiting: Value = serde_json::from_str(&status.stdout).unwrap();
        if waiting["waiting"].as_u64().unwrap() > 60 {
            assert_eq!(status.code, Some(1));
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    running.kill();
    site.begin();
    // It listens elsewhere now.
    let config = configure(folder.path(), &[at], site.api);
    let running = agent(&config);
    has(&site, 1500 + 60);
    // The agent stops and the terminal goes on: what it missed is read by the next one.
    let ended = running.terminate();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let log = log_of(at);
    let _running = agent(&config);
    let rows = has(&site, 1500 + log.len());
    let distinct: BTreeSet<String> = rows.iter().cloned().collect();
    assert_eq!(distinct.len(), rows.len(), "nothing is doubled");
    assert!(log.is_subset(&distinct), "nothing is lost");
    drop(serving);
}

#[test]
fn one_terminal_that_is_gone_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (gone, at) = (quiet_addr(), quiet_addr());
    let site = Site::start(&[(SERIAL, "UTC")]);
    let config = configure(folder.path(), &[gone, at], site.api);
    let _serving = terminal(at, &["--records", "200", "--comm-key", "4711", "--layout", "8b"]);
    let mut running = agent(&config);
    has(&site, 200);
    let complaint = running.complaint_with("it keeps its punches");
    assert!(complaint.contains(&gone.to_string()), "{complaint}");
}

#[test]
fn everything_that_is_wrong_with_a_file_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.toml");
    std::fs::write(&file, "[gateway]\nurl = 7\n[[terminal]]\nprot = 4370\ncomm_key = 1000000\n").unwrap();
    let done = run(&["agent", "--config", file.to_str().unwrap()], b"");
    assert_eq!(done.code, Some(2));
    for complaint in
        ["gateway.url", "gateway.api_key", "terminal[1].host", "did you mean `port`", "terminal[1].comm_key"]
    {
        assert!(done.stderr.contains(complaint), "{complaint}: {}", done.stderr);
    }
    std::fs::write(
        &file,
        "[gateway]\nurl = \"http://punch.example.com\"\napi_key = \"k\"\n[[terminal]]\nhost = \"h\"\n",
    )
    .unwrap();
    let plain = run(&["agent", "--config", file.to_str().unwrap()], b"");
    assert_eq!(plain.code, Some(2));
    assert!(plain.stderr.contains("use https") && !plain.stderr.contains("\"k\""), "{plain:?}");
}
