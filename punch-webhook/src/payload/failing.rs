//! The event of an endpoint that takes none, for another one.

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use chrono::{DateTime, Utc};
use punch_normalize::EventId;

use super::json::Object;
use super::shapes::utc;
use super::{Detail, Event};
use crate::{EndpointState, Health};

/// An endpoint that takes no events, as another one is told of it.
///
/// Of its address only the host is kept: path and query often hold a secret.
///
/// ```
/// use chrono::DateTime;
/// use punch_webhook::{EndpointState, FailingEndpoint, Health};
///
/// let state = EndpointState::new(Health::Disabled, DateTime::UNIX_EPOCH);
/// let failing = FailingEndpoint::new("7", "https://hr:pw@hooks.example.com:8443/in/t0ken?k=1", &state, 40);
/// assert_eq!(failing.host(), "hooks.example.com");
/// assert!(!format!("{failing:?}").contains("t0ken"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingEndpoint {
    id: String,
    host: String,
    health: Health,
    since: Option<DateTime<Utc>>,
    failures: u32,
    waiting: u64,
    recovered: bool,
}

impl FailingEndpoint {
    /// Of the endpoint with this id, URL and state, for which `waiting` deliveries are held.
    pub fn new(id: impl Into<String>, url: &str, state: &EndpointState, waiting: u64) -> Self {
        let EndpointState { health, since, failures, .. } = *state;
        Self { id: id.into(), host: host(url).to_owned(), health, since, failures, waiting, recovered: false }
    }

    /// The same, of one that takes events again after an outage that was told.
    #[must_use]
    pub fn recovered(self) -> Self {
        Self { recovered: true, ..self }
    }

    /// The host of its URL, empty if it has none.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn nested(&self, event: &mut Object<'_>) {
        event.object("endpoint", |endpoint| {
            endpoint.text("id", &self.id);
            self.members(endpoint);
        });
    }

    pub(super) fn flat(&self, at: &str, event: &mut Object<'_>) {
        event.text("endpoint_id", &self.id);
        event.text("timestamp", at);
        self.members(event);
    }

    fn members(&self, object: &mut Object<'_>) {
        object.text("host", &self.host);
        object.text("state", self.health.as_str());
        object.optional_text("since", self.since.map(utc).as_deref());
        object.number("failures", self.failures);
        object.integer("waiting", i64::try_from(self.waiting).unwrap_or(i64::MAX));
        object.flag_if("recovered", self.recovered);
    }
}

impl<'a> Event<'a> {
    /// `webhook.failing`: another endpoint takes no events, or takes them [again](FailingEndpoint::recovered), found at `at`.
    pub fn webhook_failing(id: &'a EventId, failing: &'a FailingEndpoint, at: DateTime<Utc>) -> Self {
        Self { id, at, detail: Detail::Failing(failing) }
    }
}

/// The host of a URL. What is no URL has none: half of it might be the secret.
fn host(url: &str) -> &str {
    let Some((_, rest)) = url.split_once("://") else { return "" };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host_and_port = authority.rsplit('@').next().unwrap_or_default();
    match host_and_port.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        Some(_) | None => host_and_port,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_host_is_told() {
        for (url, expected) in [
            ("https://example.com", "example.com"),
            ("https://example.com/secret", "example.com"),
            ("https://example.com?secret", "example.com"),
            ("https://example.com#secret", "example.com"),
            (r"https://example.com\secret", "example.com"),
            ("https://example.com:443/secret", "example.com"),
            ("https://secret:se@cret@example.com/", "example.com"),
            ("http://[::1]:8080/secret", "[::1]"),
            ("http://[::1]/secret", "[::1]"),
            ("/secret", ""),
            ("secret@example.com", ""),
            ("", ""),
        ] {
            assert_eq!(host(url), expected, "{url}");
        }
    }
}
