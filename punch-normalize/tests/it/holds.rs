//! What is held and what is accepted: T12 to T16, and the order of the reasons.

use chrono::TimeDelta;
use punch_normalize::TimeQuality::{Exact, Suspect};
use punch_normalize::{DuplicateKind, HoldReason, Observation, TimeQuality, Verdict};
use punch_protocol::civil::{self, CivilError};

use crate::build::{instant, later, normalizer, pin, raw, utc_rules};

fn held(observation: Observation) -> Option<HoldReason> {
    match normalizer().observe(&utc_rules(), observation) {
        Verdict::Held { reason, .. } => Some(reason),
        Verdict::Fresh(_) | Verdict::Duplicate { .. } => None,
    }
}

fn ahead_by(ahead: TimeDelta) -> Observation {
    let raw = raw("2026-03-28 08:00:00");
    let received_at = raw.time.and_utc() - ahead;
    Observation::new(raw, received_at)
}

fn quality(ahead: TimeDelta) -> TimeQuality {
    normalizer().observe(&utc_rules(), ahead_by(ahead)).fresh().unwrap().time_quality
}

// T12, S2-069
#[test]
fn an_unset_clock_is_held() {
    for time in ["2000-01-01 00:00:00", "1970-01-01 00:00:00", "2009-12-31 23:59:59", "0000-01-01 00:00:00"] {
        assert_eq!(held(later(raw(time))), Some(HoldReason::ClockReset), "{time}");
    }
    assert_eq!(held(later(raw("2010-01-01 00:00:00"))), None);
}

// T13
#[test]
fn more_than_a_day_ahead_is_held() {
    assert_eq!(held(ahead_by(TimeDelta::hours(24) + TimeDelta::seconds(1))), Some(HoldReason::Future));
    assert_eq!(held(ahead_by(TimeDelta::hours(24))), None);
    assert_eq!(held(later(raw("9999-12-31 23:59:59"))), None);
}

// T13: after the offset, not before it
#[test]
fn the_future_is_judged_in_the_zone_of_the_terminal() {
    let mut rules = utc_rules();
    rules.zone = crate::build::zone("+14:00");
    let observation = Observation::new(raw("2026-03-29 12:00:00"), instant("2026-03-28T00:00:00Z"));
    assert!(normalizer().observe(&rules, observation.clone()).fresh().is_some());
    assert_eq!(held(observation), Some(HoldReason::Future));
}

// T14
#[test]
fn two_minutes_to_a_day_ahead_is_suspect() {
    assert_eq!(quality(TimeDelta::seconds(119)), Exact);
    assert_eq!(quality(TimeDelta::minutes(2)), Suspect);
    assert_eq!(quality(TimeDelta::hours(24)), Suspect);
    assert_eq!(quality(TimeDelta::hours(-24)), Exact);
}

// T14: both limits are the caller's to set
#[test]
fn the_limits_are_configurable() {
    let mut rules = utc_rules();
    rules.suspect_after = TimeDelta::seconds(10);
    rules.future_limit = TimeDelta::seconds(20);
    let judge = |seconds| normalizer().observe(&rules, ahead_by(TimeDelta::seconds(seconds)));
    assert_eq!(judge(9).fresh().unwrap().time_quality, Exact);
    assert_eq!(judge(20).fresh().unwrap().time_quality, Suspect);
    assert!(matches!(judge(21), Verdict::Held { reason: HoldReason::Future, .. }));
}

// T15, S0-068: a backlog of years is accepted with its own time
#[test]
fn an_old_row_keeps_its_time() {
    let observation = Observation::new(raw("2019-03-28 08:00:00"), instant("2026-03-28T08:00:00Z"));
    let verdict = normalizer().observe(&utc_rules(), observation);
    assert_eq!(verdict.fresh().unwrap().punched_at, instant("2019-03-28T08:00:00Z"));
}

// T16: a bare number is no civil time, so no zone can be applied to it by accident
#[test]
fn epoch_seconds_never_reach_a_zone() {
    assert_eq!(civil::parse(b"1774684032"), Err(CivilError::Number));
}

#[test]
fn a_row_without_pin_is_held() {
    let mut stranger = raw("2026-03-28 08:00:00");
    stranger.pin = pin(" \0");
    assert_eq!(held(later(stranger)), Some(HoldReason::Anonymous));
}

// S2-070: held under one id, released under the same when the badge is registered
#[test]
fn an_unregistered_badge_is_held_until_it_is_registered() {
    let mut normalizer = normalizer();
    let mut observation = later(raw("2026-03-28 08:00:00"));
    observation.registered = false;
    let first = normalizer.observe(&utc_rules(), observation.clone());
    assert!(matches!(first, Verdict::Held { reason: HoldReason::UnregisteredBadge, .. }));
    assert!(normalizer.is_empty());

    observation.registered = true;
    let second = normalizer.observe(&utc_rules(), observation.clone());
    assert_eq!(second.fresh().unwrap().event_id, *first.event_id());

    // Settled is settled, even if the badge is withdrawn.
    observation.registered = false;
    let third = normalizer.observe(&utc_rules(), observation);
    assert!(matches!(third, Verdict::Duplicate { kind: DuplicateKind::Replay, .. }));
}

// A held row is no punch: it suppresses nothing.
#[test]
fn a_held_row_is_no_anchor() {
    let mut normalizer = normalizer();
    let mut first = later(raw("2026-03-28 08:00:00"));
    first.registered = false;
    normalizer.observe(&utc_rules(), first);
    assert!(normalizer.observe(&utc_rules(), later(raw("2026-03-28 08:00:30"))).fresh().is_some());
}

#[test]
fn the_most_basic_reason_is_given() {
    let mut observation = Observation::new(raw("2000-01-01 00:00:00"), instant("1999-01-01T00:00:00Z"));
    observation.registered = false;
    observation.raw.pin = pin("");
    assert_eq!(held(observation.clone()), Some(HoldReason::Anonymous));
    observation.raw.pin = pin("1042");
    assert_eq!(held(observation.clone()), Some(HoldReason::ClockReset));
    observation.raw.time = crate::build::civil_time("2026-03-28 08:00:00");
    assert_eq!(held(observation.clone()), Some(HoldReason::Future));
    observation.received_at = instant("2026-03-28T08:00:00Z");
    assert_eq!(held(observation), Some(HoldReason::UnregisteredBadge));
}

// S2-068: one vocabulary for stores, APIs and metrics, the same in a document
#[test]
fn every_reason_has_a_code_and_a_cure() {
    let codes: Vec<_> = HoldReason::ALL.iter().map(|reason| reason.code()).collect();
    assert_eq!(codes, ["malformed", "anonymous", "clock_reset", "future", "clock_wrong", "unregistered_badge"]);
    for reason in HoldReason::ALL {
        assert_eq!(HoldReason::from_code(reason.code()), Some(*reason));
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.code());
        let text = reason.to_string();
        assert!(text.starts_with(char::is_lowercase) && text.contains("; ") && !text.ends_with('.'), "{text}");
    }
    assert_eq!(HoldReason::from_code("Future"), None);
}
