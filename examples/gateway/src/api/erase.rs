//! Erasing somebody. Who it is stands in the body: addresses are kept by whatever stands between.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Api;
use super::envelope::{ApiError, One, one};
use super::extract::Json;
use crate::core::Pseudonym;
use crate::store::{Erased, Intent, Obstacle, Somebody};

/// Somebody who is to be erased.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhoIsErased {
    /// The `id` they are registered with.
    id: Option<String>,
    /// Their badge, if they have none.
    badge_number: Option<String>,
    /// What else they are known by: the number of a card, a former name.
    #[serde(default)]
    #[schema(max_items = 16)]
    also: Vec<String>,
    /// Though deliveries about them wait; those go out under the pseudonym.
    #[serde(default)]
    force: bool,
}

/// Most that somebody is also known by.
const ALSO_MAX: usize = 16;

/// Shortest and longest of these, in bytes.
const ALSO: core::ops::RangeInclusive<usize> = 3..=100;

/// Takes out of everything that is kept who somebody was.
#[utoipa::path(post, path = "/v1/employees/erase", operation_id = "erase_employee", request_body = WhoIsErased,
    responses((status = 200, body = One<Erased>)))]
pub(super) async fn erase(
    State(api): State<Api>,
    body: Result<Json<WhoIsErased>, ApiError>,
) -> Result<Response, ApiError> {
    let Json(WhoIsErased { id, badge_number, also, force }) = body?;
    let key = match (id, badge_number) {
        (Some(key), None) | (None, Some(key)) if !key.is_empty() => key,
        _ => {
            return Err(ApiError::invalid(
                "id",
                "expected the `id` of somebody, or the `badge_number` of whoever has none",
            ));
        }
    };
    if also.len() > ALSO_MAX || also.iter().any(|text| !ALSO.contains(&text.len())) {
        return Err(ApiError::invalid(
            "also",
            "expected up to 16 texts of 3 to 100 bytes, such as the number of a card",
        ));
    }
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::unavailable(&error.to_string()))?;
    let pseudonym = Pseudonym::from_random(bytes);
    let found = api.store.read(move |connection| Somebody::find(connection, &key, &also)).await?;
    let somebody = found.ok_or_else(|| ApiError::not_found("employee"))?;
    let (punches, intent) = (api.erased_punches, Intent::current());
    let erase = api.store.write(move |tx| {
        let erased = somebody.erase(tx, &pseudonym, punches, force)?;
        if let Ok(erased) = &erased {
            intent.about(&erased.pseudonym);
            for (name, count) in [("rows", erased.rows), ("bodies", erased.bodies), ("steps", erased.steps)] {
                intent.detail(name, count);
            }
        }
        Ok(erased)
    });
    let erased = erase.await?.map_err(refused)?;
    api.store.overwrite_erased().await?;
    Ok(one(StatusCode::OK, &erased))
}

fn refused(obstacle: Obstacle) -> ApiError {
    let (field, problem) = match obstacle {
        Obstacle::Deliveries(count) => (
            "force",
            format!(
                "{count} deliveries about them wait, and receivers would get them under a pseudonym; wait for them, \
                 remove the endpoint, or send `\"force\": true`"
            ),
        ),
        Obstacle::Commands(count) => (
            "id",
            format!(
                "{count} steps of commands about them are not settled; wait, or take them back with `DELETE /v1/commands/{{id}}`"
            ),
        ),
    };
    ApiError::conflict(field, &problem)
}
