//! Answers.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::stand_in::typed;

pub(super) fn json(status: u16, body: &Value) -> Response<Bytes> {
    response(status, "application/json", body.to_string())
}

/// 400 of the time events: nothing of the call was stored.
pub(super) fn refused(error: &str) -> Response<Bytes> {
    json(400, &json!({ "status": "BAD_REQUEST", "message": "Request Validation Error", "errors": [error] }))
}

pub(super) fn response(status: u16, kind: &'static str, body: String) -> Response<Bytes> {
    typed(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), kind, body)
}

pub(super) fn page(status: StatusCode) -> Response<Bytes> {
    response(status.as_u16(), "text/html", format!("<html><body><h1>{status}</h1></body></html>"))
}
