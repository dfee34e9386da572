use alloc::string::String;

use serde::Deserialize;

use crate::Credential;

/// The settings of one terminal, as written in a configuration file. [`IsapiTerminal::new`](super::IsapiTerminal::new) checks
/// them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct IsapiSettings {
    /// Address of the terminal: `https://192.168.1.64`.
    pub base: String,
    /// The user, mostly `admin`.
    pub user: Credential,
    /// The password.
    pub password: Credential,
    /// Lets the address be plain http. Default: no. Digest keeps the password from being read, and nothing else.
    #[serde(default)]
    pub allow_http: bool,
}

impl IsapiSettings {
    /// The settings without a default.
    pub fn new(base: impl Into<String>, user: impl Into<Credential>, password: impl Into<Credential>) -> Self {
        Self { base: base.into(), user: user.into(), password: password.into(), allow_http: false }
    }
}
