use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use super::codes::Language;
use super::query::Query;

/// The first request of a connection: who the terminal is and which protocol it speaks.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handshake {
    /// Protocol version the terminal announces.
    pub push_version: Option<String>,
    /// Language as a character code: 83 and 84 are Chinese, 69 English, 97 Spanish.
    pub language: Option<u32>,
    /// Shared secret typed into the terminal. Opaque; never log it.
    pub comm_key: Option<String>,
    /// `att`, `acc`, `pid`, `ins` or a marketing text.
    pub device_type: Option<String>,
    /// Whether the terminal can push its options.
    pub push_options_flag: Option<u32>,
    /// `pushflag`, seen once and documented nowhere.
    pub push_flag: Option<u32>,
}

/// Which of the two languages that share one URL space a terminal speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// Time and attendance.
    Attendance,
    /// Access control.
    AccessControl,
    /// A 3.x unit that has not said; its next request tells.
    Undecided,
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Attendance => "attendance",
            Self::AccessControl => "access control",
            Self::Undecided => "undecided",
        })
    }
}

impl Handshake {
    pub(super) fn parse(query: &Query<'_>) -> Self {
        let text = |name: &str| query.get(name).map(ToOwned::to_owned);
        Self {
            push_version: text("pushver"),
            language: query.number("language"),
            comm_key: text("pushcommkey"),
            device_type: text("DeviceType"),
            push_options_flag: query.number("PushOptionsFlag"),
            push_flag: query.number("pushflag"),
        }
    }

    /// The dialect as far as the handshake tells. `pushver` alone decides nothing: units with a 3.x library
    /// announce 2.4.1 in attendance mode.
    pub fn dialect(&self) -> Dialect {
        match self.device_type.as_deref() {
            Some(kind) if kind.eq_ignore_ascii_case("acc") => Dialect::AccessControl,
            Some(_) => Dialect::Attendance,
            None if self.push_version.as_deref().is_some_and(|version| version.starts_with("3.")) => Dialect::Undecided,
            None => Dialect::Attendance,
        }
    }

    /// Whether punches of this terminal name identity cards ([`super::AttlogRow::identity_card`]).
    pub fn reads_identity_cards(&self) -> bool {
        self.device_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("pid"))
    }

    /// Whether names come in the Chinese code page unless they read as UTF-8.
    pub fn speaks_chinese(&self) -> bool {
        self.language.map(Language).is_some_and(Language::is_chinese)
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("push_version", &self.push_version)
            .field("language", &self.language)
            .field("device_type", &self.device_type)
            .finish_non_exhaustive()
    }
}
