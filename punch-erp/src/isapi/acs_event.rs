use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use chrono::{DateTime, FixedOffset, SecondsFormat};
use http::Method;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::event::read_found;
use super::{IsapiRules, IsapiTerminal};
use crate::answer::error_of_status;
use crate::passage::{Reading, fields, number, text};
use crate::{CallError, Endpoint, Evidence, HttpRequest, HttpResponse};

/// Which events of a terminal are searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AcsEventQuery {
    /// From this instant on, with the offset of the terminal.
    pub from: DateTime<FixedOffset>,
    /// Up to this instant.
    pub to: DateTime<FixedOffset>,
    /// Names the search: every page has the same. Letters and digits.
    pub search_id: String,
    /// Only events from this serial number on, for a gap in the numbers.
    pub begin_serial: Option<u32>,
    /// Only events up to this serial number.
    pub end_serial: Option<u32>,
}

impl AcsEventQuery {
    /// All events of a time.
    pub fn new(from: DateTime<FixedOffset>, to: DateTime<FixedOffset>, search_id: impl Into<String>) -> Self {
        Self { from, to, search_id: search_id.into(), begin_serial: None, end_serial: None }
    }
}

/// Asks for one page of a search.
#[derive(Debug, Clone)]
pub struct FindAcsEvents {
    terminal: IsapiTerminal,
    query: AcsEventQuery,
    position: u32,
    without_offset: bool,
}

impl FindAcsEvents {
    /// Events a page. Terminals cut larger ones.
    pub const PAGE_SIZE: u32 = 30;

    /// `POST /ISAPI/AccessControl/AcsEvent?format=json`, from the event at `position` on.
    pub fn new(terminal: &IsapiTerminal, query: AcsEventQuery, position: u32) -> Self {
        Self { terminal: terminal.clone(), query, position, without_offset: false }
    }

    /// Writes times without an offset, for firmware that answers 400 to one.
    #[must_use]
    pub fn without_offset(mut self, without_offset: bool) -> Self {
        self.without_offset = without_offset;
        self
    }

    fn time(&self, at: DateTime<FixedOffset>) -> String {
        if self.without_offset {
            at.naive_local().format("%Y-%m-%dT%H:%M:%S").to_string()
        } else {
            at.to_rfc3339_opts(SecondsFormat::Secs, false)
        }
    }

    /// The body.
    fn body(&self) -> String {
        let AcsEventQuery { from, to, search_id, begin_serial, end_serial } = &self.query;
        let mut condition = json!({
            "searchID": search_id, "searchResultPosition": self.position, "maxResults": Self::PAGE_SIZE,
            "major": 5, "minor": 0, "startTime": self.time(*from), "endTime": self.time(*to),
        });
        for (name, serial) in [("beginSerialNo", begin_serial), ("endSerialNo", end_serial)] {
            if let (Some(serial), Some(condition)) = (serial, condition.as_object_mut()) {
                condition.insert(name.into(), (*serial).into());
            }
        }
        json!({ "AcsEventCond": condition }).to_string()
    }
}

impl Endpoint for FindAcsEvents {
    type Output = AcsEventPage;

    fn request(&self) -> HttpRequest {
        let (path, query) = (["ISAPI", "AccessControl", "AcsEvent"], [("format", "json")]);
        let mut request = self.terminal.request(Method::POST, &path, &query, Bytes::from(self.body()));
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request
    }

    fn response(&self, response: &HttpResponse) -> Result<AcsEventPage, CallError> {
        let (expected, evidence) = ("a page of events", || Evidence::of(response));
        if response.status() != StatusCode::OK {
            return Err(error_of_status(response, evidence()).unwrap_or_else(CallError::Unavailable));
        }
        let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let found = body.get("AcsEvent").filter(|found| found.is_object());
        let found = found.ok_or_else(|| CallError::Unreadable { expected, evidence: evidence() })?;
        let members = fields(Some(found));
        let rows = found.get("InfoList").and_then(Value::as_array).cloned().unwrap_or_default();
        let count = number(&members, "numOfMatches").and_then(|count| u32::try_from(count).ok());
        let count = count.unwrap_or_else(|| u32::try_from(rows.len()).unwrap_or(u32::MAX));
        let status = text(&members, "responseStatusStrg").unwrap_or_default();
        // A page that says that there is more and has nothing would be asked for for ever.
        let has_more = status.eq_ignore_ascii_case("MORE") && count > 0;
        Ok(AcsEventPage { rows, count, has_more })
    }
}

/// One page of a search. `Debug` shows how many.
#[derive(Clone, PartialEq)]
pub struct AcsEventPage {
    rows: Vec<Value>,
    count: u32,
    has_more: bool,
}

impl AcsEventPage {
    /// How many events it holds, as the terminal says: the next page begins so much further.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Whether a page comes behind it.
    pub fn has_more(&self) -> bool {
        self.has_more
    }

    /// What the events say, in their order. All of them are a backlog.
    pub fn readings(&self, rules: &IsapiRules) -> Vec<Reading> {
        self.rows.iter().map(|row| read_found(row, rules)).collect()
    }
}

impl fmt::Debug for AcsEventPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("AcsEventPage");
        shown.field("count", &self.count).field("has_more", &self.has_more).finish_non_exhaustive()
    }
}
