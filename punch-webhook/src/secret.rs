use alloc::string::String;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

/// The text that sender and receiver of a webhook share.
///
/// One text, two keys. In the `PunchConnect` scheme the key is the UTF-8 bytes of the text as it stands,
/// prefix included. In Standard Webhooks it is the base64 decoding of what follows an optional `whsec_`,
/// 24 to 64 bytes. A text that is not of the second form still serves the first.
///
/// The text is wiped when dropped. It has no `Display`, no `Serialize`, no `PartialEq`, and its `Debug` shows
/// nothing.
///
/// ```
/// use punch_webhook::{Secret, SecretError};
///
/// let both = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
/// assert!(both.check_standard().is_ok());
///
/// let one = Secret::new("tu-secreto-webhook")?;
/// assert!(matches!(one.check_standard(), Err(SecretError::BadBase64)));
/// assert_eq!(format!("{one:?}"), "Secret(..)");
/// # Ok::<(), SecretError>(())
/// ```
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// What a Standard Webhooks secret begins with. Optional when read, always there in [`Secret::from_random`].
    pub const PREFIX: &str = "whsec_";
    /// The shortest Standard Webhooks key, in bytes after decoding.
    pub const STANDARD_MIN_LEN: usize = 24;
    /// The longest Standard Webhooks key, in bytes after decoding.
    pub const STANDARD_MAX_LEN: usize = 64;

    /// Takes the text as it stands: nothing is trimmed, so a line read from a file must lose its line end first.
    ///
    /// # Errors
    ///
    /// [`SecretError::Empty`] if there is no text, or nothing after `whsec_`.
    pub fn new(text: impl Into<String>) -> Result<Self, SecretError> {
        let text = Zeroizing::new(text.into());
        if text.is_empty() || text.as_str() == Self::PREFIX {
            return Err(SecretError::Empty);
        }
        Ok(Self(text))
    }

    /// Makes a secret that serves both schemes from 32 random bytes: `whsec_` and their base64.
    ///
    /// The bytes must come from the operating system's generator; this crate has none.
    ///
    /// ```
    /// use punch_webhook::Secret;
    ///
    /// let secret = Secret::from_random([7; 32]);
    /// assert_eq!(secret.expose(), "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
    /// ```
    pub fn from_random(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        // Room for everything at once: a String that grows leaves copies of its text behind.
        let mut text = String::with_capacity(64);
        text.push_str(Self::PREFIX);
        STANDARD.encode_string(*bytes, &mut text);
        Self(Zeroizing::new(text))
    }

    /// The text itself, to show it once to the person who registers a receiver. Never log it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether this secret serves Standard Webhooks too, and if not, why.
    ///
    /// # Errors
    ///
    /// [`SecretError`] tells what keeps the text from being a Standard Webhooks secret.
    pub fn check_standard(&self) -> Result<(), SecretError> {
        self.standard_key().map(drop)
    }

    pub(crate) fn punchconnect_key(&self) -> Key {
        Key::new(self.0.as_bytes())
    }

    pub(crate) fn standard_key(&self) -> Result<Key, SecretError> {
        if self.0.starts_with("whsk_") || self.0.starts_with("whpk_") {
            return Err(SecretError::WrongKind);
        }
        let encoded = self.0.strip_prefix(Self::PREFIX).unwrap_or(&self.0);
        let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| SecretError::BadBase64)?);
        match bytes.len() {
            0 => Err(SecretError::Empty),
            len if len < Self::STANDARD_MIN_LEN => Err(SecretError::TooShort { len }),
            len if len > Self::STANDARD_MAX_LEN => Err(SecretError::TooLong { len }),
            _ => Ok(Key::new(&bytes)),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why a text is not a secret of the wanted kind. No variant carries any of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// There is no text, or nothing after `whsec_`.
    #[error("PW-SEC-001: secret is empty, expected a text; let the gateway make one (`whsec_` + 32 random bytes)")]
    Empty,
    /// What follows the prefix is not strict, padded base64.
    #[error(
        "PW-SEC-002: secret is not base64 after `whsec_`, expected the padded standard alphabet; \
         check for a cut end, a line end or an upper-case prefix"
    )]
    BadBase64,
    /// The decoded key has fewer than [`Secret::STANDARD_MIN_LEN`] bytes.
    #[error("PW-SEC-003: secret decodes to {len} bytes, expected 24 to 64; make a longer one")]
    TooShort {
        /// Bytes found after decoding.
        len: usize,
    },
    /// The decoded key has more than [`Secret::STANDARD_MAX_LEN`] bytes.
    #[error("PW-SEC-004: secret decodes to {len} bytes, expected 24 to 64; make a shorter one")]
    TooLong {
        /// Bytes found after decoding.
        len: usize,
    },
    /// An asymmetric key (`whsk_`, `whpk_`), which HMAC schemes cannot use.
    #[error("PW-SEC-005: secret is an asymmetric key (`whsk_` or `whpk_`), expected a shared one (`whsec_`)")]
    WrongKind,
}

impl SecretError {
    /// The stable code the text begins with; [`errors`](crate::errors) has its paragraph.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "PW-SEC-001",
            Self::BadBase64 => "PW-SEC-002",
            Self::TooShort { .. } => "PW-SEC-003",
            Self::TooLong { .. } => "PW-SEC-004",
            Self::WrongKind => "PW-SEC-005",
        }
    }

    /// One word for machines: `empty_secret`, `bad_base64`, `too_short`, `too_long` or `wrong_kind`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Empty => "empty_secret",
            Self::BadBase64 => "bad_base64",
            Self::TooShort { .. } => "too_short",
            Self::TooLong { .. } => "too_long",
            Self::WrongKind => "wrong_kind",
        }
    }
}

/// HMAC-SHA256 with its key already absorbed: two of the four hash blocks of a short message are paid for once.
#[derive(Clone)]
pub(crate) struct Key(Hmac<Sha256>);

impl Key {
    fn new(key: &[u8]) -> Self {
        // HMAC pads its key with zeros to one block, so the padded block is the same key and cannot be refused.
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        if key.len() > block.len() {
            let hashed = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(key)));
            fill(&mut block, hashed.as_slice());
        } else {
            fill(&mut block, key);
        }
        let mac = Hmac::<Sha256>::new(&block);
        block.as_mut_slice().zeroize();
        Self(mac)
    }

    /// The digest of `parts`, one after the other.
    pub(crate) fn sign(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

fn fill(block: &mut [u8], key: &[u8]) {
    for (slot, byte) in block.iter_mut().zip(key) {
        *slot = *byte;
    }
}

/// The two keys of one secret.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) punchconnect: Key,
    pub(crate) standard: Option<Key>,
}

impl Keys {
    pub(crate) fn of(secret: &Secret) -> Self {
        Self { punchconnect: secret.punchconnect_key(), standard: secret.standard_key().ok() }
    }
}
