use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::answer::{is_busy, is_plain, retry_after};
use crate::{CallError, Evidence, HttpResponse};

/// Errors that a status of 500 hides and that no repetition cures: our request could not be understood.
const PERMANENT: [&str; 8] = [
    "TypeError",
    "ParserError",
    "AttributeError",
    "ValueError",
    "KeyError",
    "JSONDecodeError",
    "DataError",
    "UnicodeDecodeError",
];

/// Numbers of database errors that mean bad data; every other one (server gone, lock wait, deadlock) passes.
const PERMANENT_SQL: [&str; 4] = ["(1054,", "(1292,", "(1366,", "(1406,"];

/// The error object of a Frappe answer, in either of its two shapes.
pub(super) struct Fault {
    /// `exc_type` (v1) or `type` (v2).
    pub(super) kind: Option<String>,
    /// Every text for people, one a line.
    pub(super) text: String,
}

impl Fault {
    /// `None` if the body is not a JSON object with an error in it.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let Value::Object(answer) = serde_json::from_slice(body).ok()? else { return None };
        let text_of = |value: Option<&Value>| value.and_then(Value::as_str).map(String::from);
        if let Some(first) = answer.get("errors").and_then(|errors| errors.get(0)) {
            let texts: Vec<_> = ["message", "exception"].iter().filter_map(|key| text_of(first.get(key))).collect();
            return Some(Self { kind: text_of(first.get("type")), text: texts.join("\n") });
        }
        let kind = text_of(answer.get("exc_type"));
        let mut texts: Vec<_> = ["exception", "exc"].iter().filter_map(|key| text_of(answer.get(*key))).collect();
        texts.extend(text_of(answer.get("_server_messages")).map(|messages| unfold(&messages)));
        (kind.is_some() || !texts.is_empty()).then(|| Self { kind, text: texts.join("\n") })
    }

    /// Whether this is "there is a checkin at this second already". The link to the other checkin is in the text
    /// whatever its language.
    pub(super) fn is_duplicate(&self) -> bool {
        let links = ["/Employee Checkin/", "/Employee%20Checkin/", "/employee-checkin/"];
        self.kind.as_deref() == Some("ValidationError")
            && (self.text.contains("already has a log with the same timestamp")
                || links.iter().any(|link| self.text.contains(link)))
    }

    fn is_permanent(&self) -> bool {
        match self.kind.as_deref() {
            Some("OperationalError") => PERMANENT_SQL.iter().any(|number| self.text.contains(number)),
            Some(kind) => PERMANENT.contains(&kind),
            None => false,
        }
    }
}

/// `_server_messages` is a JSON string of a list of JSON strings of objects.
fn unfold(messages: &str) -> String {
    let Ok(list) = serde_json::from_str::<Vec<String>>(messages) else { return messages.into() };
    let texts = list.iter().map(|item| match serde_json::from_str::<Value>(item) {
        Ok(Value::Object(message)) => message.get("message").and_then(Value::as_str).unwrap_or(item).to_owned(),
        Ok(_) | Err(_) => item.clone(),
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// Sorts an answer by its status first; the body of a proxy may be anything.
fn check(response: &HttpResponse) -> Result<(), CallError> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let evidence = Evidence::of(response);
    if status.is_redirection() {
        return Err(CallError::Redirected(evidence));
    }
    let fault = Fault::read(response.body());
    let kind = fault.as_ref().and_then(|fault| fault.kind.as_deref()).filter(|kind| is_plain(kind)).map(Into::into);
    Err(match status {
        StatusCode::UNAUTHORIZED => CallError::Unauthorized(evidence),
        StatusCode::FORBIDDEN => CallError::Forbidden(evidence),
        // A server with many sites answers an unknown host name with a page.
        StatusCode::NOT_FOUND if kind.as_deref() == Some("DoesNotExistError") => CallError::NotFound(evidence),
        StatusCode::NOT_FOUND => CallError::Misaddressed(evidence),
        status if is_busy(status) => CallError::Busy { after: retry_after(response), evidence },
        // No such doctype: Frappe HR is not installed.
        StatusCode::INTERNAL_SERVER_ERROR if kind.as_deref() == Some("ImportError") => {
            CallError::Misaddressed(evidence)
        }
        StatusCode::INTERNAL_SERVER_ERROR if fault.is_some_and(|fault| fault.is_permanent()) => {
            CallError::Refused { kind, evidence }
        }
        _ if status.is_server_error() => CallError::Unavailable(evidence),
        _ if status.is_client_error() => CallError::Refused { kind, evidence },
        _ => CallError::Unreadable { expected: "a final answer", evidence },
    })
}

/// Reads a good answer of the form `{"data": …}`.
pub(super) fn read_data<T: DeserializeOwned>(response: &HttpResponse, expected: &'static str) -> Result<T, CallError> {
    #[derive(Deserialize)]
    struct Answer<T> {
        data: T,
    }
    Ok(read::<Answer<T>>(response, expected)?.data)
}

/// Reads a good answer, whole.
pub(super) fn read<T: DeserializeOwned>(response: &HttpResponse, expected: &'static str) -> Result<T, CallError> {
    check(response)?;
    serde_json::from_slice(response.body())
        .map_err(|_| CallError::Unreadable { expected, evidence: Evidence::of(response) })
}
