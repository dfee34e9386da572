use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::Method;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::tenant::push_query;
use super::{Access, SuccessFactors, fault};
use crate::{CallError, Endpoint, HttpRequest, HttpResponse};

const READ: &str = "/odatav4/timemanagement/timeeventprocessing/clockinclockout/v1/timeevents";
const CHANGE: &str = "/rest/timemanagement/timeeventprocessing/clockinclockout/v1/timeevents";

/// Reads stored time events back, a page at a time: for a look at night, not for every punch. It may count as a call.
#[derive(Debug, Clone)]
pub struct FindTimeEvents {
    tenant: SuccessFactors,
    access: Access,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    skip: usize,
}

impl FindTimeEvents {
    /// How many events a page has at most: 1000.
    pub const PAGE: usize = 1000;

    /// `GET …/timeevents` of all events from `from` to before `until`, in whole seconds, after the first `skip` of them.
    pub fn new(
        tenant: &SuccessFactors,
        access: &Access,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        skip: usize,
    ) -> Self {
        Self { tenant: tenant.clone(), access: access.clone(), from, until, skip }
    }
}

/// Some of the stored events.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeEventPage {
    /// The events of the page.
    pub events: Vec<StoredTimeEvent>,
    /// How many there are on all pages, if the service says so.
    pub count: Option<u64>,
}

/// A time event as the service shows it. `Debug` shows no assignment.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct StoredTimeEvent {
    /// The `id` it was sent with; other sources have none, or their own.
    #[serde(default)]
    pub external_id: Option<String>,
    /// Whose it is.
    #[serde(default)]
    pub work_assignment_id: Option<String>,
    /// What happened, in the tenant's code.
    #[serde(default)]
    pub time_event_type_code: Option<String>,
    /// When.
    #[serde(rename = "timestampUTC", deserialize_with = "read_instant")]
    pub at: DateTime<Utc>,
    /// The offset it was sent with, as the service spells it.
    #[serde(default)]
    pub time_zone_offset: Option<String>,
    /// Where.
    #[serde(default)]
    pub terminal_id: Option<String>,
    /// Whether it has found its other half.
    #[serde(default)]
    pub pairing_status_code: Option<String>,
    /// Whether it is approved.
    #[serde(default)]
    pub approval_status_code: Option<String>,
    /// Whether the tenant's rules take it.
    #[serde(default)]
    pub validation_status_code: Option<String>,
    /// Where it comes from.
    #[serde(default)]
    pub creation_source_code: Option<String>,
    /// What the tenant's rules say about it; the form of a message is not documented.
    #[serde(default, deserialize_with = "read_list")]
    pub validation_messages: Vec<Value>,
}

impl fmt::Debug for StoredTimeEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredTimeEvent")
            .field("external_id", &self.external_id)
            .field("at", &self.at)
            .field("time_event_type_code", &self.time_event_type_code)
            .field("validation_status_code", &self.validation_status_code)
            .finish_non_exhaustive()
    }
}

impl Endpoint for FindTimeEvents {
    type Output = TimeEventPage;

    fn request(&self) -> HttpRequest {
        let text = |at: DateTime<Utc>| alloc::format!("{}", at.format("%Y-%m-%dT%H:%M:%SZ"));
        let filter = alloc::format!("timestampUTC ge {} and timestampUTC lt {}", text(self.from), text(self.until));
        let mut path = String::from(READ);
        push_query(&mut path, "$filter", &filter);
        push_query(&mut path, "$top", &alloc::format!("{}", Self::PAGE));
        push_query(&mut path, "$skip", &alloc::format!("{}", self.skip));
        self.tenant.get(&self.access, &path)
    }

    fn response(&self, response: &HttpResponse) -> Result<TimeEventPage, CallError> {
        #[derive(Deserialize)]
        struct Page {
            value: Vec<StoredTimeEvent>,
            #[serde(default, rename = "@odata.count")]
            count: Option<u64>,
        }
        let Page { value, count } = fault::read(response, "a page of time events")?;
        Ok(TimeEventPage { events: value, count })
    }
}

/// Deletes time events. No flow does; it needs other rights than importing (KBA 3388522), and never the technical user of
/// terminals.
#[derive(Debug, Clone)]
pub struct DeleteTimeEvents {
    tenant: SuccessFactors,
    access: Access,
    ids: Vec<String>,
}

impl DeleteTimeEvents {
    /// `PATCH …/timeevents` with the ids of the events and the mark `deleted`.
    pub fn new(tenant: &SuccessFactors, access: &Access, ids: Vec<String>) -> Self {
        Self { tenant: tenant.clone(), access: access.clone(), ids }
    }
}

impl Endpoint for DeleteTimeEvents {
    /// Nothing: what the service answers besides a good status is not documented. Read the events back.
    type Output = ();

    fn request(&self) -> HttpRequest {
        let rows: Vec<Value> = self.ids.iter().map(|id| json!({ "id": id, "deleted": true })).collect();
        let body = alloc::format!("{}", json!({ "value": rows }));
        self.tenant.send_json(Method::PATCH, &self.access, CHANGE, Bytes::from(body))
    }

    fn response(&self, response: &HttpResponse) -> Result<(), CallError> {
        fault::check(response)
    }
}

fn read_instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let instant = DateTime::parse_from_rfc3339(&text).map(|at| at.with_timezone(&Utc));
    instant.map_err(|_| serde::de::Error::custom("expected an instant like `2026-03-28T08:47:12Z`"))
}

/// No list is an empty one.
fn read_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Value>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
