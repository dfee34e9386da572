//! A Hikvision terminal without HikCentral, as far as passages go: a pure state machine that answers requests, and posts and
//! streams what happens.
//!
//! It does what the maker's guides and what others observed say: Digest with a number that becomes too old, 30 events a page
//! whatever is asked for, one stream. No terminal was measured. What differs by firmware can be chosen.

mod digest;
mod wire;

use core::fmt;
use std::collections::VecDeque;

use bytes::Bytes;
use chrono::{DateTime, FixedOffset, NaiveDateTime, SecondsFormat, TimeZone as _};
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::stand_in::typed;

pub use wire::Form;

/// The settings of a terminal.
#[derive(Clone)]
#[non_exhaustive]
pub struct IsapiConfig {
    /// Who may log in.
    pub user: String,
    /// With what.
    pub password: String,
    /// The zone of its clock.
    pub zone: FixedOffset,
    /// `MD5` or `SHA-256`.
    pub algorithm: &'static str,
    /// Whether it offers `qop=auth`; old firmware does not.
    pub has_qop: bool,
    /// How many requests a number serves before it is too old.
    pub nonce_serves: u32,
    /// Whether it refuses times with an offset.
    pub refuses_offset: bool,
}

impl IsapiConfig {
    /// A terminal in UTC+1 with MD5.
    pub fn new(user: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
            zone: FixedOffset::east_opt(3600).unwrap_or_else(|| unreachable!("an hour is in range")),
            algorithm: "MD5",
            has_qop: true,
            nonce_serves: u32::MAX,
            refuses_offset: false,
        }
    }
}

impl fmt::Debug for IsapiConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IsapiConfig").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// Somebody at the terminal.
#[derive(Clone)]
#[non_exhaustive]
pub struct AcsEvent {
    /// When.
    pub at: DateTime<FixedOffset>,
    /// Who.
    pub employee: String,
    /// The second code; the first is 5.
    pub minor: i64,
    /// The key that was pressed, such as `checkIn`.
    pub status: &'static str,
}

impl AcsEvent {
    /// A face and a key.
    pub fn face(at: DateTime<FixedOffset>, employee: &str, status: &'static str) -> Self {
        Self { at, employee: employee.to_owned(), minor: 75, status }
    }
}

impl fmt::Debug for AcsEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcsEvent").field("at", &self.at).field("minor", &self.minor).finish_non_exhaustive()
    }
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IsapiFault {
    /// Nothing: it is served.
    None,
    /// A page for people with this status.
    Page(u16),
    /// It says that there is more, and gives nothing.
    EmptyMore,
}

/// The terminal: its events, its settings, and the faults it is about to show.
#[derive(Debug)]
pub struct IsapiStandIn {
    config: IsapiConfig,
    faults: VecDeque<IsapiFault>,
    events: Vec<(u32, AcsEvent)>,
    serial: u32,
    guard: digest::Guard,
    requests: Vec<String>,
    host: Option<String>,
    is_streaming: bool,
}

impl IsapiStandIn {
    /// The last serial number; the next event has 1 again.
    pub const SERIAL_MAX: u32 = 100_000;

    /// A terminal without events, whose next one has this serial number.
    pub fn new(config: IsapiConfig, serial: u32) -> Self {
        let (faults, events) = (VecDeque::new(), Vec::new());
        let guard = digest::Guard::new(serial);
        Self { config, faults, events, serial, guard, requests: Vec::new(), host: None, is_streaming: false }
    }

    /// The settings, to change them as an administrator would.
    pub fn config_mut(&mut self) -> &mut IsapiConfig {
        &mut self.config
    }

    /// Every request so far, as `METHOD path body`.
    pub fn requests(&self) -> &[String] {
        &self.requests
    }

    /// Adds faults for the next requests, one each, in order.
    pub fn fail_next(&mut self, faults: impl IntoIterator<Item = IsapiFault>) {
        self.faults.extend(faults);
    }

    /// What was set as the place to post to.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// Somebody is at the terminal: content type and body of what it posts, and the serial number.
    pub fn happen(&mut self, event: AcsEvent, form: Form) -> (String, Vec<u8>, u32) {
        let serial = self.serial;
        self.serial = if serial >= Self::SERIAL_MAX { 1 } else { serial + 1 };
        let told = wire::alert(&event, serial, true);
        self.events.push((serial, event));
        let (kind, body) = wire::post(&told, form);
        (kind, body, serial)
    }

    /// The stored events as a stream tells them, a heartbeat before each.
    pub fn stream(&self, form: Form) -> (String, Vec<u8>) {
        wire::stream(self.events.iter().map(|(serial, event)| wire::alert(event, *serial, false)), form)
    }

    /// Answers one request.
    pub fn answer(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        self.requests.push(format!("{} {target} {}", request.method(), String::from_utf8_lossy(request.body())));
        if let Some(challenge) = self.guard.refuses(request, &self.config) {
            let mut response = page(StatusCode::UNAUTHORIZED);
            if let Ok(value) = HeaderValue::from_str(&challenge) {
                response.headers_mut().insert(WWW_AUTHENTICATE, value);
            }
            return response;
        }
        match self.faults.pop_front().unwrap_or(IsapiFault::None) {
            IsapiFault::None => {}
            IsapiFault::Page(status) => return page(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY)),
            IsapiFault::EmptyMore => {
                return json_answer(&json!({ "AcsEvent": { "responseStatusStrg": "MORE", "numOfMatches": 0 } }));
            }
        }
        match (request.method().as_str(), target) {
            ("POST", "/ISAPI/AccessControl/AcsEvent?format=json") => self.search(request.body()),
            ("GET", "/ISAPI/Event/notification/alertStream") => self.open_stream(),
            ("PUT", "/ISAPI/Event/notification/httpHosts/1") => {
                self.host = Some(String::from_utf8_lossy(request.body()).into_owned());
                page(StatusCode::OK)
            }
            _ => page(StatusCode::NOT_FOUND),
        }
    }

    /// The client of the stream is gone.
    pub fn close_stream(&mut self) {
        self.is_streaming = false;
    }

    /// There is one stream. Whoever comes second is told nothing but a status.
    fn open_stream(&mut self) -> Response<Bytes> {
        if core::mem::replace(&mut self.is_streaming, true) {
            return page(StatusCode::SERVICE_UNAVAILABLE);
        }
        let (kind, body) = self.stream(Form::Json);
        let mut response = Response::new(Bytes::from(body));
        if let Ok(kind) = HeaderValue::from_str(&kind) {
            response.headers_mut().insert(CONTENT_TYPE, kind);
        }
        response
    }

    fn search(&self, body: &[u8]) -> Response<Bytes> {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let condition = &body.get("AcsEventCond").cloned().unwrap_or_default();
        let time = |name: &str| self.time(condition[name].as_str()?);
        let (Some(from), Some(to)) = (time("startTime"), time("endTime")) else { return page(StatusCode::BAD_REQUEST) };
        if condition["major"] != 5 || condition["searchID"].as_str().is_none_or(str::is_empty) {
            return page(StatusCode::BAD_REQUEST);
        }
        let first = condition["beginSerialNo"].as_u64().unwrap_or(0);
        let found: Vec<_> = self
            .events
            .iter()
            .filter(|(serial, event)| (from..=to).contains(&event.at) && u64::from(*serial) >= first)
            .collect();
        let position = usize::try_from(condition["searchResultPosition"].as_u64().unwrap_or(0)).unwrap_or(usize::MAX);
        let size = usize::try_from(condition["maxResults"].as_u64().unwrap_or(0)).unwrap_or(0).min(30);
        let rows: Vec<_> =
            found.iter().skip(position).take(size).map(|(serial, event)| wire::found(event, *serial)).collect();
        let status = match (rows.is_empty(), position + rows.len() < found.len()) {
            (true, _) => "NO MATCH",
            (false, true) => "MORE",
            (false, false) => "OK",
        };
        json_answer(&json!({ "AcsEvent": {
            "searchID": condition["searchID"], "responseStatusStrg": status, "numOfMatches": rows.len(),
            "totalMatches": found.len(), "InfoList": rows,
        } }))
    }

    fn time(&self, text: &str) -> Option<DateTime<FixedOffset>> {
        if self.config.refuses_offset {
            let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").ok()?;
            return self.config.zone.from_local_datetime(&local).single();
        }
        DateTime::parse_from_rfc3339(text).ok()
    }
}

fn text(at: DateTime<FixedOffset>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, false)
}

fn json_answer(body: &Value) -> Response<Bytes> {
    typed(StatusCode::OK, "application/json; charset=\"UTF-8\"", body.to_string())
}

fn page(status: StatusCode) -> Response<Bytes> {
    typed(status, "text/html", format!("<html><body>{status}</body></html>"))
}
