//! The terminal's role on port 4370, without a socket.

mod answer;
mod bulk;
mod clock;
mod event;
mod live;
mod memory;
mod outbox;
mod people;
mod profile;
mod session;
mod settings;
mod table;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use chrono::NaiveDateTime;

pub use event::{Closing, TerminalEvent};
pub use memory::TerminalMemory;
pub use profile::{FinalAck, TerminalProfile};

use self::clock::Clock;
use self::live::Listening;
use self::outbox::Outbox;
use self::settings::Keypad;
use super::carrier::{Carrier, ChecksumPolicy, Inbox};
use super::dialogue::Dialogue;
use super::limits::Limits;
use super::packet::ReplyNumber;
use crate::SerialNumber;

/// The terminal's side of port 4370: it answers what a client asks, and tells what happens.
///
/// It holds one session, as terminals do. Whoever connects next, over either carrier, takes it over.
///
/// ```
/// use core::time::Duration;
/// use punch_protocol::SerialNumber;
/// use punch_protocol::tcp::{Carrier, Command, Frame, Framed, Limits, Packet, ReplyNumber, SessionField};
/// use punch_protocol::tcp::{Terminal, TerminalProfile};
///
/// let mut terminal = Terminal::new(&SerialNumber::parse("SIM1")?, TerminalProfile::default());
/// terminal.handle_connected(Carrier::Tcp, Duration::ZERO);
///
/// let mut request = Vec::new();
/// let connect = Packet::new(Command::CONNECT, SessionField(0), ReplyNumber(0), b"");
/// Frame::new(connect).write(&mut request, &Limits::default())?;
/// terminal.handle_input(&request, Duration::ZERO);
///
/// let mut answer = Vec::new();
/// assert!(terminal.poll_transmit(&mut answer));
/// let Framed::Complete { frame, .. } = Frame::parse(&answer, &Limits::default())? else { panic!() };
/// assert_eq!(frame.packet.command, Command::ACK_OK);
/// assert_ne!(frame.packet.session, SessionField(0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Terminal {
    memory: TerminalMemory,
    limits: Limits,
    clock: Clock,
    keypad: Keypad,
    door_open_until: Option<Duration>,

    carrier: Carrier,
    dialogue: Dialogue,
    inbox: Inbox,
    outbox: Outbox,
    events: VecDeque<TerminalEvent>,
    listening: Listening,
    /// The dataset that a client had prepared.
    buffer: Option<Arc<Vec<u8>>>,
    session: u16,
    /// The request that opened the session, if nothing else was asked since.
    opened_by: Option<ReplyNumber>,
    wrong_keys: u32,
    closed: bool,
}

impl Terminal {
    /// Events that wait to be polled at most; later ones are dropped.
    pub const EVENTS_MAX: usize = 1024;
    /// Answers that wait to be transmitted at most. A client that asks on without taking them is closed.
    pub const ANSWERS_MAX: usize = Outbox::ANSWERS_MAX;
    /// Wrong comm keys after which a session takes no other.
    pub const KEYS_MAX: u32 = 5;

    /// An empty terminal whose clock nobody has set.
    pub fn new(serial: &SerialNumber, profile: TerminalProfile) -> Self {
        Self {
            memory: TerminalMemory::new(serial, profile),
            limits: Limits::default(),
            clock: Clock::default(),
            keypad: Keypad::On,
            door_open_until: None,
            carrier: Carrier::Tcp,
            dialogue: Dialogue::default(),
            inbox: Inbox::new(Carrier::Tcp, ChecksumPolicy::Reject),
            outbox: Outbox::default(),
            events: VecDeque::new(),
            listening: Listening::default(),
            buffer: None,
            session: 0,
            opened_by: None,
            wrong_keys: 0,
            closed: false,
        }
    }

    /// Takes other limits than the default ones.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What it keeps.
    pub fn memory(&self) -> &TerminalMemory {
        &self.memory
    }

    /// What it keeps, to be changed at the terminal. No client is told.
    pub fn memory_mut(&mut self) -> &mut TerminalMemory {
        &mut self.memory
    }

    /// How its firmware behaves.
    pub fn profile(&self) -> &TerminalProfile {
        &self.memory.profile
    }

    /// Sets the clock, which goes on with `now`.
    pub fn set_clock(&mut self, civil: NaiveDateTime, now: Duration) {
        self.clock.set(civil, now);
    }

    /// What the clock shows.
    pub fn clock(&self, now: Duration) -> NaiveDateTime {
        self.clock.shows(now)
    }

    /// A client's connection was accepted, or datagrams are listened to: a session of before is over.
    pub fn handle_connected(&mut self, carrier: Carrier, now: Duration) {
        self.carrier = carrier;
        self.inbox = Inbox::new(carrier, ChecksumPolicy::Reject);
        self.outbox.clear();
        self.dialogue = Dialogue::default();
        self.closed = false;
        self.forget_session();
        self.handle_timeout(now);
    }

    /// Bytes of the connection, cut anywhere, or one whole datagram.
    pub fn handle_input(&mut self, bytes: &[u8], now: Duration) {
        let stream = self.inbox.take(bytes);
        let mut used = 0;
        while !self.closed {
            match self.inbox.next(&stream, &mut used, &self.limits) {
                Ok(Some(packet)) => self.handle_packet(&packet, now),
                Ok(None) => break,
                Err(error) => self.close(Closing::Frame(error)),
            }
        }
        let used = if self.closed { stream.len() } else { used };
        self.inbox.put_back(stream, used);
    }

    /// The time of [`Terminal::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.door_open_until = self.door_open_until.filter(|until| *until > now);
        if self.keypad.is_back_at().is_some_and(|at| at <= now) {
            self.keypad = Keypad::On;
        }
    }

    /// Appends the next frame or datagram, one whole one; `false` if there is none.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>) -> bool {
        self.outbox.write_next(self.carrier, out, &self.limits)
    }

    /// What happened, oldest first.
    pub fn poll_event(&mut self) -> Option<TerminalEvent> {
        self.events.pop_front()
    }

    /// When [`Terminal::handle_timeout`] is due: a door closes, or the keypad comes back.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.door_open_until.into_iter().chain(self.keypad.is_back_at()).min()
    }

    /// Packets that were dropped because their checksum differs, or that are no packets, since the connection.
    pub fn damaged(&self) -> u64 {
        self.inbox.damaged
    }

    /// Whether people can use it: no client has switched the keypad off.
    pub fn is_enabled(&self) -> bool {
        self.keypad == Keypad::On
    }

    fn tell(&mut self, event: TerminalEvent) {
        if self.events.len() < Self::EVENTS_MAX {
            self.events.push_back(event);
        }
    }

    fn close(&mut self, why: Closing) {
        self.closed = true;
        self.tell(TerminalEvent::Closed(why));
    }
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal")
            .field("memory", &self.memory)
            .field("phase", &self.dialogue.phase())
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}
