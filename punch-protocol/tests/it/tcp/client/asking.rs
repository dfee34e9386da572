//! Short questions, what is asked again and what never is, and events in between.

use punch_protocol::Pin;
use punch_protocol::tcp::{
    Answer, Carrier, ClientConfig, ClientEvent, Command, EncodedTime, Ending, Event, EventCode, EventMask, Person,
    Request, RequestError, SubmitError, Timing, User, UserLayout,
};

use super::{SESSION, Script};

fn reply(script: &mut Script) -> punch_protocol::tcp::Reply {
    match script.result() {
        Ok(Answer::Reply(reply)) => reply,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_short_question_is_one_packet_of_the_protocol() {
    let questions: [(Request, u16, &[u8]); 16] = [
        (Request::Option(b"~OS".to_vec()), 11, b"~OS\0"),
        (Request::Version, 1100, b""),
        (Request::Sizes, 50, b""),
        (Request::Time, 201, b""),
        (Request::State, 64, b""),
        (Request::PinWidth, 69, b""),
        (Request::DoorState, 75, b""),
        (Request::Enable, 1002, b""),
        (Request::Disable(None), 1003, b""),
        (Request::Disable(Some(60)), 1003, b"\x3c\0\0\0"),
        (Request::Refresh, 1013, b""),
        (Request::Unlock(3), 31, b"\x03\0\0\0"),
        (Request::Register(EventMask::ALL), 500, b"\xff\xff\0\0"),
        (Request::Register(EventMask::NONE), 500, b"\0\0\0\0"),
        (Request::Other(Command::TEST_VOICE, vec![1, 0, 0, 0]), 1017, b"\x01\0\0\0"),
        (Request::Other(Command(4711), vec![]), 4711, b""),
    ];
    let mut script = Script::open(Carrier::Tcp);
    for (request, command, data) in questions {
        script.submit(request.clone());
        let sent = script.asked(Command(command));
        assert_eq!(sent.data, data, "{request:?}");
        script.ok(b"");
        assert_eq!(reply(&mut script).code, Command::ACK_OK);
        assert!(script.try_sent().is_none());
    }
}

#[test]
fn changes_are_made_to_take_effect() {
    let mut user = User::new(14, Person::Pin(Pin::new(b"1003")));
    user.name = b"Ana";
    let cases = [
        (Request::SetOption(b"LockOn".to_vec(), b"5".to_vec()), Command::OPTIONS_WRITE, Command::REFRESH_OPTIONS),
        (Request::SetTime(EncodedTime(0x580d_0423)), Command::SET_TIME, Command::REFRESH_DATA),
        (Request::write_user(&user, UserLayout::Text72).unwrap(), Command::USER_WRITE, Command::REFRESH_DATA),
        (Request::DeleteUser(40_000), Command::DELETE_USER, Command::REFRESH_DATA),
        (Request::ClearAttendance, Command::CLEAR_ATTENDANCE, Command::REFRESH_DATA),
    ];
    for (request, first, second) in cases {
        let mut script = Script::open(Carrier::Tcp);
        script.submit(request.clone());
        script.asked(first);
        script.ok(b"");
        script.asked(second);
        // Older units do it by themselves and refuse to be told.
        script.say(Command::ACK_ERROR, SESSION, b"");
        assert_eq!(reply(&mut script).code, Command::ACK_OK, "{request:?}");

        script.submit(request);
        script.asked(first);
        script.say(Command::ACK_ERROR, SESSION, b"");
        assert_eq!(script.result(), Err(RequestError::Refused { command: first, code: Command::ACK_ERROR }));
        assert!(script.try_sent().is_none(), "what failed takes no effect");
    }
}

#[test]
fn an_option_that_is_not_there_is_an_answer() {
    let answers = [
        (Command::ACK_OK, "~OS=1\0", Some("1")),
        (Command::ACK_ERROR, "", None),
        (Command::ACK_OK, "~OS=\0", None),
        (Command::ACK_OK, "~OS\0", None),
        (Command::ACK_DATA, "~OS=a=b", Some("a=b")),
    ];
    let mut script = Script::open(Carrier::Tcp);
    for (code, data, value) in answers {
        script.submit(Request::Option(b"~OS".to_vec()));
        script.sent();
        script.say(code, SESSION, data.as_bytes());
        assert_eq!(reply(&mut script).option(), value.map(str::as_bytes));
    }
}

#[test]
fn numbers_nobody_has_named_are_no_success() {
    let mut script = Script::open(Carrier::Tcp);
    for code in [Command::ACK_RETRY, Command::ACK_UNKNOWN, Command(4711)] {
        script.submit(Request::Version);
        script.sent();
        script.say(code, SESSION, b"Ver 1\0");
        assert_eq!(script.result(), Err(RequestError::Refused { command: Command::VERSION, code }));
    }
}

#[test]
fn questions_wait_for_each_other_and_only_so_many() {
    let mut script = Script::open(Carrier::Tcp);
    let first = script.submit(Request::Version);
    let second = script.submit(Request::State);
    script.asked(Command::VERSION);
    assert!(script.try_sent().is_none());
    script.ok(b"");
    script.asked(Command::STATE);
    script.ok(b"");
    for ticket in [first, second] {
        assert!(matches!(script.event(), ClientEvent::Done { ticket: told, .. } if told == ticket));
    }
    for _ in 0..=punch_protocol::tcp::Client::QUEUE_MAX {
        script.submit(Request::State);
    }
    let full = script.client.submit(Request::State, script.now);
    assert_eq!(full, Err(SubmitError::Full { waiting: punch_protocol::tcp::Client::QUEUE_MAX }));
}

#[test]
fn datagrams_that_are_lost_are_sent_again_but_a_door_is_opened_once() {
    let mut script = Script::open(Carrier::Udp);
    script.submit(Request::Version);
    let first = script.sent();
    script.pass();
    assert_eq!(script.sent(), first, "the same bytes, so that the answer to either counts");
    script.ok(b"Ver 6.60\0");
    assert_eq!(reply(&mut script).text(), b"Ver 6.60");
    // The other answer comes too, and answers nothing any more.
    script.ok(b"Ver 6.60\0");
    assert!(script.client.poll_event().is_none());
    assert_eq!(script.client.anomalies().strays, 1);

    for request in
        [Request::Unlock(5), Request::DeleteUser(3), Request::ClearAttendance, Request::Other(Command(4711), vec![])]
    {
        script.submit(request);
        script.sent();
        assert_eq!(script.pass_all(), 0);
        let error = script.result().unwrap_err();
        assert!(matches!(error, RequestError::Unanswered { sent: 1, .. }) && error.may_have_happened(), "{error}");
    }
}

#[test]
fn a_restart_is_done_whether_the_terminal_says_so_or_goes() {
    let mut script = Script::open(Carrier::Tcp);
    script.submit(Request::Restart);
    script.sent();
    script.client.handle_closed(script.now);
    assert_eq!(script.result(), Ok(Answer::Silence));
    assert_eq!(script.ending(), Ending::Closed);

    let mut script = Script::open(Carrier::Udp);
    script.submit(Request::PowerOff);
    script.sent();
    assert_eq!(script.pass_all(), 0);
    assert_eq!(script.result(), Ok(Answer::Silence));
}

#[test]
fn a_closed_connection_says_what_may_have_happened() {
    let mut script = Script::open(Carrier::Tcp);
    script.submit(Request::Unlock(5));
    script.submit(Request::Version);
    script.sent();
    script.client.handle_closed(script.now);
    let ended = |sent, command| Err(RequestError::Ended { command, sent, ending: Ending::Closed });
    assert_eq!(script.result(), ended(true, Command::UNLOCK));
    assert_eq!(script.result(), ended(false, Command::VERSION));
    assert_eq!(script.ending(), Ending::Closed);
}

#[test]
fn events_come_in_front_of_answers_and_are_acknowledged_once_stored() {
    let mut script = Script::open(Carrier::Tcp);
    script.submit(Request::Register(EventMask::ALL));
    let asked = script.sent();
    let body = [0xef, 3, 0, 0, 1, 0, 26, 11, 22, 8, 30, 15];
    // Two events and the answer in one segment.
    let event = script.packet(Command::EVENT, EventCode::PUNCH.0, 0, &body);
    let answer = script.packet(Command::ACK_OK, SESSION, asked.reply, b"");
    script.client.handle_input(&[event.as_slice(), &event, &answer].concat(), script.now);
    assert!(script.try_sent().is_none(), "nothing is acknowledged before it is stored");
    for _ in 0..2 {
        let ClientEvent::Happened(happening) = script.event() else { panic!() };
        let Event::Punch(punch) = happening.event() else { panic!() };
        assert_eq!(punch.person, Person::Number(1007));
        script.client.stored(happening);
        let confirmed = script.asked(Command::ACK_OK);
        assert_eq!((confirmed.session, confirmed.reply, confirmed.data.len()), (SESSION, 0, 0));
    }
    assert!(script.result().is_ok());
    script.submit(Request::State);
    assert_eq!(script.sent().reply, asked.reply + 1, "an acknowledgement does not count");
}

#[test]
fn a_listener_notices_that_the_terminal_is_gone() {
    let probe = core::time::Duration::from_secs(60);
    let timing = Timing { probe: Some(probe), ..Timing::default() };
    let config = ClientConfig { timing, announce_sdk: false, ..ClientConfig::new(Carrier::Tcp) };
    let mut script = Script::connected(config);
    assert_eq!(script.client.poll_timeout(), Some(probe));
    script.pass();
    script.asked(Command::STATE);
    script.say(Command::ACK_OK, 0, b"");
    assert!(script.client.poll_event().is_none(), "nobody asked, so nobody is told");
    script.pass();
    script.asked(Command::STATE);
    script.pass();
    assert_eq!(script.ending(), Ending::Unreachable);
}

#[test]
fn damaged_packets_are_dropped_and_counted_and_their_neighbours_live() {
    let mut script = Script::open(Carrier::Tcp);
    script.submit(Request::Version);
    let asked = script.sent();
    let good = script.packet(Command::ACK_OK, SESSION, asked.reply, b"Ver 6.60\0");
    let mut bad = good.clone();
    bad[17] ^= 0x20;
    script.client.handle_input(&[bad, good].concat(), script.now);
    assert_eq!(reply(&mut script).text(), b"Ver 6.60");
    assert_eq!(script.client.anomalies().damaged, 1);
}
