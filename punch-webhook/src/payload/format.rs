use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// The shape a receiver wants its events in.
///
/// ```
/// use punch_webhook::PayloadFormat;
///
/// let format: PayloadFormat = "flat_strict_000".parse()?;
/// assert_eq!(format, PayloadFormat::FlatStrict000);
/// assert_eq!(PayloadFormat::default().to_string(), "nested");
/// # Ok::<(), punch_webhook::PayloadFormatError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PayloadFormat {
    /// Objects for device, employee, punch and metadata. The canonical one.
    #[default]
    #[serde(rename = "nested")]
    Nested,
    /// One level, with the direction under both names that code in the field reads: `direction` and `punch_type`.
    #[serde(rename = "flat")]
    Flat,
    /// One level, exactly: event, `device_serial`, `employee_id`, timestamp, direction, method, `event_id`.
    #[serde(rename = "flat_strict_000")]
    FlatStrict000,
    /// One level, exactly: `event_id`, `employee_id`, timestamp, `device_serial`, `punch_type`.
    #[serde(rename = "flat_strict_001")]
    FlatStrict001,
}

impl PayloadFormat {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Nested, Self::Flat, Self::FlatStrict000, Self::FlatStrict001];

    /// The word that configuration and API use: `nested`, `flat`, `flat_strict_000` or `flat_strict_001`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nested => "nested",
            Self::Flat => "flat",
            Self::FlatStrict000 => "flat_strict_000",
            Self::FlatStrict001 => "flat_strict_001",
        }
    }
}

impl fmt::Display for PayloadFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PayloadFormat {
    type Err = PayloadFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.as_str() == text).ok_or(PayloadFormatError)
    }
}

/// The text is not the word of a [`PayloadFormat`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("PW-FMT-001: payload format: expected `nested`, `flat`, `flat_strict_000` or `flat_strict_001`")]
#[non_exhaustive]
pub struct PayloadFormatError;

impl PayloadFormatError {
    /// The stable code the text begins with; [`errors`](crate::errors) has its paragraph.
    pub fn code(&self) -> &'static str {
        "PW-FMT-001"
    }
}
