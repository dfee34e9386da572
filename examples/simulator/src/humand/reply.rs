//! The shapes of Humand's answers.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::stand_in::typed;

pub(super) fn response(status: StatusCode, body: &Value) -> Response<Bytes> {
    typed(status, "application/json; charset=utf-8", body.to_string())
}

/// The envelope of errors.
pub(super) fn refusal(status: u16, code: &str, message: &str) -> Response<Bytes> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response(status, &json!({ "message": message, "code": code, "metadata": {} }))
}

/// A page for people, as proxies and a server in trouble send it.
pub(super) fn page(status: StatusCode) -> Response<Bytes> {
    let body = format!("<!DOCTYPE html><html><body><h1>{status}</h1>already without</body></html>");
    typed(status, "text/html; charset=utf-8", body)
}
