use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use super::access::QueryPage;
use super::background_check::BackgroundCheck;
use super::errors::ParseError;
use super::file_part::FilePart;
use super::handshake::Handshake;
use super::info::Info;
use super::limits::Limits;
use super::query::Query;
use super::results::CommandResults;
use super::target::{Endpoint, Target, relative_file};
use super::terminal_options::TerminalOptions;
use super::upload::Upload;
use crate::{Pin, SerialNumber};

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

    /// Parts of a request to `target`.
    ///
    /// ```
    /// use punch_protocol::push::{Limits, Parts, Request, RequestLine};
    ///
    /// let line = RequestLine::parse("GET http://10.0.0.9/iclock/rtdata?SN=T1&type=time HTTP/1.1").expect("a line");
    /// let (_, request) = Request::parse(Parts::of_target(line.method, line.target, b""), &Limits::default())?;
    /// assert!(matches!(request, Request::Time));
    /// # Ok::<(), punch_protocol::push::ParseError>(())
    /// ```
    pub fn of_target(method: &'a str, target: Target<'a>, body: &'a [u8]) -> Self {
        Self::new(method, target.path, target.query, body)
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
    /// It brings results of commands.
    Results(CommandResults<'a>),
    /// It brings a page of the answer to a query.
    QueryPage(QueryPage<'a>),
    /// Keep-alive during a long upload.
    Ping(Ping),
    /// An access terminal registers with what it is.
    Registry(TerminalOptions<'a>),
    /// An access terminal asks for its configuration.
    Configuration(Ping),
    /// An archive of rows, which this crate does not open. It stays on the terminal.
    Package(Upload<'a>),
    /// The raw image of a finger. It is measured, never kept.
    FingerImage(FingerImage),
    /// The terminal asks whether to let somebody in, and waits.
    BackgroundCheck(BackgroundCheck<'a>),
    /// The terminal tells what became of a check, in a form customers define.
    CheckOutcome(&'a [u8]),
    /// The terminal wants a file, by a path relative to the server that leaves no folder upwards.
    FileDownload(String),
    /// A controller brings a part of a file.
    FilePart(FilePart<'a>),
    /// An access terminal wants the time.
    Time,
    /// The terminal does not know this person and asks whether the server does.
    UserLookup {
        /// Whom it asks for.
        pin: Pin<'static>,
    },
    /// The terminal offers to encrypt. The scheme is not public.
    Exchange(String),
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
        if endpoint == Endpoint::File && file_wanted(&query, parts.path).is_some_and(leaves_its_folder) {
            return Err(ParseError::UnsafePath);
        }
        Ok((serial, Self::dispatch(endpoint, &query, &parts, limits)))
    }

    fn dispatch(endpoint: Endpoint, query: &Query<'_>, parts: &Parts<'a>, limits: &Limits) -> Self {
        match endpoint {
            Endpoint::Cdata => Self::cdata(query, parts, limits),
            Endpoint::Edata | Endpoint::Fdata => Self::Upload(Upload::new(query, parts.body, limits)),
            Endpoint::GetRequest => Self::Poll(Poll { info: query.get("INFO").map(Info::parse) }),
            Endpoint::DeviceCmd => Self::Results(CommandResults::new(parts.body)),
            Endpoint::Ping => Self::Ping(Ping::of(parts)),
            Endpoint::QueryData => Self::QueryPage(QueryPage::new(query, parts.body)),
            Endpoint::Registry => Self::Registry(TerminalOptions::new(parts.body)),
            Endpoint::Push => Self::Configuration(Ping::of(parts)),
            Endpoint::Exchange => Self::Exchange(query.get("type").unwrap_or_default().to_owned()),
            Endpoint::File => match file_wanted(query, parts.path) {
                Some(file) if parts.body.is_empty() => Self::FileDownload(file.to_owned()),
                None if parts.body.is_empty() => Self::Unserved(endpoint),
                Some(_) | None => Self::FilePart(FilePart::new(query, parts.body)),
            },
            Endpoint::RtData if asks_time(query) => Self::Time,
            Endpoint::RtData | Endpoint::Event | Endpoint::ServiceControl => Self::Unserved(endpoint),
        }
    }

    /// `cdata` carries half the protocol; what it means is in the query.
    fn cdata(query: &Query<'_>, parts: &Parts<'a>, limits: &Limits) -> Self {
        let is = |name: &str, wanted: &str| query.get(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted));
        let upload = || Upload::new(query, parts.body, limits);
        if is("ContentType", "tgz") {
            return Self::Package(upload());
        }
        if is("table", "RemoteAtt") {
            return Self::UserLookup { pin: pin_of(query) };
        }
        if query.get("table").is_some() {
            return Self::Upload(upload());
        }
        if let Some(kind) = query.get("AuthType") {
            return Self::BackgroundCheck(BackgroundCheck { kind: kind.to_owned(), body: parts.body });
        }
        if is("options", "all") {
            return Self::Handshake(Handshake::parse(query));
        }
        if is("FPImage", "1") {
            return Self::FingerImage(FingerImage::new(query, parts.body.len()));
        }
        if is("type", "PostVerifyData") {
            return Self::CheckOutcome(parts.body);
        }
        if asks_time(query) {
            return Self::Time;
        }
        match (parts.body.is_empty(), query.get("type"), query.get("PIN")) {
            (true, None, None) => Self::Alive,
            (true, None, Some(_)) => Self::UserLookup { pin: pin_of(query) },
            (false, None, None) => Self::Upload(upload()),
            (_, Some(_), _) | (false, None, Some(_)) => Self::Unserved(Endpoint::Cdata),
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
            Self::Results(results) => results.fmt(f),
            Self::QueryPage(page) => page.fmt(f),
            Self::Ping(ping) => ping.fmt(f),
            Self::Registry(options) => options.fmt(f),
            Self::Configuration(_) => f.write_str("Configuration"),
            Self::Package(upload) => write!(f, "Package({upload:?})"),
            Self::FingerImage(image) => image.fmt(f),
            Self::BackgroundCheck(check) => check.fmt(f),
            Self::CheckOutcome(body) => write!(f, "CheckOutcome({} bytes)", body.len()),
            Self::FileDownload(_) => f.write_str("FileDownload"),
            Self::FilePart(part) => part.fmt(f),
            Self::Time => f.write_str("Time"),
            Self::UserLookup { pin } => write!(f, "UserLookup({pin:?})"),
            Self::Exchange(kind) => write!(f, "Exchange({kind:?})"),
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

impl Ping {
    fn of(parts: &Parts<'_>) -> Self {
        Self { token: parts.cookie.and_then(token_of) }
    }
}

impl fmt::Debug for Ping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ping")
    }
}

/// The image of a finger, by its measure. `Debug` does not show whose.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FingerImage {
    /// Whose finger.
    pub pin: String,
    /// Which finger, 0 to 9.
    pub finger: Option<u32>,
    /// Length of the image, in bytes.
    pub len: usize,
}

impl FingerImage {
    fn new(query: &Query<'_>, len: usize) -> Self {
        Self { pin: query.get("PIN").unwrap_or_default().to_owned(), finger: query.number("FID"), len }
    }
}

impl fmt::Debug for FingerImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FingerImage({} bytes)", self.len)
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
        // A parameter without a value says as little as none.
        1 if query.get("SN").is_none_or(str::is_empty) => Err(ParseError::MissingSerial),
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

fn asks_time(query: &Query<'_>) -> bool {
    query.get("type").is_some_and(|kind| kind.eq_ignore_ascii_case("time"))
}

fn pin_of(query: &Query<'_>) -> Pin<'static> {
    Pin::new(query.get("PIN").unwrap_or_default().as_bytes()).into_owned()
}

/// The file a terminal asks for, in the query or in the path itself.
fn file_wanted<'q>(query: &'q Query<'_>, path: &'q str) -> Option<&'q str> {
    query.get("url").or_else(|| relative_file(path))
}

/// Whether a path climbs out of the folder it is joined to, or could be read differently by two programs.
fn leaves_its_folder(path: &str) -> bool {
    path.contains(|c: char| c == '\\' || c.is_control()) || path.split('/').any(|segment| segment == "..")
}
