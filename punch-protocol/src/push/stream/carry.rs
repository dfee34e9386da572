use alloc::vec::Vec;
use core::ops::Range;

use memchr::{memchr, memchr2};

use super::super::rows::{Row, RowReader};
use super::super::tagged::Pair;
use crate::civil;

/// A line that comes in pieces: what is kept of it, and what is known of the rest.
#[derive(Default)]
pub(super) struct Carry {
    kept: Vec<u8>,
    start: usize,
    len: usize,
    dropped: usize,
    place: Place,
    /// Where the current key begins in `kept`.
    key: usize,
    /// Whether a blank may still separate the pairs of this row: before the template of a finger.
    blanks: bool,
}

/// What the next byte of the line belongs to.
#[derive(Clone, Copy, Default)]
enum Place {
    /// The first key, with the tag before it.
    #[default]
    Tag,
    /// The first field of what may be a punch.
    Pin,
    /// The second field of what may be a punch: a time decides.
    Time,
    Key,
    /// A value that is kept. `blank`: a blank in it may end it.
    Value {
        blank: bool,
    },
    /// A value that is counted.
    Template {
        blank: bool,
    },
    /// Behind the first blank of a value: so many bytes of what would make it the end of the value.
    Ahead {
        matched: usize,
        template: bool,
    },
    /// A line without pairs. It is kept.
    Plain,
    /// A line beyond the limit. It is counted.
    Lost,
}

/// What follows a blank that separates pairs.
const SEPARATED: &[u8] = b"TMP=";

impl Carry {
    /// Begins a line at byte `start` of the body.
    pub(super) fn begin(mut self, start: usize, reader: &RowReader<'_>) -> Self {
        self.kept.clear();
        let place = if reader.looks_for_a_time() { Place::Pin } else { Place::Tag };
        Self { kept: self.kept, start, place, ..Self::default() }
    }

    pub(super) fn kept(&self) -> &[u8] {
        &self.kept
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.start..self.start.saturating_add(self.len)
    }

    pub(super) fn dropped(&self) -> usize {
        self.dropped
    }

    pub(super) fn is_too_long(&self) -> bool {
        matches!(self.place, Place::Lost)
    }

    /// Takes the next bytes of the line.
    pub(super) fn take(&mut self, piece: &[u8], reader: &RowReader<'_>) {
        self.len = self.len.saturating_add(piece.len());
        self.sort(piece, reader);
    }

    /// Takes note that the line is over.
    pub(super) fn end(&mut self, reader: &RowReader<'_>) {
        if matches!(self.place, Place::Pin | Place::Time) {
            self.decide(reader);
        }
        if let Place::Ahead { matched, template: true } = self.place {
            self.take_back(matched);
        }
    }

    /// Keeps what is to be kept of the next bytes, and counts the rest.
    fn sort(&mut self, piece: &[u8], reader: &RowReader<'_>) {
        let limit = reader.line_limit();
        let mut rest = piece;
        while !rest.is_empty() {
            rest = match self.place {
                Place::Tag | Place::Key => self.take_key(rest, reader),
                Place::Pin => self.take_pin(rest, limit),
                Place::Time => self.take_time(rest, reader),
                Place::Value { blank } => self.take_value(rest, blank, limit),
                Place::Template { blank } => self.drop_value(rest, blank, limit),
                Place::Ahead { matched, template } => self.look_ahead(rest, matched, template, limit),
                Place::Plain => self.keep(rest, &[], limit),
                Place::Lost => &[],
            };
        }
    }

    fn take_pin<'a>(&mut self, rest: &'a [u8], limit: usize) -> &'a [u8] {
        let (text, tail) = split_behind(rest, memchr(b'\t', rest));
        let tail = self.keep(text, tail, limit);
        if text.ends_with(b"\t") {
            self.key = self.kept.len();
            self.go_to(Place::Time);
        }
        tail
    }

    fn take_time<'a>(&mut self, rest: &'a [u8], reader: &RowReader<'_>) -> &'a [u8] {
        // One byte more than a time has: by then it is one, or too long for one.
        let wanted = self.key.saturating_add(civil::LEN).saturating_add(1);
        let last = wanted.saturating_sub(self.kept.len()).saturating_sub(1);
        let next = rest.get(..=last).unwrap_or(rest);
        let (text, tail) = split_behind(rest, memchr(b'\t', next).or(Some(last).filter(|last| *last < rest.len())));
        let tail = self.keep(text, tail, reader.line_limit());
        if !self.is_too_long() && (text.ends_with(b"\t") || self.kept.len() >= wanted) {
            self.decide(reader);
        }
        tail
    }

    /// The second field is complete: a line with a tag that is no punch is sorted from its beginning.
    fn decide(&mut self, reader: &RowReader<'_>) {
        if matches!(reader.read_any_width(&self.kept), Ok(Row::Tagged(_))) {
            self.place = Place::Tag;
            let held = core::mem::take(&mut self.kept);
            self.sort(&held, reader);
        } else {
            self.place = Place::Plain;
        }
    }

    fn take_key<'a>(&mut self, rest: &'a [u8], reader: &RowReader<'_>) -> &'a [u8] {
        let (text, tail) = split_behind(rest, memchr2(b'=', b'\t', rest));
        let tail = self.keep(text, tail, reader.line_limit());
        match (text.last(), self.place) {
            (Some(b'='), Place::Tag) => self.read_tag(reader),
            (Some(b'\t'), Place::Tag) => {
                self.read_tag(reader);
                self.begin_key();
            }
            (Some(b'\t'), _) => self.begin_key(),
            (Some(b'='), _) => {
                let template = self.kept.get(self.key..).is_some_and(|key| Pair::parse(key).is_biometric());
                self.begin_value(template);
            }
            _ => {}
        }
        tail
    }

    /// The first key is complete: what kind of row is it?
    fn read_tag(&mut self, reader: &RowReader<'_>) {
        let pairs = match reader.read_any_width(&self.kept) {
            Ok(Row::Tagged(row)) => {
                self.blanks = row.tag() == "FP";
                Some(row.pairs())
            }
            Ok(Row::Record(row)) => Some(row.pairs()),
            Ok(Row::Punch(_) | Row::Event(_) | Row::Operation(_) | Row::Unknown(_)) | Err(_) => None,
        };
        match pairs.and_then(|mut pairs| pairs.next()).map(|first| first.is_biometric()) {
            Some(template) => self.begin_value(template),
            None => self.place = Place::Plain,
        }
    }

    fn begin_key(&mut self) {
        self.key = self.kept.len();
        self.go_to(Place::Key);
    }

    fn begin_value(&mut self, template: bool) {
        let blank = self.blanks;
        self.go_to(if template { Place::Template { blank } } else { Place::Value { blank } });
    }

    /// The rest of a plain or a lost line is nothing else.
    fn go_to(&mut self, place: Place) {
        if !matches!(self.place, Place::Plain | Place::Lost) {
            self.place = place;
        }
    }

    fn take_value<'a>(&mut self, rest: &'a [u8], blank: bool, limit: usize) -> &'a [u8] {
        let (text, tail) = split_behind(rest, end_of_value(rest, blank));
        let tail = self.keep(text, tail, limit);
        match text.last() {
            Some(b'\t') => self.begin_key(),
            Some(b' ') if blank => self.go_to(Place::Ahead { matched: 0, template: false }),
            _ => {}
        }
        tail
    }

    fn drop_value<'a>(&mut self, rest: &'a [u8], blank: bool, limit: usize) -> &'a [u8] {
        let end = end_of_value(rest, blank).unwrap_or(rest.len());
        let (text, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        self.dropped = self.dropped.saturating_add(text.len());
        let (separator, tail) = tail.split_at_checked(1).unwrap_or_default();
        let tail = self.keep(separator, tail, limit);
        match separator {
            b"\t" => self.begin_key(),
            b" " => self.go_to(Place::Ahead { matched: 0, template: true }),
            _ => {}
        }
        tail
    }

    fn look_ahead<'a>(&mut self, rest: &'a [u8], matched: usize, template: bool, limit: usize) -> &'a [u8] {
        let (next, tail) = rest.split_at_checked(1).unwrap_or_default();
        if next.first() != SEPARATED.get(matched) {
            if template {
                self.take_back(matched);
            }
            self.place = if template { Place::Template { blank: false } } else { Place::Value { blank: false } };
            return rest;
        }
        let tail = self.keep(next, tail, limit);
        let matched = matched.saturating_add(1);
        if matched < SEPARATED.len() {
            self.go_to(Place::Ahead { matched, template });
        } else {
            self.blanks = false;
            self.go_to(Place::Template { blank: false });
        }
        tail
    }

    /// A blank in a template separated nothing: it and what was kept behind it belong to the template.
    fn take_back(&mut self, matched: usize) {
        let count = matched.saturating_add(1);
        self.kept.truncate(self.kept.len().saturating_sub(count));
        self.dropped = self.dropped.saturating_add(count);
    }

    /// Keeps `text` and gives back `tail`; at the limit the line is lost, and with it the tail.
    fn keep<'a>(&mut self, text: &[u8], tail: &'a [u8], limit: usize) -> &'a [u8] {
        let room = limit.saturating_sub(self.kept.len());
        let (fits, beyond) = text.split_at_checked(room).unwrap_or((text, &[]));
        let needed = self.kept.len().saturating_add(fits.len());
        if needed > self.kept.capacity() {
            // Room for a punch at once; not beyond the limit, as a vector would that doubles.
            let wanted = self.kept.capacity().saturating_mul(2).max(64).clamp(needed, limit.max(needed));
            self.kept.reserve_exact(wanted.saturating_sub(self.kept.len()));
        }
        self.kept.extend_from_slice(fits);
        if beyond.is_empty() {
            return tail;
        }
        self.place = Place::Lost;
        &[]
    }
}

fn end_of_value(rest: &[u8], blank: bool) -> Option<usize> {
    if blank { memchr2(b'\t', b' ', rest) } else { memchr(b'\t', rest) }
}

/// Splits behind position `at`, or at the end.
fn split_behind(rest: &[u8], at: Option<usize>) -> (&[u8], &[u8]) {
    at.and_then(|at| rest.split_at_checked(at.saturating_add(1))).unwrap_or((rest, &[]))
}
