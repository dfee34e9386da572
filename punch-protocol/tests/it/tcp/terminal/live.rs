//! Punches told as they happen.

use punch_protocol::tcp::{
    AttendanceLayout, Carrier, Command, EncodedTime, Event, EventCode, EventMask, Terminal, TerminalEvent,
    TerminalProfile, UserLayout,
};

use super::{Line, person, record, terminal};

fn listening(profile: TerminalProfile, carrier: Carrier, mask: EventMask) -> Line {
    let mut line = Line::open(terminal(profile, 9, 0), carrier);
    assert_eq!(line.ask(Command::EVENT, &mask.0.to_le_bytes()).command, Command::ACK_OK);
    line.events();
    line
}

#[test]
fn a_punch_is_told_in_every_length() {
    let time = EncodedTime(800_000_000);
    for layout in AttendanceLayout::ALL {
        for live_punch in [10, 12, 14, 32, 36, 37, 52] {
            for carrier in [Carrier::Tcp, Carrier::Udp] {
                let profile = TerminalProfile { live_punch, ..TerminalProfile::of(layout) };
                let mut line = listening(profile, carrier, EventMask::ALL);
                line.terminal.submit(&record(layout, 7, time)).unwrap();
                let heard = line.heard();
                let [told] = &heard[..] else { panic!("{heard:?}") };
                assert_eq!((told.command, told.session, told.reply), (Command::EVENT, EventCode::PUNCH.0, 0));
                assert_eq!(told.data.len(), live_punch);
                let Event::Punch(punch) = Event::parse(EventCode::PUNCH, &told.data) else { panic!("{live_punch}") };
                let who = match live_punch {
                    10 | 14 => record(AttendanceLayout::Packed8, 7, time).person,
                    12 => person(UserLayout::Number28, 7),
                    _ => person(UserLayout::Text72, 7),
                };
                let kept = record(layout, 7, time);
                assert_eq!((punch.person, punch.state, punch.verify), (who, kept.state, kept.verify));
                assert_eq!(punch.time.civil(), time.civil());
                assert_eq!(line.terminal.memory().sizes().records, 1);
            }
        }
    }
}

#[test]
fn nobody_is_told_who_did_not_ask() {
    let punch = record(AttendanceLayout::Text40, 7, EncodedTime(800_000_000));
    for mask in [0, EventMask::ALL.0 & !1] {
        let mut line = listening(TerminalProfile::default(), Carrier::Tcp, EventMask(mask));
        line.terminal.submit(&punch).unwrap();
        assert_eq!(line.heard(), []);
        assert_eq!(line.terminal.memory().sizes().records, 1);
    }
    let mut line = listening(TerminalProfile::default(), Carrier::Tcp, EventMask(1));
    assert!(!line.terminal.submit_event(EventCode::ALARM, &[0x37, 0, 0, 0]));
    line.ask(Command::EXIT, b"");
    line.terminal.submit(&punch).unwrap();
    assert_eq!(line.heard(), []);
    assert_eq!(line.ask(Command::EVENT, b"\x01\0").command, Command::ACK_ERROR_INIT);
}

#[test]
fn events_wait_for_their_acknowledgement() {
    let mut line = listening(TerminalProfile::default(), Carrier::Tcp, EventMask::ALL);
    for slot in [1, 2, 3] {
        line.terminal.submit(&record(AttendanceLayout::Text40, slot, EncodedTime(800_000_000))).unwrap();
    }
    assert_eq!((line.heard().len(), line.terminal.unacknowledged()), (3, 3));
    for waiting in [2, 1, 0] {
        assert_eq!(line.ask_all(Command::ACK_OK, b""), []);
        assert_eq!(line.events(), [TerminalEvent::EventAcknowledged { waiting }]);
    }
    // One that acknowledges nothing changes nothing.
    line.ask_all(Command::ACK_OK, b"");
    assert_eq!(line.events(), []);
}

/// A client that does not read misses events, never punches.
#[test]
fn events_that_nobody_takes_do_not_pile_up() {
    let mut line = listening(TerminalProfile::default(), Carrier::Tcp, EventMask::ALL);
    for _ in 0..Terminal::ANSWERS_MAX * 2 {
        line.terminal.submit(&record(AttendanceLayout::Text40, 1, EncodedTime(800_000_000))).unwrap();
    }
    assert_eq!(line.heard().len(), Terminal::ANSWERS_MAX);
    assert_eq!(line.terminal.memory().records().len(), 40 * Terminal::ANSWERS_MAX * 2);
}
