#![doc = include_str!("../../ERRORS.md")]

use core::fmt;
use core::ops::Range;

use crate::SerialError;

/// A request the protocol does not know, or one that must not be read. It never carries an `OK`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// No `SN` in the query.
    #[error("PP-PUSH-001 query `SN`: missing, expected the terminal's serial number")]
    MissingSerial,
    /// The serial is not one.
    #[error("PP-PUSH-002 query `SN`: {0}")]
    BadSerial(SerialError),
    /// `SN` occurs more than once, so two readers could disagree about who is speaking.
    #[error("PP-PUSH-003 query `SN`: given {count} times, expected once")]
    DuplicateSerial {
        /// How often it occurs.
        count: usize,
    },
    /// The last path segment names nothing the protocol has.
    #[error("PP-PUSH-004 path: unknown endpoint, expected one like `/iclock/cdata`")]
    UnknownEndpoint,
    /// The body is longer than [`super::Limits::body`], or [`super::Limits::stream`] if it is read in pieces.
    #[error("PP-PUSH-005 body: {len} bytes, at most {limit} are accepted; raise the limit or lower `MaxPostSize`")]
    BodyTooLarge {
        /// Length of the body, in bytes.
        len: usize,
        /// The limit in force.
        limit: usize,
    },
    /// Fewer bytes arrived than `Content-Length` announced.
    #[error("PP-PUSH-006 body: {got} of {declared} bytes arrived, the terminal must send it again")]
    TruncatedBody {
        /// Bytes announced by the header.
        declared: u64,
        /// Bytes received.
        got: usize,
    },
    /// The query is longer than [`super::Limits::query`].
    #[error("PP-PUSH-007 query: {len} bytes, at most {limit} are accepted")]
    QueryTooLong {
        /// Length of the query, in bytes.
        len: usize,
        /// The limit in force.
        limit: usize,
    },
    /// A body in the compressed form that `Encrypt=1` asks for, which this crate never asks for.
    #[error("PP-PUSH-008 body: packed with the old `LZO1` scheme ({plain_len} bytes plain); set `Encrypt=0`")]
    PackedBody {
        /// Length after unpacking, as the header says.
        plain_len: u32,
    },
    /// A file is asked for by a path that climbs out of its folder.
    #[error("PP-PUSH-009 query `url`: climbs out of the folder it is relative to, expected a plain relative path")]
    UnsafePath,
}

impl ParseError {
    /// The stable code, also the anchor of its paragraph in [`errors`](self).
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingSerial => "PP-PUSH-001",
            Self::BadSerial(_) => "PP-PUSH-002",
            Self::DuplicateSerial { .. } => "PP-PUSH-003",
            Self::UnknownEndpoint => "PP-PUSH-004",
            Self::BodyTooLarge { .. } => "PP-PUSH-005",
            Self::TruncatedBody { .. } => "PP-PUSH-006",
            Self::QueryTooLong { .. } => "PP-PUSH-007",
            Self::PackedBody { .. } => "PP-PUSH-008",
            Self::UnsafePath => "PP-PUSH-009",
        }
    }

    /// One word for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::MissingSerial => "missing_sn",
            Self::BadSerial(_) => "bad_sn",
            Self::DuplicateSerial { .. } => "duplicate_sn",
            Self::UnknownEndpoint => "unknown_endpoint",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::TruncatedBody { .. } => "truncated_body",
            Self::QueryTooLong { .. } => "query_too_long",
            Self::PackedBody { .. } => "encrypted_legacy",
            Self::UnsafePath => "path_traversal",
        }
    }

    /// The HTTP status that tells the terminal so.
    pub fn status(&self) -> u16 {
        match self {
            Self::MissingSerial | Self::BadSerial(_) | Self::DuplicateSerial { .. } => 400,
            Self::TruncatedBody { .. } | Self::UnsafePath => 400,
            Self::UnknownEndpoint => 404,
            Self::BodyTooLarge { .. } => 413,
            Self::QueryTooLong { .. } => 414,
            // The row is intact on the terminal; a handshake with `Encrypt=0` brings it back in the clear.
            Self::PackedBody { .. } => 503,
        }
    }
}

/// One row that could not be read. Its neighbours are not affected, and its bytes are here.
///
/// `Debug` and `Display` show where and why, never the bytes: they may name a person.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowError<'a> {
    /// What is wrong.
    pub kind: RowErrorKind,
    /// The table the row was posted to, as spelled in the query; empty if none was named.
    pub table: &'a str,
    /// Line of the body, from 1.
    pub line: u32,
    /// Byte column in the line where the trouble is, from 1.
    pub column: u32,
    /// Byte range of the row in the body.
    pub span: Range<usize>,
    /// The row's bytes; of a row too long for a stream only as many as [`super::Limits::line`] allows.
    pub raw: &'a [u8],
}

impl fmt::Debug for RowError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowError")
            .field("kind", &self.kind)
            .field("table", &self.table)
            .field("line", &self.line)
            .field("column", &self.column)
            .field("span", &self.span)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for RowError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = if self.table.is_empty() { "row without a table" } else { self.table }.escape_debug();
        let Range { start, end } = self.span;
        let (code, line, column) = (self.kind.code(), self.line, self.column);
        write!(f, "{code} {table} line {line}, column {column} (bytes {start}..{end}): {}", self.kind)
    }
}

impl core::error::Error for RowError<'_> {}

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowErrorKind {
    /// Blanks or commas where TABs belong.
    #[error("no TAB between the fields, expected TAB-separated fields")]
    NoTab,
    /// Fewer fields than the row needs.
    #[error("too few fields, expected at least a PIN and a time")]
    TooFewFields,
    /// The time field is not a time.
    #[error("the second field is not a time, expected `YYYY-MM-DD HH:MM:SS`")]
    BadTime,
    /// The time field is a bare number.
    #[error("the second field is a bare number, expected `YYYY-MM-DD HH:MM:SS`")]
    NumericTime,
    /// `key=value` pairs without a `time`, where positional fields belong.
    #[error("`key=value` pairs where positional fields belong")]
    NotPositional,
    /// The line begins with no tag that the tables know.
    #[error("the line begins with no known tag")]
    UnknownTag,
    /// `OPLOG` without a numeric operation right after it.
    #[error("`OPLOG` is not followed by an operation number, an operator and a time")]
    BadOperation,
    /// Longer than [`super::Limits::line`].
    #[error("the row is longer than the limit")]
    TooLong,
    /// More fields than [`super::Limits::fields`], or more pairs than [`super::Limits::pairs`].
    #[error("the row has more fields than the limit")]
    TooManyFields,
}

impl RowErrorKind {
    /// Every kind, in code order.
    pub const ALL: [Self; 9] = [
        Self::NoTab,
        Self::TooFewFields,
        Self::BadTime,
        Self::NumericTime,
        Self::NotPositional,
        Self::UnknownTag,
        Self::BadOperation,
        Self::TooLong,
        Self::TooManyFields,
    ];

    /// The stable code, also the anchor of its paragraph in [`errors`](self).
    pub fn code(self) -> &'static str {
        match self {
            Self::NoTab => "PP-ROW-001",
            Self::TooFewFields => "PP-ROW-002",
            Self::BadTime => "PP-ROW-003",
            Self::NumericTime => "PP-ROW-004",
            Self::NotPositional => "PP-ROW-005",
            Self::UnknownTag => "PP-ROW-006",
            Self::BadOperation => "PP-ROW-007",
            Self::TooLong => "PP-ROW-008",
            Self::TooManyFields => "PP-ROW-009",
        }
    }

    /// One word for machines.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoTab => "no_tab",
            Self::TooFewFields => "too_few_fields",
            Self::BadTime => "bad_time",
            Self::NumericTime => "time_not_in_document_format",
            Self::NotPositional => "not_positional",
            Self::UnknownTag => "unknown_tag",
            Self::BadOperation => "bad_oplog",
            Self::TooLong => "line_too_long",
            Self::TooManyFields => "too_many_fields",
        }
    }
}
