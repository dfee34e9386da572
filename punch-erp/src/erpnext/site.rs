use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use chrono_tz::Tz;
use http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use zeroize::Zeroizing;

use super::{DeviceIdField, ErpNextSettings, UnknownDirection};
use crate::address::check_address;
use crate::request::build;
use crate::zone::read_zone;
use crate::{ConfigError, ConfigErrors, Credential, HttpRequest};

/// One ERPNext site: where it is, who we are there, and how punches are written. A clone is cheap.
///
/// `Debug` shows no credential. A request carries the secret in a header marked sensitive, which clients keep out of
/// their own logs; that copy is not wiped.
#[derive(Clone)]
pub struct ErpNext(Arc<Site>);

struct Site {
    base: String,
    key: Credential,
    secret: Credential,
    zone: Tz,
    unknown_direction: UnknownDirection,
    device_id: DeviceIdField,
}

impl ErpNext {
    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] lists everything that is wrong with them, not only the first thing.
    pub fn new(settings: ErpNextSettings) -> Result<Self, ConfigErrors> {
        let ErpNextSettings { base, key, secret, zone, unknown_direction, device_id, allow_http } = settings;
        let base = base.trim_end_matches('/');
        let mut errors: Vec<ConfigError> =
            check_address("base", base, "give the address of the ERPNext site", allow_http).err().into_iter().collect();
        errors.extend(check_credential("key", &key).err());
        errors.extend(check_credential("secret", &secret).err());
        let zone = match read_zone("zone", &zone) {
            Ok(zone) => zone,
            Err(error) => {
                errors.push(error);
                Tz::UTC
            }
        };
        ConfigErrors::check(errors)?;
        Ok(Self(Arc::new(Site { base: base.into(), key, secret, zone, unknown_direction, device_id })))
    }

    /// The site's time zone.
    pub fn zone(&self) -> Tz {
        self.0.zone
    }

    /// What is written for a punch without a direction.
    pub fn unknown_direction(&self) -> UnknownDirection {
        self.0.unknown_direction
    }

    /// What is written into the field `device_id`.
    pub fn device_id(&self) -> DeviceIdField {
        self.0.device_id
    }

    pub(super) fn get(&self, path: &[&str], query: &[(&str, &str)]) -> HttpRequest {
        self.request(Method::GET, path, query, Bytes::new())
    }

    pub(super) fn post(&self, path: &[&str], body: Bytes) -> HttpRequest {
        self.send_json(Method::POST, path, body)
    }

    pub(super) fn put(&self, path: &[&str], body: Bytes) -> HttpRequest {
        self.send_json(Method::PUT, path, body)
    }

    fn send_json(&self, method: Method, path: &[&str], body: Bytes) -> HttpRequest {
        let mut request = self.request(method, path, &[], body);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request
    }

    fn request(&self, method: Method, path: &[&str], query: &[(&str, &str)], body: Bytes) -> HttpRequest {
        let mut request = build(&self.0.base, method, path, query, body);
        let headers = request.headers_mut();
        // Refusals differ only by their text, and that follows this header.
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("en"));
        if let Some(token) = self.authorization() {
            headers.insert(AUTHORIZATION, token);
        }
        request
    }

    fn authorization(&self) -> Option<HeaderValue> {
        let text = Zeroizing::new(alloc::format!("token {}:{}", self.0.key.expose(), self.0.secret.expose()));
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Debug for ErpNext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErpNext").field("base", &self.0.base).field("zone", &self.0.zone).finish_non_exhaustive()
    }
}

fn check_credential(key: &'static str, credential: &Credential) -> Result<(), ConfigError> {
    let text = credential.expose();
    if text.is_empty() {
        return Err(ConfigError::Missing {
            key,
            cure: "make it in ERPNext: User, Settings, API Access, Generate Keys",
        });
    }
    // The header is `token key:secret`; blanks come from copying.
    if text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':') {
        Ok(())
    } else {
        Err(ConfigError::BadCredential { key })
    }
}
