//! `Idempotency-Key`: a mutation that is sent again is answered as the first time, and not carried out again.

use core::time::Duration;
use std::sync::PoisonError;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use punch_webhook::{Claim, Execution, Fingerprint, IdempotencyKey, SavedAnswer};

use super::Api;
use super::envelope::ApiError;
use crate::clock::now;
use crate::core::Received;
use crate::store::{StoreError, answered, keep_answer};

/// The header by which a client says that two requests are one.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says that an answer is that of an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// How long an answer is kept at once that the store could not take.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// What is kept of an answer that has a secret in it.
#[derive(Debug, Clone)]
pub(super) struct KeptInstead(Bytes);

impl KeptInstead {
    /// The same answer without the secret.
    pub(super) async fn of(answer: Response) -> Result<Self, ApiError> {
        let body = to_bytes(answer.into_body(), usize::MAX).await;
        body.map(Self).map_err(|_| ApiError::unavailable("the answer could not be read"))
    }
}

/// S2-011, S2-045 to S2-048: whatever changes something can be sent again under its key.
///
/// A crash of the gateway between the change and the keeping of its answer lets the next request carry it out again.
pub(super) async fn once_a_key(State(api): State<Api>, request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let Some(key) = request.headers().get(IDEMPOTENCY_KEY).filter(|_| changes).cloned() else {
        return next.run(request).await;
    };
    carry_out(api, &key, request, next).await.unwrap_or_else(ApiError::into_response)
}

async fn carry_out(api: Api, key: &HeaderValue, request: Request, next: Next) -> Result<Response, ApiError> {
    let scope = format!("{} {}", request.method(), request.uri().path());
    let key = IdempotencyKey::parse(&scope, key.to_str().unwrap_or_default())?;
    let (parts, body) = request.into_parts();
    let too_large = |_| ApiError::too_large("is longer than any that is taken");
    let body = to_bytes(body, Received::FORWARDED_BODY).await.map_err(too_large)?;
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let fingerprint = Fingerprint::of(parts.method.as_str(), target, &body);
    let claim = {
        let mut idempotency = api.idempotency.lock().unwrap_or_else(PoisonError::into_inner);
        idempotency.begin(&key, fingerprint, now())?
    };
    let stored = api.store.read(move |connection| answered(connection, &key)).await?;
    if let Execution::Repeat(answer) = claim.check(stored.as_ref())? {
        return Ok(repeat(answer));
    }
    let request = Request::from_parts(parts, Body::from(body));
    // Whoever asked may hang up: what has begun is carried out, and its answer is there for the next time.
    let task = tokio::spawn(async move {
        let response = next.run(request).await;
        keep(&api, claim, response).await
    });
    task.await.map_err(|_| ApiError::unavailable("the request was not carried out to its end"))?
}

/// Keeps the answer, if it is one to be given again. The claim is held until then.
async fn keep(api: &Api, claim: Claim, response: Response) -> Result<Response, ApiError> {
    let (parts, body) = response.into_parts();
    let lost = |_| ApiError::unavailable("the answer could not be read");
    let body = to_bytes(body, usize::MAX).await.map_err(lost)?;
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let kept = parts.extensions.get::<KeptInstead>().map_or_else(|| body.to_vec(), |KeptInstead(kept)| kept.to_vec());
    if let Ok(mut answer) = SavedAnswer::new(parts.status.as_u16(), kept) {
        (answer.content_type, answer.location) = (text(CONTENT_TYPE), text(LOCATION));
        if let Some(record) = claim.record(answer) {
            let keep = || {
                let record = record.clone();
                api.store.write(move |tx| keep_answer(tx, &record, now()))
            };
            while let Err(StoreError::Busy { .. }) = keep().await {
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn repeat(answer: &SavedAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, Bytes::from(answer.body.clone())).into_response();
    let headers = response.headers_mut();
    for (name, text) in [(CONTENT_TYPE, &answer.content_type), (LOCATION, &answer.location)] {
        headers.remove(&name);
        if let Some(value) = text.as_deref().and_then(|text| HeaderValue::from_str(text).ok()) {
            headers.insert(name, value);
        }
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
