use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use punch_protocol::Pin;
use serde::{Deserialize, Serialize};

/// Whose punches belong together: a key of the caller's for one person. `Debug` shows nothing.
///
/// Without a register it is the PIN. With one, two PINs may be one person, and one PIN two: a terminal at another site
/// counts its people on its own, and a PIN goes to the next one when somebody leaves.
///
/// ```
/// use punch_normalize::Person;
/// use punch_protocol::Pin;
///
/// assert_eq!(Person::of_pin(&Pin::new(b"007")), Person::new("007"));
/// assert_ne!(Person::new("007"), Person::new("7"));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Person(Box<str>);

impl Person {
    /// The person with this key.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into().into_boxed_str())
    }

    /// Somebody of whom only the PIN is known.
    pub fn of_pin(pin: &Pin<'_>) -> Self {
        Self::new(pin.to_text())
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(..)")
    }
}
