use alloc::string::String;

use punch_normalize::DeviceZone;
use serde::Deserialize;

use crate::Credential;

/// The settings of one server, as written in a configuration file. [`HikCentral::new`](super::HikCentral::new) checks them.
///
/// ```
/// use punch_erp::hikcentral::{HikCentral, HikCentralSettings};
///
/// let mut settings = HikCentralSettings::new("10.0.0.5", "24680135", "");
/// settings.page_size = 0;
/// let errors = HikCentral::new(settings).unwrap_err();
/// let keys: Vec<_> = errors.iter().map(|error| error.key()).collect();
/// assert_eq!(keys, ["base", "app_secret", "page_size"]);
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HikCentralSettings {
    /// Address of the server, scheme and host name: `https://hik.example.com`. `/artemis` behind it is no part of it.
    pub base: String,
    /// The key of the partner user.
    pub app_key: Credential,
    /// The secret of the partner user.
    pub app_secret: Credential,
    /// The user whose rights count, for servers that ask for the header `userId`. Default: none is sent.
    #[serde(default)]
    pub user_id: String,
    /// Which product it is. Default: HikCentral Professional.
    #[serde(default)]
    pub dialect: Dialect,
    /// Events a page, 1 to 500, to 1000 for iSecure Center. Default 500. It is halved by itself where an answer is too long.
    #[serde(default = "page_size")]
    pub page_size: u16,
    /// The zone that times are asked for in. Default UTC; the instants are the same.
    #[serde(default = "utc")]
    pub zone: DeviceZone,
    /// Lets the address be plain http on a host other than this machine. Default: no.
    #[serde(default)]
    pub allow_http: bool,
}

impl HikCentralSettings {
    /// The settings without a default.
    pub fn new(base: impl Into<String>, app_key: impl Into<Credential>, app_secret: impl Into<Credential>) -> Self {
        Self {
            base: base.into(),
            app_key: app_key.into(),
            app_secret: app_secret.into(),
            user_id: String::new(),
            dialect: Dialect::default(),
            page_size: page_size(),
            zone: utc(),
            allow_http: false,
        }
    }
}

fn page_size() -> u16 {
    500
}

fn utc() -> DeviceZone {
    DeviceZone::Utc
}

/// Which product is behind the gateway. Pushed events say it themselves; asking for events is different.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Dialect {
    /// HikCentral Professional: one event type a call.
    #[default]
    Professional,
    /// iSecure Center: several.
    IsecureCenter,
}

impl Dialect {
    /// The most events that a page may have.
    pub fn page_size_max(self) -> u16 {
        match self {
            Self::Professional => 500,
            Self::IsecureCenter => 1000,
        }
    }

    /// What stands before the ids of its events.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Professional => "hcp",
            Self::IsecureCenter => "isc",
        }
    }
}
