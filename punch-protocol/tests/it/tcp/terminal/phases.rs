//! Nothing is answered before it may be asked.

use punch_protocol::tcp::{Carrier, CommKey, Command, Terminal, TerminalEvent, TerminalProfile};

use super::{Line, terminal};

fn locked(key: u32) -> Line {
    let mut terminal = terminal(TerminalProfile::default(), 3, 10);
    terminal.memory_mut().set_comm_key(CommKey::new(key).unwrap());
    let mut line = Line::silent(terminal, Carrier::Tcp);
    let told = line.ask(Command::CONNECT, b"");
    assert_eq!(told.command, Command::ACK_UNAUTH);
    line.session = told.session;
    line
}

/// Every request there can be, answers apart.
fn requests() -> impl Iterator<Item = Command> {
    (0..=u16::MAX).map(Command).filter(|command| !command.is_answer())
}

#[test]
fn nothing_but_connect_is_answered_without_a_session() {
    let mut line = Line::silent(terminal(TerminalProfile::default(), 3, 10), Carrier::Tcp);
    for command in requests().filter(|command| *command != Command::CONNECT) {
        assert_eq!(line.ask(command, b"").command, Command::ACK_ERROR_INIT, "{command}");
    }
    for answer in (0..=u16::MAX).map(Command).filter(|command| command.is_answer()) {
        assert_eq!(line.ask_all(answer, b""), [], "{answer}");
    }
    assert_eq!(line.terminal.memory().sizes().users, 3);
}

#[test]
fn nothing_but_the_key_is_taken_before_it_is_proved() {
    let mut line = locked(12);
    let free = [Command::CONNECT, Command::AUTH, Command::AUTH_EXTENDED, Command::EXIT];
    for command in requests().filter(|command| !free.contains(command)) {
        let told = line.ask(command, b"");
        assert_eq!((told.command, told.session), (Command::ACK_UNAUTH, line.session), "{command}");
    }
    assert_eq!(line.terminal.memory().sizes().records, 10);
    // A terminal that speaks no newer way says so; the old one still works.
    assert_eq!(line.ask(Command::AUTH_EXTENDED, &[0; 36]).command, Command::ACK_UNKNOWN);
    let proof = CommKey::new(12).unwrap().scramble(line.session, 50).to_bytes();
    assert_eq!(line.ask(Command::AUTH, &proof).command, Command::ACK_OK);
    assert_eq!(line.ask(Command::GET_TIME, b"").command, Command::ACK_OK);
}

#[test]
fn the_key_is_proved_with_any_ticks() {
    for ticks in 0..=u8::MAX {
        let mut line = locked(999_999);
        let proof = CommKey::new(999_999).unwrap().scramble(line.session, ticks).to_bytes();
        assert_eq!(line.ask(Command::AUTH, &proof).command, Command::ACK_OK, "{ticks}");
        assert!(line.events().contains(&TerminalEvent::Proved));
    }
}

#[test]
fn five_wrong_keys_lock_the_session_and_the_next_one_begins_anew() {
    let mut line = locked(12);
    let wrong = CommKey::new(13).unwrap().scramble(line.session, 50).to_bytes();
    for left in (0..Terminal::KEYS_MAX).rev() {
        let told = line.ask(Command::AUTH, &wrong);
        assert_eq!((told.command, told.session), (Command::ACK_UNAUTH, line.session));
        assert!(line.events().contains(&TerminalEvent::KeyRefused { left }));
    }
    let right = CommKey::new(12).unwrap().scramble(line.session, 50).to_bytes();
    assert_eq!(line.ask(Command::AUTH, &right).command, Command::ACK_LOCKED);
    line.session = line.ask(Command::CONNECT, b"").session;
    let right = CommKey::new(12).unwrap().scramble(line.session, 50).to_bytes();
    assert_eq!(line.ask(Command::AUTH, &right).command, Command::ACK_OK);
}

#[test]
fn whoever_connects_is_answered_with_any_reply_number_and_session() {
    for (session, reply) in [(0, 0), (0, 1), (0x1234, 65_535)] {
        let mut line = Line::silent(terminal(TerminalProfile::default(), 0, 0), Carrier::Udp);
        line.session = session;
        line.reply.0 = reply;
        let bytes = line.bytes(Command::CONNECT, b"");
        line.terminal.handle_input(&bytes, line.now);
        let heard = line.heard();
        assert_eq!((heard.len(), heard[0].command, heard[0].reply), (1, Command::ACK_OK, reply));
        assert_ne!(heard[0].session, 0);
    }
}

#[test]
fn a_connect_that_comes_twice_opens_one_session() {
    let mut line = Line::open(terminal(TerminalProfile::default(), 0, 0), Carrier::Udp);
    let again = line.bytes(Command::CONNECT, b"");
    line.terminal.handle_input(&again, line.now);
    assert_eq!(line.heard()[0].session, line.session);
    // After anything else it is a client that begins again.
    assert_eq!(line.ask(Command::GET_TIME, b"").command, Command::ACK_OK);
    assert_ne!(line.ask(Command::CONNECT, b"").session, line.session);
    assert_eq!(line.ask(Command::GET_TIME, b"").command, Command::ACK_ERROR_INIT, "of the session before");
}

/// A client whose session is over disturbs nobody, whatever number its request has.
#[test]
fn a_client_of_before_does_not_end_the_session() {
    let mut line = Line::open(terminal(TerminalProfile::default(), 0, 0), Carrier::Udp);
    let before = line.session;
    line.session = line.ask(Command::CONNECT, b"").session;
    assert_eq!(line.ask(Command::GET_TIME, b"").command, Command::ACK_OK);
    let current = core::mem::replace(&mut line.session, before);
    let late = line.bytes(Command::GET_TIME, b"");
    line.terminal.handle_input(&late, line.now);
    assert_eq!(line.heard()[0].command, Command::ACK_ERROR_INIT);
    line.session = current;
    assert_eq!(line.ask(Command::GET_TIME, b"").command, Command::ACK_OK);
}

#[test]
fn a_session_that_is_left_is_over() {
    for carrier in [Carrier::Tcp, Carrier::Udp] {
        let mut line = Line::open(terminal(TerminalProfile::default(), 0, 0), carrier);
        assert_eq!(line.ask(Command::EXIT, b"").command, Command::ACK_OK);
        assert!(line.events().contains(&TerminalEvent::Left));
        assert_eq!(line.ask(Command::GET_TIME, b"").command, Command::ACK_ERROR_INIT);
    }
}

#[test]
fn a_terminal_that_demands_encryption_opens_no_session() {
    let profile = TerminalProfile { demands_encryption: true, ..TerminalProfile::default() };
    let mut line = Line::silent(terminal(profile, 0, 0), Carrier::Tcp);
    assert_eq!(line.ask(Command::CONNECT, b"").command, Command::SECURE_PULL);
    assert_eq!(line.ask(Command::GET_TIME, b"").command, Command::ACK_ERROR_INIT);
}

#[test]
fn a_new_connection_has_nothing_of_the_one_before_but_the_memory() {
    let mut line = Line::open(terminal(TerminalProfile::default(), 3, 100), Carrier::Tcp);
    assert_eq!(line.ask(Command::DISABLE_DEVICE, b"").command, Command::ACK_OK);
    // Half a request, and an answer that nobody took.
    let bytes = line.bytes(Command::GET_TIME, b"");
    line.terminal.handle_input(&bytes, line.now);
    line.terminal.handle_input(&bytes[..11], line.now);
    assert!(!line.terminal.is_enabled());
    line.terminal.handle_connected(Carrier::Tcp, line.now);
    assert_eq!(line.heard(), []);
    assert!(line.terminal.is_enabled());
    assert_eq!(line.ask(Command::GET_TIME, b"").command, Command::ACK_ERROR_INIT);
    assert_eq!(line.terminal.memory().sizes().records, 100);
}
