use alloc::string::String;
use core::fmt;

use serde::Deserialize;
use zeroize::Zeroizing;

/// A password, key or token. Wiped when dropped; its `Debug` shows nothing; there is no `Display`.
///
/// ```
/// use punch_erp::Credential;
///
/// assert_eq!(format!("{:?}", Credential::from("s3cret")), "Credential(..)");
/// ```
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct Credential(Zeroizing<String>);

impl Credential {
    /// The text itself. Hand it to the header that needs it and to nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Credential {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Credential {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(String::from(text)))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}
