use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::Response;
use punch_protocol::SerialNumber;
use punch_protocol::push::Admission;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::envelope::{ApiError, One, one};
use super::extract::Path;
use super::listing::{Asked, Pairs};
use super::terms::{Kind, Terms};
use crate::clock::now;
use crate::core::{ForwardedError, Received};

/// How punches come that somebody else has read: whether they happened just now, so that their receipt helps to date
/// them, and up to when everything that the terminal had has come, these rows among it.
pub(super) const TERMS: Terms = Terms {
    filters: &[("live", Kind::Words(|| vec!["true", "false"])), ("complete_to", Kind::Moment)],
    sorts: &[],
    newest_first: false,
};

/// A punch that somebody else has read from the terminal.
#[derive(ToSchema)]
#[expect(dead_code, reason = "rows are read one by one, so that none costs its neighbours; this is what they say")]
pub(super) struct ForwardedPunch {
    /// As the terminal sends it, with its zeros.
    #[schema(example = "1042")]
    pin: String,
    /// As the terminal's clock showed it, without a zone.
    #[schema(example = "2026-03-28T08:47:59")]
    time: String,
    state: Option<u16>,
    verify: Option<u16>,
    work_code: Option<String>,
    /// This terminal's, if it is there.
    serial: Option<String>,
}

/// What became of punches that came.
#[derive(Serialize, ToSchema)]
pub(super) struct Taken {
    received: usize,
    delivered: u32,
    suppressed: u32,
    held: u32,
    replayed: u32,
}

/// Takes punches that somebody has read from a terminal, under the identities they would have had by push: one object a
/// line, or an array of them. A row that cannot be read is held, and its neighbours are taken.
#[utoipa::path(post, path = "/v1/devices/{serial}/punches",
    request_body(content((String = "application/x-ndjson"), (Vec<ForwardedPunch> = "application/json"))),
    responses((status = 200, body = One<Taken>)))]
pub(super) async fn add_punches(
    State(api): State<Api>,
    Path(serial): Path<String>,
    query: Pairs,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let serial = SerialNumber::parse(&serial).map_err(|error| ApiError::invalid("serial", &error.to_string()))?;
    let asked = Asked::of(query, &TERMS)?;
    let body = body.map_err(|rejection| unread(&rejection))?;
    match api.devices.meet(&serial).await {
        Admission::Approved => {}
        found => return Err(ApiError::not_approved(&serial, found)),
    }
    let contact = api.devices.forwarded(&serial);
    let received =
        Received::forwarded(serial, &body, asked.word("live") == Some("true"), now()).map_err(|error| match error {
            ForwardedError::NotJson => ApiError::invalid("body", &error.to_string()),
            ForwardedError::TooManyRows { .. } => ApiError::too_large(&error.to_string()),
        })?;
    let rows = received.rows.len();
    let serial = received.serial.clone();
    let tally = api.devices.keep(received.by(contact)).await?;
    if let Some(complete_to) = asked.moment("complete_to") {
        api.devices.completed(&serial, complete_to);
    }
    let taken = Taken {
        received: rows,
        delivered: tally.delivered,
        suppressed: tally.suppressed,
        held: tally.held,
        replayed: tally.replayed,
    };
    Ok(one(StatusCode::OK, &taken))
}

fn unread(rejection: &BytesRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let limit = Received::FORWARDED_BODY;
        return ApiError::too_large(&format!("is longer than {limit} bytes; send fewer rows at once"));
    }
    ApiError::invalid("body", "broke off before its end")
}
