use alloc::vec::Vec;
use core::fmt;

use encoding_rs::{Encoding, GB18030, UTF_8};

use super::error::CommandError;

/// The code page in which a terminal keeps names: UTF-8 unless an operator or the handshake says otherwise.
///
/// Chinese firmware (`language=83` and `84`) wants GB18030, Arabic units have been seen to want `windows-1256`.
/// The protocol itself does not say, so it is a setting per terminal.
///
/// ```
/// use punch_protocol::push::TextEncoding;
///
/// let arabic = TextEncoding::for_label("windows-1256").expect("a code page");
/// assert_eq!(arabic.to_string(), "windows-1256");
/// assert_eq!(TextEncoding::for_label("klingon"), None);
/// assert_eq!(TextEncoding::default(), TextEncoding::UTF_8);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TextEncoding(&'static Encoding);

impl TextEncoding {
    /// What current firmware speaks.
    pub const UTF_8: Self = Self(UTF_8);
    /// What firmware with a Chinese menu speaks.
    pub const GB18030: Self = Self(GB18030);

    /// The code page of that name, as the WHATWG Encoding Standard lists them; `None` if it lists none, or one
    /// that cannot be written (UTF-16).
    pub fn for_label(label: &str) -> Option<Self> {
        let found = Encoding::for_label_no_replacement(label.as_bytes())?;
        (found.output_encoding() == found).then_some(Self(found))
    }

    /// Writes `text` in this code page.
    pub(super) fn encode(self, key: &'static str, text: &str) -> Result<Vec<u8>, CommandError> {
        match self.0.encode(text) {
            (bytes, _, false) => Ok(bytes.into_owned()),
            (_, _, true) => Err(CommandError::Unencodable { key, encoding: self.0.name() }),
        }
    }
}

impl Default for TextEncoding {
    fn default() -> Self {
        Self::UTF_8
    }
}

impl fmt::Display for TextEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl fmt::Debug for TextEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TextEncoding({self})")
    }
}
