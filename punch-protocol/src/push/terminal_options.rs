use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

use memchr::memchr3;
use nom::IResult;
use nom::Parser as _;
use nom::bytes::complete::{tag, take_while1};
use nom::character::complete::char as symbol;
use nom::combinator::{opt, recognize};

/// The parameters a terminal pushes (`table=options`): `~DeviceName=SenseFace 2A,FPVersion=13,…`.
///
/// Pairs are separated by commas, newlines or both. A value may contain a comma, so a comma separates only
/// where a key follows it.
#[derive(Clone, Copy)]
pub struct TerminalOptions<'a>(&'a [u8]);

impl<'a> TerminalOptions<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self(body)
    }

    /// The pairs as text, in the order sent. Bytes that are not UTF-8 are replaced.
    pub fn pairs(&self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            loop {
                rest = trim_separators(rest);
                if rest.is_empty() {
                    return None;
                }
                let (pair, tail) = rest.split_at_checked(pair_end(rest)).unwrap_or((rest, &[]));
                rest = tail;
                if let Some(at) = pair.iter().position(|&byte| byte == b'=') {
                    let (key, value) = pair.split_at_checked(at).unwrap_or((pair, b"="));
                    let value = value.get(1..).unwrap_or_default();
                    return Some((String::from_utf8_lossy(key), String::from_utf8_lossy(value)));
                }
            }
        })
    }

    /// The value of `key`, whatever its letter case.
    pub fn value(&self, key: &str) -> Option<Cow<'a, str>> {
        self.pairs().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
    }
}

impl fmt::Debug for TerminalOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pairs().map(|(key, _)| key)).finish()
    }
}

fn trim_separators(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !matches!(byte, b',' | b'\n' | b'\r')).unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

/// Where the pair at the start of `text` ends: at a newline, or at a comma with a key behind it.
fn pair_end(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let value = memchr3(b',', b'\n', b'\r', rest).unwrap_or(rest.len());
        let end = at.saturating_add(value);
        let separators = rest.get(value..).unwrap_or_default();
        let tail = trim_separators(separators);
        // One look per run of commas: a look at each would take a hostile body's length squared.
        let commas = separators.iter().take_while(|byte| **byte == b',').count();
        if commas == 0 || tail.is_empty() || key_and_equals(tail).is_ok() {
            return end;
        }
        at = end.saturating_add(commas);
    }
    text.len()
}

fn key_and_equals(text: &[u8]) -> IResult<&[u8], &[u8]> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    recognize((opt(tag(&b"~"[..])), take_while1(letter), symbol('='))).parse(text)
}
