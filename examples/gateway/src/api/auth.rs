use core::fmt;

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Api;
use super::envelope::ApiError;

/// A bearer key. Shown once, stored as a hash; `Debug` shows nothing.
pub struct ApiKey(String);

impl ApiKey {
    /// Takes 32 random bytes.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("pk_{digits}"))
    }

    /// Takes a key from the configuration.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The key, for the one moment it may be shown.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

/// What is stored of a key.
pub fn hash_key(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

impl Api {
    /// The hash of a key, if it is let in. That is found out in a time that says nothing about it.
    pub(crate) fn let_in(&self, key: &str) -> Option<[u8; 32]> {
        let hash = hash_key(key.trim());
        bool::from(hash.ct_eq(&self.key_hash)).then_some(hash)
    }

    /// Whether a key that has been let in still is, by what `is_it` says of its hash.
    pub(crate) fn still_lets_in(&self, is_it: impl Fn(&[u8; 32]) -> bool) -> bool {
        is_it(&self.key_hash)
    }
}

pub(super) async fn require_key(State(api): State<Api>, request: Request, next: Next) -> Response {
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = given.and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")));
    match key {
        Some(key) if api.let_in(key).is_some() => next.run(request).await,
        Some(_) => ApiError::unauthorized("the API key is not known here").into_response(),
        None => ApiError::unauthorized("send `Authorization: Bearer <API key>`").into_response(),
    }
}
