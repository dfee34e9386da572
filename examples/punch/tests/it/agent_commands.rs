//! Commands of the API at terminals that an agent asks on port 4370: everything is a process, and any of them may be killed.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;
use simulator::world::{Dice, quiet_addr};

use crate::agent::{SERIAL, agent, configure, has, terminal};
use crate::command::{Done, PATIENCE, Running, run};
use crate::site::{Site, exchange};

/// The next event of a terminal with this name.
fn event(serving: &mut Running, name: &str) -> Value {
    loop {
        let event: Value = serde_json::from_str(&serving.line()).unwrap();
        if event["event"] == name {
            return event;
        }
    }
}

fn at_gateway(site: &Site, arguments: &[&str]) -> Done {
    let api = format!("http://{}", site.api);
    run(&[arguments, &["--gateway", &api, "--api-key", Site::KEY]].concat(), b"")
}

fn send(site: &Site, command: &str, payload: &str) -> Done {
    at_gateway(site, &["command", "send", command, "--device", SERIAL, "--payload", payload, "--json"])
}

fn device(site: &Site) -> Value {
    let headers = format!("Authorization: Bearer {}\r\n", Site::KEY);
    let (status, said) = exchange(site.api, "GET", &format!("/v1/devices/{SERIAL}"), &headers, "");
    assert_eq!(status, 200, "{said}");
    serde_json::from_str::<Value>(&said).unwrap()["data"].clone()
}

/// Waits until the gateway knows that somebody asks the terminal.
fn is_asked(site: &Site) -> Value {
    for _ in 0..PATIENCE.as_millis() / 50 {
        let device = device(site);
        if device["capabilities"]["transport"] == "pull" {
            return device;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the gateway was never told of the terminal");
}

/// S2-049, S2-052, S2-053 for terminals that cannot push.
#[test]
fn every_command_is_carried_out_by_the_agent() {
    let folder = tempfile::tempdir().unwrap();
    let at = quiet_addr();
    let site = Site::start(&[(SERIAL, "UTC")]);
    let mut serving = terminal(at, &["--records", "40", "--comm-key", "4711", "--json"]);
    let _agent = agent(&configure(folder.path(), &[at], site.api));
    let known = is_asked(&site);
    assert_eq!(known["capabilities"]["commands"].as_array().unwrap().len(), 9, "{known}");
    assert_eq!(
        (&known["capabilities"]["probe"]["name"], &known["backlog"]["punches_on_device"]),
        (&"SIMULATED".into(), &40.into())
    );

    let people = r#"{"employees": [{"badge_number": "1042", "name": "Ana Ruiz", "card_number": "77"}, {"badge_number": "0043"}]}"#;
    for (command, payload, expected) in [
        ("sync_employees", people, "user_written"),
        ("disable_employee", r#"{"badge_number": "1042"}"#, "user_written"),
        ("delete_employee", r#"{"badge_number": "1042"}"#, "user_deleted"),
        ("sync_time", "{}", "clock_set"),
        ("unlock_door", r#"{"seconds": 3}"#, "door_opened"),
    ] {
        let done = send(&site, command, payload);
        assert_eq!(done.code, Some(0), "{command}: {done:?}");
        let happened = event(&mut serving, expected);
        if command == "unlock_door" {
            assert_eq!(happened["delay"], 3);
        }
    }
    // Nobody is there to be deleted: it is as wanted.
    assert_eq!(send(&site, "delete_employee", r#"{"badge_number": "99999"}"#).code, Some(0));
    let info = send(&site, "info", "{}");
    let shown = at_gateway(
        &site,
        &["command", "show", &serde_json::from_str::<Value>(&info.stdout).unwrap()["id"].to_string()],
    );
    assert!(shown.stdout.contains("name: SIMULATED"), "{shown:?}");
    // Terminals on port 4370 have one door.
    let second = send(&site, "unlock_door", r#"{"door": 2}"#);
    assert!(second.code == Some(2) && second.stderr.contains("one door"), "{second:?}");
    // What cannot be written is refused by name, and not tried again.
    let odd = send(&site, "sync_employees", r#"{"employees": [{"badge_number": "7", "privilege": 7}]}"#);
    assert_eq!(odd.code, Some(1), "{odd:?}");

    assert_eq!(send(&site, "restart", "{}").code, Some(0));
    event(&mut serving, "restarted");
}

/// S2-051: whatever is killed, a door opens once or not at all. Each order has a time of its own, by which it is known again.
#[test]
fn a_door_opens_at_most_once_however_often_the_agent_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice::new(u64::from(std::process::id()) ^ 0x4373);
    let at = quiet_addr();
    let site = Site::start(&[(SERIAL, "UTC")]);
    let mut serving = terminal(at, &["--records", "10", "--comm-key", "4711", "--json"]);
    let config = configure(folder.path(), &[at], site.api);
    let mut running = agent(&config);
    is_asked(&site);
    let headers = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", Site::KEY);
    for seconds in 1..=8_u64 {
        let order = format!("{{\"command\":\"unlock_door\",\"payload\":{{\"seconds\":{seconds}}}}}");
        let target = format!("/v1/devices/{SERIAL}/commands");
        let (status, said) = exchange(site.api, "POST", &target, &headers, &order);
        assert_eq!(status, 202, "{said}");
        std::thread::sleep(Duration::from_millis(dice.below(250)));
        running.kill();
        running = agent(&config);
    }
    // One that nobody disturbs opens, so whatever was to open has opened by then.
    let last = send(&site, "unlock_door", r#"{"seconds": 99}"#);
    assert_eq!(last.code, Some(0), "{last:?}");
    let mut opened = BTreeMap::<u64, u32>::new();
    while !opened.contains_key(&99) {
        *opened.entry(event(&mut serving, "door_opened")["delay"].as_u64().unwrap()).or_default() += 1;
    }
    assert!(opened.values().all(|times| *times == 1), "{opened:?}");
}

/// A line to a gateway that loses what became of commands while it is bad.
struct BadLine {
    addr: SocketAddr,
    is_bad: Arc<AtomicBool>,
    lost: Arc<AtomicU32>,
}

impl BadLine {
    fn to(gateway: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (is_bad, lost) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU32::new(0)));
        let (bad, count) = (Arc::clone(&is_bad), Arc::clone(&lost));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, gateway) = (client.unwrap(), TcpStream::connect(gateway).unwrap());
                let (mut back, mut to_client) = (gateway.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || {
                    // Either side may be gone by now.
                    drop(std::io::copy(&mut back, &mut to_client));
                    drop(to_client.shutdown(Shutdown::Both));
                });
                let (bad, count) = (Arc::clone(&bad), Arc::clone(&count));
                std::thread::spawn(move || pass(client, gateway, &bad, &count));
            }
        });
        Self { addr, is_bad, lost }
    }
}

fn pass(mut client: TcpStream, mut gateway: TcpStream, is_bad: &AtomicBool, lost: &AtomicU32) {
    let mut bytes = [0; 65_536];
    while let Ok(count @ 1..) = client.read(&mut bytes) {
        let told = bytes[..count].windows(14).any(|window| window == b"/steps/results");
        if told && is_bad.load(Ordering::SeqCst) {
            lost.fetch_add(1, Ordering::SeqCst);
            break;
        }
        if gateway.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    for stream in [client, gateway] {
        // The other side may have closed it.
        drop(stream.shutdown(Shutdown::Both));
    }
}

/// What was done and could not be told waits in the agent's file, over its death too, and is told once the line is good.
#[test]
fn what_became_of_a_command_is_told_however_long_that_takes() {
    let folder = tempfile::tempdir().unwrap();
    let at = quiet_addr();
    let site = Site::start(&[(SERIAL, "UTC")]);
    let line = BadLine::to(site.api);
    let mut serving = terminal(at, &["--records", "10", "--comm-key", "4711", "--json"]);
    let config = configure(folder.path(), &[at], line.addr);
    let running = agent(&config);
    is_asked(&site);
    let headers = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", Site::KEY);
    let order = r#"{"command":"unlock_door","payload":{"seconds":7}}"#;
    let (status, said) = exchange(site.api, "POST", &format!("/v1/devices/{SERIAL}/commands"), &headers, order);
    assert_eq!(status, 202, "{said}");
    let id = serde_json::from_str::<Value>(&said).unwrap()["data"]["id"].to_string();
    assert_eq!(event(&mut serving, "door_opened")["delay"], 7);
    let waits = |what: &str, is_so: &dyn Fn() -> bool| {
        for _ in 0..PATIENCE.as_millis() / 50 {
            if is_so() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("never: {what}");
    };
    waits("it is told again and again", &|| line.lost.load(Ordering::SeqCst) >= 2);
    running.kill();
    let status = run(&["agent", "--config", &config, "--status"], b"");
    assert_eq!(status.code, Some(1), "{status:?}");
    assert!(status.stderr.contains("1 results of commands wait"), "{status:?}");

    line.is_bad.store(false, Ordering::SeqCst);
    let _running = agent(&config);
    waits("the gateway knows that the door was opened", &|| {
        let (_, said) = exchange(site.api, "GET", &format!("/v1/commands/{id}"), &headers, "");
        serde_json::from_str::<Value>(&said).unwrap()["data"]["state"] == "done"
    });
    let told = run(&["agent", "--config", &config, "--status"], b"");
    assert!(!told.stderr.contains("results of commands"), "{told:?}");
}

/// What is asked for once more is known, whoever brings it, and what was asked for is not asked for again.
#[test]
fn a_backfill_over_port_4370_goes_on_where_it_was_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = quiet_addr();
    let site = Site::start(&[(SERIAL, "UTC")]);
    let _serving = terminal(at, &["--records", "300", "--comm-key", "4711"]);
    let _agent = agent(&configure(folder.path(), &[at], site.api));
    has(&site, 300);
    is_asked(&site);
    let mark = folder.path().join("mark");
    let backfill = |more: &[&str]| {
        let span =
            ["backfill", "--device", SERIAL, "--from", "2025-10-30", "--to", "2025-10-31", "--rate", "6000", "--json"];
        let done = at_gateway(&site, &[&span[..], more].concat());
        assert_eq!(done.code, Some(0), "{done:?}");
        serde_json::from_str::<Value>(&done.stdout).unwrap()
    };
    let first = backfill(&["--resume", mark.to_str().unwrap()]);
    assert_eq!((&first["pieces"], &first["rows"], &first["new"]), (&2.into(), &300.into(), &0.into()), "{first}");
    let again = backfill(&["--resume", mark.to_str().unwrap()]);
    assert_eq!((&again["pieces"], &again["skipped"], &again["new"]), (&0.into(), &2.into(), &0.into()), "{again}");
    let anew = backfill(&["--piece", "12h"]);
    assert_eq!((&anew["pieces"], &anew["rows"], &anew["new"]), (&4.into(), &300.into(), &0.into()), "{anew}");
    assert_eq!(site.rows().len(), 300);
}
