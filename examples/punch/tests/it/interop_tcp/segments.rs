//! However a stream is cut, and whatever comes between two packets: `punch pull` reads the same, the others do not.

use super::terminal::Terminal;
use super::{Peer, Said};

/// What a client makes of 2,000 records of 40 bytes, which are two pieces.
#[derive(Debug)]
enum Gets {
    All,
    /// All, or as many as came before it lost its place, as the time between two segments will have it.
    Luck,
    /// Some or none, and it says that they are not all.
    Less,
    /// Some or none, as if there were no more.
    LessInSilence,
    /// An error with this in it.
    Error(&'static str),
}

use Gets::{All, Error, Less, LessInSilence, Luck};

fn read(more: &[&str], expected: [(Peer, Gets); 4]) {
    let terminal = Terminal::start("40", 2000, more);
    terminal.is_read_by_us();
    for (peer, gets) in expected {
        if peer.is_there() {
            assert_gets(peer, &terminal, &gets);
        }
    }
    // The clients that broke off have done no harm.
    terminal.is_read_by_us();
}

fn assert_gets(peer: Peer, terminal: &Terminal, gets: &Gets) {
    let truth = terminal.truth_for(peer);
    let who = format!("{peer:?}");
    let said = peer.attendance(terminal);
    let right = |rows: &[String]| truth.starts_with(rows);
    let is_less = |rows: &[String]| rows.len() < truth.len() && right(rows);
    let as_expected = match (gets, &said) {
        (All, Said::Done(rows)) => *rows == truth,
        (Luck, Said::Done(rows) | Said::Partly(rows, _)) => right(rows),
        (Less, Said::Partly(rows, _)) | (LessInSilence, Said::Done(rows)) => is_less(rows),
        (Error(word), said) => said.failed_with(word),
        _ => false,
    };
    assert!(as_expected, "{who}: expected {gets:?} of {} records, not {}", truth.len(), said.briefly());
}

/// What waits for bytes that never come gives up after 15 seconds, which is built into the example.
const NEVER_ENOUGH: &str = "WouldBlock";

#[test]
fn packets_in_one_segment() {
    let expected =
        [(Peer::Pyzk, All), (Peer::NodeZklib, Less), (Peer::ZktecoJs, LessInSilence), (Peer::ZktecoRs, All)];
    read(&["--segment", "coalesce"], expected);
}

#[test]
fn segments_of_1460_bytes() {
    let expected = [(Peer::Pyzk, All), (Peer::NodeZklib, Luck), (Peer::ZktecoJs, Luck), (Peer::ZktecoRs, All)];
    read(&["--segment", "mss"], expected);
}

/// What pyzk makes of it is luck too: an error, or no records of a terminal that it takes for empty.
#[test]
fn a_header_in_two_segments() {
    let terminal = Terminal::start("40", 2000, &["--segment", "drip"]);
    terminal.is_read_by_us();
    if Peer::Pyzk.is_there() {
        let said = Peer::Pyzk.attendance(&terminal);
        let lost = matches!(&said, Said::Failed(_)) || said == Said::Done(Vec::new());
        assert!(lost, "{}", said.briefly());
    }
    for (peer, word) in [
        (Peer::NodeZklib, "uncaught: RangeError"),
        (Peer::ZktecoJs, "uncaught: RangeError"),
        (Peer::ZktecoRs, "TCP packet invalid"),
    ] {
        if peer.is_there() {
            assert_gets(peer, &terminal, &Error(word));
        }
    }
    terminal.is_read_by_us();
}

#[test]
fn data_in_packets_of_1008_bytes() {
    let rust = (Peer::ZktecoRs, Error(NEVER_ENOUGH));
    read(&["--packet-max", "1008"], [(Peer::Pyzk, All), (Peer::NodeZklib, Luck), (Peer::ZktecoJs, Luck), rust]);
}

#[test]
fn data_in_packets_of_1008_bytes_in_one_segment() {
    let expected = [
        (Peer::Pyzk, Error("TimeoutError")),
        (Peer::NodeZklib, Less),
        (Peer::ZktecoJs, LessInSilence),
        (Peer::ZktecoRs, Error(NEVER_ENOUGH)),
    ];
    read(&["--packet-max", "1008", "--segment", "coalesce"], expected);
}

#[test]
fn nothing_behind_the_data() {
    let expected = [
        (Peer::Pyzk, Error("TimeoutError")),
        (Peer::NodeZklib, Luck),
        (Peer::ZktecoJs, Luck),
        (Peer::ZktecoRs, Error(NEVER_ENOUGH)),
    ];
    read(&["--no-final-ack"], expected);
}

#[test]
fn an_event_in_front_of_an_answer() {
    let expected = [
        (Peer::Pyzk, Error("can't read sizes")),
        (Peer::NodeZklib, Luck),
        (Peer::ZktecoJs, Luck),
        (Peer::ZktecoRs, Error("can't disable device")),
    ];
    read(&["--early-event"], expected);
}
