//! Readings become durable: each passage, each event that cannot be used, and nothing of the others.

use punch_erp::passage::{Passage, PassageSource, Reading};

use crate::seen::Seen;
use crate::{Keep, Unusable};

/// Passages that are stored together.
const TOGETHER: usize = 500;

/// What becomes of one event.
pub(crate) enum Fate {
    Passage(Box<Passage>),
    Unusable(Unusable),
    /// It is nothing about attendance.
    Dropped {
        event_id: Option<String>,
        reason: &'static str,
    },
}

impl From<Reading> for Fate {
    fn from(reading: Reading) -> Self {
        match reading {
            Reading::Punch(passage) => Self::Passage(passage),
            Reading::Dropped { event_id, reason } => {
                Self::Dropped { event_id: event_id.map(|id| id.to_string()), reason: reason.as_str() }
            }
            Reading::Ignored { reason } => Self::Dropped { event_id: None, reason: reason.as_str() },
            Reading::Quarantined { event_id, reason, raw } => {
                let event_id = event_id.map(|id| id.to_string());
                Self::Unusable(Unusable { reason: reason.as_str(), event_id, raw })
            }
        }
    }
}

/// Makes events durable, in their order.
///
/// # Errors
///
/// Something could not be stored. What came before is.
pub(crate) async fn take<K: Keep>(keep: &K, seen: &Seen, fates: Vec<Fate>) -> anyhow::Result<()> {
    let mut passages = Vec::new();
    for fate in fates {
        match fate {
            Fate::Passage(passage) => passages.push(*passage),
            Fate::Unusable(unusable) => {
                let Unusable { reason, event_id, .. } = &unusable;
                tracing::warn!(event_id, disposition = "quarantine", reason, "event");
                seen.lock().quarantined += 1;
                keep.put_away(unusable).await?;
            }
            Fate::Dropped { event_id, reason } => {
                seen.lock().dropped += 1;
                tracing::debug!(event_id, disposition = "drop", reason, "event");
            }
        }
        if passages.len() >= TOGETHER {
            store(keep, seen, std::mem::take(&mut passages)).await?;
        }
    }
    store(keep, seen, passages).await
}

async fn store<K: Keep>(keep: &K, seen: &Seen, passages: Vec<Passage>) -> anyhow::Result<()> {
    if passages.is_empty() {
        return Ok(());
    }
    let taken = keep.store(passages.clone()).await?;
    let mut seen = seen.lock();
    for (passage, is_new) in passages.iter().zip(taken) {
        let (event_id, door) = (passage.event_id.as_str(), passage.device.id.as_str());
        if !is_new {
            seen.known += 1;
            tracing::debug!(event_id, disposition = "drop", reason = "duplicate", "event");
            continue;
        }
        seen.punches += 1;
        seen.last_event = seen.last_event.max(Some(passage.at.to_utc()));
        tracing::info!(event_id, door, disposition = "punch", direction = passage.direction.as_str(), "event");
        if passage.direction_source == PassageSource::None {
            seen.without_direction += 1;
            tracing::warn!(event_id, door, "neither the event nor the list of doors says which way the door goes");
        }
    }
    Ok(())
}
