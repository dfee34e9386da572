mod error;
mod signature;
mod verified;

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use chrono::{DateTime, Utc};
use subtle::ConstantTimeEq as _;

use crate::header::{self, HeaderName};
use crate::secret::{Keys, Secret};

pub use error::VerifyError;
pub use verified::{Scheme, Verified};

/// Checks that a body comes from a holder of the secret, and that nobody changed or kept it.
///
/// The raw bytes are checked, never a re-written body. Headers come as pairs of name (any letter case) and
/// value; a reference to an `http::HeaderMap` is such a list. Of headers sent twice the first one counts.
///
/// ```
/// use chrono::DateTime;
/// use punch_webhook::{Secret, Verifier};
///
/// let verifier = Verifier::new(&Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?);
/// let headers = [
///     ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
///     ("webhook-timestamp", "1614265330"),
///     ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
/// ];
/// let now = DateTime::from_timestamp(1_614_265_400, 0).expect("in range");
/// assert!(verifier.verify(headers, b"{\"test\": 2432232314}", now).is_ok());
/// assert_eq!(verifier.verify(headers, b"{\"test\": 0}", now).unwrap_err().reason(), "no_match");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Verifier {
    keys: Vec<Keys>,
    header: HeaderName,
    tolerance: Duration,
    #[cfg(feature = "ed25519")]
    key_pairs: Vec<crate::VerifyingKey>,
}

impl Verifier {
    /// The most signatures one header may hold; a longer list is refused unread.
    pub const MAX_SIGNATURES: usize = 16;
    /// How far `webhook-timestamp` may be from `now`, either way, unless told otherwise: 5 minutes.
    pub const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);

    /// Accepts bodies signed with `secret`.
    pub fn new(secret: &Secret) -> Self {
        Self { keys: vec![Keys::of(secret)], ..Self::empty() }
    }

    /// Accepts bodies signed by key pair, and by no secret unless one is added.
    #[cfg(feature = "ed25519")]
    pub fn by_key_pair(key: &crate::VerifyingKey) -> Self {
        Self::empty().with_verifying_key(key)
    }

    /// Accepts bodies signed by key pair as well.
    #[cfg(feature = "ed25519")]
    #[must_use]
    pub fn with_verifying_key(mut self, key: &crate::VerifyingKey) -> Self {
        self.key_pairs.push(*key);
        self
    }

    /// Accepts bodies signed with `secret` as well, for the time of a roll. Each secret costs one HMAC per body.
    #[must_use]
    pub fn with_secret(mut self, secret: &Secret) -> Self {
        self.keys.push(Keys::of(secret));
        self
    }

    /// Reads the `PunchConnect` signature from another header.
    #[must_use]
    pub fn with_header_name(self, header: HeaderName) -> Self {
        Self { header, ..self }
    }

    /// Sets how far `webhook-timestamp` may be from `now`, in whole seconds; both ends are still accepted.
    #[must_use]
    pub fn with_tolerance(self, tolerance: Duration) -> Self {
        Self { tolerance, ..self }
    }

    /// Verifies by Standard Webhooks if `webhook-signature` is there and a secret serves it, else by `PunchConnect`.
    ///
    /// `PunchConnect` signs no time, so a recorded delivery verifies for ever: only remembering event ids protects
    /// against it. Where all senders use Standard Webhooks, call [`Verifier::verify_standard`] instead.
    ///
    /// # Errors
    ///
    /// [`VerifyError`] says what is missing or wrong. Answer 401 and do not read the body.
    pub fn verify<'b, N: AsRef<str>, V: AsRef<[u8]>>(
        &self,
        headers: impl IntoIterator<Item = (N, V)>,
        body: &'b [u8],
        now: DateTime<Utc>,
    ) -> Result<Verified<'b>, VerifyError> {
        let found = Found::collect(headers, &self.header);
        let standard = if found.punchconnect.is_some() {
            found.signature.is_some() && self.serves_standard()
        } else {
            found.id.is_some() || found.timestamp.is_some() || found.signature.is_some()
        };
        if standard { self.standard(&found, body, now) } else { self.punchconnect(&found, body) }
    }

    /// Verifies the `PunchConnect` header: 64 hex digits in either letter case, with or without `sha256=`.
    ///
    /// # Errors
    ///
    /// [`VerifyError`] says what is missing or wrong.
    pub fn verify_punchconnect<'b, N: AsRef<str>, V: AsRef<[u8]>>(
        &self,
        headers: impl IntoIterator<Item = (N, V)>,
        body: &'b [u8],
    ) -> Result<Verified<'b>, VerifyError> {
        self.punchconnect(&Found::collect(headers, &self.header), body)
    }

    /// Verifies the three Standard Webhooks headers. The time is looked at only once its signature is known good.
    ///
    /// # Errors
    ///
    /// [`VerifyError`] says what is missing or wrong.
    pub fn verify_standard<'b, N: AsRef<str>, V: AsRef<[u8]>>(
        &self,
        headers: impl IntoIterator<Item = (N, V)>,
        body: &'b [u8],
        now: DateTime<Utc>,
    ) -> Result<Verified<'b>, VerifyError> {
        self.standard(&Found::collect(headers, &self.header), body, now)
    }

    fn empty() -> Self {
        Self {
            keys: Vec::new(),
            header: HeaderName::default(),
            tolerance: Self::DEFAULT_TOLERANCE,
            #[cfg(feature = "ed25519")]
            key_pairs: Vec::new(),
        }
    }

    fn serves_standard(&self) -> bool {
        #[cfg(feature = "ed25519")]
        if !self.key_pairs.is_empty() {
            return true;
        }
        self.keys.iter().any(|keys| keys.standard.is_some())
    }

    fn punchconnect<'b, V: AsRef<[u8]>>(&self, found: &Found<V>, body: &'b [u8]) -> Result<Verified<'b>, VerifyError> {
        let value = present(&found.punchconnect).ok_or_else(|| VerifyError::Missing { name: self.header.clone() })?;
        let candidates = signature::punchconnect(value)?;
        self.matching(&candidates, |keys| Some(keys.punchconnect.sign(&[body])))
            .map(|secret_index| Verified::new(body, Scheme::PunchConnect, secret_index))
            .ok_or(VerifyError::Mismatch)
    }

    fn standard<'b, V: AsRef<[u8]>>(
        &self,
        found: &Found<V>,
        body: &'b [u8],
        now: DateTime<Utc>,
    ) -> Result<Verified<'b>, VerifyError> {
        if !self.serves_standard() {
            return Err(VerifyError::NoStandardKey);
        }
        let id = present(&found.id).ok_or(VerifyError::MissingHeader { name: header::ID })?;
        let time = present(&found.timestamp).ok_or(VerifyError::MissingHeader { name: header::TIMESTAMP })?;
        let value = present(&found.signature).ok_or(VerifyError::MissingHeader { name: header::SIGNATURE })?;
        let seconds = signature::timestamp(time).ok_or(VerifyError::BadTimestamp)?;
        let candidates = signature::standard(value)?;
        let parts = [id, b".", time, b".", body];
        let secret_index = self
            .matching(&candidates, |keys| Some(keys.standard.as_ref()?.sign(&parts)))
            .or_else(|| self.matching_key_pair(value, &parts))
            .ok_or(VerifyError::NoMatch)?;
        self.check_fresh(seconds, now)?;
        Ok(Verified::new(body, Scheme::Standard, secret_index))
    }

    /// Index of the first secret whose digest is among `candidates`. Every pair is compared, each in constant time.
    fn matching(&self, candidates: &[[u8; 32]], digest: impl Fn(&Keys) -> Option<[u8; 32]>) -> Option<usize> {
        let mut found = None;
        for (index, keys) in self.keys.iter().enumerate() {
            let Some(expected) = digest(keys) else { continue };
            for candidate in candidates {
                if bool::from(candidate.ct_eq(&expected)) {
                    found = found.or(Some(index));
                }
            }
        }
        found
    }

    /// Index of the key pair, counted on from the secrets. The header was counted before.
    #[cfg(feature = "ed25519")]
    fn matching_key_pair(&self, value: &[u8], parts: &[&[u8]]) -> Option<usize> {
        let signatures = crate::key_pair::signatures(&signature::elements(value, b' ').ok()?);
        let index = self.key_pairs.iter().position(|key| key.verifies(&signatures, parts))?;
        self.keys.len().checked_add(index)
    }

    #[cfg(not(feature = "ed25519"))]
    #[expect(clippy::unused_self, reason = "the same call with and without the feature")]
    fn matching_key_pair(&self, _value: &[u8], _parts: &[&[u8]]) -> Option<usize> {
        None
    }

    fn check_fresh(&self, seconds: u64, now: DateTime<Utc>) -> Result<(), VerifyError> {
        // In i128 no pair of times can overflow, whatever a sender writes.
        let age = i128::from(now.timestamp()).saturating_sub(i128::from(seconds));
        let tolerance = self.tolerance.as_secs();
        if age > i128::from(tolerance) {
            return Err(VerifyError::TooOld { tolerance });
        }
        if age.saturating_neg() > i128::from(tolerance) {
            return Err(VerifyError::TooNew { tolerance });
        }
        Ok(())
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("secrets", &self.keys.len())
            .field("tolerance", &self.tolerance)
            .finish_non_exhaustive()
    }
}

/// The four headers a verifier looks at.
struct Found<V> {
    id: Option<V>,
    timestamp: Option<V>,
    signature: Option<V>,
    punchconnect: Option<V>,
}

impl<V> Found<V> {
    fn collect<N: AsRef<str>>(headers: impl IntoIterator<Item = (N, V)>, punchconnect: &HeaderName) -> Self {
        let mut found = Self { id: None, timestamp: None, signature: None, punchconnect: None };
        for (name, value) in headers {
            let is = |wanted: &str| name.as_ref().eq_ignore_ascii_case(wanted);
            let slot = match () {
                () if is(header::ID) => &mut found.id,
                () if is(header::TIMESTAMP) => &mut found.timestamp,
                () if is(header::SIGNATURE) => &mut found.signature,
                () if is(punchconnect.as_str()) => &mut found.punchconnect,
                () => continue,
            };
            slot.get_or_insert(value);
        }
        found
    }
}

/// A header without a value says nothing, so it counts as missing.
fn present<V: AsRef<[u8]>>(value: &Option<V>) -> Option<&[u8]> {
    value.as_ref().map(AsRef::as_ref).filter(|bytes| !bytes.is_empty())
}
