//! Where a punch is right now, for whoever watches: the demo, the dashboard.

use chrono::{DateTime, Utc};
use tokio::sync::broadcast;

/// A stage of the way of a punch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Its bytes have arrived.
    Received,
    /// It is on disk, and the terminal may forget it.
    Durable,
    /// A receiver has it.
    Delivered,
}

/// A punch reached a stage.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// The punch.
    pub event_id: String,
    /// The stage.
    pub stage: Stage,
    /// When.
    pub at: DateTime<Utc>,
}

/// Announces stages. Whoever is slow to listen misses some; nothing waits for a listener.
#[derive(Debug, Clone)]
pub struct Watch(broadcast::Sender<Sighting>);

impl Default for Watch {
    fn default() -> Self {
        Self(broadcast::channel(16_384).0)
    }
}

impl Watch {
    /// Listens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Sighting> {
        self.0.subscribe()
    }

    /// Whether anybody listens, so that nothing is prepared for nobody.
    pub fn is_watched(&self) -> bool {
        self.0.receiver_count() > 0
    }

    pub(crate) fn announce(&self, event_id: &str, stage: Stage, at: DateTime<Utc>) {
        if self.is_watched() {
            // Nobody listening any more is no failure.
            drop(self.0.send(Sighting { event_id: event_id.to_owned(), stage, at }));
        }
    }
}
