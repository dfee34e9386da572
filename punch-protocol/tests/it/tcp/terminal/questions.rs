//! Small questions and orders, and whole requests that were captured or described.

use core::time::Duration;

use punch_protocol::civil;
use punch_protocol::tcp::{
    AnswerForm, Carrier, Closing, Command, DatasetKind, EncodedTime, MachineState, Operation, OperationRecord,
    TerminalEvent, TerminalProfile, UserLayout,
};

use super::super::Vector;
use super::{Line, terminal, told};

fn line() -> Line {
    Line::open(terminal(TerminalProfile::default(), 3, 100), Carrier::Tcp)
}

/// What a client said in the vectors is answered with its reply number, and with a code that is an answer.
#[test]
fn every_request_of_the_vectors_is_answered() {
    let mut asked = 0;
    for vector in Vector::packets().into_iter().filter(|vector| vector.expect == "ok") {
        let packet = vector.packet();
        let from_terminal = [Command::PREPARE_DATA, Command::DATA].contains(&packet.command)
            || (packet.command == Command::EVENT && packet.data.len() != 4);
        if packet.command.is_answer() || from_terminal {
            continue;
        }
        let mut line = line();
        let heard = if vector.transport == "tcp" {
            line.terminal.handle_input(&vector.bytes, line.now);
            line.heard()
        } else {
            line.terminal = terminal(TerminalProfile::default(), 3, 100);
            line = Line::open(line.terminal, Carrier::Udp);
            line.reply = packet.reply;
            let bytes = line.bytes(packet.command, packet.data);
            line.terminal.handle_input(&bytes, line.now);
            line.heard()
        };
        let answered = heard.first().unwrap_or_else(|| panic!("{}: silence", vector.id));
        assert_eq!(answered.reply, packet.reply.0, "{}", vector.id);
        let data = [Command::PREPARE_DATA, Command::DATA].contains(&answered.command);
        assert!(answered.command.is_answer() || data, "{}: {}", vector.id, answered.command);
        assert!(!data || packet.command.answer_form() != AnswerForm::Plain, "{}", vector.id);
        asked += 1;
    }
    assert!(asked >= 15, "{asked}");
}

#[test]
fn options_are_read_and_written() {
    let mut line = line();
    for question in [&b"~SerialNumber\0"[..], b"~SerialNumber"] {
        assert_eq!(line.ask(Command::OPTIONS_READ, question).data, b"~SerialNumber=SIM1\0");
    }
    assert_eq!(line.ask(Command::OPTIONS_READ, b"SDKBuild\0").command, Command::ACK_ERROR);
    assert_eq!(line.ask(Command::OPTIONS_WRITE, b"SDKBuild=1\0").command, Command::ACK_OK);
    assert_eq!(line.ask(Command::OPTIONS_READ, b"SDKBuild\0").data, b"SDKBuild=1\0");
    assert_eq!(line.ask(Command::OPTIONS_WRITE, b"SDKBuild\0").command, Command::ACK_ERROR);
    assert_eq!(line.ask(Command::OPTIONS_READ, b"").command, Command::ACK_ERROR);
}

#[test]
fn the_clock_goes_on_from_what_it_is_set_to() {
    let mut line = line();
    line.terminal.set_clock(civil::parse(b"2026-11-24 08:00:00").unwrap(), line.now);
    line.now += Duration::from_secs(90);
    let told = line.ask(Command::GET_TIME, b"");
    let time = |data: Vec<u8>| EncodedTime(u32::from_le_bytes(data.try_into().unwrap())).civil().unwrap().to_string();
    assert_eq!(time(told.data), "2026-11-24 08:01:30");
    let to = civil::parse(b"2027-02-28 23:59:59").unwrap();
    let set = line.ask(Command::SET_TIME, &EncodedTime::of(to).unwrap().0.to_le_bytes());
    assert_eq!(set.command, Command::ACK_OK);
    assert!(line.events().contains(&TerminalEvent::ClockSet { to }));
    line.now += Duration::from_secs(1);
    assert_eq!(time(line.ask(Command::GET_TIME, b"").data), "2027-03-01 00:00:00");
    // 31 February, and half a time.
    assert_eq!(line.ask(Command::SET_TIME, &808_790_400_u32.to_le_bytes()).command, Command::ACK_ERROR_DATA);
    assert_eq!(line.ask(Command::SET_TIME, &[1, 2]).command, Command::ACK_ERROR_DATA);
    assert_eq!(line.terminal.clock(line.now).to_string(), "2027-03-01 00:00:00");
}

#[test]
fn the_state_stands_in_the_place_of_the_session() {
    let mut line = line();
    assert_eq!(line.ask(Command::STATE, b"").session, MachineState::IDENTIFYING.0);
    assert_eq!(line.ask(Command::DISABLE_DEVICE, &30_u32.to_le_bytes()).command, Command::ACK_OK);
    assert_eq!(line.ask(Command::STATE, b"").session, MachineState::BUSY.0);
    assert_eq!(line.terminal.poll_timeout(), Some(line.now + Duration::from_secs(30)));
    line.now += Duration::from_secs(30);
    line.terminal.handle_timeout(line.now);
    assert!(line.terminal.is_enabled() && line.terminal.poll_timeout().is_none());
    line.ask(Command::DISABLE_DEVICE, b"");
    assert!(!line.terminal.is_enabled() && line.terminal.poll_timeout().is_none());
    line.ask(Command::ENABLE_DEVICE, b"");
    assert!(line.terminal.is_enabled());
}

#[test]
fn a_door_is_open_for_as_long_as_was_asked() {
    let mut line = line();
    assert_eq!(line.ask(Command::DOOR_STATE, b"").data, [0]);
    assert_eq!(line.ask(Command::UNLOCK, &5_u32.to_le_bytes()).command, Command::ACK_OK);
    assert!(line.events().contains(&TerminalEvent::DoorOpened { delay: 5 }));
    assert_eq!(line.ask(Command::DOOR_STATE, b"").data, [1]);
    line.now += Duration::from_secs(5);
    assert_eq!(line.ask(Command::DOOR_STATE, b"").data, [0]);
    let log = line.read(punch_protocol::tcp::BufferRequest::new(Command::OPERATIONS_READ, DatasetKind(0)));
    assert_eq!(OperationRecord::parse(&log[4..]).unwrap().operation, Operation::UNLOCKED);
}

#[test]
fn the_rest_is_answered_as_units_answer_it() {
    let mut line = line();
    assert_eq!(line.ask(Command::VERSION, b"").data, b"Ver 6.60 Apr 28 2017\0");
    assert_eq!(line.ask(Command::PIN_WIDTH, b"").data, [14]);
    for command in [Command::REFRESH_DATA, Command::REFRESH_OPTIONS, Command::FREE_DATA, Command::CANCEL_CAPTURE] {
        assert_eq!(line.ask(command, b"").command, Command::ACK_OK, "{command}");
    }
    for command in [Command(0), Command(4711), Command::UPDATE_FILE, Command::CHECKSUM_BUFFER] {
        assert_eq!(line.ask(command, b"").command, Command::ACK_UNKNOWN, "{command}");
    }
    let profile = TerminalProfile { odd_connect: true, users: UserLayout::Number28, ..TerminalProfile::default() };
    let mut line = Line::silent(terminal(profile, 0, 0), Carrier::Tcp);
    assert_eq!(line.ask(Command::CONNECT, b"").data.len(), 1);
    assert_eq!(line.ask(Command::PIN_WIDTH, b"").data, [9]);
}

#[test]
fn going_down_is_not_answered_and_ends_the_connection() {
    for (command, why) in [(Command::RESTART, Closing::Restart), (Command::POWER_OFF, Closing::PowerOff)] {
        let mut line = line();
        assert_eq!(line.ask_all(command, b""), []);
        assert_eq!(line.events().last(), Some(&TerminalEvent::Closed(why)));
        // Nothing is heard until it is up again.
        assert_eq!(line.ask_all(Command::CONNECT, b""), []);
        line.terminal.handle_connected(Carrier::Tcp, line.now);
        assert_eq!(line.ask(Command::CONNECT, b"").command, Command::ACK_OK);
    }
}

#[test]
fn every_answer_of_an_open_session_may_come_behind_an_event() {
    let profile = TerminalProfile { early_events: true, ..TerminalProfile::default() };
    let mut line = Line::open(terminal(profile, 3, 100), Carrier::Tcp);
    let bytes = line.bytes(Command::GET_TIME, b"");
    line.terminal.handle_input(&bytes, line.now);
    let mut wire = Vec::new();
    assert!(line.terminal.poll_transmit(&mut wire));
    let event = told(Carrier::Tcp, &wire);
    assert_eq!((event.command, event.session, event.reply), (Command::EVENT, 2, 0));
    assert_eq!(line.heard()[0].command, Command::ACK_OK);
}
