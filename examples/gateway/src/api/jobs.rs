use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::Api;
use super::envelope::{ApiError, moment, one};
use super::items;
use super::listing::{Asked, Pairs, Terms};
use super::webhooks::find;
use crate::clock::now;
use crate::config::check_events;
use crate::delivery::replay;
use crate::store::{AnyJob, JobRow, Owner, Range};

const TERMS: Terms = Terms {
    filters: &["kind", "state"],
    sorts: &[("id", "id"), ("created_at", "created_at"), ("state", "state"), ("kind", "kind")],
    newest_first: true,
};

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

/// Jobs of both kinds, newest first.
pub(super) async fn list(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &TERMS)?;
    let kind = asked.one_of("kind", &["replay", "commands"])?;
    let state = asked.one_of("state", &["running", "done", "cancelled"])?;
    let part = asked.part()?;
    let (jobs, total) = api.store.read(move |connection| AnyJob::part(connection, kind, state, part)).await?;
    Ok(asked.page(jobs.into_iter().map(|job| (job.id(), job)).collect(), total))
}

/// How far a job has come. S2-088.
pub(super) async fn show(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    Ok(one(StatusCode::OK, &find_job(&api, id).await?))
}

/// Ends a job before its time. What is on its way goes its way.
pub(super) async fn cancel(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    let job = find_job(&api, id).await?;
    let is_cancelled = match &job {
        AnyJob::Replay(_) => api.store.write(move |tx| JobRow::cancel(tx, id, now())).await?,
        AnyJob::Commands(row) if row.state == "running" => items::cancel(&api, Owner::Job(id)).await.map(|()| true)?,
        AnyJob::Commands(_) => false,
    };
    if !is_cancelled {
        return Err(ApiError::conflict("state", &format!("is `{}` already", job.state())));
    }
    Ok(one(StatusCode::OK, &find_job(&api, id).await?))
}

/// The single steps of a job of commands. S2-089.
pub(super) async fn list_items(
    State(api): State<Api>,
    Path(id): Path<u64>,
    query: Pairs,
) -> Result<Response, ApiError> {
    commands_of(&api, id).await?;
    items::list(&api, Owner::Job(id), query).await
}

/// Asks once more for what went wrong, and for nothing else. S2-089.
pub(super) async fn retry(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    commands_of(&api, id).await?;
    items::retry(&api, Owner::Job(id)).await?;
    api.devices.find_commands().await?;
    Ok(one(StatusCode::ACCEPTED, &find_job(&api, id).await?))
}

async fn commands_of(api: &Api, id: u64) -> Result<(), ApiError> {
    match find_job(api, id).await? {
        AnyJob::Commands(_) => Ok(()),
        AnyJob::Replay(_) => Err(ApiError::conflict("kind", "is `replay`: its deliveries are at `GET /v1/deliveries`")),
    }
}

async fn find_job(api: &Api, id: u64) -> Result<AnyJob, ApiError> {
    let job = api.store.read(move |connection| AnyJob::of(connection, id)).await?;
    job.ok_or_else(|| ApiError::not_found("job"))
}
