use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use punch_normalize::{Direction, EventId};
use serde::Deserialize;
use serde_json::Value;

use super::Api;
use super::envelope::{ApiError, one};
use crate::store::{Intent, Timeline, direction_of};

/// Longest note to a correction, in bytes.
const NOTE_MAX: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ByHand {
    /// Given, or null to take it back.
    direction: Value,
    #[serde(default)]
    note: String,
}

/// Puts a direction in its place by hand: what a person says goes before what a terminal says.
pub(super) async fn correct_direction(
    State(api): State<Api>,
    Path(event_id): Path<String>,
    body: Result<Json<ByHand>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(ByHand { direction, note }) = body?;
    let words = "in, out, break_out, break_in, overtime_in, overtime_out, unknown, or null to take it back";
    let known = direction.as_str().and_then(direction_of).filter(|direction| *direction != Direction::Intermediate);
    if known.is_none() && !direction.is_null() {
        return Err(ApiError::invalid("direction", &format!("expected {words}")));
    }
    if note.len() > NOTE_MAX {
        return Err(ApiError::invalid("note", "is longer than 500 bytes"));
    }
    Intent::current().detail("direction", known.map_or("none", Direction::as_str));
    let id = EventId::parse(&event_id).map_err(|_| ApiError::not_found("event"))?;
    if !api.devices.correct(id, known, note).await? {
        return Err(ApiError::not_found("event"));
    }
    let timeline = api.store.read(move |connection| Timeline::of(connection, &event_id)).await?;
    timeline.map(|timeline| one(StatusCode::OK, &timeline)).ok_or_else(|| ApiError::not_found("event"))
}
