use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use super::error::CommandError;

/// The name a server gives a command, and a terminal repeats in the result: 1 to 16 ASCII letters and digits.
///
/// Firmware cuts off what is longer, so a longer id (a UUID) never matches its result. Ids are unique for one
/// terminal only.
///
/// ```
/// use punch_protocol::push::CommandId;
///
/// assert_eq!(CommandId::parse("info8487")?.as_str(), "info8487");
/// assert_eq!(CommandId::numbered(1_000_000).as_str(), "lfls");
/// assert!(CommandId::parse("0b8e1f6e-8c1d-4a53-9d2f-6f1f2a3b4c5d").is_err());
/// # Ok::<(), punch_protocol::push::CommandError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(String);

impl CommandId {
    /// The longest id that firmware repeats unharmed, in bytes.
    pub const MAX_LEN: usize = 16;

    /// Checks `text` and keeps a copy.
    ///
    /// # Errors
    ///
    /// [`CommandError::BadId`] if it is empty, longer than [`CommandId::MAX_LEN`], or has anything but letters and
    /// digits in it.
    pub fn parse(text: &str) -> Result<Self, CommandError> {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if text.is_empty() || text.len() > Self::MAX_LEN || !plain {
            return Err(CommandError::BadId { len: text.len() });
        }
        Ok(Self(text.to_owned()))
    }

    /// The id of the `number`th command: base 36, at most 13 characters.
    pub fn numbered(mut number: u64) -> Self {
        let mut digits = [0_u8; 13];
        let mut first = digits.len();
        for (at, slot) in digits.iter_mut().enumerate().rev() {
            let digit = u32::try_from(number.checked_rem(36).unwrap_or(0)).unwrap_or(0);
            *slot = char::from_digit(digit, 36).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(b'0');
            first = at;
            number = number.checked_div(36).unwrap_or(0);
            if number == 0 {
                break;
            }
        }
        let text = digits.get(first..).and_then(|digits| core::str::from_utf8(digits).ok());
        Self(text.unwrap_or("0").to_owned())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommandId({})", self.0)
    }
}
