/// Why a request with an `Idempotency-Key` is not carried out. Never quotes the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdempotencyError {
    /// The header is no key.
    #[error(
        "PW-IDM-001: `Idempotency-Key` has {len} bytes, or a blank, or a character outside ASCII; expected 1 to 255 \
         visible ASCII characters, such as a UUID"
    )]
    BadKey {
        /// Bytes found.
        len: usize,
    },
    /// The key came before, with another request.
    #[error(
        "PW-IDM-002: this `Idempotency-Key` came with another request in the last 24 hours; expected the same method, \
         path and body; send a new request with a new key"
    )]
    Reused,
    /// The first request with this key is still being worked on.
    #[error("PW-IDM-003: the first request with this `Idempotency-Key` is still being worked on; send it again soon")]
    InProgress,
    /// As many requests are being worked on as there may be.
    #[error("PW-IDM-004: too many requests with an `Idempotency-Key` are being worked on; send it again soon")]
    Busy,
}

impl IdempotencyError {
    /// After how many seconds the client should send it again: the value of `Retry-After`, where there is one.
    pub const RETRY_AFTER: u32 = 1;

    /// The stable code the text begins with; [`errors`](crate::errors) has its paragraph.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadKey { .. } => "PW-IDM-001",
            Self::Reused => "PW-IDM-002",
            Self::InProgress => "PW-IDM-003",
            Self::Busy => "PW-IDM-004",
        }
    }

    /// One word for machines, the `code` of the HTTP error object: `idempotency_key_reused` …
    pub fn reason(&self) -> &'static str {
        match self {
            Self::BadKey { .. } => "idempotency_key_invalid",
            Self::Reused => "idempotency_key_reused",
            Self::InProgress => "idempotency_in_progress",
            Self::Busy => "idempotency_busy",
        }
    }

    /// The status to answer with: 400, 422, 409 or 503.
    pub fn http_status(&self) -> u16 {
        match self {
            Self::BadKey { .. } => 400,
            Self::Reused => 422,
            Self::InProgress => 409,
            Self::Busy => 503,
        }
    }

    /// Whether the same request may be sent again, after [`IdempotencyError::RETRY_AFTER`].
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::InProgress | Self::Busy)
    }
}
