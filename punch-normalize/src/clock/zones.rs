use alloc::vec::Vec;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{DeviceZone, Hint, Resolved};

/// The zones a terminal was configured with, one after another.
///
/// A change applies to the rows that are received from then on. Older rows keep the zone they had, unless
/// they are [resolved again](crate::DeviceZone::resolve) on purpose: their identity stays the same, because
/// it does not depend on the zone, and what is delivered is a new revision.
///
/// ```
/// use punch_normalize::{DeviceZone, ZoneHistory};
///
/// let mut zones = ZoneHistory::new(DeviceZone::parse("America/Mexico_City")?);
/// zones.change("2026-03-28T12:00:00Z".parse()?, DeviceZone::parse("America/Tijuana")?)?;
/// assert_eq!(zones.at("2026-03-28T11:59:59Z".parse()?).to_string(), "America/Mexico_City");
/// assert_eq!(zones.at("2026-03-28T12:00:00Z".parse()?).to_string(), "America/Tijuana");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct ZoneHistory {
    first: DeviceZone,
    /// In time order, one per instant.
    changes: Vec<Change>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    from: DateTime<Utc>,
    zone: DeviceZone,
}

impl ZoneHistory {
    /// How many changes a terminal can have: 32.
    pub const MAX_CHANGES: usize = 32;

    /// The zone was `zone` from the beginning.
    #[must_use]
    pub fn new(zone: DeviceZone) -> Self {
        Self { first: zone, changes: Vec::new() }
    }

    /// The zone is `zone` for rows received from `from` on, until the next change. A change at the same
    /// instant is replaced. Instants are kept to the millisecond.
    ///
    /// # Errors
    ///
    /// [`ZoneHistoryError::Full`] if there are [`MAX_CHANGES`](Self::MAX_CHANGES) already.
    pub fn change(&mut self, from: DateTime<Utc>, zone: DeviceZone) -> Result<(), ZoneHistoryError> {
        let from = DateTime::from_timestamp_millis(from.timestamp_millis()).unwrap_or(from);
        match self.changes.binary_search_by_key(&from, |change| change.from) {
            Ok(index) => {
                if let Some(change) = self.changes.get_mut(index) {
                    change.zone = zone;
                }
            }
            Err(_) if self.changes.len() >= Self::MAX_CHANGES => return Err(ZoneHistoryError::Full),
            Err(index) => self.changes.insert(index, Change { from, zone }),
        }
        Ok(())
    }

    /// The zone of a row received at `received_at`.
    #[must_use]
    pub fn at(&self, received_at: DateTime<Utc>) -> DeviceZone {
        let before = self.changes.iter().rev().find(|change| change.from <= received_at);
        before.map_or(self.first, |change| change.zone)
    }

    /// The zone of a row that is received from now on.
    #[must_use]
    pub fn latest(&self) -> DeviceZone {
        self.changes.last().map_or(self.first, |change| change.zone)
    }

    /// The zone from the beginning, before any [change](Self::changes).
    #[must_use]
    pub fn first(&self) -> DeviceZone {
        self.first
    }

    /// The changes in time order: from when on rows are received in which zone.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = (DateTime<Utc>, DeviceZone)> {
        self.changes.iter().map(|change| (change.from, change.zone))
    }

    /// The instant behind a civil time, in the zone the terminal had when the row was received.
    #[must_use]
    pub fn resolve(&self, device_local: NaiveDateTime, received_at: DateTime<Utc>, hint: Hint) -> Resolved {
        self.at(received_at).resolve(device_local, hint)
    }
}

/// Why a [`ZoneHistory`] was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ZoneHistoryError {
    /// It has 32 changes.
    #[error("zone history: found 32 changes, which is the most; correct one of them instead of adding one")]
    Full,
    /// It was stored by another version of this crate.
    #[error("zone history: found version {found}, expected 1; read it with the version that wrote it")]
    UnknownVersion {
        /// The version found.
        found: u32,
    },
    /// An instant outside the calendar.
    #[error("zone history: found {millis} as the time of a change, expected milliseconds of the epoch")]
    BadInstant {
        /// The number found.
        millis: i64,
    },
}

#[derive(Serialize, Deserialize)]
struct Stored {
    v: u32,
    first: DeviceZone,
    changes: Vec<(i64, DeviceZone)>,
}

impl From<ZoneHistory> for Stored {
    fn from(zones: ZoneHistory) -> Self {
        let changes = zones.changes.iter().map(|change| (change.from.timestamp_millis(), change.zone)).collect();
        Self { v: 1, first: zones.first, changes }
    }
}

impl TryFrom<Stored> for ZoneHistory {
    type Error = ZoneHistoryError;

    fn try_from(stored: Stored) -> Result<Self, ZoneHistoryError> {
        if stored.v != 1 {
            return Err(ZoneHistoryError::UnknownVersion { found: stored.v });
        }
        let mut zones = Self::new(stored.first);
        for (millis, zone) in stored.changes {
            let from = DateTime::from_timestamp_millis(millis).ok_or(ZoneHistoryError::BadInstant { millis })?;
            zones.change(from, zone)?;
        }
        Ok(zones)
    }
}
