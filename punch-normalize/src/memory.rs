use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Bound;

use chrono::{DateTime, TimeDelta, Utc};
use punch_protocol::{Pin, SerialNumber, Status};

use crate::{EventId, Punch};

/// A punch that was kept earlier, as a store recalls it for [`Normalizer::remember`](crate::Normalizer::remember).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
    /// Its identity.
    pub event_id: EventId,
    /// The terminal that saw the person.
    pub serial: SerialNumber,
    /// Who the terminal said it was.
    pub pin: Pin<'static>,
    /// The instant, in UTC.
    pub punched_at: DateTime<Utc>,
    /// The raw attendance state: two different ones are two punches, however close.
    pub status: Option<Status>,
}

impl Kept {
    /// All a later row is compared with.
    pub fn new(
        event_id: EventId,
        serial: SerialNumber,
        pin: Pin<'static>,
        punched_at: DateTime<Utc>,
        status: Option<Status>,
    ) -> Self {
        Self { event_id, serial, pin, punched_at, status }
    }
}

impl From<&Punch> for Kept {
    fn from(punch: &Punch) -> Self {
        let Punch { event_id, serial, pin, punched_at, status, .. } = punch;
        Self::new(event_id.clone(), serial.clone(), pin.clone(), *punched_at, *status)
    }
}

/// What is known of one person at one terminal.
#[derive(Default)]
pub(crate) struct History {
    /// The delivered punches, in time order; those of one instant in the order they came.
    kept: BTreeMap<DateTime<Utc>, Vec<(EventId, Option<Status>)>>,
    /// Every settled row, delivered or suppressed, so that its replay is recognised.
    settled: BTreeMap<EventId, DateTime<Utc>>,
}

impl History {
    pub(crate) fn is_settled(&self, event_id: &EventId) -> bool {
        self.settled.contains_key(event_id)
    }

    /// The kept neighbour that makes a punch at `instant` a bounce.
    ///
    /// Only the nearest kept punch on either side counts: the one before is the anchor, the one after was
    /// published already and is never withdrawn.
    pub(crate) fn bounces_off(
        &self,
        instant: DateTime<Utc>,
        status: Option<Status>,
        window: TimeDelta,
    ) -> Option<&EventId> {
        let before = self.kept.range(..=instant).next_back();
        let after = self.kept.range((Bound::Excluded(instant), Bound::Unbounded)).next();
        before
            .into_iter()
            .chain(after)
            .filter(|(at, _)| at.signed_duration_since(instant).abs() < window)
            .flat_map(|(_, punches)| punches)
            .find(|(_, other)| !contradict(status, *other))
            .map(|(event_id, _)| event_id)
    }

    pub(crate) fn keep(&mut self, event_id: EventId, instant: DateTime<Utc>, status: Option<Status>) {
        // A store may recall a punch again after a zone fix: the instant moves, the punch stays one.
        if let Some(old) = self.settled.insert(event_id.clone(), instant) {
            self.withdraw(&event_id, old);
        }
        self.kept.entry(instant).or_default().push((event_id, status));
    }

    pub(crate) fn suppress(&mut self, event_id: EventId, instant: DateTime<Utc>) {
        self.settled.entry(event_id).or_insert(instant);
    }

    pub(crate) fn forget_before(&mut self, instant: DateTime<Utc>) {
        self.kept = self.kept.split_off(&instant);
        self.settled.retain(|_, at| *at >= instant);
    }

    pub(crate) fn len(&self) -> usize {
        self.settled.len()
    }

    fn withdraw(&mut self, event_id: &EventId, instant: DateTime<Utc>) {
        let Some(punches) = self.kept.get_mut(&instant) else { return };
        punches.retain(|(other, _)| other != event_id);
        if punches.is_empty() {
            self.kept.remove(&instant);
        }
    }
}

/// Whether the person pressed two different keys. No key contradicts nothing.
fn contradict(one: Option<Status>, other: Option<Status>) -> bool {
    match (one.and_then(Status::declared), other.and_then(Status::declared)) {
        (Some(one), Some(other)) => one != other,
        (_, None) | (None, _) => false,
    }
}
