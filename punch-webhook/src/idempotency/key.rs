use alloc::boxed::Box;
use core::fmt;

use sha2::{Digest as _, Sha256};

use super::IdempotencyError;

/// The `Idempotency-Key` of a request, and whose it is. `Debug` shows nothing: clients put anything into it.
///
/// ```
/// use punch_webhook::IdempotencyKey;
///
/// let key = IdempotencyKey::parse("key_7 POST /v1/devices", "sync-employees-2026-03-28-001")?;
/// assert_eq!(key.as_str(), "sync-employees-2026-03-28-001");
/// assert!(IdempotencyKey::parse("key_7", "two words").is_err());
/// # Ok::<(), punch_webhook::IdempotencyError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey {
    scope: Box<str>,
    key: Box<str>,
}

impl IdempotencyKey {
    /// The longest key accepted, in bytes.
    pub const MAX_LEN: usize = 255;

    /// Accepts 1 to 255 visible ASCII characters as a key.
    ///
    /// `scope` is whose key it is: the tenant and the route. Without it one client would get the answer to another one
    /// that has chosen the same key.
    ///
    /// # Errors
    ///
    /// [`IdempotencyError::BadKey`] if the text is not of that form.
    pub fn parse(scope: &str, text: &str) -> Result<Self, IdempotencyError> {
        if text.is_empty() || text.len() > Self::MAX_LEN || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(IdempotencyError::BadKey { len: text.len() });
        }
        Ok(Self { scope: scope.into(), key: text.into() })
    }

    /// Whose key it is.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// The key as the client sent it.
    pub fn as_str(&self) -> &str {
        &self.key
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(..)")
    }
}

/// What a request asks for, as a SHA-256: the same key must not come with another request.
///
/// ```
/// use punch_webhook::Fingerprint;
///
/// let one = Fingerprint::of("POST", "/v1/devices", b"{}");
/// assert_eq!(one, Fingerprint::of("POST", "/v1/devices", b"{}"));
/// assert_ne!(one, Fingerprint::of("POST", "/v1/device", b"s{}"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of a method, a target (path and query) and a body. A store may keep it: the function never changes.
    pub fn of(method: &str, target: &str, body: &[u8]) -> Self {
        let mut hash = Sha256::new();
        for part in [method.as_bytes(), target.as_bytes(), body] {
            // The length in front, or two requests that are cut differently would be one.
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// Takes the bytes back from a store, or those of a caller that has a hash of its own.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
