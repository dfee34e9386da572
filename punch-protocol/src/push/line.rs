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

/// Splits at LF, CR LF and lone CR. Empty lines are passed over but counted, nothing else is trimmed:
/// a leading TAB is an empty PIN, a trailing TAB an empty field.
#[derive(Clone)]
pub(super) struct Lines<'a> {
    rest: &'a [u8],
    offset: usize,
    number: u32,
}

impl<'a> Lines<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { rest: body, offset: 0, number: 0 }
    }

    fn take_line(&mut self) -> Line<'a> {
        let end = memchr2(b'\n', b'\r', self.rest).unwrap_or(self.rest.len());
        let (bytes, tail) = self.rest.split_at_checked(end).unwrap_or((self.rest, &[]));
        let (eol, rest) = match tail {
            [b'\r', b'\n', rest @ ..] => (2, rest),
            [_, rest @ ..] => (1, rest),
            [] => (0, tail),
        };
        let line = Line { number: self.number.saturating_add(1), start: self.offset, bytes };
        self.offset = self.offset.saturating_add(end).saturating_add(eol);
        self.number = line.number;
        self.rest = rest;
        line
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        while !self.rest.is_empty() {
            let line = self.take_line();
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
    let (first, rest) = field.trim_ascii().split_first()?;
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u32::from(byte & 0x0f));
    let value = rest.iter().try_fold(digit(first)?, |sum, byte| sum.checked_mul(10)?.checked_add(digit(byte)?))?;
    T::try_from(value).ok()
}
