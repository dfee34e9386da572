//! Short ways to write the values the tests are about.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use punch_normalize::timeline::Mark;
use punch_normalize::{DeviceZone, DuplicateKind, Normalizer, Observation, Person, Punch, Rules, TenantKey, Verdict};
use punch_protocol::{Pin, RawPunch, SerialNumber, Status, civil};

pub(crate) const SERIAL: &str = "CZKE2241600045";

pub(crate) fn civil_time(text: &str) -> NaiveDateTime {
    civil::parse(text.as_bytes()).unwrap()
}

pub(crate) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn zone(text: &str) -> DeviceZone {
    DeviceZone::parse(text).unwrap()
}

pub(crate) fn serial(text: &str) -> SerialNumber {
    SerialNumber::parse(text).unwrap()
}

pub(crate) fn pin(text: &str) -> Pin<'static> {
    Pin::new(text.as_bytes()).into_owned()
}

/// The row of PIN 1042 at one terminal, without a state.
pub(crate) fn raw(time: &str) -> RawPunch {
    RawPunch::new(serial(SERIAL), pin("1042"), civil_time(time))
}

/// The same, `seconds` after 08:00:00 UTC, with the state as sent.
pub(crate) fn raw_at(seconds: i64, status: Option<u16>) -> RawPunch {
    let mut raw = raw("2026-03-28 08:00:00");
    raw.time += TimeDelta::seconds(seconds);
    raw.status = status.map(Status);
    raw
}

/// A backlog row that arrived in the evening of its day.
pub(crate) fn later(raw: RawPunch) -> Observation {
    let received_at = raw.time.and_utc() + TimeDelta::hours(14);
    Observation::new(raw, received_at)
}

pub(crate) fn utc_rules() -> Rules {
    Rules::new(DeviceZone::Utc)
}

pub(crate) fn normalizer() -> Normalizer {
    Normalizer::new(key())
}

pub(crate) fn key() -> TenantKey {
    TenantKey::new(core::array::from_fn(|index| u8::try_from(index).unwrap()))
}

/// Gives back what became of a row, as a store does that has kept the row's place in its upload.
pub(crate) fn recall(normalizer: &mut Normalizer, verdict: &Verdict, order: usize) {
    match verdict {
        Verdict::Fresh(punch) => recall_punch(normalizer, punch, true, order),
        Verdict::Duplicate { kind: DuplicateKind::Bounce, punch, .. } => recall_punch(normalizer, punch, false, order),
        Verdict::Duplicate { .. } | Verdict::Held { .. } => {}
    }
}

pub(crate) fn recall_punch(normalizer: &mut Normalizer, punch: &Punch, is_published: bool, order: usize) {
    let local = punch.local_time.naive_local();
    let (status, order) = (punch.status, u64::try_from(order).unwrap());
    let mark = Mark { status, is_published, order, ..Mark::new(punch.event_id.clone(), punch.punched_at, local) };
    normalizer.recall(&Person::of_pin(&punch.pin), &punch.serial, None, mark).unwrap();
}
