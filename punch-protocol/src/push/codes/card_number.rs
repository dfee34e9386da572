use alloc::format;
use alloc::string::String;
use core::fmt;

/// The number of a card.
///
/// Terminals write it as a decimal, or in brackets as its bytes in hex, the lowest first. `0` and an empty field mean
/// that there is no card. `Debug` is redacted: a card stands for a person and opens doors.
///
/// ```
/// use punch_protocol::push::CardNumber;
///
/// let card = CardNumber::parse(b"[15CD5B07]").expect("a number");
/// assert_eq!(card, CardNumber::parse(b"123456789").expect("a number"));
/// assert_eq!(card.to_string(), "123456789");
/// assert_eq!(card.to_hex(), "[15CD5B07]");
/// assert_eq!(CardNumber::parse(b"").map(CardNumber::declared), Some(None));
/// assert_eq!(CardNumber::parse(b"card"), None);
/// assert_eq!(format!("{card:?}"), "CardNumber(..)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CardNumber(u64);

impl CardNumber {
    /// No card.
    pub const NONE: Self = Self(0);

    /// Takes a number.
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// Reads a field; blanks around it are ignored. `None` if it is neither a decimal nor one to eight bytes in
    /// brackets. Terminals on record write four or five.
    pub fn parse(field: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(field).ok()?.trim_ascii();
        match text.strip_prefix('[') {
            Some(rest) => from_hex(rest.strip_suffix(']')?).map(Self),
            None if text.is_empty() => Some(Self::NONE),
            // A sign is not a digit.
            None => text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit())).map(Self),
        }
    }

    /// The number; 0 if there is no card.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The number, unless it is [`CardNumber::NONE`].
    pub fn declared(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }

    /// The form in brackets: four bytes, five where the number needs more, eight where it needs still more.
    pub fn to_hex(self) -> String {
        let [a, b, c, d, e, f, g, h] = self.0.to_le_bytes();
        let low = format!("{a:02X}{b:02X}{c:02X}{d:02X}");
        match [e, f, g, h] {
            [0, 0, 0, 0] => format!("[{low}]"),
            [e, 0, 0, 0] => format!("[{low}{e:02X}]"),
            _ => format!("[{low}{e:02X}{f:02X}{g:02X}{h:02X}]"),
        }
    }
}

fn from_hex(digits: &str) -> Option<u64> {
    let all_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let whole = all_hex && digits.len().is_multiple_of(2) && matches!(digits.len(), 2..=16);
    // Read as one number, the first byte is the highest; the bytes that are missing are then the lowest.
    let unused = u32::try_from(16_usize.checked_sub(digits.len())?).ok()?.saturating_mul(4);
    let highest_first = u64::from_str_radix(digits, 16).ok().filter(|_| whole)?;
    Some(highest_first.checked_shl(unused)?.swap_bytes())
}

impl fmt::Display for CardNumber {
    /// The decimal form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::NONE { "CardNumber()" } else { "CardNumber(..)" })
    }
}
