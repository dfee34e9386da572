use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr as _;

use bytes::Bytes;
use chrono::TimeDelta;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Method, Request, Uri};
use punch_normalize::Direction;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::call::{Call, json_rpc, xml_rpc};
use super::{Login, OdooSettings, PairingRules, Protocol, UnknownDirection};
use crate::address::{check_address, check_field};
use crate::mask::MaskedBody;
use crate::{ConfigError, ConfigErrors, Credential, HttpRequest};

const DATABASE: HeaderName = HeaderName::from_static("x-odoo-database");

/// One Odoo database: where it is, who we are there, and how punches are written. A clone is cheap.
///
/// `Debug` shows no credential. A request carries the secret in its body, or in a header marked sensitive; that copy is
/// not wiped. [`render_masked`](crate::render_masked) hides it in either place.
#[derive(Clone)]
pub struct Odoo(Arc<OdooSettings>);

impl Odoo {
    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] lists everything that is wrong with them, not only the first thing.
    pub fn new(mut settings: OdooSettings) -> Result<Self, ConfigErrors> {
        settings.base.truncate(settings.base.trim_end_matches('/').len());
        let cure = "give the address of the Odoo server";
        let mut errors: Vec<ConfigError> =
            check_address("base", &settings.base, cure, settings.allow_http).err().into_iter().collect();
        let mut required = |key, value: &str, cure| {
            if value.is_empty() {
                errors.push(ConfigError::Missing { key, cure });
            }
        };
        required("database", &settings.database, "the login page and the address of Odoo.com show its name");
        required("user", &settings.user, "give the login of the user the attendances are written as");
        errors.extend(check_field("badge_field", &settings.badge_field, "leave it out for `barcode`").err());
        errors.extend(check_secret(&settings.secret).err());
        ConfigErrors::check(errors)?;
        Ok(Self(Arc::new(settings)))
    }

    /// The configured way to speak to the server, if one is.
    pub fn protocol(&self) -> Option<Protocol> {
        self.0.protocol
    }

    /// The field of `hr.employee` that holds the badge.
    pub fn badge_field(&self) -> &str {
        &self.0.badge_field
    }

    /// How arrivals and departures find each other.
    pub fn pairing(&self) -> PairingRules {
        PairingRules { lookback: TimeDelta::minutes(i64::from(self.0.lookback_minutes)), ..PairingRules::default() }
    }

    /// The direction a punch counts as.
    pub(super) fn direction(&self, direction: Direction) -> Direction {
        match (direction.plain(), self.0.unknown_direction) {
            (Direction::Unknown, UnknownDirection::Out) => Direction::Out,
            _ => direction,
        }
    }

    /// The context of calls that change something.
    pub(super) fn quiet(&self) -> Option<Value> {
        (!self.0.chatter).then(|| json!({ "tracking_disable": true }))
    }

    /// A call to a model.
    pub(super) fn call(&self, login: &Login, call: Call) -> HttpRequest {
        let Call { model, method, positional, named } = call;
        if login.protocol == Protocol::Json2 {
            let mut body = named;
            body.extend(positional.into_iter().map(|(name, value)| (name.into(), value)));
            return self.json_2(&["json/2", model, method].join("/"), &body);
        }
        let positional = positional.into_iter().map(|(_, value)| value).collect::<Vec<_>>();
        self.rpc(login.protocol, "object", "execute_kw", |secret| {
            let database = self.0.database.as_str();
            alloc::vec![
                json!(database),
                json!(login.uid),
                json!(secret),
                json!(model),
                json!(method),
                json!(positional),
                json!(named),
            ]
        })
    }

    /// Who we are, asked once.
    pub(super) fn authenticate(&self, protocol: Protocol) -> HttpRequest {
        self.rpc(protocol, "common", "authenticate", |secret| {
            alloc::vec![json!(self.0.database), json!(self.0.user), json!(secret), json!({})]
        })
    }

    /// Which version it is; nobody has to log in for that.
    pub(super) fn version(&self, protocol: Protocol) -> HttpRequest {
        match protocol {
            Protocol::Json2 => self.request(Method::GET, "web/version", "application/json", Bytes::new()),
            Protocol::JsonRpc | Protocol::XmlRpc => self.rpc(protocol, "common", "version", |_| Vec::new()),
        }
    }

    fn json_2(&self, path: &str, body: &Map<String, Value>) -> HttpRequest {
        // Texts, numbers and lists: this cannot fail to be written.
        let body = serde_json::to_vec(body).unwrap_or_default();
        let mut request = self.request(Method::POST, path, "application/json", Bytes::from(body));
        let headers = request.headers_mut();
        let bearer = Zeroizing::new(alloc::format!("bearer {}", self.0.secret.expose()));
        if let Ok(mut bearer) = HeaderValue::from_str(&bearer) {
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        if let Ok(database) = HeaderValue::from_str(&self.0.database) {
            headers.insert(DATABASE, database);
        }
        request
    }

    /// A call by one of the two protocols that have the secret in the body. It is written twice: once to be sent, once
    /// to be shown.
    fn rpc(
        &self,
        protocol: Protocol,
        service: &str,
        method: &str,
        arguments: impl Fn(&str) -> Vec<Value>,
    ) -> HttpRequest {
        let write = |secret: &str| match protocol {
            Protocol::XmlRpc => xml_rpc(method, &arguments(secret)),
            Protocol::JsonRpc | Protocol::Json2 => json_rpc(service, method, &arguments(secret)),
        };
        let (path, kind) = match protocol {
            Protocol::XmlRpc => (alloc::format!("xmlrpc/2/{service}"), "text/xml"),
            Protocol::JsonRpc | Protocol::Json2 => ("jsonrpc".into(), "application/json"),
        };
        let mut request = self.request(Method::POST, &path, kind, write(self.0.secret.expose()));
        request.extensions_mut().insert(MaskedBody(write("***")));
        request
    }

    fn request(&self, method: Method, path: &str, kind: &'static str, body: Bytes) -> HttpRequest {
        let url = alloc::format!("{}/{path}", self.0.base);
        let mut request = Request::new(body);
        let kind = HeaderValue::from_static(kind);
        if method == Method::POST {
            request.headers_mut().insert(CONTENT_TYPE, kind.clone());
        }
        request.headers_mut().insert(ACCEPT, kind);
        *request.method_mut() = method;
        // The base was checked, and paths are ours.
        *request.uri_mut() = Uri::from_str(&url).unwrap_or_default();
        request
    }
}

impl fmt::Debug for Odoo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OdooSettings { base, database, protocol, .. } = &*self.0;
        let mut shown = f.debug_struct("Odoo");
        shown.field("base", base).field("database", database).field("protocol", protocol).finish_non_exhaustive()
    }
}

/// A password may hold blanks within; what cannot be in a header, or stands at an end, came from copying.
fn check_secret(secret: &Credential) -> Result<(), ConfigError> {
    let (key, text) = ("secret", secret.expose());
    if text.is_empty() {
        return Err(ConfigError::Missing { key, cure: "make an API key in Odoo: My Profile, Account Security" });
    }
    let is_clean = text.trim().len() == text.len() && !text.chars().any(char::is_control);
    if is_clean { Ok(()) } else { Err(ConfigError::BadCredential { key }) }
}
