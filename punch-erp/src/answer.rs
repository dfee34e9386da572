//! What an answer says, whichever ERP it comes from.

use chrono::{DateTime, Utc};
use http::StatusCode;
use http::header::{DATE, RETRY_AFTER};
use punch_webhook::parse_retry_after;

use crate::{CallError, Evidence, Failure, HttpResponse, RetryReason};

/// What a call makes of its reply, or why the record is to be tried again.
pub(crate) fn answer<T>(
    reply: Result<HttpResponse, Failure>,
    read: impl FnOnce(&HttpResponse) -> Result<T, CallError>,
) -> Result<T, RetryReason> {
    Ok(read(&reply?)?)
}

/// When the server says it answered.
pub(crate) fn answered_at(response: &HttpResponse) -> Option<DateTime<Utc>> {
    let text = response.headers().get(DATE)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(text).ok().map(|date| date.with_timezone(&Utc))
}

/// How long a server that did not serve asks to wait, whatever else it says.
pub(crate) fn asked_wait(reply: &Result<HttpResponse, Failure>) -> Option<chrono::TimeDelta> {
    reply.as_ref().ok().filter(|response| !response.status().is_success()).and_then(retry_after)
}

/// How long the server asks to wait, if it says so.
pub(crate) fn retry_after(response: &HttpResponse) -> Option<chrono::TimeDelta> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    // A date counts from the server's own clock, so ours does not matter. Without one, only seconds can be read.
    let is_seconds = value.trim().bytes().all(|byte| byte.is_ascii_digit());
    let now = answered_at(response).or_else(|| is_seconds.then_some(DateTime::UNIX_EPOCH))?;
    parse_retry_after(value, now)
}

/// Whether a status says that the server is there, and not now.
pub(crate) fn is_busy(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::REQUEST_TIMEOUT
            | StatusCode::LOCKED
            | StatusCode::TOO_EARLY
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE
    )
}

/// What a status says by itself, whatever the body is. `Err` for a failure that says nothing but that there was one.
pub(crate) fn error_of_status(response: &HttpResponse, evidence: Evidence) -> Result<CallError, Evidence> {
    Ok(match response.status() {
        status if status.is_redirection() => CallError::Redirected(evidence),
        StatusCode::UNAUTHORIZED => CallError::Unauthorized(evidence),
        StatusCode::FORBIDDEN => CallError::Forbidden(evidence),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => CallError::Misaddressed(evidence),
        status if is_busy(status) => CallError::Busy { after: retry_after(response), evidence },
        status if status.is_client_error() => CallError::Refused { kind: None, evidence },
        status if status.is_informational() => CallError::Unreadable { expected: "a final answer", evidence },
        _ => return Err(evidence),
    })
}

/// The name of an error class, and not a sentence with somebody in it.
pub(crate) fn is_plain(kind: &str) -> bool {
    kind.len() <= 64 && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}
