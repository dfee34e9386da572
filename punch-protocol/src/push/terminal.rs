use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::server_options::ServerAnswer;
use crate::civil::Written;
use crate::{RawPunch, SerialNumber, Status, Verify};

/// The terminal's side of the conversation: shakes hands, uploads what it has, polls, and keeps every row
/// until the server has said `OK`.
///
/// ```
/// use punch_protocol::SerialNumber;
/// use punch_protocol::push::Terminal;
///
/// let now = chrono::DateTime::from_timestamp(1_774_684_033, 0).expect("in range");
/// let mut terminal = Terminal::new(SerialNumber::parse("SIM1")?);
/// let request = terminal.poll_request(now).expect("a fresh terminal shakes hands");
/// assert!(request.target.starts_with("/iclock/cdata?SN=SIM1&options=all"));
/// terminal.handle_answer(200, b"GET OPTION FROM: SIM1\nDelay=10\n", now);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Terminal {
    serial: SerialNumber,
    memory: VecDeque<Vec<u8>>,
    state: State,
    in_flight: Option<InFlight>,
    next_at: Option<DateTime<Utc>>,
    delay: TimeDelta,
    error_delay: TimeDelta,
    batch: usize,
    acknowledged: u64,
    refused: u64,
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal")
            .field("serial", &self.serial)
            .field("state", &self.state)
            .field("in_flight", &self.in_flight)
            .field("pending", &self.memory.len())
            .field("next_at", &self.next_at)
            .finish_non_exhaustive()
    }
}

/// One HTTP request a terminal wants sent.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TerminalRequest {
    /// `GET` without a body, `POST` with one.
    pub method: &'static str,
    /// Path and query.
    pub target: String,
    /// The body; empty for `GET`.
    pub body: Vec<u8>,
}

impl fmt::Debug for TerminalRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method, self.target, self.body.len())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Disconnected,
    Connected,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InFlight {
    Handshake,
    Upload { rows: usize },
    Poll,
}

impl Terminal {
    /// Rows in one upload, as field units batch them.
    pub const BATCH_DEFAULT: usize = 100;

    /// A terminal with an empty memory.
    pub fn new(serial: SerialNumber) -> Self {
        Self {
            serial,
            memory: VecDeque::new(),
            state: State::Disconnected,
            in_flight: None,
            next_at: None,
            delay: TimeDelta::seconds(30),
            error_delay: TimeDelta::seconds(10),
            batch: Self::BATCH_DEFAULT,
            acknowledged: 0,
            refused: 0,
        }
    }

    /// Sets how many rows one upload carries, at least 1.
    #[must_use]
    pub fn with_batch(mut self, rows: usize) -> Self {
        self.batch = rows.max(1);
        self
    }

    /// A person punches: the row goes into memory and is sent as soon as the connection allows.
    pub fn punch(&mut self, punch: &RawPunch) {
        self.remember(encode_row(punch));
    }

    /// Puts a row into memory exactly as it stands, without a line end. For replaying captures.
    pub fn remember(&mut self, row: Vec<u8>) {
        self.memory.push_back(row);
        if self.state == State::Connected {
            self.next_at = None;
        }
    }

    /// The next request, if it is time for one and none is on its way.
    pub fn poll_request(&mut self, now: DateTime<Utc>) -> Option<TerminalRequest> {
        if self.in_flight.is_some() || self.next_at.is_some_and(|at| now < at) {
            return None;
        }
        let serial = &self.serial;
        let (in_flight, request) = match self.state {
            State::Disconnected => {
                let target = format!("/iclock/cdata?SN={serial}&options=all&pushver=2.4.1&DeviceType=att&language=69");
                (InFlight::Handshake, TerminalRequest { method: "GET", target, body: Vec::new() })
            }
            State::Connected if self.memory.is_empty() => {
                let target = format!("/iclock/getrequest?SN={serial}");
                (InFlight::Poll, TerminalRequest { method: "GET", target, body: Vec::new() })
            }
            State::Connected => {
                let rows = self.memory.len().min(self.batch);
                let target = format!("/iclock/cdata?SN={serial}&table=ATTLOG&Stamp=9999");
                let lines = self.memory.iter().take(rows);
                let body = lines.flat_map(|row| row.iter().copied().chain([b'\n'])).collect();
                (InFlight::Upload { rows }, TerminalRequest { method: "POST", target, body })
            }
        };
        self.in_flight = Some(in_flight);
        Some(request)
    }

    /// Takes the answer to the request on its way.
    pub fn handle_answer(&mut self, status: u16, body: &[u8], now: DateTime<Utc>) {
        let Some(in_flight) = self.in_flight.take() else { return };
        let answer = ServerAnswer::of(status, body);
        self.next_at = match (in_flight, &answer) {
            (InFlight::Upload { .. } | InFlight::Poll, ServerAnswer::UnknownDevice) => {
                self.state = State::Disconnected;
                None
            }
            (InFlight::Handshake, ServerAnswer::Options(options)) => {
                self.state = State::Connected;
                self.delay = seconds(options.value("Delay")).unwrap_or(self.delay);
                self.error_delay = seconds(options.value("ErrorDelay")).unwrap_or(self.error_delay);
                None
            }
            (InFlight::Upload { rows }, ServerAnswer::Accepted { .. }) => {
                self.memory.drain(..rows.min(self.memory.len()));
                self.acknowledged = self.acknowledged.saturating_add(u64::try_from(rows).unwrap_or(u64::MAX));
                None
            }
            (InFlight::Poll, ServerAnswer::Accepted { .. }) if !self.memory.is_empty() => None,
            (InFlight::Poll, ServerAnswer::Accepted { .. }) => now.checked_add_signed(self.delay),
            (in_flight, _) => {
                self.refused = self.refused.saturating_add(u64::from(in_flight != InFlight::Poll));
                now.checked_add_signed(self.error_delay)
            }
        };
    }

    /// No answer came. The rows stay in memory; some of them may have arrived.
    pub fn handle_failure(&mut self, now: DateTime<Utc>) {
        self.handle_answer(0, b"", now);
    }

    /// When [`Terminal::poll_request`] will next give something; `None` means now, unless an answer is awaited.
    pub fn poll_timeout(&self) -> Option<DateTime<Utc>> {
        self.next_at
    }

    /// Overrides the wait after a failure, which the handshake sets too. For tests that cannot wait.
    pub fn set_error_delay(&mut self, delay: TimeDelta) {
        self.error_delay = delay;
    }

    /// Rows the server has not acknowledged.
    pub fn pending(&self) -> usize {
        self.memory.len()
    }

    /// Rows acknowledged, and requests refused, so far.
    pub fn counts(&self) -> (u64, u64) {
        (self.acknowledged, self.refused)
    }
}

/// Writes a row as current firmware does: ten TAB-separated fields. No terminal has a key for TAB or a line
/// end, so a PIN or work code with one in it loses it here instead of becoming two rows.
fn encode_row(punch: &RawPunch) -> Vec<u8> {
    let Status(status) = punch.status.unwrap_or(Status::NONE);
    let Verify(verify) = punch.verify.unwrap_or(Verify::FINGERPRINT);
    let work_code = punch.work_code.as_deref().unwrap_or("0").replace(['\t', '\n', '\r'], "");
    let tail = format!("\t{}\t{status}\t{verify}\t{work_code}\t0\t0\t0\t0\t0", Written(punch.time));
    let separates = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r');
    let mut row: Vec<u8> = punch.pin.as_bytes().iter().copied().filter(|byte| !separates(byte)).collect();
    row.extend_from_slice(tail.as_bytes());
    row
}

fn seconds(value: Option<&str>) -> Option<TimeDelta> {
    value?.trim().parse::<u32>().ok().and_then(|seconds| TimeDelta::try_seconds(seconds.into()))
}
