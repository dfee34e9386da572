use http::StatusCode;

/// What a push is answered, as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: String,
}

impl Answer {
    pub(crate) fn new(status: StatusCode, body: impl Into<String>) -> Self {
        Self { status, body: body.into() }
    }
}
