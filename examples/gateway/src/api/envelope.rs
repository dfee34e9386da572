use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use punch_protocol::SerialNumber;
use punch_webhook::IdempotencyError;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::store::StoreError;

/// Where the paragraph of each error code stands.
const DOCS: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/errors.md");

/// `{"data": …, "meta": {"request_id": …}}`.
pub(super) fn one<T: Serialize>(status: StatusCode, data: &T) -> Response {
    (status, Json(json!({ "data": data, "meta": { "request_id": request_id() } }))).into_response()
}

/// `{"data": […], "meta": {"page", "per_page", "request_id"}}`.
pub(super) fn page<T: Serialize>(data: &[T], paging: Paging) -> Response {
    let meta = json!({ "page": paging.page, "per_page": paging.per_page, "request_id": request_id() });
    (StatusCode::OK, Json(json!({ "data": data, "meta": meta }))).into_response()
}

fn request_id() -> String {
    let mut bytes = [0; 8];
    // An id that repeats is a nuisance in a log and nothing more.
    let _ = getrandom::fill(&mut bytes);
    format!("req_{:016x}", u64::from_be_bytes(bytes))
}

/// A moment that a call names.
pub(super) fn moment(field: &str, text: &str) -> Result<DateTime<Utc>, ApiError> {
    let moment = DateTime::parse_from_rfc3339(text).map(|moment| moment.to_utc());
    moment.map_err(|_| ApiError::invalid(field, "expected a moment like `2026-03-28T08:00:00Z`"))
}

/// Which part of a list: `page` from 1, `per_page` 1 to 200.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default)]
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
    const PER_PAGE_MAX: u32 = 200;

    pub(super) fn checked(
        query: Result<Query<Self>, axum::extract::rejection::QueryRejection>,
    ) -> Result<Self, ApiError> {
        let Ok(Query(Self { page, per_page })) = query else {
            return Err(ApiError::invalid("page", "`page` and `per_page` are whole numbers"));
        };
        Self::of(Some(page), Some(per_page))
    }

    /// What a query with other keys beside these says.
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

    pub(super) fn part_of<T>(self, rows: &[T]) -> impl Iterator<Item = &T> {
        let whole = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        rows.iter().skip(whole(self.offset())).take(whole(self.per_page))
    }

    pub(super) fn offset(self) -> u32 {
        self.page.saturating_sub(1).saturating_mul(self.per_page)
    }
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

    pub(super) fn not_found(what: &str) -> Self {
        let message = format!("There is no such {what}.");
        Self { status: StatusCode::NOT_FOUND, code: "not_found", message, field: None }
    }

    pub(super) fn wrong_method() -> Self {
        let message = "This route has no such method; see `Allow`.".to_owned();
        Self { status: StatusCode::METHOD_NOT_ALLOWED, code: "method_not_allowed", message, field: None }
    }

    pub(super) fn conflict(field: &str, message: &str) -> Self {
        let message = format!("'{field}': {message}.");
        Self { status: StatusCode::CONFLICT, code: "conflict", message, field: Some(field.to_owned()) }
    }

    pub(super) fn too_large(message: &str) -> Self {
        let message = format!("The body {message}.");
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, code: "too_large", message, field: None }
    }

    pub(super) fn not_approved(serial: &SerialNumber, found: &str) -> Self {
        let cure = "nothing was kept; approve it with `POST /v1/devices` and send the rows again";
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
        let error = json!({
            "code": self.code,
            "message": self.message,
            "field": self.field,
            "doc_url": format!("{DOCS}#{}", self.code),
            "request_id": request_id(),
        });
        let mut response = (self.status, Json(json!({ "error": error }))).into_response();
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use punch_protocol::SerialNumber;
    use punch_webhook::{IdempotencyError, IdempotencyKey};

    use super::ApiError;

    /// S2-007, S2-090.
    #[test]
    fn every_code_has_a_heading_in_the_docs_and_every_heading_a_code() {
        let errors = [
            ApiError::invalid("url", ""),
            ApiError::unauthorized(""),
            ApiError::not_found(""),
            ApiError::wrong_method(),
            ApiError::conflict("url", ""),
            ApiError::not_approved(&SerialNumber::parse("T1").unwrap(), ""),
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
    }
}
