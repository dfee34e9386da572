//! Whatever comes in whatever order.

use chrono::TimeDelta;
use proptest::prelude::*;
use punch_erp::Outcome;
use punch_erp::successfactors::{CreateTimeEvents, NewTimeEvent, TimeEventId, plan_calls};
use punch_normalize::EventId;

use super::world::{SuccessFactorsFault, World, alice, at, punch};

fn fault() -> impl Strategy<Value = SuccessFactorsFault> {
    prop_oneof![
        4 => Just(SuccessFactorsFault::None),
        1 => Just(SuccessFactorsFault::DropBefore),
        1 => Just(SuccessFactorsFault::DropAfter),
        1 => Just(SuccessFactorsFault::DropWithin),
        1 => Just(SuccessFactorsFault::Stall),
        1 => Just(SuccessFactorsFault::Forgetful),
        1 => Just(SuccessFactorsFault::BadGatewayAfter),
        1 => Just(SuccessFactorsFault::TokensEnd),
        1 => Just(SuccessFactorsFault::Portal),
        1 => Just(SuccessFactorsFault::TooManyRequests(Some(30))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Calls keep the limits and the order of each assignment, and lose nothing. SF-05 for any numbers.
    #[test]
    fn calls(counts in proptest::collection::vec(0usize..300, 1..8), seed in any::<u64>()) {
        let world = World::new();
        let mut events = Vec::new();
        for (person, count) in counts.iter().enumerate() {
            for number in 0..*count {
                let mut punch = alice("08:00:00", "in");
                punch.badge = format!("w{person}");
                punch.event_id = EventId::parse(&format!("evt_{person}_{number}")).unwrap();
                // Some share a second.
                punch.at = at("2026-11-01T00:00:00Z") + TimeDelta::seconds(i64::try_from(number / 2).unwrap());
                events.push(NewTimeEvent::of(&world.tenant, &punch, world.now).unwrap());
            }
        }
        let total = events.len();
        // Any order, and everything twice.
        events.sort_by_cached_key(|event| TimeEventId::of(&EventId::parse(&format!("{seed}-{}", event.id)).unwrap()));
        events.extend(events.clone());
        let calls = plan_calls(events);
        let mut last = std::collections::BTreeMap::new();
        for call in &calls {
            prop_assert!(!call.is_empty() && call.len() <= CreateTimeEvents::MAX_EVENTS);
            prop_assert!(call.is_sorted_by_key(|event| (&event.assignment_id, event.timestamp, &event.event_id)));
            let of_one = call.chunk_by(|one, other| one.assignment_id == other.assignment_id).map(<[_]>::len).max();
            prop_assert!(of_one.unwrap() <= CreateTimeEvents::MAX_EVENTS_OF_ONE);
            for event in call {
                let key = (event.timestamp, event.event_id.clone());
                let before = last.insert(event.assignment_id.clone(), key.clone());
                prop_assert!(before.is_none_or(|before| before < key));
            }
        }
        prop_assert_eq!(calls.iter().map(Vec::len).sum::<usize>(), total);
    }

    /// SF-01 for any id: always the same, 36 characters, a UUID of version 5, and another one for another id.
    #[test]
    fn ids(id in "[!-~&&[^.]]{1,128}", other in "[!-~&&[^.]]{1,128}") {
        let of = |id: &str| TimeEventId::of(&EventId::parse(id).unwrap());
        let found = of(&id);
        prop_assert_eq!(&found, &of(&id));
        prop_assert_eq!(found == of(&other), id == other);
        let groups: Vec<_> = found.as_str().split('-').collect();
        prop_assert!(groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]));
        prop_assert!(groups.concat().bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)));
        prop_assert!(groups[2].starts_with('5') && groups[3].starts_with(['8', '9', 'a', 'b']));
    }

    /// Any punches, any faults, any order: each is there once, and nothing else is.
    #[test]
    fn nothing_is_lost_or_doubled(
        picks in proptest::collection::vec((0usize..3, 0u32..1440, any::<bool>()), 1..40),
        faults in proptest::collection::vec(fault(), 0..30),
    ) {
        let mut world = World::new();
        let mut punches = Vec::new();
        for (person, minute, is_in) in picks {
            let time = format!("{:02}:{:02}:00", minute / 60, minute % 60);
            punches.push(punch(["1001", "0042", "bad"][person], &time, if is_in { "in" } else { "out" }));
        }
        world.server.config_mut().refuses_assignment = Some("bad".to_owned());
        world.server.fail_next(faults);
        let outcomes = world.write_until_settled(&punches);
        let mut expected = std::collections::BTreeSet::new();
        for (punch, outcome) in punches.iter().zip(&outcomes) {
            if punch.badge == "bad" {
                prop_assert_eq!(outcome.reason(), Some("refused"));
            } else {
                prop_assert!(outcome.is_done(), "{:?}", outcome);
                expected.insert((punch.badge.clone(), punch.at));
            }
        }
        let mut stored: Vec<_> =
            world.server.events().iter().map(|event| (event.assignment.clone(), event.at.to_utc())).collect();
        stored.sort_unstable();
        prop_assert_eq!(stored, expected.into_iter().collect::<Vec<_>>());
    }

    /// Whatever a server answers, the flow ends within five calls, and only an answer that names the event counts.
    #[test]
    fn any_answer_ends_the_flow(
        answers in proptest::collection::vec((100u16..=599, proptest::collection::vec(any::<u8>(), 0..200)), 1..12),
        is_token in any::<bool>(),
    ) {
        let world = World::new();
        let mut calls = 0;
        let outcomes = punch_erp::drive(&mut world.flow(&[alice("08:00:00", "in")]), |_| {
            let (status, body) = &answers[calls % answers.len()];
            calls += 1;
            let (status, body) = if calls == 1 && is_token { (200, &br#"{"access_token":"T"}"#[..]) } else { (*status, &body[..]) };
            Ok(http::Response::builder().status(status).body(bytes::Bytes::copy_from_slice(body)).unwrap())
        });
        prop_assert!(calls <= 5);
        prop_assert!(!outcomes.iter().any(Outcome::is_done));
    }
}
