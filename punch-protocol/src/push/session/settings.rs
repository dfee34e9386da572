use alloc::borrow::ToOwned as _;
use alloc::string::String;
use core::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::super::commands::{CommandLimits, TextEncoding};
use super::super::handshake::Dialect;
use super::super::time_zone::TimeZoneMinutes;
use super::Stamps;

/// What a server tells one terminal, and what it remembers of it from an earlier life.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The offset of the terminal's zone right now; it sets the clock with it.
    pub time_zone: TimeZoneMinutes,
    /// Seconds between idle polls; spread by up to a tenth per serial.
    pub delay: u32,
    /// Seconds to wait after a failure; spread by up to a half per serial, so a restart is no storm.
    pub error_delay: u32,
    /// Resume marks from an earlier life. A table without one is asked for from the beginning.
    pub stamps: Stamps,
    /// The code page in which commands are written.
    pub encoding: TextEncoding,
    /// The dialect from an earlier life: a terminal that stays powered does not say it again.
    pub dialect: Option<Dialect>,
    /// The secret typed into the terminal (`pushcommkey`); a handshake with another one, or none, is refused.
    pub comm_key: Option<CommKey>,
    /// Whether the terminal has tried to encrypt. It is then offered a version of the protocol without encryption.
    pub declines_encryption: bool,
    /// How much is sent to the terminal at once.
    pub command_limits: CommandLimits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            time_zone: TimeZoneMinutes::default(),
            delay: 30,
            error_delay: 30,
            stamps: Stamps::default(),
            encoding: TextEncoding::default(),
            dialect: None,
            comm_key: None,
            declines_encryption: false,
            command_limits: CommandLimits::default(),
        }
    }
}

/// The shared secret of a handshake. It is compared in constant time and never shown.
#[derive(Clone)]
pub struct CommKey(Zeroizing<String>);

impl CommKey {
    /// Keeps a copy of the secret.
    pub fn new(secret: &str) -> Self {
        Self(Zeroizing::new(secret.to_owned()))
    }

    pub(super) fn matches(&self, given: Option<&str>) -> bool {
        given.is_some_and(|given| self.0.as_bytes().ct_eq(given.as_bytes()).into())
    }
}

impl PartialEq for CommKey {
    fn eq(&self, other: &Self) -> bool {
        self.matches(Some(&other.0))
    }
}

impl Eq for CommKey {}

impl fmt::Debug for CommKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CommKey(..)")
    }
}
