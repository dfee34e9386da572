use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Api;
use super::envelope::{ApiError, One, Page, moment, one};
use super::extract::{Json, Path};
use super::items::{self, Item};
use super::listing::{Asked, Pairs};
use super::terms::{Kind, Terms};
use super::webhooks::find;
use crate::clock::now;
use crate::config::check_events;
use crate::delivery::replay;
use crate::store::{AnyJob, JobRow, Owner, Range};

pub(super) const TERMS: Terms = Terms {
    filters: &[
        ("kind", Kind::Words(|| vec!["replay", "commands"])),
        ("state", Kind::Words(|| vec!["running", "done", "cancelled"])),
    ],
    sorts: &[("id", "id"), ("created_at", "created_at"), ("state", "state"), ("kind", "kind")],
    newest_first: true,
};

/// Which events are to be sent once more. Each end of the time has two names; one of them is sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "from": "2026-03-28T00:00:00Z", "to": "2026-03-29T00:00:00Z" }))]
pub(super) struct Replay {
    /// Made then or later.
    #[schema(format = "date-time")]
    from: Option<String>,
    /// The same as `from`.
    #[schema(format = "date-time")]
    since: Option<String>,
    /// Made before then; now if it is not said.
    #[schema(format = "date-time")]
    to: Option<String>,
    /// The same as `to`.
    #[schema(format = "date-time")]
    until: Option<String>,
    /// Only these types; those of the endpoint if it is not said.
    types: Option<Vec<String>>,
    /// Only those that were given up.
    #[serde(default)]
    only_failed: bool,
}

/// Sends the events of a time to an endpoint once more, under their own ids.
// S2-013, S2-093
#[utoipa::path(post, path = "/v1/webhooks/{id}/replay", request_body = Replay,
    responses((status = 202, body = One<JobRow>)))]
pub(super) async fn replay_webhook(
    State(api): State<Api>,
    Path(id): Path<u64>,
    body: Result<Json<Replay>, ApiError>,
) -> Result<Response, ApiError> {
    let Json(Replay { from, since, to, until, types, only_failed }) = body?;
    let row = find(&api, id).await?;
    let since = either(("since", since), ("from", from))?;
    let since = since.ok_or_else(|| ApiError::invalid("since", "or `from` is missing: say from when on"))?;
    let until = either(("until", until), ("to", to))?.unwrap_or_else(now);
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

/// A moment that has two names.
fn either(one: (&str, Option<String>), other: (&str, Option<String>)) -> Result<Option<DateTime<Utc>>, ApiError> {
    if one.1.is_some() && other.1.is_some() {
        return Err(ApiError::invalid(other.0, &format!("is the same as `{}`; send one of them", one.0)));
    }
    let (name, text) = if one.1.is_some() { one } else { other };
    text.map(|text| moment(name, &text)).transpose()
}

/// Jobs of both kinds, newest first.
#[utoipa::path(get, path = "/v1/jobs", operation_id = "list_jobs", responses((status = 200, body = Page<AnyJob>)))]
pub(super) async fn list(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &TERMS)?;
    let (kind, state) = (asked.word("kind"), asked.word("state"));
    let part = asked.part()?;
    let (jobs, total) = api.store.read(move |connection| AnyJob::part(connection, kind, state, part)).await?;
    Ok(asked.page(jobs.into_iter().map(|job| (job.id(), job)).collect(), total))
}

/// How far a job has come.
// S2-088
#[utoipa::path(get, path = "/v1/jobs/{id}", operation_id = "show_job", responses((status = 200, body = One<AnyJob>)))]
pub(super) async fn show(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    Ok(one(StatusCode::OK, &find_job(&api, id).await?))
}

/// Ends a job before its time. What is on its way goes its way.
#[utoipa::path(delete, path = "/v1/jobs/{id}", operation_id = "cancel_job",
    responses((status = 200, body = One<AnyJob>)))]
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

/// The single steps of a job of commands.
// S2-089
#[utoipa::path(get, path = "/v1/jobs/{id}/items", operation_id = "list_items_of_job",
    responses((status = 200, body = Page<Item>)))]
pub(super) async fn list_items(
    State(api): State<Api>,
    Path(id): Path<u64>,
    query: Pairs,
) -> Result<Response, ApiError> {
    commands_of(&api, id).await?;
    items::list(&api, Owner::Job(id), query).await
}

/// Asks once more for what went wrong of a job of commands, and for nothing else.
// S2-089
#[utoipa::path(post, path = "/v1/jobs/{id}/retry", operation_id = "retry_job",
    responses((status = 202, body = One<AnyJob>)))]
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
