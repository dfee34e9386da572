use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::Api;
use super::envelope::{ApiError, Paging, one, page};
use crate::clock::now;
use crate::metrics::{Now, disk_free};
use crate::store::{AttendanceRow, Counts, Snapshot, Timeline};

pub(super) type PageQuery = Result<Query<Paging>, QueryRejection>;

/// The part of the disk that must be free, or terminals are better off keeping their rows.
const DISK_FREE_MIN: f64 = 0.05;

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
    };
    let text = api.store.metrics().encode(&now).map_err(|_| ApiError::unavailable("the counters cannot be written"))?;
    Ok(([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response())
}

pub(super) async fn status(State(api): State<Api>) -> Result<Response, ApiError> {
    let counts = api.store.read(Counts::read).await?;
    let queue = api.engine.status().await.ok_or_else(|| ApiError::unavailable("deliveries have stopped"))?;
    let last_seen = api.devices.last_seen();
    let status = json!({
        "counts": counts,
        "queue": {
            "waiting": queue.waiting,
            "in_flight": queue.in_flight,
            "oldest": queue.oldest_created_at.map(|at| at.to_rfc3339()),
        },
        "devices_last_seen": last_seen.into_iter().map(|(serial, at)| (serial, at.to_rfc3339().into())).collect::<serde_json::Map<_, Value>>(),
    });
    Ok(one(StatusCode::OK, &status))
}

pub(super) async fn list_attendance(State(api): State<Api>, query: PageQuery) -> Result<Response, ApiError> {
    let paging = Paging::checked(query)?;
    let rows = api.store.read(move |c| AttendanceRow::page(c, paging.per_page, paging.offset())).await?;
    Ok(page(&rows, paging))
}

/// When a punch was where. S0-007, S1-052 to S1-054.
pub(super) async fn show_timeline(State(api): State<Api>, Path(event_id): Path<String>) -> Result<Response, ApiError> {
    let timeline = api.store.read(move |connection| Timeline::of(connection, &event_id)).await?;
    timeline.map(|timeline| one(StatusCode::OK, &timeline)).ok_or_else(|| ApiError::not_found("event"))
}
