//! Frames bent in every way that is known to break programs, at a client and at a terminal: neither panics, hangs, answers
//! without end or keeps more than its limits allow. `PUNCH_MUTATED_FRAMES` sets how many; ten million take a
//! minute.

use core::time::Duration;

use punch_protocol::SerialNumber;
use punch_protocol::tcp::{
    Answer, Carrier, Client, ClientConfig, ClientEvent, Command, Frame, Limits, Packet, ReplyNumber, Request,
    SessionField, Terminal, TerminalEvent, TerminalProfile, Wanted, checksum,
};

use super::Vector;
use crate::random::Random;

const FRAMES: u64 = 300_000;
/// Frames to one pair of machines, before it is looked whether they still work and others take over.
const TURN: u64 = 50;

const LIMITS: Limits = Limits { packet: 4096, dataset: 16_384, samples: 64 };

/// A client that is reading, and a terminal that is open.
struct Pair {
    client: Client,
    terminal: Terminal,
    is_closed: bool,
    asked: u64,
    now: Duration,
}

impl Pair {
    fn new(carrier: Carrier, turn: u64) -> Self {
        let config = ClientConfig { limits: LIMITS, announce_sdk: false, ..ClientConfig::new(carrier) };
        let serial = SerialNumber::parse("SIM1").unwrap();
        let mut terminal = Terminal::new(&serial, TerminalProfile::default()).with_limits(LIMITS);
        terminal.handle_connected(carrier, Duration::ZERO);
        let client = Client::new(config, Duration::ZERO);
        let mut pair = Self { client, terminal, is_closed: false, asked: 1, now: Duration::ZERO };
        let wanted = [Wanted::Attendance, Wanted::Users, Wanted::Operations, Wanted::TemplatesSize];
        pair.client.submit(Request::Read(wanted[usize::try_from(turn % 4).unwrap()]), Duration::ZERO).unwrap();
        (0..turn % 9).for_each(|_| pair.converse());
        pair
    }

    /// A packet each way, so that the frames come at every stage.
    fn converse(&mut self) {
        let mut bytes = Vec::new();
        while self.client.poll_transmit(&mut bytes) {}
        self.terminal.handle_input(&bytes, self.now);
        bytes.clear();
        if self.terminal.poll_transmit(&mut bytes) {
            self.client.handle_input(&bytes, self.now);
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.client.handle_input(bytes, self.now);
        self.terminal.handle_input(bytes, self.now);
        let mut out = Vec::new();
        let mut said = 0;
        while self.client.poll_transmit(&mut out) || self.terminal.poll_transmit(&mut out) {
            said += 1;
            assert!(said < 500 && out.len() < 1 << 20, "an answer without end");
        }
        let mut told = 0;
        while let Some(event) = self.client.poll_event() {
            told += 1;
            assert!(told < 500, "told without end");
            if let ClientEvent::Done { result, .. } = event {
                self.asked -= 1;
                if let Ok(Answer::Dataset(download)) = result {
                    assert!(download.bytes.capacity() <= LIMITS.dataset);
                }
            }
        }
        while let Some(event) = self.terminal.poll_event() {
            self.is_closed |= matches!(event, TerminalEvent::Closed(_));
        }
    }

    /// Nobody listens any more.
    fn is_over(&self) -> bool {
        self.is_closed && self.client.ending().is_some()
    }

    /// Whatever came, time gets a client out of it.
    fn finish(mut self) {
        for _ in 0..200 {
            let Some(at) = self.client.poll_timeout() else { break };
            self.now = at;
            self.client.handle_timeout(at);
            self.feed(&[]);
        }
        self.client.handle_closed(self.now);
        self.feed(&[]);
        assert!(self.asked == 0 && self.client.poll_timeout().is_none() && self.client.ending().is_some());
    }
}

/// One frame, bent in one of thirteen ways; half of them with a checksum that is right again.
fn bend(frame: &mut Vec<u8>, others: &[Vec<u8>], carrier: Carrier, dice: &mut Random) {
    let head = if carrier == Carrier::Tcp { Frame::WRAPPER } else { 0 };
    let at = |dice: &mut Random, len: usize| usize::try_from(dice.below(len.max(1) as u64)).unwrap();
    let put = |frame: &mut Vec<u8>, place: usize, value: &[u8]| {
        for (slot, byte) in frame.iter_mut().skip(place).zip(value) {
            *slot = *byte;
        }
    };
    let number = [0u32, 1, 7, 8, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1_000_000][at(dice, 8)].to_le_bytes();
    match dice.below(13) {
        0 => frame.truncate(at(dice, frame.len())),
        1 => (0..=dice.below(8)).for_each(|_| {
            let bit = at(dice, frame.len() * 8);
            if let Some(byte) = frame.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
        }),
        2 => put(frame, at(dice, frame.len()), &number),
        3 => put(frame, 4, &number),
        4 => put(frame, head, &number[..2]),
        5 => put(frame, head + 8, &number),
        6 => put(frame, head + 9, &number),
        7 => frame.extend(others[at(dice, others.len())].clone()),
        8 => frame.extend_from_slice(&number),
        9 => frame.splice(0..0, others[at(dice, others.len())].clone()).for_each(drop),
        10 => put(frame, head + 4, &number[..2]),
        11 => put(frame, head + 6, &number[..2]),
        _ => frame.insert(at(dice, frame.len()), number[0]),
    }
    if dice.chance(50) && frame.len() >= head + 8 {
        let sum = checksum(&frame[head..]).to_le_bytes();
        put(frame, head + 2, &sum);
    }
}

#[test]
fn no_bent_frame_breaks_either_side() {
    let frames = std::env::var("PUNCH_MUTATED_FRAMES").map_or(FRAMES, |text| text.parse().unwrap());
    let vectors: Vec<Vector> = Vector::packets();
    let mut dice = Random::new(4370);
    let written = |carrier: Carrier| -> Vec<Vec<u8>> {
        let write = |vector: &Vector| {
            let packet = vector.packet();
            let mut bytes = Vec::new();
            carrier.write(&packet, &mut bytes, &Limits::default()).ok().map(|()| bytes)
        };
        vectors.iter().filter_map(write).collect()
    };
    let samples = [Carrier::Tcp, Carrier::Udp].map(|carrier| (carrier, written(carrier)));
    let mut pairs = 0;
    let mut pair: Option<Pair> = None;
    for number in 0..frames {
        let (carrier, samples) = &samples[usize::try_from(pairs % 2).unwrap()];
        let mut frame = samples[usize::try_from(dice.below(samples.len() as u64)).unwrap()].clone();
        // As an answer to what is asked, as often as not.
        if dice.chance(50) {
            let head = if *carrier == Carrier::Tcp { Frame::WRAPPER } else { 0 };
            let packet = Packet::parse_unverified(&frame[head..]).unwrap();
            let reply = ReplyNumber(u16::try_from(dice.below(6)).unwrap());
            let command = if dice.chance(30) { Command::DATA } else { packet.command };
            let session = SessionField(u16::try_from(dice.below(4)).unwrap());
            let data = packet.data.to_vec();
            frame.clear();
            carrier.write(&Packet::new(command, session, reply, &data), &mut frame, &Limits::default()).unwrap();
        }
        bend(&mut frame, samples, *carrier, &mut dice);
        let meets = pair.get_or_insert_with(|| Pair::new(*carrier, pairs));
        meets.feed(&frame);
        if meets.is_over() || number % TURN == 0 {
            pair.take().unwrap().finish();
            pairs += 1;
        }
    }
    assert!(frames < 100 || pairs > frames / TURN);
}
