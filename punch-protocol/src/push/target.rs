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
}

impl Endpoint {
    /// Finds the endpoint of a path such as `/iclock/cdata.aspx`.
    ///
    /// ```
    /// use punch_protocol::push::Endpoint;
    ///
    /// assert_eq!(Endpoint::of("/iclock/iclock/cdata"), Some(Endpoint::Cdata));
    /// assert_eq!(Endpoint::of("/s3cret/iclock/getrequest.aspx"), Some(Endpoint::GetRequest));
    /// assert_eq!(Endpoint::of("/favicon.ico"), None);
    /// ```
    pub fn of(path: &str) -> Option<Self> {
        let segment = path.trim_end_matches('/').rsplit('/').next()?;
        let (stem, dot, suffix) =
            segment.rsplit_once('.').map_or((segment, false, ""), |(stem, ext)| (stem, true, ext));
        let name = if dot && suffix.eq_ignore_ascii_case("aspx") { stem } else { segment };
        Self::ALL.into_iter().find(|endpoint| name.eq_ignore_ascii_case(endpoint.as_str()))
    }

    /// Every endpoint.
    pub const ALL: [Self; 12] = [
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
    ];

    /// The path segment.
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
        }
    }
}
