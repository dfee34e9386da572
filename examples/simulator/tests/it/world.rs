use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use punch_normalize::DeviceZone;
use punch_protocol::{RawPunch, SerialNumber, Status};
use simulator::world::{Crowd, Dice};

fn start() -> DateTime<Utc> {
    "2026-03-28T14:47:12.345Z".parse().unwrap()
}

fn crowd(users: u32, seed: u64) -> Crowd {
    Crowd::new(SerialNumber::parse("SIM1").unwrap(), DeviceZone::parse("America/Mexico_City").unwrap(), users, seed)
}

fn punches(mut crowd: Crowd, count: u32) -> Vec<RawPunch> {
    (0..count).map(|number| crowd.punch(start() + TimeDelta::milliseconds(i64::from(number) * 100))).collect()
}

/// The numbers of splitmix64 as published: a seed in a bug report means the same on every machine and in every year.
#[test]
fn dice_are_splitmix64() {
    let mut dice = Dice::new(1_234_567);
    let rolled: Vec<u64> = (0..5).map(|_| dice.roll()).collect();
    let published = [
        6_457_827_717_110_365_317,
        3_203_168_211_198_807_973,
        9_817_491_932_198_370_423,
        4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
    ];
    assert_eq!(rolled, published);
    assert!((0..1000).all(|_| dice.below(7) < 7));
    assert_eq!(dice.below(0), 0);
    let all: BTreeSet<u64> = (0..1000).map(|_| dice.below(7)).collect();
    assert_eq!(all.len(), 7);
}

#[test]
fn the_same_seed_gives_the_same_punches_and_another_seed_others() {
    assert_eq!(punches(crowd(5, 1), 200), punches(crowd(5, 1), 200));
    assert_ne!(punches(crowd(5, 1), 200), punches(crowd(5, 2), 200));
}

/// Two punches of one person in one second would be one event: nobody could count them.
#[test]
fn nobody_punches_twice_in_a_second_and_everybody_goes_in_then_out() {
    let mut last = BTreeMap::new();
    let mut states = BTreeMap::<String, Vec<Option<Status>>>::new();
    for punch in punches(crowd(3, 1).with_first_badge(2001), 300) {
        let badge = punch.pin.to_text().to_string();
        if let Some(before) = last.insert(badge.clone(), punch.time) {
            assert!(punch.time > before, "{badge}: {before} then {}", punch.time);
        }
        states.entry(badge).or_default().push(punch.status);
    }
    assert_eq!(states.keys().cloned().collect::<Vec<_>>(), ["2001", "2002", "2003"]);
    for (badge, states) in states {
        assert_eq!(states.len(), 100, "{badge}");
        let expected = |index: usize| if index.is_multiple_of(2) { Status::CHECK_IN } else { Status::CHECK_OUT };
        assert!(states.iter().enumerate().all(|(index, state)| *state == Some(expected(index))), "{badge}");
    }
}

#[test]
fn a_punch_shows_the_wall_clock_of_the_terminal_in_whole_seconds() {
    let punch = crowd(1, 1).punch(start());
    assert_eq!(punch.time.to_string(), "2026-03-28 08:47:12");
}
