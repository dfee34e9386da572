use core::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use punch_webhook::{DeliveryId, EventType};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::Api;
use super::envelope::{ApiError, One, Page, one};
use super::extract::Path;
use super::listing::{Asked, Pairs};
use super::payload::AnyEvent;
use super::terms::{Kind, Terms};
use super::webhooks;
use crate::clock::now;
use crate::store::{Deliveries, DeliveryRow, SentAttempt, events_after, resend};

/// The first is which endpoint.
const FILTERS: &[(&str, Kind)] = &[
    ("endpoint_id", Kind::ID),
    ("state", Kind::Words(|| vec!["waiting", "delivered", "failed"])),
    ("event_id", Kind::Text),
    ("event_type", Kind::Text),
    ("device", Kind::Text),
    ("since", Kind::Moment),
    ("until", Kind::Moment),
];

pub(super) const TERMS: Terms = Terms {
    filters: FILTERS,
    sorts: &[
        ("id", "delivery.id"),
        ("created_at", "delivery.created_at"),
        ("settled_at", "coalesce(delivery.settled_at, 0)"),
        ("state", "delivery.state"),
        ("attempts", "delivery.attempts"),
        ("endpoint_id", "delivery.endpoint"),
    ],
    newest_first: true,
};

/// Deliveries, newest first.
// S1-051, S1-054
#[utoipa::path(get, path = "/v1/deliveries", operation_id = "list_deliveries",
    responses((status = 200, body = Page<DeliveryRow>)))]
pub(super) async fn list(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &TERMS)?;
    part(&api, &asked, asked.number("endpoint_id")).await
}

async fn part(api: &Api, asked: &Asked, endpoint: Option<u64>) -> Result<Response, ApiError> {
    let [since, until] = asked.span()?;
    let which = Deliveries {
        endpoint,
        state: asked.text("state"),
        event_id: asked.text("event_id"),
        event_type: asked.text("event_type"),
        device: asked.text("device"),
        id: None,
        since,
        until,
    };
    let part = asked.part()?;
    let (rows, total) = api.store.read(move |c| Ok((which.part(c, part)?, which.total(c)?))).await?;
    Ok(asked.page(rows.into_iter().map(|row| (row.id, row)).collect(), total))
}

/// What can be asked of those of one endpoint.
pub(super) const OF_WEBHOOK: Terms = Terms { filters: FILTERS.split_at(1).1, ..TERMS };

/// Deliveries to one endpoint, newest first.
#[utoipa::path(get, path = "/v1/webhooks/{id}/deliveries", operation_id = "list_deliveries_of_webhook",
    responses((status = 200, body = Page<DeliveryRow>)))]
pub(super) async fn list_of_webhook(
    State(api): State<Api>,
    Path(id): Path<u64>,
    query: Pairs,
) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &OF_WEBHOOK)?;
    webhooks::find(&api, id).await?;
    part(&api, &asked, Some(id)).await
}

/// Sends once more what was delivered to this endpoint, or given up.
#[utoipa::path(post, path = "/v1/webhooks/{id}/deliveries/{delivery_id}/resend",
    operation_id = "resend_delivery_of_webhook", responses((status = 202, body = One<DeliveryRow>)))]
pub(super) async fn send_again_to_webhook(
    State(api): State<Api>,
    Path((id, delivery_id)): Path<(u64, u64)>,
) -> Result<Response, ApiError> {
    let row = api.store.read(move |connection| DeliveryRow::of(connection, delivery_id)).await?;
    row.filter(|row| row.endpoint_id == id).ok_or_else(|| ApiError::not_found("delivery"))?;
    Ok(one(StatusCode::ACCEPTED, &make_again(&api, delivery_id).await?))
}

/// A delivery with its body and its attempts.
#[derive(Serialize, ToSchema)]
pub(super) struct ShownDelivery {
    #[serde(flatten)]
    row: DeliveryRow,
    /// What was sent last, or would be sent.
    body: Option<Value>,
    /// What each attempt sent and was answered, in order.
    attempt_log: Vec<SentAttempt>,
}

/// One delivery: what was sent, when, and what was answered.
// S1-051 to S1-054
#[utoipa::path(get, path = "/v1/deliveries/{id}", operation_id = "show_delivery",
    responses((status = 200, body = One<ShownDelivery>)))]
pub(super) async fn show(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    let found = api.store.read(move |connection| {
        let Some(row) = DeliveryRow::of(connection, id)? else { return Ok(None) };
        let details = row.details(connection)?;
        Ok(Some((row, details)))
    });
    let (row, (body, attempt_log)) = found.await?.ok_or_else(|| ApiError::not_found("delivery"))?;
    Ok(one(StatusCode::OK, &ShownDelivery { row, body, attempt_log }))
}

/// Sends once more what was delivered or given up, under the same event id.
// S1-055
#[utoipa::path(post, path = "/v1/deliveries/{id}/resend", operation_id = "resend_delivery",
    responses((status = 202, body = One<DeliveryRow>)))]
pub(super) async fn send_again(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    Ok(one(StatusCode::ACCEPTED, &make_again(&api, id).await?))
}

/// Makes a delivery again that was settled.
pub(crate) async fn make_again(api: &Api, id: u64) -> Result<DeliveryRow, ApiError> {
    // The answer says how it stood when it was made again; by the time it arrives it may be delivered.
    let made = api.store.write(move |tx| Ok((resend(tx, DeliveryId(id), None, now())?, DeliveryRow::of(tx, id)?)));
    let (is_made, row) = made.await?;
    let row = row.ok_or_else(|| ApiError::not_found("delivery"))?;
    if is_made { Ok(row) } else { Err(ApiError::conflict("id", "is of a delivery that is on its way already")) }
}

/// Which events.
pub(super) const EVENTS: Terms = Terms {
    filters: &[
        ("after", Kind::ID),
        ("limit", Kind::Number(1, EVENTS_MAX)),
        ("types", Kind::SomeOf(|| EventType::SUBSCRIBABLE.iter().map(EventType::as_str).collect())),
        ("wait", Kind::Number(0, WAIT_MAX)),
    ],
    sorts: &[],
    newest_first: false,
};

/// Events behind a cursor.
#[derive(Serialize, ToSchema)]
pub(super) struct Events {
    #[schema(value_type = Vec<AnyEvent>)]
    events: Vec<Value>,
    /// Behind which the next call goes on.
    cursor: u64,
}

/// Most events that are given at once.
const EVENTS_MAX: u64 = 500;

/// How many are given unasked.
const EVENTS_UNASKED: u32 = 100;

/// Longest time that is waited for one, in seconds.
const WAIT_MAX: u64 = 30;

/// How often it is looked for one meanwhile.
const LOOK: Duration = Duration::from_millis(250);

/// The events behind a cursor, for receivers that nobody can reach: the same that webhooks tell, in the order they were
/// made. The cursor of an answer is that of the last event looked at, and stays good for ever.
#[utoipa::path(get, path = "/v1/events", operation_id = "poll_events", responses((status = 200, body = One<Events>)))]
pub(super) async fn events(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &EVENTS)?;
    let (after, wait) = (asked.number("after").unwrap_or_default(), asked.number("wait").unwrap_or_default());
    let limit = asked.number("limit").and_then(|limit| u32::try_from(limit).ok()).unwrap_or(EVENTS_UNASKED);
    let types = asked.text("types").unwrap_or_default();
    let types: Vec<String> = types.split(',').filter(|word| !word.is_empty()).map(ToOwned::to_owned).collect();
    let until = Instant::now() + Duration::from_secs(wait);
    loop {
        let wanted = types.clone();
        let found = api.store.read(move |connection| events_after(connection, after, &wanted, limit)).await?;
        if found.is_empty() && Instant::now() < until {
            tokio::time::sleep(LOOK).await;
            continue;
        }
        let cursor = found.last().map_or(after, |(cursor, _)| *cursor);
        let events: Vec<Value> = found.iter().filter_map(|(_, body)| serde_json::from_str(body.get()).ok()).collect();
        return Ok(one(StatusCode::OK, &Events { events, cursor }));
    }
}
