use alloc::borrow::Cow;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use punch_normalize::EventId;

use crate::header::{self, HeaderName};
use crate::secret::{Key, Keys, Secret};

/// Signs the exact bytes of a body, once per attempt.
///
/// Every delivery carries `X-PunchConnect-Signature`; if the secret has the Standard Webhooks form, the
/// `webhook-id`, `webhook-timestamp` and `webhook-signature` headers too.
///
/// ```
/// use chrono::DateTime;
/// use punch_normalize::EventId;
/// use punch_webhook::{Secret, Signer};
///
/// let signer = Signer::new(&Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?);
/// let now = DateTime::from_timestamp(1_614_265_330, 0).expect("in range");
/// let headers = signer.headers(&EventId::parse("msg_p5jXN8AQM9LWM0D4loKWxJek")?, b"{\"test\": 2432232314}", now);
/// assert_eq!(headers.get("webhook-signature"), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Signer {
    current: Keys,
    previous: Option<Keys>,
    header: HeaderName,
    style: SignatureStyle,
    both: bool,
    #[cfg(feature = "ed25519")]
    key_pair: Option<crate::SigningKey>,
}

impl Signer {
    /// Signs with one secret.
    pub fn new(secret: &Secret) -> Self {
        Self {
            current: Keys::of(secret),
            previous: None,
            header: HeaderName::default(),
            style: SignatureStyle::default(),
            both: false,
            #[cfg(feature = "ed25519")]
            key_pair: None,
        }
    }

    /// Signs with two secrets while a receiver moves from `old` to `new`.
    ///
    /// `webhook-signature` carries both. The `PunchConnect` header holds one value and stays with `old`, because
    /// a receiver that has not moved yet knows no other; see [`Signer::with_both_signatures`].
    pub fn rolling(new: &Secret, old: &Secret) -> Self {
        Self { previous: Some(Keys::of(old)), ..Self::new(new) }
    }

    /// Renames the `PunchConnect` header.
    #[must_use]
    pub fn with_header_name(self, header: HeaderName) -> Self {
        Self { header, ..self }
    }

    /// Chooses how the `PunchConnect` value is written.
    #[must_use]
    pub fn with_style(self, style: SignatureStyle) -> Self {
        Self { style, ..self }
    }

    /// During a roll, sends both `PunchConnect` values, new then old, with a comma between. Only for receivers that
    /// asked for it: one that compares the whole header refuses a list.
    #[must_use]
    pub fn with_both_signatures(self) -> Self {
        Self { both: true, ..self }
    }

    /// Signs by key pair as well: `webhook-signature` has a `v1a` element behind the others.
    #[cfg(feature = "ed25519")]
    #[must_use]
    pub fn with_signing_key(self, key: crate::SigningKey) -> Self {
        Self { key_pair: Some(key), ..self }
    }

    /// Whether the Standard Webhooks headers are sent: at least one secret has that form, or there is a key pair.
    pub fn serves_standard(&self) -> bool {
        #[cfg(feature = "ed25519")]
        if self.key_pair.is_some() {
            return true;
        }
        self.standard_keys().next().is_some()
    }

    /// The value of the `PunchConnect` header: `sha256=` and 64 lower-case hex digits over the raw `body`.
    pub fn punchconnect(&self, body: &[u8]) -> String {
        let one = |keys: &Keys| self.style.write(&keys.punchconnect.sign(&[body]));
        match &self.previous {
            Some(previous) if self.both => [one(&self.current), one(previous)].join(","),
            Some(previous) => one(previous),
            None => one(&self.current),
        }
    }

    /// The value of `webhook-signature` over `id.timestamp.body`: `v1,<base64>`, two of them during a roll, or
    /// `None` if no secret has the Standard Webhooks form and there is no key pair. The time is in seconds since 1970.
    pub fn standard(&self, id: &EventId, timestamp_seconds: u64, body: &[u8]) -> Option<String> {
        let timestamp = timestamp_seconds.to_string();
        let parts = [id.as_str().as_bytes(), b".", timestamp.as_bytes(), b".", body];
        let by_secret = self.standard_keys().map(|key| {
            let mut value = String::from("v1,");
            STANDARD.encode_string(key.sign(&parts), &mut value);
            value
        });
        let signed = by_secret.chain(self.by_key_pair(&parts)).collect::<Vec<_>>();
        (!signed.is_empty()).then(|| signed.join(" "))
    }

    /// All headers of one attempt that starts at `now`. A clock that shows a year before 1970 counts as 1970.
    pub fn headers(&self, id: &EventId, body: &[u8], now: DateTime<Utc>) -> SignedHeaders {
        let timestamp = u64::try_from(now.timestamp()).unwrap_or(0);
        let mut list = Vec::with_capacity(4);
        list.push((self.header.clone().into_text(), self.punchconnect(body)));
        if let Some(signature) = self.standard(id, timestamp, body) {
            list.push((Cow::Borrowed(header::ID), id.to_string()));
            list.push((Cow::Borrowed(header::TIMESTAMP), timestamp.to_string()));
            list.push((Cow::Borrowed(header::SIGNATURE), signature));
        }
        SignedHeaders(list)
    }

    #[cfg(feature = "ed25519")]
    fn by_key_pair(&self, parts: &[&[u8]]) -> Option<String> {
        self.key_pair.as_ref().map(|key| key.sign(parts))
    }

    #[cfg(not(feature = "ed25519"))]
    #[expect(clippy::unused_self, reason = "the same call with and without the feature")]
    fn by_key_pair(&self, _parts: &[&[u8]]) -> Option<String> {
        None
    }

    fn standard_keys(&self) -> impl Iterator<Item = &Key> {
        core::iter::once(&self.current).chain(&self.previous).filter_map(|keys| keys.standard.as_ref())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("rolling", &self.previous.is_some())
            .field("serves_standard", &self.serves_standard())
            .finish_non_exhaustive()
    }
}

/// How the `PunchConnect` value is written. Our receiver reads both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SignatureStyle {
    /// `sha256=` and the hex digits.
    #[default]
    Prefixed,
    /// The hex digits alone.
    BareHex,
}

impl SignatureStyle {
    fn write(self, digest: &[u8; 32]) -> String {
        let mut value = String::with_capacity(71);
        if self == Self::Prefixed {
            value.push_str("sha256=");
        }
        for byte in digest {
            for digit in [byte >> 4, byte & 15] {
                value.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
        value
    }
}

/// The headers of one signed attempt, in sending order.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedHeaders(Vec<(Cow<'static, str>, String)>);

impl SignedHeaders {
    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_str()))
    }

    /// The value of `name`, in whatever letter case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Names only: whoever reads a signature in a log within five minutes could send it.
impl fmt::Debug for SignedHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}
