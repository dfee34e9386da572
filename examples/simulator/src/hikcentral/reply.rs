//! The shapes of Artemis' answers.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::stand_in::typed;

pub(super) fn success(data: &Value) -> Response<Bytes> {
    envelope("0", "Success", data)
}

/// Errors have status 200.
pub(super) fn refusal(code: &str, message: &str) -> Response<Bytes> {
    envelope(code, message, &Value::Null)
}

fn envelope(code: &str, message: &str, data: &Value) -> Response<Bytes> {
    let body = json!({ "code": code, "msg": message, "data": data });
    typed(StatusCode::OK, "application/json;charset=UTF-8", body.to_string())
}

/// A page for people, as proxies and a server in trouble send it.
pub(super) fn page(status: StatusCode) -> Response<Bytes> {
    typed(status, "text/html", format!("<html><body><h1>{status}</h1></body></html>"))
}
