//! What Humand's errors mean. The envelope is `{"message","code","metadata"}`.

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};

use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::RateLimit;
use crate::answer::{error_of_status, is_plain};
use crate::{CallError, Evidence, HttpResponse};

/// Which rule an entry breaks, as far as the words of the refusal say.
///
/// No code and no text for it is documented, so this is a guess; whatever it says, the entries are read before anything
/// is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// Its time is ahead of the server's clock.
    Future,
    /// It is there already.
    Duplicate,
    /// Arrivals and departures would not alternate.
    Alternation,
    /// It does not say.
    Other,
}

const FUTURE: [&str; 1] = ["futur"];
const DUPLICATE: [&str; 3] = ["duplic", "already", "ya existe"];
const ALTERNATION: [&str; 7] =
    ["without", "sin salida", "sin entrada", "consecutiv", "alternat", "same type", "mismo tipo"];

impl Hint {
    /// Reads message and code, English or Spanish.
    fn of(text: &str) -> Self {
        let text = text.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if has(&FUTURE) {
            Self::Future
        } else if has(&DUPLICATE) {
            Self::Duplicate
        } else if has(&ALTERNATION) {
            Self::Alternation
        } else {
            Self::Other
        }
    }
}

/// The error of an answer.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Envelope {
    message: Value,
    code: Value,
}

impl Envelope {
    /// An empty one if the body is none.
    fn read(response: &HttpResponse) -> Self {
        serde_json::from_slice(response.body()).unwrap_or_default()
    }

    fn code(&self) -> &str {
        self.code.as_str().unwrap_or_default()
    }

    /// The code, unless it is a sentence.
    fn kind(&self) -> Option<Box<str>> {
        Some(self.code()).filter(|code| !code.is_empty() && is_plain(code)).map(Into::into)
    }

    fn text(&self) -> String {
        let part = |value: &Value| value.as_str().map_or_else(|| value.to_string(), Into::into);
        [part(&self.message), part(&self.code)].join("\n")
    }
}

/// The rule that a refused entry breaks, and the code of the refusal. `None` if the answer is about something else.
///
/// 422 is known from hearsay only, so 400, 409 and 500 `ILLEGAL_STATE` count too where their words say so.
pub(super) fn violation(response: &HttpResponse) -> Option<(Hint, Option<Box<str>>)> {
    let envelope = Envelope::read(response);
    let hint = Hint::of(&envelope.text());
    let is_one = match response.status() {
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::CONFLICT => true,
        StatusCode::BAD_REQUEST => hint != Hint::Other,
        StatusCode::INTERNAL_SERVER_ERROR => hint != Hint::Other && envelope.code() == "ILLEGAL_STATE",
        _ => false,
    };
    is_one.then(|| (hint, envelope.kind()))
}

/// Reads a good answer.
pub(super) fn read<T: DeserializeOwned>(response: &HttpResponse, expected: &'static str) -> Result<T, CallError> {
    check(response)?;
    serde_json::from_slice(response.body()).map_err(|_| {
        let evidence = Evidence::of(response);
        // One client saw errors with a status of 200.
        match Envelope::read(response).kind() {
            Some(kind) => CallError::Refused { kind: Some(kind), evidence },
            None => CallError::Unreadable { expected, evidence },
        }
    })
}

/// Sorts an answer by its status first; the body of a proxy may be anything.
fn check(response: &HttpResponse) -> Result<(), CallError> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let (envelope, evidence) = (Envelope::read(response), Evidence::of(response));
    Err(match status {
        StatusCode::TOO_MANY_REQUESTS => CallError::Busy { after: Some(RateLimit::wait(response)), evidence },
        // Without the code it is a page of something else that answers there.
        StatusCode::NOT_FOUND if envelope.code() == "NOT_FOUND" => CallError::NotFound(evidence),
        _ => match error_of_status(response, evidence) {
            Ok(CallError::Refused { evidence, .. }) => CallError::Refused { kind: envelope.kind(), evidence },
            Ok(error) => error,
            Err(evidence) => CallError::Unavailable(evidence),
        },
    })
}
