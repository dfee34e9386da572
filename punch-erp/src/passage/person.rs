use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use crate::ConfigError;

/// Which of a person's ids is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PersonScheme {
    /// The id that HikCentral shows to people, 16 characters at most. Older versions do not send it with events.
    PersonCode,
    /// HikCentral's internal number.
    PersonId,
    /// The number of the card.
    CardNo,
    /// The employee number of a terminal without HikCentral.
    EmployeeNo,
    /// A field that HikCentral's administrator defined, by its name. No event has it, so the person is looked up.
    Custom(String),
}

impl PersonScheme {
    /// The word for settings: `person_code`, `person_id`, `card_no`, `employee_no`, `custom`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::PersonCode => "person_code",
            Self::PersonId => "person_id",
            Self::CardNo => "card_no",
            Self::EmployeeNo => "employee_no",
            Self::Custom(_) => "custom",
        }
    }
}

impl FromStr for PersonScheme {
    type Err = ConfigError;

    /// Reads a word, or `custom:` and the name of a field.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        if let Some(name) = text.strip_prefix("custom:").map(str::trim).filter(|name| !name.is_empty()) {
            return Ok(Self::Custom(name.into()));
        }
        let words = [Self::PersonCode, Self::PersonId, Self::CardNo, Self::EmployeeNo];
        words.into_iter().find(|scheme| scheme.as_str() == text).ok_or(ConfigError::Unfit {
            key: "employee_field",
            problem: "is none of the ids that events have",
            cure: "write `person_code`, `person_id`, `card_no`, `employee_no` or `custom:` and the name of the field",
        })
    }
}

/// One id of a person. `Debug` shows which, and not the value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct PersonKey {
    /// Which id it is.
    pub scheme: PersonScheme,
    /// The id. Text: leading zeros matter.
    pub value: String,
}

impl PersonKey {
    /// An id, unless it is empty or `0`, by which both products mean nobody.
    pub fn new(scheme: PersonScheme, value: impl Into<String>) -> Option<Self> {
        let value = value.into();
        (!value.is_empty() && value != "0").then_some(Self { scheme, value })
    }
}

impl fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonKey({})", self.scheme.as_str())
    }
}
