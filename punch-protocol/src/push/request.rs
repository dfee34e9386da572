use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use super::errors::ParseError;
use super::handshake::Handshake;
use super::info::Info;
use super::limits::Limits;
use super::query::Query;
use super::target::Endpoint;
use super::upload::Upload;
use crate::SerialNumber;

/// The parts of one HTTP request, as a shell has them. `Debug` shows neither query nor body.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Parts<'a> {
    /// `GET` or `POST`. Bodiless calls come with either.
    pub method: &'a str,
    /// The path of the target, without the query.
    pub path: &'a str,
    /// The query of the target, not decoded.
    pub query: &'a str,
    /// The body, complete.
    pub body: &'a [u8],
    /// The `Cookie` header, if there is one. Access terminals carry a session token in it.
    pub cookie: Option<&'a str>,
    /// `Content-Length`, if the shell knows it. A shorter body is refused: half an upload is none.
    pub declared_length: Option<u64>,
}

impl<'a> Parts<'a> {
    /// Parts without a cookie and a declared length.
    pub fn new(method: &'a str, path: &'a str, query: &'a str, body: &'a [u8]) -> Self {
        Self { method, path, query, body, cookie: None, declared_length: None }
    }
}

impl fmt::Debug for Parts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("bytes", &self.body.len())
            .field("declared_length", &self.declared_length)
            .finish_non_exhaustive()
    }
}

/// What a terminal wants.
#[derive(Clone)]
#[non_exhaustive]
pub enum Request<'a> {
    /// First contact: it wants the option block.
    Handshake(Handshake),
    /// A bare `cdata?SN`: it wants to know that somebody is there.
    Alive,
    /// It brings rows.
    Upload(Upload<'a>),
    /// It asks for commands.
    Poll(Poll),
    /// It brings results of commands. The body is not interpreted yet.
    Results(&'a [u8]),
    /// Keep-alive during a long upload.
    Ping(Ping),
    /// An endpoint of the protocol that this crate does not serve.
    Unserved(Endpoint),
}

impl<'a> Request<'a> {
    /// Reads one request. Borrows the body.
    ///
    /// # Errors
    ///
    /// [`ParseError`] if there is no usable serial, the endpoint is not one, a limit is exceeded or the body
    /// is incomplete. [`ParseError::status`] is the answer; it is never an acknowledgement.
    pub fn parse(parts: Parts<'a>, limits: &Limits) -> Result<(SerialNumber, Self), ParseError> {
        let endpoint = Endpoint::of(parts.path).ok_or(ParseError::UnknownEndpoint)?;
        if parts.query.len() > limits.query {
            return Err(ParseError::QueryTooLong { len: parts.query.len(), limit: limits.query });
        }
        let query = Query::parse(parts.query);
        let serial = serial_of(&query)?;
        check_body(&parts, limits)?;
        Ok((serial, Self::dispatch(endpoint, &query, &parts, limits)))
    }

    fn dispatch(endpoint: Endpoint, query: &Query<'_>, parts: &Parts<'a>, limits: &Limits) -> Self {
        let upload = || Self::Upload(Upload::new(query, parts.body, limits));
        match endpoint {
            Endpoint::Cdata if query.get("table").is_some() => upload(),
            Endpoint::Cdata if query.get("options").is_some_and(|value| value.eq_ignore_ascii_case("all")) => {
                Self::Handshake(Handshake::parse(query))
            }
            Endpoint::Cdata if query.get("AuthType").is_some() || query.get("type").is_some() => {
                Self::Unserved(endpoint)
            }
            Endpoint::Cdata if parts.body.is_empty() && query.get("PIN").is_none() => Self::Alive,
            Endpoint::Cdata if parts.body.is_empty() => Self::Unserved(endpoint),
            Endpoint::Cdata | Endpoint::Edata | Endpoint::Fdata => upload(),
            Endpoint::GetRequest => Self::Poll(Poll { info: query.get("INFO").map(Info::parse) }),
            Endpoint::DeviceCmd => Self::Results(parts.body),
            Endpoint::Ping => Self::Ping(Ping { token: parts.cookie.and_then(token_of) }),
            Endpoint::Registry
            | Endpoint::Push
            | Endpoint::Exchange
            | Endpoint::QueryData
            | Endpoint::RtData
            | Endpoint::File => Self::Unserved(endpoint),
        }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handshake(handshake) => handshake.fmt(f),
            Self::Alive => f.write_str("Alive"),
            Self::Upload(upload) => upload.fmt(f),
            Self::Poll(poll) => poll.fmt(f),
            Self::Results(body) => write!(f, "Results({} bytes)", body.len()),
            Self::Ping(ping) => ping.fmt(f),
            Self::Unserved(endpoint) => write!(f, "Unserved({endpoint:?})"),
        }
    }
}

/// A poll for commands, with what the terminal tells about itself after it connects.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Poll {
    /// The facts behind `INFO=`, if it is there.
    pub info: Option<Info>,
}

/// A keep-alive.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ping {
    /// The session token of an access terminal. Opaque; never log it.
    pub token: Option<String>,
}

impl fmt::Debug for Ping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ping")
    }
}

/// `token=<hex>`, separated from what follows by a comma or, on some firmware, a semicolon.
fn token_of(cookie: &str) -> Option<String> {
    let mut parts = cookie.split([',', ';']).map(str::trim);
    parts.find_map(|part| part.strip_prefix("token=")).map(ToOwned::to_owned)
}

fn serial_of(query: &Query<'_>) -> Result<SerialNumber, ParseError> {
    match query.all("SN").count() {
        0 => Err(ParseError::MissingSerial),
        1 => SerialNumber::parse(query.get("SN").unwrap_or_default()).map_err(ParseError::BadSerial),
        count => Err(ParseError::DuplicateSerial { count }),
    }
}

fn check_body(parts: &Parts<'_>, limits: &Limits) -> Result<(), ParseError> {
    let len = parts.body.len();
    if len > limits.body {
        return Err(ParseError::BodyTooLarge { len, limit: limits.body });
    }
    if let Some(declared) = parts.declared_length.filter(|&declared| u64::try_from(len).is_ok_and(|len| len < declared))
    {
        return Err(ParseError::TruncatedBody { declared, got: len });
    }
    if let Some(header) = parts.body.strip_prefix(b"LZO1").and_then(|rest| rest.first_chunk::<4>()) {
        return Err(ParseError::PackedBody { plain_len: u32::from_le_bytes(*header) });
    }
    Ok(())
}
