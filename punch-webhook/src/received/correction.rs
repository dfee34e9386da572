use alloc::string::String;

use chrono::{DateTime, Utc};
use punch_normalize::{Direction, EventId};

use super::fields::Fields;
use super::{ReceiveError, ReceivedPunch, direction, key_id};

/// What was told of a punch has changed.
///
/// Find the record of `punch.event_id` and change it, unless a higher [`number`](ReceivedChange::number) did already.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReceivedRevision {
    /// The idempotency key of this telling.
    pub event_id: EventId,
    /// The punch as it is told now. Its `event_id` is its own, the one it was first told under.
    pub punch: ReceivedPunch,
    /// What is different.
    pub change: ReceivedChange,
}

/// A punch, or a change of one, that belongs to a closed pay period. Nothing to be booked unseen.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReceivedLate {
    /// The idempotency key of this telling.
    pub event_id: EventId,
    /// The punch as it is told now. Its `event_id` is its own.
    pub punch: ReceivedPunch,
    /// Why it comes so late, as a word: `late_row`.
    pub reason: Option<String>,
    /// What is different, if the punch was told before.
    pub change: Option<ReceivedChange>,
}

/// What is different about a punch that was told before.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedChange {
    /// How often the punch was told anew, from 1. Revisions can overtake one another.
    pub number: u32,
    /// The direction that was told last.
    pub old_direction: Option<Direction>,
    /// The instant that was told last, if it is another one now.
    pub old_at: Option<DateTime<Utc>>,
    /// Why, as a word: `late_row`.
    pub reason: Option<String>,
}

impl ReceivedRevision {
    pub(super) fn read(event: &Fields<'_>, event_id: EventId) -> Result<Self, ReceiveError> {
        let metadata = event.object("metadata");
        let (name, field) = ("revises", "metadata.revises");
        let revises = key_id(&metadata, name, field)?.ok_or(ReceiveError::MissingField { field })?;
        let change = ReceivedChange::read(&metadata)?;
        Ok(Self { event_id, punch: ReceivedPunch::read(event, revises)?, change })
    }
}

impl ReceivedLate {
    pub(super) fn read(event: &Fields<'_>, event_id: EventId) -> Result<Self, ReceiveError> {
        let metadata = event.object("metadata");
        let (name, field) = ("about", "metadata.about");
        let about = key_id(&metadata, name, field)?.ok_or(ReceiveError::MissingField { field })?;
        let is_change = metadata.text("revises").is_some();
        let change = if is_change { Some(ReceivedChange::read(&metadata)?) } else { None };
        Ok(Self { event_id, punch: ReceivedPunch::read(event, about)?, reason: metadata.text("reason"), change })
    }
}

impl ReceivedChange {
    fn read(metadata: &Fields<'_>) -> Result<Self, ReceiveError> {
        let (field, expected) = ("metadata.revision", "a whole number from 1");
        let number = metadata.count("revision").filter(|number| *number > 0);
        Ok(Self {
            number: number.ok_or(ReceiveError::BadField { field, expected })?,
            old_direction: metadata.text("old_direction").map(|word| direction::read(&word)),
            old_at: metadata.time("old_timestamp"),
            reason: metadata.text("reason"),
        })
    }
}
