use core::time::Duration;

use punch_protocol::tcp::{
    Answer, Carrier, ChecksumPolicy, Client, ClientConfig, ClientEvent, CommKey, Command, Frame, Limits, Packet,
    ReplyNumber, Request, SessionField, Ticket, Wanted,
};

/// A client against a terminal that answers anything: the first byte says how the client is set, then come moves.
///
/// A move is a byte whose low three bits say what happens and the others how many pairs of bytes belong to it: an answer
/// to what was asked last, an event, raw bytes of the wire, time that passes, another request.
pub fn tcp_client(data: &[u8]) {
    let Some((settings, moves)) = data.split_first() else { return };
    let mut play = Play::new(*settings);
    let mut rest = moves;
    while let Some((what, more)) = rest.split_first() {
        let (bytes, later) = more.split_at(more.len().min(usize::from(what >> 3) * 2));
        play.step(what & 7, bytes);
        rest = later;
    }
    play.client.handle_closed(play.now);
    play.look();
    // In the order in which they were asked, too.
    assert_eq!(play.asked, play.answered, "every request has one answer");
    assert!(play.client.poll_timeout().is_none() && play.client.ending().is_some());
}

struct Play {
    client: Client,
    config: ClientConfig,
    now: Duration,
    /// What the client asked last.
    last: (Command, ReplyNumber),
    asked: Vec<Ticket>,
    answered: Vec<Ticket>,
}

/// Small, so that little input reaches them.
const LIMITS: Limits = Limits { packet: 600, dataset: 900, samples: 8 };

impl Play {
    fn new(settings: u8) -> Self {
        let carrier = if settings & 1 == 0 { Carrier::Tcp } else { Carrier::Udp };
        let comm_key = if settings & 2 == 0 { CommKey::NONE } else { CommKey::new(45).expect("in range") };
        let checksums = if settings & 4 == 0 { ChecksumPolicy::Reject } else { ChecksumPolicy::Count };
        let announce_sdk = settings & 8 != 0;
        let config = ClientConfig { comm_key, checksums, announce_sdk, limits: LIMITS, ..ClientConfig::new(carrier) };
        let client = Client::new(config, Duration::ZERO);
        let last = (Command::CONNECT, ReplyNumber(0));
        let mut play = Self { client, config, now: Duration::ZERO, last, asked: Vec::new(), answered: Vec::new() };
        play.submit(settings >> 4);
        play.look();
        play
    }

    fn submit(&mut self, which: u8) {
        let request = match which & 7 {
            0 => Request::Read(Wanted::Attendance),
            1 => Request::Read(Wanted::Users),
            2 => Request::Read(Wanted::Operations),
            3 => Request::Read(Wanted::TemplatesSize),
            4 => Request::Unlock(1),
            5 => Request::Restart,
            6 => Request::SetOption(b"LockOn".to_vec(), b"5".to_vec()),
            _ => Request::Option(b"~OS".to_vec()),
        };
        self.asked.extend(self.client.submit(request, self.now).ok());
    }

    fn step(&mut self, what: u8, bytes: &[u8]) {
        match (what, bytes) {
            (0, bytes) => self.client.handle_input(bytes, self.now),
            (1, [command, high, session, data @ ..]) => {
                let command = Command(u16::from_le_bytes([*command, *high]));
                self.say(command, u16::from(*session), self.last.1, data);
            }
            (2, [session, data @ ..]) => self.say(Command::ACK_OK, u16::from(*session), self.last.1, data),
            (3, [index, data @ ..]) => self.say(Command::DATA, u16::from(*index), self.last.1, data),
            (4, data) => self.say(Command::PREPARE_DATA, 1, self.last.1, data),
            (5, [session, reply, data @ ..]) => {
                self.say(Command::EVENT, u16::from(*session), ReplyNumber(u16::from(*reply)), data);
            }
            (6, _) => {
                self.now = self.client.poll_timeout().unwrap_or(self.now);
                self.client.handle_timeout(self.now);
            }
            (7, [which, ..]) => self.submit(*which),
            _ => {}
        }
        self.look();
    }

    fn say(&mut self, command: Command, session: u16, reply: ReplyNumber, data: &[u8]) {
        let mut bytes = Vec::new();
        let packet = Packet::new(command, SessionField(session), reply, data);
        if self.config.carrier.write(&packet, &mut bytes, &LIMITS).is_ok() {
            self.client.handle_input(&bytes, self.now);
        }
    }

    /// Takes everything the client has to say.
    fn look(&mut self) {
        let mut bytes = Vec::new();
        let (mut sent, mut told) = (0, 0);
        while self.client.poll_transmit(&mut bytes) {
            let start = if self.config.carrier == Carrier::Tcp { Frame::WRAPPER } else { 0 };
            let packet = Packet::parse(&bytes[start..], &LIMITS).expect("what a client says can be read");
            if packet.command != Command::ACK_OK {
                self.last = (packet.command, packet.reply);
            }
            bytes.clear();
            sent += 1;
            assert!(sent < 200, "a client says no end of things");
        }
        while let Some(event) = self.client.poll_event() {
            told += 1;
            assert!(told < 500, "a client tells no end of things");
            match event {
                ClientEvent::Done { ticket, result } => {
                    assert!(!self.answered.contains(&ticket), "a request is answered twice");
                    self.answered.push(ticket);
                    if let Ok(Answer::Dataset(download)) = result {
                        assert!(download.bytes.len() <= LIMITS.dataset);
                    }
                }
                ClientEvent::Happened(happening) => self.client.stored(happening),
                _ => {}
            }
        }
    }
}
