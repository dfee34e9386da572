use subtle::ConstantTimeEq as _;

use crate::{ConfigError, Credential};

/// Who may push events: whoever knows the token of the subscription, which comes back in the header `token`.
///
/// ```
/// use punch_erp::hikcentral::Receiver;
///
/// let receiver = Receiver::new(Some("t0k".into()), false)?;
/// assert!(receiver.admits(Some(b"t0k")) && !receiver.admits(None));
/// assert!(Receiver::new(None, false).is_err());
/// # Ok::<(), punch_erp::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Receiver(Option<Credential>);

impl Receiver {
    /// The header of a push that holds the token.
    pub const HEADER: &'static str = "token";

    /// What a push is answered once its events are stored, with status 200.
    pub const OK: &'static str = r#"{"code":"0","msg":"OK"}"#;

    /// A receiver with a token, or one that takes events from anybody because `insecure` says so.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Missing`] if there is no token and `insecure` is false.
    pub fn new(token: Option<Credential>, insecure: bool) -> Result<Self, ConfigError> {
        let token = token.filter(|token| !token.expose().is_empty());
        let cure = "choose a long random text, which the subscription sends back, or set `insecure_receiver = true`";
        if token.is_none() && !insecure {
            return Err(ConfigError::Missing { key: "token", cure });
        }
        Ok(Self(token))
    }

    /// The token, for the subscription.
    pub fn token(&self) -> Option<&Credential> {
        self.0.as_ref()
    }

    /// Whether a push with this value of the header is taken. Compared in constant time; 401 is the answer if not.
    pub fn admits(&self, header: Option<&[u8]>) -> bool {
        let Some(token) = &self.0 else { return true };
        header.is_some_and(|header| bool::from(header.ct_eq(token.expose().as_bytes())))
    }
}
