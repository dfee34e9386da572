use alloc::string::String;

use serde::Deserialize;

use crate::Credential;

/// The settings of one Odoo database, as written in a configuration file. [`Odoo::new`](super::Odoo::new) checks them.
///
/// ```
/// use punch_erp::odoo::{Odoo, OdooSettings};
///
/// // Every error is listed at once.
/// let errors = Odoo::new(OdooSettings::new("odoo.example.com", "", "punch-bot", "")).unwrap_err();
/// let keys: Vec<_> = errors.iter().map(|error| error.key()).collect();
/// assert_eq!(keys, ["base", "database", "secret"]);
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OdooSettings {
    /// Address of the server, such as `https://odoo.example.com`.
    pub base: String,
    /// Name of the database.
    pub database: String,
    /// Login of the user the attendances are written as.
    pub user: String,
    /// An API key of that user, or the password. [`Protocol::Json2`] takes a key only.
    pub secret: Credential,
    /// How the server is spoken to. Default: found out, see [`Protocol`].
    #[serde(default)]
    pub protocol: Option<Protocol>,
    /// The field of `hr.employee` that holds the badge. Default `barcode`, which every database has.
    #[serde(default = "barcode")]
    pub badge_field: String,
    /// What becomes of a punch without a direction. Default: it is parked.
    #[serde(default)]
    pub unknown_direction: UnknownDirection,
    /// The longest time between an arrival and the departure that belongs to it, in minutes. Default 840, 14 h.
    #[serde(default = "lookback")]
    pub lookback_minutes: u16,
    /// Whether every change leaves a message in the record's discussion. Default no: two messages a day and person.
    #[serde(default)]
    pub chatter: bool,
    /// Lets `base` be plain http on a host other than this machine. Default: no, the secret is in every request.
    #[serde(default)]
    pub allow_http: bool,
}

impl OdooSettings {
    /// The four settings without a default.
    pub fn new(
        base: impl Into<String>,
        database: impl Into<String>,
        user: impl Into<String>,
        secret: impl Into<Credential>,
    ) -> Self {
        Self {
            base: base.into(),
            database: database.into(),
            user: user.into(),
            secret: secret.into(),
            protocol: None,
            badge_field: barcode(),
            unknown_direction: UnknownDirection::default(),
            lookback_minutes: lookback(),
            chatter: false,
            allow_http: false,
        }
    }
}

fn barcode() -> String {
    "barcode".into()
}

fn lookback() -> u16 {
    840
}

/// The three doors of Odoo. The same calls go through each of them.
///
/// Without a choice the server is asked for its version: from 19 on [`Json2`](Self::Json2) is tried, and
/// [`JsonRpc`](Self::JsonRpc) if the secret is refused there, as a password is; before 19 `JsonRpc` it is. A server without
/// `/jsonrpc` is asked by `Json2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Protocol {
    /// `/jsonrpc`: 16 to 19; announced to end with 22. The secret is in the body of every request.
    JsonRpc,
    /// `/xmlrpc/2`: as `/jsonrpc`, for servers whose proxy lets nothing else through.
    XmlRpc,
    /// `/json/2`: from 19 on. The secret, an API key, is in a header.
    Json2,
}

/// What becomes of a punch whose direction is unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnknownDirection {
    /// It is parked.
    #[default]
    Park,
    /// It counts as a departure, as in the published sample. It forces an unknown into a statement; choose it knowingly.
    Out,
}
