use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, NaiveDate, Utc};
use punch_normalize::Direction;
use serde_json::{Value, json};

use super::Api;
use super::commands::known_device;
use super::envelope::{ApiError, one};
use super::listing::{Asked, Pairs, Terms};
use crate::clock::now;
use crate::metrics::{Now, disk_free};
use crate::store::{Attendance, Counts, Edge, Snapshot, Timeline};

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
    let tls = api.certificates.iter().map(|(name, tls)| ((*name).to_owned(), tls.to_json()));
    let status = json!({
        "tls": tls.collect::<serde_json::Map<_, Value>>(),
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

const ATTENDANCE: Terms = Terms {
    filters: &["start_date", "end_date", "device_id", "site", "employee", "direction"],
    sorts: &[
        ("received", "event.seq"),
        ("timestamp", "row.punched_at"),
        ("employee", "coalesce(row.person, '')"),
        ("device_serial", "row.serial"),
    ],
    newest_first: true,
};

/// Punches. A day is one of the place where they were made, and included; a moment is one. S2-078.
pub(super) async fn list_attendance(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &ATTENDANCE)?;
    let serial = asked.text("device_id").map(|id| known_device(&api, "device_id", &id)).transpose()?;
    let directions = [
        Direction::In,
        Direction::Out,
        Direction::BreakOut,
        Direction::BreakIn,
        Direction::OvertimeIn,
        Direction::OvertimeOut,
        Direction::Unknown,
    ]
    .map(Direction::as_str);
    let which = Attendance {
        from: edge(&asked, "start_date")?,
        to: edge(&asked, "end_date")?,
        serial: serial.map(|serial| serial.to_string()),
        site: asked.text("site"),
        employee: asked.text("employee"),
        direction: asked.one_of("direction", &directions)?.map(ToOwned::to_owned),
    };
    let part = asked.part()?;
    let (rows, total) = api.store.read(move |c| Ok((which.part(c, part)?, which.total(c)?))).await?;
    Ok(asked.page(rows, total))
}

fn edge(asked: &Asked, name: &str) -> Result<Option<Edge>, ApiError> {
    let Some(text) = asked.text(name) else { return Ok(None) };
    let day = text.parse::<NaiveDate>().map(Edge::Day).ok();
    let edge = day.or_else(|| text.parse::<DateTime<Utc>>().map(Edge::Moment).ok());
    let expected = "expected a day such as `2026-03-28` or a moment such as `2026-03-28T08:00:00Z`";
    edge.map(Some).ok_or_else(|| ApiError::invalid(name, expected))
}

/// When a punch was where. S0-007, S1-052 to S1-054.
pub(super) async fn show_timeline(State(api): State<Api>, Path(event_id): Path<String>) -> Result<Response, ApiError> {
    let timeline = api.store.read(move |connection| Timeline::of(connection, &event_id)).await?;
    timeline.map(|timeline| one(StatusCode::OK, &timeline)).ok_or_else(|| ApiError::not_found("event"))
}
