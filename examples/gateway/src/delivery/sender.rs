use chrono::{DateTime, Utc};
use punch_normalize::EventId;
use punch_webhook::{Outcome, PayloadFormat, Signer, body_says_duplicate, parse_retry_after};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use reqwest::redirect::Policy;

use super::guard::{Guard, GuardedResolver};
use crate::clock::now;
use crate::config::{DeliveryConfig, check_url};
use crate::store::{EndpointRow, Outgoing};

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
    /// Signs with two secrets, and until when it does so.
    rolling: Option<(Signer, DateTime<Utc>)>,
}

impl Target {
    pub(super) fn of(endpoint: &EndpointRow) -> Self {
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
        Self { url: endpoint.url.clone(), signer: Signer::new(&endpoint.secret), headers, rolling }
    }

    fn signer(&self, now: DateTime<Utc>) -> &Signer {
        self.rolling.as_ref().filter(|(_, until)| now < *until).map_or(&self.signer, |(rolling, _)| rolling)
    }
}

/// What one attempt came to.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) outcome: Outcome,
    pub(super) error: Option<String>,
    pub(super) event_id: Option<EventId>,
    /// The first of what was answered, as text.
    pub(super) response: Option<String>,
    /// The shape of the body that left, if one did.
    pub(super) format: Option<PayloadFormat>,
}

impl Sent {
    pub(super) fn nothing(error: &str) -> Self {
        let error = Some(error.to_owned());
        Self { outcome: Outcome::Unreachable, error, event_id: None, response: None, format: None }
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

    /// Makes one attempt, which has begun `at` this moment.
    pub(super) async fn send(&self, target: &Target, outgoing: &Outgoing, number: u32, at: DateTime<Utc>) -> Sent {
        let (event_id, format) = (Some(outgoing.event_id.clone()), Some(outgoing.format));
        let came = |outcome, error, response| Sent { outcome, error, event_id: event_id.clone(), response, format };
        let refused = |reason: String| Sent { format: None, ..came(Outcome::Refused(reason.into()), None, None) };
        let Some(client) = &self.client else { return refused("no HTTP client".to_owned()) };
        if let Err(reason) = check_url(&target.url, &self.config).and_then(|()| self.guard.check_literal(&target.url)) {
            return refused(reason);
        }
        // Signed once per attempt, over the very bytes that leave.
        let body = outgoing.body.render(number);
        let headers = target.signer(at).headers(&outgoing.event_id, &body, at);
        let mut request = client.post(&target.url).headers(target.headers.clone()).body(body);
        for (name, value) in plain_headers(number) {
            request = request.header(name, value);
        }
        for (name, value) in headers.iter() {
            request = request.header(name, value);
        }
        // The client's own timeout ends with the headers' arrival; this one is for the whole exchange.
        match tokio::time::timeout(self.config.timeout, exchange(request)).await {
            Ok(Ok((outcome, response))) => came(outcome, None, response),
            Ok(Err(error)) if error.is_timeout() => came(Outcome::TimedOut, None, None),
            Ok(Err(error)) => came(Outcome::Unreachable, Some(chain(&error)), None),
            Err(_) => came(Outcome::TimedOut, None, None),
        }
    }
}

/// What every request of ours carries, whoever it goes to.
fn plain_headers(number: u32) -> [(HeaderName, String); 3] {
    [
        (CONTENT_TYPE, "application/json".to_owned()),
        (USER_AGENT, concat!("punch/", env!("CARGO_PKG_VERSION")).to_owned()),
        (HeaderName::from_static("webhook-attempt"), number.to_string()),
    ]
}

/// The headers of an attempt for whoever looks at it: by its number, when it began, and how its endpoint is now. Signatures
/// and what the endpoint's owner has added have no value here: the first are not kept, and the second may be keys.
pub(crate) fn shown_headers(
    endpoint: &EndpointRow,
    event_id: &EventId,
    number: u32,
    at: DateTime<Utc>,
) -> Vec<(String, Option<String>)> {
    let plain = plain_headers(number).map(|(name, value)| (name.to_string(), Some(value)));
    let signed = Signer::new(&endpoint.secret).headers(event_id, b"", at);
    let is_open = |name: &str| ["webhook-id", "webhook-timestamp"].contains(&name);
    let signed = signed.iter().map(|(name, value)| (name.to_owned(), is_open(name).then(|| value.to_owned())));
    let added = endpoint.options.headers.keys().map(|name| (name.clone(), None));
    plain.into_iter().chain(signed).chain(added).collect()
}

async fn exchange(request: reqwest::RequestBuilder) -> Result<(Outcome, Option<String>), reqwest::Error> {
    let mut response = request.send().await?;
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
    let outcome =
        Outcome::Answered { status, retry_after, says_duplicate: status == 409 && body_says_duplicate(&body) };
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
