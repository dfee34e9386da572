use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderName, HeaderValue, StatusCode};
use punch_erp::erpnext::{ErpNext, ErpNextSettings, WriteCheckin};
use punch_erp::{Failure, Flow as _, HttpRequest, HttpResponse, Outcome, Step};
use punch_webhook::{Secret, Verifier};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Verdict, answer, handle};

/// Whom the function believes, and where it writes.
pub struct Settings {
    /// Knows the secret of the sender.
    pub verifier: Verifier,
    /// The site.
    pub site: ErpNext,
}

/// One webhook on its way through the function.
pub enum Visit {
    /// A call is to be made, or its answer is awaited.
    Calling(Box<WriteCheckin>),
    /// The webhook is answered.
    Answered(Value),
}

/// What whoever runs the function does next.
pub enum Next {
    /// Send this, follow no redirect, and hand the answer to [`Visit::resume`].
    Send(Box<HttpRequest>),
    /// Answer the webhook with this status and body, and wait so many seconds before it comes again, if it says so.
    Answer(Value),
}

impl Visit {
    /// Takes a webhook: `settings` is JSON, `{"webhook_secret": …, "erpnext": {"base": …, "key": …, "secret": …, "zone": …}}`,
    /// and `headers` are lines `name: value`.
    pub fn begin(settings: &[u8], headers: &str, body: &[u8], now: DateTime<Utc>) -> Self {
        let settings = match read(settings) {
            Ok(settings) => settings,
            // It is the operator's to mend; the sender keeps the event until then.
            Err(error) => return Self::answered(503, "settings", &error, None),
        };
        match handle(&lines(headers), body, &settings, now) {
            Verdict::Forward(flow) => Self::Calling(flow),
            Verdict::Answer(status, word) => Self::answered(status, word, "", None),
        }
    }

    /// What is to be done now. Asking twice gives the same.
    pub fn poll(&mut self) -> Next {
        if let Self::Calling(flow) = self {
            match flow.poll() {
                Step::Send(request) => return Next::Send(Box::new(request)),
                Step::Done(outcome) => *self = Self::settled(&outcome),
            }
        }
        match self {
            Self::Answered(answer) => Next::Answer(answer.clone()),
            Self::Calling(_) => Next::Answer(Value::Null),
        }
    }

    /// Takes the answer to what was sent. Status 0: there was none, and nobody knows whether the request arrived.
    pub fn resume(&mut self, status: u16, headers: &str, body: &[u8]) {
        if let Self::Calling(flow) = self {
            flow.handle(reply(status, headers, body).ok_or(Failure::unknown("no answer")));
        }
    }

    fn settled(outcome: &Outcome) -> Self {
        let (status, word) = answer(outcome);
        let after = match outcome {
            Outcome::Retry { after, .. } => after.map(|after| after.num_seconds()),
            _ => None,
        };
        Self::answered(status, word, "", after)
    }

    fn answered(status: u16, word: &str, error: &str, after: Option<i64>) -> Self {
        let mut body = if status == 200 { json!({ "received": true }) } else { json!({ "code": word }) };
        if let (false, Some(body)) = (error.is_empty(), body.as_object_mut()) {
            body.insert("error".to_owned(), json!(error));
        }
        Self::Answered(json!({ "status": status, "body": body, "retry_after": after }))
    }
}

fn read(settings: &[u8]) -> Result<Settings, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Document {
        webhook_secret: String,
        erpnext: ErpNextSettings,
    }
    // The place alone: what stands there may be a secret.
    let place = |error: serde_json::Error| format!("settings, line {}, column {}", error.line(), error.column());
    let Document { webhook_secret, erpnext } = serde_json::from_slice(settings).map_err(place)?;
    let secret = Secret::new(webhook_secret).map_err(|error| format!("webhook_secret: {error}"))?;
    let site = ErpNext::new(erpnext).map_err(|error| format!("erpnext: {error}"))?;
    Ok(Settings { verifier: Verifier::new(&secret), site })
}

/// What is no header is nobody's.
fn lines(headers: &str) -> Vec<(String, String)> {
    let pair = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    headers.lines().filter_map(pair).collect()
}

fn reply(status: u16, headers: &str, body: &[u8]) -> Option<HttpResponse> {
    let mut response = HttpResponse::new(Bytes::copy_from_slice(body));
    *response.status_mut() = StatusCode::from_u16(status).ok()?;
    for (name, value) in lines(headers) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    Some(response)
}
