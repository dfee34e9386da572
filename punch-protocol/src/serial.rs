use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use core::fmt;

/// A terminal's serial number: 1 to 64 ASCII letters, digits, `_`, `-` or `.`.
///
/// It is the key of everything a terminal sends. Captures show 10 to 19 letters and digits; the wider
/// alphabet is what servers in the field accept. A serial never starts with `.`, so it is safe as a file name.
///
/// ```
/// use punch_protocol::SerialNumber;
///
/// let serial = SerialNumber::parse("CZKE2241600045")?;
/// assert_eq!(serial.as_str(), "CZKE2241600045");
/// assert!(SerialNumber::parse("../../etc/passwd").is_err());
/// # Ok::<(), punch_protocol::SerialError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialNumber(Box<str>);

impl SerialNumber {
    /// The longest serial accepted, in bytes.
    pub const MAX_LEN: usize = 64;

    /// Checks `text` and keeps a copy.
    ///
    /// # Errors
    ///
    /// [`SerialError`] if the text is empty, too long, or has a character outside the alphabet.
    pub fn parse(text: &str) -> Result<Self, SerialError> {
        if text.is_empty() {
            return Err(SerialError::Empty);
        }
        if text.len() > Self::MAX_LEN {
            return Err(SerialError::TooLong { len: text.len() });
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        match text.char_indices().find(|&(at, c)| !allowed(c) || (at == 0 && c == '.')) {
            Some((at, _)) => Err(SerialError::BadCharacter { at }),
            None => Ok(Self(text.to_owned().into_boxed_str())),
        }
    }

    /// The serial as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialNumber({})", self.0)
    }
}

/// Why a text is not a [`SerialNumber`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SerialError {
    /// There is no character at all.
    #[error("serial number: empty, expected 1 to 64 letters, digits, `_`, `-` or `.`")]
    Empty,
    /// More than [`SerialNumber::MAX_LEN`] bytes.
    #[error("serial number: {len} bytes, at most 64 are accepted")]
    TooLong {
        /// The length found, in bytes.
        len: usize,
    },
    /// A character outside the alphabet.
    #[error("serial number: character at byte {at} is not a letter, digit, `_`, `-` or `.`")]
    BadCharacter {
        /// Byte offset of the character.
        at: usize,
    },
}
