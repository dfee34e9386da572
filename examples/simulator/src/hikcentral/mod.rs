//! A HikCentral behind its Artemis gateway, as far as door events go: a pure state machine that answers requests and pushes.
//!
//! It does what the makers' guides and public code say, strictly: errors with status 200, one event type a call, no line in the
//! signed text for a header that is absent, a number used once. No server was measured. What nobody knows can be chosen:
//! whether a listed event has the id it was pushed with, and whether a push names the person's code.

mod config;
mod events;
mod reply;
mod signature;

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::stand_in::no_answer;

pub use config::{DoorEvent, HikCentralConfig, HikCentralFault, HikPerson};
use reply::{page, refusal, success};

/// Who gets which events.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Subscriber {
    event_type: i64,
    destination: String,
    token: Option<String>,
}

/// The server: its events, its settings, and the faults it is about to show.
#[derive(Debug)]
pub struct HikCentralStandIn {
    config: HikCentralConfig,
    faults: VecDeque<HikCentralFault>,
    events: Vec<DoorEvent>,
    subscribers: Vec<Subscriber>,
    pushes: VecDeque<Request<Bytes>>,
    nonces: BTreeSet<String>,
    requests: Vec<String>,
}

impl HikCentralStandIn {
    /// A server without events.
    pub fn new(config: HikCentralConfig) -> Self {
        Self {
            config,
            faults: VecDeque::new(),
            events: Vec::new(),
            subscribers: Vec::new(),
            pushes: VecDeque::new(),
            nonces: BTreeSet::new(),
            requests: Vec::new(),
        }
    }

    /// The settings, to change them as an administrator would.
    pub fn config_mut(&mut self) -> &mut HikCentralConfig {
        &mut self.config
    }

    /// Every request so far, as `METHOD path body`.
    pub fn requests(&self) -> &[String] {
        &self.requests
    }

    /// Adds faults for the next requests, one each, in order.
    pub fn fail_next(&mut self, faults: impl IntoIterator<Item = HikCentralFault>) {
        self.faults.extend(faults);
    }

    /// Somebody is at a door. It is pushed to whoever subscribed to it.
    pub fn happen(&mut self, event: DoorEvent) {
        let destinations: BTreeSet<(String, Option<String>)> = self
            .subscribers
            .iter()
            .filter(|subscriber| subscriber.event_type == event.event_type)
            .map(|subscriber| (subscriber.destination.clone(), subscriber.token.clone()))
            .collect();
        for (destination, token) in destinations {
            self.pushes.push_back(self.config.push(&event, &destination, token.as_deref()));
        }
        self.events.push(event);
    }

    /// Somebody is at a door that is offline: it is told later, by nobody.
    pub fn happen_unseen(&mut self, event: DoorEvent) {
        self.events.push(event);
    }

    /// The pushes that are due, to be posted by the caller.
    pub fn take_pushes(&mut self) -> Vec<Request<Bytes>> {
        self.pushes.drain(..).collect()
    }

    /// Forgets who subscribed, and says nothing: a restart, an upgrade.
    pub fn lose_subscriptions(&mut self) {
        self.subscribers.clear();
    }

    /// The types that are pushed to an address.
    pub fn subscribed(&self, destination: &str) -> Vec<i64> {
        let theirs = self.subscribers.iter().filter(|subscriber| subscriber.destination == destination);
        theirs.map(|subscriber| subscriber.event_type).collect()
    }

    /// Subscribes somebody else.
    pub fn subscribe_other(&mut self, event_type: i64, destination: &str) {
        self.subscribers.push(Subscriber { event_type, destination: destination.to_owned(), token: None });
    }

    /// Answers one request. An answer marked with the extension `NoAnswer` must not be sent: close the connection.
    pub fn answer(&mut self, request: &Request<Bytes>, _now: DateTime<Utc>) -> Response<Bytes> {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        self.requests.push(format!("{} {} {body}", request.method(), request.uri().path()));
        match self.faults.pop_front().unwrap_or(HikCentralFault::None) {
            HikCentralFault::None => self.serve(request),
            HikCentralFault::DropBefore => no_answer(),
            HikCentralFault::DropAfter => {
                drop(self.serve(request));
                no_answer()
            }
            fault => fault.response(),
        }
    }

    fn serve(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        if header("x-ca-key") != Some(self.config.app_key.as_str()) {
            return refusal("0x02401001", "Partner not found");
        }
        if !signature::is_right(request, &self.config.app_secret) {
            return refusal("0x02401003", "Invalid signature");
        }
        if header("x-ca-nonce").is_some_and(|nonce| !self.nonces.insert(nonce.to_owned())) {
            return refusal("0x02401008", "Authentication exception");
        }
        if let Some((code, message)) = self.config.refuses {
            return refusal(code, message);
        }
        let Some(path) = request.uri().path().strip_prefix("/artemis/api/") else { return page(StatusCode::NOT_FOUND) };
        let Ok(body) = serde_json::from_slice::<Value>(request.body()) else {
            return refusal("0x00072003", "Incorrect parameter format");
        };
        match path {
            "common/v1/version" => {
                success(&json!({ "productName": "HikCentral Professional", "softVersion": "V2.6.1" }))
            }
            "acs/v1/door/events" if !self.config.is_isecure => self.list_v1(&body),
            "acs/v2/door/events" if self.config.is_isecure => self.list_v2(&body),
            "eventService/v1/eventSubscriptionByEventTypes" => self.subscribe(&body),
            "eventService/v1/eventUnSubscriptionByEventTypes" => self.unsubscribe(&body),
            "eventService/v1/eventSubscriptionView" => self.view(),
            "resource/v1/person/personId/personInfo" => self.person(&body, "personId", |person| &person.person_id),
            "resource/v1/person/personCode/personInfo" => {
                self.person(&body, "personCode", |person| &person.person_code)
            }
            "resource/v1/acsDoor/acsDoorList" => success(&json!({ "total": self.config.doors.len(), "list":
                self.config.doors.iter().map(|(code, name)| json!({ "doorIndexCode": code, "doorName": name }))
                    .collect::<Vec<_>>() })),
            _ => page(StatusCode::NOT_FOUND),
        }
    }

    fn subscribe(&mut self, body: &Value) -> Response<Bytes> {
        let (Some(types), Some(destination)) = (types(&body["eventTypes"]), body["eventDest"].as_str()) else {
            return refusal("0x00072001", "Parameter missing");
        };
        if destination.len() > 1024 {
            return refusal("0x00072002", "Parameter out of range");
        }
        let token = body["token"].as_str().map(ToOwned::to_owned);
        for event_type in types {
            self.subscribers.retain(|one| (one.event_type, one.destination.as_str()) != (event_type, destination));
            self.subscribers.push(Subscriber { event_type, destination: destination.to_owned(), token: token.clone() });
        }
        success(&Value::Null)
    }

    fn unsubscribe(&mut self, body: &Value) -> Response<Bytes> {
        let Some(types) = types(&body["eventTypes"]) else { return refusal("0x00072001", "Parameter missing") };
        // For whatever address: the call names none.
        self.subscribers.retain(|one| !types.contains(&one.event_type));
        success(&Value::Null)
    }

    fn view(&self) -> Response<Bytes> {
        let destinations: BTreeSet<&str> = self.subscribers.iter().map(|one| one.destination.as_str()).collect();
        let detail =
            |destination: &&str| json!({ "eventTypes": self.subscribed(destination), "eventDest": destination });
        success(&json!({ "detail": destinations.iter().map(detail).collect::<Vec<_>>() }))
    }

    fn person(&self, body: &Value, name: &str, key: fn(&HikPerson) -> &str) -> Response<Bytes> {
        let Some(wanted) = body[name].as_str() else { return refusal("0x00072001", "Parameter missing") };
        match self.config.people.iter().find(|person| key(person) == wanted) {
            Some(person) => success(&json!({
                "personId": person.person_id, "personCode": person.person_code, "personName": person.name,
                "cards": [{ "cardNo": person.card }],
                "customFieldList": [{ "customFiledName": "dni", "customFieldValue": person.dni }],
            })),
            None => refusal("128", "not exist"),
        }
    }
}

fn types(value: &Value) -> Option<Vec<i64>> {
    value.as_array()?.iter().map(Value::as_i64).collect()
}
