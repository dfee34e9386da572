use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use http::Method;
use http::header::AUTHORIZATION;

use super::{DigestSession, IsapiSettings};
use crate::address::check_host;
use crate::request::build;
use crate::{ConfigError, ConfigErrors, HttpRequest};

/// One terminal: where it is and who we are there. A clone is cheap. `Debug` shows no credential.
#[derive(Clone)]
pub struct IsapiTerminal(Arc<IsapiSettings>);

impl IsapiTerminal {
    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] lists everything that is wrong with them.
    pub fn new(mut settings: IsapiSettings) -> Result<Self, ConfigErrors> {
        settings.base.truncate(settings.base.trim_end_matches('/').len());
        let mut errors = Vec::new();
        let cure = "write the address of the terminal, such as `https://192.168.1.64`";
        errors.extend(check_host("base", &settings.base, cure, settings.allow_http).err());
        let cure = "take a user of the terminal who may read events";
        for (key, credential) in [("user", &settings.user), ("password", &settings.password)] {
            if credential.expose().is_empty() {
                errors.push(ConfigError::Missing { key, cure });
            }
        }
        // The name stands in quotes in a header.
        if !settings.user.expose().bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\') {
            errors.push(ConfigError::BadCredential { key: "user" });
        }
        ConfigErrors::check(errors)?;
        Ok(Self(Arc::new(settings)))
    }

    /// A call without a login.
    pub(super) fn request(&self, method: Method, path: &[&str], query: &[(&str, &str)], body: Bytes) -> HttpRequest {
        build(&self.0.base, method, path, query, body)
    }

    /// Adds a login to a request, for the challenge that `session` holds. `cnonce` is random text of the caller's, another one
    /// for each session at least.
    pub fn log_in(&self, request: &mut HttpRequest, session: &mut DigestSession, cnonce: &str) {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let IsapiSettings { user, password, .. } = &*self.0;
        if let Some(value) = session.authorization(request.method().as_str(), target, user, password, cnonce) {
            request.headers_mut().insert(AUTHORIZATION, value);
        }
    }
}

impl fmt::Debug for IsapiTerminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IsapiTerminal").field("base", &self.0.base).finish_non_exhaustive()
    }
}
