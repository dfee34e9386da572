use chrono::{DateTime, TimeDelta, Utc};

use super::section::Section;
use crate::store::Punches;

/// How long what is done with is kept. What waits is always kept, and so is every row of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionConfig {
    /// Deliveries that were made, with their attempts. Default 400 days.
    pub delivered: Option<TimeDelta>,
    /// Deliveries that were given up, with their attempts. Default for ever: they can be sent again.
    pub failed: Option<TimeDelta>,
    /// Events and their bodies, once no delivery of them is left. Default for ever: `/v1/attendance`, `/v1/events` and
    /// replays are made of them.
    pub events: Option<TimeDelta>,
    /// Commands of which nothing more is to be heard, with their steps, which name badges. Default 400 days.
    pub commands: Option<TimeDelta>,
    /// Entries of the audit log. Default for ever.
    pub audit: Option<TimeDelta>,
    /// What becomes of the punches of somebody who is erased. Default: they stay, under a pseudonym.
    pub erased_punches: Punches,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            delivered: Some(TimeDelta::days(400)),
            failed: None,
            events: None,
            commands: Some(TimeDelta::days(400)),
            audit: None,
            erased_punches: Punches::Pseudonymous,
        }
    }
}

impl RetentionConfig {
    pub(super) fn read(root: &mut Section) -> Self {
        let mut section = root.section("retention");
        let base = Self::default();
        let mut days = |key: &str, base: Option<TimeDelta>| match section.whole_number(key, 0, 36_500) {
            Some(0) => None,
            Some(days) => i64::try_from(days).ok().and_then(TimeDelta::try_days),
            None => base,
        };
        let config = Self {
            delivered: days("delivered_days", base.delivered),
            failed: days("failed_days", base.failed),
            events: days("events_days", base.events),
            commands: days("commands_days", base.commands),
            audit: days("audit_days", base.audit),
            erased_punches: Punches::default(),
        };
        let words = [("pseudonymous", Punches::Pseudonymous), ("removed", Punches::Removed)];
        let config = Self { erased_punches: section.one_of("erased_punches", &words).unwrap_or_default(), ..config };
        root.absorb(section);
        config
    }

    /// Whatever of each kind is older than its moment need not be kept.
    pub(crate) fn cutoffs(self, now: DateTime<Utc>) -> [Option<DateTime<Utc>>; 5] {
        [self.delivered, self.failed, self.events, self.commands, self.audit].map(|kept| now.checked_sub_signed(kept?))
    }
}
