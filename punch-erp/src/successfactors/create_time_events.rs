use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use http::Method;
use serde::Deserialize;

use super::{Access, NewTimeEvent, SuccessFactors, fault};
use crate::{CallError, Endpoint, Evidence, HttpRequest, HttpResponse};

const PATH: &str = "/rest/timemanagement/timeeventprocessing/v1/TimeEvents";

/// Stores time events, each for itself: some may be taken and others not.
#[derive(Debug, Clone)]
pub struct CreateTimeEvents {
    tenant: SuccessFactors,
    access: Access,
    events: Vec<NewTimeEvent>,
}

impl CreateTimeEvents {
    /// How many events go into one call: 1000, the service's limit (KBA 3216279).
    pub const MAX_EVENTS: usize = 1000;

    /// How many of them may be of one assignment: 200, the service's limit (KBA 3364562).
    pub const MAX_EVENTS_OF_ONE: usize = 200;

    /// `POST …/v1/TimeEvents`. [`plan_calls`](super::plan_calls) keeps the limits.
    pub fn new(tenant: &SuccessFactors, access: &Access, events: Vec<NewTimeEvent>) -> Self {
        Self { tenant: tenant.clone(), access: access.clone(), events }
    }
}

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must answer for each of them")]
pub enum TimeEventResult {
    /// Stored. Whether it is paired or valid is found out later, inside.
    Stored {
        /// The service's key of the event; ours if the answer has none.
        uuid: String,
    },
    /// An event of this assignment and second is there: this one, or another one at the same second.
    AlreadyThere,
    /// Not stored, and why.
    Refused(Evidence),
    /// The answer does not mention it.
    Unmentioned,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    succeeded_time_events: Option<Vec<Succeeded>>,
    #[serde(default)]
    failed_time_events: Option<Vec<Failed>>,
}

#[derive(Deserialize)]
struct Succeeded {
    #[serde(default)]
    id: Option<Box<str>>,
    #[serde(default, rename = "UUID")]
    uuid: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failed {
    #[serde(default)]
    id: Option<Box<str>>,
    #[serde(default)]
    error_text: Option<String>,
}

impl Endpoint for CreateTimeEvents {
    /// A result for each event, in the order given.
    type Output = Vec<TimeEventResult>;

    fn request(&self) -> HttpRequest {
        // Texts and nothing else: this cannot fail to be written.
        let body = serde_json::to_vec(&self.events).unwrap_or_default();
        self.tenant.send_json(Method::POST, &self.access, PATH, Bytes::from(body))
    }

    fn response(&self, response: &HttpResponse) -> Result<Vec<TimeEventResult>, CallError> {
        let expected = "the lists of stored and refused time events";
        let answer: Answer = fault::read(response, expected)?;
        if answer.succeeded_time_events.is_none() && answer.failed_time_events.is_none() {
            return Err(CallError::Unreadable { expected, evidence: Evidence::of(response) });
        }
        let succeeded = answer.succeeded_time_events.unwrap_or_default();
        let succeeded: BTreeMap<_, _> = succeeded.into_iter().filter_map(|row| Some((row.id?, row.uuid))).collect();
        let failed = answer.failed_time_events.unwrap_or_default();
        let failed: BTreeMap<_, _> = failed.into_iter().filter_map(|row| Some((row.id?, row.error_text))).collect();
        let result = |event: &NewTimeEvent| {
            let id = event.id.as_str();
            // A stored one is stored, whatever else is said of it.
            if let Some(uuid) = succeeded.get(id) {
                return TimeEventResult::Stored { uuid: uuid.clone().unwrap_or_else(|| id.into()) };
            }
            match failed.get(id) {
                None => TimeEventResult::Unmentioned,
                Some(text) => self.failure(text.as_deref().unwrap_or_default(), response),
            }
        };
        Ok(self.events.iter().map(result).collect())
    }
}

impl CreateTimeEvents {
    fn failure(&self, text: &str, response: &HttpResponse) -> TimeEventResult {
        if self.tenant.is_duplicate(text) {
            return TimeEventResult::AlreadyThere;
        }
        // Of the answer only what is about this event: the rest may name others.
        let mut brief = HttpResponse::new(Bytes::copy_from_slice(text.as_bytes()));
        *brief.status_mut() = response.status();
        TimeEventResult::Refused(Evidence::of(&brief))
    }
}
