use core::fmt;

use punch_protocol::Verify;
use serde::{Deserialize, Serialize};

/// How the person was recognised.
///
/// ```
/// use punch_normalize::Method;
/// use punch_protocol::Verify;
///
/// assert_eq!(Method::from_verify(Some(Verify::FINGERPRINT)), Method::Fingerprint);
/// assert_eq!(Method::from_verify(Some(Verify(16))), Method::Multi);
/// assert_eq!(Method::from_verify(Some(Verify(777))), Method::Unknown);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Method {
    /// A finger.
    Fingerprint,
    /// A face.
    Face,
    /// A card or tag.
    Card,
    /// A PIN alone.
    Pin,
    /// A password.
    Password,
    /// A palm.
    Palm,
    /// A vein pattern.
    Vein,
    /// A combination of methods.
    Multi,
    /// Not said, or a code without a name.
    #[serde(other)]
    Unknown,
}

impl Method {
    /// Reads the verification code by the vendor manual's attendance table.
    pub fn from_verify(verify: Option<Verify>) -> Self {
        match verify {
            Some(Verify::FINGERPRINT) => Self::Fingerprint,
            Some(Verify::PIN) => Self::Pin,
            Some(Verify::PASSWORD) => Self::Password,
            Some(Verify::CARD) => Self::Card,
            Some(Verify::FACE) => Self::Face,
            Some(Verify::FINGER_VEIN) => Self::Vein,
            Some(Verify::PALM) => Self::Palm,
            Some(code) if code.is_combination() => Self::Multi,
            Some(_) | None => Self::Unknown,
        }
    }

    /// The word the contract uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fingerprint => "fingerprint",
            Self::Face => "face",
            Self::Card => "card",
            Self::Pin => "pin",
            Self::Password => "password",
            Self::Palm => "palm",
            Self::Vein => "vein",
            Self::Multi => "multi",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
