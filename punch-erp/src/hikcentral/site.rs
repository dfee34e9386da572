use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Method};
use serde_json::Value;

use super::signature::sign;
use super::{Dialect, HikCentralSettings, Stamp};
use crate::address::check_host;
use crate::request::build;
use crate::{ConfigError, ConfigErrors, Credential, HttpRequest};

/// One HikCentral: where it is and who we are there. A clone is cheap. `Debug` shows no credential.
#[derive(Clone)]
pub struct HikCentral(Arc<HikCentralSettings>);

/// What is signed of a request's own headers.
const SIGNED: [&str; 3] = ["x-ca-key", "x-ca-nonce", "x-ca-timestamp"];

impl HikCentral {
    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] lists everything that is wrong with them.
    pub fn new(mut settings: HikCentralSettings) -> Result<Self, ConfigErrors> {
        let base = settings.base.trim_end_matches('/');
        settings.base = base.strip_suffix("/artemis").unwrap_or(base).trim_end_matches('/').to_owned();
        let mut errors = Vec::new();
        let cure = "write the address of the server, such as `https://hik.example.com`";
        errors.extend(check_host("base", &settings.base, cure, settings.allow_http).err());
        for (key, credential) in [("app_key", &settings.app_key), ("app_secret", &settings.app_secret)] {
            errors.extend(check_credential(key, credential).err());
        }
        let max = settings.dialect.page_size_max();
        if !(1..=max).contains(&settings.page_size) {
            let found = u64::from(settings.page_size);
            let expected = if max == 500 { "1 to 500" } else { "1 to 1000" };
            errors.push(ConfigError::OutOfRange { key: "page_size", found, expected });
        }
        ConfigErrors::check(errors)?;
        Ok(Self(Arc::new(settings)))
    }

    /// Which product it is.
    pub fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// Events a page, as a call begins.
    pub fn page_size(&self) -> u16 {
        self.0.page_size
    }

    /// A signed call below `/artemis/api`.
    pub(super) fn post(&self, path: &[&str], body: &Value, stamp: &Stamp) -> HttpRequest {
        let path: Vec<&str> = ["artemis", "api"].iter().chain(path).copied().collect();
        let mut request = build(&self.0.base, Method::POST, &path, &[], Bytes::from(body.to_string()));
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(user) = HeaderValue::from_str(&self.0.user_id).ok().filter(|user| !user.is_empty()) {
            headers.insert(HeaderName::from_static("userid"), user);
        }
        if let Ok(mut key) = HeaderValue::from_str(self.0.app_key.expose()) {
            key.set_sensitive(true);
            headers.insert(HeaderName::from_static("x-ca-key"), key);
        }
        if let Ok(nonce) = HeaderValue::from_str(&stamp.nonce()) {
            headers.insert(HeaderName::from_static("x-ca-nonce"), nonce);
        }
        headers.insert(HeaderName::from_static("x-ca-timestamp"), HeaderValue::from(stamp.timestamp()));
        sign(&mut request, &SIGNED, &self.0.app_secret);
        request
    }

    /// An instant as a call says it: with an offset, to the second.
    pub(super) fn time(&self, at: DateTime<Utc>) -> String {
        let minutes = self.0.zone.offset_minutes_at(at);
        let offset = FixedOffset::east_opt(minutes.saturating_mul(60));
        let local = offset.map_or_else(|| at.fixed_offset(), |offset| at.with_timezone(&offset));
        local.to_rfc3339_opts(SecondsFormat::Secs, false)
    }
}

impl fmt::Debug for HikCentral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HikCentralSettings { base, dialect, .. } = &*self.0;
        f.debug_struct("HikCentral").field("base", base).field("dialect", dialect).finish_non_exhaustive()
    }
}

fn check_credential(key: &'static str, credential: &Credential) -> Result<(), ConfigError> {
    let text = credential.expose();
    if text.is_empty() {
        return Err(ConfigError::Missing {
            key,
            cure: "make a partner user in HikCentral's OpenAPI and copy its key and secret",
        });
    }
    let is_clean = text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_clean { Ok(()) } else { Err(ConfigError::BadCredential { key }) }
}
