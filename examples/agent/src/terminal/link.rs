use core::fmt;
use core::time::Duration;
use std::collections::VecDeque;
use std::io;
use std::time::Instant;

use punch_protocol::tcp::{
    Answer, Carrier, Client, ClientConfig, ClientEvent, Ending, Happening, Limits, Request, RequestError, Ticket,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

/// Where a terminal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Name or number of the host.
    pub host: String,
    /// The port; 4370 unless somebody changed it in the terminal's menu.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Why a terminal cannot be talked to.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The network.
    #[error("{address}: {source}; check the address, and that nothing between blocks port {}", address.port)]
    Network {
        /// The terminal.
        address: Address,
        /// What the system said.
        source: io::Error,
    },
    /// The conversation is over.
    #[error("{address}: {ending}")]
    Ended {
        /// The terminal.
        address: Address,
        /// Why.
        ending: Ending,
    },
    /// One question has no answer.
    #[error("{address}: {source}")]
    Request {
        /// The terminal.
        address: Address,
        /// Why.
        source: RequestError,
    },
}

impl LinkError {
    /// Whether the same may work later without anybody doing something.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Network { .. } => true,
            Self::Ended { ending, .. } => ending.is_retryable(),
            Self::Request { source, .. } => source.is_retryable(),
        }
    }

    /// Why the conversation ended, if it did.
    pub fn ending(&self) -> Option<Ending> {
        match self {
            Self::Ended { ending, .. } | Self::Request { source: RequestError::Ended { ending, .. }, .. } => {
                Some(*ending)
            }
            Self::Network { .. } | Self::Request { .. } => None,
        }
    }
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpStream),
    Udp(UdpSocket),
}

/// A conversation with a terminal, on a socket.
#[derive(Debug)]
pub struct Link {
    address: Address,
    limits: Limits,
    client: Client,
    socket: Socket,
    begun: Instant,
    happened: VecDeque<Happening>,
    received: Vec<u8>,
    /// What is to be sent and was not: a wait that is given up must not tear a packet.
    unsent: Vec<u8>,
}

#[expect(clippy::disallowed_methods, reason = "a shell: it has a clock")]
fn instant() -> Instant {
    Instant::now()
}

impl Link {
    /// Bytes of a dataset that a program on a server takes: 64 MiB, more than a million records.
    pub const DATASET_MAX: usize = 64 << 20;
    /// Bytes that are read at once.
    const READ: usize = 64 << 10;

    /// How to talk to a terminal, if nobody says otherwise.
    pub fn config(carrier: Carrier) -> ClientConfig {
        let limits = Limits { dataset: Self::DATASET_MAX, ..Limits::default() };
        ClientConfig { limits, ..ClientConfig::new(carrier) }
    }

    /// Opens a session, proving the comm key if the terminal asks for one.
    ///
    /// # Errors
    ///
    /// [`LinkError`] says whether the network, the terminal or the key is at fault.
    pub async fn open(address: Address, config: ClientConfig) -> Result<Self, LinkError> {
        let opened = tokio::time::timeout(config.timing.patience, connect(&address, config.carrier)).await;
        let opened = opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let socket = opened.map_err(|source| LinkError::Network { address: address.clone(), source })?;
        let client = Client::new(config, Duration::ZERO);
        let (happened, received) = (VecDeque::new(), vec![0; Self::READ]);
        let mut link = Self {
            address,
            limits: config.limits,
            client,
            socket,
            begun: instant(),
            happened,
            received,
            unsent: Vec::new(),
        };
        loop {
            match link.next().await? {
                ClientEvent::Connected { session } => {
                    tracing::debug!(address = %link.address, session, "a session is open");
                    return Ok(link);
                }
                ClientEvent::Happened(happening) => link.happened.push_back(happening),
                _ => {}
            }
        }
    }

    /// The terminal.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// How much the terminal may send.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// What was wrong and cost nothing.
    pub fn anomalies(&self) -> punch_protocol::tcp::Anomalies {
        self.client.anomalies()
    }

    /// Asks, and waits for the answer. `progress` is told bytes that are there and bytes in all.
    ///
    /// # Errors
    ///
    /// [`LinkError`] if there is none.
    pub async fn ask_with(
        &mut self,
        request: Request,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Answer, LinkError> {
        let ticket = self.submit(request)?;
        loop {
            match self.next().await? {
                ClientEvent::Done { ticket: told, result } if told == ticket => {
                    let address = &self.address;
                    return result.map_err(|source| LinkError::Request { address: address.clone(), source });
                }
                ClientEvent::Progress { ticket: told, got, total } if told == ticket => progress(got, total),
                ClientEvent::Happened(happening) => self.happened.push_back(happening),
                _ => {}
            }
        }
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    ///
    /// [`LinkError`] if there is none.
    pub async fn ask(&mut self, request: Request) -> Result<Answer, LinkError> {
        self.ask_with(request, |_, _| {}).await
    }

    fn submit(&mut self, request: Request) -> Result<Ticket, LinkError> {
        let now = self.begun.elapsed();
        self.client.submit(request, now).map_err(|error| {
            let ending = match error {
                punch_protocol::tcp::SubmitError::Ended(ending) => ending,
                _ => Ending::Closed,
            };
            LinkError::Ended { address: self.address.clone(), ending }
        })
    }

    /// Waits until something happens at the terminal. It wants [`Link::stored`].
    ///
    /// Dropping the future before it is ready loses nothing.
    ///
    /// # Errors
    ///
    /// [`LinkError`] if the conversation ends.
    pub async fn happening(&mut self) -> Result<Happening, LinkError> {
        loop {
            if let Some(happening) = self.happened.pop_front() {
                return Ok(happening);
            }
            if let ClientEvent::Happened(happening) = self.next().await? {
                return Ok(happening);
            }
        }
    }

    /// Acknowledges an event, which is safe now.
    ///
    /// # Errors
    ///
    /// [`LinkError`] if the conversation has ended; then the terminal does not know.
    pub async fn stored(&mut self, happening: Happening) -> Result<(), LinkError> {
        self.client.stored(happening);
        self.flush().await
    }

    /// Takes leave. A terminal that does not say goodbye is no error.
    pub async fn close(mut self) {
        drop(self.ask(Request::Exit).await);
    }

    /// The next thing the client tells.
    async fn next(&mut self) -> Result<ClientEvent, LinkError> {
        loop {
            self.flush().await?;
            match self.client.poll_event() {
                Some(ClientEvent::Ended(ending)) => {
                    return Err(LinkError::Ended { address: self.address.clone(), ending });
                }
                Some(event) => return Ok(event),
                None => self.wait().await,
            }
        }
    }

    async fn flush(&mut self) -> Result<(), LinkError> {
        while !self.unsent.is_empty() || self.client.poll_transmit(&mut self.unsent) {
            let sent = match &mut self.socket {
                Socket::Tcp(stream) => stream.write(&self.unsent).await,
                Socket::Udp(socket) => socket.send(&self.unsent).await,
            };
            match (sent, &self.socket) {
                (Ok(len), _) => drop(self.unsent.drain(..len.min(self.unsent.len()))),
                // A terminal that is not there now may be there when the same is sent again.
                (Err(error), Socket::Udp(_)) => {
                    tracing::debug!(address = %self.address, %error, "not sent");
                    self.unsent.clear();
                }
                (Err(error), Socket::Tcp(_)) => {
                    tracing::debug!(address = %self.address, %error, "the connection broke");
                    self.unsent.clear();
                    self.client.handle_closed(self.begun.elapsed());
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Waits for bytes or for the time the client waits for.
    async fn wait(&mut self) {
        let due = self.client.poll_timeout().map(|at| at.saturating_sub(self.begun.elapsed()));
        let read = async {
            match &mut self.socket {
                Socket::Tcp(stream) => stream.read(&mut self.received).await,
                Socket::Udp(socket) => socket.recv(&mut self.received).await,
            }
        };
        let received = match due {
            Some(due) => tokio::time::timeout(due, read).await.ok(),
            None => Some(read.await),
        };
        let now = self.begun.elapsed();
        let is_stream = matches!(self.socket, Socket::Tcp(_));
        match received {
            None => self.client.handle_timeout(now),
            Some(Ok(0)) if is_stream => self.client.handle_closed(now),
            Some(Ok(len)) => self.client.handle_input(self.received.get(..len).unwrap_or_default(), now),
            Some(Err(_)) if is_stream => self.client.handle_closed(now),
            // The host says that nobody listens on the port. It goes on until the attempts are used up.
            Some(Err(_)) => {
                let pause = self.client.poll_timeout().map_or(Duration::ZERO, |at| at.saturating_sub(now));
                tokio::time::sleep(pause).await;
                self.client.handle_timeout(self.begun.elapsed());
            }
        }
    }
}

async fn connect(address: &Address, carrier: Carrier) -> io::Result<Socket> {
    let host = (address.host.as_str(), address.port);
    match carrier {
        Carrier::Tcp => {
            let stream = TcpStream::connect(host).await?;
            stream.set_nodelay(true)?;
            Ok(Socket::Tcp(stream))
        }
        Carrier::Udp => {
            let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
            for remote in tokio::net::lookup_host(host).await? {
                let local = if remote.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(local).await?;
                match socket.connect(remote).await {
                    Ok(()) => return Ok(Socket::Udp(socket)),
                    Err(error) => failed = error,
                }
            }
            Err(failed)
        }
    }
}
