//! What access-control terminals add: registration, stored records, queries, door state.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use super::line::{Lines, cut, decimal};
use super::query::Query;
use super::tagged::Pairs;
use super::terminal_options::TerminalOptions;

/// A page of the answer to a query (`querydata`). The query is over when all pages and the command's result are in.
#[derive(Clone)]
#[non_exhaustive]
pub struct QueryPage<'a> {
    /// `tabledata`, `options`, `count` or `vmtable`.
    pub kind: String,
    /// The command that asked.
    pub command: Option<String>,
    /// The table asked for.
    pub table: String,
    /// The number announced in the query; the acknowledgement repeats it.
    pub count: u32,
    /// Pages in all.
    pub pages: Option<u32>,
    /// This page, from 1.
    pub page: Option<u32>,
    /// How the body is written: 3 is a package, see [`QueryPage::package`].
    pub format: Option<u32>,
    body: &'a [u8],
}

impl<'a> QueryPage<'a> {
    pub(super) fn new(query: &Query<'_>, body: &'a [u8]) -> Self {
        let text = |name: &str| query.get(name).map(ToOwned::to_owned);
        Self {
            kind: text("type").unwrap_or_default(),
            command: text("cmdid"),
            table: text("tablename").unwrap_or_default(),
            count: query.number("count").unwrap_or(0),
            pages: query.number("packcnt"),
            page: query.number("packidx"),
            format: query.number("datafmt"),
            body,
        }
    }

    /// The body as received.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The header of a package (`datafmt=3`), with what it holds still packed.
    pub fn package(&self) -> Option<PackageHeader<'a>> {
        PackageHeader::parse(self.body).filter(|_| self.format == Some(3))
    }

    /// The number a `type=count` page answers with (`user=5`).
    pub fn counted(&self) -> Option<u32> {
        let line = Lines::new(self.body).next().filter(|_| self.kind.eq_ignore_ascii_case("count"))?;
        decimal(cut(line.bytes, b'=').1?)
    }

    /// The records, one a line. Those of a package have to be unpacked first; it has none here.
    pub fn records(&self) -> impl Iterator<Item = RecordRow<'a>> {
        let lines = if self.package().is_some() { &[] } else { self.body };
        let virtual_table = self.kind.eq_ignore_ascii_case("vmtable");
        // A virtual table has its name in brackets over its records.
        let is_title = move |line: &[u8]| virtual_table && line.starts_with(b"[") && line.ends_with(b"]");
        Lines::new(lines).filter(move |line| !is_title(line.bytes)).map(|line| RecordRow::parse(line.bytes))
    }

    /// The body as parameters; meaningful for `type=options`.
    pub fn options(&self) -> TerminalOptions<'a> {
        TerminalOptions::new(self.body)
    }
}

impl fmt::Debug for QueryPage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryPage").field("kind", &self.kind).field("table", &self.table).finish_non_exhaustive()
    }
}

/// What stands before the NUL of a packaged query page: `name=`, `size=`, `datacode=`, `datatype=`, one a line.
///
/// ```
/// use punch_protocol::push::PackageHeader;
///
/// let header = PackageHeader::parse(b"name=user.tgz\nsize=3\ndatacode=base64\ndatatype=tgz\0QUJD").expect("a package");
/// assert_eq!((header.name, header.size, header.content), ("user.tgz", Some(3), &b"QUJD"[..]));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PackageHeader<'a> {
    /// Name of the file. Never a path to write to.
    pub name: &'a str,
    /// Length of the package as announced, in bytes.
    pub size: Option<u64>,
    /// How the bytes are written: `base64`.
    pub encoding: &'a str,
    /// What they are: `tgz`.
    pub kind: &'a str,
    /// The bytes, still encoded.
    pub content: &'a [u8],
}

impl<'a> PackageHeader<'a> {
    /// Reads a body; `None` if it has no NUL with a name before it.
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        let (head, content) = cut(body, 0);
        let head = core::str::from_utf8(head).ok()?;
        let value = |wanted: &str| {
            let mut pairs = head.split(['\n', '\r']).filter_map(|line| line.split_once('='));
            pairs.find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
        };
        Some(Self {
            name: value("name")?,
            size: value("size").and_then(|size| decimal::<u32>(size.as_bytes())).map(u64::from),
            encoding: value("datacode").unwrap_or_default(),
            kind: value("datatype").unwrap_or_default(),
            content: content?,
        })
    }
}

impl fmt::Debug for PackageHeader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackageHeader").field("bytes", &self.content.len()).finish_non_exhaustive()
    }
}

/// One stored record: `<table> key=value TAB key=value …`. Some firmware leaves the table out.
///
/// `Debug` shows the keys; values hold names, passwords and templates.
#[derive(Clone, Copy)]
pub struct RecordRow<'a> {
    table: Option<&'a str>,
    pairs: &'a [u8],
}

impl<'a> RecordRow<'a> {
    pub(super) fn parse(line: &'a [u8]) -> Self {
        let (head, rest) = cut(line, b' ');
        match (core::str::from_utf8(head), rest) {
            (Ok(table), Some(pairs)) if !table.contains(['=', '\t']) => Self { table: Some(table), pairs },
            _ => Self { table: None, pairs: line },
        }
    }

    /// The table named on the line.
    pub fn table(&self) -> Option<&'a str> {
        self.table
    }

    /// The pairs, in the order of the line.
    pub fn pairs(&self) -> Pairs<'a> {
        Pairs(Some(self.pairs), "")
    }
}

impl fmt::Debug for RecordRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the table: on a line that names none, the first word may be anything.
        write!(f, "RecordRow {:?}", self.pairs())
    }
}

/// A bit string of verification methods (`verifytype` of terminals with `NewVFStyles`): 16 characters, the
/// rightmost is bit 0 and says "all of" instead of "any of".
///
/// ```
/// use punch_protocol::push::VerifyBits;
///
/// let bits = VerifyBits::parse("0000101000000011").expect("16 bits");
/// assert!(bits.all_of());
/// assert_eq!(bits.methods().collect::<Vec<_>>(), ["face", "password", "card"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyBits(u16);

impl VerifyBits {
    const METHODS: [&'static str; 11] = [
        "face",
        "palm print",
        "palm vein",
        "fingerprint",
        "finger vein",
        "voice",
        "iris",
        "retina",
        "password",
        "pin",
        "card",
    ];

    /// Reads exactly 16 characters of 0 and 1. Anything else is a number, which must not come here.
    pub fn parse(text: &str) -> Option<Self> {
        let bits = text.len() == 16 && text.bytes().all(|bit| matches!(bit, b'0' | b'1'));
        u16::from_str_radix(text, 2).ok().filter(|_| bits).map(Self)
    }

    /// Whether all the methods were needed, not any of them.
    pub fn all_of(self) -> bool {
        self.0 & 1 == 1
    }

    /// The methods, by name.
    pub fn methods(self) -> impl Iterator<Item = &'static str> {
        let rest = self.0 >> 1;
        (0u32..)
            .zip(Self::METHODS)
            .filter(move |(bit, _)| rest.checked_shr(*bit).unwrap_or(0) & 1 == 1)
            .map(|(_, name)| name)
    }
}
