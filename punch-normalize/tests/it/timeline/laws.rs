//! What holds for every history.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use punch_normalize::timeline::{DirectionRule, Finding, Mark, Place, Role, TimelineRules, infer};
use punch_normalize::{Direction, EventId};
use punch_protocol::Status;

use super::mark;

/// Up to some days of punches, with and without states, at two terminals of which one may have a role.
fn histories() -> impl Strategy<Value = Vec<Mark>> {
    let one = (0..6 * 86_400i64, prop_oneof![Just(None), (0..6u16).prop_map(Some), Just(Some(255))], 0..4u32);
    proptest::collection::vec(one, 0..40).prop_map(|punches| {
        let base = mark("00:00");
        let make = |(number, (second, state, device)): (usize, (i64, Option<u16>, u32))| {
            // Whole minutes too, so that borders are met.
            let second = if number % 2 == 0 { second - second % 1800 } else { second };
            let step = TimeDelta::seconds(second);
            Mark {
                event_id: EventId::parse(&format!("evt_{number:03}")).unwrap(),
                at: base.at + step,
                local: base.local + step,
                place: Place { device, site: device / 2 },
                status: state.map(Status),
                role: (device == 3).then_some(Role::Exit),
                ..base.clone()
            }
        };
        punches.into_iter().enumerate().map(make).collect()
    })
}

fn rules() -> impl Strategy<Value = TimelineRules> {
    let direction = prop_oneof![
        Just(DirectionRule::Declared),
        Just(DirectionRule::Alternate),
        Just(DirectionRule::FirstLast),
        Just(DirectionRule::Schedule)
    ];
    (direction, any::<bool>(), 4..20i64, 1..8i64).prop_map(|(direction, wrong_key_repair, max_shift, gap)| {
        TimelineRules {
            direction,
            wrong_key_repair,
            max_shift: TimeDelta::hours(max_shift),
            shift_gap: TimeDelta::hours(gap),
            ..TimelineRules::default()
        }
    })
}

fn by_id(marks: Vec<Mark>, rules: &TimelineRules) -> Vec<(EventId, Finding)> {
    by_id_until(marks, rules, None)
}

fn by_id_until(mut marks: Vec<Mark>, rules: &TimelineRules, until: Option<DateTime<Utc>>) -> Vec<(EventId, Finding)> {
    let findings = infer(&mut marks, rules, until);
    let mut all: Vec<_> = marks.into_iter().map(|mark| mark.event_id).zip(findings).collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Law 1: the order of arrival decides nothing.
    #[test]
    fn any_order_of_arrival_gives_the_same(marks in histories(), rules in rules(), seed in any::<u64>()) {
        let mut shuffled = marks.clone();
        let mut state = seed;
        for at in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
        }
        prop_assert_eq!(by_id(marks, &rules), by_id(shuffled, &rules));
    }

    /// Every punch is kept, or stands behind one that is kept and near.
    #[test]
    fn every_punch_is_kept_or_a_second_one_of_a_kept_one(mut marks in histories(), rules in rules()) {
        let findings = infer(&mut marks, &rules, None);
        for (mark, finding) in marks.iter().zip(&findings) {
            match &finding.duplicate_of {
                None => prop_assert!(finding.session.is_some() && finding.business_date.is_some()),
                Some(of) => {
                    let at = marks.iter().position(|other| other.event_id == *of).unwrap();
                    prop_assert!(findings[at].duplicate_of.is_none());
                    prop_assert!(mark.at - marks[at].at < rules.bounce.window);
                    prop_assert!(finding.session.is_none());
                }
            }
        }
    }

    /// From every arrival to its departure it is no longer than the longest shift.
    #[test]
    fn nobody_works_longer_than_the_longest_shift(mut marks in histories(), rules in rules()) {
        prop_assume!(rules.direction != DirectionRule::FirstLast);
        let findings = infer(&mut marks, &rules, None);
        let mut open: Option<(usize, &Finding)> = None;
        for (at, finding) in findings.iter().enumerate().filter(|(_, finding)| finding.duplicate_of.is_none()) {
            let arrives = matches!(finding.direction, Direction::In | Direction::OvertimeIn | Direction::BreakIn);
            if let Some((since, arrival)) = open.filter(|(_, arrival)| arrival.session == finding.session) {
                prop_assert!(marks[at].at - marks[since].at <= rules.max_shift, "{arrival:?} {finding:?}");
            }
            let opens = open.is_none_or(|(_, arrival)| arrival.session != finding.session);
            if arrives && opens {
                open = Some((at, finding));
            } else if matches!(finding.direction, Direction::Out | Direction::OvertimeOut) {
                open = None;
            }
        }
    }

    /// What is long ago is settled: nothing that comes now changes it, so a history may be forgotten.
    #[test]
    fn a_prefix_of_time_does_not_depend_on_what_comes_much_later(marks in histories(), rules in rules()) {
        let cut = mark("3 00:00").at;
        let settled = cut - rules.max_shift - rules.max_shift - TimeDelta::days(1);
        let (early, _): (Vec<Mark>, Vec<Mark>) = marks.iter().cloned().partition(|mark| mark.at < cut);
        let whole = by_id_until(marks.clone(), &rules, Some(mark("9 00:00").at));
        for (id, finding) in by_id_until(early.clone(), &rules, Some(cut)) {
            if early.iter().any(|mark| mark.event_id == id && mark.at < settled) {
                let later = whole.iter().find(|(other, _)| *other == id).map(|(_, finding)| finding);
                prop_assert_eq!(Some(&finding), later);
            }
        }
    }
}
