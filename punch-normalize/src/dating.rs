use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use chrono::{DateTime, Utc};
use punch_protocol::{SerialNumber, civil};

use crate::timeline::Role;
use crate::{
    ClockOffset, ClockTreatment, DeviceZone, Direction, Hint, HoldReason, Observation, Person, Punch, Resolved, Rules,
    TenantKey, TimeQuality, Timeliness,
};

/// A row with its identity and its instant, before anybody has asked what else the person did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dated {
    /// What the row says. Its direction is what the terminal reported.
    pub punch: Box<Punch>,
    /// Whose punch it is.
    pub person: Person,
    /// Why it is held, if it is.
    pub hold: Option<HoldReason>,
    /// The site of the terminal.
    pub site: Option<Box<str>>,
    /// What the terminal is there for, if it has one direction.
    pub role: Option<Role>,
    /// Whether the states of the terminal say something. Rows that come together may tell, so it can be set until they are
    /// settled.
    pub is_trusted: bool,
    /// The direction that somebody has put in its place by hand.
    pub manual: Option<Direction>,
    /// Its place among the rows of the same terminal.
    pub order: u64,
    /// What told, or would have told, which of two repeated hours it belongs to.
    pub hint: Hint,
}

/// Dates the rows of one upload, given and returned in the order the terminal sent them.
///
/// That order decides nothing else than which of two repeated hours a row belongs to.
pub(crate) fn date(key: &TenantKey, rules: &Rules, observations: Vec<Observation>) -> Vec<Dated> {
    let mut previous = BTreeMap::<SerialNumber, DateTime<Utc>>::new();
    let mut dated = Vec::with_capacity(observations.len());
    for (place, observation) in (0..).zip(observations) {
        let serial = &observation.raw.serial;
        let hint = hint(&observation, previous.get(serial).copied());
        let resolved = resolve(rules, &observation, hint);
        // A dead clock is before everything, so following it proves nothing.
        if !civil::is_unset_clock(resolved.local.naive_local()) {
            previous.insert(serial.clone(), resolved.instant);
        }
        dated.push(one(key, rules, observation, (resolved, hint), place));
    }
    dated
}

/// Dates a row that came alone.
pub(crate) fn date_alone(key: &TenantKey, rules: &Rules, observation: Observation) -> Dated {
    let hint = hint(&observation, None);
    let resolved = resolve(rules, &observation, hint);
    one(key, rules, observation, (resolved, hint), 0)
}

fn hint(observation: &Observation, previous: Option<DateTime<Utc>>) -> Hint {
    let received_live = observation.live.then_some(observation.received_at);
    observation.hint.unwrap_or(Hint { previous, received_live })
}

fn resolve(rules: &Rules, observation: &Observation, hint: Hint) -> Resolved {
    let (zone, shown) = (rules.zone, observation.raw.time);
    // No zone applies to what counts seconds.
    let counts_in = if observation.raw.is_utc { DeviceZone::Utc } else { zone };
    if let Some(shifted) = observation.shift.and_then(|shift| counts_in.reanchor(shown, shift)) {
        return Resolved { quality: TimeQuality::Reanchored, ..zone.at(shifted.instant) };
    }
    if observation.raw.is_utc { zone.at(shown.and_utc()) } else { zone.resolve(shown, hint) }
}

fn one(
    key: &TenantKey,
    rules: &Rules,
    observation: Observation,
    (resolved, hint): (Resolved, Hint),
    place: u64,
) -> Dated {
    let event_id = key.event_id(&observation.raw);
    let Observation { raw, received_at, registered, person, site, role, is_trusted, manual, order, clock, .. } =
        observation;
    let is_named = person.is_some() || !raw.pin.is_empty();
    let person = person.unwrap_or_else(|| Person::of_pin(&raw.pin));
    let mut punch = Punch::new(event_id, raw, resolved.instant, resolved.local, resolved.quality, received_at);
    let of_time =
        if resolved.quality == TimeQuality::Reanchored { None } else { judge_clock(rules, clock, &mut punch) };
    punch.is_historic = rules.horizon.is_historic(punch.local_time, received_at);
    let hold = Some(HoldReason::Anonymous)
        .filter(|_| !is_named)
        .or(of_time)
        .or_else(|| (!registered).then_some(HoldReason::UnregisteredBadge));
    let order = order.unwrap_or(place);
    Dated { punch: Box::new(punch), person, hold, site, role, is_trusted, manual, order, hint }
}

/// Corrects or marks what is known of the clock; why the row is held for its time, if it is.
fn judge_clock(rules: &Rules, clock: Option<ClockOffset>, punch: &mut Punch) -> Option<HoldReason> {
    let (shown, received_at) = (punch.punched_at, punch.received_at);
    let treatment = rules.clock.apply(shown, clock);
    let timeliness = match treatment {
        ClockTreatment::Adjust { punched_at, clock_offset_s, label } => {
            (punch.punched_at, punch.local_time) = (punched_at, rules.zone.at(punched_at).local);
            (punch.time_quality, punch.clock_offset_s) = (label.quality(), Some(clock_offset_s));
            Timeliness::of(rules, punched_at, received_at, None)
        }
        ClockTreatment::Keep { clock_offset_s } => {
            punch.clock_offset_s = clock_offset_s;
            Timeliness::of(rules, shown, received_at, clock)
        }
        ClockTreatment::Hold { .. } => Timeliness::of(rules, shown, received_at, clock),
    };
    if timeliness != Timeliness::Plausible {
        punch.time_quality = TimeQuality::Suspect;
    }
    let is_wrong = matches!(treatment, ClockTreatment::Hold { .. });
    HoldReason::of_time(punch.device_local, Some(timeliness)).or_else(|| is_wrong.then_some(HoldReason::ClockWrong))
}
