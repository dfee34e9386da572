use core::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use punch_webhook::DeliveryId;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Api;
use super::envelope::{ApiError, one};
use super::listing::{Asked, Pairs, Terms};
use crate::clock::now;
use crate::config::EndpointConfig;
use crate::store::{Deliveries, DeliveryRow, events_after, resend};

const TERMS: Terms = Terms {
    filters: &["endpoint_id", "state", "event_id", "event_type", "device", "since", "until"],
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

/// Deliveries, newest first. S1-051, S1-054.
pub(super) async fn list(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &TERMS)?;
    let which = Deliveries {
        endpoint: asked.number("endpoint_id")?,
        state: asked.one_of("state", &["waiting", "delivered", "failed"])?.map(ToOwned::to_owned),
        event_id: asked.text("event_id"),
        event_type: asked.text("event_type"),
        device: asked.text("device"),
        id: None,
        since: asked.moment("since")?,
        until: asked.moment("until")?,
    };
    if which.since.zip(which.until).is_some_and(|(since, until)| until <= since) {
        return Err(ApiError::invalid("until", "expected a moment behind `since`"));
    }
    let part = asked.part()?;
    let (rows, total) = api.store.read(move |c| Ok((which.part(c, part)?, which.total(c)?))).await?;
    Ok(asked.page(rows.into_iter().map(|row| (row.id, row)).collect(), total))
}

/// One delivery: what was sent, when, and what was answered. S1-051 to S1-054.
pub(super) async fn show(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    let found = api.store.read(move |connection| {
        let Some(row) = DeliveryRow::of(connection, id)? else { return Ok(None) };
        let details = row.details(connection)?;
        Ok(Some((row, details)))
    });
    let (row, (body, attempts)) = found.await?.ok_or_else(|| ApiError::not_found("delivery"))?;
    let mut described = json!(row);
    if let Some(members) = described.as_object_mut() {
        members.insert("body".to_owned(), body.unwrap_or_default());
        members.insert("attempt_log".to_owned(), json!(attempts));
    }
    Ok(one(StatusCode::OK, &described))
}

/// Sends once more what was delivered or given up, under the same event id. S1-055.
pub(super) async fn send_again(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    Ok(one(StatusCode::ACCEPTED, &make_again(&api, id).await?))
}

/// Makes a delivery again that was settled, and hands it over.
pub(crate) async fn make_again(api: &Api, id: u64) -> Result<DeliveryRow, ApiError> {
    // The answer says how it stood when it was made again; by the time it arrives it may be delivered.
    let made = api.store.write(move |tx| Ok((resend(tx, DeliveryId(id), None, now())?, DeliveryRow::of(tx, id)?)));
    let (waiting, row) = made.await?;
    let row = row.ok_or_else(|| ApiError::not_found("delivery"))?;
    let on_its_way = || ApiError::conflict("id", "is of a delivery that is on its way already");
    let waiting = waiting.ok_or_else(on_its_way)?;
    api.engine.deliver(vec![waiting]);
    Ok(row)
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct After {
    after: u64,
    limit: Option<u32>,
    types: Option<String>,
    wait: u64,
}

/// Most events that are given at once.
const EVENTS_MAX: u32 = 500;

/// Longest time that is waited for one, in seconds.
const WAIT_MAX: u64 = 30;

/// How often it is looked for one meanwhile.
const LOOK: Duration = Duration::from_millis(250);

/// The events behind a cursor, for receivers that nobody can reach: the same that webhooks tell, in the order they were
/// made. The cursor of an answer is that of the last event looked at, and stays good for ever.
pub(super) async fn events(
    State(api): State<Api>,
    query: Result<Query<After>, QueryRejection>,
) -> Result<Response, ApiError> {
    let expected = "expected some of after, limit, types, wait";
    let Query(After { after, limit, types, wait }) = query.map_err(|_| ApiError::invalid("query", expected))?;
    let limit = limit.unwrap_or(100);
    if !(1..=EVENTS_MAX).contains(&limit) {
        return Err(ApiError::invalid("limit", "expected 1 to 500"));
    }
    if wait > WAIT_MAX {
        return Err(ApiError::invalid("wait", "expected 0 to 30 seconds"));
    }
    let types: Vec<String> = types.iter().flat_map(|types| types.split(',')).map(ToOwned::to_owned).collect();
    let known = EndpointConfig::all_events();
    if let Some(unknown) = types.iter().find(|word| !known.contains(word)) {
        let problem = format!("`{unknown}` is no event, expected some of: {}", known.join(", "));
        return Err(ApiError::invalid("types", &problem));
    }
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
        return Ok(one(StatusCode::OK, &json!({ "events": events, "cursor": cursor })));
    }
}
