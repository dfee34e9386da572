use serde::Serialize;
use sources::Health;
use utoipa::ToSchema;

use super::{Feed, System};

/// A source and how it stands since the start, for the status.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SourceStatus {
    /// Its name.
    pub(crate) name: String,
    /// `hikcentral` or `isapi`.
    pub(crate) kind: &'static str,
    /// `working`, `failing` with what went wrong last, `starting` before the first answer.
    pub(crate) state: &'static str,
    /// Whether it is known to post or to stream.
    pub(crate) subscribed: bool,
    /// Passages that came the first time.
    pub(crate) punches: u64,
    /// Passages that were known already.
    pub(crate) known: u64,
    /// Events that say nothing about attendance.
    pub(crate) dropped: u64,
    /// Events that could not be used; they are held.
    pub(crate) quarantined: u64,
    /// Passages of which nothing says which way they went.
    pub(crate) without_direction: u64,
    /// Posts that were turned away.
    pub(crate) refused: u64,
    /// When somebody passed last.
    #[schema(format = "date-time")]
    pub(crate) last_event: Option<String>,
    /// When it posted last.
    #[schema(format = "date-time")]
    pub(crate) last_push: Option<String>,
    /// When it answered last.
    #[schema(format = "date-time")]
    pub(crate) last_answer: Option<String>,
    /// Up to when everything is read.
    #[schema(format = "date-time")]
    pub(crate) read_to: Option<String>,
    /// Failures in a row.
    pub(crate) failures: u32,
    /// What went wrong last; none once it works again.
    pub(crate) error: Option<String>,
}

impl SourceStatus {
    pub(super) fn of(feed: &Feed) -> Self {
        let health = match &feed.system {
            System::HikCentral(hikcentral) => hikcentral.health(),
            System::Isapi(isapi) => isapi.health(),
        };
        let text = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(|at| at.to_rfc3339());
        let state = match &health {
            Health { error: Some(_), .. } => "failing",
            Health { last_answer: None, .. } => "starting",
            _ => "working",
        };
        Self {
            name: feed.config.name.clone(),
            kind: feed.config.settings.kind(),
            state,
            subscribed: health.subscribed,
            punches: health.punches,
            known: health.known,
            dropped: health.dropped,
            quarantined: health.quarantined,
            without_direction: health.without_direction,
            refused: health.refused,
            last_event: text(health.last_event),
            last_push: text(health.last_push),
            last_answer: text(health.last_answer),
            read_to: text(health.read_to),
            failures: health.failures,
            error: health.error,
        }
    }
}
