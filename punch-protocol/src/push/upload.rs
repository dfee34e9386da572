use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use super::limits::Limits;
use super::line::Lines;
use super::query::Query;
use super::rows::{RowReader, Rows};
use super::terminal_options::TerminalOptions;

/// A table a terminal uploads. The name survives as spelled; the constants are compared without regard to case.
#[derive(Clone, PartialEq, Eq)]
pub struct Table(String);

impl Table {
    /// Punches.
    pub const ATTLOG: &'static str = "ATTLOG";
    /// Operation log, users and legacy templates.
    pub const OPERLOG: &'static str = "OPERLOG";
    /// Parameters of the terminal.
    pub const OPTIONS: &'static str = "options";
    /// Access events.
    pub const RTLOG: &'static str = "rtlog";
    /// State of doors.
    pub const RTSTATE: &'static str = "rtstate";
    /// Stored records of access terminals.
    pub const TABLEDATA: &'static str = "tabledata";
    /// Photos.
    pub const ATTPHOTO: &'static str = "ATTPHOTO";

    /// The name as spelled; empty if the query named none.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is `name`, whatever the letter case.
    pub fn is(&self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name)
    }

    /// Whether rows of this table are lines of text that this crate knows.
    pub fn is_text(&self) -> bool {
        let lines = [Self::ATTLOG, Self::OPERLOG, Self::OPTIONS, Self::RTLOG, Self::RTSTATE, Self::TABLEDATA];
        lines.iter().any(|name| self.is(name))
    }

    /// Whether rows of this table are binary pictures, not lines.
    pub fn is_picture(&self) -> bool {
        self.is(Self::ATTPHOTO)
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The name is whatever the query says, line ends included.
        write!(f, "{}", self.0.escape_debug())
    }
}

/// How the server says that an upload is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ack {
    /// `OK: n`, with the number of lines received, parsed or not.
    Count(u32),
    /// `OK`.
    Plain,
    /// `X=n`, as access terminals want it for stored records.
    Table {
        /// The name as the query spells it.
        name: String,
        /// The number the query announced.
        count: u32,
    },
}

impl fmt::Display for Ack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "OK: {count}"),
            Self::Plain => f.write_str("OK"),
            Self::Table { name, count } => write!(f, "{name}={count}"),
        }
    }
}

/// What the query of an upload says about the rows in its body.
///
/// With the head alone a shell can decide about an upload before its body has arrived: see
/// [`Request::streamed`](super::Request::streamed).
#[derive(Clone)]
pub struct UploadHead {
    table: Table,
    record_table: Option<String>,
    stamp: Option<String>,
    announced: Option<u32>,
    command: Option<String>,
    pub(super) declared_length: Option<u64>,
    limits: Limits,
}

impl UploadHead {
    pub(super) fn new(query: &Query<'_>, limits: &Limits) -> Self {
        let stamp = ["Stamp", "OpStamp", "PhotoStamp"].into_iter().find_map(|name| query.get(name));
        Self {
            table: Table(query.get("table").unwrap_or_default().to_owned()),
            record_table: query.get("tablename").map(ToOwned::to_owned),
            stamp: stamp.map(ToOwned::to_owned),
            announced: query.number("count"),
            command: query.get("CmdId").map(ToOwned::to_owned),
            declared_length: None,
            limits: *limits,
        }
    }

    /// The table named in the query.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The table of the stored records, if the query names one (`tablename`).
    pub fn record_table(&self) -> Option<&str> {
        self.record_table.as_deref()
    }

    /// The terminal's resume mark for this table, exactly as sent. Store it, return it, never compare it.
    pub fn stamp(&self) -> Option<&str> {
        self.stamp.as_deref()
    }

    /// The number of records the query announces, if it announces one.
    pub fn announced(&self) -> Option<u32> {
        self.announced
    }

    /// The command this upload answers, if it answers one.
    pub fn command(&self) -> Option<&str> {
        self.command.as_deref()
    }

    /// The limits the body is read with.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether the body consists of rows. Pictures ([`Table::is_picture`]) and [`Table::OPTIONS`] do not.
    pub fn has_rows(&self) -> bool {
        !self.table.is_picture() && !self.table.is(Table::OPTIONS)
    }

    /// The answer that says all of this is stored, when the body had `lines` lines that are not empty.
    ///
    /// ```
    /// use punch_protocol::push::{Limits, Parts, Request};
    ///
    /// let parts = |query| Parts::new("POST", "/iclock/cdata", query, b"");
    /// let (_, head) = Request::streamed(parts("SN=T1&table=ATTLOG&Stamp=9999"), &Limits::default())?.unwrap();
    /// assert_eq!(head.ack(3).to_string(), "OK: 3");
    /// let query = "SN=T1&table=tabledata&tablename=user&count=2";
    /// let (_, head) = Request::streamed(parts(query), &Limits::default())?.unwrap();
    /// assert_eq!(head.ack(3).to_string(), "user=2");
    /// # Ok::<(), punch_protocol::push::ParseError>(())
    /// ```
    pub fn ack(&self, lines: u32) -> Ack {
        if self.table.is(Table::TABLEDATA) {
            let name = self.record_table.clone().unwrap_or_default();
            return Ack::Table { name, count: self.announced.unwrap_or(0) };
        }
        let plain = [Table::OPTIONS, Table::RTLOG, Table::RTSTATE, "irstate", "testdata", Table::ATTPHOTO];
        if plain.iter().any(|name| self.table.is(name)) { Ack::Plain } else { Ack::Count(lines) }
    }

    pub(super) fn reader(&self) -> RowReader<'_> {
        RowReader::new(self.table.as_str(), &self.limits)
    }
}

impl fmt::Debug for UploadHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadHead").field("table", &self.table).finish_non_exhaustive()
    }
}

/// Rows of one table in one request. Borrows the body.
#[derive(Clone)]
pub struct Upload<'a> {
    head: UploadHead,
    body: &'a [u8],
}

impl<'a> Upload<'a> {
    pub(super) fn new(query: &Query<'_>, body: &'a [u8], limits: &Limits) -> Self {
        Self { head: UploadHead::new(query, limits), body }
    }

    /// What the query says.
    pub fn head(&self) -> &UploadHead {
        &self.head
    }

    pub(super) fn into_head(self) -> UploadHead {
        self.head
    }

    /// The table named in the query.
    pub fn table(&self) -> &Table {
        self.head.table()
    }

    /// The terminal's resume mark; see [`UploadHead::stamp`].
    pub fn stamp(&self) -> Option<&str> {
        self.head.stamp()
    }

    /// The command this upload answers, if it answers one.
    pub fn command(&self) -> Option<&str> {
        self.head.command()
    }

    /// The body as received.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The body as parameters of the terminal; meaningful for [`Table::OPTIONS`].
    pub fn options(&self) -> TerminalOptions<'a> {
        TerminalOptions::new(self.body)
    }

    /// The rows, one item per line that is not empty, in the order of the body.
    ///
    /// Binary tables ([`Table::is_picture`]) and [`Table::OPTIONS`] have no rows.
    pub fn rows(&self) -> Rows<'_, 'a> {
        Rows::new(self.head.reader(), if self.head.has_rows() { self.body } else { &[] })
    }

    /// The answer that says all of this is stored.
    pub fn ack(&self) -> Ack {
        self.head.ack(u32::try_from(Lines::new(self.body).count()).unwrap_or(u32::MAX))
    }
}

impl fmt::Debug for Upload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("table", self.table()).field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}
