//! What is said of each punch.

use alloc::vec::Vec;

use super::WriteEntries;
use crate::humand::{Fate, Plan};
use crate::{Outcome, ParkReason, RetryReason};

impl WriteEntries {
    /// Notes what is there already; nothing that is still to be sent can change that.
    pub(super) fn note(&mut self, batch: &[usize], plan: &Plan) {
        for (punch, fate) in batch.iter().zip(&plan.fates) {
            let outcome = match fate {
                Fate::Standing(id) | Fate::Repeats(Some(id)) => Outcome::AlreadyThere { remote_id: id.clone() },
                Fate::Doubled { id, count } => {
                    Outcome::Park(ParkReason::Doubled { remote_id: id.clone(), count: *count })
                }
                Fate::Repeats(None)
                | Fate::Send(_)
                | Fate::Held(_)
                | Fate::Alternation(_)
                | Fate::OrphanOut
                | Fate::Undirected => continue,
            };
            self.settle(*punch, outcome);
        }
    }

    /// What was decided first stays.
    pub(super) fn settle(&mut self, punch: usize, outcome: Outcome) {
        if let Some(punch) = self.punches.get_mut(punch) {
            punch.outcome.get_or_insert(outcome);
        }
    }

    pub(super) fn settle_all(&mut self, outcome: &Outcome) {
        for punch in &mut self.punches {
            punch.outcome.get_or_insert_with(|| outcome.clone());
        }
    }

    pub(super) fn outcomes(&self) -> Vec<Outcome> {
        let end = self.end.clone().unwrap_or_else(|| RetryReason::Unconfirmed.into());
        let later = || Outcome::Retry { after: end.after, reason: end.reason.clone() };
        self.punches.iter().map(|punch| punch.outcome.clone().unwrap_or_else(later)).collect()
    }
}

/// What is said of a punch that is neither there nor to be sent.
pub(super) fn refused(fate: Fate) -> Outcome {
    match fate {
        Fate::Alternation(Some(remote_id)) => Outcome::Park(ParkReason::Alternation { remote_id }),
        Fate::OrphanOut => Outcome::Park(ParkReason::OrphanOut),
        Fate::Undirected => Outcome::Park(ParkReason::UnknownDirection),
        // What is left hangs on an entry that was not sent.
        Fate::Alternation(None)
        | Fate::Repeats(_)
        | Fate::Send(_)
        | Fate::Held(_)
        | Fate::Standing(_)
        | Fate::Doubled { .. } => Outcome::Retry { after: None, reason: RetryReason::Unconfirmed },
    }
}
