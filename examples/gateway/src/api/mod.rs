//! The API listener: `/v1` and health. The pages for people beside it are the dashboard's.

mod api_keys;
mod attendance;
pub(crate) mod audit;
mod auth;
mod batch;
mod commands;
mod connection;
pub(crate) mod deliveries;
mod device;
pub(crate) mod devices;
mod document;
pub(crate) mod employees;
mod envelope;
mod erase;
mod export;
mod extract;
mod idempotent;
mod items;
mod jobs;
mod listing;
mod payload;
mod punches;
pub(crate) mod quarantine;
mod reports;
mod roll;
mod routes;
mod steps;
mod terms;
pub(crate) mod webhooks;
mod whole;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use punch_webhook::Idempotency;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use crate::config::DeliveryConfig;
use crate::core::{Quota, Received, Shifts};
use crate::delivery::Engine;
use crate::device::Devices;
use crate::doors::Certificates;
use crate::source::Sources;
use crate::store::{Punches, Store};

pub(crate) use auth::Caller;
pub use auth::{ApiKey, Keys, hash_key};
pub(crate) use connection::serve;
pub(crate) use document::document;
pub(crate) use envelope::ApiError;

/// What every route can reach.
#[derive(Debug, Clone)]
pub(crate) struct Api(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) engine: Engine,
    pub(crate) devices: Devices,
    pub(crate) sources: Sources,
    pub(crate) delivery: DeliveryConfig,
    pub(crate) shifts: Shifts,
    pub(crate) keys: Keys,
    pub(crate) quota: Mutex<Quota>,
    pub(crate) idempotency: Mutex<Idempotency>,
    pub(crate) certificates: Certificates,
    pub(crate) erased_punches: Punches,
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
        let guarded = Router::from(guarded_routes())
            .layer(from_fn_with_state(self.clone(), audit::record))
            .layer(from_fn_with_state(self.clone(), idempotent::once_a_key))
            .layer(from_fn_with_state(self.clone(), auth::require_key));
        Router::from(open_routes())
            .merge(guarded)
            .fallback(|| async { ApiError::not_found("route") })
            .method_not_allowed_fallback(|| async { ApiError::wrong_method() })
            .layer(from_fn_with_state(self.clone(), auth::tell_allowance))
            .with_state(self)
    }
}

/// Routes that need no key.
fn open_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(routes::live))
        .routes(routes!(routes::ready))
        .routes(routes!(routes::metrics))
        .routes(routes!(routes::openapi))
}

/// Routes that need a key. They are added in this way only, so that the document has them.
fn guarded_routes() -> OpenApiRouter<Api> {
    let forwarded_body = DefaultBodyLimit::max(Received::FORWARDED_BODY);
    OpenApiRouter::default()
        .routes(routes!(webhooks::list_webhooks, webhooks::add_webhook))
        .routes(routes!(webhooks::show_webhook, webhooks::change_webhook, webhooks::remove_webhook))
        .routes(routes!(roll::roll_secret))
        .routes(routes!(webhooks::test_webhook))
        .routes(routes!(jobs::replay_webhook))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::show, jobs::cancel))
        .routes(routes!(jobs::list_items))
        .routes(routes!(jobs::retry))
        .routes(routes!(commands::list, batch::add_commands).layer(forwarded_body))
        .routes(routes!(commands::show, commands::cancel))
        .routes(routes!(commands::list_items))
        .routes(routes!(commands::retry))
        .routes(routes!(commands::list_of_device, commands::add_command).layer(forwarded_body))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::show))
        .routes(routes!(deliveries::list_of_webhook))
        .routes(routes!(deliveries::send_again_to_webhook))
        .routes(routes!(deliveries::send_again))
        .routes(routes!(deliveries::events))
        .routes(routes!(devices::list_devices, devices::add_device))
        .routes(routes!(devices::show_device, devices::change_device))
        .routes(routes!(devices::show_timeline))
        .routes(routes!(devices::redate))
        .routes(routes!(devices::add_reading))
        .routes(routes!(punches::add_punches).layer(forwarded_body))
        .routes(routes!(steps::add_probe))
        .routes(routes!(steps::wait))
        .routes(routes!(steps::take))
        .routes(routes!(steps::settle).layer(forwarded_body))
        .routes(routes!(employees::list_employees, employees::add_employee))
        .routes(routes!(attendance::list_attendance))
        .routes(routes!(export::export))
        .routes(routes!(attendance::show_timeline))
        .routes(routes!(reports::daily))
        .routes(routes!(attendance::correct_direction))
        .routes(routes!(devices::list_sites))
        .routes(routes!(quarantine::list))
        .routes(routes!(quarantine::summary))
        .routes(routes!(quarantine::retry_all))
        .routes(routes!(quarantine::show))
        .routes(routes!(quarantine::retry))
        .routes(routes!(quarantine::put_away))
        .routes(routes!(quarantine::fix))
        .routes(routes!(quarantine::reanchor))
        .routes(routes!(api_keys::list, api_keys::add))
        .routes(routes!(api_keys::revoke))
        .routes(routes!(audit::list))
        .routes(routes!(audit::head))
        .routes(routes!(audit::export))
        .routes(routes!(erase::erase))
        .routes(routes!(routes::status))
}
