use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;

/// What a source has seen since the start, and how it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Passages that came the first time.
    pub punches: u64,
    /// Passages that were known already.
    pub known: u64,
    /// Events that say nothing about attendance.
    pub dropped: u64,
    /// Events that could not be used.
    pub quarantined: u64,
    /// Passages of which nothing says which way they went.
    pub without_direction: u64,
    /// When somebody passed last.
    pub last_event: Option<DateTime<Utc>>,
    /// When the server posted last.
    pub last_push: Option<DateTime<Utc>>,
    /// When the server answered last.
    pub last_answer: Option<DateTime<Utc>>,
    /// Up to when everything is read.
    pub read_to: Option<DateTime<Utc>>,
    /// Whether the server is known to post, or to stream.
    pub subscribed: bool,
    /// Posts that were refused: whoever sent them could not prove who they are, or they could not be read.
    pub refused: u64,
    /// Failures in a row.
    pub failures: u32,
    /// What went wrong last; none once it works again.
    pub error: Option<String>,
}

/// [`Health`] that several write.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Health>);

impl Seen {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Health> {
        // A panic elsewhere leaves counts that are as good as before.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn health(&self) -> Health {
        self.lock().clone()
    }

    /// A reading worked.
    pub(crate) fn worked(&self, at: DateTime<Utc>) {
        let mut health = self.lock();
        (health.failures, health.error, health.last_answer) = (0, None, Some(at));
    }

    /// It did not. How often in a row now.
    pub(crate) fn failed(&self, error: String) -> u32 {
        let mut health = self.lock();
        health.failures = health.failures.saturating_add(1);
        health.error = Some(error);
        health.failures
    }
}
