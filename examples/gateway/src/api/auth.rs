use core::fmt;
use core::time::Duration;
use std::sync::{PoisonError, RwLock};

use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::{AUTHORIZATION, HeaderName, HeaderValue, RETRY_AFTER};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::watch;

use super::Api;
use super::audit::record_refusal;
use super::envelope::ApiError;
use crate::clock::now;
use crate::core::{Allowance, KeyScope};
use crate::store::{ApiKeyRow, StoreError, keep_calls};

/// A bearer key. Shown once, stored as a hash; `Debug` shows nothing.
pub struct ApiKey(String);

impl ApiKey {
    /// Takes 32 random bytes.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("pk_{digits}"))
    }

    /// Takes a key from the configuration.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The key, for the one moment it may be shown.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

/// What is stored of a key.
pub fn hash_key(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// The keys that are let in. They are looked through in a time that does not tell which one was nearly right.
#[derive(Debug, Default)]
pub struct Keys {
    in_file: Option<[u8; 32]>,
    known: RwLock<Vec<Known>>,
}

/// Whose call it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    /// The number of the key; 0 is that of the file.
    pub(crate) key: i64,
    /// What may be done with it.
    pub(crate) scope: KeyScope,
}

/// A key that is let in.
#[derive(Debug, Clone, Copy)]
struct Known {
    id: i64,
    hash: [u8; 32],
    scope: KeyScope,
}

impl Keys {
    /// The keys of the store, and the one of the file if there is one.
    pub fn new(in_file: Option<[u8; 32]>, rows: &[ApiKeyRow]) -> Self {
        let keys = Self { in_file, known: RwLock::default() };
        keys.renew(rows);
        keys
    }

    /// Takes the keys as the store has them now.
    pub fn renew(&self, rows: &[ApiKeyRow]) {
        let in_file = self.in_file.map(|hash| Known { id: 0, hash, scope: KeyScope::Admin });
        let rows = rows.iter().filter(|row| row.revoked_at.is_none());
        let stored = rows.map(|row| Known { id: row.id, hash: row.hash, scope: row.scope });
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = in_file.into_iter().chain(stored).collect();
    }

    /// Whether a key is in the file, which nobody can take back over the API.
    pub fn has_one_in_file(&self) -> bool {
        self.in_file.is_some()
    }

    fn find(&self, key: &str) -> Option<Known> {
        let hash = hash_key(key);
        let mut found = None;
        for known in self.known.read().unwrap_or_else(PoisonError::into_inner).iter() {
            if bool::from(hash.ct_eq(&known.hash)) {
                found = Some(*known);
            }
        }
        found
    }

    /// A key that is let in, by what `is_it` says of its hash.
    fn caller(&self, is_it: impl Fn(&[u8; 32]) -> bool) -> Option<Caller> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|known| is_it(&known.hash)).map(|known| Caller { key: known.id, scope: known.scope })
    }
}

impl Api {
    /// The hash of a key, if it is let in.
    pub(crate) fn let_in(&self, key: &str) -> Option<[u8; 32]> {
        self.keys.find(key.trim()).map(|known| known.hash)
    }

    /// A key that has been let in, by what `is_it` says of its hash; `None` if it was taken back.
    pub(crate) fn caller(&self, is_it: impl Fn(&[u8; 32]) -> bool) -> Option<Caller> {
        self.keys.caller(is_it)
    }
}

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Lets calls in that have a key for them, as many as the key has a day. S2-054 to S2-059.
pub(super) async fn require_key(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = given.and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")));
    let Some(key) = key else {
        return ApiError::unauthorized("send `Authorization: Bearer <API key>`").into_response();
    };
    let Some(known) = api.keys.find(key.trim()) else {
        return ApiError::unauthorized("the API key is not known here").into_response();
    };
    let allowance = api.count_call(known.id, request.uri().path());
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let caller = Caller { key: known.id, scope: known.scope };
    request.extensions_mut().insert(caller);
    let mut response = if let Some(seconds) = allowance.retry_after {
        let mut refusal = ApiError::rate_limited(seconds).into_response();
        refusal.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        refusal
    } else if known.scope.allows(reads, request.uri().path()) {
        next.run(request).await
    } else {
        record_refusal(&api, caller, request).await
    };
    tell(&allowance, &mut response);
    response
}

/// Says how many calls there are where nobody has said it: to whoever has no key, or calls what is not there.
pub(super) async fn tell_allowance(State(api): State<Api>, request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/v1") || request.uri().path() == "/status";
    let mut response = next.run(request).await;
    if is_api && !response.headers().contains_key(LIMIT) {
        let quota = api.quota.lock().unwrap_or_else(PoisonError::into_inner);
        let allowance = quota.stand(None, api.devices.approved(), now());
        tell(&allowance, &mut response);
    }
    response
}

fn tell(allowance: &Allowance, response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(LIMIT, HeaderValue::from(allowance.limit));
    headers.insert(REMAINING, HeaderValue::from(allowance.remaining));
    headers.insert(RESET, HeaderValue::from(allowance.reset));
}

impl Api {
    /// Counts a call. What an agent brings of a terminal is what the terminal sends, and is not counted: S2-060.
    fn count_call(&self, key: i64, path: &str) -> Allowance {
        let of_terminal = path.strip_prefix("/v1/devices/").and_then(|rest| rest.split_once('/'));
        let of_agent =
            |what: &str| ["punches", "clock", "steps", "probe"].iter().any(|name| what.split('/').next() == Some(name));
        let is_of_terminal = of_terminal.is_some_and(|(_, what)| of_agent(what));
        let devices = self.devices.approved();
        let mut quota = self.quota.lock().unwrap_or_else(PoisonError::into_inner);
        if is_of_terminal { quota.stand(Some(key), devices, now()) } else { quota.call(key, devices, now()) }
    }

    /// Keeps how often the keys were used, and takes the keys as the store has them, until `stop` says so.
    pub(crate) async fn watch_keys(self, mut stop: watch::Receiver<bool>) {
        let mut goes_on = true;
        while goes_on {
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                _ = stop.wait_for(|&stop| stop) => goes_on = false,
            }
            if let Err(error) = self.keep_keys().await {
                tracing::error!(%error, "how often the API was called could not be written down");
            }
        }
    }

    async fn keep_keys(&self) -> Result<(), StoreError> {
        let counts = self.quota.lock().unwrap_or_else(PoisonError::into_inner).unwritten();
        if !counts.is_empty() {
            self.store.write(move |tx| keep_calls(tx, &counts)).await?;
        }
        self.keys.renew(&self.store.read(ApiKeyRow::all).await?);
        Ok(())
    }
}

/// How often that is done. A crash forgets the calls of so long.
const TICK: Duration = Duration::from_secs(5);
