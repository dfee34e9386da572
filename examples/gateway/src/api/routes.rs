use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use punch_webhook::{PayloadFormat, Secret};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::envelope::{ApiError, Paging, one, page};
use crate::clock::now;
use crate::config::{EndpointConfig, check_events, check_url};
use crate::store::{AttendanceRow, Counts, EndpointRow, Timeline};

pub(super) type PageQuery = Result<Query<Paging>, QueryRejection>;

pub(super) async fn ready(State(api): State<Api>) -> Result<&'static str, ApiError> {
    // Ready means that a terminal's rows could be made durable now, so that is what is tried.
    let write = api.store.write(|tx| {
        let sql = "INSERT INTO meta (key, value) VALUES ('ready', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1";
        tx.execute(sql, [now().timestamp_millis()])?;
        Ok(())
    });
    write.await?;
    Ok("ready\n")
}

pub(super) async fn status(State(api): State<Api>) -> Result<Response, ApiError> {
    let counts = api.store.read(Counts::read).await?;
    let queue = api.engine.status().await.ok_or_else(|| ApiError::unavailable("deliveries have stopped"))?;
    let last_seen = api.devices.last_seen();
    let status = json!({
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewWebhook {
    url: String,
    events: Vec<String>,
    secret: Option<String>,
    payload_format: Option<String>,
    schedule: Option<String>,
}

/// Registers an endpoint. S1-017, S1-018.
pub(super) async fn add_webhook(
    State(api): State<Api>,
    body: Result<Json<NewWebhook>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(new) = body?;
    check_url(&new.url, &api.delivery).map_err(|problem| ApiError::invalid("url", &problem))?;
    let format = new.payload_format.as_deref().unwrap_or("nested").parse::<PayloadFormat>();
    let format = format.map_err(|error| ApiError::invalid("payload_format", &error.to_string()))?;
    check_events(&new.events, format).map_err(|problem| ApiError::invalid("events", &problem))?;
    let wanted = new.schedule.as_deref().unwrap_or("seed-002");
    let schedule = EndpointConfig::SCHEDULES.into_iter().find(|name| *name == wanted);
    let schedule = schedule.ok_or_else(|| ApiError::invalid("schedule", "expected `seed-002` or `seed-001`"))?;
    let made = new.secret.is_none();
    if made && api.store.read(EndpointRow::all).await?.iter().any(|row| row.url == new.url) {
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
    let endpoint = EndpointConfig { url: new.url.clone(), secret, format, schedule, events: new.events.clone() };
    let id = api.store.write(move |tx| EndpointRow::put(tx, &endpoint, now())).await?;
    let rows = api.store.read(EndpointRow::all).await?;
    if let Some(row) = rows.into_iter().find(|row| row.id == id) {
        api.engine.set_endpoint(row);
    }
    let signatures: &[&str] = if standard { &["punchconnect", "standard"] } else { &["punchconnect"] };
    let data = json!({
        "id": id.0, "url": new.url, "events": new.events, "payload_format": format.as_str(),
        "signatures": signatures, "secret": shown,
    });
    Ok(one(StatusCode::CREATED, &data))
}

fn random_secret() -> Result<String, ApiError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::unavailable(&error.to_string()))?;
    Ok(Secret::from_random(bytes).expose().to_owned())
}

pub(super) async fn list_webhooks(State(api): State<Api>, query: PageQuery) -> Result<Response, ApiError> {
    let paging = Paging::checked(query)?;
    let rows = api.store.read(EndpointRow::all).await?;
    let data: Vec<Value> = paging
        .part_of(&rows)
        .map(|row| {
            json!({
                "id": row.id.0, "url": row.url, "payload_format": row.format.as_str(),
                "events": row.events, "state": row.state.health.as_str(), "failures": row.state.failures,
            })
        })
        .collect();
    Ok(page(&data, paging))
}

pub(super) async fn list_attendance(State(api): State<Api>, query: PageQuery) -> Result<Response, ApiError> {
    let paging = Paging::checked(query)?;
    let rows = api.store.read(move |c| AttendanceRow::page(c, paging.per_page, paging.offset())).await?;
    Ok(page(&rows, paging))
}

/// When a punch was where. S0-007, S1-052 to S1-054.
pub(super) async fn show_timeline(State(api): State<Api>, Path(event_id): Path<String>) -> Result<Response, ApiError> {
    let timeline = api.store.read(move |connection| Timeline::of(connection, &event_id)).await?;
    timeline.map(|timeline| one(StatusCode::OK, &timeline)).ok_or_else(|| ApiError::not_found("event"))
}
