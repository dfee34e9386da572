//! Their servers, our terminal.

use serde_json::{Value, json};

use super::server::Server;
use super::{Peer, Site, exchange};
use crate::command::Running;

const DJANGO: Peer = Peer {
    package: "PyPI django-fingerprint-attendance",
    module: "fingerprint_attendance",
    script: "django_server.py",
};

const TUNGSTEN: Peer = Peer { package: "PyPI tungsten-hr", module: "tungsten_hr", script: "tungsten_server.py" };

/// PINs that are one number and not one person, letters, states of every kind, short and long rows.
const BACKLOG: &str = "0042\t2026-03-28 08:47:12\t0\t1\n\
                       42\t2026-03-28 08:47:12\t1\t1\t\n\
                       00042\t2026-03-28 08:47:13\t255\t15\t7\t0\n\
                       AB-7x\t2026-02-28 23:59:59\t4\t4\t0\t0\t0\t0\t36.5\t0\n\
                       123456789012345678901234\t2026-03-29 02:30:00\t5\t25\t0\t0\t0\t0\t0\t0\t+3600\n";

/// Two states of one second, and a stranger of whom the terminal took the temperature.
const GAPS: &str = "5001\t2026-03-28 09:00:00\t0\t1\n\
                    5001\t2026-03-28 09:00:00\t1\t1\n\
                    \t2026-03-28 09:00:01\t255\t15\n";

/// A row as a server should have it. A server that keeps less is asked about what it keeps.
fn as_theirs(serial: &str, row: &str) -> Value {
    let fields: Vec<&str> = row.split('\t').collect();
    let field = |index: usize| fields.get(index).copied().unwrap_or_default();
    json!({
        "serial": serial, "pin": field(0), "time": field(1), "at": format!("{}+00:00", field(1).replace(' ', "T")),
        "state": field(2), "verify": field(3).parse::<u16>().unwrap(), "work_code": field(4), "raw": row,
    })
}

#[track_caller]
fn is_row(theirs: &Value, serial: &str, row: &str) {
    let ours = as_theirs(serial, row);
    for (key, value) in theirs.as_object().unwrap() {
        assert_eq!(value, &ours[key], "{key} of {row:?}");
    }
    assert!(["serial", "pin", "time"].iter().all(|key| theirs.get(key).is_some()), "{theirs}");
}

/// A backlog and people in front of the terminal: everything is there once, as it was sent.
fn holds_every_row(peer: &'static Peer) {
    if !peer.is_there() {
        return;
    }
    let server = Server::start(peer, &["SIM1", "UTC"]);
    let live = ["--count", "30", "--rate", "100", "--users", "7", "--seed", "5", "--batch", "10"];
    let done = server.replay("SIM1", BACKLOG, &live);
    assert_eq!(done.stdout, "35 rows sent, 35 acknowledged, 0 requests refused\n", "{}", done.stderr);
    let punches = server.tell(&["punches"]);
    assert_eq!(punches.len(), 35, "{punches:?}");
    // Some write a body down in the order of its rows, some in the order of their times.
    for row in BACKLOG.lines() {
        let pin = row.split('\t').next().unwrap();
        let mut found = punches.iter().filter(|punch| punch["pin"] == pin);
        is_row(found.next().unwrap_or_else(|| panic!("no {row:?}")), "SIM1", row);
        assert_eq!(found.next(), None, "{row:?} twice");
    }
    for person in 0..7 {
        let badge = (1001 + person).to_string();
        let states: Vec<&Value> =
            punches.iter().filter(|punch| punch["pin"] == badge.as_str()).map(|punch| &punch["state"]).collect();
        assert_eq!(states.len(), if person < 2 { 5 } else { 4 }, "{badge}: {states:?}");
        // In, out, in, where states are kept.
        let wrong =
            states.iter().enumerate().find(|(index, state)| !state.is_null() && ***state != ["0", "1"][index % 2]);
        assert_eq!(wrong, None, "{badge}");
    }
    // The terminal does not know any more that it has sent these.
    let done = server.replay("SIM1", BACKLOG, &[]);
    assert_eq!(done.stdout, "5 rows sent, 5 acknowledged, 0 requests refused\n", "{}", done.stderr);
    assert_eq!(server.tell(&["punches"]), punches);
}

/// The server dies while people punch, and comes back.
fn survives_an_outage(peer: &'static Peer) {
    if !peer.is_there() {
        return;
    }
    let mut server = Server::start(peer, &["SIM1", "UTC"]);
    let live = ["--count", "60", "--rate", "25", "--users", "60", "--seed", "9"];
    let mut terminal = Running::start(&mut server.terminal("SIM1", "", &live));
    server.until_logged("table=ATTLOG");
    server.kill();
    std::thread::sleep(core::time::Duration::from_millis(600));
    server.begin(&[]);
    let summary = terminal.line();
    let refused = summary.strip_prefix("60 rows sent, 60 acknowledged, ").unwrap_or_else(|| panic!("{summary}"));
    assert_ne!(refused, "0 requests refused", "the outage was noticed");
    let mut badges: Vec<String> =
        server.tell(&["punches"]).iter().map(|punch| punch["pin"].as_str().unwrap().to_owned()).collect();
    badges.sort_unstable();
    assert_eq!(badges, (1001..1061).map(|badge| badge.to_string()).collect::<Vec<_>>());
}

/// A terminal that the server does not know keeps its rows until it does.
fn waits_for_approval(peer: &'static Peer) {
    if !peer.is_there() {
        return;
    }
    let mut server = Server::start(peer, &[]);
    let mut terminal = Running::start(&mut server.terminal("NEW1", BACKLOG, &[]));
    server.until_logged("\" 403");
    assert_eq!(server.tell(&["punches"]), Vec::<Value>::new());
    assert_eq!(server.tell(&["approve", "NEW1", "UTC"]), Vec::<Value>::new());
    let summary = terminal.line();
    assert!(summary.starts_with("5 rows sent, 5 acknowledged, "), "{summary}");
    assert_eq!(server.tell(&["punches"]).len(), 5);
}

/// Access terminals send their punches as events.
const EVENT: &str =
    "time=2026-03-28 09:10:00\tpin=0042\tcardno=0\teventaddr=1\tevent=0\tinoutstatus=0\tverifytype=1\tindex=7\n";

const HANDSHAKE: &str = "/iclock/cdata?SN=GAP1&options=all&pushver=2.4.1";

/// Stored records of an access terminal, which wants to read the table and their number.
const RECORDS: (&str, &str) = ("/iclock/cdata?SN=GAP1&table=tabledata&tablename=user&count=1", "user uid=1\tpin=7\n");

/// Legal rows that the peer acknowledges and has not afterwards.
fn loses_rows(peer: &'static Peer) -> Option<Server> {
    if !peer.is_there() {
        return None;
    }
    let server = Server::start(peer, &["GAP1", "Asia/Kolkata"]);
    let done = server.replay("GAP1", GAPS, &[]);
    assert_eq!(done.stdout, "3 rows sent, 3 acknowledged, 0 requests refused\n", "{}", done.stderr);
    let (status, said) = server.post("/iclock/cdata?SN=GAP1&table=rtlog", EVENT);
    assert!(status == 200 && said.starts_with("OK"), "{status} {said}");
    let kept = server.tell(&["punches"]);
    let kept: Vec<&str> = kept.iter().map(|punch| punch["pin"].as_str().unwrap()).collect();
    assert_eq!(kept, ["5001"], "one key for both states of a second, no row without a PIN, no access event");
    Some(server)
}

#[test]
fn django_fingerprint_attendance_holds_every_row_once() {
    holds_every_row(&DJANGO);
}

#[test]
fn tungsten_hr_holds_every_row_once() {
    holds_every_row(&TUNGSTEN);
}

#[test]
fn nothing_is_lost_while_django_fingerprint_attendance_is_down() {
    survives_an_outage(&DJANGO);
}

#[test]
fn nothing_is_lost_while_tungsten_hr_is_down() {
    survives_an_outage(&TUNGSTEN);
}

#[test]
fn a_terminal_waits_for_the_approval_of_django_fingerprint_attendance() {
    waits_for_approval(&DJANGO);
}

#[test]
fn a_terminal_waits_for_the_approval_of_tungsten_hr() {
    waits_for_approval(&TUNGSTEN);
}

/// The same at a gateway of ours: nothing is lost, and the answers are those that a terminal waits for.
#[test]
fn our_gateway_keeps_what_theirs_lose() {
    let site = Site::start(&[("GAP1", "Asia/Kolkata")]);
    let post = |target: &str, body: &str| exchange(site.device, "POST", target, "", body);
    assert_eq!(post("/iclock/cdata?SN=GAP1&table=ATTLOG&Stamp=1", GAPS), (200, "OK: 3".to_owned()));
    assert_eq!(post("/iclock/cdata?SN=GAP1&table=rtlog", EVENT).0, 200);
    let (held, mut delivered): (Vec<&str>, Vec<&str>) = GAPS.lines().partition(|row| row.starts_with('\t'));
    delivered.push(EVENT.trim_end());
    assert_eq!(site.raw("GAP1", "delivered"), delivered);
    assert_eq!(site.raw("GAP1", "held"), held);
    assert_eq!(post(RECORDS.0, RECORDS.1), (200, "user=1".to_owned()));
    let options = exchange(site.device, "GET", HANDSHAKE, "", "").1;
    assert!(options.contains("\nTimeZone=330\n"), "{options}");
}

#[test]
fn django_fingerprint_attendance_loses_rows_and_misleads_terminals() {
    let Some(server) = loses_rows(&DJANGO) else { return };
    // A terminal reads the 5, and is half an hour late from then on.
    let options = server.get(HANDSHAKE).1;
    assert!(options.contains("\nTimeZone=5.5\n"), "{options}");
    // An access terminal sends these for ever, and never learns the time.
    assert_eq!(server.post(RECORDS.0, RECORDS.1), (200, "OK".to_owned()));
    assert_eq!(server.get("/iclock/rtdata?SN=GAP1&type=time"), (200, "OK".to_owned()));
}

#[test]
fn tungsten_hr_loses_rows_and_misleads_terminals() {
    let Some(server) = loses_rows(&TUNGSTEN) else { return };
    // A terminal that is told no zone takes UTC for its own time.
    let options = server.get(HANDSHAKE).1;
    assert!(options.starts_with("GET OPTION FROM: GAP1\n") && !options.contains("TimeZone"), "{options}");
    assert_eq!(server.post(RECORDS.0, RECORDS.1), (200, "OK: 1".to_owned()));
    assert_eq!(server.post("/iclock/registry?SN=GAP1", "DeviceType=acc").0, 404);
}

/// A command that waits is carried out, its result comes home, and it holds up no row.
#[test]
fn a_command_of_django_fingerprint_attendance_is_carried_out() {
    if !DJANGO.is_there() {
        return;
    }
    let server = Server::start(&DJANGO, &["SIM1", "UTC"]);
    assert_eq!(server.tell(&["queue", "SIM1", "info"]), Vec::<Value>::new());
    let done = server.replay("SIM1", BACKLOG, &["--count", "6", "--rate", "4", "--stay", "5"]);
    assert!(
        done.stdout.starts_with("11 rows sent, 11 acknowledged, 0 requests refused\n"),
        "{} {}",
        done.stdout,
        done.stderr
    );
    assert_eq!(server.tell(&["punches"]).len(), 11);
    let events = server.tell(&["events", "SIM1"]);
    let command = events.iter().find(|event| event["type"] == "command").unwrap();
    assert_eq!((&command["message"], &command["status"]), (&json!("INFO"), &json!("succeeded")));
}
