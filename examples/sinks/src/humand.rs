//! The Humand half of the middleware.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::now;
use anyhow::Context as _;
use punch_erp::humand::{Humand, HumandSettings, Pace, Standing, WriteEntries};
use punch_erp::{
    Failure, HttpRequest, HttpResponse, Outcome, ReqwestTransport, drive, drive_async, masked_path, render_masked,
};
use punch_webhook::ReceivedPunch;
use serde_json::Value;

use crate::environment::{env_any, env_flag};

/// A write on its way.
pub type Writing = Pin<Box<dyn Future<Output = Vec<Outcome>> + Send>>;

/// The community of the environment: `HUMAND_TOKEN` or `HUMAND_AUTH`, with or without `Basic `; `HUMAND_BASE_URL` or
/// `HUMAND_BASE`, without one production; `HUMAND_ZONE`, without one the offset that comes with each punch; `ALLOW_HTTP`.
///
/// # Errors
///
/// There is no key, or a value is wrong; the text names it.
pub fn from_env() -> anyhow::Result<Humand> {
    let key = env_any(&["HUMAND_TOKEN", "HUMAND_AUTH"]);
    let mut settings = HumandSettings::new(key.context("set the environment variable HUMAND_TOKEN or HUMAND_AUTH")?);
    settings.base = env_any(&["HUMAND_BASE_URL", "HUMAND_BASE"]).unwrap_or(settings.base);
    settings.time_zone = env_any(&["HUMAND_ZONE"]).unwrap_or(settings.time_zone);
    settings.allow_http = env_flag("ALLOW_HTTP");
    let humand = Humand::new(settings)?;
    if humand.scheme_was_dropped() {
        tracing::warn!("`Basic ` before the token is no part of it and was dropped");
    }
    Ok(humand)
}

/// Writes the punches of a person, in order of time and within the limit of requests. Badges are the ids of Humand.
pub fn writer(humand: Humand, transport: ReqwestTransport) -> impl Fn(Vec<ReceivedPunch>) -> Writing + Send + 'static {
    let link = Link { transport, pace: Arc::new(Mutex::new(humand.pace())) };
    let kept = Arc::new(Mutex::new(BTreeMap::<String, Standing>::new()));
    move |punches| {
        let (link, kept) = (link.clone(), Arc::clone(&kept));
        let Some(first) = punches.first() else { return Box::pin(async { Vec::new() }) };
        let (badge, event_id) = (first.badge.clone(), first.event_id.to_string());
        let mut flow = WriteEntries::new(&humand, badge.as_str(), &punches, now());
        // Taken out, so that an attempt that is lost leaves nothing behind that could be believed.
        if let Some(standing) = lock(&kept).remove(&badge) {
            flow = flow.with_standing(standing);
        }
        Box::pin(async move {
            let outcomes = drive_async(&mut flow, |request| link.send(request, &event_id)).await;
            if let Some(standing) = flow.standing() {
                lock(&kept).insert(badge, standing.clone());
            }
            outcomes
        })
    }
}

/// The way to Humand, one limiter for everybody.
#[derive(Clone)]
struct Link {
    transport: ReqwestTransport,
    pace: Arc<Mutex<Pace>>,
}

impl Link {
    async fn send(&self, request: HttpRequest, event_id: &str) -> Result<HttpResponse, Failure> {
        loop {
            let wait = lock(&self.pace).take(&request, now());
            let Err(wait) = wait else { break };
            tokio::time::sleep(wait.to_std().unwrap_or_default()).await;
        }
        let (method, path, begun) = (request.method().clone(), masked_path(&request).to_owned(), now());
        let reply = self.transport.send(request).await;
        let ms = (now() - begun).num_milliseconds();
        match &reply {
            Ok(response) => {
                lock(&self.pace).observe(response, now());
                let (status, code) = (response.status().as_u16(), code_of(response));
                tracing::info!(event_id, %method, path, status, code, ms, "answered");
            }
            Err(failure) => tracing::warn!(event_id, %method, path, %failure, ms, "not answered"),
        }
        reply
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The code of an error, if it is one: a word in capitals, and no sentence with somebody in it.
fn code_of(response: &HttpResponse) -> Option<String> {
    let body: Value = serde_json::from_slice(response.body()).ok()?;
    let code = body.get("code")?.as_str()?;
    code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_').then(|| code.chars().take(64).collect())
}

/// Shows the requests that would be sent, the key masked, and sends nothing. The answer to reading is made up: no entries.
pub fn dry_run(
    humand: Humand,
    show: impl Fn(String) + Send + 'static,
) -> impl Fn(Vec<ReceivedPunch>) -> Writing + Send + 'static {
    move |punches| {
        let badge = punches.first().map(|punch| punch.badge.clone()).unwrap_or_default();
        let outcomes = drive(&mut WriteEntries::new(&humand, badge, &punches, now()), |request| {
            show(render_masked(&request));
            let is_reading = request.method() == "GET";
            let nothing = || HttpResponse::new(r#"{"count":0,"items":[]}"#.into());
            is_reading.then(nothing).ok_or_else(|| Failure::not_reached("dry run"))
        });
        Box::pin(async { outcomes })
    }
}
