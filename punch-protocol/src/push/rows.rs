use core::fmt;

use memchr::memchr_iter;

use super::access::RecordRow;
use super::attlog::AttlogRow;
use super::errors::{RowError, RowErrorKind};
use super::keyed::KeyedRow;
use super::limits::Limits;
use super::line::{Lines, cut};
use super::operation::OperationRow;
use super::tagged::TaggedRow;
use super::upload::Table;

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

/// Iterator over the rows of an [`Upload`](super::Upload). One bad row never costs its neighbours.
#[derive(Clone)]
pub struct Rows<'q, 'a> {
    reader: RowReader<'q>,
    lines: Lines<'a>,
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
        Self::new(RowReader::new(table, &Limits::default()), body)
    }

    pub(super) fn new(reader: RowReader<'q>, body: &'a [u8]) -> Self {
        Self { reader, lines: Lines::new(body) }
    }
}

impl<'q, 'a: 'q> Iterator for Rows<'q, 'a> {
    type Item = Result<Row<'a>, RowError<'q>>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next()?;
        match self.reader.read(line.bytes) {
            Ok(row) => Some(Ok(row)),
            Err((kind, column)) => Some(Err(RowError {
                kind,
                table: self.reader.table,
                line: line.number,
                column: column_from_1(column),
                span: line.span(),
                raw: line.bytes,
            })),
        }
    }
}

impl fmt::Debug for Rows<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("table", &self.reader.table).finish_non_exhaustive()
    }
}

/// A column counted from 0, as errors count it.
pub(super) fn column_from_1(column: usize) -> u32 {
    u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1)
}

/// What is wrong with a line, and the byte column, from 0, where.
pub(super) type Fault = (RowErrorKind, usize);

/// Makes rows of the lines of one table: the one reading that whole bodies and streams share.
#[derive(Clone, Copy)]
pub(super) struct RowReader<'q> {
    pub(super) table: &'q str,
    grammar: Grammar,
    line_limit: usize,
    field_limit: usize,
    pair_limit: usize,
}

/// How a line of a table is read.
#[derive(Clone, Copy)]
enum Grammar {
    Punches,
    Events,
    Records,
    /// Lines that begin with a tag.
    Tagged,
    /// No table is named: by the look of the line, as some units post punches.
    Unnamed,
    Unknown,
}

impl Grammar {
    fn of(table: &str) -> Self {
        let is = |name: &str| table.eq_ignore_ascii_case(name);
        match table {
            "" => Self::Unnamed,
            _ if is(Table::ATTLOG) => Self::Punches,
            _ if is(Table::RTLOG) || is(Table::RTSTATE) => Self::Events,
            _ if is(Table::TABLEDATA) => Self::Records,
            _ if [Table::OPERLOG, "USERINFO", "FINGERTMP"].into_iter().chain(TaggedRow::TAGS).any(is) => Self::Tagged,
            _ => Self::Unknown,
        }
    }
}

impl<'q> RowReader<'q> {
    pub(super) fn new(table: &'q str, limits: &Limits) -> Self {
        let Limits { line, fields, pairs, .. } = *limits;
        Self { table, grammar: Grammar::of(table), line_limit: line, field_limit: fields, pair_limit: pairs }
    }

    /// The longest line that is read.
    pub(super) fn line_limit(&self) -> usize {
        self.line_limit
    }

    /// Whether the second field can still make a punch of a line that begins with a tag.
    pub(super) fn looks_for_a_time(&self) -> bool {
        matches!(self.grammar, Grammar::Punches)
    }

    /// Reads a line within the limits.
    pub(super) fn read<'a>(&self, line: &'a [u8]) -> Result<Row<'a>, Fault> {
        if line.len() > self.line_limit {
            return Err((RowErrorKind::TooLong, self.line_limit));
        }
        let row = self.read_any_width(line)?;
        if self.is_too_wide(&row, line) { Err((RowErrorKind::TooManyFields, 0)) } else { Ok(row) }
    }

    /// Reads a line, however many fields it has.
    pub(super) fn read_any_width<'a>(&self, line: &'a [u8]) -> Result<Row<'a>, Fault> {
        match self.grammar {
            // A body may hold rows of several tables; a row that is no punch but has a tag says so itself.
            Grammar::Punches => AttlogRow::parse(line)
                .map(Row::Punch)
                .or_else(|fault| read_foreign(line).map_or_else(|| read_event(line, fault), Ok)),
            Grammar::Events => KeyedRow::parse(line).map(Row::Event).ok_or((RowErrorKind::NotPositional, 0)),
            Grammar::Records => Ok(Row::Record(RecordRow::parse(line))),
            Grammar::Tagged | Grammar::Unnamed | Grammar::Unknown => self.read_tagged(line),
        }
    }

    fn read_tagged<'a>(&self, line: &'a [u8]) -> Result<Row<'a>, Fault> {
        if let Some(operation) = line.strip_prefix(b"OPLOG") {
            let text = operation.strip_prefix(b" ").and_then(OperationRow::parse);
            return text.map(Row::Operation).ok_or((RowErrorKind::BadOperation, 5));
        }
        if let Some(tagged) = TaggedRow::parse(line, self.table) {
            return Ok(Row::Tagged(tagged));
        }
        match self.grammar {
            Grammar::Unnamed => read_punch(line),
            Grammar::Unknown => Ok(Row::Unknown(line)),
            Grammar::Tagged | Grammar::Punches | Grammar::Events | Grammar::Records => {
                Err((RowErrorKind::UnknownTag, 0))
            }
        }
    }

    /// Whether a row has more fields than it may have.
    pub(super) fn is_too_wide(&self, row: &Row<'_>, line: &[u8]) -> bool {
        // Hardly any line is long enough to be counted.
        let width = |separator: u8, limit: usize| line.len() >= limit && memchr_iter(separator, line).count() >= limit;
        match row {
            Row::Punch(_) | Row::Operation(_) => width(b'\t', self.field_limit),
            Row::Event(event) if event.is_comma_separated() => width(b',', self.pair_limit),
            Row::Event(_) | Row::Tagged(_) | Row::Record(_) => width(b'\t', self.pair_limit),
            Row::Unknown(_) => false,
        }
    }
}

fn read_punch(line: &[u8]) -> Result<Row<'_>, Fault> {
    // A time in second place decides, so that a PIN with `=` in it is a PIN.
    AttlogRow::parse(line).map(Row::Punch).or_else(|fault| read_event(line, fault))
}

/// Pairs where a punch was expected. Anything else is a punch with a fault.
fn read_event(line: &[u8], fault: Fault) -> Result<Row<'_>, Fault> {
    if !cut(line, b'\t').0.contains(&b'=') {
        return Err(fault);
    }
    KeyedRow::parse(line).map(Row::Event).ok_or((RowErrorKind::NotPositional, 0))
}

/// A row of another table, by its tag.
fn read_foreign(line: &[u8]) -> Option<Row<'_>> {
    match line.strip_prefix(b"OPLOG ") {
        Some(operation) => OperationRow::parse(operation).map(Row::Operation),
        None => TaggedRow::parse(line, "").map(Row::Tagged),
    }
}
