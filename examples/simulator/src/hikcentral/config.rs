use core::fmt;

use bytes::Bytes;
use chrono::{DateTime, FixedOffset, SecondsFormat};
use http::header::RETRY_AFTER;
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::reply::{page, refusal};

/// The settings of a server, its doors and its people.
#[derive(Clone)]
#[non_exhaustive]
pub struct HikCentralConfig {
    /// The partner user's key.
    pub app_key: String,
    /// The partner user's secret.
    pub app_secret: String,
    /// Whether it is iSecure Center, with its own names.
    pub is_isecure: bool,
    /// What it refuses everything with, if it does: a code and a message.
    pub refuses: Option<(&'static str, &'static str)>,
    /// The most events of an answer; a page that would have more is refused as too long.
    pub answer_max: usize,
    /// The most events it puts into a page, whatever is asked for.
    pub page_max: usize,
    /// Whether a page says its own length for the total.
    pub total_is_wrong: bool,
    /// Whether a listed event has another id than it was pushed with.
    pub ids_differ: bool,
    /// Whether pushes name the person's code, as newer versions do.
    pub push_has_code: bool,
    /// Code and name of each door.
    pub doors: Vec<(String, String)>,
    /// The people.
    pub people: Vec<HikPerson>,
}

impl HikCentralConfig {
    /// A server with two doors, `7` and `8`.
    pub fn new(app_key: &str, app_secret: &str) -> Self {
        Self {
            app_key: app_key.to_owned(),
            app_secret: app_secret.to_owned(),
            is_isecure: false,
            refuses: None,
            answer_max: usize::MAX,
            page_max: usize::MAX,
            total_is_wrong: false,
            ids_differ: false,
            push_has_code: false,
            doors: vec![("7".into(), "Facial Entrada".into()), ("8".into(), "Facial Salida".into())],
            people: Vec::new(),
        }
    }

    fn code_of(&self, person_id: &str) -> Option<&str> {
        Some(self.people.iter().find(|person| person.person_id == person_id)?.person_code.as_str())
    }

    fn door_name(&self, code: &str) -> Option<&str> {
        Some(self.doors.iter().find(|door| door.0 == code)?.1.as_str())
    }

    /// An event as it is pushed.
    pub(super) fn push(&self, event: &DoorEvent, destination: &str, token: Option<&str>) -> Request<Bytes> {
        let data = if self.is_isecure {
            json!({
                "ExtEventPersonNo": event.person_id, "ExtEventCardNo": event.card, "ExtEventInOut": event.in_out,
                "ExtEventReaderID": 0, "ExtEventCode": event.event_type, "ExtEventIdentityCardInfo": { "IdNum": "canary" },
            })
        } else {
            json!({
                "personId": event.person_id, "cardNo": event.card, "checkInAndOutType": event.in_out,
                "picUri": "/pic?canary", "temperatureData": "36.6",
                "personCode": self.push_has_code.then(|| self.code_of(&event.person_id)),
            })
        };
        let pushed = json!({
            "eventId": event.event_id, "eventType": event.event_type, "happenTime": text(event.at), "srcType": "door",
            "srcIndex": event.door, "srcName": self.door_name(&event.door), "status": 0, "timeout": 0, "data": data,
        });
        let body = json!({
            "method": "OnEventNotify",
            "params": { "ability": "event_acs", "sendTime": text(event.at), "events": [pushed] },
        });
        let mut request = Request::new(Bytes::from(body.to_string()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = destination.parse().unwrap_or_default();
        if let Some(token) = token.and_then(|token| HeaderValue::from_str(token).ok()) {
            request.headers_mut().insert("token", token);
        }
        request
    }

    /// An event as it is listed.
    pub(super) fn listed(&self, event: &DoorEvent) -> Value {
        let id = if self.ids_differ { format!("{}-listed", event.event_id) } else { event.event_id.clone() };
        let in_out = if self.is_isecure { "inAndOutType" } else { "checkInAndOutType" };
        json!({
            "eventId": id, "eventType": event.event_type, "eventTime": text(event.at), "personId": event.person_id,
            "personName": "Canary Nightingale", "cardNo": event.card, "doorIndexCode": event.door,
            "doorName": self.door_name(&event.door), "picUri": "/pic?canary",
            (in_out): event.in_out,
        })
    }
}

fn text(at: DateTime<FixedOffset>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, false)
}

impl fmt::Debug for HikCentralConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HikCentralConfig").field("people", &self.people.len()).finish_non_exhaustive()
    }
}

/// A person.
#[derive(Clone)]
#[non_exhaustive]
pub struct HikPerson {
    /// The server's number.
    pub person_id: String,
    /// The id shown to people.
    pub person_code: String,
    /// The card.
    pub card: String,
    /// A field of the administrator's.
    pub dni: String,
    /// The name.
    pub name: String,
}

impl HikPerson {
    /// A person with number, code and card.
    pub fn new(person_id: &str, person_code: &str, card: &str) -> Self {
        Self {
            person_id: person_id.to_owned(),
            person_code: person_code.to_owned(),
            card: card.to_owned(),
            dni: format!("dni-{person_id}"),
            name: "Canary Nightingale".to_owned(),
        }
    }
}

impl fmt::Debug for HikPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HikPerson(..)")
    }
}

/// Somebody at a door.
#[derive(Clone)]
#[non_exhaustive]
pub struct DoorEvent {
    /// The server's id of it.
    pub event_id: String,
    /// What it is.
    pub event_type: i64,
    /// When.
    pub at: DateTime<FixedOffset>,
    /// Who, by the server's number; `0` is nobody.
    pub person_id: String,
    /// The card, or nothing.
    pub card: String,
    /// Where.
    pub door: String,
    /// Which way, as the event says it; 0 says nothing.
    pub in_out: i64,
}

impl DoorEvent {
    /// A face at a door.
    pub fn face(event_id: &str, at: DateTime<FixedOffset>, person_id: &str, door: &str) -> Self {
        Self {
            event_id: event_id.to_owned(),
            event_type: 196_893,
            at,
            person_id: person_id.to_owned(),
            card: String::new(),
            door: door.to_owned(),
            in_out: 0,
        }
    }
}

impl fmt::Debug for DoorEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DoorEvent").field("event_id", &self.event_id).field("at", &self.at).finish_non_exhaustive()
    }
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HikCentralFault {
    /// Nothing: it is served.
    None,
    /// Status 200 with this code.
    Code(&'static str),
    /// 429, with `Retry-After` in seconds.
    TooMany(u32),
    /// A page for people with this status, 200 too.
    Page(u16),
    /// The connection ends before anything is done.
    DropBefore,
    /// The request is served, then the connection ends.
    DropAfter,
}

impl HikCentralFault {
    pub(super) fn response(self) -> Response<Bytes> {
        match self {
            Self::Code(code) => refusal(code, "as it was told to"),
            Self::TooMany(seconds) => {
                let mut response = page(StatusCode::TOO_MANY_REQUESTS);
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
                response
            }
            Self::Page(status) => page(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY)),
            Self::None | Self::DropBefore | Self::DropAfter => page(StatusCode::BAD_GATEWAY),
        }
    }
}
