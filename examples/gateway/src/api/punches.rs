use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use punch_protocol::SerialNumber;
use punch_protocol::push::Admission;
use serde::Deserialize;
use serde_json::json;

use super::Api;
use super::envelope::{ApiError, one};
use crate::clock::now;
use crate::core::{ForwardedError, Received};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Manner {
    live: bool,
    /// Up to when everything that the terminal had has come, these rows among it.
    complete_to: Option<DateTime<Utc>>,
}

/// Takes punches that somebody has read from a terminal, under the identities they would have had by push.
pub(super) async fn add_punches(
    State(api): State<Api>,
    Path(serial): Path<String>,
    manner: Result<Query<Manner>, QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let serial = SerialNumber::parse(&serial).map_err(|error| ApiError::invalid("serial", &error.to_string()))?;
    let Query(manner) = manner.map_err(|_| {
        ApiError::invalid("query", "expected `live=true` or `live=false`, and `complete_to` with a moment in RFC 3339")
    })?;
    let body = body.map_err(|rejection| unread(&rejection))?;
    match api.devices.meet(&serial).await {
        Admission::Approved => {}
        found => return Err(ApiError::not_approved(&serial, found)),
    }
    let contact = api.devices.forwarded(&serial);
    let received = Received::forwarded(serial, &body, manner.live, now()).map_err(|error| match error {
        ForwardedError::NotJson => ApiError::invalid("body", &error.to_string()),
        ForwardedError::TooManyRows { .. } => ApiError::too_large(&error.to_string()),
    })?;
    let rows = received.rows.len();
    let serial = received.serial.clone();
    let tally = api.devices.keep(received.by(contact)).await?;
    if let Some(complete_to) = manner.complete_to {
        api.devices.completed(&serial, complete_to);
    }
    let data = json!({
        "received": rows, "delivered": tally.delivered, "suppressed": tally.suppressed, "held": tally.held,
        "replayed": tally.replayed,
    });
    Ok(one(StatusCode::OK, &data))
}

fn unread(rejection: &BytesRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let limit = Received::FORWARDED_BODY;
        return ApiError::too_large(&format!("is longer than {limit} bytes; send fewer rows at once"));
    }
    ApiError::invalid("body", "broke off before its end")
}
