use std::sync::Arc;

use chrono::{DateTime, Utc};
use punch_normalize::EventId;
use punch_webhook::{Class, Outcome, Signer, body_says_duplicate, parse_retry_after};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use reqwest::redirect::Policy;

use super::guard::{Guard, GuardedResolver};
use super::sinks::{Entrance, Sinks};
use crate::clock::now;
use crate::config::{Batch, DeliveryConfig, check_url};
use crate::store::{EndpointRow, NOT_KEPT};

/// Bytes of an answer that are read; then the connection is closed.
const ANSWER_MAX: usize = 16 << 10;

/// Bytes of an answer that are kept.
const EXCERPT_MAX: usize = 1 << 10;

/// Posts events: signed, once, without following redirects.
#[derive(Debug)]
pub(super) struct Sender {
    client: Option<reqwest::Client>,
    guard: Guard,
    config: DeliveryConfig,
}

/// Where the events of an endpoint go, with a signer that is keyed once and not per attempt.
#[derive(Debug)]
pub(super) struct Target {
    url: String,
    signer: Signer,
    /// Headers that its owner wants beside ours.
    headers: HeaderMap,
    /// Several events in one request.
    pub(super) batch: Option<Batch>,
    /// Signs with two secrets, and until when it does so.
    rolling: Option<(Signer, DateTime<Utc>)>,
    /// Where the events go instead, if it is an ERP.
    pub(super) entrance: Option<Entrance>,
}

impl Target {
    pub(super) fn of(endpoint: &EndpointRow, sinks: &Sinks) -> Self {
        let rolling = endpoint.roll.as_ref().map(|roll| {
            let signer = Signer::rolling(&endpoint.secret, &roll.previous);
            (if roll.both_signatures { signer.with_both_signatures() } else { signer }, roll.until)
        });
        let mut headers = HeaderMap::new();
        for (name, value) in &endpoint.options.headers {
            // They were checked when they were given.
            if let (Ok(name), Ok(mut value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        }
        let (url, signer) = (endpoint.url.clone(), Signer::new(&endpoint.secret));
        let entrance = sinks.entrance(&url);
        Self { url, signer, headers, batch: endpoint.options.batch, rolling, entrance }
    }

    fn signer(&self, now: DateTime<Utc>) -> &Signer {
        self.rolling.as_ref().filter(|(_, until)| now < *until).map_or(&self.signer, |(rolling, _)| rolling)
    }
}

/// What one request carries.
#[derive(Debug)]
pub(super) struct Parcel {
    /// Its `webhook-id`: that of the event, or of the list.
    pub(super) id: EventId,
    pub(super) body: Vec<u8>,
    /// The number of the attempt; of several the highest.
    pub(super) number: u32,
    /// How many events are in it, where it is a list.
    pub(super) listed: Option<usize>,
}

/// What one request came to.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) outcome: Outcome,
    /// What follows from it.
    pub(super) class: Class,
    pub(super) error: Option<String>,
    /// The first of what was answered, as text.
    pub(super) response: Option<Arc<str>>,
    /// The headers, one a line, if something left.
    pub(super) headers: Option<Arc<str>>,
}

impl Sent {
    pub(super) fn nothing(error: &str) -> Self {
        Self::came(Outcome::Unreachable, Some(error.to_owned()), None, None)
    }

    fn refused(reason: String) -> Self {
        Self::came(Outcome::Refused(reason.into()), None, None, None)
    }

    fn came(outcome: Outcome, error: Option<String>, response: Option<Arc<str>>, headers: Option<Arc<str>>) -> Self {
        Self { class: Class::of(&outcome), outcome, error, response, headers }
    }
}

impl Sender {
    pub(super) fn new(config: &DeliveryConfig) -> Self {
        let guard = Guard { allow_private: config.allow_private_targets };
        let client = reqwest::Client::builder()
            // One from the environment would look names up past the guard.
            .no_proxy()
            .redirect(Policy::none())
            .timeout(config.timeout)
            .dns_resolver(GuardedResolver(guard))
            .build();
        if let Err(error) = &client {
            tracing::error!(%error, "no HTTP client, nothing can be delivered");
        }
        Self { client: client.ok(), guard, config: config.clone() }
    }

    pub(super) async fn send(&self, target: &Target, parcel: Parcel) -> Sent {
        let Some(client) = &self.client else { return Sent::refused("no HTTP client".to_owned()) };
        if let Err(reason) = check_url(&target.url, &self.config).and_then(|()| self.guard.check_literal(&target.url)) {
            return Sent::refused(reason);
        }
        let is_listed = parcel.listed.is_some();
        let request = match request(client, target, parcel).build() {
            Ok(request) => request,
            Err(error) => return Sent::nothing(&chain(&error)),
        };
        let headers = Some(kept(request.headers(), &target.headers).into());
        let came = |outcome, error, response| Sent::came(outcome, error, response, headers);
        // The client's own timeout ends with the headers' arrival; this one is for the whole exchange.
        match tokio::time::timeout(self.config.timeout, exchange(client, request, is_listed)).await {
            Ok(Ok((outcome, response))) => came(outcome, None, response.map(Into::into)),
            Ok(Err(error)) if error.is_timeout() => came(Outcome::TimedOut, None, None),
            Ok(Err(error)) => came(Outcome::Unreachable, Some(chain(&error)), None),
            Err(_) => came(Outcome::TimedOut, None, None),
        }
    }
}

/// Signed once per request, over the very bytes that leave.
fn request(client: &reqwest::Client, target: &Target, parcel: Parcel) -> reqwest::RequestBuilder {
    let now = now();
    let signed = target.signer(now).headers(&parcel.id, &parcel.body, now);
    let mut request = client
        .post(&target.url)
        .headers(target.headers.clone())
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("punch/", env!("CARGO_PKG_VERSION")))
        .header("Webhook-Attempt", parcel.number)
        .body(parcel.body);
    if let Some(events) = parcel.listed {
        request = request.header("Webhook-Batch", events);
    }
    for (name, value) in signed.iter() {
        request = request.header(name, value);
    }
    request
}

/// The headers as they are kept for whoever looks why a receiver refused them, signatures included: they are worth no more
/// than the body beside them. Of the endpoint's own headers only the name is kept, because they may be keys.
fn kept(headers: &HeaderMap, own: &HeaderMap) -> String {
    let mut text = String::with_capacity(512);
    for (name, value) in headers {
        let value = if own.contains_key(name) { NOT_KEPT } else { value.to_str().unwrap_or("(not text)") };
        for part in [name.as_str(), ": ", value, "\n"] {
            text.push_str(part);
        }
    }
    text
}

async fn exchange(
    client: &reqwest::Client,
    request: reqwest::Request,
    is_listed: bool,
) -> Result<(Outcome, Option<String>), reqwest::Error> {
    let mut response = client.execute(request).await?;
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = ANSWER_MAX.saturating_sub(body.len());
        body.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
        if body.len() >= ANSWER_MAX {
            break;
        }
    }
    // Of a list, one that is known says nothing of the others.
    let says_duplicate = status == 409 && !is_listed && body_says_duplicate(&body);
    let outcome = Outcome::Answered { status, retry_after, says_duplicate };
    Ok((outcome, excerpt(&body)))
}

/// The first of an answer, for whoever looks why it failed. It may be anything, so it is text without control characters.
fn excerpt(body: &[u8]) -> Option<String> {
    let first = body.get(..EXCERPT_MAX.min(body.len())).unwrap_or_default();
    let text = String::from_utf8_lossy(first).replace(|c: char| c.is_control() && c != '\n' && c != '\t', "");
    Some(text).filter(|text| !text.is_empty())
}

fn retry_after(headers: &HeaderMap) -> Option<chrono::TimeDelta> {
    parse_retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?, now())
}

/// The causes of an error without the URL, which may hold a token.
fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
