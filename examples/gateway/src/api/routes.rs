use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Api;
use super::envelope::{ApiError, One, Refusal, one};
use crate::clock::now;
use crate::listen::Certificates;
use crate::metrics::{Now, disk_free};
use crate::source::SourceStatus;
use crate::store::{Counts, SinkStatus, Snapshot, written};

/// The part of the disk that must be free, or terminals are better off keeping their rows.
const DISK_FREE_MIN: f64 = 0.05;

/// Whether the process runs.
#[utoipa::path(get, path = "/livez", responses((status = 200, content_type = "text/plain", body = String)))]
pub(super) async fn live() -> &'static str {
    "live\n"
}

/// Whether a terminal's rows could be made durable now.
#[utoipa::path(get, path = "/readyz", responses((status = 200, content_type = "text/plain", body = String),
    (status = 503, body = Refusal)))]
pub(super) async fn ready(State(api): State<Api>) -> Result<&'static str, ApiError> {
    // Ready means that a terminal's rows could be made durable now, so that is what is tried.
    let write = api.store.write(|tx| {
        let sql = "INSERT INTO meta (key, value) VALUES ('ready', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1";
        tx.execute(sql, &[&now().timestamp_millis().to_be_bytes().as_slice()])?;
        Ok(())
    });
    write.await?;
    if api.store.place().file().and_then(disk_free).is_some_and(|free| free < DISK_FREE_MIN) {
        return Err(ApiError::unavailable("less than 5 % of the disk under the store is free; make room"));
    }
    Ok("ready\n")
}

/// Counters and gauges in the OpenMetrics text format; docs/metrics.md says what each means.
#[utoipa::path(get, path = "/metrics", responses(
    (status = 200, content_type = "application/openmetrics-text", body = String), (status = 503, body = Refusal)))]
pub(super) async fn metrics(State(api): State<Api>) -> Result<Response, ApiError> {
    let stored = api.store.read(Snapshot::read).await?;
    let queue = api.engine.status().await.ok_or_else(|| ApiError::unavailable("deliveries have stopped"))?;
    let heard = api.devices.last_seen().into_values().collect();
    let now = Now {
        at: now(),
        stored: &stored,
        queue: &queue,
        disk_free: api.store.place().file().and_then(disk_free),
        heard,
        sources: api.sources.statuses(),
        expiries: api.certificates.iter().filter_map(|(name, tls)| Some((*name, tls.expires_at()?))).collect(),
    };
    let text = api.store.metrics().encode(&now).map_err(|_| ApiError::unavailable("the counters cannot be written"))?;
    Ok(([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response())
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", operation_id = "show_document",
    responses((status = 200, content_type = "application/json", body = Object)))]
pub(super) async fn openapi() -> Json<&'static Value> {
    Json(super::document())
}

/// How the gateway stands.
#[derive(Serialize, ToSchema)]
pub(super) struct Status {
    counts: Counts,
    queue: Queued,
    /// The ERPs that are written to.
    sinks: Vec<SinkStatus>,
    /// The access systems that punches are read from.
    sources: Vec<SourceStatus>,
    /// When each terminal was heard last that was heard since the start.
    devices_last_seen: BTreeMap<String, String>,
    /// The certificates of each listener that speaks TLS.
    tls: BTreeMap<String, Certificates>,
}

/// How the deliveries stand.
#[derive(Serialize, ToSchema)]
pub(super) struct Queued {
    waiting: usize,
    in_flight: usize,
    /// When the oldest was made that is not settled.
    #[schema(format = "date-time")]
    oldest: Option<String>,
}

/// How the gateway stands: rows, deliveries, terminals.
#[utoipa::path(get, path = "/status", operation_id = "show_status", responses((status = 200, body = One<Status>)))]
pub(super) async fn status(State(api): State<Api>) -> Result<Response, ApiError> {
    let (counts, sinks) = api.store.read(|c| Ok((Counts::read(c)?, SinkStatus::all(c)?))).await?;
    let queue = api.engine.status().await.ok_or_else(|| ApiError::unavailable("deliveries have stopped"))?;
    let oldest = queue.oldest_created_at.map(written);
    let heard = api.devices.last_seen().into_iter().map(|(serial, at)| (serial, written(at)));
    let queue = Queued { waiting: queue.waiting, in_flight: queue.in_flight, oldest };
    let tls = api.certificates.iter().map(|(name, tls)| ((*name).to_owned(), tls.standing())).collect();
    Ok(one(
        StatusCode::OK,
        &Status { counts, queue, sinks, sources: api.sources.statuses(), devices_last_seen: heard.collect(), tls },
    ))
}
