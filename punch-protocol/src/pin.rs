use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

/// The number or name a person types at a terminal: exact bytes, never an integer.
///
/// `007` is not `7`, and `A-77b` is legal (14-character alphanumeric PINs exist). Only the padding that
/// terminals add, spaces and NUL at either end, is removed. `Debug` is redacted: a PIN identifies a person.
///
/// ```
/// use punch_protocol::Pin;
///
/// assert_eq!(Pin::new(b" 1042\0\0"), Pin::new(b"1042"));
/// assert_ne!(Pin::new(b"007"), Pin::new(b"7"));
/// assert_eq!(format!("{:?}", Pin::new(b"1042")), "Pin(..)");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pin<'a>(Cow<'a, [u8]>);

impl<'a> Pin<'a> {
    /// Borrows `bytes`, without the spaces and NULs around them.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        let padded = [bytes.first(), bytes.last()].into_iter().flatten().any(is_padding);
        Self(Cow::Borrowed(if padded { without_padding(bytes) } else { bytes }))
    }

    /// The exact bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether the terminal gave no PIN: a stranger, seen with a temperature reading.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The PIN as text. Bytes that are not UTF-8 appear as `\xNN`, so no two PINs share a text.
    ///
    /// ```
    /// # use punch_protocol::Pin;
    /// assert_eq!(Pin::new("ñandú".as_bytes()).to_text(), "ñandú");
    /// assert_eq!(Pin::new(b"a\xff").to_text(), "a\\xff");
    /// ```
    pub fn to_text(&self) -> Cow<'_, str> {
        match core::str::from_utf8(&self.0) {
            // A backslash is escaped too, or the PIN `\xff` would read like the byte 0xff.
            Ok(text) if !text.contains('\\') => Cow::Borrowed(text),
            Ok(_) | Err(_) => Cow::Owned(self.escaped()),
        }
    }

    /// Reads what [`Pin::to_text`] wrote: the same bytes come back. Padding around the text is removed, as by
    /// [`Pin::new`].
    ///
    /// # Errors
    ///
    /// [`PinError`] if the text has a backslash that `to_text` would not have written, so no two texts name one PIN.
    ///
    /// ```
    /// # use punch_protocol::Pin;
    /// assert_eq!(Pin::parse_text("0042")?, Pin::new(b"0042"));
    /// assert_eq!(Pin::parse_text("a\\xff")?, Pin::new(b"a\xff"));
    /// assert!(Pin::parse_text("a\\q").is_err());
    /// assert!(Pin::parse_text("\\x41").is_err(), "written as `A`");
    /// # Ok::<(), punch_protocol::PinError>(())
    /// ```
    pub fn parse_text(text: &'a str) -> Result<Self, PinError> {
        let Some((plain, escapes)) = text.split_once('\\') else { return Ok(Self::new(text.as_bytes())) };
        let mut bytes = plain.as_bytes().to_vec();
        unescape(escapes, &mut bytes).ok_or(PinError)?;
        let pin = Pin::new(&bytes).into_owned();
        if pin.to_text() == text.trim_matches([' ', '\0']) { Ok(pin) } else { Err(PinError) }
    }

    fn escaped(&self) -> String {
        let mut text = String::new();
        for chunk in self.0.utf8_chunks() {
            text.push_str(&chunk.valid().replace('\\', "\\\\"));
            for byte in chunk.invalid() {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\x{byte:02x}");
            }
        }
        text
    }

    /// A copy that owns its bytes.
    pub fn into_owned(self) -> Pin<'static> {
        Pin(Cow::Owned(self.0.into_owned()))
    }
}

/// Why a text is not what [`Pin::to_text`] writes. It says nothing of the text: that may name a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("pin: an escape is neither `\\\\` nor `\\xNN` for a byte that is not UTF-8; write it as `Pin::to_text` does")]
#[non_exhaustive]
pub struct PinError;

/// Appends what the escapes stand for; `escapes` begins behind its first backslash.
fn unescape(mut escapes: &str, bytes: &mut Vec<u8>) -> Option<()> {
    loop {
        escapes = if let Some(rest) = escapes.strip_prefix('\\') {
            bytes.push(b'\\');
            rest
        } else {
            let (digits, rest) = escapes.strip_prefix('x')?.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest
        };
        let Some((plain, next)) = escapes.split_once('\\') else {
            bytes.extend_from_slice(escapes.as_bytes());
            return Some(());
        };
        bytes.extend_from_slice(plain.as_bytes());
        escapes = next;
    }
}

#[inline]
fn is_padding(byte: &u8) -> bool {
    matches!(byte, b' ' | 0)
}

#[cold]
fn without_padding(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !is_padding(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_padding(byte)).map_or(start, |last| last.saturating_add(1));
    bytes.get(start..end).unwrap_or_default()
}

impl fmt::Debug for Pin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "Pin()" } else { "Pin(..)" })
    }
}
