//! Pages for people, rendered here and readable without JavaScript: how the gateway stands, and what can be put right.
//!
//! Whatever changes something is a form with a token of its visitor and calls what the API calls; nothing is decided here.

mod charts;
mod deeds;
mod deliveries;
mod devices;
mod endpoints;
mod held;
mod language;
mod layout;
mod live;
mod login;
mod notice;
mod overview;
mod quarantine;
mod reference;
mod seal;
mod sites;
mod text;
mod visit;
mod widgets;
mod words;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{Redirect, Response};
use axum::routing::{any, get, post};
use chrono::TimeDelta;
use subtle::ConstantTimeEq as _;
use tokio::sync::{Semaphore, watch};

use crate::api::{Api, Caller};
use crate::clock::now;
use crate::core::Attempts;
use crate::stage::Watch;
use crate::store::{StoreError, has_session};
use seal::{Seal, Session};

/// Pages that can listen at once for what is new.
const STREAMS_MAX: usize = 64;

/// How often a key may be tried from one address within [`TRIES_WINDOW`] before it is no longer looked at. Whoever is
/// logged in stays so.
const TRIES: u32 = 10;

/// How long tries are remembered.
const TRIES_WINDOW: TimeDelta = TimeDelta::minutes(5);

/// What every page can reach.
#[derive(Debug, Clone)]
pub(crate) struct Dashboard(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    api: Api,
    seal: Seal,
    watch: Watch,
    stopped: watch::Receiver<bool>,
    attempts: Mutex<Attempts>,
    streams: Arc<Semaphore>,
}

impl core::ops::Deref for Dashboard {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Dashboard {
    /// Pages over this API. `key` is the store's own; `stopped` ends what would go on for ever.
    pub(crate) fn new(api: Api, key: &[u8; 32], watch: Watch, stopped: watch::Receiver<bool>) -> Self {
        let seal = Seal::new(key);
        let streams = Arc::new(Semaphore::new(STREAMS_MAX));
        let attempts = Mutex::new(Attempts::new(TRIES, TRIES_WINDOW));
        Self(Arc::new(Inner { api, seal, watch, stopped, attempts, streams }))
    }

    pub(crate) fn router(self) -> Router {
        let members = Router::new()
            .route("/dashboard", get(overview::show))
            .route("/dashboard/devices", get(devices::list))
            .route("/dashboard/devices/approve", post(devices::approve))
            .route("/dashboard/devices/block", post(devices::block))
            .route("/dashboard/punches", get(live::list))
            .route("/dashboard/events", get(live::events))
            .route("/dashboard/deliveries", get(deliveries::list))
            .route("/dashboard/deliveries/{id}", get(deliveries::show))
            .route("/dashboard/deliveries/{id}/resend", post(deliveries::send_again))
            .route("/dashboard/endpoints", get(endpoints::list))
            .route("/dashboard/endpoints/{id}/state", post(endpoints::set_state))
            .route("/dashboard/endpoints/{id}/test", post(endpoints::test))
            .route("/dashboard/quarantine", get(quarantine::list))
            .route("/dashboard/quarantine/retry", post(quarantine::retry_all))
            .route("/dashboard/quarantine/{id}", get(held::show))
            .route("/dashboard/quarantine/{id}/retry", post(held::retry))
            .route("/dashboard/quarantine/{id}/fix", post(held::fix))
            .route("/dashboard/quarantine/{id}/register", post(held::register))
            .route("/dashboard/quarantine/{id}/discard", post(held::put_away))
            .route("/dashboard/sites", get(sites::list))
            .route("/dashboard/logout", post(login::leave))
            .route("/dashboard/{*rest}", any(visit::nowhere))
            .method_not_allowed_fallback(visit::nowhere)
            .layer(from_fn_with_state(self.clone(), deeds::record))
            .layer(from_fn_with_state(self.clone(), visit::with_token))
            .layer(from_fn(visit::members_only));
        let open = Router::new()
            .route("/dashboard/login", get(login::show).post(login::enter))
            .route("/dashboard/language", post(login::speak))
            .route("/docs", get(reference::show))
            .method_not_allowed_fallback(visit::nowhere)
            .layer(from_fn_with_state(self.clone(), visit::with_token));
        members
            .merge(open)
            .layer(from_fn_with_state(self.clone(), visit::enter))
            .route("/", get(|| async { Redirect::to("/dashboard") }))
            .route("/dashboard/style.css", asset("text/css; charset=utf-8", include_str!("style.css")))
            .route("/dashboard/live.js", asset("text/javascript; charset=utf-8", include_str!("live.js")))
            .route("/dashboard/icon.svg", asset("image/svg+xml", include_str!("icon.svg")))
            .layer(map_response(with_headers))
            .with_state(self)
    }

    /// Who a cookie says is logged in, unless somebody has logged out at whichever gateway.
    async fn session(&self, cookie: &str) -> Result<Option<Session>, StoreError> {
        let Some(session) = self.seal.read(cookie, now()) else { return Ok(None) };
        Ok(self.goes_on(&session).await?.then_some(session))
    }

    /// Whether nobody has ended a session, and its key still lets people in.
    async fn goes_on(&self, session: &Session) -> Result<bool, StoreError> {
        let id = session.kept_as();
        Ok(self.caller(session).is_some() && self.api.store.read(move |c| has_session(c, &id, now())).await?)
    }

    /// The key of a session; `None` if it was taken back.
    fn caller(&self, session: &Session) -> Option<Caller> {
        self.api.caller(|hash| bool::from(self.seal.mark(hash).as_bytes().ct_eq(session.key.as_bytes())))
    }
}

fn asset(content_type: &'static str, text: &'static str) -> axum::routing::MethodRouter<Dashboard> {
    get(move || async move { ([(CONTENT_TYPE, content_type)], text) })
}

/// What every answer carries: nothing comes from elsewhere, nothing of it is kept or framed.
async fn with_headers(mut response: Response) -> Response {
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                  form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers = [
        (CONTENT_SECURITY_POLICY, policy),
        (X_FRAME_OPTIONS, "DENY"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not `no-referrer`: the browser would not say either where a form comes from.
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (CACHE_CONTROL, "no-store"),
    ];
    response.headers_mut().extend(headers.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}
