use alloc::string::String;
use core::fmt;

use chrono::NaiveDateTime;
use memchr::memchr;

use super::line::{cut, decimal};
use crate::civil;

/// The header of a binary `ATTPHOTO` body. The picture behind it is measured, never kept.
///
/// `PIN=<name>`, `SN=`, `size=` and `CMD=` stand before a NUL, separated by LF or TAB; everything behind the
/// NUL is the picture.
///
/// ```
/// use punch_protocol::push::PhotoHeader;
///
/// let header = PhotoHeader::parse(b"PIN=20181003143617-22.jpg\nSN=T1\nsize=4\nCMD=uploadphoto\0\xff\xd8\xff\xd9");
/// let header = header.expect("a header");
/// assert_eq!((header.pin(), header.size, header.picture_len), (Some("22"), Some(4), 4));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PhotoHeader<'a> {
    /// Name of the file: `YYYYMMDDHHMMSS-<pin>.jpg`; without a PIN it shows a failed verification.
    pub file_name: &'a str,
    /// Length of the picture as announced, in bytes.
    pub size: Option<u64>,
    /// Length of the picture as received, in bytes.
    pub picture_len: usize,
}

impl<'a> PhotoHeader<'a> {
    /// Reads the header; `None` if there is none.
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        let (head, picture) = Self::split(body).unwrap_or((body, &[]));
        Self::read(head, picture.len())
    }

    /// The header and the picture; `None` if nothing ends the header.
    pub(super) fn split(body: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let nul = memchr(0, body).unwrap_or(body.len());
        let (head, tail) = body.split_at_checked(nul)?;
        // Without the NUL the picture begins at its own signature, and has a NUL of its own.
        match head.windows(3).position(|bytes| bytes == [0xff, 0xd8, 0xff]) {
            Some(at) => body.split_at_checked(at),
            None => tail.split_first().map(|(_, picture)| (head, picture)),
        }
    }

    /// Reads the text of a header without its end.
    pub(super) fn read(head: &'a [u8], picture_len: usize) -> Option<Self> {
        let value = |wanted: &[u8]| {
            let mut pairs = head.split(|byte| matches!(byte, b'\n' | b'\t' | b'\r')).map(|pair| cut(pair, b'='));
            pairs.find(|(key, _)| key.eq_ignore_ascii_case(wanted)).and_then(|(_, value)| value)
        };
        let file_name = core::str::from_utf8(value(b"PIN")?).ok()?;
        let size = value(b"size").and_then(decimal);
        Some(Self { file_name, size, picture_len })
    }

    /// The person; `None` if nobody was recognised. A PIN may contain `-`, so only the first one separates.
    pub fn pin(&self) -> Option<&'a str> {
        self.stem().get(14..)?.strip_prefix('-')
    }

    /// When the picture was taken, on the terminal's clock.
    pub fn time(&self) -> Option<NaiveDateTime> {
        let digits = self.stem().get(..14).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        let mut text = String::from(digits);
        for (at, separator) in [(12, ':'), (10, ':'), (8, ' '), (6, '-'), (4, '-')] {
            text.insert(at, separator);
        }
        civil::parse(text.as_bytes()).ok()
    }

    fn stem(&self) -> &'a str {
        self.file_name.strip_suffix(".jpg").unwrap_or(self.file_name)
    }
}

impl fmt::Debug for PhotoHeader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PhotoHeader").field("picture_len", &self.picture_len).finish_non_exhaustive()
    }
}
