//! A Humand community, as far as punches touch it: a pure state machine that answers requests.
//!
//! It does what Humand's description of its interface and its manual say, strictly, and what clients saw where those are
//! silent: one entry a request, START and END take turns, an error has a code. No server was measured. What nobody knows can
//! be chosen: how a broken rule is answered, and in which language. Not here: sites, coordinates, summaries of a day.

mod clock;
mod config;
mod lists;
mod reply;
mod rows;

use std::collections::VecDeque;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::header::{AUTHORIZATION, HeaderName, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode};

use crate::stand_in::no_answer;

pub use config::{HumandConfig, HumandFault, HumandUser, Rules};
use reply::{page, refusal};
pub use rows::StoredEntry;

const WINDOW: TimeDelta = TimeDelta::seconds(60);

/// The community: its entries, its settings, and the faults it is about to show.
#[derive(Debug)]
pub struct HumandStandIn {
    config: HumandConfig,
    faults: VecDeque<HumandFault>,
    entries: Vec<StoredEntry>,
    last_id: u64,
    requests: Vec<String>,
    times: VecDeque<DateTime<Utc>>,
    stalled: Option<Request<Bytes>>,
}

impl HumandStandIn {
    /// A community without entries.
    pub fn new(config: HumandConfig) -> Self {
        Self {
            config,
            faults: VecDeque::new(),
            entries: Vec::new(),
            last_id: 980,
            requests: Vec::new(),
            times: VecDeque::new(),
            stalled: None,
        }
    }

    /// The stored entries, oldest first.
    pub fn entries(&self) -> &[StoredEntry] {
        &self.entries
    }

    /// Every request so far, as `METHOD path?query`.
    pub fn requests(&self) -> &[String] {
        &self.requests
    }

    /// The settings and users, to change them as an administrator would.
    pub fn config_mut(&mut self) -> &mut HumandConfig {
        &mut self.config
    }

    /// Adds faults for the next requests, one each, in order.
    pub fn fail_next(&mut self, faults: impl IntoIterator<Item = HumandFault>) {
        self.faults.extend(faults);
    }

    /// Answers one request. An answer marked with the extension `NoAnswer` must not be sent: close the connection.
    pub fn answer(&mut self, request: &Request<Bytes>, now: DateTime<Utc>) -> Response<Bytes> {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        self.requests.push(format!("{} {target}", request.method()));
        let mut answer = match self.faults.pop_front().unwrap_or(HumandFault::None) {
            HumandFault::None => self.limited(request, now),
            HumandFault::DropBefore => no_answer(),
            HumandFault::Stall => {
                // Carried out after the next request, when nobody waits for it any more.
                self.stalled = Some(request.clone());
                return no_answer();
            }
            fault => {
                if fault.is_served() {
                    drop(self.serve(request, now));
                }
                if fault == HumandFault::DropAfter { no_answer() } else { fault.response() }
            }
        };
        if let Some(stalled) = self.stalled.take() {
            drop(self.serve(&stalled, now));
        }
        answer.headers_mut().insert(HeaderName::from_static("ratelimit-policy"), HeaderValue::from_static("50;w=60"));
        answer
    }

    /// Counts the requests of the last minute.
    fn limited(&mut self, request: &Request<Bytes>, now: DateTime<Utc>) -> Response<Bytes> {
        while self.times.front().is_some_and(|first| now - first >= WINDOW) {
            self.times.pop_front();
        }
        let is_over = self.times.len() >= self.config.limit;
        let mut answer = if is_over {
            refusal(429, "RATE_LIMIT_EXCEEDED", "Rate limit reached, please try again later")
        } else {
            self.times.push_back(now);
            self.serve(request, now)
        };
        let reset = self.times.front().map_or(WINDOW, |first| WINDOW - (now - first)).num_seconds() + 1;
        let (limit, remaining) = (self.config.limit, self.config.limit.saturating_sub(self.times.len()));
        let headers = answer.headers_mut();
        if let Ok(value) = HeaderValue::from_str(&format!("limit={limit}, remaining={remaining}, reset={reset}")) {
            headers.insert(HeaderName::from_static("ratelimit"), value);
        }
        if is_over {
            headers.insert(RETRY_AFTER, HeaderValue::from(reset));
        }
        answer
    }

    fn serve(&mut self, request: &Request<Bytes>, now: DateTime<Utc>) -> Response<Bytes> {
        let sent = request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes);
        if sent != Some(format!("Basic {}", self.config.api_key).as_bytes()) {
            return refusal(401, "UNKNOWN_TOKEN", "Invalid credentials");
        }
        if !self.config.is_allowed {
            return refusal(403, "ACCESS_DENIED", "The provided user has no access to this resource");
        }
        let path = request.uri().path().to_owned();
        let kind = match (path.as_str(), self.config.seed_paths) {
            ("/public/api/v1/time-tracking/entries/clockIn", false) | ("/time-tracking/clock-in", true) => {
                Some("START")
            }
            ("/public/api/v1/time-tracking/entries/clockOut", false) | ("/time-tracking/clock-out", true) => {
                Some("END")
            }
            _ => None,
        };
        match (request.method(), path.strip_prefix("/public/api/v1/"), kind) {
            (&Method::POST, _, Some(kind)) => self.clock(kind, request, now),
            (&Method::GET, Some("time-tracking/entries"), _) => self.list_entries(request),
            (&Method::GET, Some("users"), _) => self.list_users(request),
            (&Method::GET, Some(path), _) => match path.strip_prefix("users/") {
                Some(employee) => self.get_user(employee),
                None => page(StatusCode::NOT_FOUND),
            },
            _ => page(StatusCode::NOT_FOUND),
        }
    }
}
