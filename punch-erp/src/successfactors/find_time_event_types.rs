use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use serde_json::Value;

use super::{Access, SuccessFactors, fault};
use crate::{CallError, Endpoint, HttpRequest, HttpResponse};

const PATH: &str = "/odatav4/timemanagement/timeeventprocessing/ClockInClockOutIntegration.svc/v1/ClockInClockOutGroups?$expand=timeEventTypeNav";

/// Lists the time event types of the tenant's groups, to check the [codes](super::TypeCodes) at a start.
#[derive(Debug, Clone)]
pub struct FindTimeEventTypes {
    tenant: SuccessFactors,
    access: Access,
}

impl FindTimeEventTypes {
    /// `GET …/ClockInClockOutGroups?$expand=timeEventTypeNav`
    pub fn new(tenant: &SuccessFactors, access: &Access) -> Self {
        Self { tenant: tenant.clone(), access: access.clone() }
    }
}

/// A type of time event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeEventType {
    /// The code that is sent.
    pub code: String,
    /// What it stands for.
    pub kind: TimeEventKind,
    /// Whether it may be used; a type that does not say so may.
    pub is_active: bool,
}

/// What a type stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeEventKind {
    /// A begin.
    Start,
    /// An end.
    Stop,
    /// A word we do not know.
    Other(String),
}

impl TimeEventKind {
    /// The service's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Start => "START",
            Self::Stop => "STOP",
            Self::Other(word) => word,
        }
    }

    fn of(word: &str) -> Self {
        match word {
            "START" => Self::Start,
            "STOP" => Self::Stop,
            other => Self::Other(other.into()),
        }
    }
}

impl Endpoint for FindTimeEventTypes {
    /// The types of all groups, a type once for each group that has it.
    type Output = Vec<TimeEventType>;

    fn request(&self) -> HttpRequest {
        self.tenant.get(&self.access, PATH)
    }

    fn response(&self, response: &HttpResponse) -> Result<Vec<TimeEventType>, CallError> {
        #[derive(Deserialize)]
        struct Groups {
            value: Vec<Group>,
        }
        #[derive(Deserialize)]
        struct Group {
            #[serde(default, rename = "timeEventTypeNav")]
            types: Value,
        }
        let Groups { value } = fault::read(response, "a list of Clock In Clock Out groups")?;
        // One type may stand there without a list around it.
        let types = value
            .iter()
            .flat_map(|group| group.types.as_array().map_or(core::slice::from_ref(&group.types), Vec::as_slice));
        Ok(types.filter_map(read).collect())
    }
}

fn read(row: &Value) -> Option<TimeEventType> {
    let text = |key: &str| row.get(key).and_then(Value::as_str);
    // The name of the flag is not documented.
    let active = ["active", "isActive"].iter().find_map(|key| row.get(*key));
    let is_active = active.and_then(Value::as_bool).unwrap_or(true);
    Some(TimeEventType { code: text("code")?.into(), kind: TimeEventKind::of(text("event")?), is_active })
}
