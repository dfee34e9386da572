use alloc::borrow::{Cow, ToOwned};
use core::fmt;

pub(crate) const ID: &str = "webhook-id";
pub(crate) const TIMESTAMP: &str = "webhook-timestamp";
pub(crate) const SIGNATURE: &str = "webhook-signature";

/// The name of the header with the `PunchConnect` signature: `X-PunchConnect-Signature` unless told otherwise.
///
/// ```
/// use punch_webhook::HeaderName;
///
/// assert_eq!(HeaderName::default().as_str(), "X-PunchConnect-Signature");
/// assert!(HeaderName::parse("X-Acme-Signature").is_ok());
/// assert!(HeaderName::parse("two words").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderName(Cow<'static, str>);

impl HeaderName {
    /// The longest name accepted, in bytes.
    pub const MAX_LEN: usize = 64;

    /// Accepts 1 to 64 ASCII letters, digits, `-` or `_` that name none of the Standard Webhooks headers.
    ///
    /// # Errors
    ///
    /// [`HeaderNameError`] if the text is not of that form.
    pub fn parse(text: &str) -> Result<Self, HeaderNameError> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let taken = [ID, TIMESTAMP, SIGNATURE].iter().any(|name| name.eq_ignore_ascii_case(text));
        if text.is_empty() || text.len() > Self::MAX_LEN || taken || !text.bytes().all(legal) {
            return Err(HeaderNameError);
        }
        Ok(Self(Cow::Owned(text.to_owned())))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_text(self) -> Cow<'static, str> {
        self.0
    }
}

impl Default for HeaderName {
    fn default() -> Self {
        Self(Cow::Borrowed("X-PunchConnect-Signature"))
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a [`HeaderName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "PW-HDR-001: signature header name: expected 1 to 64 letters, digits, `-` or `_`, and none of `webhook-id`, \
     `webhook-timestamp`, `webhook-signature`"
)]
#[non_exhaustive]
pub struct HeaderNameError;

impl HeaderNameError {
    /// The stable code the text begins with; [`errors`](crate::errors) has its paragraph.
    pub fn code(&self) -> &'static str {
        "PW-HDR-001"
    }
}
