use alloc::string::String;

use chrono::{DateTime, Utc};
use punch_normalize::EventId;

use super::ReceiveError;
use super::fields::{Fields, Presence};

/// Everything is known of a site up to a time: days that lie before it can be closed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedWatermark {
    /// The idempotency key.
    pub event_id: EventId,
    /// When that was found.
    pub at: Option<DateTime<Utc>>,
    /// Name of the site.
    pub site: String,
    /// Every punch before this instant was told.
    pub complete_to: DateTime<Utc>,
    /// Serial number of the terminal that holds it back, if one does.
    pub waiting_for: Option<String>,
}

impl ReceivedWatermark {
    pub(super) fn read(event: &Fields<'_>, event_id: EventId) -> Result<Self, ReceiveError> {
        let site = match event.key_text("site") {
            Presence::Text(site) => site,
            Presence::Absent => return Err(ReceiveError::MissingField { field: "site" }),
            Presence::Other => return Err(ReceiveError::BadField { field: "site", expected: "a string" }),
        };
        let field = "complete_to";
        let complete_to = event.key_time(field, field)?.ok_or(ReceiveError::MissingField { field })?;
        let (at, waiting_for) = (event.time("timestamp"), event.text("waiting_for"));
        Ok(Self { event_id, at, site, complete_to: complete_to.with_timezone(&Utc), waiting_for })
    }
}
