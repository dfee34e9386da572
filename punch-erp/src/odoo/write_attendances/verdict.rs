//! What is said of each punch in the end.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use super::WriteAttendances;
use super::people::Person;
use crate::odoo::{Fate, Place};
use crate::{Outcome, ParkReason, RetryReason};

impl WriteAttendances {
    pub(super) fn outcomes(&self) -> Vec<Outcome> {
        let reason = self.end.clone().unwrap_or(RetryReason::Unconfirmed);
        let later = || Outcome::Retry { after: reason.asked_wait(), reason: reason.clone() };
        let outcome = |fate: Result<(&Person, Option<Fate>), Option<&ParkReason>>| match fate {
            Err(Some(reason)) => Outcome::Park(reason.clone()),
            Err(None) => later(),
            Ok((person, fate)) => fate.and_then(|fate| settled(person, fate)).unwrap_or_else(|| match &person.parked {
                Some(reason) => Outcome::Park(reason.clone()),
                None if person.is_unsure => Outcome::Retry { after: None, reason: RetryReason::Unconfirmed },
                None => later(),
            }),
        };
        self.people.fates().map(outcome).collect()
    }
}

/// `None` while the record is not written.
fn settled(person: &Person, fate: Fate) -> Option<Outcome> {
    let stored = |place: Place| {
        let (id, was_there) = person.record(place)?;
        let remote_id = id.to_string();
        Some(if was_there { Outcome::AlreadyThere { remote_id } } else { Outcome::Applied { remote_id } })
    };
    match fate {
        Fate::Stored(place) => stored(place),
        Fate::MissingOut(place) => {
            let (id, _) = person.record(place)?;
            Some(Outcome::Park(ParkReason::MissingOut { remote_id: id.to_string() }))
        }
        Fate::OrphanOut => Some(Outcome::Park(ParkReason::OrphanOut)),
        Fate::Covered(id) => Some(Outcome::Park(ParkReason::Covered { remote_id: id.to_string() })),
        Fate::Undirected => Some(Outcome::Park(ParkReason::UnknownDirection)),
    }
}
