//! Answers as servers gave them, and what is expected of a call that gets one.

use std::collections::BTreeMap;

use bytes::Bytes;
use punch_erp::{CallError, HttpResponse};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(crate) struct Recorded {
    pub(crate) id: String,
    pub(crate) call: String,
    pub(crate) status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Value,
    pub(crate) expected: String,
}

impl Recorded {
    pub(crate) fn response(&self) -> HttpResponse {
        let body = self.body.as_str().map_or_else(|| self.body.to_string(), str::to_owned);
        let mut response = http::Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        response.body(Bytes::from(body)).unwrap()
    }
}

/// An error in the words of the files.
pub(crate) fn error(error: CallError) -> String {
    match error {
        CallError::Refused { kind: Some(kind), .. } => format!("refused {kind}"),
        CallError::Busy { after: Some(after), .. } => format!("busy {}", after.num_seconds()),
        other => other.reason().to_owned(),
    }
}
