//! The shapes of Humand's answers.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::NoAnswer;

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

pub(super) fn no_answer() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::GATEWAY_TIMEOUT;
    response.extensions_mut().insert(NoAnswer);
    response
}

fn typed(status: StatusCode, kind: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
