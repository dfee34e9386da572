use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use super::access::RecordRow;
use super::attlog::AttlogRow;
use super::errors::{RowError, RowErrorKind};
use super::keyed::KeyedRow;
use super::limits::Limits;
use super::line::{Line, Lines, cut};
use super::operation::OperationRow;
use super::query::Query;
use super::tagged::TaggedRow;
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

/// Rows of one table in one request. Borrows the body.
#[derive(Clone)]
pub struct Upload<'a> {
    table: Table,
    record_table: Option<String>,
    stamp: Option<String>,
    announced: Option<u32>,
    command: Option<String>,
    body: &'a [u8],
    line_limit: usize,
}

impl<'a> Upload<'a> {
    pub(super) fn new(query: &Query<'_>, body: &'a [u8], limits: &Limits) -> Self {
        let stamp = ["Stamp", "OpStamp", "PhotoStamp"].into_iter().find_map(|name| query.get(name));
        Self {
            table: Table(query.get("table").unwrap_or_default().to_owned()),
            record_table: query.get("tablename").map(ToOwned::to_owned),
            stamp: stamp.map(ToOwned::to_owned),
            announced: query.number("count"),
            command: query.get("CmdId").map(ToOwned::to_owned),
            body,
            line_limit: limits.line,
        }
    }

    /// The table named in the query.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The terminal's resume mark for this table, exactly as sent. Store it, return it, never compare it.
    pub fn stamp(&self) -> Option<&str> {
        self.stamp.as_deref()
    }

    /// The command this upload answers, if it answers one.
    pub fn command(&self) -> Option<&str> {
        self.command.as_deref()
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
        let lines = if self.table.is_picture() || self.table.is(Table::OPTIONS) { &[] } else { self.body };
        Rows { table: self.table.as_str(), lines: Lines::new(lines), line_limit: self.line_limit }
    }

    /// The answer that says all of this is stored.
    pub fn ack(&self) -> Ack {
        if self.table.is(Table::TABLEDATA) {
            let name = self.record_table.clone().unwrap_or_default();
            return Ack::Table { name, count: self.announced.unwrap_or(0) };
        }
        let plain = [Table::OPTIONS, Table::RTLOG, Table::RTSTATE, "irstate", "testdata", Table::ATTPHOTO];
        if plain.iter().any(|name| self.table.is(name)) {
            return Ack::Plain;
        }
        Ack::Count(u32::try_from(Lines::new(self.body).count()).unwrap_or(u32::MAX))
    }
}

impl fmt::Debug for Upload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("table", &self.table).field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// One row of an upload.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Row<'a> {
    /// A punch.
    Punch(AttlogRow<'a>),
    /// An access event; a punch if [`KeyedRow::is_punch`].
    Event(KeyedRow<'a>),
    /// Something an administrator did.
    Operation(OperationRow<'a>),
    /// A user, a template, an identity card, an error.
    Tagged(TaggedRow<'a>),
    /// A stored record of an access terminal.
    Record(RecordRow<'a>),
    /// A line of a table this crate does not know. It survives as it stands.
    Unknown(&'a [u8]),
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Punch(row) => row.fmt(f),
            Self::Event(row) => row.fmt(f),
            Self::Operation(row) => row.fmt(f),
            Self::Tagged(row) => row.fmt(f),
            Self::Record(row) => row.fmt(f),
            Self::Unknown(line) => write!(f, "Unknown({} bytes)", line.len()),
        }
    }
}

/// Iterator over the rows of an [`Upload`]. One bad row never costs its neighbours.
#[derive(Clone)]
pub struct Rows<'q, 'a> {
    table: &'q str,
    lines: Lines<'a>,
    line_limit: usize,
}

impl<'q, 'a> Rows<'q, 'a> {
    /// Reads the rows of `body` as if it had been posted to `table`, with the default limits.
    ///
    /// ```
    /// use punch_protocol::push::{Row, Rows};
    ///
    /// let mut rows = Rows::of("ATTLOG", b"1042\t2026-03-28 08:47:12\t0\t1\njunk\n");
    /// assert!(matches!(rows.next(), Some(Ok(Row::Punch(_)))));
    /// let error = rows.next().unwrap().unwrap_err();
    /// assert_eq!((error.line, error.column, error.span), (2, 1, 29..33));
    /// ```
    pub fn of(table: &'q str, body: &'a [u8]) -> Self {
        Self { table, lines: Lines::new(body), line_limit: Limits::default().line }
    }

    fn read(&self, line: &Line<'a>) -> Result<Row<'a>, (RowErrorKind, usize)> {
        if line.bytes.len() > self.line_limit {
            return Err((RowErrorKind::TooLong, self.line_limit));
        }
        // A table that is not named is read by the look of its lines, as some units post punches.
        if self.table.eq_ignore_ascii_case(Table::ATTLOG) {
            // A body may hold rows of several tables; a row that is no punch but has a tag says so itself.
            return read_punch(line.bytes).or_else(|error| read_tagged(line.bytes).ok_or(error));
        }
        if [Table::RTLOG, Table::RTSTATE].iter().any(|table| self.table.eq_ignore_ascii_case(table)) {
            return KeyedRow::parse(line.bytes).map(Row::Event).ok_or((RowErrorKind::NotPositional, 0));
        }
        if self.table.eq_ignore_ascii_case(Table::TABLEDATA) {
            return Ok(Row::Record(RecordRow::parse(line.bytes)));
        }
        if let Some(operation) = line.bytes.strip_prefix(b"OPLOG") {
            let text = operation.strip_prefix(b" ").and_then(OperationRow::parse);
            return text.map(Row::Operation).ok_or((RowErrorKind::BadOperation, 5));
        }
        if let Some(tagged) = TaggedRow::parse(line.bytes, self.table) {
            return Ok(Row::Tagged(tagged));
        }
        match self.table {
            "" => read_punch(line.bytes),
            table if is_known(table) => Err((RowErrorKind::UnknownTag, 0)),
            _ => Ok(Row::Unknown(line.bytes)),
        }
    }
}

impl<'q, 'a: 'q> Iterator for Rows<'q, 'a> {
    type Item = Result<Row<'a>, RowError<'q>>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next()?;
        Some(self.read(&line).map_err(|(kind, column)| RowError {
            kind,
            table: self.table,
            line: line.number,
            column: u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1),
            span: line.span(),
            raw: line.bytes,
        }))
    }
}

impl fmt::Debug for Rows<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("table", &self.table).finish_non_exhaustive()
    }
}

fn read_punch(line: &[u8]) -> Result<Row<'_>, (RowErrorKind, usize)> {
    // A time in second place decides, so that a PIN with `=` in it is a PIN.
    AttlogRow::parse(line).map(Row::Punch).or_else(|error| {
        let (first, _) = cut(line, b'\t');
        let pairs = first.contains(&b'=');
        if pairs { KeyedRow::parse(line).map(Row::Event).ok_or((RowErrorKind::NotPositional, 0)) } else { Err(error) }
    })
}

fn read_tagged(line: &[u8]) -> Option<Row<'_>> {
    match line.strip_prefix(b"OPLOG ") {
        Some(operation) => OperationRow::parse(operation).map(Row::Operation),
        None => TaggedRow::parse(line, "").map(Row::Tagged),
    }
}

fn is_known(table: &str) -> bool {
    let tables = [Table::OPERLOG, "USERINFO", "FINGERTMP"];
    tables.iter().chain(&TaggedRow::TAGS).any(|known| known.eq_ignore_ascii_case(table))
}
