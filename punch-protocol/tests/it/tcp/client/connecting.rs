//! How a session begins, and how it does not.

use punch_protocol::tcp::{
    Carrier, ClientConfig, ClientEvent, CommKey, Command, Ending, FrameError, Request, RequestError,
};

use super::{SESSION, Script};
use crate::tcp::Vector;

fn with_key(key: u32) -> ClientConfig {
    let comm_key = CommKey::new(key).unwrap();
    ClientConfig { comm_key, announce_sdk: false, ..ClientConfig::new(Carrier::Tcp) }
}

#[test]
fn a_greeting_is_byte_for_byte_the_one_of_a_capture() {
    let mut script = Script::new(ClientConfig::new(Carrier::Tcp));
    let mut greeting = Vec::new();
    assert!(script.client.poll_transmit(&mut greeting));
    assert_eq!(greeting, Vector::named("tcp-connect-req").bytes);
    // A byte behind the answer means nothing, and the next packet says what the client is.
    let answer = Vector::named("tcp-connect-rsp-extra-byte");
    assert_eq!(answer.packet().data.len(), 1);
    script.ok(answer.packet().data);
    let announced = script.asked(Command::OPTIONS_WRITE);
    assert_eq!(announced.data, b"SDKBuild=1\0");
    script.say(Command::ACK_ERROR, SESSION, b"");
    assert!(matches!(script.event(), ClientEvent::Connected { .. }));
    assert!(script.client.is_open());
}

#[test]
fn reply_numbers_count_from_the_greeting_and_sessions_are_kept() {
    let mut script = Script::open(Carrier::Tcp);
    for number in 1..=3 {
        script.submit(Request::State);
        let sent = script.asked(Command::STATE);
        assert_eq!((sent.reply, sent.session), (number, SESSION));
        // The state stands where the session stood, and the answer counts all the same.
        script.say(Command::ACK_OK, 2, b"");
        assert!(script.result().is_ok());
    }
}

#[test]
fn a_comm_key_is_proved_as_in_a_capture() {
    let mut script = Script::new(with_key(45));
    script.asked(Command::CONNECT);
    script.say(Command::ACK_UNAUTH, SESSION, b"");
    let proof = script.asked(Command::AUTH);
    assert_eq!((proof.data.as_slice(), proof.reply), (&[0x61, 0xc9, 0x32, 0x3c][..], 1));
    script.ok(b"");
    assert!(matches!(script.event(), ClientEvent::Connected { session: SESSION }));
}

#[test]
fn a_key_that_is_not_wanted_is_not_sent() {
    let mut script = Script::new(with_key(45));
    script.asked(Command::CONNECT);
    script.ok(b"");
    assert!(matches!(script.event(), ClientEvent::Connected { .. }));
    assert!(script.try_sent().is_none());
}

#[test]
fn each_refusal_has_its_reason() {
    let cases: [(u32, &[Command], Ending); 6] = [
        (0, &[Command::ACK_UNAUTH], Ending::KeyNeeded),
        (9, &[Command::ACK_UNAUTH, Command::ACK_UNAUTH], Ending::KeyRefused),
        (9, &[Command::ACK_UNAUTH, Command::ACK_LOCKED], Ending::KeyLocked),
        (9, &[Command::ACK_UNAUTH, Command(4711)], Ending::Refused { code: Command(4711) }),
        (0, &[Command::SECURE_PULL], Ending::SecurePull),
        (0, &[Command::ACK_ERROR], Ending::Refused { code: Command::ACK_ERROR }),
    ];
    for (key, answers, ending) in cases {
        let mut script = Script::new(with_key(key));
        let ticket = script.submit(Request::Version);
        for code in answers {
            script.sent();
            script.say(*code, SESSION, b"");
        }
        let ClientEvent::Done { ticket: told, result } = script.event() else { panic!() };
        assert_eq!(told, ticket);
        assert!(
            matches!(result, Err(RequestError::Ended { sent: false, ending: why, .. }) if why == ending),
            "{result:?}"
        );
        assert!(!result.unwrap_err().may_have_happened());
        assert_eq!(script.ending(), ending);
        assert!(script.try_sent().is_none() && script.client.poll_timeout().is_none());
        assert!(script.client.submit(Request::Version, script.now).is_err());
    }
}

#[test]
fn what_is_not_this_protocol_ends_the_conversation_and_says_what_it_is() {
    let cases: [(&[u8], FrameError); 4] = [
        (b"HTTP/1.1 400 Bad Request\r\n", FrameError::Http),
        (b"\x50\x50\x83\x7c\0\0\0\0", FrameError::SecurePull),
        (b"\xaa\x01\x0b\x00\x55\0\0\0", FrameError::AccessPanel),
        (b"SSH-2.0-dropbear", FrameError::NoMagic),
    ];
    for (bytes, error) in cases {
        let mut script = Script::new(ClientConfig::new(Carrier::Tcp));
        script.client.handle_input(bytes, script.now);
        assert_eq!(script.ending(), Ending::Frame(error));
        // Whatever comes now is not looked at.
        script.client.handle_input(bytes, script.now);
        assert!(script.client.poll_event().is_none());
    }
}

#[test]
fn nobody_there_is_told_after_some_greetings() {
    let mut script = Script::new(ClientConfig::new(Carrier::Udp));
    let first = script.asked(Command::CONNECT);
    script.pass();
    assert_eq!(script.asked(Command::CONNECT), first, "the same bytes again");
    assert_eq!(script.pass_all(), 6, "eight in all");
    assert_eq!(script.ending(), Ending::Unreachable);
    assert!(script.now.as_secs() < 60);

    // A stream carries what is sent, so nothing is sent twice.
    let mut script = Script::new(ClientConfig::new(Carrier::Tcp));
    script.asked(Command::CONNECT);
    assert_eq!(script.pass_all(), 0);
    assert_eq!(script.ending(), Ending::Unreachable);
}

#[test]
fn a_forgotten_session_is_opened_again_once() {
    for forgotten in [Command::ACK_UNAUTH, Command::ACK_ERROR_INIT] {
        let mut script = Script::open(Carrier::Udp);
        script.submit(Request::Unlock(5));
        script.asked(Command::UNLOCK);
        script.say(forgotten, SESSION, b"");
        // It was refused, so it did not happen, and may be asked again.
        assert_eq!(script.asked(Command::CONNECT).reply, 0);
        script.say(Command::ACK_OK, 0x1111, b"");
        assert!(matches!(script.event(), ClientEvent::Connected { session: 0x1111 }));
        assert_eq!(script.asked(Command::UNLOCK).session, 0x1111);
        script.say(forgotten, 0x1111, b"");
        let error = script.result().unwrap_err();
        assert_eq!(error, RequestError::SessionLost { command: Command::UNLOCK });
        assert!(error.is_retryable() && !error.may_have_happened());
    }
}

#[test]
fn leaving_is_answered_or_not() {
    let mut script = Script::open(Carrier::Tcp);
    script.submit(Request::Exit);
    script.asked(Command::EXIT);
    script.ok(b"");
    assert!(script.result().is_ok());
    assert_eq!(script.ending(), Ending::Left);

    let mut script = Script::open(Carrier::Tcp);
    script.submit(Request::Exit);
    script.asked(Command::EXIT);
    script.client.handle_closed(script.now);
    assert!(script.result().is_ok());
    assert_eq!(script.ending(), Ending::Left);
}
