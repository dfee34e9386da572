//! A terminal with a comm key.

use serde_json::json;

use super::terminal::Terminal;
use super::{Peer, Said};

const KEY: u32 = 123_456;

fn locked() -> Terminal {
    Terminal::start("40", 3, &["--comm-key", "123456"])
}

#[test]
fn whoever_proves_the_key_reads() {
    let mut terminal = locked().with_key(KEY);
    terminal.is_read_by_us();
    terminal.until("proved");
    if Peer::Pyzk.is_there() {
        let truth = terminal.truth();
        assert!(matches!(Peer::Pyzk.attendance(&terminal), Said::Done(rows) if rows == truth));
        terminal.until("proved");
    }
}

#[test]
fn whoever_does_not_is_refused() {
    for key in [0, KEY + 1, 999_999] {
        let mut terminal = locked().with_key(key);
        let done = terminal.pulled();
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{}", done.stderr);
        assert!(done.stderr.contains("PP-TCP-043") || done.stderr.contains("PP-TCP-044"), "{}", done.stderr);
        if Peer::Pyzk.is_there() {
            let said = Peer::Pyzk.attendance(&terminal);
            assert!(said.failed_with("ZKErrorResponse: Unauthenticated"), "{said:?}");
            terminal.until("key_refused");
        }
    }
    // Its examples know no key, so it proves that there is none.
    if Peer::ZktecoRs.is_there() {
        let said = Peer::ZktecoRs.attendance(&locked());
        assert!(said.failed_with("Unauthenticated"), "{said:?}");
    }
}

/// They take the demand for a key as a connection, and die of the first answer that has nothing in it.
#[test]
fn npm_does_not_look_at_the_answer_and_gets_nothing() {
    for peer in [Peer::NodeZklib, Peer::ZktecoJs] {
        if peer.is_there() {
            let said = peer.ask(&locked(), &json!([["connect"], ["attendance"], ["disconnect"]]));
            assert!(matches!(said.first(), Some(Said::Done(_))), "{peer:?}: {said:?}");
            assert!(said[1..].iter().any(|said| said.failed_with("uncaught: TypeError")), "{peer:?}: {said:?}");
        }
    }
}
