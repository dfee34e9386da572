//! What a state and a verification code mean, for every number there is.

use punch_normalize::{Direction, DirectionSource, Method};
use punch_protocol::{Status, Verify};

use crate::build::{later, normalizer, raw_at, utc_rules};

// S0-071: a number without a meaning is unknown, never in or out
#[test]
fn every_state_has_a_direction() {
    for code in 0..=u16::MAX {
        let expected = match code {
            0 => Direction::In,
            1 => Direction::Out,
            2 => Direction::BreakOut,
            3 => Direction::BreakIn,
            4 => Direction::OvertimeIn,
            5 => Direction::OvertimeOut,
            _ => Direction::Unknown,
        };
        assert_eq!(Direction::from_status(Some(Status(code))), expected);
    }
    assert_eq!(Direction::from_status(None), Direction::Unknown);
}

#[test]
fn every_verification_has_a_method() {
    for code in 0..=u16::MAX {
        let expected = match code {
            1 => Method::Fingerprint,
            2 => Method::Pin,
            3 => Method::Password,
            4 => Method::Card,
            15 => Method::Face,
            21 => Method::Vein,
            25 => Method::Palm,
            5..=14 | 16..=20 | 22..=24 | 26..=29 => Method::Multi,
            _ => Method::Unknown,
        };
        assert_eq!(Method::from_verify(Some(Verify(code))), expected);
    }
    assert_eq!(Method::from_verify(None), Method::Unknown);
}

// S2-072
#[test]
fn state_0_is_in_and_verify_1_is_fingerprint() {
    let mut raw = raw_at(0, Some(0));
    raw.verify = Some(Verify(1));
    raw.work_code = Some("7".to_owned());
    let verdict = normalizer().observe(&utc_rules(), later(raw));
    let punch = verdict.fresh().unwrap();
    assert_eq!((punch.direction, punch.direction_source), (Direction::In, DirectionSource::State));
    assert_eq!(punch.method, Method::Fingerprint);
    assert_eq!(punch.work_code.as_deref(), Some("7"));
}

// S0-071
#[test]
fn no_state_is_unknown_from_nothing_and_the_number_survives() {
    let mut rules = utc_rules();
    rules.timeline.infer = false;
    for status in [None, Some(255), Some(99)] {
        let verdict = normalizer().observe(&rules, later(raw_at(0, status)));
        let punch = verdict.fresh().unwrap();
        assert_eq!((punch.direction, punch.direction_source), (Direction::Unknown, DirectionSource::None));
        assert_eq!(punch.status, status.map(Status));
    }
}
