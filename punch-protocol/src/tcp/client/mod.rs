//! The client: asks a terminal, and takes what it tells.

mod assembly;
mod config;
mod connect;
mod download;
mod error;
mod exchange;
mod people;
mod read;
mod request;
mod work;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::carrier::Inbox;
use super::codes::{Command, EventCode};
use super::dialogue::{Dialogue, Heard, Phase};
use super::event::Event;
use super::packet::{Packet, ReplyNumber, SessionField};
use connect::Connect;
use exchange::{Exchange, Late};
use work::{Ask, Hear, Work};

pub use config::{ClientConfig, Timing};
pub use download::{AttendanceLog, Download, ReadPath, Shortfall, UserList};
pub use error::{Ending, RequestError, SubmitError};
pub use people::{PersonChange, UserTable};
pub use request::{Answer, Reply, Request, Wanted};

/// One conversation with a terminal, without a socket and without a clock.
///
/// Whoever drives it sends what [`Client::poll_transmit`] gives, hands in what arrives, calls
/// [`Client::handle_timeout`] when [`Client::poll_timeout`] is reached, and looks at [`Client::poll_event`] after each.
/// `now` is the time since any moment that stays the same.
///
/// It connects by itself, proves the comm key if it is asked to, and connects once more if the terminal forgets the
/// session. Requests are answered in the order in which they were submitted. Whatever a terminal sends, it neither
/// panics nor keeps more than [`Limits`](super::Limits) allow.
///
/// ```
/// use core::time::Duration;
/// use punch_protocol::tcp::{Answer, Carrier, Client, ClientConfig, ClientEvent, Command, Packet, ReplyNumber, Request, SessionField};
///
/// let config = ClientConfig { announce_sdk: false, ..ClientConfig::new(Carrier::Udp) };
/// let mut client = Client::new(config, Duration::ZERO);
/// let version = client.submit(Request::Version, Duration::ZERO)?;
///
/// let mut answer = |code, reply, data: &[u8]| {
///     let (mut asked, mut datagram) = (Vec::new(), Vec::new());
///     assert!(client.poll_transmit(&mut asked));
///     let packet = Packet::new(code, SessionField(7), ReplyNumber(reply), data);
///     Carrier::Udp.write(&packet, &mut datagram, &config.limits).expect("a short packet");
///     client.handle_input(&datagram, Duration::from_millis(20));
/// };
/// answer(Command::ACK_OK, 0, b"");
/// answer(Command::ACK_OK, 1, b"Ver 6.60\0");
///
/// assert!(matches!(client.poll_event(), Some(ClientEvent::Connected { session: 7 })));
/// let Some(ClientEvent::Done { ticket, result: Ok(Answer::Reply(reply)) }) = client.poll_event() else { panic!() };
/// assert_eq!((ticket, reply.text()), (version, &b"Ver 6.60"[..]));
/// # Ok::<(), punch_protocol::tcp::SubmitError>(())
/// ```
pub struct Client {
    config: ClientConfig,
    dialogue: Dialogue,
    inbox: Inbox,
    exchange: Exchange,
    outbox: VecDeque<Vec<u8>>,
    events: VecDeque<ClientEvent>,
    connect: Option<Connect>,
    running: Option<Running>,
    waiting: VecDeque<(Ticket, Request)>,
    next_ticket: u64,
    heard_at: Duration,
    strays: u64,
    ending: Option<Ending>,
}

struct Running {
    /// Nobody asked for it but the client itself, to see whether the terminal is still there.
    is_probe: bool,
    ticket: Ticket,
    request: Request,
    work: Work,
    begun_again: bool,
}

/// Which request an answer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// What a client tells.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientEvent {
    /// The session is open. It may come again if the terminal forgot the first one.
    Connected {
        /// The session's number.
        session: u16,
    },
    /// A request is answered, or never will be.
    Done {
        /// Which.
        ticket: Ticket,
        /// The answer.
        result: Result<Answer, RequestError>,
    },
    /// A long answer grows.
    Progress {
        /// Whose.
        ticket: Ticket,
        /// Bytes that are there.
        got: usize,
        /// Bytes in all.
        total: usize,
    },
    /// Something happened at the terminal.
    Happened(Happening),
    /// The conversation is over. Nothing comes after it.
    Ended(Ending),
}

/// An event, and the duty to acknowledge it once it is safe.
///
/// `Debug` shows which event it is.
#[must_use = "the terminal waits for its acknowledgement: hand it to `Client::stored`"]
pub struct Happening {
    code: EventCode,
    body: Vec<u8>,
}

impl Happening {
    /// What happened.
    pub fn event(&self) -> Event<'_> {
        Event::parse(self.code, &self.body)
    }
}

impl fmt::Debug for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.event().fmt(f)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("carrier", &self.config.carrier)
            .field("phase", &self.dialogue.phase())
            .field("waiting", &self.waiting.len())
            .field("ending", &self.ending)
            .finish_non_exhaustive()
    }
}

/// What was wrong with what a terminal sent, and cost nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Anomalies {
    /// Packets whose checksum differed.
    pub damaged: u64,
    /// Packets that answered nothing that was asked: too late, or twice.
    pub strays: u64,
}

impl Client {
    /// Requests that may wait, beside the one that is being answered.
    pub const QUEUE_MAX: usize = 1024;

    /// Begins a conversation; the first packet waits in [`Client::poll_transmit`]. On TCP the connection is open.
    pub fn new(config: ClientConfig, now: Duration) -> Self {
        let mut client = Self {
            config,
            dialogue: Dialogue::default(),
            inbox: Inbox::new(config.carrier, config.checksums),
            exchange: Exchange::default(),
            outbox: VecDeque::new(),
            events: VecDeque::new(),
            connect: Some(Connect::new(config.comm_key, config.announce_sdk)),
            running: None,
            waiting: VecDeque::new(),
            next_ticket: 0,
            heard_at: now,
            strays: 0,
            ending: None,
        };
        client.advance(now);
        client
    }

    /// Asks something. The answer comes as [`ClientEvent::Done`] with the ticket.
    ///
    /// # Errors
    ///
    /// [`SubmitError`] if the conversation is over, or too much waits.
    pub fn submit(&mut self, request: Request, now: Duration) -> Result<Ticket, SubmitError> {
        if let Some(ending) = self.ending {
            return Err(ending.into());
        }
        if self.waiting.len() >= Self::QUEUE_MAX {
            return Err(SubmitError::Full { waiting: self.waiting.len() });
        }
        let ticket = self.ticket();
        self.waiting.push_back((ticket, request));
        self.advance(now);
        Ok(ticket)
    }

    fn ticket(&mut self) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket = self.next_ticket.saturating_add(1);
        ticket
    }

    /// Acknowledges an event, now that losing it is no longer possible. A terminal may tell it again if nobody does.
    pub fn stored(&mut self, happening: Happening) {
        let _told = happening;
        let packet = Packet::new(Command::ACK_OK, SessionField(self.dialogue.session()), ReplyNumber::EVENT, &[]);
        let mut bytes = Vec::new();
        // Eight bytes are within every limit.
        if self.ending.is_none() && self.config.carrier.write(&packet, &mut bytes, &self.config.limits).is_ok() {
            self.outbox.push_back(bytes);
        }
    }

    /// Takes what arrived: any piece of a stream, or one whole datagram.
    pub fn handle_input(&mut self, bytes: &[u8], now: Duration) {
        if self.ending.is_some() {
            return;
        }
        let stream = self.inbox.take(bytes);
        let mut used = 0;
        loop {
            match self.inbox.next(&stream, &mut used, &self.config.limits) {
                Ok(Some(packet)) => self.take(&packet, now),
                Ok(None) => break,
                Err(error) => {
                    self.end(Ending::Frame(error));
                    break;
                }
            }
            if self.ending.is_some() {
                break;
            }
        }
        self.inbox.put_back(stream, used);
    }

    /// The stream is closed, or can no longer be used.
    pub fn handle_closed(&mut self, now: Duration) {
        if let Some(running) = self.running.as_mut().filter(|_| self.exchange.is_silence()) {
            let error = self.exchange.unanswered();
            running.work.missed(error);
            self.exchange.over();
            self.advance(now);
        }
        self.end(Ending::Closed);
    }

    /// Looks at the clock: something may have to be asked again, or given up.
    pub fn handle_timeout(&mut self, now: Duration) {
        if self.ending.is_some() {
            return;
        }
        match self.exchange.late(&self.config, now) {
            Late::NotYet => {}
            Late::Again(bytes) => self.outbox.push_back(bytes),
            Late::GiveUp(error) => {
                self.exchange.over();
                let missed = match (&mut self.connect, &mut self.running) {
                    (Some(connect), _) => connect.missed(),
                    (None, Some(running)) => {
                        running.work.missed(error);
                        Ok(())
                    }
                    (None, None) => Ok(()),
                };
                match missed {
                    Ok(()) => self.advance(now),
                    Err(ending) => self.end(ending),
                }
            }
        }
        self.probe(now);
    }

    /// Asks for the state if nothing was heard for long.
    fn probe(&mut self, now: Duration) {
        let due = self.probe_at().is_some_and(|at| now >= at);
        if due && self.running.is_none() && self.ending.is_none() {
            let ticket = self.ticket();
            self.run(ticket, Request::State, true);
            self.advance(now);
        }
    }

    fn probe_at(&self) -> Option<Duration> {
        let idle = self.running.is_none() && self.connect.is_none() && self.waiting.is_empty();
        self.config.timing.probe.filter(|_| idle).map(|after| self.heard_at.saturating_add(after))
    }

    /// When [`Client::handle_timeout`] has to be called at the latest. `None`: nothing is waited for.
    pub fn poll_timeout(&self) -> Option<Duration> {
        if self.ending.is_some() { None } else { self.exchange.deadline().or_else(|| self.probe_at()) }
    }

    /// Appends the next frame or datagram to be sent; `false` if there is none. Of datagrams, each is to be sent alone.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>) -> bool {
        let bytes = self.outbox.pop_front();
        bytes.map(|bytes| out.extend_from_slice(&bytes)).is_some()
    }

    /// What there is to tell, the oldest first.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    /// Whether a session is open.
    pub fn is_open(&self) -> bool {
        self.dialogue.phase() == Phase::Open && self.connect.is_none()
    }

    /// Whether and why the conversation is over.
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// What was wrong and cost nothing.
    pub fn anomalies(&self) -> Anomalies {
        Anomalies { damaged: self.inbox.damaged, strays: self.strays }
    }

    fn take(&mut self, packet: &Packet<'_>, now: Duration) {
        self.heard_at = now;
        match self.dialogue.terminal_says(packet) {
            Heard::Event(code) => {
                let body = packet.data.to_vec();
                self.events.push_back(ClientEvent::Happened(Happening { code, body }));
            }
            Heard::Answer { to } if self.exchange.waits_for(to) => self.answer(packet, now),
            Heard::Answer { .. } | Heard::Stray => self.strays = self.strays.saturating_add(1),
        }
    }

    fn answer(&mut self, packet: &Packet<'_>, now: Duration) {
        self.exchange.heard(&self.config, now);
        let (phase, session) = (self.dialogue.phase(), self.dialogue.session());
        let heard = match (&mut self.connect, &mut self.running) {
            (Some(connect), _) => match connect.hear(packet, phase) {
                Ok(()) => Hear::Next,
                Err(ending) => return self.end(ending),
            },
            (None, Some(running)) if phase == Phase::Closed && running.request != Request::Exit => {
                return self.connect_again(now);
            }
            (None, Some(running)) => running.work.hear(packet, session),
            (None, None) => Hear::Next,
        };
        if heard == Hear::Next {
            self.exchange.over();
            self.advance(now);
        }
    }

    /// The terminal has forgotten the session: opens another and asks the same once more.
    fn connect_again(&mut self, now: Duration) {
        self.exchange.over();
        self.connect = Some(Connect::new(self.config.comm_key, self.config.announce_sdk));
        if let Some(running) = &mut self.running {
            if running.begun_again {
                let error = RequestError::SessionLost { command: self.dialogue.asked().unwrap_or(Command::CONNECT) };
                let (ticket, is_probe) = (running.ticket, running.is_probe);
                self.running = None;
                self.tell(ticket, is_probe, Err(error));
            } else {
                running.begun_again = true;
                running.work = Work::of(&running.request, &self.config);
            }
        }
        self.advance(now);
    }

    fn run(&mut self, ticket: Ticket, request: Request, is_probe: bool) {
        let work = Work::of(&request, &self.config);
        self.running = Some(Running { is_probe, ticket, request, work, begun_again: false });
    }

    fn tell(&mut self, ticket: Ticket, is_probe: bool, result: Result<Answer, RequestError>) {
        if !is_probe {
            self.events.push_back(ClientEvent::Done { ticket, result });
        } else if let Err(error) = result
            && error.may_have_happened()
        {
            self.end(Ending::Unreachable);
        }
    }

    /// Asks the next question, if none is open.
    fn advance(&mut self, now: Duration) {
        while self.ending.is_none() && !self.exchange.is_open() {
            if let Some(connect) = &self.connect {
                match connect.ask(self.dialogue.session()) {
                    Some((command, data)) => self.send(command, &data, now),
                    None => {
                        self.connect = None;
                        self.events.push_back(ClientEvent::Connected { session: self.dialogue.session() });
                    }
                }
                continue;
            }
            let Some(running) = &mut self.running else {
                let Some((ticket, request)) = self.waiting.pop_front() else { return };
                self.run(ticket, request, false);
                continue;
            };
            match running.work.ask(self.dialogue.session()) {
                Ask::Send(command, data) => {
                    if let Some((got, total)) = running.work.progress().filter(|(got, _)| *got > 0) {
                        let ticket = running.ticket;
                        self.events.push_back(ClientEvent::Progress { ticket, got, total });
                    }
                    self.send(command, &data, now);
                }
                Ask::Done(result) => {
                    let (ticket, is_probe) = (running.ticket, running.is_probe);
                    let left = running.request == Request::Exit;
                    self.running = None;
                    self.tell(ticket, is_probe, result);
                    if left {
                        self.end(Ending::Left);
                    }
                }
            }
        }
    }

    fn send(&mut self, command: Command, data: &[u8], now: Duration) {
        let reply = if command == Command::CONNECT { ReplyNumber(0) } else { self.exchange.reply().next() };
        let session = if command == Command::CONNECT { 0 } else { self.dialogue.session() };
        let packet = Packet::new(command, SessionField(session), reply, data);
        let mut bytes = Vec::new();
        let refused = match self.config.carrier.write(&packet, &mut bytes, &self.config.limits) {
            Err(error) => Some(RequestError::Write(error)),
            Ok(()) => match self.dialogue.client_says(&packet) {
                Ok(_) => None,
                Err(_) => Some(RequestError::Refused { command, code: Command::ACK_ERROR_COMMAND }),
            },
        };
        if let Some(error) = refused {
            match &mut self.running {
                Some(running) if self.connect.is_none() => running.work.missed(error),
                // Limits without room for a greeting.
                _ => return self.end(Ending::Unreachable),
            };
            return;
        }
        self.exchange.begin(&self.config, command, reply, bytes.clone(), now);
        self.outbox.push_back(bytes);
    }

    fn end(&mut self, ending: Ending) {
        if self.ending.is_some() {
            return;
        }
        self.ending = Some(ending);
        let current = self.running.take().map(|running| (running.ticket, running.request, running.is_probe));
        let waiting = self.waiting.drain(..).map(|(ticket, request)| (ticket, request, false));
        let unanswered: Vec<_> = current.into_iter().chain(waiting).collect();
        let mut sent = self.exchange.is_open() && self.connect.is_none();
        for (ticket, request, is_probe) in unanswered {
            let command = request.packets().first().map_or(Command::READ_BUFFER, |(command, _)| *command);
            let result = Err(RequestError::Ended { command, sent, ending });
            sent = false;
            if !is_probe {
                self.events.push_back(ClientEvent::Done { ticket, result });
            }
        }
        self.exchange.over();
        self.events.push_back(ClientEvent::Ended(ending));
    }
}
