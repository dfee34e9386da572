use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use punch_normalize::HoldReason;
use punch_protocol::{Pin, SerialNumber};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use super::Api;
use super::envelope::{ApiError, One, Page, one};
use super::extract::{Json, Path};
use super::listing::{Asked, Pairs};
use super::terms::{Kind, Terms, words_or_null};
use super::whole::{needed, whole};
use crate::core::ByHand;
use crate::device::{NotTaken, Released};
use crate::store::{HeldRow, Quarantined, discard};

pub(super) const TERMS: Terms = Terms {
    filters: &[
        ("reason", Kind::Words(codes)),
        ("device", Kind::Text),
        ("since", Kind::Moment),
        ("until", Kind::Moment),
        ("discarded", Kind::Words(|| vec!["true", "false"])),
    ],
    sorts: &[("received_at", "seq"), ("reason", "coalesce(reason, '')"), ("device_serial", "serial")],
    newest_first: true,
};

/// What their counts can be asked.
pub(super) const SUMMARY: Terms = Terms { sorts: &[], ..TERMS };

/// Which rows, of the body of a bulk retry.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Which {
    #[schema(schema_with = reasons, required = false)]
    reason: Option<String>,
    /// Of this terminal, by its serial number.
    device: Option<String>,
    /// Received then or later.
    since: Option<DateTime<Utc>>,
    /// Received before then.
    until: Option<DateTime<Utc>>,
    /// Those that were put away, instead.
    discarded: bool,
}

/// The reasons to hold a row.
fn codes() -> Vec<&'static str> {
    HoldReason::ALL.iter().map(|reason| reason.code()).collect()
}

fn reasons() -> Object {
    words_or_null(&codes())
}

impl Which {
    fn of(asked: &Asked) -> Result<Quarantined, ApiError> {
        let discarded = asked.word("discarded") == Some("true");
        let [since, until] = asked.span()?;
        Self { reason: asked.text("reason"), device: asked.text("device"), since, until, discarded }.rows()
    }

    fn rows(self) -> Result<Quarantined, ApiError> {
        let Self { reason, device, since, until, discarded } = self;
        if let Some(reason) = reason.as_deref().filter(|reason| HoldReason::from_code(reason).is_none()) {
            let problem = format!("`{reason}` is no reason, expected one of: {}", codes().join(", "));
            return Err(ApiError::invalid("reason", &problem));
        }
        Ok(Quarantined { discarded, reason, device, pin: None, since, until })
    }
}

/// Rows that are held, newest first, or those that were put away.
#[utoipa::path(get, path = "/v1/quarantine", operation_id = "list_quarantine",
    responses((status = 200, body = Page<HeldRow>)))]
pub(super) async fn list(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &TERMS)?;
    let (which, part) = (Which::of(&asked)?, asked.part()?);
    let (rows, total) = api.store.read(move |c| Ok((which.part(c, part)?, which.total(c)?))).await?;
    Ok(asked.page(rows, total))
}

/// How many rows are held, by reason.
#[utoipa::path(get, path = "/v1/quarantine/summary", operation_id = "summarize_quarantine",
    responses((status = 200, body = One<BTreeMap<String, u64>>)))]
pub(super) async fn summary(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let which = Which::of(&Asked::of(query, &SUMMARY)?)?;
    let counts = api.store.read(move |connection| which.counts(connection)).await?;
    Ok(one(StatusCode::OK, &counts))
}

/// One row that is held or put away.
#[utoipa::path(get, path = "/v1/quarantine/{row}", operation_id = "show_held_row",
    responses((status = 200, body = One<HeldRow>)))]
pub(super) async fn show(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let row = api.store.read(move |connection| HeldRow::of(connection, &id)).await?;
    row.map(|row| one(StatusCode::OK, &row)).ok_or_else(|| ApiError::not_found("row in quarantine"))
}

/// Takes rows once more: their cause may be gone.
#[utoipa::path(post, path = "/v1/quarantine/retry", operation_id = "retry_quarantine", request_body = Which,
    responses((status = 200, body = One<Released>)))]
pub(super) async fn retry_all(
    State(api): State<Api>,
    body: Result<Json<Which>, ApiError>,
) -> Result<Response, ApiError> {
    let Json(which) = body?;
    let released = api.devices.release(which.rows()?).await?;
    Ok(one(StatusCode::OK, &released))
}

/// Takes a row once more, one that was put away too.
#[utoipa::path(post, path = "/v1/quarantine/{row}/retry", operation_id = "retry_held_row",
    responses((status = 200, body = One<Released>)))]
pub(super) async fn retry(State(api): State<Api>, Path(id): Path<String>) -> Result<Response, ApiError> {
    Ok(one(StatusCode::OK, &take_again(&api, id, ByHand::default()).await?))
}

/// Takes one row once more, with what somebody says of it.
pub(crate) async fn take_again(api: &Api, id: String, by_hand: ByHand) -> Result<Released, ApiError> {
    match api.devices.retry(id, by_hand).await? {
        Ok(released) => Ok(released),
        Err(NotTaken::Gone) => Err(ApiError::not_found("row in quarantine")),
        Err(NotTaken::Unread) => Err(ApiError::conflict(
            "id",
            "is of a row that could not be read; send the right one with `POST /v1/quarantine/{id}/fix` and `text`, or \
             put it away",
        )),
        Err(NotTaken::Impossible) => Err(ApiError::invalid(
            "shift_seconds",
            "puts the row before 2010, or more than a day after it was received; it is true time minus what the clock \
             showed",
        )),
    }
}

/// Why a row is put away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    /// Kept with the row.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    reason: String,
}

/// Puts a row away: it stays, and nobody waits for it any more.
#[utoipa::path(post, path = "/v1/quarantine/{row}/discard", operation_id = "discard_held_row", request_body = Reason,
    responses((status = 200, body = One<HeldRow>)))]
pub(super) async fn put_away(
    State(api): State<Api>,
    Path(id): Path<String>,
    body: Result<Json<Reason>, ApiError>,
) -> Result<Response, ApiError> {
    let Json(Reason { reason }) = body?;
    Ok(one(StatusCode::OK, &discard_row(&api, &id, reason).await?))
}

/// Puts a row away for a reason, which has to be given.
pub(crate) async fn discard_row(api: &Api, id: &str, reason: String) -> Result<HeldRow, ApiError> {
    if reason.trim().is_empty() || reason.len() > REASON_MAX {
        return Err(ApiError::invalid("reason", "expected why, in 1 to 500 bytes; it is kept with the row"));
    }
    find(api, id).await?;
    let known = id.to_owned();
    api.store.write(move |tx| discard(tx, &known, &reason)).await?;
    find(api, id).await
}

/// Longest reason to put a row away, in bytes.
const REASON_MAX: usize = 500;

/// What somebody says of a row that the terminal did not.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fix {
    /// True time minus what the terminal's clock showed.
    #[serde(default, deserialize_with = "whole")]
    pub(crate) shift_seconds: Option<i64>,
    /// Whose it is.
    pub(crate) pin: Option<String>,
    /// The row as it should be, instead of the others.
    pub(crate) text: Option<String>,
}

/// Takes a row once more with what somebody says of it. What the terminal said stays as it is.
#[utoipa::path(post, path = "/v1/quarantine/{row}/fix", operation_id = "fix_held_row", request_body = Fix,
    responses((status = 200, body = One<Released>)))]
pub(super) async fn fix(
    State(api): State<Api>,
    Path(id): Path<String>,
    body: Result<Json<Fix>, ApiError>,
) -> Result<Response, ApiError> {
    let Json(fix) = body?;
    Ok(one(StatusCode::OK, &put_right(&api, id, fix).await?))
}

/// Takes a row once more as somebody says that it is right.
pub(crate) async fn put_right(api: &Api, id: String, fix: Fix) -> Result<Released, ApiError> {
    let Fix { shift_seconds, pin, text } = fix;
    if let Some(text) = text {
        if shift_seconds.is_some() || pin.is_some() {
            return Err(ApiError::invalid("text", "is a whole row; send it without `shift_seconds` and `pin`"));
        }
        return replace(api, find(api, &id).await?, &text).await;
    }
    let by_hand = ByHand { shift: shift_seconds.map(shift).transpose()?, pin: pin.map(pin_of).transpose()? };
    if by_hand == ByHand::default() {
        return Err(ApiError::invalid("shift_seconds", "or `pin` or `text` is missing: say what is right"));
    }
    take_again(api, id, by_hand).await
}

async fn replace(api: &Api, row: HeldRow, text: &str) -> Result<Released, ApiError> {
    if row.reason != HoldReason::Malformed.code() {
        return Err(ApiError::invalid(
            "text",
            "is for rows that could not be read; this one was, so say what is right",
        ));
    }
    let serial = SerialNumber::parse(&row.device_serial).map_err(|_| ApiError::not_found("device"))?;
    let received_at = row.received_at.parse().map_err(|_| ApiError::not_found("row in quarantine"))?;
    match api.devices.replace(row.id, serial, received_at, text).await? {
        Some(released) => Ok(released),
        None => {
            Err(ApiError::invalid("text", "is no row either, expected PIN, TAB, YYYY-MM-DD hh:mm:ss, TAB, state, …"))
        }
    }
}

/// By how much the rows of an unset clock are to be moved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reanchoring {
    /// True time minus what the terminal's clock showed.
    #[serde(deserialize_with = "needed")]
    pub(crate) shift_seconds: i64,
    /// Received then or later.
    pub(crate) since: Option<DateTime<Utc>>,
    /// Received before then.
    pub(crate) until: Option<DateTime<Utc>>,
}

/// Moves all rows that a terminal made while its clock was unset, once somebody knows by how much.
// T12
#[utoipa::path(post, path = "/v1/devices/{serial}/reanchor", request_body = Reanchoring,
    responses((status = 200, body = One<Released>)))]
pub(super) async fn reanchor(
    State(api): State<Api>,
    Path(serial): Path<String>,
    body: Result<Json<Reanchoring>, ApiError>,
) -> Result<Response, ApiError> {
    let Json(reanchoring) = body?;
    Ok(one(StatusCode::OK, &shift_all(&api, &serial, reanchoring).await?))
}

/// Takes those rows once more.
pub(crate) async fn shift_all(api: &Api, serial: &str, reanchoring: Reanchoring) -> Result<Released, ApiError> {
    let serial = SerialNumber::parse(serial).map_err(|error| ApiError::invalid("serial", &error.to_string()))?;
    let Reanchoring { shift_seconds, since, until } = reanchoring;
    if !api.devices.knows(&serial) {
        return Err(ApiError::not_found("device"));
    }
    let by_hand = ByHand { shift: Some(shift(shift_seconds)?), pin: None };
    let (reason, device) = (Some(HoldReason::ClockReset.code().to_owned()), Some(serial.to_string()));
    let which = Quarantined { reason, device, since, until, ..Quarantined::default() };
    Ok(api.devices.release_with(which, by_hand).await?)
}

fn shift(seconds: i64) -> Result<TimeDelta, ApiError> {
    // A clock that was unset shows 1970 at the least.
    let most = TimeDelta::days(36_525);
    let shift = TimeDelta::try_seconds(seconds).filter(|shift| shift.abs() <= most);
    shift.ok_or_else(|| ApiError::invalid("shift_seconds", "is more than a hundred years"))
}

fn pin_of(text: String) -> Result<Pin<'static>, ApiError> {
    let pin = Pin::parse_text(&text).map_err(|error| ApiError::invalid("pin", &error.to_string()))?.into_owned();
    if pin.is_empty() { Err(ApiError::invalid("pin", "is empty")) } else { Ok(pin) }
}

async fn find(api: &Api, id: &str) -> Result<HeldRow, ApiError> {
    let known = id.to_owned();
    let row = api.store.read(move |connection| HeldRow::of(connection, &known)).await?;
    row.ok_or_else(|| ApiError::not_found("row in quarantine"))
}
