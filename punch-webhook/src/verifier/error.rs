use crate::header::HeaderName;

/// Why a body is not to be trusted. No variant carries any of the signature or the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// One of the three Standard Webhooks headers is absent or empty.
    #[error(
        "PW-SIG-001: missing_header: no `{name}`, expected all three webhook headers; check that no proxy drops it"
    )]
    MissingHeader {
        /// The header's name.
        name: &'static str,
    },
    /// The `PunchConnect` header is absent or empty.
    #[error(
        "PW-SIG-002: missing_header (missing): no `{name}`, expected `sha256=` and 64 hex digits; \
         check the header's name and that no proxy drops it"
    )]
    Missing {
        /// The header's name.
        name: HeaderName,
    },
    /// `webhook-timestamp` is not a number of seconds.
    #[error(
        "PW-SIG-003: bad_timestamp: `webhook-timestamp` is not decimal digits, expected unsigned seconds since 1970"
    )]
    BadTimestamp,
    /// The signature is right, but it was made too long ago.
    #[error(
        "PW-SIG-004: timestamp_too_old: signed more than {tolerance} s ago; \
         check this machine's clock, else somebody is sending a recorded delivery"
    )]
    TooOld {
        /// The greatest difference accepted, in seconds.
        tolerance: u64,
    },
    /// The signature is right, but its time has not come yet.
    #[error("PW-SIG-005: timestamp_too_new: signed more than {tolerance} s in the future; check both machines' clocks")]
    TooNew {
        /// The greatest difference accepted, in seconds.
        tolerance: u64,
    },
    /// No `v1` signature was made with any of our secrets over these bytes.
    #[error(
        "PW-SIG-006: no_match: no `v1` signature fits, expected one over the raw id, time and body; \
         check the secret and that nothing rewrites the body"
    )]
    NoMatch,
    /// The header lists more than [`Verifier::MAX_SIGNATURES`](crate::Verifier::MAX_SIGNATURES) signatures.
    #[error("PW-SIG-007: too_many_signatures: more than 16 in one header; no honest sender sends as many")]
    TooManySignatures,
    /// The `PunchConnect` header has no digits.
    #[error("PW-SIG-008: no_match (empty): the signature has no digits, expected 64 hex digits after `sha256=`")]
    Empty,
    /// The `PunchConnect` header has something else than hex digits.
    #[error(
        "PW-SIG-009: no_match (not_hex): the signature has other characters than 0-9 and a-f, expected 64 hex digits"
    )]
    NotHex,
    /// The `PunchConnect` header has too few or too many digits.
    #[error("PW-SIG-010: no_match (length): the signature has {digits} hex digits, expected 64; was the header cut?")]
    Length {
        /// Hex digits found.
        digits: usize,
    },
    /// The `PunchConnect` header names another algorithm.
    #[error("PW-SIG-011: no_match (unknown_scheme): the signature's prefix is not `sha256=`, the only one accepted")]
    UnknownScheme,
    /// The `PunchConnect` signature was not made with any of our secrets over these bytes.
    #[error(
        "PW-SIG-012: no_match (mismatch): the signature does not fit, expected HMAC-SHA256 over the raw body; \
         check the secret and that nothing rewrites the body"
    )]
    Mismatch,
    /// Standard Webhooks headers, but none of our secrets has a Standard Webhooks key.
    #[error(
        "PW-SIG-013: no_match (no_standard_key): no secret here is `whsec_` and base64, which Standard Webhooks needs; \
         use such a secret or verify `X-PunchConnect-Signature`"
    )]
    NoStandardKey,
}

impl VerifyError {
    /// The stable code the text begins with; [`errors`](crate::errors) has its paragraph.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingHeader { .. } => "PW-SIG-001",
            Self::Missing { .. } => "PW-SIG-002",
            Self::BadTimestamp => "PW-SIG-003",
            Self::TooOld { .. } => "PW-SIG-004",
            Self::TooNew { .. } => "PW-SIG-005",
            Self::NoMatch => "PW-SIG-006",
            Self::TooManySignatures => "PW-SIG-007",
            Self::Empty => "PW-SIG-008",
            Self::NotHex => "PW-SIG-009",
            Self::Length { .. } => "PW-SIG-010",
            Self::UnknownScheme => "PW-SIG-011",
            Self::Mismatch => "PW-SIG-012",
            Self::NoStandardKey => "PW-SIG-013",
        }
    }

    /// One word for what is wrong, as exact as it is known.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::MissingHeader { .. } => "missing_header",
            Self::Missing { .. } => "missing",
            Self::BadTimestamp => "bad_timestamp",
            Self::TooOld { .. } => "timestamp_too_old",
            Self::TooNew { .. } => "timestamp_too_new",
            Self::NoMatch => "no_match",
            Self::TooManySignatures => "too_many_signatures",
            Self::Empty => "empty",
            Self::NotHex => "not_hex",
            Self::Length { .. } => "length",
            Self::UnknownScheme => "unknown_scheme",
            Self::Mismatch => "mismatch",
            Self::NoStandardKey => "no_standard_key",
        }
    }

    /// The same in the six words of the Standard Webhooks vectors: `missing_header`, `bad_timestamp`,
    /// `timestamp_too_old`, `timestamp_too_new`, `no_match`, `too_many_signatures`.
    pub fn class(&self) -> &'static str {
        match self {
            Self::MissingHeader { .. } | Self::Missing { .. } => "missing_header",
            Self::BadTimestamp | Self::TooOld { .. } | Self::TooNew { .. } | Self::TooManySignatures => self.reason(),
            Self::NoMatch
            | Self::Empty
            | Self::NotHex
            | Self::Length { .. }
            | Self::UnknownScheme
            | Self::Mismatch
            | Self::NoStandardKey => "no_match",
        }
    }

    /// The status to answer with: always 401.
    pub fn http_status(&self) -> u16 {
        401
    }
}
