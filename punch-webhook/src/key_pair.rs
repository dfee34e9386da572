use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer as _;
use zeroize::Zeroizing;

/// What a signature by key pair begins with.
const VERSION: &str = "v1a,";
const SIGNATURE_LEN: usize = 64;

/// The half of a key pair that signs: `whsk_` and base64 of 64 bytes. Wiped when dropped; `Debug` shows nothing.
///
/// With a key pair a receiver holds nothing that could sign, so many receivers can share one sender's key.
///
/// ```
/// use punch_webhook::{SigningKey, VerifyingKey};
///
/// let key = SigningKey::from_random([7; 32]);
/// let shown = key.verifying_key().to_string();
/// assert!(shown.starts_with("whpk_"));
/// assert_eq!(VerifyingKey::parse(&shown)?, key.verifying_key());
/// # Ok::<(), punch_webhook::KeyPairError>(())
/// ```
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

/// The half of a key pair that verifies: `whpk_` and base64 of 32 bytes. No secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl SigningKey {
    /// What it begins with.
    pub const PREFIX: &str = "whsk_";

    /// Reads the text, whose second half must be the verifying key of the first.
    ///
    /// # Errors
    ///
    /// [`KeyPairError`] if it is not of that form.
    pub fn parse(text: &str) -> Result<Self, KeyPairError> {
        let bytes = Zeroizing::new(decode::<64>(Self::PREFIX, text)?);
        ed25519_dalek::SigningKey::from_keypair_bytes(&bytes).map(Self).map_err(|_| KeyPairError)
    }

    /// Makes a key from 32 random bytes, which must come from the operating system's generator.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(&Zeroizing::new(bytes)))
    }

    /// The other half, for receivers.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }

    /// The text itself, to store it. Never log it.
    pub fn expose(&self) -> String {
        encode(Self::PREFIX, Zeroizing::new(self.0.to_keypair_bytes()).as_slice())
    }

    /// One element of `webhook-signature` over `parts`, one after the other.
    pub(crate) fn sign(&self, parts: &[&[u8]]) -> String {
        encode(VERSION, &self.0.sign(&parts.concat()).to_bytes())
    }
}

impl VerifyingKey {
    /// What it begins with.
    pub const PREFIX: &str = "whpk_";

    /// Reads the text.
    ///
    /// # Errors
    ///
    /// [`KeyPairError`] if it is not of that form, or a key that anybody could sign for.
    pub fn parse(text: &str) -> Result<Self, KeyPairError> {
        let bytes = decode::<32>(Self::PREFIX, text)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|_| KeyPairError)?;
        if key.is_weak() { Err(KeyPairError) } else { Ok(Self(key)) }
    }

    /// Whether one of the signatures is of this key over `parts`, one after the other.
    pub(crate) fn verifies(&self, signatures: &[ed25519_dalek::Signature], parts: &[&[u8]]) -> bool {
        let message = parts.concat();
        signatures.iter().any(|signature| self.0.verify_strict(&message, signature).is_ok())
    }
}

/// The signatures by key pair among the elements of a header. Other versions and junk are skipped.
pub(crate) fn signatures(elements: &[&[u8]]) -> Vec<ed25519_dalek::Signature> {
    let encoded = elements.iter().filter_map(|element| element.strip_prefix(VERSION.as_bytes()));
    let decoded = encoded.filter_map(|text| <[u8; SIGNATURE_LEN]>::try_from(STANDARD.decode(text).ok()?).ok());
    decoded.map(|bytes| ed25519_dalek::Signature::from_bytes(&bytes)).collect()
}

fn decode<const LEN: usize>(prefix: &str, text: &str) -> Result<[u8; LEN], KeyPairError> {
    let encoded = text.strip_prefix(prefix).ok_or(KeyPairError)?;
    let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| KeyPairError)?);
    bytes.as_slice().try_into().map_err(|_| KeyPairError)
}

fn encode(prefix: &str, bytes: &[u8]) -> String {
    // Room for everything at once: a String that grows leaves copies of its text behind.
    let mut text = String::with_capacity(96);
    text.push_str(prefix);
    STANDARD.encode_string(bytes, &mut text);
    text
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(Self::PREFIX, self.0.as_bytes()))
    }
}

/// The text is neither half of a key pair. Carries none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "PW-KEY-001: key is not one of a pair, expected `whsk_` and base64 of 64 bytes to sign, `whpk_` and base64 of 32 \
     bytes to verify; copy it whole"
)]
#[non_exhaustive]
pub struct KeyPairError;

impl KeyPairError {
    /// The stable code the text begins with; [`errors`](crate::errors) has its paragraph.
    pub fn code(&self) -> &'static str {
        "PW-KEY-001"
    }
}
