//! Clients that cut, bend, flood and lie.

use proptest::prelude::*;
use punch_protocol::tcp::{
    BufferPiece, BufferRequest, Carrier, Closing, CommKey, Command, DatasetKind, EventMask, Frame, FrameError, Limits,
    Terminal, TerminalEvent, TerminalProfile,
};

use super::{Line, terminal};

fn bare(carrier: Carrier) -> Line {
    let mut terminal = terminal(TerminalProfile::default(), 20, 60);
    terminal.memory_mut().set_comm_key(CommKey::new(12).unwrap());
    Line::silent(terminal, carrier)
}

/// Packets of a whole conversation, as a client writes them that knows every answer.
fn conversation(carrier: Carrier) -> Vec<Vec<u8>> {
    let mut line = bare(carrier);
    let mut packets = Vec::new();
    let mut say = |line: &mut Line, command, data: &[u8]| {
        let bytes = line.bytes(command, data);
        line.terminal.handle_input(&bytes, line.now);
        packets.push(bytes);
        line.reply = line.reply.next();
        line.heard()
    };
    line.session = say(&mut line, Command::CONNECT, b"")[0].session;
    let proof = CommKey::new(12).unwrap().scramble(line.session, 50).to_bytes();
    say(&mut line, Command::AUTH, &proof);
    say(&mut line, Command::OPTIONS_READ, b"~SerialNumber\0");
    say(&mut line, Command::FREE_SIZES, b"");
    let users = BufferRequest::new(Command::TEMPLATE_READ, DatasetKind::USERS);
    say(&mut line, Command::PREPARE_BUFFER, &users.to_bytes());
    say(&mut line, Command::READ_BUFFER, &BufferPiece::of(0, 1444, 1444).unwrap().to_bytes());
    say(&mut line, Command::FREE_DATA, b"");
    say(&mut line, Command::ATTENDANCE_READ, b"");
    say(&mut line, Command::EVENT, &EventMask::ALL.0.to_le_bytes());
    let heard = say(&mut line, Command::EXIT, b"");
    assert_eq!(heard[0].command, Command::ACK_OK);
    packets
}

/// All that a terminal answers to these bytes in these pieces.
fn answers(carrier: Carrier, pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<TerminalEvent>) {
    let mut line = bare(carrier);
    let mut said = Vec::new();
    for piece in pieces {
        line.terminal.handle_input(piece, line.now);
        let mut wire = Vec::new();
        while line.terminal.poll_transmit(&mut wire) {
            said.push(core::mem::take(&mut wire));
        }
    }
    (said, line.events())
}

proptest! {
    /// A stream may be cut anywhere: the answers are the same, whether they are taken in between or at the end.
    #[test]
    fn any_cut_of_a_stream_is_answered_the_same(cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40)) {
        let stream = conversation(Carrier::Tcp).concat();
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        ends.extend([0, stream.len()]);
        ends.sort_unstable();
        let pieces: Vec<&[u8]> = ends.windows(2).map(|ends| &stream[ends[0]..ends[1]]).collect();
        prop_assert_eq!(answers(Carrier::Tcp, &pieces), answers(Carrier::Tcp, &[&stream]));
    }
}

/// A command that has a name, more often than one that has none.
fn command() -> impl Strategy<Value = Command> {
    let named = (0..=u16::MAX).map(Command).filter(|command| !command.to_string().starts_with("command "));
    prop_oneof![4 => prop::sample::select(named.collect::<Vec<_>>()), 1 => any::<u16>().prop_map(Command)]
}

proptest! {
    /// Whatever is asked in an open session gets one answer with its number, or a connection that is closed on purpose.
    #[test]
    fn whatever_is_asked_is_answered_once(
        asked in prop::collection::vec((command(), prop::collection::vec(any::<u8>(), 0..80)), 1..40),
        udp in any::<bool>(),
    ) {
        let carrier = if udp { Carrier::Udp } else { Carrier::Tcp };
        let mut line = Line::open(terminal(TerminalProfile::default(), 20, 60), carrier);
        for (command, data) in asked {
            let heard = line.ask_all(command, &data);
            let closed = line.events().iter().any(|event| matches!(event, TerminalEvent::Closed(_)));
            if closed || command.is_answer() {
                prop_assert_eq!(heard, []);
                line = Line::open(line.terminal, carrier);
                continue;
            }
            let (last, before) = heard.split_last().unwrap();
            prop_assert!(before.iter().all(|told| [Command::PREPARE_DATA, Command::DATA].contains(&told.command)));
            prop_assert!(last.command.is_answer() || last.command == Command::DATA, "{}", command);
            prop_assert!(heard.iter().all(|told| told.reply == line.reply.0));
            if [Command::CONNECT, Command::EXIT].contains(&command) {
                line = Line::open(line.terminal, carrier);
            }
        }
    }
}

#[test]
fn a_stream_byte_by_byte_is_answered_the_same() {
    let stream = conversation(Carrier::Tcp).concat();
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    let (said, events) = answers(Carrier::Tcp, &bytes);
    assert_eq!((said.clone(), events), answers(Carrier::Tcp, &[&stream]));
    assert!(said.len() > 12, "{}", said.len());
}

/// Nothing that is cut or flipped is answered as if it were whole: what is answered, is answered in whole packets, and
/// no more of them than to the conversation as it was.
#[test]
fn whatever_is_cut_or_flipped_is_no_failure_of_the_terminal() {
    for carrier in [Carrier::Tcp, Carrier::Udp] {
        let packets = conversation(carrier);
        let whole: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
        let (honest, _) = answers(carrier, &whole);
        let most: usize = honest.iter().map(Vec::len).sum();
        let (mut closed, mut tried) = (0, 0);
        for number in 0..packets.len() {
            for at in 0..packets[number].len() * 9 {
                let mut bent = packets.clone();
                match at.checked_sub(packets[number].len()) {
                    None => bent[number].truncate(at),
                    Some(bit) => bent[number][bit / 8] ^= 1 << (bit % 8),
                }
                let bent: Vec<&[u8]> = bent.iter().map(Vec::as_slice).collect();
                let (said, events) = answers(carrier, &bent);
                // A lost answer is made up for by refusals, which are short.
                assert!(said.iter().map(Vec::len).sum::<usize>() <= most + 16 * packets.len(), "{number} {at}");
                closed += usize::from(events.iter().any(|event| matches!(event, TerminalEvent::Closed(_))));
                tried += 1;
            }
        }
        // Most of what happens to a header's first half is no frame any more; a datagram closes nothing.
        assert_eq!(closed > tried / 10, carrier == Carrier::Tcp, "{closed} of {tried}");
    }
}

#[test]
fn what_is_no_frame_closes_the_connection_with_its_reason() {
    let limit = Limits::default().packet;
    let too_long = [&Frame::MAGIC[..], &u32::try_from(limit + 1).unwrap().to_le_bytes()].concat();
    let cases: [(&[u8], FrameError); 5] = [
        (b"GET / HTTP/1.1\r\n", FrameError::Http),
        (b"\x50\x50\x83\x7c\x10\0\0\0", FrameError::SecurePull),
        (b"\xaa\x01\x00\x00", FrameError::AccessPanel),
        (b"\x50\x50\x82\x7d\x07\0\0\0", FrameError::TooShort { len: 7 }),
        (&too_long, FrameError::TooLong { len: limit + 1, limit }),
    ];
    for (bytes, error) in cases {
        let mut line = bare(Carrier::Tcp);
        line.terminal.handle_input(bytes, line.now);
        assert_eq!(line.events(), [TerminalEvent::Closed(Closing::Frame(error))]);
        // What comes behind it is not looked at.
        assert_eq!(line.ask_all(Command::CONNECT, b""), []);
        line.terminal.handle_connected(Carrier::Tcp, line.now);
        assert_eq!(line.ask(Command::CONNECT, b"").command, Command::ACK_UNAUTH);
    }
    // The longest frame is one; there is nothing to say about a frame that has only begun.
    let mut line = bare(Carrier::Tcp);
    let longest = [&Frame::MAGIC[..], &u32::try_from(limit).unwrap().to_le_bytes()].concat();
    line.terminal.handle_input(&longest, line.now);
    assert_eq!(line.events(), []);
}

#[test]
fn damaged_packets_are_counted_and_not_answered() {
    for carrier in [Carrier::Tcp, Carrier::Udp] {
        let mut line = bare(carrier);
        let mut bytes = line.bytes(Command::CONNECT, b"");
        *bytes.last_mut().unwrap() ^= 1;
        line.terminal.handle_input(&bytes, line.now);
        assert_eq!((line.heard().len(), line.terminal.damaged()), (0, 1));
        assert_eq!(line.ask(Command::CONNECT, b"").command, Command::ACK_UNAUTH);
    }
}

#[test]
fn whoever_asks_on_without_taking_the_answers_is_closed() {
    let mut line = Line::open(terminal(TerminalProfile::default(), 1, 1), Carrier::Tcp);
    let bytes = line.bytes(Command::GET_TIME, b"");
    for _ in 0..Terminal::ANSWERS_MAX {
        line.terminal.handle_input(&bytes, line.now);
    }
    line.events();
    line.terminal.handle_input(&bytes, line.now);
    assert_eq!(line.events(), [TerminalEvent::Closed(Closing::Flooded)]);
    // What was answered can still be taken.
    assert_eq!(line.heard().len(), Terminal::ANSWERS_MAX);
    // Datagrams of a flood are dropped.
    let mut line = Line::open(terminal(TerminalProfile::default(), 1, 1), Carrier::Udp);
    let bytes = line.bytes(Command::GET_TIME, b"");
    for _ in 0..Terminal::ANSWERS_MAX * 2 {
        line.terminal.handle_input(&bytes, line.now);
    }
    assert_eq!(line.heard().len(), Terminal::ANSWERS_MAX);
    assert_eq!(line.ask(Command::GET_TIME, b"").command, Command::ACK_OK);
}

/// Long answers count by their bytes: one of any length is given, the next waits for it.
#[test]
fn long_answers_that_nobody_takes_are_bounded_too() {
    let mut line = Line::open(terminal(TerminalProfile::default(), 1, 100), Carrier::Tcp);
    line.terminal = line.terminal.with_limits(Limits { dataset: 4000, ..Limits::default() });
    let bytes = line.bytes(Command::ATTENDANCE_READ, b"");
    line.terminal.handle_input(&bytes, line.now);
    line.events();
    line.terminal.handle_input(&bytes, line.now);
    assert_eq!(line.events(), [TerminalEvent::Closed(Closing::Flooded)]);
}

#[test]
fn events_that_nobody_polls_are_bounded() {
    let mut line = Line::open(terminal(TerminalProfile::default(), 1, 1), Carrier::Tcp);
    for _ in 0..Terminal::EVENTS_MAX * 2 {
        line.ask(Command(4711), b"");
    }
    assert_eq!(line.events().len(), Terminal::EVENTS_MAX);
}
