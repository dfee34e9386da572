//! The client against a terminal that says exactly what a test writes down.

mod asking;
mod connecting;
mod reading;

use core::time::Duration;

use punch_protocol::tcp::{
    Answer, Carrier, Client, ClientConfig, ClientEvent, Command, Ending, Frame, Limits, Packet, ReplyNumber, Request,
    RequestError, SessionField, Ticket,
};

pub(super) const SESSION: u16 = 0x45cf;

/// A packet that a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) command: Command,
    pub(super) session: u16,
    pub(super) reply: u16,
    pub(super) data: Vec<u8>,
}

/// A client, and the hand that answers it.
pub(super) struct Script {
    pub(super) client: Client,
    carrier: Carrier,
    pub(super) now: Duration,
    last: u16,
}

impl Script {
    /// A client that has sent its greeting.
    pub(super) fn new(config: ClientConfig) -> Self {
        let client = Client::new(config, Duration::ZERO);
        Self { client, carrier: config.carrier, now: Duration::ZERO, last: 0 }
    }

    /// A client with an open session.
    pub(super) fn open(carrier: Carrier) -> Self {
        Self::connected(ClientConfig { announce_sdk: false, ..ClientConfig::new(carrier) })
    }

    pub(super) fn connected(config: ClientConfig) -> Self {
        let mut script = Self::new(config);
        assert_eq!(script.sent().command, Command::CONNECT);
        script.say(Command::ACK_OK, SESSION, b"");
        assert!(matches!(script.event(), ClientEvent::Connected { session: SESSION }));
        script
    }

    /// The next packet of the client, if there is one.
    pub(super) fn try_sent(&mut self) -> Option<Sent> {
        let mut bytes = Vec::new();
        self.client.poll_transmit(&mut bytes).then(|| {
            let start = if self.carrier == Carrier::Tcp { Frame::WRAPPER } else { 0 };
            let packet = Packet::parse(&bytes[start..], &Limits::default()).unwrap();
            self.last = packet.reply.0;
            let (command, session) = (packet.command, packet.session.0);
            Sent { command, session, reply: packet.reply.0, data: packet.data.to_vec() }
        })
    }

    pub(super) fn sent(&mut self) -> Sent {
        self.try_sent().expect("the client says nothing")
    }

    /// The client asks this.
    pub(super) fn asked(&mut self, command: Command) -> Sent {
        let sent = self.sent();
        assert_eq!(sent.command, command);
        sent
    }

    /// A packet as it goes to the client.
    pub(super) fn packet(&self, code: Command, session: u16, reply: u16, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let packet = Packet::new(code, SessionField(session), ReplyNumber(reply), data);
        let limits = Limits { packet: usize::MAX, ..Limits::default() };
        self.carrier.write(&packet, &mut bytes, &limits).unwrap();
        bytes
    }

    /// Answers the last question.
    pub(super) fn say(&mut self, code: Command, session: u16, data: &[u8]) {
        let bytes = self.packet(code, session, self.last, data);
        self.client.handle_input(&bytes, self.now);
    }

    pub(super) fn ok(&mut self, data: &[u8]) {
        self.say(Command::ACK_OK, SESSION, data);
    }

    pub(super) fn submit(&mut self, request: Request) -> Ticket {
        self.client.submit(request, self.now).unwrap()
    }

    /// Lets the time come that the client waits for.
    pub(super) fn pass(&mut self) {
        self.now = self.client.poll_timeout().expect("the client waits for nothing");
        self.client.handle_timeout(self.now);
    }

    /// Lets time pass until the client says something, or gives up.
    pub(super) fn pass_all(&mut self) -> u32 {
        let mut resent = 0;
        while self.client.poll_timeout().is_some() {
            self.pass();
            while self.try_sent().is_some() {
                resent += 1;
            }
        }
        resent
    }

    pub(super) fn event(&mut self) -> ClientEvent {
        self.client.poll_event().expect("the client tells nothing")
    }

    /// The next result, whatever progress is told before.
    pub(super) fn result(&mut self) -> Result<Answer, RequestError> {
        loop {
            match self.event() {
                ClientEvent::Done { result, .. } => return result,
                ClientEvent::Progress { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub(super) fn ending(&mut self) -> Ending {
        match self.event() {
            ClientEvent::Ended(ending) => ending,
            other => panic!("{other:?}"),
        }
    }
}
