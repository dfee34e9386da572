use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::background_check::BackgroundCheck;
use super::commands::{Batch, CommandId};
use super::errors::ParseError;
use super::stream::Finished;
use super::upload::{Ack, UploadHead};

/// An answer to a terminal. A shell writes it with the headers of [`Response::HEADERS`] and a `Date`.
///
/// `Debug` shows the status and the length: commands name people.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    status: u16,
    body: Bytes,
}

impl Response {
    /// Headers every answer carries. Firmware accepts acknowledgements and clock settings only under
    /// `text/plain`, and finds `Content-Length` only in this spelling.
    pub const HEADERS: [(&'static str, &'static str); 1] = [("Content-Type", "text/plain")];

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body, shared.
    pub fn into_body(self) -> Bytes {
        self.body
    }

    /// The answer to a request that could not be read. It has no `OK` in it.
    pub fn rejection(error: &ParseError) -> Self {
        Self { status: error.status(), body: Bytes::from_static(b"request refused\n") }
    }

    /// `503`: keep the rows and try again later. Also the answer to a serial nobody has approved.
    pub fn retry_later() -> Self {
        Self { status: 503, body: Bytes::from_static(b"not now, send it again\n") }
    }

    /// `404`: an endpoint nobody serves. Terminals log it and go on.
    pub(super) fn unserved() -> Self {
        Self { status: 404, body: Bytes::from_static(b"not served here\n") }
    }

    /// Nothing to do, or nothing but "I am here". Two bytes: a newline would be taken for a bad command.
    pub(super) fn idle() -> Self {
        Self { status: 200, body: Bytes::from_static(b"OK") }
    }

    /// The server has forgotten the terminal: it shakes hands anew and keeps its rows. Firmware looks for capitals.
    pub(super) fn unknown_device() -> Self {
        Self { status: 200, body: Bytes::from_static(b"UNKNOWN DEVICE") }
    }

    /// Nobody here decides who passes a door: the terminal goes by its own rule for a server that is silent.
    pub(super) fn undecided(check: &BackgroundCheck<'_>) -> Self {
        match check.event_line() {
            Some(event) => Self { status: 200, body: [b"AUTH=TIMEOUT\r\n", event, b"\r\n"].concat().into() },
            None => Self::unserved(),
        }
    }

    /// No person of that PIN is known here.
    pub(super) fn nobody() -> Self {
        Self { status: 200, body: Bytes::from_static(b"NONE") }
    }

    /// `406`: the only way to refuse a registration.
    pub(super) fn registration_refused() -> Self {
        Self { status: 406, body: Bytes::from_static(b"registration refused\n") }
    }

    /// What a terminal asked to be told, in full.
    pub(super) fn text(body: String) -> Self {
        Self { status: 200, body: Bytes::from(body) }
    }

    fn acknowledgement(ack: &Ack) -> Self {
        Self { status: 200, body: Bytes::from(ack.to_string()) }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}, {} bytes)", self.status, self.body.len())
    }
}

/// An upload that was read but not yet acknowledged. Rows first, then [`Receipt::stored`].
///
/// It cannot be copied and answers once: the terminal deletes its rows when it reads the answer.
#[derive(Debug)]
#[must_use = "the terminal keeps sending these rows until the receipt is answered"]
pub struct Receipt(Ack);

impl Receipt {
    pub(super) fn new(ack: Ack) -> Self {
        Self(ack)
    }

    /// Every row is durable: the acknowledgement. The only function that makes one.
    pub fn stored(self) -> Response {
        Response::acknowledgement(&self.0)
    }

    /// The rows could not be made durable: `503`, and the terminal keeps them.
    pub fn refused(self) -> Response {
        Response::retry_later()
    }
}

/// An upload that may come in and whose rows are being read piece by piece.
///
/// It becomes a [`Receipt`] when the whole body is there; dropped before that, the terminal keeps its rows.
#[derive(Debug)]
#[must_use = "an upload that is read has to be answered"]
pub struct Reception(UploadHead);

impl Reception {
    pub(super) fn new(head: &UploadHead) -> Self {
        Self(head.clone())
    }

    /// The body has come to its end, with nothing missing.
    pub fn complete(self, finished: &Finished) -> Receipt {
        Receipt::new(self.0.ack(finished.lines))
    }
}

/// Commands that were taken for an answer but have not left. Write down that they are sent, then
/// [`Dispatch::recorded`].
///
/// A command that must not be repeated is lost rather than doubled this way: after a crash in between, the record says
/// that it may have been executed.
///
/// `Debug` shows the ids.
#[must_use = "the commands count as sent; give them back with `Session::withhold` if they are not"]
pub struct Dispatch {
    commands: Vec<CommandId>,
    body: Bytes,
}

impl Dispatch {
    pub(super) fn new(batch: Batch) -> Self {
        Self { commands: batch.ids, body: Bytes::from(batch.body) }
    }

    /// The commands in it, in order.
    pub fn commands(&self) -> &[CommandId] {
        &self.commands
    }

    /// It is durable that they are sent: the answer that sends them.
    pub fn recorded(self) -> Response {
        Response { status: 200, body: self.body }
    }
}

impl fmt::Debug for Dispatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dispatch").field(&self.commands).finish()
    }
}
