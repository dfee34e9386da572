use core::num::NonZeroU32;
use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use punch_webhook::{EndpointId, Event, Health, PayloadFormat, Secret};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::envelope::{ApiError, one};
use super::listing::{Asked, Pairs, Terms};
use crate::clock::now;
use crate::config::{BatchWish, EndpointConfig, EndpointOptions, check_events, check_url};
use crate::delivery::Wish;
use crate::store::{EndpointRow, Intent, StoreError, random_id, send_to};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewWebhook {
    url: String,
    events: Vec<String>,
    secret: Option<String>,
    payload_format: Option<String>,
    schedule: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    max_in_flight: Option<u8>,
    batch: Option<BatchWish>,
    max_requests_per_second: Option<u32>,
    max_events_per_second: Option<u32>,
    sites: Option<BTreeSet<String>>,
}

const TERMS: Terms = Terms {
    filters: &["state", "event"],
    sorts: &[("id", "id"), ("url", "url"), ("state", "state"), ("failures", "failures")],
    newest_first: false,
};

/// Registers an endpoint. S1-017, S1-018.
pub(super) async fn add_webhook(
    State(api): State<Api>,
    body: Result<Json<NewWebhook>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(new) = body?;
    let options = Differences {
        headers: new.headers,
        max_in_flight: new.max_in_flight,
        batch: new.batch,
        max_requests_per_second: new.max_requests_per_second,
        max_events_per_second: new.max_events_per_second,
        sites: new.sites,
    };
    let options = options.from(EndpointOptions::default())?;
    let settings = Settings::checked(&api, new.payload_format, new.schedule, &new.url, &new.events)?;
    let known = api.store.read(EndpointRow::all).await?.into_iter().find(|row| row.url == new.url);
    let made = new.secret.is_none();
    if made && known.as_ref().is_some_and(|known| !known.is_removed) {
        // A new secret would break the receiver that has the old one.
        return Err(ApiError::conflict("url", "is registered already; send its `secret` too to change the rest"));
    }
    let text = match new.secret {
        Some(text) => text,
        None => random_secret()?,
    };
    let secret = Secret::new(text).map_err(|error| ApiError::invalid("secret", &error.to_string()))?;
    let standard = secret.check_standard().is_ok();
    let shown = made.then(|| secret.expose().to_owned());
    let row = put(&api, settings.endpoint(new.url, secret, new.events, options)).await?;
    if known.is_some_and(|known| known.is_removed) {
        api.engine.wish(row.id, Wish::Resume).await;
    }
    let signatures: &[&str] = if standard { &["punchconnect", "standard"] } else { &["punchconnect"] };
    let data = json!({
        "id": row.id.0, "url": row.url, "events": row.events, "payload_format": row.format.as_str(),
        "signatures": signatures, "secret": shown,
    });
    Ok(one(StatusCode::CREATED, &data))
}

/// How an endpoint differs from the others, by what a call names of it.
struct Differences {
    headers: Option<BTreeMap<String, String>>,
    max_in_flight: Option<u8>,
    batch: Option<BatchWish>,
    max_requests_per_second: Option<u32>,
    max_events_per_second: Option<u32>,
    sites: Option<BTreeSet<String>>,
}

impl Differences {
    /// What is not named stays as known. A rate of 0 is none.
    fn from(self, known: EndpointOptions) -> Result<EndpointOptions, ApiError> {
        let options = EndpointOptions {
            headers: self.headers.unwrap_or(known.headers),
            max_in_flight: self.max_in_flight.or(known.max_in_flight),
            batch: self.batch.map_or(known.batch, BatchWish::granted),
            max_requests_per_second: self
                .max_requests_per_second
                .map_or(known.max_requests_per_second, NonZeroU32::new),
            max_events_per_second: self.max_events_per_second.map_or(known.max_events_per_second, NonZeroU32::new),
            sites: self.sites.unwrap_or(known.sites),
        };
        options.check().map_err(|(field, problem)| ApiError::invalid(field, &problem))?;
        Ok(options)
    }
}

/// What an endpoint is told, checked.
struct Settings {
    format: PayloadFormat,
    schedule: &'static str,
}

impl Settings {
    fn checked(
        api: &Api,
        format: Option<String>,
        schedule: Option<String>,
        url: &str,
        events: &[String],
    ) -> Result<Self, ApiError> {
        check_url(url, &api.delivery).map_err(|problem| ApiError::invalid("url", &problem))?;
        let format = format.as_deref().unwrap_or("nested").parse::<PayloadFormat>();
        let format = format.map_err(|error| ApiError::invalid("payload_format", &error.to_string()))?;
        check_events(events, format).map_err(|problem| ApiError::invalid("events", &problem))?;
        let wanted = schedule.as_deref().unwrap_or("seed-002");
        let schedule = EndpointConfig::SCHEDULES.into_iter().find(|name| *name == wanted);
        let schedule = schedule.ok_or_else(|| ApiError::invalid("schedule", "expected `seed-002` or `seed-001`"))?;
        Ok(Self { format, schedule })
    }

    fn endpoint(&self, url: String, secret: Secret, events: Vec<String>, options: EndpointOptions) -> EndpointConfig {
        EndpointConfig { url, secret, format: self.format, schedule: self.schedule, events, options }
    }
}

async fn put(api: &Api, endpoint: EndpointConfig) -> Result<EndpointRow, ApiError> {
    let intent = Intent::current();
    let put = api.store.write(move |tx| {
        let id = EndpointRow::put(tx, &endpoint, now())?;
        intent.about(id.0);
        Ok(id)
    });
    let id = put.await?;
    api.engine.set_endpoint(find(api, id.0).await?);
    find(api, id.0).await
}

pub(super) fn random_secret() -> Result<String, ApiError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::unavailable(&error.to_string()))?;
    Ok(Secret::from_random(bytes).expose().to_owned())
}

pub(super) async fn list_webhooks(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &TERMS)?;
    let states = [Health::Healthy, Health::BackingOff, Health::Paused, Health::Disabled].map(Health::as_str);
    let state = asked.one_of("state", &states)?;
    let event = asked.text("event");
    let rows = api.store.read(EndpointRow::all).await?;
    let rows = rows.iter().filter(|row| !row.is_removed);
    let rows = rows.filter(|row| state.is_none_or(|state| row.state.health.as_str() == state));
    let rows = rows.filter(|row| event.as_ref().is_none_or(|event| row.events.contains(event)));
    asked.arrange(rows.map(described).collect(), &["id"])
}

pub(super) async fn show_webhook(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    let row = find(&api, id).await?;
    Ok(one(StatusCode::OK, &described(&row)))
}

fn described(row: &EndpointRow) -> Value {
    json!({
        "id": row.id.0, "url": row.url, "payload_format": row.format.as_str(), "events": row.events,
        "schedule": row.schedule_name, "max_in_flight": row.options.max_in_flight, "sites": row.options.sites,
        "batch": row.options.batch, "max_requests_per_second": row.options.max_requests_per_second,
        "max_events_per_second": row.options.max_events_per_second,
        // Their values may be keys.
        "headers": row.options.headers.keys().collect::<Vec<_>>(),
        "state": row.state.health.as_str(), "failures": row.state.failures,
        "previous_secret_until": row.roll.as_ref().map(|roll| roll.until).filter(|until| *until > now())
            .map(|until| until.to_rfc3339()),
        "since": row.state.since.map(|at| at.to_rfc3339()),
        "next_attempt_at": row.state.next_probe_at.map(|at| at.to_rfc3339()),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    events: Option<Vec<String>>,
    secret: Option<String>,
    payload_format: Option<String>,
    schedule: Option<String>,
    state: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    max_in_flight: Option<u8>,
    batch: Option<BatchWish>,
    max_requests_per_second: Option<u32>,
    max_events_per_second: Option<u32>,
    sites: Option<BTreeSet<String>>,
}

/// Changes an endpoint: what is not named stays. `state` `paused` stops it and keeps everything, `active` goes on.
pub(super) async fn change_webhook(
    State(api): State<Api>,
    Path(id): Path<u64>,
    body: Result<Json<Change>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(Change {
        events,
        secret,
        payload_format,
        schedule,
        state,
        headers,
        max_in_flight,
        batch,
        max_requests_per_second,
        max_events_per_second,
        sites,
    }) = body?;
    let row = find(&api, id).await?;
    let wish = match state.as_deref() {
        None => None,
        Some("paused") => Some(Wish::Pause),
        Some("active") => Some(Wish::Resume),
        Some(_) => return Err(ApiError::invalid("state", "expected `paused` or `active`")),
    };
    if let Some(state) = &state {
        Intent::current().detail("state", state);
    }
    let secret = match secret {
        Some(text) => Secret::new(text).map_err(|error| ApiError::invalid("secret", &error.to_string()))?,
        None => Secret::new(row.secret.expose().to_owned()).map_err(|_| ApiError::not_found("webhook"))?,
    };
    let events = events.unwrap_or_else(|| row.events.clone());
    let format = payload_format.or_else(|| Some(row.format.as_str().to_owned()));
    let schedule = schedule.or_else(|| Some(row.schedule_name.clone()));
    let settings = Settings::checked(&api, format, schedule, &row.url, &events)?;
    let options = Differences { headers, max_in_flight, batch, max_requests_per_second, max_events_per_second, sites };
    let options = options.from(row.options)?;
    put(&api, settings.endpoint(row.url, secret, events, options)).await?;
    if let Some(wish) = wish {
        api.engine.wish(EndpointId(id), wish).await;
    }
    let row = find(&api, id).await?;
    Ok(one(StatusCode::OK, &described(&row)))
}

/// Removes an endpoint: nothing is sent to it any more. What waits for it stays, and is seen with the deliveries.
pub(super) async fn remove_webhook(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    let row = find(&api, id).await?;
    api.engine.wish(row.id, Wish::Pause).await;
    let removed = row.id;
    api.store.write(move |tx| EndpointRow::remove(tx, removed, now())).await?;
    Ok(one(StatusCode::OK, &json!({ "id": id, "removed": true })))
}

/// Sends an event of no meaning to one endpoint, to see it arrive.
pub(super) async fn test_webhook(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    let (event_id, delivery) = send_test(&api, id).await?;
    Ok(one(StatusCode::ACCEPTED, &json!({ "event_id": event_id, "delivery_id": delivery })))
}

/// Makes that event; its identity, and the number of its delivery.
pub(crate) async fn send_test(api: &Api, id: u64) -> Result<(String, Option<u64>), ApiError> {
    let row = find(api, id).await?;
    let event_id = random_id("test").ok_or_else(|| ApiError::unavailable("the system has no random numbers"))?;
    let (text, endpoint, format) = (event_id.to_string(), row.id, row.format);
    let work = move |tx: &mut crate::store::Transaction<'_>| -> Result<_, StoreError> {
        send_to(tx, &[(endpoint, format)], &Event::test(&event_id, now()), event_id.as_str(), now())
    };
    let deliveries = api.store.write(work).await?;
    let delivery = deliveries.first().map(|waiting| waiting.delivery.0);
    api.engine.deliver(deliveries);
    Ok((text, delivery))
}

pub(crate) async fn find(api: &Api, id: u64) -> Result<EndpointRow, ApiError> {
    let row = api.store.read(move |connection| EndpointRow::of(connection, EndpointId(id))).await?;
    row.filter(|row| !row.is_removed).ok_or_else(|| ApiError::not_found("webhook"))
}
