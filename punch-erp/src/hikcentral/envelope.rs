//! `{"code":"0","msg":"Success","data":…}`, with status 200 whatever it says.

use alloc::vec::Vec;

use serde_json::Value;

use super::{ArtemisClass, ArtemisCode};
use crate::answer::{error_of_status, retry_after};
use crate::{CallError, Evidence, HttpResponse};

/// The `data` of a good answer, null if there is none.
pub(super) fn read(response: &HttpResponse, expected: &'static str) -> Result<Value, CallError> {
    let evidence = Evidence::of(response);
    let Some(code) = ArtemisCode::of(response.body()) else {
        if response.status().is_success() {
            return Err(CallError::Unreadable { expected, evidence });
        }
        return Err(error_of_status(response, evidence).unwrap_or_else(CallError::Unavailable));
    };
    if code.is_success() && response.status().is_success() {
        let mut body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        return Ok(body.get_mut("data").map(Value::take).unwrap_or_default());
    }
    let kind = Some(code.as_str().into());
    Err(match code.class() {
        ArtemisClass::Auth => CallError::Unauthorized(evidence),
        ArtemisClass::Permission => CallError::Forbidden(evidence),
        ArtemisClass::Throttled => CallError::Busy { after: retry_after(response), evidence },
        ArtemisClass::NotFound => CallError::NotFound(evidence),
        ArtemisClass::TooLong | ArtemisClass::BadRequest | ArtemisClass::Unsupported | ArtemisClass::Refused => {
            CallError::Refused { kind, evidence }
        }
        ArtemisClass::Transient | ArtemisClass::Unknown => {
            error_of_status(response, evidence).unwrap_or_else(CallError::Unavailable)
        }
    })
}

/// The list in `data`, under one of these names, or `data` itself.
pub(super) fn list(data: &Value, names: &[&str]) -> Option<Vec<Value>> {
    let list = names.iter().find_map(|name| data.get(name)).unwrap_or(data);
    match list {
        Value::Array(items) => Some(items.clone()),
        Value::Null => Some(Vec::new()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => None,
    }
}
