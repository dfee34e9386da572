//! Attendance records of every layout and number, over both carriers.

use super::terminal::Terminal;
use super::{Peer, Said, TRIES};

/// What a client makes of the records of a terminal.
#[derive(Debug, Clone, Copy)]
enum Makes {
    /// Every record, as far as it has fields for it.
    All,
    /// Every record, or some and a word that they are not all.
    AllOrSome,
    /// Every record, or the first of them and no word that they are not all.
    AllOrFirst,
    /// Every record, with the state and the verify mode in each other's place.
    Swapped,
    /// So many records that are none, and no error.
    Garbage(usize),
    /// An error with this in it.
    Error(&'static str),
}

use Makes::{All, AllOrFirst, AllOrSome, Error, Garbage, Swapped};

/// Long enough for two packets of the largest size, short enough for many.
const RECORDS: u32 = 2000;
/// A terminal whose packets are as large as they can be: one packet a piece.
const LARGE: [&str; 2] = ["--packet-max", "65472"];

/// Asserts that a client makes of a terminal what is expected.
fn makes(peer: Peer, terminal: &Terminal, expected: Makes) {
    let truth = terminal.truth_for(peer);
    let mut said = Vec::new();
    for _ in 0..TRIES {
        let last = peer.attendance(terminal);
        if is_as_expected(expected, &last, &truth) {
            return;
        }
        said.push(last.briefly());
    }
    panic!("{peer:?}: expected {expected:?} of {} records, not {said:?}", truth.len());
}

fn is_as_expected(expected: Makes, said: &Said, truth: &[String]) -> bool {
    match (expected, said) {
        (All | AllOrSome, Said::Done(rows)) => rows == truth,
        (AllOrSome, Said::Partly(..)) => true,
        (AllOrFirst, Said::Done(rows)) => !rows.is_empty() && truth.starts_with(rows),
        (Swapped, Said::Done(rows)) => rows.iter().map(|row| swapped(row)).eq(truth.iter().cloned()),
        (Garbage(count), Said::Done(rows)) => {
            rows.len() == count && rows.iter().zip(truth).filter(|(row, truth)| row == truth).count() <= 1
        }
        (Error(word), said) => said.failed_with(word),
        _ => false,
    }
}

fn swapped(line: &str) -> String {
    let fields: Vec<&str> = line.split('\t').collect();
    [fields[0], fields[1], fields[3], fields[2]].join("\t")
}

/// One terminal, read by us and by each of them that is here.
fn read(layout: &str, records: u32, more: &[&str], expected: &[(Peer, Makes)]) {
    let terminal = Terminal::start(layout, records, more);
    terminal.is_read_by_us();
    is_read_by(&terminal, expected);
}

fn is_read_by(terminal: &Terminal, expected: &[(Peer, Makes)]) {
    for (peer, makes_of_it) in expected {
        if peer.is_there() {
            makes(*peer, terminal, *makes_of_it);
        }
    }
}

#[test]
fn records_of_40_bytes_are_read_by_all() {
    for records in [0, 1, RECORDS, 10_000] {
        read("40", records, &[], &Peer::ALL.map(|peer| (peer, All)));
    }
}

/// Half a year of a factory.
const MANY: u32 = 200_000;

/// npm `node-zklib` asks for all 123 pieces at once, and loses its place in one run of three; `zkteco-js` on a busy machine.
#[test]
fn records_of_40_bytes_by_the_hundred_thousand() {
    read("40", MANY, &[], &[(Peer::NodeZklib, AllOrSome), (Peer::ZktecoJs, AllOrFirst), (Peer::ZktecoRs, All)]);
}

/// What we read of so many is tested once; reading them takes the time of two cores.
#[test]
fn records_of_other_layouts_by_the_hundred_thousand() {
    for (layout, expected) in [("16", Swapped), ("8a", All), ("49", All)] {
        is_read_by(&Terminal::start(layout, MANY, &LARGE), &[(Peer::ZktecoRs, expected)]);
    }
}

#[test]
fn records_of_16_bytes_are_read_with_two_fields_swapped() {
    let python_and_rust = [(Peer::Pyzk, Swapped), (Peer::ZktecoRs, Swapped)];
    for records in [0, 1, RECORDS, 10_000] {
        read("16", records, &LARGE, &python_and_rust);
    }
    read("16", RECORDS, &LARGE, &[(Peer::NodeZklib, Garbage(800)), (Peer::ZktecoJs, Garbage(800))]);
}

#[test]
fn records_of_8_bytes_are_read_where_the_users_are() {
    let python_and_rust = [(Peer::Pyzk, All), (Peer::ZktecoRs, All)];
    for records in [0, 1, RECORDS, 10_000] {
        read("8a", records, &LARGE, &python_and_rust);
    }
    read("8a", RECORDS, &LARGE, &[(Peer::NodeZklib, Garbage(400)), (Peer::ZktecoJs, Garbage(400))]);
}

/// The layout of 8 bytes with flags, which nobody else knows.
#[test]
fn records_of_8_bytes_with_flags_are_read_by_us_alone() {
    let expected = [
        (Peer::Pyzk, Error("ValueError: day is out of range")),
        (Peer::NodeZklib, Garbage(400)),
        (Peer::ZktecoJs, Garbage(400)),
        (Peer::ZktecoRs, Garbage(2000)),
    ];
    for records in [0, 1, 10_000] {
        read("8b", records, &LARGE, &[]);
    }
    read("8b", RECORDS, &LARGE, &expected);
}

#[test]
fn records_of_49_bytes_are_read_as_40_by_three() {
    let expected = [
        (Peer::Pyzk, Error("ValueError: day is out of range")),
        (Peer::NodeZklib, Garbage(2450)),
        (Peer::ZktecoJs, Garbage(2450)),
        (Peer::ZktecoRs, All),
    ];
    for records in [0, 1, 10_000] {
        read("49", records, &[], &[(Peer::ZktecoRs, All)]);
    }
    read("49", RECORDS, &[], &expected);
}

#[test]
fn records_of_36_bytes_are_read_by_us_alone() {
    let expected = [
        (Peer::Pyzk, Garbage(1800)),
        (Peer::NodeZklib, Garbage(1800)),
        (Peer::ZktecoJs, Garbage(1800)),
        // Two of its PINs have a line end in them.
        (Peer::ZktecoRs, Garbage(1802)),
    ];
    for records in [0, 1, 10_000] {
        read("36", records, &LARGE, &[]);
    }
    read("36", RECORDS, &LARGE, &expected);
}

/// The examples of the crate `zkteco` speak TCP alone, and npm `zkteco-js` never comes so far: after a refused
/// connection it looks for the reason where it has wrapped it.
#[test]
fn over_udp_one_reads_all_and_one_what_it_has_a_parser_for() {
    const UDP: &[&str] = &["--udp"];
    for records in [0, 1, RECORDS, 10_000] {
        read("40", records, UDP, &[(Peer::Pyzk, All)]);
        read("8a", records, UDP, &[(Peer::Pyzk, All)]);
        read("16", records, UDP, &[(Peer::Pyzk, Swapped)]);
    }
    let zkteco_js = (Peer::ZktecoJs, Error("ECONNREFUSED"));
    read("16", RECORDS, UDP, &[(Peer::NodeZklib, All), zkteco_js]);
    read("40", RECORDS, UDP, &[(Peer::NodeZklib, Garbage(5000)), zkteco_js]);
    read("8a", RECORDS, UDP, &[(Peer::NodeZklib, Garbage(1000)), zkteco_js]);
    read("49", RECORDS, UDP, &[(Peer::Pyzk, Error("ValueError: day is out of range"))]);
    // One record is answered at once, and read as two of 8 bytes.
    read("16", 1, UDP, &[(Peer::NodeZklib, Garbage(2))]);
    read("16", 0, UDP, &[(Peer::NodeZklib, Error("TIMEOUT_ON_RECEIVING_REQUEST_DATA"))]);
}

/// Records come and go over a line that loses datagrams: it takes longer, and is all there.
#[test]
fn over_a_line_that_loses_datagrams_we_read_all() {
    read("40", RECORDS, &["--udp", "--loss", "0.05"], &[]);
}
