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
    /// Whether this is the key, found out in a time that says nothing about it.
    pub(crate) fn knows(&self, key: &str) -> bool {
        hash_key(key.trim()).ct_eq(&self.key_hash).into()
    }
}

pub(super) async fn require_key(State(api): State<Api>, request: Request, next: Next) -> Response {
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = given.and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")));
    match key {
        Some(key) if api.knows(key) => next.run(request).await,
        Some(_) => ApiError::unauthorized("the API key is not known here").into_response(),
        None => ApiError::unauthorized("send `Authorization: Bearer <API key>`").into_response(),
    }
}
