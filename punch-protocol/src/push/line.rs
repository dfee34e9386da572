use core::ops::Range;

use memchr::memchr2;

/// One line of a body: its number, its place, its bytes without the line end.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) number: u32,
    pub(super) start: usize,
    pub(super) bytes: &'a [u8],
}

impl Line<'_> {
    pub(super) fn span(&self) -> Range<usize> {
        self.start..self.start.saturating_add(self.bytes.len())
    }
}

/// How far a body has been read.
#[derive(Clone, Copy, Default)]
pub(super) struct Position {
    /// Bytes before this place.
    pub(super) offset: usize,
    /// Lines that ended before this place.
    pub(super) lines: u32,
    /// The byte before this place is a CR, so an LF here belongs to the same line end.
    after_cr: bool,
}

/// Splits at LF, CR LF and lone CR. Empty lines are passed over but counted, nothing else is trimmed:
/// a leading TAB is an empty PIN, a trailing TAB an empty field.
#[derive(Clone)]
pub(super) struct Lines<'a> {
    rest: &'a [u8],
    position: Position,
}

impl<'a> Lines<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { rest: body, position: Position::default() }
    }

    /// Goes on with the next piece of a body.
    pub(super) fn resume(piece: &'a [u8], position: Position) -> Self {
        match piece {
            [b'\n', rest @ ..] if position.after_cr => Self {
                rest,
                position: Position { offset: position.offset.saturating_add(1), after_cr: false, ..position },
            },
            [] => Self { rest: piece, position },
            _ => Self { rest: piece, position: Position { after_cr: false, ..position } },
        }
    }

    /// The next line that has its end in here, empty ones too.
    pub(super) fn next_ended(&mut self) -> Option<Line<'a>> {
        let end = memchr2(b'\n', b'\r', self.rest)?;
        let (bytes, tail) = self.rest.split_at_checked(end)?;
        let (eol, rest) = match tail {
            [b'\r', b'\n', rest @ ..] => (2, rest),
            [_, rest @ ..] => (1, rest),
            [] => (0, tail),
        };
        let line = Line { number: self.position.lines.saturating_add(1), start: self.position.offset, bytes };
        self.position = Position {
            offset: self.position.offset.saturating_add(end).saturating_add(eol),
            lines: line.number,
            after_cr: tail == b"\r",
        };
        self.rest = rest;
        Some(line)
    }

    /// What follows the last line end, and the position behind it.
    pub(super) fn remainder(self) -> (&'a [u8], Position) {
        let after_cr = self.position.after_cr && self.rest.is_empty();
        (
            self.rest,
            Position { offset: self.position.offset.saturating_add(self.rest.len()), after_cr, ..self.position },
        )
    }

    /// The last line of a body, which no line end follows.
    fn take_unended(&mut self) -> Line<'a> {
        let line =
            Line { number: self.position.lines.saturating_add(1), start: self.position.offset, bytes: self.rest };
        self.rest = &[];
        line
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        while !self.rest.is_empty() {
            let line = self.next_ended().unwrap_or_else(|| self.take_unended());
            if !line.bytes.is_empty() {
                return Some(line);
            }
        }
        None
    }
}

/// Cuts `bytes` at the first `separator`: what is before it, and what follows if it was there.
pub(super) fn cut(bytes: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    // Fields are a few bytes long, where a plain loop beats a vector search.
    match bytes.iter().position(|&byte| byte == separator) {
        Some(at) => match bytes.split_at_checked(at) {
            Some((head, [_, tail @ ..])) => (head, Some(tail)),
            Some(_) | None => (bytes, None),
        },
        None => (bytes, None),
    }
}

/// Reads an unsigned decimal that fills the whole field; blanks around it are ignored, signs are not digits.
pub(super) fn decimal<T: TryFrom<u32>>(field: &[u8]) -> Option<T> {
    // Most numbers of a row have one digit.
    if let [digit @ b'0'..=b'9'] = field {
        return T::try_from(u32::from(digit & 0x0f)).ok();
    }
    let (first, rest) = field.trim_ascii().split_first()?;
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u32::from(byte & 0x0f));
    let value = rest.iter().try_fold(digit(first)?, |sum, byte| sum.checked_mul(10)?.checked_add(digit(byte)?))?;
    T::try_from(value).ok()
}
