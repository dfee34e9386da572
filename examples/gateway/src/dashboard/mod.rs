//! Pages for people, rendered here and readable without JavaScript: how the gateway stands, and what can be put right.
//!
//! Whatever changes something is a form with a token of its visitor and calls what the API calls; nothing is decided here.

mod attempts;
mod charts;
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

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{Redirect, Response};
use axum::routing::{any, get, post};
use tokio::sync::{Semaphore, watch};

use crate::api::Api;
use crate::clock::now;
use crate::core::KeyScope;
use crate::stage::Watch;
use attempts::Attempts;
use seal::{Seal, Session};

/// Pages that can listen at once for what is new.
const STREAMS_MAX: usize = 64;

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
    /// Sessions that were ended before their time, and until when they would have lasted.
    ended: Mutex<BTreeMap<String, i64>>,
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
        let (attempts, ended) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { api, seal, watch, stopped, attempts, ended, streams }))
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

    /// Who a cookie says is logged in.
    fn session(&self, cookie: &str) -> Option<Session> {
        self.seal.read(cookie, now()).filter(|session| self.goes_on(session))
    }

    /// Whether nobody has ended a session, and its key still lets people in.
    fn goes_on(&self, session: &Session) -> bool {
        let is_ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&session.id);
        !is_ended && self.scope(session).is_some()
    }

    /// What the key of a session allows; `None` if it was taken back.
    fn scope(&self, session: &Session) -> Option<KeyScope> {
        self.api.scope(|hash| self.seal.mark(hash) == session.key)
    }

    /// Ends a session before its time. What would have run out by itself is forgotten.
    fn end(&self, session: Session) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let at = now().timestamp();
        ended.retain(|_, until| *until > at);
        ended.insert(session.id, session.until);
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
