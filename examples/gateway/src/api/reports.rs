use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use chrono::NaiveDate;

use super::Api;
use super::envelope::{ApiError, One, one};
use super::listing::{Asked, Pairs};
use super::terms::{Kind, Terms};
use crate::clock::now;
use crate::report::{DailyReport, PUNCHES_MAX, page, read, table};

/// What a report can be asked.
pub(super) const TERMS: Terms = Terms {
    filters: &[("date", Kind::Day), ("site", Kind::Text), ("format", Kind::Words(|| vec!["json", "csv", "html"]))],
    sorts: &[],
    newest_first: false,
};

/// The report of a day: each person's punches, shifts and exceptions with their reasons, what was told anew, what came
/// late, when terminals were not heard, and up to when everything is known. As JSON, CSV or a page to be printed.
#[utoipa::path(get, path = "/v1/reports/daily", operation_id = "report_day", responses((status = 200, content(
    (One<DailyReport> = "application/json"), (String = "text/csv"), (String = "text/html"),
))))]
pub(super) async fn daily(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &TERMS)?;
    let date = asked.text("date").and_then(|text| text.parse::<NaiveDate>().ok());
    let date = date.ok_or_else(|| ApiError::invalid("date", "is missing, expected a day such as `2026-03-28`"))?;
    let (site, wanted) = (asked.text("site"), asked.text("site"));
    let found = api.store.read(move |connection| read(connection, date, wanted)).await?;
    let found = found.ok_or_else(|| {
        let problem = format!("or another one is needed: the day has more than {PUNCHES_MAX} punches");
        ApiError::invalid("site", &problem)
    })?;
    let report = DailyReport::of(found, date, site, &api.devices, now());
    match asked.word("format") {
        Some("csv") => {
            let unwritten = |_| ApiError::unavailable("the table cannot be written");
            let bytes = table(&report).map_err(unwritten)?;
            Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8; header=present")], bytes).into_response())
        }
        Some("html") => {
            // It is kept as a file, so its style is in it; nothing else is.
            let headers = [
                (CONTENT_TYPE, "text/html; charset=utf-8"),
                (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
            ];
            Ok((headers, page(&report)).into_response())
        }
        _ => Ok(one(StatusCode::OK, &report)),
    }
}
