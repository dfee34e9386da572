//! However a stream is cut, and whatever comes between two packets: `punch pull` reads the same, the others do not.
//!
//! The clients of npm are left out where the time between two segments decides what they get.

use super::terminal::Terminal;
use super::{Peer, Said, TRIES};

/// What a client makes of 2,000 records of 40 bytes, which are two pieces.
#[derive(Debug)]
enum Gets {
    All,
    /// Some or none, and it says that they are not all.
    Less,
    /// Some or none, as if there were no more.
    LessInSilence,
    /// An error with this in it.
    Error(&'static str),
}

use Gets::{All, Error, Less, LessInSilence};

/// Each client has a terminal of its own, or they would wait for each other's patience.
fn read(more: &[&str], expected: &[(Peer, Gets)]) {
    std::thread::scope(|scope| {
        for (peer, gets) in expected {
            let (peer, gets) = (*peer, gets);
            scope.spawn(move || {
                let terminal = Terminal::start("40", 2000, more);
                terminal.is_read_by_us();
                if peer.is_there() {
                    assert_gets(peer, &terminal, gets);
                    // A client that broke off has done no harm.
                    terminal.is_read_by_us();
                }
            });
        }
    });
}

fn assert_gets(peer: Peer, terminal: &Terminal, gets: &Gets) {
    let truth = terminal.truth_for(peer);
    let mut said = Vec::new();
    for _ in 0..TRIES {
        let last = peer.attendance(terminal);
        if is_as_expected(gets, &last, &truth) {
            return;
        }
        said.push(last.briefly());
    }
    panic!("{peer:?}: expected {gets:?} of {} records, not {said:?}", truth.len());
}

fn is_as_expected(gets: &Gets, said: &Said, truth: &[String]) -> bool {
    let is_less = |rows: &[String]| rows.len() < truth.len() && truth.starts_with(rows);
    match (gets, said) {
        (All, Said::Done(rows)) => rows == truth,
        (Less, Said::Partly(rows, _)) | (LessInSilence, Said::Done(rows)) => is_less(rows),
        (Error(word), said) => said.failed_with(word),
        _ => false,
    }
}

/// What waits for bytes that never come gives up after 15 seconds, which is built into the example.
const NEVER_ENOUGH: &str = "WouldBlock";

#[test]
fn packets_in_one_segment() {
    let expected = [(Peer::Pyzk, All), (Peer::NodeZklib, Less), (Peer::ZktecoJs, LessInSilence), (Peer::ZktecoRs, All)];
    read(&["--segment", "coalesce"], &expected);
}

#[test]
fn segments_of_1460_bytes() {
    read(&["--segment", "mss"], &[(Peer::Pyzk, All), (Peer::ZktecoRs, All)]);
}

#[test]
fn a_header_in_two_segments() {
    Terminal::start("40", 2000, &["--segment", "drip"]).is_read_by_us();
    let expected = [
        (Peer::Pyzk, "ZKNetworkError"),
        (Peer::NodeZklib, "RangeError"),
        (Peer::ZktecoJs, "TIMEOUT_IN_RECEIVING_RESPONSE"),
        (Peer::ZktecoRs, "short TCP header"),
    ];
    let terminal = Terminal::start("40", 2000, &[]).with_cut_headers();
    terminal.is_read_by_us();
    for (peer, word) in expected {
        if peer.is_there() {
            assert_gets(peer, &terminal, &Error(word));
        }
    }
}

#[test]
fn data_in_packets_of_1008_bytes() {
    read(&["--packet-max", "1008"], &[(Peer::Pyzk, All), (Peer::ZktecoRs, Error(NEVER_ENOUGH))]);
}

#[test]
fn data_in_packets_of_1008_bytes_in_one_segment() {
    let expected = [
        (Peer::Pyzk, Error("TimeoutError")),
        (Peer::NodeZklib, Less),
        (Peer::ZktecoJs, LessInSilence),
        (Peer::ZktecoRs, Error(NEVER_ENOUGH)),
    ];
    read(&["--packet-max", "1008", "--segment", "coalesce"], &expected);
}

#[test]
fn nothing_behind_the_data() {
    let expected = [(Peer::Pyzk, Error("TimeoutError")), (Peer::ZktecoRs, Error(NEVER_ENOUGH))];
    read(&["--no-final-ack"], &expected);
}

#[test]
fn an_event_in_front_of_an_answer() {
    let expected = [(Peer::Pyzk, Error("can't read sizes")), (Peer::ZktecoRs, Error("can't disable device"))];
    read(&["--early-event"], &expected);
}
