use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Dialect, DoorEventPage, HikCentral, Stamp, envelope};
use crate::{CallError, Endpoint, HttpRequest, HttpResponse};

/// Which events of doors are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DoorEventQuery {
    /// From this instant on.
    pub from: DateTime<Utc>,
    /// Up to this instant. At most 31 days later; 3 months in iSecure Center.
    pub to: DateTime<Utc>,
    /// The event types. HikCentral Professional takes one a call, and one is mandatory.
    pub event_types: Vec<i64>,
    /// The doors, at most ten a call. None asks for all of them.
    pub doors: Vec<String>,
}

impl DoorEventQuery {
    /// The most doors of a call.
    pub const DOORS_MAX: usize = 10;

    /// Events of these types at any door.
    pub fn new(from: DateTime<Utc>, to: DateTime<Utc>, event_types: Vec<i64>) -> Self {
        Self { from, to, event_types, doors: Vec::new() }
    }

    /// The calls that ask for all of it: by ten doors, and in HikCentral Professional by one type.
    pub(super) fn calls(&self, dialect: Dialect) -> Vec<Self> {
        let doors: Vec<Vec<String>> = match self.doors.as_slice() {
            [] => [Vec::new()].into(),
            doors => doors.chunks(Self::DOORS_MAX).map(<[String]>::to_vec).collect(),
        };
        let types: Vec<Vec<i64>> = match dialect {
            Dialect::Professional => self.event_types.iter().map(|code| [*code].into()).collect(),
            Dialect::IsecureCenter => [self.event_types.clone()].into(),
        };
        let of_type = |event_types: &Vec<i64>| -> Vec<Self> {
            let call =
                |doors: &Vec<String>| Self { event_types: event_types.clone(), doors: doors.clone(), ..self.clone() };
            doors.iter().map(call).collect()
        };
        types.iter().flat_map(of_type).collect()
    }
}

/// Asks for one page of door events, oldest first.
#[derive(Debug, Clone)]
pub struct DoorEvents {
    site: HikCentral,
    query: DoorEventQuery,
    page: u32,
    page_size: u16,
    stamp: Stamp,
}

impl DoorEvents {
    /// `POST …/acs/v1/door/events`, `v2` in iSecure Center. Pages count from 1.
    pub fn new(site: &HikCentral, query: DoorEventQuery, page: u32, page_size: u16, stamp: Stamp) -> Self {
        Self { site: site.clone(), query, page, page_size, stamp }
    }

    fn body(&self) -> Value {
        let Self { site, query, page, page_size, .. } = self;
        let mut body = json!({
            "startTime": site.time(query.from), "endTime": site.time(query.to), "pageNo": page, "pageSize": page_size,
        });
        let more = match site.dialect() {
            Dialect::Professional => {
                json!({ "eventType": query.event_types.first(), "sortField": "SwipeTime", "orderType": 0 })
            }
            Dialect::IsecureCenter => json!({ "eventTypes": query.event_types }),
        };
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
            if !query.doors.is_empty() {
                body.insert("doorIndexCodes".into(), json!(query.doors));
            }
        }
        body
    }
}

impl Endpoint for DoorEvents {
    type Output = DoorEventPage;

    fn request(&self) -> HttpRequest {
        let version = match self.site.dialect() {
            Dialect::Professional => "v1",
            Dialect::IsecureCenter => "v2",
        };
        self.site.post(&["acs", version, "door", "events"], &self.body(), &self.stamp)
    }

    fn response(&self, response: &HttpResponse) -> Result<DoorEventPage, CallError> {
        let expected = "a page of door events";
        let data = envelope::read(response, expected)?;
        let total = data.get("total").and_then(|total| total.as_u64().or_else(|| total.as_str()?.parse().ok()));
        let unreadable = || CallError::Unreadable { expected, evidence: crate::Evidence::of(response) };
        let rows = envelope::list(&data, &["list", "rows"]).ok_or_else(unreadable)?;
        Ok(DoorEventPage { dialect: self.site.dialect(), rows, total })
    }
}
