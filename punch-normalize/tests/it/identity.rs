//! The identity of a punch: the vectors, I1 to I4, and what it must not depend on.

use punch_normalize::{DuplicateKind, TenantKey, Verdict};
use punch_protocol::{Pin, RawPunch, Status, Verify};
use serde_json::Value;

use crate::build::{civil_time, key, later, normalizer, raw_at, serial, utc_rules, zone};

// Identity vectors: design, part "Identity"
#[test]
fn the_vectors_agree() {
    let vectors = include_str!("../data/identity-vectors.jsonl");
    let mut count = 0;
    for line in vectors.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| vector[name].as_str().unwrap();
        let key_hex = text("tenant_key_hex");
        let key = TenantKey::new(core::array::from_fn(|at| u8::from_str_radix(&key_hex[at * 2..][..2], 16).unwrap()));
        let pin = Pin::new(text("pin").as_bytes()).into_owned();
        let mut raw = RawPunch::new(serial(text("serial")), pin, civil_time(&text("time").replace('T', " ")));
        raw.status = vector["state"].as_u64().map(|state| Status(state.try_into().unwrap()));
        assert_eq!(key.event_id(&raw).as_str(), text("event_id"), "{}", text("id"));
        count += 1;
    }
    assert_eq!(count, 12);
}

// I1, I7: the same body posted twice
#[test]
fn a_body_sent_twice_is_all_replays() {
    let mut normalizer = normalizer();
    let body = || vec![later(raw_at(0, Some(0))), later(raw_at(20, Some(0))), later(raw_at(300, Some(1)))];
    normalizer.observe_all(&utc_rules(), body());
    for (_, verdict) in normalizer.observe_all(&utc_rules(), body()) {
        let Verdict::Duplicate { event_id, of, kind: DuplicateKind::Replay, .. } = verdict else {
            panic!("expected a replay, found {verdict:?}")
        };
        assert_eq!(event_id, of);
    }
}

// I2: transports differ in verify mode and work code
#[test]
fn push_and_pull_give_one_id() {
    let mut normalizer = normalizer();
    let mut pushed = raw_at(0, Some(0));
    pushed.verify = Some(Verify::FINGERPRINT);
    pushed.work_code = Some("7".to_owned());
    let first = normalizer.observe(&utc_rules(), later(pushed));
    let second = normalizer.observe(&utc_rules(), later(raw_at(0, Some(0))));
    assert_eq!(first.event_id(), second.event_id());
    assert!(matches!(second, Verdict::Duplicate { kind: DuplicateKind::Replay, .. }));
}

// I3, D7
#[test]
fn the_same_second_with_another_state_is_another_event() {
    let mut normalizer = normalizer();
    let first = normalizer.observe(&utc_rules(), later(raw_at(0, Some(0))));
    let second = normalizer.observe(&utc_rules(), later(raw_at(0, Some(1))));
    assert!(first.fresh().is_some() && second.fresh().is_some());
    assert_ne!(first.event_id(), second.event_id());
}

// I4
#[test]
fn one_pin_on_two_terminals_is_two_ids() {
    let here = raw_at(0, Some(0));
    let mut there = here.clone();
    there.serial = serial("BKRK233600045");
    assert_ne!(key().event_id(&here), key().event_id(&there));
}

// S0-019: 0042 is a name, not a number
#[test]
fn leading_zeros_survive() {
    let mut raw = raw_at(0, None);
    raw.pin = crate::build::pin("0042");
    let verdict = normalizer().observe(&utc_rules(), later(raw));
    assert_eq!(verdict.fresh().unwrap().pin.to_text(), "0042");
}

// T17: the id survives a zone fix, and the row is recognised although its instant moved
#[test]
fn a_zone_fix_keeps_the_id() {
    let mut normalizer = normalizer();
    let mut rules = utc_rules();
    let first = normalizer.observe(&rules, later(raw_at(0, Some(0))));
    rules.zone = zone("-06:00");
    let second = normalizer.observe(&rules, later(raw_at(0, Some(0))));
    let Verdict::Duplicate { of, kind: DuplicateKind::Replay, punch, .. } = second else {
        panic!("expected a replay, found {second:?}")
    };
    assert_eq!(&of, first.event_id());
    assert_ne!(punch.punched_at, first.fresh().unwrap().punched_at);
}
