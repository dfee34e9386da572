//! The terminal's role, asked by a client that knows nothing but how to write packets.

mod datasets;
mod hostile;
mod keeping;
mod live;
mod phases;
mod questions;

use core::time::Duration;

use punch_protocol::tcp::{
    AttendanceLayout, AttendanceRecord, BufferPiece, BufferReady, BufferRequest, Carrier, Command, EncodedTime, Frame,
    Framed, Limits, Packet, Person, ReplyNumber, SessionField, Terminal, TerminalEvent, TerminalProfile, User,
    UserLayout,
};
use punch_protocol::{Pin, SerialNumber, Status, Verify};

/// A packet of the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    command: Command,
    session: u16,
    reply: u16,
    data: Vec<u8>,
}

/// A terminal, and what a client has to remember to ask it.
struct Line {
    terminal: Terminal,
    carrier: Carrier,
    session: u16,
    reply: ReplyNumber,
    now: Duration,
}

impl Line {
    /// A terminal that nobody asked for a session yet.
    fn silent(terminal: Terminal, carrier: Carrier) -> Self {
        let mut line = Self { terminal, carrier, session: 0, reply: ReplyNumber(0), now: Duration::from_secs(1) };
        line.terminal.handle_connected(carrier, line.now);
        line
    }

    /// A terminal with an open session.
    fn open(terminal: Terminal, carrier: Carrier) -> Self {
        let mut line = Self::silent(terminal, carrier);
        let told = line.ask(Command::CONNECT, b"");
        assert_eq!(told.command, Command::ACK_OK);
        line.session = told.session;
        assert_ne!(line.session, 0);
        line
    }

    fn bytes(&self, command: Command, data: &[u8]) -> Vec<u8> {
        let packet = Packet::new(command, SessionField(self.session), self.reply, data);
        let mut bytes = Vec::new();
        self.carrier.write(&packet, &mut bytes, &Limits::default()).unwrap();
        bytes
    }

    /// Everything that the terminal says now, each in one frame or datagram.
    fn heard(&mut self) -> Vec<Told> {
        let (mut heard, mut wire) = (Vec::new(), Vec::new());
        while self.terminal.poll_transmit(&mut wire) {
            heard.push(told(self.carrier, &wire));
            wire.clear();
        }
        assert!(wire.is_empty());
        heard
    }

    /// Everything that answers a request.
    fn ask_all(&mut self, command: Command, data: &[u8]) -> Vec<Told> {
        self.reply = self.reply.next();
        let bytes = self.bytes(command, data);
        self.terminal.handle_input(&bytes, self.now);
        self.heard()
    }

    /// The one packet that answers a request.
    fn ask(&mut self, command: Command, data: &[u8]) -> Told {
        let heard = self.ask_all(command, data);
        let [told] = &heard[..] else { panic!("{command}: {heard:?}") };
        assert_eq!(told.reply, self.reply.0, "{command}");
        told.clone()
    }

    /// Reads a dataset as clients do: a buffer, its pieces, and the buffer is freed.
    fn read(&mut self, request: BufferRequest) -> Vec<u8> {
        let heard = self.ask_all(Command::PREPARE_BUFFER, &request.to_bytes());
        if heard[0].command != Command::ACK_OK {
            return self.transferred(&heard);
        }
        let (ready, mut dataset) = (BufferReady::parse(&heard[0].data).unwrap(), Vec::new());
        assert_eq!((ready.flag, ready.size_again), (0, ready.size));
        let max = if self.carrier == Carrier::Tcp { BufferPiece::TCP_MAX } else { BufferPiece::UDP_MAX };
        while let Some(piece) = BufferPiece::of(u32::try_from(dataset.len()).unwrap(), ready.size, max) {
            let heard = self.ask_all(Command::READ_BUFFER, &piece.to_bytes());
            let bytes = self.transferred(&heard);
            assert_eq!(bytes.len(), usize::try_from(piece.len).unwrap());
            dataset.extend(bytes);
        }
        assert_eq!(self.ask(Command::FREE_DATA, b"").command, Command::ACK_OK);
        dataset
    }

    /// The bytes of a transfer, or of one packet of data.
    fn transferred(&self, heard: &[Told]) -> Vec<u8> {
        assert!(heard.iter().all(|told| told.reply == self.reply.0));
        let of = |command| heard.iter().filter(move |told| told.command == command);
        let data: Vec<u8> = of(Command::DATA).flat_map(|told| told.data.clone()).collect();
        if let Some(announced) = of(Command::PREPARE_DATA).next() {
            let (size, max) = announced.data.split_at(4);
            assert_eq!(size, u32::try_from(data.len()).unwrap().to_le_bytes());
            let max = usize::try_from(u32::from_le_bytes(max.try_into().unwrap())).unwrap();
            let pieces: Vec<_> = of(Command::DATA).collect();
            assert!(pieces.iter().enumerate().all(|(index, piece)| usize::from(piece.session) == index));
            assert!(pieces.iter().rev().skip(1).all(|piece| piece.data.len() == max));
            assert!(pieces.iter().all(|piece| piece.data.len() <= max));
        } else {
            assert_eq!((heard.len(), heard[0].session), (1, self.session));
        }
        data
    }

    /// What happened, as whoever plays the terminal's people is told.
    fn events(&mut self) -> Vec<TerminalEvent> {
        core::iter::from_fn(|| self.terminal.poll_event()).collect()
    }
}

/// Reads one frame or datagram, and nothing behind it.
fn told(carrier: Carrier, wire: &[u8]) -> Told {
    let limits = Limits::default();
    let packet = match carrier {
        Carrier::Tcp => match Frame::parse(wire, &limits).unwrap() {
            Framed::Complete { frame, used } if used == wire.len() => frame.packet,
            other => panic!("{other:?}"),
        },
        Carrier::Udp => Packet::parse(wire, &limits).unwrap(),
    };
    Told { command: packet.command, session: packet.session.0, reply: packet.reply.0, data: packet.data.to_vec() }
}

/// A terminal with these many people, and punches of theirs a minute apart.
fn terminal(profile: TerminalProfile, users: u16, records: u32) -> Terminal {
    let mut terminal = Terminal::new(&SerialNumber::parse("SIM1").unwrap(), profile);
    for slot in 1..=users {
        terminal.memory_mut().write_user(&User::new(slot, person(profile.users, slot))).unwrap();
    }
    for number in 0..records {
        let slot = u16::try_from(number % u32::from(users)).unwrap() + 1;
        terminal.memory_mut().keep(&record(profile.attendance, slot, EncodedTime(800_000_000 + number * 60))).unwrap();
    }
    terminal
}

fn person(layout: UserLayout, slot: u16) -> Person<'static> {
    let number = Person::Number(1000 + u32::from(slot));
    match layout {
        UserLayout::Number28 => number,
        _ => Person::Pin(number.pin().unwrap()),
    }
}

fn record(layout: AttendanceLayout, slot: u16, time: EncodedTime) -> AttendanceRecord<'static> {
    let number = Person::Number(1000 + u32::from(slot));
    let person = match layout {
        AttendanceLayout::Packed8 | AttendanceLayout::Flags8 => Person::Slot(slot),
        AttendanceLayout::Number16 => number,
        _ => Person::Pin(Pin::new((1000 + slot).to_string().as_bytes()).into_owned()),
    };
    AttendanceRecord::new(person, time, Status::CHECK_OUT, Verify::FINGERPRINT)
}
