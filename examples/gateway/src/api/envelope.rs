use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use punch_protocol::SerialNumber;
use punch_protocol::push::Admission;
use punch_webhook::IdempotencyError;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::terms::EXPECTED_MOMENT;
use crate::core::KeyScope;
use crate::store::StoreError;

/// Where the paragraph of each error code stands.
const DOCS: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/errors.md");

/// An answer that is one object.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct One<T> {
    data: T,
    meta: Meta,
}

/// What is said of the answer itself.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Meta {
    /// Names this answer, in a log too.
    request_id: String,
}

/// An answer that is a part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    pub(super) meta: PageMeta,
}

/// Which part of a list it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PageMeta {
    /// Which page; null behind a cursor.
    pub(super) page: Option<u32>,
    pub(super) per_page: u32,
    /// How many rows there are; null if they are too many to be counted.
    pub(super) total: Option<u64>,
    /// Where the list goes on; null at its end.
    pub(super) next_cursor: Option<String>,
    /// Names this answer, in a log too.
    pub(super) request_id: String,
}

/// `{"data": …, "meta": {"request_id": …}}`.
pub(super) fn one<T: Serialize>(status: StatusCode, data: &T) -> Response {
    (status, Json(One { data, meta: Meta { request_id: request_id() } })).into_response()
}

pub(super) fn request_id() -> String {
    let mut bytes = [0; 8];
    // An id that repeats is a nuisance in a log and nothing more.
    let _ = getrandom::fill(&mut bytes);
    format!("req_{:016x}", u64::from_be_bytes(bytes))
}

/// A moment that a call names.
pub(super) fn moment(field: &str, text: &str) -> Result<DateTime<Utc>, ApiError> {
    text.parse().map_err(|_| ApiError::invalid(field, EXPECTED_MOMENT))
}

/// Which part of a list: `page` from 1, `per_page` 1 to 200.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paging {
    pub(super) page: u32,
    pub(super) per_page: u32,
}

impl Default for Paging {
    fn default() -> Self {
        Self { page: 1, per_page: 50 }
    }
}

impl Paging {
    /// Most rows of a page.
    pub(super) const PER_PAGE_MAX: u32 = 200;

    /// What a query says.
    pub(super) fn of(page: Option<u32>, per_page: Option<u32>) -> Result<Self, ApiError> {
        let usual = Self::default();
        let paging = Self { page: page.unwrap_or(usual.page), per_page: per_page.unwrap_or(usual.per_page) };
        if paging.page == 0 {
            return Err(ApiError::invalid("page", "pages are counted from 1"));
        }
        if !(1..=Self::PER_PAGE_MAX).contains(&paging.per_page) {
            return Err(ApiError::invalid("per_page", "expected 1 to 200"));
        }
        Ok(paging)
    }

    pub(super) fn offset(self) -> u32 {
        self.page.saturating_sub(1).saturating_mul(self.per_page)
    }
}

/// The answer to a call that is refused.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Refusal {
    error: ErrorObject,
}

/// Why a call is refused.
#[derive(Debug, Serialize, ToSchema)]
struct ErrorObject {
    #[schema(schema_with = codes)]
    code: &'static str,
    /// What is wrong and what to do, for people.
    #[schema(min_length = 1)]
    message: String,
    /// Which part of the call is at fault.
    field: Option<String>,
    /// Where the paragraph of the code stands.
    doc_url: String,
    /// Names this answer, in a log too.
    request_id: String,
}

/// What went wrong with a thing that is shown. The call that shows it is no refusal.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    #[schema(schema_with = codes)]
    code: &'static str,
    /// What is wrong and what to do, for people.
    message: String,
    /// Where the paragraph of the code stands.
    doc_url: String,
}

/// Every code there is, in the order of docs/errors.md.
const CODES: [&str; 18] = [
    "validation_failed",
    "unauthorized",
    "forbidden",
    "rate_limited",
    "not_found",
    "method_not_allowed",
    "conflict",
    "device_not_approved",
    "unsupported_command",
    "terminal_refused",
    "outcome_unknown",
    "command_expired",
    "too_large",
    "unavailable",
    "idempotency_key_invalid",
    "idempotency_key_reused",
    "idempotency_in_progress",
    "idempotency_busy",
];

fn codes() -> Object {
    let code = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(CODES));
    code.description(Some("Stable, for machines.")).build()
}

/// One refused call: a status, a stable code, a sentence, and the field at fault.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    field: Option<String>,
}

impl ApiError {
    pub(super) fn invalid(field: &str, message: &str) -> Self {
        let message = format!("'{field}': {message}.");
        Self { status: StatusCode::BAD_REQUEST, code: "validation_failed", message, field: Some(field.to_owned()) }
    }

    pub(super) fn unauthorized(message: &str) -> Self {
        let message = format!("Not authorised: {message}.");
        Self { status: StatusCode::UNAUTHORIZED, code: "unauthorized", message, field: None }
    }

    pub(super) fn forbidden(scope: KeyScope) -> Self {
        let message = format!("The key has the scope `{}`, which does not allow this call.", scope.as_str());
        Self { status: StatusCode::FORBIDDEN, code: "forbidden", message, field: None }
    }

    pub(super) fn rate_limited(seconds: i64) -> Self {
        let message = format!("Too many calls with this key; call again in {seconds} seconds.");
        Self { status: StatusCode::TOO_MANY_REQUESTS, code: "rate_limited", message, field: None }
    }

    pub(super) fn not_found(what: &str) -> Self {
        let message = format!("There is no such {what}.");
        Self { status: StatusCode::NOT_FOUND, code: "not_found", message, field: None }
    }

    pub(super) fn wrong_method() -> Self {
        let message = "This route has no such method; see `Allow`.".to_owned();
        Self { status: StatusCode::METHOD_NOT_ALLOWED, code: "method_not_allowed", message, field: None }
    }

    /// The terminal cannot do what is asked.
    pub(super) fn unsupported(problem: &str) -> Self {
        let message = format!("The terminal cannot do it: {problem}.");
        let field = Some("command".to_owned());
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, code: "unsupported_command", message, field }
    }

    /// What became of a step that went wrong. It is no refusal of a call, so it has no status of its own.
    pub(super) fn of_step(code: &'static str, message: String) -> Self {
        Self { status: StatusCode::OK, code, message, field: None }
    }

    /// The error as a member of an object that is no refusal.
    pub(super) fn of_object(&self) -> Problem {
        Problem { code: self.code, message: self.message.clone(), doc_url: self.doc_url() }
    }

    fn doc_url(&self) -> String {
        format!("{DOCS}#{}", self.code)
    }

    pub(super) fn conflict(field: &str, message: &str) -> Self {
        let message = format!("'{field}': {message}.");
        Self { status: StatusCode::CONFLICT, code: "conflict", message, field: Some(field.to_owned()) }
    }

    pub(super) fn too_large(message: &str) -> Self {
        let message = format!("The body {message}.");
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, code: "too_large", message, field: None }
    }

    pub(super) fn not_approved(serial: &SerialNumber, found: Admission) -> Self {
        let found = if found == Admission::Blocked { "blocked" } else { "not approved" };
        let cure = "nothing was done; approve it with `POST /v1/devices` and send this again";
        let message = format!("The terminal {serial} is {found}: {cure}.");
        let field = Some("serial".to_owned());
        Self { status: StatusCode::CONFLICT, code: "device_not_approved", message, field }
    }

    /// Its stable code, and the field at fault: what a page for people goes by.
    pub(crate) fn cause(&self) -> (&'static str, Option<&str>) {
        (self.code, self.field.as_deref())
    }

    /// After how many seconds the same call may be sent again, if that is worth a try.
    fn retry_after(&self) -> Option<u32> {
        ["unavailable", "idempotency_in_progress", "idempotency_busy"].contains(&self.code).then_some(1)
    }

    pub(super) fn unavailable(message: &str) -> Self {
        let message = format!("Not available now: {message}.");
        Self { status: StatusCode::SERVICE_UNAVAILABLE, code: "unavailable", message, field: None }
    }
}

impl From<IdempotencyError> for ApiError {
    fn from(error: IdempotencyError) -> Self {
        let status = StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::CONFLICT);
        Self { status, code: error.reason(), message: format!("{error}."), field: Some("Idempotency-Key".to_owned()) }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::unavailable(&error.to_string())
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        let text = rejection.body_text();
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::too_large("is longer than is taken here");
        }
        let message = format!("The body is not the JSON object expected here: {text}.");
        let field = matches!(rejection, JsonRejection::JsonDataError(_)).then(|| field_at_fault(&text)).flatten();
        Self { status: StatusCode::BAD_REQUEST, code: "validation_failed", message, field }
    }
}

/// The field that a text like `…: url: invalid type …` or `…: missing field `url` at line 1` is about.
fn field_at_fault(text: &str) -> Option<String> {
    let named = ["unknown field `", "missing field `"].into_iter().find_map(|word| text.split_once(word));
    let field = match named {
        Some((_, rest)) => rest.split('`').next(),
        None => text.rsplit_once(": invalid ").and_then(|(before, _)| before.rsplit(": ").next()),
    };
    field.filter(|field| !field.contains(' ')).map(ToOwned::to_owned)
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (doc_url, retry_after) = (self.doc_url(), self.retry_after());
        let Self { status, code, message, field } = self;
        let error = ErrorObject { code, message, field, doc_url, request_id: request_id() };
        let mut response = (status, Json(Refusal { error })).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use punch_protocol::SerialNumber;
    use punch_protocol::push::Admission;
    use punch_webhook::{IdempotencyError, IdempotencyKey};

    use super::ApiError;
    use crate::core::KeyScope;

    /// S2-007, S2-090.
    #[test]
    fn every_code_has_a_heading_in_the_docs_and_every_heading_a_code() {
        let errors = [
            ApiError::invalid("url", ""),
            ApiError::unauthorized(""),
            ApiError::forbidden(KeyScope::Read),
            ApiError::rate_limited(1),
            ApiError::not_found(""),
            ApiError::wrong_method(),
            ApiError::conflict("url", ""),
            ApiError::not_approved(&SerialNumber::parse("T1").unwrap(), Admission::Pending),
            ApiError::unsupported(""),
            ApiError::of_step("terminal_refused", String::new()),
            ApiError::of_step("outcome_unknown", String::new()),
            ApiError::of_step("command_expired", String::new()),
            ApiError::too_large(""),
            ApiError::unavailable(""),
            ApiError::from(IdempotencyKey::parse("", "").unwrap_err()),
            ApiError::from(IdempotencyError::Reused),
            ApiError::from(IdempotencyError::InProgress),
            ApiError::from(IdempotencyError::Busy),
        ];
        let page = include_str!("../../../../docs/errors.md");
        let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(errors.map(|error| error.code).to_vec(), headings);
        assert_eq!(super::CODES.to_vec(), headings);
    }
}
