use chrono::{DateTime, Utc};

/// Whether an endpoint is being delivered to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Health {
    /// Events go out as they come.
    #[default]
    Healthy,
    /// It failed several times in a row: one probe at a time, until the first success.
    BackingOff,
    /// The user stopped it. Its events are kept.
    Paused,
    /// It answered 410. Its events are kept until the user enables it.
    Disabled,
}

impl Health {
    /// `healthy`, `backing_off`, `paused` or `disabled`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::BackingOff => "backing_off",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }
}

/// What is remembered of an endpoint over a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct EndpointState {
    /// Whether it is being delivered to.
    pub health: Health,
    /// Since when it is so: the start of the outage, for a notification.
    pub since: Option<DateTime<Utc>>,
    /// Retryable failures since the last success, the probes included.
    pub failures: u32,
    /// While it backs off: the next probe, if events wait.
    pub next_probe_at: Option<DateTime<Utc>>,
    /// The horizon of an older event counts from here: when the user last resumed or enabled the endpoint.
    ///
    /// A driver that was itself down for days may set it when it starts.
    pub deadlines_from: Option<DateTime<Utc>>,
}

impl EndpointState {
    /// A state entered now, with nothing to remember.
    pub fn new(health: Health, now: DateTime<Utc>) -> Self {
        Self { health, since: Some(now), ..Self::default() }
    }
}

/// One endpoint, for a status page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointStatus {
    /// Its state.
    pub state: EndpointState,
    /// Deliveries held and not in flight.
    pub waiting: usize,
    /// Requests in flight.
    pub in_flight: usize,
    /// How many requests may be in flight now: less than the rule allows just after an outage, 0 when stopped.
    pub allowed_in_flight: usize,
    /// When the oldest delivery held was made.
    pub oldest_created_at: Option<DateTime<Utc>>,
    /// When the next attempt may be made, if nothing is settled before.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// The whole queue, for a status page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueStatus {
    /// Deliveries held and not in flight.
    pub waiting: usize,
    /// Requests in flight.
    pub in_flight: usize,
    /// When the oldest delivery held was made.
    pub oldest_created_at: Option<DateTime<Utc>>,
}
