use alloc::string::String;

use chrono::{DateTime, Utc};
use punch_normalize::EventId;

use super::fields::Fields;

/// Another endpoint takes no events. All members only inform: whatever is absent or strange is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedFailing {
    /// The idempotency key.
    pub event_id: EventId,
    /// When that was found.
    pub at: Option<DateTime<Utc>>,
    /// The sender's id of the endpoint.
    pub endpoint_id: Option<String>,
    /// The host it is at.
    pub host: Option<String>,
    /// Its state, as a word: `healthy`, `backing_off`, `paused` or `disabled`.
    pub state: Option<String>,
    /// Since when it is in that state.
    pub since: Option<DateTime<Utc>>,
    /// Failures since the last success.
    pub failures: Option<u32>,
    /// How many deliveries wait for it.
    pub waiting: Option<u64>,
    /// Whether it takes events again, after an outage that was told.
    pub recovered: bool,
}

impl ReceivedFailing {
    pub(super) fn read(event: &Fields<'_>, event_id: EventId) -> Self {
        let endpoint = event.object("endpoint");
        let text = |name| endpoint.text(name).or_else(|| event.text(name));
        Self {
            event_id,
            at: event.time("timestamp"),
            endpoint_id: endpoint.text("id").or_else(|| event.text("endpoint_id")),
            host: text("host"),
            state: text("state"),
            since: endpoint.time("since").or_else(|| event.time("since")),
            failures: endpoint.count("failures").or_else(|| event.count("failures")),
            waiting: endpoint.unsigned("waiting").or_else(|| event.unsigned("waiting")),
            recovered: endpoint.flag("recovered").or_else(|| event.flag("recovered")).unwrap_or(false),
        }
    }
}
