//! What a terminal keeps, and for how long.

use punch_protocol::Pin;
use punch_protocol::push::{Profile, Terminal, TerminalEvent, TerminalUser};

use super::{ask, ask_and_agree, connect, connected, events, row, terminal, text};
use crate::random::at;

/// A full memory overwrites what the server has, and refuses what comes when the server has nothing.
#[test]
fn nothing_unacknowledged_is_overwritten() {
    for profile in [Profile::attendance(), Profile::classic()] {
        let mut profile = profile;
        profile.memory = 3;
        let mut terminal = connected(profile, "");
        (1..=3).for_each(|pin| assert!(terminal.remember(row(&pin.to_string(), "08:00:00"))));
        events(&mut terminal);
        assert!(!terminal.remember(row("4", "08:00:00")));
        assert_eq!(events(&mut terminal), [TerminalEvent::MemoryFull]);
        assert_eq!(text(&ask(&mut terminal, at(0))).lines().count(), 3);
        assert!(!terminal.remember(row("4", "08:00:00")), "on its way is not there yet");
        terminal.handle_answer(200, b"OK", at(0));
        assert!(terminal.remember(row("5", "08:00:00")));
        assert!(text(&ask_and_agree(&mut terminal, at(0))).starts_with('5'));
        assert_eq!((terminal.pending(), terminal.counts().0), (0, 4));
    }
}

/// What is kept is what Stamp 0 brings back: the newest rows, up to the size of the memory.
#[test]
fn a_full_resend_brings_what_memory_holds() {
    let mut profile = Profile::attendance();
    profile.memory = 3;
    let mut terminal = connected(profile, "");
    for pin in 1..=5 {
        assert!(terminal.remember(row(&pin.to_string(), "08:00:00")));
        ask_and_agree(&mut terminal, at(0));
    }
    ask(&mut terminal, at(0));
    terminal.handle_answer(200, b"UNKNOWN DEVICE", at(0));
    connect(&mut terminal, "Stamp=0\n", at(0));
    let pins: String = text(&ask(&mut terminal, at(0))).lines().map(|line| &line[..1]).collect();
    assert_eq!(pins, "345");
}

/// The default is that of real units.
#[test]
fn a_hundred_thousand_punches_fit() {
    let mut terminal = terminal(Profile::attendance());
    (0..100_000).for_each(|_| assert!(terminal.remember(b"x".to_vec())));
    assert!(!terminal.remember(b"x".to_vec()));
    assert_eq!(terminal.pending(), 100_000);
}

#[test]
fn the_other_logs_have_their_limits() {
    let (mut terminal, pin) = (terminal(Profile::attendance()), Pin::new(b"1"));
    assert_eq!(
        (0..=Terminal::OPERATIONS_MAX).filter(|_| terminal.operate(4, &pin, ["0"; 4], at(0))).count(),
        Terminal::OPERATIONS_MAX
    );
    assert_eq!((0..=Terminal::ERRORS_MAX).filter(|_| terminal.fail_with("x", None)).count(), Terminal::ERRORS_MAX);
    assert_eq!(
        (0..=Terminal::PHOTOS_MAX).filter(|_| terminal.photograph(&pin, b"x", at(0))).count(),
        Terminal::PHOTOS_MAX
    );
    assert!(events(&mut terminal).len() <= Terminal::EVENTS_MAX);
}

/// With as many users as fit, one more is -1001, and a change of one of them is not.
#[test]
fn users_have_a_limit() {
    let mut terminal = connected(Profile::attendance(), "TransFlag=1000000\n");
    for pin in 0..Terminal::USERS_MAX {
        terminal.enrol(TerminalUser::new(Pin::new(pin.to_string().as_bytes()).into_owned()));
    }
    let orders = "C:1:DATA UPDATE USERINFO PIN=x\nC:2:DATA UPDATE USERINFO PIN=7\tName=Ana\n";
    let results = super::command(&mut terminal, orders, at(0));
    assert_eq!(results, "ID=1&Return=-1001&CMD=DATA\nID=2&Return=0&CMD=DATA\n");
}

/// Events nobody asks for push the oldest out.
#[test]
fn events_have_a_limit() {
    let mut terminal = terminal(Profile::attendance());
    (0..100_000).for_each(|_| assert!(terminal.remember(b"x".to_vec())));
    (0..2 * Terminal::EVENTS_MAX).for_each(|_| assert!(!terminal.remember(b"x".to_vec())));
    assert_eq!(events(&mut terminal).len(), Terminal::EVENTS_MAX);
}
