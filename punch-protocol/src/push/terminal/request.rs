use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::push::server_options;

/// One HTTP request a terminal wants sent.
///
/// `Debug` shows neither body nor headers: they hold rows and a session token.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TerminalRequest {
    /// `GET` without a body, `POST` with one. Access terminals post their call for a configuration without one.
    pub method: &'static str,
    /// Path and query. Old firmware leaves blanks in it.
    pub target: String,
    /// `HTTP/1.0` or `HTTP/1.1`.
    pub version: &'static str,
    /// Headers in the order and spelling of the firmware, without `Host` and `Content-Length`.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body; empty for `GET`.
    pub body: Vec<u8>,
}

impl TerminalRequest {
    /// The bytes of the request, addressed to `host`, as they go on the wire.
    ///
    /// ```
    /// use punch_protocol::SerialNumber;
    /// use punch_protocol::push::{Profile, Terminal};
    ///
    /// let now = chrono::DateTime::from_timestamp(1_774_684_033, 0).expect("in range");
    /// let mut terminal = Terminal::with_profile(SerialNumber::parse("OLD1")?, Profile::classic());
    /// let request = terminal.poll_request(now).expect("a handshake");
    /// let wire = request.to_bytes("192.168.1.9:8081");
    /// assert_eq!(
    ///     wire,
    ///     b"GET /iclock/cdata?SN=OLD1&options=all HTTP/1.0\r\nHost: 192.168.1.9:8081\r\n\
    ///       User-Agent: iClock Proxy/1.09\r\nConnection: close\r\nAccept: */*\r\n\r\n"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_bytes(&self, host: &str) -> Vec<u8> {
        self.with_declared_length(host, self.body.len())
    }

    /// The same with a `Content-Length` of `declared`, whatever the body is.
    pub(super) fn with_declared_length(&self, host: &str, declared: usize) -> Vec<u8> {
        let mut head = format!("{} {} {}\r\nHost: {host}\r\n", self.method, self.target, self.version);
        for (name, value) in &self.headers {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        if self.method == "POST" {
            head.push_str(&format!("Content-Length: {declared}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Whether the connection is over with the answer.
    pub fn closes(&self) -> bool {
        self.version == "HTTP/1.0"
    }
}

impl fmt::Debug for TerminalRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method, self.target, self.body.len())
    }
}

/// What a server answered, as far as a terminal looks at it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct HttpAnswer<'a> {
    /// The status. 0 stands for no answer at all.
    pub status: u16,
    /// The `Content-Type` header. Without `text/plain` in it a terminal neither sets its clock nor forgets results.
    pub content_type: Option<&'a str>,
    /// The `Date` header. Terminals set their clock by it.
    pub date: Option<&'a str>,
    /// The body, complete.
    pub body: &'a [u8],
}

impl<'a> HttpAnswer<'a> {
    /// An answer under `text/plain` and without a `Date`.
    pub fn new(status: u16, body: &'a [u8]) -> Self {
        Self { status, content_type: Some("text/plain"), date: None, body }
    }

    pub(super) fn is_plain_text(&self) -> bool {
        self.content_type.is_some_and(|kind| kind.contains("text/plain"))
    }

    /// The body, if the status is 200. Redirects are not followed: to a terminal they are failures.
    pub(super) fn success(&self) -> Option<&'a [u8]> {
        (self.status == 200).then_some(self.body)
    }

    pub(super) fn disowns(&self) -> bool {
        self.status == 200 && server_options::disowns(self.body)
    }
}

impl fmt::Debug for HttpAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpAnswer")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
