//! The shapes of Frappe's answers.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::stand_in::typed;

/// Which interface was addressed; they write errors differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    V1,
    V2,
}

/// A Python exception on its way to the client.
#[derive(Debug)]
pub(super) struct Exception {
    status: u16,
    kind: &'static str,
    text: String,
}

impl Exception {
    pub(super) fn new(status: u16, kind: &'static str, text: impl Into<String>) -> Self {
        Self { status, kind, text: text.into() }
    }

    pub(super) fn does_not_exist() -> Self {
        Self::new(404, "DoesNotExistError", "")
    }

    pub(super) fn validation(text: impl Into<String>) -> Self {
        Self::new(417, "ValidationError", text)
    }

    fn body(self, api: Api, tracebacks: bool) -> Value {
        let Self { status, kind, text } = self;
        let exception = format!("frappe.exceptions.{kind}: {text}");
        if api == Api::V2 {
            let mut error = json!({"type": kind, "message": text, "title": "Message", "indicator": "red"});
            if let (true, Some(error)) = (tracebacks, error.as_object_mut()) {
                error.insert("exception".to_owned(), json!(format!("Traceback (most recent call last):\n{exception}")));
            }
            return json!({ "errors": [error] });
        }
        let mut body = json!({ "exc_type": kind });
        let Some(fields) = body.as_object_mut() else { return body };
        // Only a refusal has a message for people; a bare 500 without tracebacks has the type alone.
        if status != 500 && !text.is_empty() {
            let message = json!({"message": text, "title": "Message", "indicator": "red", "raise_exception": 1});
            fields.insert("_server_messages".to_owned(), json!(json!([message.to_string()]).to_string()));
        }
        if tracebacks && status != 401 {
            fields.insert("exception".to_owned(), json!(exception));
            fields.insert("exc".to_owned(), json!(json!([format!("Traceback\n{exception}")]).to_string()));
            fields.insert("_exc_source".to_owned(), json!("hrms (app)"));
        }
        body
    }
}

/// An answer before it is bytes.
#[derive(Debug)]
pub(super) enum Reply {
    Json(Value),
    Error(Api, Exception, bool),
    Page(StatusCode),
}

impl Reply {
    pub(super) fn into_response(self) -> Response<Bytes> {
        let (status, body) = match self {
            Self::Json(body) => (StatusCode::OK, body),
            Self::Error(api, exception, tracebacks) => {
                let status = StatusCode::from_u16(exception.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                (status, exception.body(api, tracebacks))
            }
            Self::Page(status) => return page(status),
        };
        typed(status, "application/json", body.to_string())
    }
}

/// A page for people, as proxies and a server in trouble send it.
pub(super) fn page(status: StatusCode) -> Response<Bytes> {
    typed(status, "text/html; charset=utf-8", format!("<!DOCTYPE html><html><body><h1>{status}</h1></body></html>"))
}
