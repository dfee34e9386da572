/// Why nothing of a body that an access system sent can be read. The texts quote nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// It is something else.
    #[error("PE-SRC-001: the body is not {expected}; look at what sends to this address")]
    Unreadable {
        /// What was expected.
        expected: &'static str,
    },
    /// It is longer than is read at once.
    #[error("PE-SRC-002: the body, or a part of it, is longer than {limit} bytes; have the source send less at once")]
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// It holds more events than are taken at once.
    #[error("PE-SRC-003: the body holds {found} events, at most {limit} are taken at once; have the source send fewer")]
    TooManyEvents {
        /// How many it holds.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// XML that declares a document type could name files or grow without bound.
    #[error(
        "PE-SRC-004: the XML declares a document type (xml_dtd_refused); no terminal does that, look at who sends it"
    )]
    DoctypeRefused,
}

impl SourceError {
    /// Every code, in order.
    pub const CODES: [&'static str; 4] = ["PE-SRC-001", "PE-SRC-002", "PE-SRC-003", "PE-SRC-004"];

    /// The stable code the text begins with; [`errors`](crate::errors) has its paragraph.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "PE-SRC-001",
            Self::TooLong { .. } => "PE-SRC-002",
            Self::TooManyEvents { .. } => "PE-SRC-003",
            Self::DoctypeRefused => "PE-SRC-004",
        }
    }

    /// One word for machines: `unreadable`, `too_long`, `too_many_events`, `xml_dtd_refused`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "unreadable",
            Self::TooLong { .. } => "too_long",
            Self::TooManyEvents { .. } => "too_many_events",
            Self::DoctypeRefused => "xml_dtd_refused",
        }
    }
}
