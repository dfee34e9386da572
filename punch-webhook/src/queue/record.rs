use chrono::{DateTime, Utc};

use super::{DeliveryId, EndpointId, EndpointState, Lane};
use crate::Reason;

/// How far a delivery has come. Kept beside it in the store and given back after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Progress {
    /// Attempts made, probes included. The next attempt has the number after it.
    pub attempts: u32,
    /// Slots of its own schedule used up. A probe on behalf of the endpoint uses none.
    pub slots_used: u32,
    /// Not tried before this instant.
    pub not_before: Option<DateTime<Utc>>,
    /// Since when it holds up its lane: its first failed attempt that was not put down to the endpoint.
    pub blocking_since: Option<DateTime<Utc>>,
}

/// A delivery to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// Its id.
    pub delivery: DeliveryId,
    /// Where it goes.
    pub endpoint: EndpointId,
    /// What it stays in order with.
    pub lane: Lane,
    /// When the delivery was made; its horizon counts from here. A replay is a new delivery with a new time.
    pub created_at: DateTime<Utc>,
    /// How far it has come; the default for a new one.
    pub progress: Progress,
}

impl Waiting {
    /// A delivery that was never tried.
    pub fn new(delivery: DeliveryId, endpoint: EndpointId, lane: Lane, created_at: DateTime<Utc>) -> Self {
        Self { delivery, endpoint, lane, created_at, progress: Progress::default() }
    }
}

/// One attempt to make now. It must be settled, whatever happens: until then its lane waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// What to send; the name to settle it by.
    pub delivery: DeliveryId,
    /// Where to.
    pub endpoint: EndpointId,
    /// Its lane.
    pub lane: Lane,
    /// The number of this attempt, from 1.
    pub number: u32,
    /// Whether it also asks if a failing endpoint is back.
    pub probe: bool,
}

/// Something to be made durable, in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Record {
    /// The other side has it; the queue has forgotten it.
    Delivered {
        /// Which.
        delivery: DeliveryId,
        /// Attempts made.
        attempts: u32,
        /// When.
        at: DateTime<Utc>,
    },
    /// It waits for another attempt.
    Waiting {
        /// Which.
        delivery: DeliveryId,
        /// How far it has come.
        progress: Progress,
    },
    /// It failed: show it, notify, offer a replay. The queue has forgotten it.
    Failed {
        /// Which.
        delivery: DeliveryId,
        /// Attempts made; 0 if the probes of a dead endpoint spoke for it.
        attempts: u32,
        /// Why.
        reason: Reason,
        /// When.
        at: DateTime<Utc>,
    },
    /// The state of an endpoint changed.
    Endpoint {
        /// Which.
        endpoint: EndpointId,
        /// The state to give back after a restart.
        state: EndpointState,
    },
    /// A warning: the lane stops waiting for its failing head and goes on, out of order. The head keeps its own
    /// schedule. After a restart the same bypass may be reported again.
    HeadBypassed {
        /// Where.
        endpoint: EndpointId,
        /// The lane.
        lane: Lane,
        /// What was waited for.
        head: DeliveryId,
        /// What goes ahead of it.
        next: DeliveryId,
        /// When.
        at: DateTime<Utc>,
    },
}
