//! Users with names in two code pages: UTF-8, and one in GBK.

use simulator::backlog;

use super::terminal::Terminal;
use super::{Peer, Said};

/// How a client turns the bytes of a name into text.
type Reading = fn(&[u8]) -> String;

fn users(read: Reading) -> Vec<String> {
    let line = |slot| format!("{slot}\t{}\t{}", backlog::pin(slot), read(backlog::name(slot)));
    (1..=Terminal::USERS).map(line).collect()
}

/// The bytes that are not UTF-8 are left out, so two characters of GBK become one that nobody typed.
fn without_the_others(name: &[u8]) -> String {
    name.utf8_chunks().map(|chunk| chunk.valid()).collect()
}

fn with_signs_for_the_others(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// The eighth bit is left out, which makes control characters of some.
fn of_seven_bits(name: &[u8]) -> String {
    name.iter().map(|byte| char::from(byte & 0x7f)).collect()
}

fn read(peer: Peer, layout: &str, name: Reading) {
    if peer.is_there() {
        let terminal = Terminal::start("40", 3, &["--user-layout", layout]);
        assert_eq!(peer.users(&terminal), Said::Done(users(name)), "{peer:?}, {layout} bytes");
    }
}

#[test]
fn names_of_two_code_pages_are_read_in_three_ways() {
    for layout in ["28", "72"] {
        read(Peer::Pyzk, layout, without_the_others);
        read(Peer::ZktecoRs, layout, with_signs_for_the_others);
    }
    for peer in [Peer::NodeZklib, Peer::ZktecoJs] {
        read(peer, "72", of_seven_bits);
    }
}

/// They read users of 28 bytes over TCP as of 72.
#[test]
fn npm_makes_four_people_of_ten() {
    for peer in [Peer::NodeZklib, Peer::ZktecoJs] {
        if peer.is_there() {
            let said = peer.users(&Terminal::start("40", 3, &["--user-layout", "28"]));
            assert!(matches!(&said, Said::Done(lines) if lines.len() == 10 * 28 / 72), "{peer:?}: {said:?}");
        }
    }
}
