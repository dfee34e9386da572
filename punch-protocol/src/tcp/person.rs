use core::fmt;

use crate::Pin;

/// Whom a record is about, in the three ways that records say it.
///
/// `Debug` shows which way, never who.
///
/// ```
/// use punch_protocol::Pin;
/// use punch_protocol::tcp::Person;
///
/// assert_eq!(Person::Number(1007).pin(), Some(Pin::new(b"1007").into_owned()));
/// assert_eq!(Person::Slot(7).pin(), None); // only the terminal's users tell
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Person<'a> {
    /// The PIN as text.
    Pin(Pin<'a>),
    /// The PIN as a number, of units whose PINs are numbers.
    Number(u32),
    /// The place in the terminal's own table of users (`uid`). A person who is deleted leaves it to the next one.
    Slot(u16),
}

impl<'a> Person<'a> {
    /// The PIN, unless only the slot is known.
    pub fn pin(&self) -> Option<Pin<'a>> {
        match self {
            Self::Pin(pin) => Some(pin.clone()),
            Self::Number(number) => {
                use alloc::string::ToString as _;
                Some(Pin::new(number.to_string().as_bytes()).into_owned())
            }
            Self::Slot(_) => None,
        }
    }
}

impl fmt::Debug for Person<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pin(_) => "Pin(..)",
            Self::Number(_) => "Number(..)",
            Self::Slot(_) => "Slot(..)",
        })
    }
}
