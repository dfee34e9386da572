//! `punch pull` against a terminal that a process serves: every row, over either carrier, printed or into a gateway.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use punch_normalize::TenantKey;
use punch_protocol::tcp::AttendanceLayout;
use punch_protocol::{Pin, RawPunch, SerialNumber};
use serde_json::{Value, json};
use simulator::backlog::{Backlog, pin};

use crate::command::{Done, Running, feed, punch, run};
use crate::site::{Site, exchange};
use crate::terminal_serve::{address, serve};

const SERIAL: &str = "SIM4370";

/// A terminal and where it listens.
pub(crate) fn terminal(arguments: &[&str]) -> (Running, SocketAddr) {
    let mut running = serve(&[&["--serial", SERIAL], arguments].concat());
    let carrier = if arguments.contains(&"--udp") { "udp" } else { "tcp" };
    let address = address(&mut running, SERIAL, carrier).parse().unwrap();
    (running, address)
}

fn pull(at: SocketAddr, arguments: &[&str]) -> Done {
    let (host, port) = (at.ip().to_string(), at.port().to_string());
    run(&[&["pull", "--host", &host, "--port", &port], arguments].concat(), b"")
}

fn lines(done: &Done) -> Vec<Value> {
    done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What the terminal has, as `punch pull` prints it.
fn truth(records: u32, layout: AttendanceLayout, key: &TenantKey) -> Vec<Value> {
    let backlog = Backlog { users: 10, records, seed: 1 };
    let work_code = if layout.size() == 8 { Value::Null } else { 0.into() };
    let row = |punch: simulator::backlog::Punched| {
        let pin = pin(punch.slot).to_string();
        let serial = SerialNumber::parse(SERIAL).unwrap();
        let mut raw = RawPunch::new(serial, Pin::new(pin.as_bytes()).into_owned(), punch.time);
        raw.status = Some(punch.state);
        json!({
            "pin": pin, "time": punch.time.format("%Y-%m-%dT%H:%M:%S").to_string(), "state": punch.state.0,
            "verify": punch.verify.0, "work_code": work_code, "serial": SERIAL,
            "event_id": key.event_id(&raw).as_str(),
        })
    };
    backlog.punches(layout).map(row).collect()
}

fn zeros() -> TenantKey {
    TenantKey::new([0; 32])
}

#[test]
fn every_layout_comes_row_for_row_over_both_carriers() {
    let layouts = [
        ("40", AttendanceLayout::Text40),
        ("49", AttendanceLayout::Text49),
        ("36", AttendanceLayout::Text36),
        ("16", AttendanceLayout::Number16),
        ("8a", AttendanceLayout::Packed8),
        ("8b", AttendanceLayout::Flags8),
    ];
    for (name, layout) in layouts {
        let (_running, at) = terminal(&["--layout", name, "--records", "700"]);
        for carrier in [&[][..], &["--udp"]] {
            let done = pull(at, carrier);
            assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{name}");
            assert!(lines(&done) == truth(700, layout, &zeros()), "{name} {carrier:?}: {}", done.stdout);
        }
    }
}

#[test]
fn bad_networks_and_odd_units_cost_no_row() {
    let odd: [&[&str]; 7] = [
        &["--segment", "drip"],
        &["--segment", "coalesce", "--packet-max", "1008", "--early-event"],
        &["--segment", "mss", "--no-final-ack"],
        &["--no-buffer"],
        &["--udp", "--loss", "0.1", "--duplicate", "0.05", "--reorder", "0.1", "--seed", "3"],
        &["--count-off", "-5"],
        &["--comm-key", "123456"],
    ];
    for arguments in odd {
        let (_running, at) = terminal(&[arguments, &["--records", "600"]].concat());
        let mut asked = vec!["--comm-key", "123456"];
        asked.extend(arguments.contains(&"--udp").then_some("--udp"));
        let done = pull(at, &asked);
        assert_eq!(done.code, Some(0), "{arguments:?} {done:?}");
        let seed = if arguments.contains(&"--seed") { 3 } else { 1 };
        let backlog = Backlog { users: 10, records: 600, seed };
        let times: Vec<String> = backlog
            .punches(AttendanceLayout::Text40)
            .map(|punch| punch.time.format("%Y-%m-%dT%H:%M:%S").to_string())
            .collect();
        let read: Vec<String> = lines(&done).iter().map(|line| line["time"].as_str().unwrap().to_owned()).collect();
        assert!(read == times, "{arguments:?}");
    }
}

#[test]
fn a_span_is_kept_by_terminals_that_know_spans_and_by_those_that_do_not() {
    let all = truth(700, AttendanceLayout::Text40, &zeros());
    let (since, until) = (all[200]["time"].as_str().unwrap(), all[299]["time"].as_str().unwrap());
    for arguments in [&[][..], &["--no-range"]] {
        let (_running, at) = terminal(&[arguments, &["--records", "700"]].concat());
        assert_eq!(lines(&pull(at, &["--since", since, "--until", until])), all[200..300]);
        let day = &until[..10];
        let of_day: Vec<Value> =
            all.iter().filter(|line| line["time"].as_str().unwrap().starts_with(day)).cloned().collect();
        assert_eq!(lines(&pull(at, &["--since", day, "--until", day])), of_day);
    }
}

#[test]
fn a_terminal_that_counts_more_than_it_sends_is_told_with_numbers() {
    let (_running, at) = terminal(&["--records", "100", "--count-off", "3"]);
    let done = pull(at, &[]);
    assert_eq!(done.code, Some(1));
    assert_eq!(lines(&done).len(), 100, "what came is printed");
    assert!(done.stderr.contains("PP-TCP-036 attendance: 100 records came, the terminal counts 103"), "{done:?}");
}

#[test]
fn what_stands_in_the_way_is_named_with_the_next_command() {
    let (_locked, locked) = terminal(&["--comm-key", "123456"]);
    let (_secure, secure) = terminal(&["--secure"]);
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let key = pull(locked, &[]);
    assert_eq!(key.code, Some(2));
    assert!(key.stderr.contains("PP-TCP-043") && key.stderr.contains("--comm-key KEY"), "{key:?}");
    let wrong = pull(locked, &["--comm-key", "654321"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("PP-TCP-044") && !wrong.stderr.contains("654321"), "{wrong:?}");
    let refused = pull(secure, &[]);
    assert_eq!(refused.code, Some(3));
    assert!(refused.stderr.contains("PP-TCP-046") && refused.stderr.contains("push"), "{refused:?}");
    let nobody = pull(nowhere, &["--patience", "1"]);
    assert_eq!(nobody.code, Some(3));
    assert!(nobody.stderr.contains("--udp") && nobody.stderr.contains("punch doctor device"), "{nobody:?}");
    for bad in [&["--since", "yesterday"][..], &["--comm-key", "1000000"], &["--tenant-key", "00"], &["--to", "x"]] {
        assert_eq!(pull(locked, bad).code, Some(2), "{bad:?}");
    }
}

#[test]
fn what_was_printed_is_not_printed_again() {
    let folder = tempfile::tempdir().unwrap();
    let memory = folder.path().join("pull.sqlite");
    let resume = ["--resume", memory.to_str().unwrap()];
    let all = truth(300, AttendanceLayout::Text40, &zeros());
    let (_running, at) = terminal(&["--records", "300"]);
    let day = all[99]["time"].as_str().unwrap();
    assert_eq!(lines(&pull(at, &[&resume[..], &["--until", day]].concat())), all[..100]);
    assert_eq!(lines(&pull(at, &resume)), all[100..]);
    assert_eq!(pull(at, &resume).stdout, "");
    // It is known without the file, too.
    assert_eq!(lines(&pull(at, &[])).len(), 300);
}

#[test]
fn looking_and_reading_change_nothing_on_a_terminal() {
    let mut running =
        serve(&["--serial", SERIAL, "--records", "40", "--layout", "8a", "--live-every", "0.1", "--json"]);
    let ready: Value = serde_json::from_str(&running.line()).unwrap();
    let at: SocketAddr = ready["tcp"].as_str().unwrap().parse().unwrap();
    let (host, port) = (at.ip().to_string(), at.port().to_string());
    assert_eq!(pull(at, &["--since", "2020-01-01"]).code, Some(0));
    assert_eq!(run(&["doctor", "device", &host, "--port", &port], b"").code, Some(0));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.toml");
    let gateway = "[gateway]\nurl = \"http://127.0.0.1:9\"\napi_key = \"k\"\n";
    std::fs::write(&file, format!("{gateway}[[terminal]]\nhost = \"{host}\"\nport = {port}\nevery_seconds = 5\n"))
        .unwrap();
    let mut agent = Running::start(punch().args(["agent", "--config", file.to_str().unwrap()]));
    // A live punch of a terminal with short events is acknowledged after it was looked up in the log.
    let mut happened = BTreeSet::new();
    while !happened.contains("acknowledged") {
        let event: Value = serde_json::from_str(&running.line()).unwrap();
        happened.insert(event["event"].as_str().unwrap().to_owned());
    }
    agent.complaint_with("the log was read");
    for event in &happened {
        assert!(["connected", "left", "refused", "acknowledged"].contains(&event.as_str()), "{happened:?}");
    }
    assert!(happened.contains("connected") && happened.contains("left"), "{happened:?}");
}

// I2: a row by push, later by TCP pull, has one id, whichever comes first
#[test]
fn rows_pushed_and_pulled_are_the_same_punches() {
    let site = Site::start(&[(SERIAL, "America/Mexico_City")]);
    let rows = truth(400, AttendanceLayout::Text40, &zeros());
    let pushed = |rows: &[Value]| {
        let row = |row: &Value| {
            let time = row["time"].as_str().unwrap().replace('T', " ");
            format!("{}\t{time}\t{}\t{}\t0\n", row["pin"].as_str().unwrap(), row["state"], row["verify"])
        };
        let body: String = rows.iter().map(row).collect();
        let target = format!("/iclock/cdata?SN={SERIAL}&table=ATTLOG&Stamp=1");
        let (status, said) = exchange(site.device, "POST", &target, "", &body);
        assert_eq!((status, said.trim()), (200, format!("OK: {}", rows.len()).as_str()));
    };
    exchange(site.device, "GET", &format!("/iclock/cdata?SN={SERIAL}&options=all"), "", "");
    pushed(&rows[..150]);
    let (_running, at) = terminal(&["--records", "400"]);
    let api = format!("http://{}", site.api);
    let to = ["--to", &api, "--api-key", Site::KEY, "--json"];
    let first: Value = serde_json::from_str(&pull(at, &to).stdout).unwrap();
    assert_eq!((&first["delivered"], &first["replayed"]), (&250.into(), &150.into()));
    pushed(&rows[100..]);
    let again: Value = serde_json::from_str(&pull(at, &to).stdout).unwrap();
    assert_eq!((&again["delivered"], &again["replayed"]), (&0.into(), &400.into()));
    assert_eq!(site.rows().len(), 400);

    // Whoever knows the gateway's key prints its ids.
    let store = rusqlite::Connection::open(site.folder.path().join("punch.sqlite")).unwrap();
    let key = store.query_row("SELECT value FROM meta WHERE key = 'tenant_key'", [], |row| row.get::<_, Vec<u8>>(0));
    let hex: String = key.unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut statement = store.prepare("SELECT id FROM row").unwrap();
    let ids: BTreeSet<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let printed = lines(&pull(at, &["--tenant-key", &hex]));
    let printed: BTreeSet<String> = printed.iter().map(|line| line["event_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(printed, ids);
}

#[test]
fn a_gateway_that_is_down_or_refuses_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let memory = folder.path().join("pull.sqlite");
    let (_running, at) = terminal(&["--records", "50"]);
    let refused = {
        let site = Site::start(&[]);
        let api = format!("http://{}", site.api);
        let resume = ["--resume", memory.to_str().unwrap(), "--to", &api];
        let unknown = pull(at, &[&resume[..], &["--api-key", Site::KEY]].concat());
        assert!(unknown.stderr.contains("device_not_approved"), "{unknown:?}");
        pull(at, &[&resume[..], &["--api-key", "pk_wrong"]].concat())
    };
    assert_eq!(refused.code, Some(3));
    assert!(refused.stderr.contains("401") && refused.stderr.contains("run the same again"), "{refused:?}");
    assert!(!refused.stderr.contains("pk_wrong"));
    let site = Site::start(&[(SERIAL, "UTC")]);
    let api = format!("http://{}", site.api);
    let resume = ["--resume", memory.to_str().unwrap(), "--to", &api, "--api-key", Site::KEY, "--json"];
    let taken: Value = serde_json::from_str(&pull(at, &resume).stdout).unwrap();
    assert_eq!((&taken["new"], &taken["delivered"]), (&0.into(), &50.into()), "they waited in the file");
}

/// At TRACE neither the comm key nor anybody's name is logged, whatever is asked.
#[test]
fn nobody_and_no_key_reaches_a_log() {
    let (_running, at) = terminal(&["--comm-key", "918273", "--layout", "8b", "--records", "50"]);
    let (host, port) = (at.ip().to_string(), at.port().to_string());
    let at = ["--port", &port, "--comm-key", "918273"];
    for command in [&["pull", "--host"][..], &["doctor", "device"]] {
        let mut command_line = punch();
        command_line.env("RUST_LOG", "trace").args(command).arg(&host).args(at);
        let done = feed(&mut command_line, b"");
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(done.stderr.contains("a session is open"), "it logs: {}", done.stderr);
        for canary in ["918273", "Ñandú", "M. Silva", "Omar"] {
            assert!(!done.stderr.contains(canary), "{canary}: {}", done.stderr);
        }
    }
}
