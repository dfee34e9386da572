use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};
use punch_normalize::{Direction, EventId};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use super::Api;
use super::envelope::{ApiError, One, Page, one};
use super::extract::{Json, Path};
use super::listing::{Asked, Pairs};
use super::payload::AttendancePunch;
use super::terms::{Kind, Terms, words_or_null};
use crate::store::{Attendance, Edge, Timeline, direction_of};

pub(super) const TERMS: Terms = Terms {
    filters: &[
        ("start_date", Kind::DayOrMoment),
        ("end_date", Kind::DayOrMoment),
        ("device_id", Kind::Text),
        ("site", Kind::Text),
        ("employee", Kind::Text),
        ("direction", Kind::Words(|| DIRECTIONS.map(Direction::as_str).to_vec())),
    ],
    sorts: &[
        ("received", "event.seq"),
        ("timestamp", "row.punched_at"),
        ("employee", "coalesce(row.person, '')"),
        ("device_serial", "row.serial"),
    ],
    newest_first: true,
};

/// Punches. A day is one of the place where they were made, and included; a moment is one.
// S2-078
#[utoipa::path(get, path = "/v1/attendance", responses((status = 200, body = Page<AttendancePunch>)))]
pub(super) async fn list_attendance(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &TERMS)?;
    let which = which(&api, &asked, ("start_date", "end_date"))?;
    let part = asked.part()?;
    let (rows, total) = api.store.read(move |c| Ok((which.part(c, part)?, which.total(c)?))).await?;
    Ok(asked.page(rows, total))
}

/// Which punches a call asks for; `ends` name the filters for the time.
pub(super) fn which(api: &Api, asked: &Asked, ends: (&str, &str)) -> Result<Attendance, ApiError> {
    Ok(Attendance {
        from: edge(asked, ends.0),
        to: edge(asked, ends.1),
        serial: asked.serial(api)?,
        site: asked.text("site"),
        employee: asked.text("employee"),
        direction: asked.text("direction"),
    })
}

fn edge(asked: &Asked, name: &str) -> Option<Edge> {
    let text = asked.text(name)?;
    let day = text.parse::<NaiveDate>().map(Edge::Day).ok();
    day.or_else(|| text.parse::<DateTime<Utc>>().map(Edge::Moment).ok())
}

/// When a punch was where, and what was decided about it.
// S0-007, S1-052 to S1-054
#[utoipa::path(get, path = "/v1/attendance/{event_id}", operation_id = "show_punch",
    responses((status = 200, body = One<Timeline>)))]
pub(super) async fn show_timeline(State(api): State<Api>, Path(event_id): Path<String>) -> Result<Response, ApiError> {
    let timeline = api.store.read(move |connection| Timeline::of(connection, &event_id)).await?;
    timeline.map(|timeline| one(StatusCode::OK, &timeline)).ok_or_else(|| ApiError::not_found("event"))
}

/// Longest note to a correction, in bytes.
const NOTE_MAX: usize = 500;

/// What somebody says of a punch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ByHand {
    #[schema(schema_with = direction_or_null)]
    direction: Value,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 500)]
    note: String,
}

fn direction_or_null() -> Object {
    words_or_null(&DIRECTIONS.map(Direction::as_str))
}

/// The directions that payloads have words for.
pub(super) const DIRECTIONS: [Direction; 7] = [
    Direction::In,
    Direction::Out,
    Direction::BreakOut,
    Direction::BreakIn,
    Direction::OvertimeIn,
    Direction::OvertimeOut,
    Direction::Unknown,
];

/// Puts a direction in its place by hand: what a person says goes before what a terminal says.
#[utoipa::path(post, path = "/v1/attendance/{event_id}/direction", request_body = ByHand,
    responses((status = 200, body = One<Timeline>)))]
pub(super) async fn correct_direction(
    State(api): State<Api>,
    Path(event_id): Path<String>,
    body: Result<Json<ByHand>, ApiError>,
) -> Result<Response, ApiError> {
    let Json(ByHand { direction, note }) = body?;
    let words = "in, out, break_out, break_in, overtime_in, overtime_out, unknown, or null to take it back";
    let known = direction.as_str().and_then(direction_of).filter(|direction| DIRECTIONS.contains(direction));
    if known.is_none() && !direction.is_null() {
        return Err(ApiError::invalid("direction", &format!("expected {words}")));
    }
    if note.len() > NOTE_MAX {
        return Err(ApiError::invalid("note", "is longer than 500 bytes"));
    }
    let id = EventId::parse(&event_id).map_err(|_| ApiError::not_found("event"))?;
    if !api.devices.correct(id, known, note).await? {
        return Err(ApiError::not_found("event"));
    }
    let timeline = api.store.read(move |connection| Timeline::of(connection, &event_id)).await?;
    timeline.map(|timeline| one(StatusCode::OK, &timeline)).ok_or_else(|| ApiError::not_found("event"))
}
