use core::ops::Range;

use super::super::errors::{RowError, RowErrorKind};
use super::super::line::{Line, Lines, Position};
use super::super::rows::{Fault, Row, RowReader, column_from_1};
use super::super::tagged::Pairs;
use super::carry::Carry;
use super::{Finished, Streamed};

/// The lines of a body that comes in pieces.
pub(super) struct StreamedLines<'h> {
    reader: RowReader<'h>,
    position: Position,
    carry: Option<Carry>,
    spare: Carry,
    tally: Finished,
}

impl<'h> StreamedLines<'h> {
    pub(super) fn new(reader: RowReader<'h>) -> Self {
        Self { reader, position: Position::default(), carry: None, spare: Carry::default(), tally: Finished::default() }
    }

    pub(super) fn take(&mut self, piece: &[u8], sink: &mut impl FnMut(Streamed<'_>)) {
        let mut lines = Lines::resume(piece, self.position);
        while let Some(line) = lines.next_ended() {
            match self.carry.take() {
                Some(carry) => self.end(carry, &line, sink),
                None if line.bytes.is_empty() => {}
                None => self.read_in_place(&line, sink),
            }
        }
        let (rest, position) = lines.remainder();
        if !rest.is_empty() {
            let start = position.offset.saturating_sub(rest.len());
            let mut carry = self.carry.take().unwrap_or_else(|| self.begin(start));
            carry.take(rest, &self.reader);
            self.carry = Some(carry);
        }
        self.position = position;
    }

    pub(super) fn finish(mut self, sink: &mut impl FnMut(Streamed<'_>)) -> Finished {
        if let Some(carry) = self.carry.take() {
            let number = self.position.lines.saturating_add(1);
            self.end(carry, &Line { number, start: self.position.offset, bytes: &[] }, sink);
        }
        self.tally
    }

    fn begin(&mut self, start: usize) -> Carry {
        core::mem::take(&mut self.spare).begin(start, &self.reader)
    }

    fn read_in_place(&mut self, line: &Line<'_>, sink: &mut impl FnMut(Streamed<'_>)) {
        let row = self.reader.read_any_width(line.bytes);
        if line.bytes.len() > self.reader.line_limit() || row.is_ok_and(|row| holds_template(&row)) {
            let carry = self.begin(line.start);
            return self.end(carry, line, sink);
        }
        let row = match row {
            Ok(row) if self.reader.is_too_wide(&row, line.bytes) => Err((RowErrorKind::TooManyFields, 0)),
            row => row,
        };
        self.give(row, line, line.span(), 0, sink);
    }

    /// Reads a carried line of which `last` is the last piece.
    fn end(&mut self, mut carry: Carry, last: &Line<'_>, sink: &mut impl FnMut(Streamed<'_>)) {
        carry.take(last.bytes, &self.reader);
        carry.end(&self.reader);
        let limit = self.reader.line_limit();
        let row =
            if carry.is_too_long() { Err((RowErrorKind::TooLong, limit)) } else { self.reader.read(carry.kept()) };
        self.give(row, &Line { bytes: carry.kept(), ..*last }, carry.span(), carry.dropped(), sink);
        self.spare = carry;
    }

    fn give(
        &mut self,
        row: Result<Row<'_>, Fault>,
        line: &Line<'_>,
        span: Range<usize>,
        dropped: usize,
        sink: &mut impl FnMut(Streamed<'_>),
    ) {
        self.tally.lines = self.tally.lines.saturating_add(1);
        self.tally.dropped = self.tally.dropped.saturating_add(dropped);
        match row {
            Ok(row) => sink(Streamed::Row { row, line: line.number, span, dropped }),
            Err((kind, column)) => {
                self.tally.errors = self.tally.errors.saturating_add(1);
                let column = column_from_1(column);
                let table = self.reader.table;
                sink(Streamed::Error(RowError { kind, table, line: line.number, column, span, raw: line.bytes }));
            }
        }
    }
}

fn holds_template(row: &Row<'_>) -> bool {
    let any = |mut pairs: Pairs<'_>| pairs.any(|pair| pair.is_biometric() && !pair.value.is_empty());
    match row {
        Row::Tagged(row) => any(row.pairs()),
        Row::Record(row) => any(row.pairs()),
        Row::Punch(_) | Row::Event(_) | Row::Operation(_) | Row::Unknown(_) => false,
    }
}
