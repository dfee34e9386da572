use core::time::Duration;

use punch_protocol::tcp::{
    AttendanceLayout, AttendanceRecord, Carrier, Closing, CommKey, Command, EncodedTime, FinalAck, Frame, Framed,
    Limits, Packet, Person, Terminal, TerminalEvent, TerminalProfile, User, UserLayout,
};
use punch_protocol::{SerialNumber, Status, Verify};

/// What a client sends to a terminal: a byte that says which terminal, one that says how long the pieces are, and the
/// client's bytes.
pub fn tcp_terminal(data: &[u8]) {
    let [kind, cut, bytes @ ..] = data else { return };
    let carrier = if kind & 1 == 0 { Carrier::Tcp } else { Carrier::Udp };
    let pieces: Vec<&[u8]> = bytes.chunks(usize::from(*cut).max(1)).collect();
    let in_pieces = converse(*kind, carrier, &pieces);
    if carrier == Carrier::Tcp {
        let at_once = converse(*kind, carrier, &[bytes]);
        let flooded = TerminalEvent::Closed(Closing::Flooded);
        // Answers that could be taken between the pieces make room for others.
        if !at_once.1.contains(&flooded) {
            assert_eq!(in_pieces, at_once, "the answers depend on how a stream is cut");
        }
    }
}

/// Packets of the terminal, and what it told its people.
fn converse(kind: u8, carrier: Carrier, pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<TerminalEvent>) {
    let mut terminal = terminal(kind);
    let (mut said, mut events) = (Vec::new(), Vec::new());
    terminal.handle_connected(carrier, Duration::ZERO);
    for piece in pieces {
        terminal.handle_input(piece, Duration::ZERO);
        let mut wire = Vec::new();
        while terminal.poll_transmit(&mut wire) {
            check(carrier, &wire);
            said.push(core::mem::take(&mut wire));
        }
        events.extend(core::iter::from_fn(|| terminal.poll_event()));
    }
    let rows = terminal.memory().records().len();
    assert_eq!(rows % terminal.profile().attendance.size(), 0, "records are whole");
    (said, events)
}

/// One packet, and of those that a terminal may send.
fn check(carrier: Carrier, wire: &[u8]) {
    let limits = Limits::default();
    let packet = match carrier {
        Carrier::Tcp => match Frame::parse(wire, &limits) {
            Ok(Framed::Complete { frame, used }) if used == wire.len() => frame.packet,
            other => panic!("no frame, or more than one: {other:?}"),
        },
        Carrier::Udp => Packet::parse(wire, &limits).expect("a packet"),
    };
    let bulk = [Command::PREPARE_DATA, Command::DATA, Command::EVENT];
    assert!(packet.command.is_answer() || bulk.contains(&packet.command), "{}", packet.command);
    assert!(carrier == Carrier::Tcp || packet.data.len() <= Carrier::DATAGRAM_DATA);
}

fn terminal(kind: u8) -> Terminal {
    let layout = AttendanceLayout::ALL[usize::from(kind >> 1 & 7) % AttendanceLayout::ALL.len()];
    let profile = TerminalProfile {
        packet_max: if kind & 16 == 0 { 65_536 } else { 100 },
        final_ack: if kind & 32 == 0 { FinalAck::LastIndex } else { FinalAck::None },
        early_events: kind & 64 != 0,
        ..TerminalProfile::of(layout)
    };
    let serial = SerialNumber::parse("FUZZ1").expect("a serial number");
    let mut terminal = Terminal::new(&serial, profile);
    if kind & 128 != 0 {
        terminal.memory_mut().set_comm_key(CommKey::new(12).expect("a key"));
    }
    for slot in 1..=20 {
        let number = Person::Number(1000 + u32::from(slot));
        let pin = number.pin().map(Person::Pin).expect("a PIN");
        let person = if profile.users == UserLayout::Number28 { number } else { pin };
        terminal.memory_mut().write_user(&User::new(slot, person.clone())).expect("room");
        let time = EncodedTime(800_000_000);
        let punch = AttendanceRecord::new(person, time, Status::CHECK_IN, Verify::FINGERPRINT);
        terminal.submit(&punch).expect("room");
    }
    terminal
}
