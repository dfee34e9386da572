use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{HikCentral, Stamp, envelope};
use crate::mask::MaskedBody;
use crate::passage::{fields, text};
use crate::{CallError, ConfigError, Credential, Endpoint, Evidence, HttpRequest, HttpResponse};

/// Which events are pushed where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subscription {
    /// The event types.
    pub event_types: Vec<i64>,
    /// The address that events are posted to.
    pub destination: String,
}

impl Subscription {
    /// The longest address, in characters.
    pub const DESTINATION_MAX: usize = 1024;

    /// These types, to this address.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the address is none, or too long.
    pub fn new(event_types: Vec<i64>, destination: impl Into<String>) -> Result<Self, ConfigError> {
        let (key, destination) = ("event_dest", destination.into());
        // Whether HikCentral reaches it in the clear is the network's business; the token is no credential of ours.
        crate::address::check_address(
            key,
            &destination,
            "give the address at which HikCentral reaches the receiver",
            true,
        )?;
        if destination.chars().count() > Self::DESTINATION_MAX {
            return Err(ConfigError::BadAddress { key, problem: "is longer than 1024 characters" });
        }
        Ok(Self { event_types, destination })
    }
}

/// Asks which subscriptions there are.
#[derive(Debug, Clone)]
pub struct ViewSubscriptions {
    site: HikCentral,
    stamp: Stamp,
}

impl ViewSubscriptions {
    /// `POST …/eventService/v1/eventSubscriptionView`.
    pub fn new(site: &HikCentral, stamp: Stamp) -> Self {
        Self { site: site.clone(), stamp }
    }
}

impl Endpoint for ViewSubscriptions {
    type Output = Vec<Subscription>;

    fn request(&self) -> HttpRequest {
        self.site.post(&["eventService", "v1", "eventSubscriptionView"], &json!({}), &self.stamp)
    }

    fn response(&self, response: &HttpResponse) -> Result<Vec<Subscription>, CallError> {
        let expected = "a list of subscriptions";
        let data = envelope::read(response, expected)?;
        let rows = envelope::list(&data, &["detail", "list"]);
        let rows = rows.ok_or_else(|| CallError::Unreadable { expected, evidence: Evidence::of(response) })?;
        Ok(rows.iter().map(subscription).collect())
    }
}

fn subscription(row: &Value) -> Subscription {
    let members = fields(Some(row));
    let number = |code: &Value| code.as_i64().or_else(|| code.as_str()?.trim().parse().ok());
    let mut event_types: Vec<i64> = match members.get("eventTypes") {
        Some(Value::Array(codes)) => codes.iter().filter_map(number).collect(),
        Some(Value::String(codes)) => codes.split(',').filter_map(|code| code.trim().parse().ok()).collect(),
        Some(code) => number(code).into_iter().collect(),
        None => Vec::new(),
    };
    event_types.sort_unstable();
    Subscription { event_types, destination: text(&members, "eventDest").unwrap_or_default() }
}

/// Has events pushed to an address.
#[derive(Debug, Clone)]
pub struct Subscribe {
    site: HikCentral,
    subscription: Subscription,
    token: Option<Credential>,
    stamp: Stamp,
}

impl Subscribe {
    /// `POST …/eventService/v1/eventSubscriptionByEventTypes`. The token comes back with every push.
    pub fn new(site: &HikCentral, subscription: Subscription, token: Option<Credential>, stamp: Stamp) -> Self {
        Self { site: site.clone(), subscription, token, stamp }
    }

    fn body(&self, token: Option<&str>) -> Value {
        let Subscription { event_types, destination } = &self.subscription;
        let mut body = json!({ "eventTypes": event_types, "eventDest": destination, "passBack": 1 });
        if let (Some(token), Some(body)) = (token, body.as_object_mut()) {
            body.insert("token".into(), token.into());
        }
        body
    }
}

impl Endpoint for Subscribe {
    type Output = ();

    fn request(&self) -> HttpRequest {
        let body = self.body(self.token.as_ref().map(Credential::expose));
        let path = ["eventService", "v1", "eventSubscriptionByEventTypes"];
        let mut request = self.site.post(&path, &body, &self.stamp);
        let shown = self.body(self.token.as_ref().map(|_| "***"));
        request.extensions_mut().insert(MaskedBody(Bytes::from(shown.to_string())));
        request
    }

    fn response(&self, response: &HttpResponse) -> Result<(), CallError> {
        envelope::read(response, "that the subscription was taken").map(drop)
    }
}

/// Ends the pushing of event types.
#[derive(Debug, Clone)]
pub struct Unsubscribe {
    site: HikCentral,
    event_types: Vec<i64>,
    stamp: Stamp,
}

impl Unsubscribe {
    /// `POST …/eventService/v1/eventUnSubscriptionByEventTypes`. It ends them for every address of this partner user.
    pub fn new(site: &HikCentral, event_types: Vec<i64>, stamp: Stamp) -> Self {
        Self { site: site.clone(), event_types, stamp }
    }
}

impl Endpoint for Unsubscribe {
    type Output = ();

    fn request(&self) -> HttpRequest {
        let body = json!({ "eventTypes": self.event_types });
        self.site.post(&["eventService", "v1", "eventUnSubscriptionByEventTypes"], &body, &self.stamp)
    }

    fn response(&self, response: &HttpResponse) -> Result<(), CallError> {
        envelope::read(response, "that the subscription was ended").map(drop)
    }
}
