use core::num::NonZeroU32;
use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use punch_webhook::{EndpointId, Event, EventType, Health, PayloadFormat, Secret};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, ArrayBuilder, Object, ObjectBuilder, SchemaType, Type};

use super::Api;
use super::envelope::{ApiError, One, Page, one};
use super::extract::{Json, Path};
use super::listing::{Asked, Pairs};
use super::terms::{Kind, Terms, words, words_or_null};
use super::whole::whole;
use crate::clock::now;
use crate::config::{Batch, BatchWish, EndpointConfig, EndpointOptions, SinkConfig, check_events, check_url};
use crate::delivery::Wish;
use crate::store::{EndpointRow, Intent, StoreError, random_id, send_to, written};

/// An endpoint that is to be registered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "url": "https://example.com/webhook", "events": ["attendance.punch"] }))]
pub(super) struct NewWebhook {
    /// Where events go: https.
    #[schema(format = "uri", pattern = "^https?://")]
    url: String,
    /// What it is told, by type.
    #[schema(schema_with = event_types)]
    events: Vec<String>,
    /// What signs; without it one is made and shown once.
    #[schema(min_length = 1)]
    secret: Option<String>,
    #[schema(schema_with = formats, required = false)]
    payload_format: Option<String>,
    #[schema(schema_with = schedules, required = false)]
    schedule: Option<String>,
    /// Headers of every request to it.
    headers: Option<BTreeMap<String, String>>,
    /// The most requests at once.
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 64)]
    max_in_flight: Option<u8>,
    /// Several events in one request.
    batch: Option<BatchWish>,
    /// 0 is no limit.
    #[serde(default, deserialize_with = "whole")]
    #[schema(maximum = 100_000)]
    max_requests_per_second: Option<u32>,
    /// 0 is no limit.
    #[serde(default, deserialize_with = "whole")]
    #[schema(maximum = 100_000)]
    max_events_per_second: Option<u32>,
    /// Only what is about terminals of these sites. Empty is all.
    #[schema(value_type = Option<Vec<String>>)]
    sites: Option<BTreeSet<String>>,
}

/// An endpoint that was registered.
#[derive(Serialize, ToSchema)]
pub(super) struct Added {
    id: u64,
    url: String,
    events: Vec<String>,
    payload_format: &'static str,
    /// The schemes that its requests are signed by: `punchconnect`, `standard`.
    signatures: Vec<&'static str>,
    /// The secret that was made: here and nowhere else.
    secret: Option<String>,
}

/// An endpoint.
#[derive(Serialize, ToSchema)]
pub(super) struct Webhook {
    id: u64,
    url: String,
    payload_format: &'static str,
    events: Vec<String>,
    schedule: String,
    max_in_flight: Option<u8>,
    sites: Vec<String>,
    batch: Option<Batch>,
    max_requests_per_second: Option<u32>,
    max_events_per_second: Option<u32>,
    /// Names alone: their values may be keys.
    headers: Vec<String>,
    #[schema(schema_with = states)]
    state: &'static str,
    /// Attempts in a row that failed.
    failures: u32,
    /// Until when the older secret signs too.
    #[schema(format = "date-time")]
    previous_secret_until: Option<String>,
    /// Since when it is in its state.
    #[schema(format = "date-time")]
    since: Option<String>,
    next_attempt_at: Option<String>,
}

/// The states of an endpoint.
const STATES: [Health; 4] = [Health::Healthy, Health::BackingOff, Health::Paused, Health::Disabled];

fn states() -> Object {
    words(STATES.map(Health::as_str))
}

fn event_types() -> Array {
    some_event_types().build()
}

fn event_types_or_null() -> Array {
    some_event_types().schema_type(SchemaType::from_iter([Type::Array, Type::Null])).build()
}

fn some_event_types() -> ArrayBuilder {
    let words: Vec<&str> = EventType::SUBSCRIBABLE.iter().map(EventType::as_str).collect();
    let each = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words));
    ArrayBuilder::new().items(each).min_items(Some(1))
}

fn formats() -> Object {
    words_or_null(&PayloadFormat::ALL.map(PayloadFormat::as_str))
}

fn schedules() -> Object {
    words_or_null(&EndpointConfig::SCHEDULES)
}

fn wishes() -> Object {
    words_or_null(&["paused", "active"])
}

pub(super) const TERMS: Terms = Terms {
    filters: &[("state", Kind::Words(|| STATES.map(Health::as_str).to_vec())), ("event", Kind::Text)],
    sorts: &[("id", "id"), ("url", "url"), ("state", "state"), ("failures", "failures")],
    newest_first: false,
};

/// Registers an endpoint.
// S1-017, S1-018
#[utoipa::path(post, path = "/v1/webhooks", request_body = NewWebhook, responses((status = 201, body = One<Added>)))]
pub(super) async fn add_webhook(
    State(api): State<Api>,
    body: Result<Json<NewWebhook>, ApiError>,
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
    check_url(&new.url, &api.delivery).map_err(|problem| ApiError::invalid("url", &problem))?;
    let settings = Settings::checked(new.payload_format, new.schedule, &new.events)?;
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
    let signatures = ["punchconnect"].into_iter().chain(standard.then_some("standard")).collect();
    let (id, payload_format) = (row.id.0, row.format.as_str());
    let added = Added { id, url: row.url, events: row.events, payload_format, signatures, secret: shown };
    Ok(one(StatusCode::CREATED, &added))
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
    fn checked(format: Option<String>, schedule: Option<String>, events: &[String]) -> Result<Self, ApiError> {
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

/// Endpoints.
#[utoipa::path(get, path = "/v1/webhooks", responses((status = 200, body = Page<Webhook>)))]
pub(super) async fn list_webhooks(State(api): State<Api>, query: Pairs) -> Result<Response, ApiError> {
    let asked = Asked::of(query, &TERMS)?;
    let (state, event) = (asked.word("state"), asked.text("event"));
    let rows = api.store.read(EndpointRow::all).await?;
    let rows = rows.iter().filter(|row| !row.is_removed);
    let rows = rows.filter(|row| state.is_none_or(|state| row.state.health.as_str() == state));
    let rows = rows.filter(|row| event.as_ref().is_none_or(|event| row.events.contains(event)));
    asked.arrange(rows.map(|row| json!(described(row))).collect(), &["id"])
}

/// One endpoint.
#[utoipa::path(get, path = "/v1/webhooks/{id}", responses((status = 200, body = One<Webhook>)))]
pub(super) async fn show_webhook(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    let row = find(&api, id).await?;
    Ok(one(StatusCode::OK, &described(&row)))
}

fn described(row: &EndpointRow) -> Webhook {
    let options = &row.options;
    let roll = row.roll.as_ref().map(|roll| roll.until).filter(|until| *until > now());
    Webhook {
        id: row.id.0,
        url: row.url.clone(),
        payload_format: row.format.as_str(),
        events: row.events.clone(),
        schedule: row.schedule_name.clone(),
        max_in_flight: options.max_in_flight,
        sites: options.sites.iter().cloned().collect(),
        batch: options.batch,
        max_requests_per_second: options.max_requests_per_second.map(NonZeroU32::get),
        max_events_per_second: options.max_events_per_second.map(NonZeroU32::get),
        headers: options.headers.keys().cloned().collect(),
        state: row.state.health.as_str(),
        failures: row.state.failures,
        previous_secret_until: roll.map(written),
        since: row.state.since.map(written),
        next_attempt_at: row.state.next_probe_at.map(written),
    }
}

/// What is to be changed of an endpoint; what is not named stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookChange {
    #[schema(schema_with = event_types_or_null, required = false)]
    events: Option<Vec<String>>,
    #[schema(min_length = 1)]
    secret: Option<String>,
    #[schema(schema_with = formats, required = false)]
    payload_format: Option<String>,
    #[schema(schema_with = schedules, required = false)]
    schedule: Option<String>,
    #[schema(schema_with = wishes, required = false)]
    state: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 64)]
    max_in_flight: Option<u8>,
    batch: Option<BatchWish>,
    /// 0 is no limit.
    #[serde(default, deserialize_with = "whole")]
    #[schema(maximum = 100_000)]
    max_requests_per_second: Option<u32>,
    /// 0 is no limit.
    #[serde(default, deserialize_with = "whole")]
    #[schema(maximum = 100_000)]
    max_events_per_second: Option<u32>,
    #[schema(value_type = Option<Vec<String>>)]
    sites: Option<BTreeSet<String>>,
}

/// Changes an endpoint: what is not named stays. `state` `paused` stops it and keeps everything, `active` goes on.
#[utoipa::path(patch, path = "/v1/webhooks/{id}", request_body = WebhookChange,
    responses((status = 200, body = One<Webhook>)))]
pub(super) async fn change_webhook(
    State(api): State<Api>,
    Path(id): Path<u64>,
    body: Result<Json<WebhookChange>, ApiError>,
) -> Result<Response, ApiError> {
    let Json(WebhookChange {
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
    let is_a_receivers = secret.is_some() || payload_format.is_some() || headers.is_some() || batch.is_some();
    if SinkConfig::is_sink(&row.url) && is_a_receivers {
        return Err(ApiError::invalid(
            "url",
            "is of a sink, which has no secret, format, headers or batch; see punch.toml",
        ));
    }
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
    let settings = Settings::checked(format, schedule, &events)?;
    let options = Differences { headers, max_in_flight, batch, max_requests_per_second, max_events_per_second, sites };
    let options = options.from(row.options)?;
    put(&api, settings.endpoint(row.url, secret, events, options)).await?;
    if let Some(wish) = wish {
        api.engine.wish(EndpointId(id), wish).await;
    }
    let row = find(&api, id).await?;
    Ok(one(StatusCode::OK, &described(&row)))
}

/// An endpoint that was removed.
#[derive(Serialize, ToSchema)]
pub(super) struct Removed {
    id: u64,
    removed: bool,
}

/// Removes an endpoint: nothing is sent to it any more. What waits for it stays, and is seen with the deliveries.
#[utoipa::path(delete, path = "/v1/webhooks/{id}", responses((status = 200, body = One<Removed>)))]
pub(super) async fn remove_webhook(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    let row = find(&api, id).await?;
    api.engine.wish(row.id, Wish::Pause).await;
    let removed = row.id;
    api.store.write(move |tx| EndpointRow::remove(tx, removed, now())).await?;
    Ok(one(StatusCode::OK, &Removed { id, removed: true }))
}

/// A test event on its way.
#[derive(Serialize, ToSchema)]
pub(super) struct Tested {
    event_id: String,
    delivery_id: Option<u64>,
}

/// Sends an event of no meaning to one endpoint, to see it arrive.
#[utoipa::path(post, path = "/v1/webhooks/{id}/test", responses((status = 202, body = One<Tested>)))]
pub(super) async fn test_webhook(State(api): State<Api>, Path(id): Path<u64>) -> Result<Response, ApiError> {
    let (event_id, delivery_id) = send_test(&api, id).await?;
    Ok(one(StatusCode::ACCEPTED, &Tested { event_id, delivery_id }))
}

/// Makes that event; its identity, and the number of its delivery.
pub(crate) async fn send_test(api: &Api, id: u64) -> Result<(String, Option<u64>), ApiError> {
    let row = find(api, id).await?;
    let event_id = random_id("test").ok_or_else(|| ApiError::unavailable("the system has no random numbers"))?;
    let (text, endpoint, format) = (event_id.to_string(), row.id, row.format);
    let work = move |tx: &mut crate::store::Transaction<'_>| -> Result<_, StoreError> {
        send_to(tx, &[(endpoint, format)], &Event::test(&event_id, now()), None, event_id.as_str(), now())
    };
    let deliveries = api.store.write(work).await?;
    Ok((text, deliveries.first().map(|delivery| delivery.0)))
}

pub(crate) async fn find(api: &Api, id: u64) -> Result<EndpointRow, ApiError> {
    let row = api.store.read(move |connection| EndpointRow::of(connection, EndpointId(id))).await?;
    row.filter(|row| !row.is_removed).ok_or_else(|| ApiError::not_found("webhook"))
}
