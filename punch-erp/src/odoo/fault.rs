//! What Odoo's errors mean, whichever way they are told.

use alloc::string::String;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::xml::{self, Answer};
use super::{Login, Protocol};
use crate::answer::{error_of_status, is_plain};
use crate::{CallError, Evidence, HttpResponse};

/// Texts of the database for collisions that are gone at the next try. They follow no user's language.
const TRANSIENT: [&str; 3] =
    ["could not serialize", "duplicate key value violates unique constraint", "deadlock detected"];

/// Exceptions of the server's own making, behind `builtins.`, that say nothing about our request.
const OWN_TROUBLE: [&str; 5] = ["MemoryError", "OSError", "ConnectionError", "TimeoutError", "RuntimeError"];

/// An exception as the server names it. The text is for people: it is translated, and names them.
struct Fault {
    name: String,
    text: String,
}

/// The error object of JSON-RPC and of JSON-2. The traceback in it is left where it is.
#[derive(Deserialize)]
struct ErrorData {
    name: String,
    #[serde(default)]
    message: Value,
}

impl From<ErrorData> for Fault {
    fn from(data: ErrorData) -> Self {
        let text = data.message.as_str().map_or_else(|| alloc::format!("{}", data.message), Into::into);
        Self { name: data.name, text }
    }
}

/// Reads a good answer to a call.
pub(super) fn read<T: DeserializeOwned>(
    login: &Login,
    response: &HttpResponse,
    expected: &'static str,
) -> Result<T, CallError> {
    read_by(login.protocol, response, expected)
}

pub(super) fn read_by<T: DeserializeOwned>(
    protocol: Protocol,
    response: &HttpResponse,
    expected: &'static str,
) -> Result<T, CallError> {
    let result = match protocol {
        Protocol::JsonRpc => json_rpc(response),
        Protocol::XmlRpc => xml_rpc(response),
        Protocol::Json2 => json_2(response),
    }?;
    result
        .and_then(|value| serde_json::from_value(value).ok())
        .ok_or_else(|| CallError::Unreadable { expected, evidence: Evidence::of(response) })
}

/// `None` if it is not such an answer.
fn json_rpc(response: &HttpResponse) -> Result<Option<Value>, CallError> {
    #[derive(Deserialize)]
    struct Envelope {
        #[serde(default)]
        result: Option<Value>,
        #[serde(default)]
        error: Option<Error>,
    }
    #[derive(Deserialize)]
    struct Error {
        data: ErrorData,
    }
    check_status(response)?;
    match serde_json::from_slice::<Envelope>(response.body()) {
        Ok(Envelope { error: Some(error), .. }) => Err(error_of(error.data.into(), response)),
        Ok(Envelope { result, .. }) => Ok(result),
        Err(_) => Ok(None),
    }
}

fn xml_rpc(response: &HttpResponse) -> Result<Option<Value>, CallError> {
    check_status(response)?;
    Ok(match xml::read_answer(response.body()) {
        Some(Answer::Result(value)) => Some(value),
        Some(Answer::Fault { code, text }) => return Err(error_of(fault_of(&code, text), response)),
        None => None,
    })
}

fn json_2(response: &HttpResponse) -> Result<Option<Value>, CallError> {
    if !response.status().is_success()
        && let Ok(data) = serde_json::from_slice::<ErrorData>(response.body())
    {
        return Err(error_of(data.into(), response));
    }
    check_status(response)?;
    Ok(serde_json::from_slice(response.body()).ok())
}

/// A fault has a number instead of a name, and all but four kinds share one: there the traceback tells.
fn fault_of(code: &Value, text: String) -> Fault {
    let name = match code.as_i64() {
        Some(2) => "odoo.exceptions.UserError".into(),
        Some(3) => "odoo.exceptions.AccessDenied".into(),
        Some(4) => "odoo.exceptions.AccessError".into(),
        _ => {
            let name = exception_line(&text).split(':').next().unwrap_or_default().trim();
            // Python leaves the module of its own exceptions out.
            if name.contains('.') { name.into() } else { alloc::format!("builtins.{name}") }
        }
    };
    Fault { name, text }
}

/// The line of a traceback that names the exception: the first one behind the last frame. The texts of a database go on
/// for some lines more.
fn exception_line(traceback: &str) -> &str {
    let last = traceback.rsplit("Traceback (most recent call last):").next().unwrap_or_default();
    last.lines().find(|line| !line.is_empty() && !line.starts_with([' ', '\t'])).unwrap_or_default()
}

/// By name alone where that is possible: codes differ between versions, texts between users.
fn error_of(fault: Fault, response: &HttpResponse) -> CallError {
    let Fault { name, text } = fault;
    let evidence = evidence(response, &name, &text);
    let kind = || Some(name.as_str()).filter(|name| is_plain(name)).map(|name| short(name).into());
    if TRANSIENT.iter().any(|passing| text.contains(passing)) {
        return CallError::Busy { after: None, evidence };
    }
    match name.rsplit_once('.').unwrap_or_default() {
        (_, "AccessDenied" | "Unauthorized" | "SessionExpiredException") => CallError::Unauthorized(evidence),
        // A login kept from another life of the database.
        (_, "MissingError" | "UserError") if text.contains("res.users(") => CallError::Unauthorized(evidence),
        (_, "AccessError" | "Forbidden") => CallError::Forbidden(evidence),
        // The badge may be read by people of HR only, and the field looks as if it did not exist.
        ("builtins", "ValueError") if text.contains("hr.employee.public") => CallError::Forbidden(evidence),
        (_, "MissingError") => CallError::NotFound(evidence),
        // The app is not installed, or there is no such database.
        (_, "UserError") if text.contains("hr.attendance doesn't exist") => CallError::Misaddressed(evidence),
        ("psycopg2", "OperationalError") if text.contains("does not exist") => CallError::Misaddressed(evidence),
        ("odoo.exceptions", _) => CallError::Refused { kind: kind(), evidence },
        ("builtins", class) if !OWN_TROUBLE.contains(&class) => CallError::Refused { kind: kind(), evidence },
        ("psycopg2.errors", class) if is_about_data(class) => CallError::Refused { kind: kind(), evidence },
        _ => error_of_status(response, evidence).unwrap_or_else(CallError::Unavailable),
    }
}

/// Classes 22 and 23 of the database's errors, of those a call of ours could meet.
fn is_about_data(class: &str) -> bool {
    class.ends_with("Violation") || class.contains("Datetime") || class.ends_with("OutOfRange")
}

fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Status and text without the traceback, which is long and concerns nobody here.
fn evidence(response: &HttpResponse, name: &str, text: &str) -> Evidence {
    let mut brief = HttpResponse::new(Bytes::from(alloc::format!("{name}: {text}")));
    *brief.status_mut() = response.status();
    Evidence::of(&brief)
}

/// What a status says by itself. The body may be a page.
fn check_status(response: &HttpResponse) -> Result<(), CallError> {
    if response.status().is_success() {
        return Ok(());
    }
    Err(error_of_status(response, Evidence::of(response)).unwrap_or_else(CallError::Unavailable))
}
