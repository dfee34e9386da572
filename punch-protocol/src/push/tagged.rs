use alloc::borrow::Cow;
use core::fmt;

use super::line::{cut, decimal};

/// A row of `key=value` pairs behind a tag: `USER`, `FP`, `BIODATA`, `IDCARD`, `ERRORLOG` and their kin.
///
/// `Debug` shows the tag and the keys; values hold names, passwords and templates.
#[derive(Clone, Copy)]
pub struct TaggedRow<'a> {
    tag: &'static str,
    pairs: &'a [u8],
    /// Whether the line itself has the tag.
    written: bool,
}

impl<'a> TaggedRow<'a> {
    /// The tags that upload tables know.
    pub const TAGS: [&'static str; 11] =
        ["USER", "FP", "FACE", "FVEIN", "USERPIC", "BIOPHOTO", "BIODATA", "IDCARD", "ERRORLOG", "WORKCODE", "PLAM"];

    /// Reads `TAG key=value TAB key=value …`, or pairs alone if the table itself is the tag.
    pub(super) fn parse(line: &'a [u8], table: &str) -> Option<Self> {
        let (head, tail) = cut(line, b' ');
        let tag = Self::TAGS.into_iter().find(|tag| tag.as_bytes().eq_ignore_ascii_case(head));
        match (tag, tail) {
            (Some(tag), Some(pairs)) => Some(Self { tag, pairs, written: true }),
            _ => {
                let tag = table_as_tag(table).filter(|_| cut(line, b'\t').0.contains(&b'='))?;
                Some(Self { tag, pairs: line, written: false })
            }
        }
    }

    /// The tag, in capitals however it was written.
    pub fn tag(&self) -> &'static str {
        self.tag
    }

    /// Whether the row itself has the tag; without it the table's name stands for it.
    pub fn has_tag(&self) -> bool {
        self.written
    }

    /// The pairs, in the order of the row.
    pub fn pairs(&self) -> Pairs<'a> {
        Pairs(Some(self.pairs), self.tag)
    }

    /// The value of `key`, whatever its letter case.
    pub fn value(&self, key: &str) -> Option<&'a [u8]> {
        self.pairs().find(|pair| pair.key.eq_ignore_ascii_case(key.as_bytes())).map(|pair| pair.value)
    }

    /// Whether the row carries a template or a picture, which nobody may store.
    pub fn is_biometric(&self) -> bool {
        matches!(self.tag, "FP" | "FACE" | "FVEIN" | "USERPIC" | "BIOPHOTO" | "BIODATA" | "PLAM")
            || (self.tag == "IDCARD" && self.pairs().any(|pair| pair.is_biometric() && !pair.value.is_empty()))
    }

    /// What is odd about the row. It is kept as it stands; nothing is repaired.
    ///
    /// ```
    /// use punch_protocol::push::{Doubt, Row, Rows};
    ///
    /// let mut rows = Rows::of("OPERLOG", b"FP PIN==1\tFID=0\tSize=9\tValid=1\tTMP=QUJD\n");
    /// let Some(Ok(Row::Tagged(row))) = rows.next() else { panic!() };
    /// assert_eq!(row.doubts().collect::<Vec<_>>(), [Doubt::SizeMismatch, Doubt::PinStartsWithEquals]);
    /// ```
    pub fn doubts(&self) -> impl Iterator<Item = Doubt> {
        let template = ["TMP", "Content"].into_iter().find_map(|key| self.value(key)).filter(|text| !text.is_empty());
        let size = self.value("Size").and_then(decimal::<u32>).map(|size| usize::try_from(size).ok());
        let other_size = template.is_some_and(|text| size.is_some_and(|size| size != Some(text.len())));
        let pin_with_equals = self.value("PIN").is_some_and(|pin| pin.starts_with(b"="));
        let doubts = [
            (other_size, Doubt::SizeMismatch),
            (template.is_some_and(|text| !is_base64(text)), Doubt::BadBase64),
            (self.has_blank_separator(), Doubt::BlankSeparator),
            (pin_with_equals, Doubt::PinStartsWithEquals),
        ];
        doubts.into_iter().filter_map(|(holds, doubt)| holds.then_some(doubt))
    }

    /// Whether pairs are separated by blanks as well as TABs, as one server's tests show for `FP` rows.
    pub fn has_blank_separator(&self) -> bool {
        Pairs(Some(self.pairs), "").any(|pair| blank_before_template(self.tag, pair.value).is_some())
    }
}

/// What may be wrong with a [`TaggedRow`] that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Doubt {
    /// `Size` is not the number of base64 characters that follow. Some servers and test writers count raw bytes.
    SizeMismatch,
    /// The template or picture has characters outside the base64 alphabet.
    BadBase64,
    /// A blank separates two pairs where a TAB belongs.
    BlankSeparator,
    /// The PIN begins with `=`, as if the equals sign had been doubled.
    PinStartsWithEquals,
}

impl Doubt {
    /// One word for machines.
    pub fn reason(self) -> &'static str {
        match self {
            Self::SizeMismatch => "size_mismatch",
            Self::BadBase64 => "bad_base64",
            Self::BlankSeparator => "space_separator",
            Self::PinStartsWithEquals => "pin_starts_with_equals",
        }
    }
}

impl fmt::Debug for TaggedRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.tag, self.pairs())
    }
}

/// `USERINFO` and `FINGERTMP` bodies may come without tags.
fn table_as_tag(table: &str) -> Option<&'static str> {
    let tag = match table {
        "USERINFO" => "USER",
        "FINGERTMP" => "FP",
        other => other,
    };
    TaggedRow::TAGS.into_iter().find(|known| known.eq_ignore_ascii_case(tag))
}

/// Characters of the standard alphabet, padded or cut short.
fn is_base64(text: &[u8]) -> bool {
    let letters = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    letters.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

/// One `key=value`, split at the first `=`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pair<'a> {
    /// The key as spelled.
    pub key: &'a [u8],
    /// Everything behind the first `=`.
    pub value: &'a [u8],
    has_equals: bool,
}

impl<'a> Pair<'a> {
    pub(super) fn parse(field: &'a [u8]) -> Self {
        let (key, value) = cut(field, b'=');
        Self { key, value: value.unwrap_or_default(), has_equals: value.is_some() }
    }

    /// Whether the value is a template or a picture.
    pub fn is_biometric(&self) -> bool {
        const KEYS: [&[u8]; 6] = [b"TMP", b"Content", b"template", b"photo", b"FPTemplate1", b"FPTemplate2"];
        KEYS.iter().any(|key| self.key.eq_ignore_ascii_case(key))
    }

    /// The value as text: UTF-8, or else the code page of Chinese firmware.
    pub fn text(&self) -> Cow<'a, str> {
        decode_text(self.value)
    }
}

impl fmt::Debug for Pair<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A field without `=` and a piece of a template come here as keys too.
        let like_a_key = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'~');
        let shown = self.has_equals && self.key.len() <= 32 && self.key.iter().all(like_a_key);
        let key = core::str::from_utf8(self.key).ok().filter(|_| shown).unwrap_or_default();
        write!(f, "{key}=..")
    }
}

/// UTF-8, or else GB18030, whose bytes are never taken for a TAB, a line end or an equals sign.
pub(super) fn decode_text(bytes: &[u8]) -> Cow<'_, str> {
    match core::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => encoding_rs::GB18030.decode_without_bom_handling(bytes).0,
    }
}

/// Pairs of one row, TAB-separated.
#[derive(Clone, Copy)]
pub struct Pairs<'a>(pub(super) Option<&'a [u8]>, pub(super) &'a str);

impl<'a> Pairs<'a> {
    /// The first pair with one of these keys, whatever their letter case.
    pub(super) fn first_of(mut self, keys: &[&str]) -> Option<Pair<'a>> {
        self.find(|pair| keys.iter().any(|key| pair.key.eq_ignore_ascii_case(key.as_bytes())))
    }

    /// The value of the first pair with one of these keys, unless it is empty.
    pub(super) fn value(self, keys: &[&str]) -> Option<&'a [u8]> {
        self.first_of(keys).map(|pair| pair.value).filter(|value| !value.is_empty())
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        let (field, rest) = cut(self.0?, b'\t');
        let pair = Pair::parse(field);
        if let Some((value, template)) = blank_before_template(self.1, pair.value) {
            // The template goes on to the next TAB, and what is behind it follows; a template has no blanks.
            let text = self.0.unwrap_or_default();
            self.0 = text.get(field.len().saturating_sub(template.len())..);
            self.1 = "";
            return Some(Pair { value, ..pair });
        }
        self.0 = rest;
        Some(pair)
    }
}

impl fmt::Debug for Pairs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(*self).finish()
    }
}

/// `Valid=1 TMP=…`: a blank where a TAB belongs. Only before a finger's template, because names hold blanks.
fn blank_before_template<'a>(tag: &str, value: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (head, tail) = cut(value, b' ');
    tail.filter(|tail| tag == "FP" && tail.starts_with(b"TMP=")).map(|tail| (head, tail))
}
