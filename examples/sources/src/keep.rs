use chrono::{DateTime, Utc};
use punch_erp::passage::Passage;

/// Where what a source reads becomes durable.
pub trait Keep: Send + Sync {
    /// Stores passages. For each whether it came the first time; what is known already is no error.
    fn store(&self, passages: Vec<Passage>) -> impl Future<Output = anyhow::Result<Vec<bool>>> + Send;

    /// Stores what cannot be used, where people look for it.
    fn put_away(&self, unusable: Unusable) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// How far everything is stored; `None` at the first start.
    fn mark(&self) -> impl Future<Output = anyhow::Result<Option<String>>> + Send;

    /// Moves that on. Everything from before `complete_to` was there to be read, and is stored.
    fn set_mark(&self, mark: String, complete_to: DateTime<Utc>) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// An event that may be a punch and cannot be used as one.
#[derive(Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Why, as a word.
    pub reason: &'static str,
    /// Its id, if it has one.
    pub event_id: Option<String>,
    /// It, as JSON. It may hold ids of people: do not log it.
    pub raw: String,
}

impl std::fmt::Debug for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unusable")
            .field("reason", &self.reason)
            .field("event_id", &self.event_id)
            .finish_non_exhaustive()
    }
}
