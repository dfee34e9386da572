//! The API listener: `/v1` and health. The pages for people beside it are the dashboard's.

mod api_keys;
mod attendance;
mod auth;
mod batch;
mod commands;
pub(crate) mod deliveries;
pub(crate) mod devices;
pub(crate) mod employees;
mod envelope;
mod idempotent;
mod items;
mod jobs;
mod listing;
mod punches;
pub(crate) mod quarantine;
mod roll;
mod routes;
mod steps;
pub(crate) mod webhooks;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};
use punch_webhook::Idempotency;

use crate::config::DeliveryConfig;
use crate::core::{Quota, Received, Shifts};
use crate::delivery::Engine;
use crate::device::Devices;
use crate::store::Store;

pub use auth::{ApiKey, Keys, hash_key};
pub(crate) use envelope::ApiError;

/// What every route can reach.
#[derive(Debug, Clone)]
pub(crate) struct Api(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) engine: Engine,
    pub(crate) devices: Devices,
    pub(crate) delivery: DeliveryConfig,
    pub(crate) shifts: Shifts,
    pub(crate) keys: Keys,
    pub(crate) quota: Mutex<Quota>,
    pub(crate) idempotency: Mutex<Idempotency>,
}

impl core::ops::Deref for Api {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Api {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(crate) fn router(self) -> Router {
        let forwarded_body = DefaultBodyLimit::max(Received::FORWARDED_BODY);
        let guarded = Router::new()
            .route("/v1/webhooks", get(webhooks::list_webhooks).post(webhooks::add_webhook))
            .route(
                "/v1/webhooks/{id}",
                get(webhooks::show_webhook).patch(webhooks::change_webhook).delete(webhooks::remove_webhook),
            )
            .route("/v1/webhooks/{id}/secret", post(roll::roll_secret))
            .route("/v1/webhooks/{id}/test", post(webhooks::test_webhook))
            .route("/v1/webhooks/{id}/replay", post(jobs::replay_webhook))
            .route("/v1/jobs", get(jobs::list))
            .route("/v1/jobs/{id}", get(jobs::show).delete(jobs::cancel))
            .route("/v1/jobs/{id}/items", get(jobs::list_items))
            .route("/v1/jobs/{id}/retry", post(jobs::retry))
            .route("/v1/commands", get(commands::list).post(batch::add_commands).layer(forwarded_body))
            .route("/v1/commands/{id}", get(commands::show).delete(commands::cancel))
            .route("/v1/commands/{id}/items", get(commands::list_items))
            .route("/v1/commands/{id}/retry", post(commands::retry))
            .route(
                "/v1/devices/{serial}/commands",
                get(commands::list_of_device).post(commands::add_command).layer(forwarded_body),
            )
            .route("/v1/deliveries", get(deliveries::list))
            .route("/v1/deliveries/{id}", get(deliveries::show))
            .route("/v1/deliveries/{id}/resend", post(deliveries::send_again))
            .route("/v1/events", get(deliveries::events))
            .route("/v1/devices", get(devices::list_devices).post(devices::add_device))
            .route("/v1/devices/{serial}", get(devices::show_device).patch(devices::change_device))
            .route("/v1/devices/{serial}/timeline", get(devices::show_timeline))
            .route("/v1/devices/{serial}/redate", post(devices::redate))
            .merge(of_agents(forwarded_body))
            .route("/v1/employees", get(employees::list_employees).post(employees::add_employee))
            .route("/v1/attendance", get(routes::list_attendance))
            .route("/v1/attendance/{event_id}", get(routes::show_timeline))
            .route("/v1/attendance/{event_id}/direction", post(attendance::correct_direction))
            .route("/v1/sites", get(devices::list_sites))
            .route("/v1/quarantine", get(quarantine::list))
            .route("/v1/quarantine/summary", get(quarantine::summary))
            .route("/v1/quarantine/retry", post(quarantine::retry_all))
            .route("/v1/quarantine/{id}", get(quarantine::show))
            .route("/v1/quarantine/{id}/retry", post(quarantine::retry))
            .route("/v1/quarantine/{id}/discard", post(quarantine::put_away))
            .route("/v1/quarantine/{id}/fix", post(quarantine::fix))
            .route("/v1/devices/{serial}/reanchor", post(quarantine::reanchor))
            .route("/v1/api-keys", get(api_keys::list).post(api_keys::add))
            .route("/v1/api-keys/{id}", delete(api_keys::revoke))
            .route("/status", get(routes::status))
            .layer(from_fn_with_state(self.clone(), idempotent::once_a_key))
            .layer(from_fn_with_state(self.clone(), auth::require_key));
        Router::new()
            .route("/livez", get(|| async { "live\n" }))
            .route("/readyz", get(routes::ready))
            .route("/metrics", get(routes::metrics))
            .merge(guarded)
            .fallback(|| async { ApiError::not_found("route") })
            .method_not_allowed_fallback(|| async { ApiError::wrong_method() })
            .layer(from_fn_with_state(self.clone(), auth::tell_allowance))
            .with_state(self)
    }
}

/// What whoever reads a terminal brings of it and asks for it.
fn of_agents(forwarded_body: DefaultBodyLimit) -> Router<Api> {
    Router::new()
        .route("/v1/devices/{serial}/clock", post(devices::add_reading))
        .route("/v1/devices/{serial}/punches", post(punches::add_punches).layer(forwarded_body))
        .route("/v1/devices/{serial}/probe", post(steps::add_probe))
        .route("/v1/devices/{serial}/steps", get(steps::wait))
        .route("/v1/devices/{serial}/steps/take", post(steps::take))
        .route("/v1/devices/{serial}/steps/results", post(steps::settle).layer(forwarded_body))
}
