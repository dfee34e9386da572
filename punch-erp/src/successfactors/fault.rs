//! What a status and an error of these services mean.

use alloc::boxed::Box;
use alloc::string::String;

use chrono::TimeDelta;
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::answer::{error_of_status, is_plain, retry_after};
use crate::{CallError, Evidence, HttpResponse};

/// How long to wait after a 429 that does not say: SAP's own advice, 300 s.
pub(super) const THROTTLED: TimeDelta = TimeDelta::seconds(300);

/// Sorts an answer by its status first; the body of a proxy may be anything.
pub(super) fn check(response: &HttpResponse) -> Result<(), CallError> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let evidence = Evidence::of(response);
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Err(CallError::Busy { after: Some(retry_after(response).unwrap_or(THROTTLED)), evidence });
    }
    let error = error_of_status(response, evidence).unwrap_or_else(CallError::Unavailable);
    let CallError::Refused { evidence, .. } = error else { return Err(error) };
    Err(match serde_json::from_slice::<Map<String, Value>>(response.body()) {
        Ok(error) => CallError::Refused { kind: kind_of(&error), evidence },
        Err(_) if status == StatusCode::PAYLOAD_TOO_LARGE => CallError::Refused { kind: None, evidence },
        // A firewall's page says nothing about the records.
        Err(_) => CallError::Unreadable { expected: "an answer of SuccessFactors", evidence },
    })
}

/// The error's name, if it has one: `status` of the time events, `error` of OAuth, `error.code` of OData.
fn kind_of(error: &Map<String, Value>) -> Option<Box<str>> {
    let nested = error.get("error").and_then(|error| error.get("code"));
    let named = [nested, error.get("error"), error.get("status")];
    let text = named.into_iter().flatten().find_map(Value::as_str);
    text.filter(|kind| is_plain(kind)).map(Into::into)
}

/// Reads a good answer, whole.
pub(super) fn read<T: DeserializeOwned>(response: &HttpResponse, expected: &'static str) -> Result<T, CallError> {
    check(response)?;
    serde_json::from_slice(response.body())
        .map_err(|_| CallError::Unreadable { expected, evidence: Evidence::of(response) })
}
