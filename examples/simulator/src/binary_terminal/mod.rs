//! A terminal on port 4370: drives the protocol's own terminal role over TCP and UDP.

mod datagrams;
mod segments;

use core::fmt;
use core::time::Duration;
use std::io;
use std::net::SocketAddr;

use punch_protocol::tcp::{AttendanceRecord, Carrier, EncodedTime, Person, Terminal, TerminalEvent};
use punch_protocol::{Status, Verify};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::time::Instant;

pub use datagrams::Mishaps;
pub use segments::Segments;

use crate::world::Dice;
use datagrams::Datagrams;

/// Somebody who punches, when the terminal's clock says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passer {
    /// PIN.
    pub pin: u32,
    /// In or out.
    pub state: Status,
    /// How the person was verified.
    pub verify: Verify,
}

/// Where a terminal is reached: both carriers on one port, or one of them.
#[derive(Debug)]
pub struct Sockets {
    tcp: Option<TcpListener>,
    udp: UdpSocket,
}

impl Sockets {
    /// Listens at `addr`, on TCP and UDP or on UDP alone. With port 0 both get the same free port.
    ///
    /// # Errors
    ///
    /// The address cannot be used.
    pub async fn bind(addr: SocketAddr, udp_only: bool) -> io::Result<Self> {
        if udp_only {
            return Ok(Self { tcp: None, udp: UdpSocket::bind(addr).await? });
        }
        let mut tries = 0;
        loop {
            let tcp = TcpListener::bind(addr).await?;
            match UdpSocket::bind(tcp.local_addr()?).await {
                Ok(udp) => return Ok(Self { tcp: Some(tcp), udp }),
                // A port that is free for TCP may be taken for UDP.
                Err(_) if addr.port() == 0 && tries < 16 => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// The address of TCP, if it is served.
    pub fn tcp_addr(&self) -> Option<SocketAddr> {
        self.tcp.as_ref().and_then(|tcp| tcp.local_addr().ok())
    }

    /// The address of UDP.
    ///
    /// # Errors
    ///
    /// The socket has none.
    pub fn udp_addr(&self) -> io::Result<SocketAddr> {
        self.udp.local_addr()
    }
}

/// A terminal with its line. It serves one client at a time; the next one waits.
pub struct BinaryTerminal {
    terminal: Terminal,
    segments: Segments,
    mishaps: Mishaps,
    dice: Dice,
    start: Instant,
    on_event: Box<dyn FnMut(&TerminalEvent) + Send>,
}

impl BinaryTerminal {
    /// Plays `terminal`, whose clock is set to the time now (UTC).
    pub fn new(mut terminal: Terminal, seed: u64) -> Self {
        terminal.set_clock(gateway::clock::now().naive_utc(), Duration::ZERO);
        Self {
            terminal,
            segments: Segments::Frame,
            mishaps: Mishaps::default(),
            dice: Dice::new(seed),
            start: Instant::now(),
            on_event: Box::new(|_| {}),
        }
    }

    /// How the bytes of a connection are cut.
    #[must_use]
    pub fn with_segments(mut self, segments: Segments) -> Self {
        self.segments = segments;
        self
    }

    /// What happens to datagrams.
    #[must_use]
    pub fn with_mishaps(mut self, mishaps: Mishaps) -> Self {
        self.mishaps = mishaps;
        self
    }

    /// Who is told what happens.
    #[must_use]
    pub fn on_event(mut self, on_event: impl FnMut(&TerminalEvent) + Send + 'static) -> Self {
        self.on_event = Box::new(on_event);
        self
    }

    /// Serves until it is dropped. People punch as they come out of `passers`.
    ///
    /// # Errors
    ///
    /// A socket fails for good.
    pub async fn serve(mut self, sockets: Sockets, mut passers: mpsc::Receiver<Passer>) -> io::Result<()> {
        let mut datagrams = Datagrams::new(&sockets.udp, self.mishaps, self.dice.roll());
        self.terminal.handle_connected(Carrier::Udp, self.now());
        loop {
            tokio::select! {
                accepted = accept(sockets.tcp.as_ref()) => {
                    let (stream, _) = accepted?;
                    // A client that breaks off is no failure of the terminal.
                    if let Err(error) = self.converse(stream, &mut passers).await {
                        tracing::debug!("connection: {error}");
                    }
                    self.terminal.handle_connected(Carrier::Udp, self.now());
                }
                received = datagrams.receive() => {
                    for datagram in received? {
                        self.terminal.handle_input(&datagram, self.now());
                    }
                    self.answer_by(&mut datagrams);
                }
                Some(passer) = passers.recv() => {
                    self.pass(passer);
                    self.answer_by(&mut datagrams);
                }
                () = sleep_until(self.timeout()) => self.terminal.handle_timeout(self.now()),
            }
        }
    }

    /// Queues every datagram that the terminal has to send.
    fn answer_by(&mut self, datagrams: &mut Datagrams<'_>) {
        let mut datagram = Vec::new();
        while self.terminal.poll_transmit(&mut datagram) {
            datagrams.send(core::mem::take(&mut datagram));
        }
        if self.report() {
            // It went down and is up again, without a session.
            self.terminal.handle_connected(Carrier::Udp, self.now());
        }
    }

    /// Serves one connection to its end.
    async fn converse(&mut self, mut stream: TcpStream, passers: &mut mpsc::Receiver<Passer>) -> io::Result<()> {
        stream.set_nodelay(true)?;
        self.terminal.handle_connected(Carrier::Tcp, self.now());
        let mut received = vec![0; 64 << 10];
        loop {
            self.segments.send(&mut self.terminal, &mut stream, &mut self.dice).await?;
            if self.report() {
                return Ok(());
            }
            tokio::select! {
                count = stream.read(&mut received) => match count? {
                    0 => return Ok(()),
                    count => self.terminal.handle_input(received.get(..count).unwrap_or_default(), self.now()),
                },
                Some(passer) = passers.recv() => self.pass(passer),
                () = sleep_until(self.timeout()) => self.terminal.handle_timeout(self.now()),
            }
        }
    }

    fn pass(&mut self, passer: Passer) {
        let time = EncodedTime::of(self.terminal.clock(self.now())).unwrap_or(EncodedTime(0));
        let record = AttendanceRecord::new(Person::Number(passer.pin), time, passer.state, passer.verify);
        if let Err(error) = self.terminal.submit(&record) {
            tracing::warn!("a punch was not kept: {error}");
        }
    }

    /// Tells what happened; `true` if the connection is over.
    fn report(&mut self) -> bool {
        let mut closed = false;
        while let Some(event) = self.terminal.poll_event() {
            closed |= matches!(event, TerminalEvent::Closed(_));
            (self.on_event)(&event);
        }
        closed
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn timeout(&self) -> Option<Instant> {
        self.terminal.poll_timeout().map(|at| self.start + at)
    }
}

impl fmt::Debug for BinaryTerminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BinaryTerminal").field("terminal", &self.terminal).finish_non_exhaustive()
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => core::future::pending().await,
    }
}

/// For ever, without a time.
async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => core::future::pending().await,
    }
}
