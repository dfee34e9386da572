use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use crate::{EventId, HoldReason, Punch};

/// What became of a row. Every row gets exactly one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle every fate; a new one is a breaking change")]
pub enum Verdict {
    /// Seen for the first time: deliver it.
    Fresh(Box<Punch>),
    /// Seen before, or too soon after another: keep it for the record, do not deliver it.
    Duplicate {
        /// The row's own identity.
        event_id: EventId,
        /// The punch that stands for it: the same id for a replay, the kept neighbour for a bounce.
        of: EventId,
        /// Which of the two it is.
        kind: DuplicateKind,
        /// What the row says, as it would have been delivered.
        punch: Box<Punch>,
    },
    /// Kept aside until somebody acts.
    Held {
        /// The row's own identity; it stays the same when the row is released.
        event_id: EventId,
        /// Why, and what to do.
        reason: HoldReason,
    },
}

impl Verdict {
    /// The identity of the row judged.
    pub fn event_id(&self) -> &EventId {
        match self {
            Self::Fresh(punch) => &punch.event_id,
            Self::Duplicate { event_id, .. } | Self::Held { event_id, .. } => event_id,
        }
    }

    /// The punch to deliver, if the row was fresh.
    pub fn fresh(&self) -> Option<&Punch> {
        match self {
            Self::Fresh(punch) => Some(punch),
            Self::Duplicate { .. } | Self::Held { .. } => None,
        }
    }
}

/// Two ways of being a duplicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the machine repeats or the person repeats; there is no third")]
pub enum DuplicateKind {
    /// The terminal sent a row again.
    Replay,
    /// The person punched twice within [`BounceRules::window`](crate::timeline::BounceRules::window).
    Bounce,
}

impl DuplicateKind {
    /// The stable word for stores, APIs and metrics: `replay` or `bounce`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Bounce => "bounce",
        }
    }
}
