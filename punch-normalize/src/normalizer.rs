use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, Utc};
use punch_protocol::{Pin, SerialNumber, civil};

use crate::memory::History;
use crate::{
    DuplicateKind, EventId, Hint, HoldReason, Kept, Observation, Punch, Resolved, Rules, TenantKey, TimeQuality,
    Timeliness, Verdict,
};

/// Turns rows into verdicts. It never fails and always explains.
///
/// It remembers the punches it kept, per terminal and PIN, until [`forget_before`](Self::forget_before); a
/// store gives it back what it kept in an earlier life with [`remember`](Self::remember). Its verdicts depend
/// on nothing but the key, what it remembers, and the arguments.
pub struct Normalizer {
    key: TenantKey,
    people: BTreeMap<(SerialNumber, Pin<'static>), History>,
}

impl Normalizer {
    /// Starts with an empty memory.
    pub fn new(key: TenantKey) -> Self {
        Self { key, people: BTreeMap::new() }
    }

    /// Recalls a punch that was kept, in any order, any number of times.
    ///
    /// To judge a row, what has to be recalled is the punch with its id, and the same person's punches at
    /// the same terminal within [`Rules::window`] of it.
    pub fn remember(&mut self, kept: Kept) {
        let Kept { event_id, serial, pin, punched_at, status } = kept;
        self.people.entry((serial, pin)).or_default().keep(event_id, punched_at, status);
    }

    /// Recalls a row that was suppressed as a bounce, so that sending it again is a replay.
    ///
    /// Without it such a row is still no punch: it bounces again, off the punch it bounced off before.
    pub fn remember_suppressed(
        &mut self,
        event_id: EventId,
        serial: SerialNumber,
        pin: Pin<'static>,
        punched_at: DateTime<Utc>,
    ) {
        self.people.entry((serial, pin)).or_default().suppress(event_id, punched_at);
    }

    /// Judges one row that came alone.
    ///
    /// A row of an upload with several belongs in [`observe_all`](Self::observe_all), where its neighbours
    /// help to date it.
    pub fn observe(&mut self, rules: &Rules, observation: Observation) -> Verdict {
        let resolved = resolve(rules, &observation, None);
        self.judge(rules, observation, resolved)
    }

    /// Judges the rows of one upload, given in the order the terminal sent them.
    ///
    /// The verdicts come in time order, ties in the order given; each carries the index of its row. The order
    /// of the rows decides nothing else than which of two repeated hours a row belongs to.
    pub fn observe_all(&mut self, rules: &Rules, observations: Vec<Observation>) -> Vec<(usize, Verdict)> {
        let mut previous = BTreeMap::<SerialNumber, DateTime<Utc>>::new();
        let mut rows = Vec::with_capacity(observations.len());
        for (index, observation) in observations.into_iter().enumerate() {
            let serial = &observation.raw.serial;
            let resolved = resolve(rules, &observation, previous.get(serial).copied());
            // A dead clock is before everything, so following it proves nothing.
            if !civil::is_unset_clock(observation.raw.time) {
                previous.insert(serial.clone(), resolved.instant);
            }
            rows.push((index, observation, resolved));
        }
        rows.sort_by_key(|(index, _, resolved)| (resolved.instant, *index));
        rows.into_iter().map(|(index, row, resolved)| (index, self.judge(rules, row, resolved))).collect()
    }

    /// Forgets every punch before `instant`, which bounds the memory.
    ///
    /// A forgotten row that is sent again counts as fresh, so the store must catch it by its id.
    pub fn forget_before(&mut self, instant: DateTime<Utc>) {
        self.people.retain(|_, history| {
            history.forget_before(instant);
            history.len() > 0
        });
    }

    /// How many rows are remembered, kept and suppressed ones together.
    pub fn len(&self) -> usize {
        self.people.values().map(History::len).fold(0, usize::saturating_add)
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    fn judge(&mut self, rules: &Rules, observation: Observation, resolved: Resolved) -> Verdict {
        let event_id = self.key.event_id(&observation.raw);
        let person = (observation.raw.serial.clone(), observation.raw.pin.clone());
        let history = self.people.get(&person);

        // A settled row stays settled, even if its badge has been withdrawn since.
        if history.is_some_and(|history| history.is_settled(&event_id)) {
            let (of, kind) = (event_id.clone(), DuplicateKind::Replay);
            return Verdict::Duplicate { punch: describe(rules, observation, resolved, &event_id), event_id, of, kind };
        }
        if let Some(reason) = hold(rules, &observation, &resolved) {
            return Verdict::Held { event_id, reason };
        }
        let status = observation.raw.status;
        let anchor = history.and_then(|history| history.bounces_off(resolved.instant, status, rules.window)).cloned();
        let history = self.people.entry(person).or_default();
        let punch = describe(rules, observation, resolved, &event_id);
        if let Some(of) = anchor {
            history.suppress(event_id.clone(), resolved.instant);
            return Verdict::Duplicate { event_id, of, kind: DuplicateKind::Bounce, punch };
        }
        history.keep(event_id, resolved.instant, status);
        Verdict::Fresh(punch)
    }
}

impl fmt::Debug for Normalizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Normalizer").field("people", &self.people.len()).finish_non_exhaustive()
    }
}

fn resolve(rules: &Rules, observation: &Observation, previous: Option<DateTime<Utc>>) -> Resolved {
    let received_live = observation.live.then_some(observation.received_at);
    rules.zone.resolve(observation.raw.time, Hint { previous, received_live })
}

fn hold(rules: &Rules, observation: &Observation, resolved: &Resolved) -> Option<HoldReason> {
    let timeliness = Timeliness::of(rules, resolved.instant, observation.received_at, None);
    let of_row = HoldReason::of_row(&observation.raw.pin, observation.raw.time, Some(timeliness));
    of_row.or_else(|| (!observation.registered).then_some(HoldReason::UnregisteredBadge))
}

fn describe(rules: &Rules, observation: Observation, resolved: Resolved, event_id: &EventId) -> Box<Punch> {
    let Observation { raw, received_at, .. } = observation;
    let suspect = Timeliness::of(rules, resolved.instant, received_at, None) != Timeliness::Plausible;
    let quality = if suspect { TimeQuality::Suspect } else { resolved.quality };
    Box::new(Punch::new(event_id.clone(), raw, resolved.instant, resolved.local, quality, received_at))
}
