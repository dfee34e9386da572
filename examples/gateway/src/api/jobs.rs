use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::Api;
use super::envelope::{ApiError, moment, one};
use super::webhooks::find;
use crate::clock::now;
use crate::config::check_events;
use crate::delivery::replay;
use crate::store::{JobRow, Range};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Replay {
    #[serde(alias = "from")]
    since: String,
    #[serde(alias = "to")]
    until: Option<String>,
    types: Option<Vec<String>>,
    #[serde(default)]
    only_failed: bool,
}

/// Sends the events of a time to an endpoint once more, under their own ids. S2-013, S2-093.
pub(super) async fn replay_webhook(
    State(api): State<Api>,
    Path(id): Path<u64>,
    body: Result<Json<Replay>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(Replay { since, until, types, only_failed }) = body?;
    let row = find(&api, id).await?;
    let since = moment("since", &since)?;
    let until = until.map_or_else(|| Ok(now()), |until| moment("until", &until))?;
    if until <= since {
        return Err(ApiError::invalid("until", "expected a moment behind `since`"));
    }
    let types = types.unwrap_or(row.events);
    check_events(&types, row.format).map_err(|problem| ApiError::invalid("types", &problem))?;
    let range = Range { endpoint: row.id, since, until, types, only_failed };
    let begun = api.store.write(move |tx| JobRow::begin(tx, &range, now())).await?;
    let Some(job) = begun else {
        return Err(ApiError::conflict(
            "id",
            "has a replay running; wait for it or end it with `DELETE /v1/jobs/{id}`",
        ));
    };
    let row = find_job(&api, job).await?;
    replay::spawn(api.store.clone(), api.engine.clone(), job);
    Ok(one(StatusCode::ACCEPTED, &row))
}

/// How far a replay has come.
pub(super) async fn show(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    Ok(one(StatusCode::OK, &find_job(&api, id).await?))
}

/// Ends a replay before its time. The few deliveries that are on their way go their way.
pub(super) async fn cancel(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    let row = find_job(&api, id).await?;
    if !api.store.write(move |tx| JobRow::cancel(tx, id, now())).await? {
        return Err(ApiError::conflict("state", &format!("is `{}` already", row.state)));
    }
    Ok(one(StatusCode::OK, &find_job(&api, id).await?))
}

async fn find_job(api: &Api, id: u64) -> Result<JobRow, ApiError> {
    let row = api.store.read(move |connection| JobRow::of(connection, id)).await?;
    row.ok_or_else(|| ApiError::not_found("job"))
}
