use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use punch_normalize::Direction;

use super::Api;
use super::attendance::{DIRECTIONS, which};
use super::envelope::ApiError;
use super::listing::{Asked, Pairs};
use super::terms::{Kind, Terms};
use crate::export::{Format, body};

/// What an export can be asked.
pub(super) const TERMS: Terms = Terms {
    filters: &[
        ("format", Kind::Words(|| Format::ALL.map(Format::as_str).to_vec())),
        ("from", Kind::DayOrMoment),
        ("to", Kind::DayOrMoment),
        ("device_id", Kind::Text),
        ("site", Kind::Text),
        ("employee", Kind::Text),
        ("direction", Kind::Words(|| DIRECTIONS.map(Direction::as_str).to_vec())),
    ],
    sorts: &[],
    newest_first: false,
};

/// How many rows come, if they are not too many to be counted.
const ROWS: HeaderName = HeaderName::from_static("x-total-count");

/// Punches as a file, in the order they were received: CSV, an object a line, or Parquet if the gateway is built with it.
#[utoipa::path(get, path = "/v1/attendance/export", operation_id = "export_attendance",
    responses((status = 200, content(
        (String = "text/csv"), (String = "application/x-ndjson"), (String = "application/vnd.apache.parquet"),
    ))))]
pub(super) async fn export(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &TERMS)?;
    let format = Format::ALL.into_iter().find(|format| asked.word("format") == Some(format.as_str()));
    let format = format.unwrap_or(Format::Csv);
    let which = which(&api, &asked, ("from", "to"))?;
    let counted = which.clone();
    let total = api.store.read(move |connection| counted.total(connection)).await?;
    let name = format!("attachment; filename=\"attendance.{}\"", format.as_str());
    let headers = [(CONTENT_TYPE, format.content_type().to_owned()), (CONTENT_DISPOSITION, name)];
    let mut response = (headers, body(api.store.clone(), which, format)).into_response();
    if let Some(total) = total {
        response.headers_mut().insert(ROWS, HeaderValue::from(total));
    }
    Ok(response)
}
