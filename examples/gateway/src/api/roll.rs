use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::TimeDelta;
use punch_webhook::Secret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Api;
use super::envelope::{ApiError, One, one};
use super::extract::{Json, Path};
use super::webhooks::{find, random_secret};
use super::whole::whole;
use crate::clock::now;
use crate::store::{EndpointRow, written};

/// How long an older secret signs beside the new one if the call does not say, in hours.
const HOURS: u32 = 24;

/// The longest it may, in hours: a week.
const HOURS_MAX: u32 = 168;

/// How a secret is to be rolled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Roll {
    /// The new one; without it one is made.
    #[schema(min_length = 1)]
    secret: Option<String>,
    /// How long the older one signs too; 24 unasked.
    #[serde(default, deserialize_with = "whole")]
    #[schema(maximum = 168)]
    previous_hours: Option<u32>,
    /// Whether both signatures of the PunchConnect scheme go into its header.
    #[serde(default)]
    both_signatures: bool,
}

/// A secret that was rolled.
#[derive(Serialize, ToSchema)]
pub(super) struct Rolled {
    id: u64,
    /// The secret that was made: here and nowhere else.
    secret: Option<String>,
    /// Until when the older one signs too.
    #[schema(format = "date-time")]
    previous_secret_until: Option<String>,
}

/// Gives an endpoint a new secret: the given one, or one that is made and shown once. The older one signs too for a while,
/// so that the receiver can move from one to the other without missing an event.
#[utoipa::path(post, path = "/v1/webhooks/{id}/secret", request_body = Roll,
    responses((status = 200, body = One<Rolled>)))]
pub(super) async fn roll_secret(
    State(api): State<Api>,
    Path(id): Path<u64>,
    body: Result<Json<Roll>, ApiError>,
) -> Result<Response, ApiError> {
    let Json(Roll { secret, previous_hours, both_signatures }) = body?;
    let row = find(&api, id).await?;
    let hours = previous_hours.unwrap_or(HOURS);
    if hours > HOURS_MAX {
        return Err(ApiError::invalid("previous_hours", "expected 0 to 168"));
    }
    let made = secret.is_none();
    let text = secret.map_or_else(random_secret, Ok)?;
    let secret = Secret::new(text).map_err(|error| ApiError::invalid("secret", &error.to_string()))?;
    if secret.expose() == row.secret.expose() {
        return Err(ApiError::conflict("secret", "is the one that signs now"));
    }
    let shown = made.then(|| secret.expose().to_owned());
    let until = now().checked_add_signed(TimeDelta::hours(hours.into())).unwrap_or_else(now);
    api.store.write(move |tx| EndpointRow::roll(tx, row.id, &secret, until, both_signatures)).await?;
    let row = find(&api, id).await?;
    let previous_secret_until = row.roll.as_ref().map(|roll| written(roll.until));
    api.engine.set_endpoint(row);
    Ok(one(StatusCode::OK, &Rolled { id, secret: shown, previous_secret_until }))
}
