use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

/// What is wrong with one setting. The texts name the key and the cure, never the value of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No value.
    #[error("PE-CONF-001: `{key}` is empty; {cure}")]
    Missing {
        /// The key of the setting.
        key: &'static str,
        /// Where to get a value.
        cure: &'static str,
    },
    /// Not an address that calls can be made to.
    #[error("PE-CONF-002: `{key}` {problem}; write it like `https://erp.example.com`")]
    BadAddress {
        /// The key of the setting.
        key: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The secret would travel in the clear.
    #[error(
        "PE-CONF-003: `{key}` is not https, so the secret could be read on the way; use https, or set `allow_http = true`"
    )]
    PlainHttp {
        /// The key of the setting.
        key: &'static str,
    },
    /// A credential with a character that its header cannot carry.
    #[error("PE-CONF-004: `{key}` holds a blank, a colon or an invisible character; copy it again")]
    BadCredential {
        /// The key of the setting.
        key: &'static str,
    },
    /// Not a zone.
    #[error(
        "PE-CONF-005: `{key}` is `{found}`, which is not in the IANA database; copy the time zone of the ERP's settings, such as `Asia/Dhaka`"
    )]
    UnknownZone {
        /// The key of the setting.
        key: &'static str,
        /// The text found, at most 64 bytes of it.
        found: Box<str>,
    },
    /// A number that is too small or too big.
    #[error("PE-CONF-006: `{key}` is {found}, expected {expected}; leave it out for the default")]
    OutOfRange {
        /// The key of the setting.
        key: &'static str,
        /// The number found.
        found: u64,
        /// What it may be.
        expected: &'static str,
    },
    /// A way of logging in that the ERP's maker has ended.
    #[error(
        "PE-CONF-007: `{key}` asks for Basic (basic_auth_retired), which SAP ended on 2026-11-20; use `auth = \"ias\"`, or set `force_basic = true` for a server that still takes it"
    )]
    BasicRetired {
        /// The key of the setting.
        key: &'static str,
    },
    /// A value that the ERP does not take, or that contradicts another one.
    #[error("PE-CONF-008: `{key}` {problem}; {cure}")]
    Unfit {
        /// The key of the setting.
        key: &'static str,
        /// What is wrong with it.
        problem: &'static str,
        /// What to write instead.
        cure: &'static str,
    },
    /// Not a name that a table or a column is written by.
    #[error(
        "PE-CONF-009: `{key}` is `{found}`, expected letters, digits and `_`, 63 at most and no digit first; rename it in the database or make a view"
    )]
    BadIdentifier {
        /// The key of the setting.
        key: &'static str,
        /// The beginning of the text found.
        found: Box<str>,
    },
    /// Two things of the same name.
    #[error("PE-CONF-010: `{key}` has the name of another table or column; give it one of its own")]
    SameName {
        /// The key of the setting.
        key: &'static str,
    },
}

impl ConfigError {
    /// Every code, in order.
    pub const CODES: [&'static str; 10] = [
        "PE-CONF-001",
        "PE-CONF-002",
        "PE-CONF-003",
        "PE-CONF-004",
        "PE-CONF-005",
        "PE-CONF-006",
        "PE-CONF-007",
        "PE-CONF-008",
        "PE-CONF-009",
        "PE-CONF-010",
    ];

    /// The stable code the text begins with; [`errors`](crate::errors) has its paragraph.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "PE-CONF-001",
            Self::BadAddress { .. } => "PE-CONF-002",
            Self::PlainHttp { .. } => "PE-CONF-003",
            Self::BadCredential { .. } => "PE-CONF-004",
            Self::UnknownZone { .. } => "PE-CONF-005",
            Self::OutOfRange { .. } => "PE-CONF-006",
            Self::BasicRetired { .. } => "PE-CONF-007",
            Self::Unfit { .. } => "PE-CONF-008",
            Self::BadIdentifier { .. } => "PE-CONF-009",
            Self::SameName { .. } => "PE-CONF-010",
        }
    }

    /// The key of the setting.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Missing { key, .. }
            | Self::BadAddress { key, .. }
            | Self::PlainHttp { key }
            | Self::BadCredential { key }
            | Self::UnknownZone { key, .. }
            | Self::OutOfRange { key, .. }
            | Self::BasicRetired { key }
            | Self::Unfit { key, .. }
            | Self::BadIdentifier { key, .. }
            | Self::SameName { key } => key,
        }
    }
}

/// Everything that is wrong with a configuration, one error a line. There is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// The errors, in the order of the settings.
    pub fn iter(&self) -> core::slice::Iter<'_, ConfigError> {
        self.0.iter()
    }

    /// Fails with all of `errors`, or not at all.
    pub(crate) fn check(errors: Vec<ConfigError>) -> Result<(), Self> {
        if errors.is_empty() { Ok(()) } else { Err(Self(errors)) }
    }
}

impl<'a> IntoIterator for &'a ConfigErrors {
    type Item = &'a ConfigError;
    type IntoIter = core::slice::Iter<'a, ConfigError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl core::error::Error for ConfigErrors {}
