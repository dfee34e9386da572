use core::fmt;

/// The last path segment, whatever base path the operator typed: lower case, without `.aspx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Endpoint {
    /// Handshake and uploads.
    Cdata,
    /// Uploads, on some firmware.
    Edata,
    /// Photos, on old firmware.
    Fdata,
    /// Poll for commands.
    GetRequest,
    /// Results of commands.
    DeviceCmd,
    /// Keep-alive during long uploads.
    Ping,
    /// Access control: registration.
    Registry,
    /// Access control: configuration download.
    Push,
    /// Encryption hand-shake.
    Exchange,
    /// Access control: results of queries.
    QueryData,
    /// Access control: time.
    RtData,
    /// File download and upload.
    File,
    /// Access control, very old: the real-time channel.
    Event,
    /// Access control, very old: commands of the real-time channel.
    ServiceControl,
}

impl Endpoint {
    /// Finds the endpoint of a path such as `/iclock/cdata.aspx`.
    ///
    /// `devicemd`, a slip of one server, is `devicecmd`; `FileName=x`, which SpeedFace units ask for, a file.
    ///
    /// ```
    /// use punch_protocol::push::Endpoint;
    ///
    /// assert_eq!(Endpoint::of("/iclock/iclock/cdata"), Some(Endpoint::Cdata));
    /// assert_eq!(Endpoint::of("/s3cret/iclock/getrequest.aspx"), Some(Endpoint::GetRequest));
    /// assert_eq!(Endpoint::of("/iclock/service/control"), Some(Endpoint::ServiceControl));
    /// assert_eq!(Endpoint::of("/favicon.ico"), None);
    /// ```
    pub fn of(path: &str) -> Option<Self> {
        let mut segments = path.trim_end_matches('/').rsplit('/');
        let name = without_aspx(segments.next()?);
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        if is("devicemd") {
            return Some(Self::DeviceCmd);
        }
        if relative_file(path).is_some() {
            return Some(Self::File);
        }
        if is("control") {
            return segments
                .next()
                .filter(|parent| parent.eq_ignore_ascii_case("service"))
                .map(|_| Self::ServiceControl);
        }
        Self::ALL.into_iter().find(|endpoint| is(endpoint.as_str()))
    }

    /// Every endpoint.
    pub const ALL: [Self; 14] = [
        Self::Cdata,
        Self::Edata,
        Self::Fdata,
        Self::GetRequest,
        Self::DeviceCmd,
        Self::Ping,
        Self::Registry,
        Self::Push,
        Self::Exchange,
        Self::QueryData,
        Self::RtData,
        Self::File,
        Self::Event,
        Self::ServiceControl,
    ];

    /// The path segment; two of them for the old channel.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cdata => "cdata",
            Self::Edata => "edata",
            Self::Fdata => "fdata",
            Self::GetRequest => "getrequest",
            Self::DeviceCmd => "devicecmd",
            Self::Ping => "ping",
            Self::Registry => "registry",
            Self::Push => "push",
            Self::Exchange => "exchange",
            Self::QueryData => "querydata",
            Self::RtData => "rtdata",
            Self::File => "file",
            Self::Event => "event",
            Self::ServiceControl => "service/control",
        }
    }
}

/// The file a path itself names: `/iclock/FileName=x` where a query would be expected.
pub(super) fn relative_file(path: &str) -> Option<&str> {
    let segment = path.trim_end_matches('/').rsplit('/').next()?;
    let (key, name) = segment.split_once('=')?;
    key.eq_ignore_ascii_case("FileName").then_some(name).filter(|name| !name.is_empty())
}

fn without_aspx(segment: &str) -> &str {
    match segment.rsplit_once('.') {
        Some((stem, suffix)) if suffix.eq_ignore_ascii_case("aspx") => stem,
        Some(_) | None => segment,
    }
}

/// A request target cut at its first `?`: what to route by and what to decode.
///
/// A terminal behind an HTTP proxy writes the absolute form, and the operator may have typed credentials into
/// the address; both are passed over. `Debug` does not show the query.
///
/// ```
/// use punch_protocol::push::Target;
///
/// let target = Target::parse("http://user:secret@10.0.0.9:8081/iclock/cdata?SN=T1&options=all");
/// assert_eq!((target.path, target.query), ("/iclock/cdata", "SN=T1&options=all"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target<'a> {
    /// The path, beginning with `/`.
    pub path: &'a str,
    /// The query, not decoded; empty if there is none.
    pub query: &'a str,
}

impl<'a> Target<'a> {
    /// Cuts a target. Any text is one.
    pub fn parse(text: &'a str) -> Self {
        let (whole, query) = text.split_once('?').unwrap_or((text, ""));
        let path = match whole.split_once("://") {
            Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
            }
            Some(_) | None => whole,
        };
        Self { path, query }
    }
}

impl fmt::Debug for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The first line of a request, split at its first and last blank.
///
/// Old firmware puts its version text into the query as it stands, so a target holds blanks.
///
/// ```
/// use punch_protocol::push::RequestLine;
///
/// let line = RequestLine::parse("GET /iclock/getrequest?SN=T1&INFO=Ver 6.60,10 HTTP/1.0").expect("a request line");
/// assert_eq!((line.method, line.version), ("GET", "HTTP/1.0"));
/// assert_eq!(line.target.query, "SN=T1&INFO=Ver 6.60,10");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestLine<'a> {
    /// The method.
    pub method: &'a str,
    /// What is asked for.
    pub target: Target<'a>,
    /// `HTTP/1.0`, `HTTP/1.1`, or empty if the line ends with the target.
    pub version: &'a str,
}

impl<'a> RequestLine<'a> {
    /// Splits a line without its end; `None` if it has no method in capitals and no target.
    pub fn parse(line: &'a str) -> Option<Self> {
        let (method, rest) = line.split_once(' ')?;
        let word = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        let (target, version) = match rest.trim_end().rsplit_once(' ') {
            Some((target, version)) if version.starts_with("HTTP/") => (target, version),
            Some(_) | None => (rest.trim_end(), ""),
        };
        let target = target.trim_start();
        (word && !target.is_empty()).then(|| Self { method, target: Target::parse(target), version })
    }
}
