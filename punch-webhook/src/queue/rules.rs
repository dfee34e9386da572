use core::num::NonZeroU32;

use chrono::TimeDelta;

use super::{DeliveryId, EndpointId};
use crate::Schedule;

/// What the whole queue may hold and do at once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueLimits {
    /// The most deliveries held, in flight or not; about 200 bytes each. Default 1,000,000.
    ///
    /// The store keeps what does not fit and feeds it later.
    pub max_waiting: usize,
    /// The most requests in flight over all endpoints. Default 256; 0 counts as 1.
    pub max_in_flight: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { max_waiting: 1_000_000, max_in_flight: 256 }
    }
}

/// How one endpoint is treated.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointRules {
    /// When a failed attempt is repeated. Default `seed-002`.
    pub schedule: Schedule,
    /// The most requests in flight at this endpoint. Default 8; 0 counts as 1.
    pub max_in_flight: usize,
    /// The most deliveries in one request, for [`Queue::poll_request`](super::Queue::poll_request). Default 1; 0 counts
    /// as 1.
    pub max_batch: usize,
    /// The most requests in a second. Default no limit.
    ///
    /// They go out evenly, up to a tenth of the number at once: in any second at most the number and a tenth of it.
    pub max_requests_per_second: Option<NonZeroU32>,
    /// The most deliveries in a second, evenly as requests are. Default no limit.
    pub max_events_per_second: Option<NonZeroU32>,
    /// How many retryable failures in a row, without a success between them, make it back off. Default 3; 0 counts as 1.
    pub back_off_after: u32,
    /// The longest pause between two probes while it backs off and events wait. Default 15 min.
    ///
    /// It also bounds how long a `Retry-After` keeps the whole endpoint waiting.
    pub probe_interval: TimeDelta,
    /// How long a failing event holds up the later events of its lane. Default 15 min after its first failed attempt.
    pub max_head_block: TimeDelta,
}

impl Default for EndpointRules {
    fn default() -> Self {
        Self {
            schedule: Schedule::default(),
            max_in_flight: 8,
            max_batch: 1,
            max_requests_per_second: None,
            max_events_per_second: None,
            back_off_after: 3,
            probe_interval: TimeDelta::minutes(15),
            max_head_block: TimeDelta::minutes(15),
        }
    }
}

/// The queue did not take a delivery. It is still in the store: nothing is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnqueueError {
    /// As many deliveries are held as allowed. Feed it again when some are settled.
    #[error("PW-QUE-001: queue is full, it holds {max_waiting} deliveries; feed {delivery} again later")]
    Full {
        /// The delivery refused.
        delivery: DeliveryId,
        /// The limit, [`QueueLimits::max_waiting`].
        max_waiting: usize,
    },
    /// The endpoint was never set, or is removed.
    #[error("PW-QUE-002: endpoint {endpoint} is unknown, set it before feeding its deliveries")]
    UnknownEndpoint {
        /// The endpoint named.
        endpoint: EndpointId,
    },
}

impl EnqueueError {
    /// The stable code the text begins with; [`errors`](crate::errors) has its paragraph.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Full { .. } => "PW-QUE-001",
            Self::UnknownEndpoint { .. } => "PW-QUE-002",
        }
    }

    /// Whether the same delivery may be taken later as it is.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Full { .. })
    }
}
