//! Punches told while they happen. What a client was told is in the terminal's memory, as `punch pull` reads it.

use serde_json::json;

use super::terminal::Terminal;
use super::{Peer, Said, zkteco};
use crate::command::Running;

const COUNT: usize = 4;

/// Somebody punches five times a second.
fn terminal(layout: &str, more: &[&str]) -> Terminal {
    Terminal::start(layout, 0, &[&["--live-every", "0.2"], more].concat())
}

/// What a client said of the next four punches.
fn told(peer: Peer, terminal: &Terminal) -> Said {
    let said = peer.ask(terminal, &json!([["connect"], ["live", COUNT]]));
    said.into_iter().last().unwrap_or_else(|| panic!("{peer:?} said nothing"))
}

/// Asserts that four punches were told, in the order of the terminal's memory, without one left out.
fn are_kept(who: &str, told: &[String], terminal: &Terminal, same: fn(&str, &str) -> bool) {
    assert_eq!(told.len(), COUNT, "{who}: {told:?}");
    let kept = terminal.pull();
    let found = kept.windows(COUNT).any(|kept| kept.iter().zip(told).all(|(kept, told)| same(kept, told)));
    assert!(found, "{who}: {told:?} of {kept:?}");
}

fn whole(kept: &str, told: &str) -> bool {
    kept == told
}

/// PIN and time.
fn half(kept: &str, told: &str) -> bool {
    kept.split('\t').take(2).eq(told.split('\t').take(2))
}

fn hears(peer: Peer, layout: &str, more: &[&str], same: fn(&str, &str) -> bool) {
    if peer.is_there() {
        let terminal = terminal(layout, more);
        match told(peer, &terminal) {
            Said::Done(rows) => are_kept(&format!("{peer:?}, {layout}"), &rows, &terminal, same),
            said => panic!("{peer:?}, {layout}: {said:?}"),
        }
    }
}

/// The lines of an example that goes on until it is stopped: `punch: <Attendance>: 1004 : 2026-11-25 03:42:17 (1, 0)`.
fn lines_of_example(terminal: &Terminal) -> Vec<String> {
    let mut command = std::process::Command::new(zkteco("live_capture").unwrap());
    let mut running = Running::start(command.args(["127.0.0.1", &terminal.port.to_string()]));
    assert!(running.line().starts_with("listening"));
    let line = |line: String| {
        let (pin, rest) = line.strip_prefix("punch: <Attendance>: ")?.split_once(" : ")?;
        let (time, fields) = rest.split_once(" (")?;
        let (verify, state) = fields.strip_suffix(')')?.split_once(", ")?;
        Some(format!("{pin}\t{}\t{state}\t{verify}", time.replace(' ', "T")))
    };
    (0..COUNT).map(|_| line(running.line()).unwrap()).collect()
}

#[test]
fn python_and_rust_hear_every_punch() {
    for layout in ["16", "36", "40", "49"] {
        hears(Peer::Pyzk, layout, &[], whole);
        if Peer::ZktecoRs.is_there() {
            let terminal = terminal(layout, &[]);
            are_kept("the crate zkteco", &lines_of_example(&terminal), &terminal, whole);
        }
    }
    for layout in ["16", "40"] {
        hears(Peer::Pyzk, layout, &["--udp"], whole);
    }
}

#[test]
fn npm_hears_who_and_when_of_events_of_32_bytes_and_more() {
    for peer in [Peer::NodeZklib, Peer::ZktecoJs] {
        for layout in ["36", "40", "49"] {
            hears(peer, layout, &[], half);
        }
        for layout in ["16", "8a"] {
            if peer.is_there() {
                let said = told(peer, &terminal(layout, &[]));
                assert!(said.failed_with("uncaught: RangeError"), "{peer:?}, {layout}: {said:?}");
            }
        }
    }
}

/// An event of 10 bytes names a slot, and has the state in half a byte.
#[test]
fn short_events_are_dropped_by_one_and_misread_by_the_other() {
    if Peer::Pyzk.is_there() {
        let said = told(Peer::Pyzk, &terminal("8a", &[]));
        assert!(said.failed_with("0 of 4 punches"), "{said:?}");
    }
    if Peer::ZktecoRs.is_there() {
        let told = lines_of_example(&terminal("8a", &[]));
        for line in told {
            let fields: Vec<&str> = line.split('\t').collect();
            let (slot, state): (u16, u16) = (fields[0].parse().unwrap(), fields[2].parse().unwrap());
            assert!(slot <= Terminal::USERS && (state == 16 || state == 17), "{line}");
        }
    }
}

#[test]
fn over_udp_npm_knows_one_size_of_events() {
    if Peer::NodeZklib.is_there() {
        for layout in ["16", "40"] {
            let said = told(Peer::NodeZklib, &terminal(layout, &["--udp"]));
            assert!(said.failed_with("0 of 4 punches"), "{layout}: {said:?}");
        }
        // Of that size it reads one byte of the slot.
        assert!(matches!(told(Peer::NodeZklib, &terminal("8a", &["--udp"])), Said::Done(rows) if rows.len() == COUNT));
    }
}
