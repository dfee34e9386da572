/// One way in which a terminal, or somebody who plays one, does not behave.
///
/// ```
/// use punch_protocol::push::{Deserves, Mischief};
///
/// let cut = Mischief::named("truncated-body").expect("a known name");
/// assert_eq!(cut.deserves(), Deserves::Refusal);
/// assert!(Mischief::ALL.iter().all(|mischief| Mischief::named(mischief.name()) == Some(*mischief)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Mischief {
    /// An upload whose connection ends in the middle of the body.
    TruncatedBody,
    /// A whole body under a larger `Content-Length`; then the connection ends.
    LengthTooLarge,
    /// A body under half its `Content-Length`: the last row is cut, and the rest is no request.
    LengthTooSmall,
    /// Lines of noise between the rows.
    Garbage,
    /// Users with names in GB18030.
    ForeignNames,
    /// One body of 10 MiB, made of the same rows again and again.
    HugeBody,
    /// A few bytes at a time.
    SlowDrip,
    /// 100,000 rows that the server has had before.
    Reupload,
    /// The same request twice, as after a lost answer.
    Twice,
    /// Rows that end in CR LF.
    CrLf,
    /// Rows that end in CR.
    LoneCr,
    /// No line end behind the last row.
    NoFinalNewline,
    /// NUL bytes between the rows, as after a power cut.
    NulBytes,
    /// Punches for a table that does not exist.
    WrongTable,
    /// Blanks in the request target, as old firmware leaves them.
    RawBlanks,
    /// A photo nobody asked for.
    Photo,
    /// Templates nobody asked for.
    Template,
    /// An endpoint that does not exist.
    UnknownEndpoint,
    /// SQL and paths in place of the serial number.
    EvilSerial,
}

/// What a correct server makes of a mischief.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth thing to deserve")]
pub enum Deserves {
    /// It must be acknowledged in the end, or it comes for ever.
    Acknowledgement,
    /// It must never be acknowledged: rows would be lost, or a stranger believed.
    Refusal,
    /// Both are right.
    Either,
}

impl Mischief {
    /// Every kind.
    pub const ALL: [Self; 19] = [
        Self::TruncatedBody,
        Self::LengthTooLarge,
        Self::LengthTooSmall,
        Self::Garbage,
        Self::ForeignNames,
        Self::HugeBody,
        Self::SlowDrip,
        Self::Reupload,
        Self::Twice,
        Self::CrLf,
        Self::LoneCr,
        Self::NoFinalNewline,
        Self::NulBytes,
        Self::WrongTable,
        Self::RawBlanks,
        Self::Photo,
        Self::Template,
        Self::UnknownEndpoint,
        Self::EvilSerial,
    ];

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mischief| mischief.name() == name)
    }

    /// A name for a command line.
    pub fn name(self) -> &'static str {
        self.words().0
    }

    /// What is done, in one line.
    pub fn effect(self) -> &'static str {
        self.words().1
    }

    /// What a correct server makes of it.
    pub fn deserves(self) -> Deserves {
        self.words().2
    }

    fn words(self) -> (&'static str, &'static str, Deserves) {
        use Deserves::{Acknowledgement, Either, Refusal};
        match self {
            Self::TruncatedBody => ("truncated-body", "the connection ends in the middle of an upload", Refusal),
            Self::LengthTooLarge => ("length-too-large", "Content-Length is larger than the body", Refusal),
            Self::LengthTooSmall => ("length-too-small", "Content-Length is half the body", Either),
            Self::Garbage => ("garbage", "lines of noise between the rows", Acknowledgement),
            Self::ForeignNames => ("foreign-names", "users with names in GB18030", Acknowledgement),
            Self::HugeBody => ("huge-body", "one body of 10 MiB", Either),
            Self::SlowDrip => ("slow-drip", "64 bytes every 100 ms", Either),
            Self::Reupload => ("reupload", "100,000 rows the server has had before", Acknowledgement),
            Self::Twice => ("twice", "every upload twice", Acknowledgement),
            Self::CrLf => ("crlf", "rows end in CR LF", Acknowledgement),
            Self::LoneCr => ("lone-cr", "rows end in CR", Acknowledgement),
            Self::NoFinalNewline => ("no-final-newline", "no line end behind the last row", Acknowledgement),
            Self::NulBytes => ("nul-bytes", "NUL bytes between the rows", Acknowledgement),
            Self::WrongTable => ("wrong-table", "punches for a table that does not exist", Either),
            Self::RawBlanks => ("raw-blanks", "blanks in the target of a poll", Acknowledgement),
            Self::Photo => ("photo", "a photo nobody asked for", Acknowledgement),
            Self::Template => ("template", "templates nobody asked for", Acknowledgement),
            Self::UnknownEndpoint => ("unknown-endpoint", "an endpoint that does not exist", Refusal),
            Self::EvilSerial => ("evil-serial", "SQL and paths as a serial number", Refusal),
        }
    }
}
