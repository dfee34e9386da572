//! A SuccessFactors tenant with its Identity Authentication, as far as punches touch them: a pure state machine that
//! answers requests.
//!
//! It does what SAP's notes and specifications say, as read on 2026-11-22; no tenant was at hand. The unpleasant parts above
//! all: one bad field refuses a whole call, a good status holds refusals, calls are few, and a second event of a person and
//! second is refused with words. Not here: pairing, approval, validation, the limits of a profile.

mod config;
mod odata;
mod reply;
mod time_events;
mod tokens;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::header::{ACCEPT, CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::Value;

use crate::stand_in::no_answer;

pub use config::{SuccessFactorsConfig, SuccessFactorsFault};
use reply::{page, response};
pub use time_events::StoredTimeEvent;
use tokens::Tokens;

/// The tenant: what it stores, its settings, and the faults it is about to show.
#[derive(Debug)]
pub struct SuccessFactorsStandIn {
    config: SuccessFactorsConfig,
    faults: VecDeque<SuccessFactorsFault>,
    tokens: Tokens,
    events: Vec<StoredTimeEvent>,
    /// The assignments and seconds of the events.
    seconds: BTreeSet<(String, DateTime<Utc>)>,
    external_times: BTreeMap<String, Value>,
    samples: Vec<String>,
    calls: Vec<(DateTime<Utc>, String)>,
    stalled: Option<Request<Bytes>>,
}

const CREATE: &str = "/rest/timemanagement/timeeventprocessing/v1/TimeEvents";
const CHANGE: &str = "/rest/timemanagement/timeeventprocessing/clockinclockout/v1/timeevents";
const READ: &str = "/odatav4/timemanagement/timeeventprocessing/clockinclockout/v1/timeevents";
const GROUPS: &str =
    "/odatav4/timemanagement/timeeventprocessing/ClockInClockOutIntegration.svc/v1/ClockInClockOutGroups";

/// Calls for time events in a minute and in a UTC day.
const QUOTA: (usize, usize) = (10, 300);

impl SuccessFactorsStandIn {
    /// A tenant without events.
    pub fn new(config: SuccessFactorsConfig) -> Self {
        Self {
            config,
            faults: VecDeque::new(),
            tokens: Tokens::default(),
            events: Vec::new(),
            seconds: BTreeSet::new(),
            external_times: BTreeMap::new(),
            samples: Vec::new(),
            calls: Vec::new(),
            stalled: None,
        }
    }

    /// The stored events, oldest first.
    pub fn events(&self) -> &[StoredTimeEvent] {
        &self.events
    }

    /// The records of `ExternalTimeData`, by key.
    pub fn external_times(&self) -> &BTreeMap<String, Value> {
        &self.external_times
    }

    /// The bodies of the published sample that were taken.
    pub fn samples(&self) -> &[String] {
        &self.samples
    }

    /// Every request so far, as `METHOD path`.
    pub fn calls(&self) -> Vec<&str> {
        self.calls.iter().map(|(_, call)| call.as_str()).collect()
    }

    /// How many of them wrote, or tried to write, time events.
    pub fn writes(&self) -> usize {
        self.calls.iter().filter(|(_, call)| is_write(call)).count()
    }

    /// The settings, to change them as an administrator would.
    pub fn config_mut(&mut self) -> &mut SuccessFactorsConfig {
        &mut self.config
    }

    /// Adds faults for the next requests, one each, in order.
    pub fn fail_next(&mut self, faults: impl IntoIterator<Item = SuccessFactorsFault>) {
        self.faults.extend(faults);
    }

    /// Answers one request. An answer marked with the extension `NoAnswer` must not be sent: close the connection.
    pub fn answer(&mut self, request: &Request<Bytes>, now: DateTime<Utc>) -> Response<Bytes> {
        self.calls.push((now, format!("{} {}", request.method(), request.uri().path())));
        let answer = match self.faults.pop_front().unwrap_or(SuccessFactorsFault::None) {
            SuccessFactorsFault::None => self.serve(request, now),
            SuccessFactorsFault::DropBefore => no_answer(),
            SuccessFactorsFault::DropAfter => {
                drop(self.serve(request, now));
                no_answer()
            }
            SuccessFactorsFault::DropWithin => {
                drop(self.serve_part(request, now));
                no_answer()
            }
            SuccessFactorsFault::Stall => {
                // Carried out after the next request, when nobody waits for it any more.
                self.stalled = Some(request.clone());
                return no_answer();
            }
            SuccessFactorsFault::BadGatewayAfter => {
                drop(self.serve(request, now));
                page(StatusCode::BAD_GATEWAY)
            }
            SuccessFactorsFault::Forgetful => forget(self.serve(request, now)),
            SuccessFactorsFault::TokensEnd => {
                self.tokens.end_all();
                self.serve(request, now)
            }
            fault => fault.response(),
        };
        if let Some(stalled) = self.stalled.take() {
            drop(self.serve(&stalled, now));
        }
        answer
    }

    fn serve(&mut self, request: &Request<Bytes>, now: DateTime<Utc>) -> Response<Bytes> {
        let (method, path) = (request.method(), request.uri().path());
        if !self.is_our_host(request) && path != "/oauth2/token" {
            return page(StatusCode::NOT_FOUND);
        }
        match (method, path) {
            (&Method::POST, "/oauth2/token") => return self.ias_token(request, now),
            (&Method::POST, "/oauth/token") => return self.saml_token(request, now),
            _ => {}
        }
        if let Some(refusal) = self.refusal(request, now).or_else(|| self.over_quota(path, now)) {
            return refusal;
        }
        // The sample names no form, and talks to a gateway.
        if !is_json(request, ACCEPT.as_str()) && path != "/odata/v2/EmployeeTime" {
            return response(200, "application/xml", "<?xml version=\"1.0\"?><feed/>".to_owned());
        }
        let has_body = matches!(*method, Method::POST | Method::PATCH);
        if has_body && !is_json(request, CONTENT_TYPE.as_str()) {
            return page(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        match (method, path) {
            (&Method::GET, "/oauth/validate") => response(200, "application/json", "{}".to_owned()),
            (&Method::POST, CREATE) => self.create(request.body(), usize::MAX),
            (&Method::GET, READ) => self.read_back(request.uri()),
            (&Method::PATCH, CHANGE) => self.delete(request.body()),
            (&Method::GET, GROUPS) if request.uri().query() == Some("$expand=timeEventTypeNav") => self.groups(),
            (&Method::POST, "/odata/v2/upsert") if request.uri().query() == Some("$format=json") => {
                self.upsert(request)
            }
            (&Method::POST, "/odata/v2/EmployeeTime") => self.sample(request.body()),
            _ => page(StatusCode::NOT_FOUND),
        }
    }

    /// The host stops in the middle of a call.
    fn serve_part(&mut self, request: &Request<Bytes>, now: DateTime<Utc>) -> Response<Bytes> {
        if request.uri().path() == CREATE && self.refusal(request, now).is_none() {
            let rows = serde_json::from_slice::<Vec<Value>>(request.body()).map_or(0, |rows| rows.len());
            return self.create(request.body(), rows / 2);
        }
        page(StatusCode::BAD_GATEWAY)
    }

    fn over_quota(&self, path: &str, now: DateTime<Utc>) -> Option<Response<Bytes>> {
        if !self.config.has_quota || path != CREATE {
            return None;
        }
        let writes = || self.calls.iter().filter(|(_, call)| is_write(call)).map(|(at, _)| *at);
        let of_minute = writes().filter(|at| now - *at < TimeDelta::minutes(1)).count();
        let of_day = writes().filter(|at| at.date_naive() == now.date_naive()).count();
        // The call itself is among them.
        (of_minute > QUOTA.0 || of_day > QUOTA.1).then(|| {
            let mut answer = page(StatusCode::TOO_MANY_REQUESTS);
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("300"));
            answer
        })
    }

    fn is_our_host(&self, request: &Request<Bytes>) -> bool {
        let header = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let host = request.uri().host().or(header.and_then(|host| host.split(':').next()));
        self.config.api_host.is_empty() || host == Some(self.config.api_host.as_str())
    }
}

fn is_write(call: &str) -> bool {
    call.strip_prefix("POST ") == Some(CREATE)
}

fn is_json(request: &Request<Bytes>, header: &str) -> bool {
    request.headers().get(header).is_some_and(|value| value == "application/json")
}

/// The answer without the last of the stored events.
fn forget(mut answer: Response<Bytes>) -> Response<Bytes> {
    if let Ok(mut body) = serde_json::from_slice::<Value>(answer.body())
        && let Some(stored) = body.get_mut("succeededTimeEvents").and_then(Value::as_array_mut)
    {
        stored.pop();
        *answer.body_mut() = Bytes::from(body.to_string());
    }
    answer
}
