use alloc::string::String;
use core::fmt;

use chrono::NaiveDateTime;
use memchr::memchr;

use super::attlog::is_citizen_number;
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
    /// The terminal named in the header.
    pub serial: Option<&'a str>,
    /// `uploadphoto`, or `realupload` for a picture sent at once.
    pub command: Option<&'a str>,
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
        let text = |key: &[u8]| value(key).and_then(|value| core::str::from_utf8(value).ok());
        let size = value(b"size").and_then(decimal::<u32>).map(u64::from);
        Some(Self { file_name: text(b"PIN")?, size, picture_len, serial: text(b"SN"), command: text(b"CMD") })
    }

    /// The person; `None` if nobody was recognised. A PIN may contain `-`, so only the first one separates.
    ///
    /// On an identity terminal's photo this is the PIN inside the name.
    pub fn pin(&self) -> Option<&'a str> {
        match self.identity() {
            Some(identity) => Some(identity.pin),
            None => self.behind_the_time(),
        }
    }

    /// The name as an identity terminal writes it: `<time>-<kind>-<pin>-<card number>.jpg`.
    ///
    /// Only the handshake (`DeviceType=pid`) tells for sure; a citizen's number at the end tells too.
    pub fn identity(&self) -> Option<IdentityPhoto<'a>> {
        let (kind, rest) = self.behind_the_time()?.split_once('-')?;
        let (pin, number) = rest.rsplit_once('-')?;
        let kind = kind.parse().ok().filter(|_| is_citizen_number(number.as_bytes()))?;
        Some(IdentityPhoto { kind: PhotoKind(kind), pin, number })
    }

    fn behind_the_time(&self) -> Option<&'a str> {
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
        match self.file_name.rsplit_once('.') {
            Some((stem, suffix)) if suffix.eq_ignore_ascii_case("jpg") => stem,
            Some(_) | None => self.file_name,
        }
    }
}

impl fmt::Debug for PhotoHeader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PhotoHeader").field("picture_len", &self.picture_len).finish_non_exhaustive()
    }
}

/// What the name of an identity terminal's photo says. `Debug` shows neither person nor card.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentityPhoto<'a> {
    /// What became of the person.
    pub kind: PhotoKind,
    /// The person.
    pub pin: &'a str,
    /// Number of the card.
    pub number: &'a str,
}

impl fmt::Debug for IdentityPhoto<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityPhoto").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The kind number in the name of an identity terminal's photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with names; it never grows a field")]
pub struct PhotoKind(pub u8);

impl PhotoKind {
    /// A punch that was accepted.
    pub const ACCEPTED: Self = Self(0);
    /// A punch that was refused.
    pub const REFUSED: Self = Self(1);
    /// Somebody on the blacklist.
    pub const BLACKLISTED: Self = Self(2);
    /// An identity card that belongs to the person.
    pub const IDENTITY_CONFIRMED: Self = Self(3);
    /// An identity card that does not.
    pub const IDENTITY_REFUSED: Self = Self(4);
}

impl fmt::Display for PhotoKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ACCEPTED => f.write_str("ok"),
            Self::REFUSED => f.write_str("failed"),
            Self::BLACKLISTED => f.write_str("blacklist"),
            Self::IDENTITY_CONFIRMED => f.write_str("id ok"),
            Self::IDENTITY_REFUSED => f.write_str("id failed"),
            Self(other) => write!(f, "kind {other}"),
        }
    }
}
