//! Whatever fails, and however often: one punch is one record.

use proptest::prelude::*;

use crate::erpnext::{ErpNextFault, Naming};
use crate::world::{World, alice, punch};

fn fault() -> impl Strategy<Value = ErpNextFault> {
    prop_oneof![
        2 => Just(ErpNextFault::None),
        1 => (0u32..100).prop_map(ErpNextFault::RateLimited),
        1 => Just(ErpNextFault::Maintenance),
        1 => Just(ErpNextFault::DatabaseDown),
        1 => Just(ErpNextFault::LockWait),
        2 => Just(ErpNextFault::DropBefore),
        3 => Just(ErpNextFault::DropAfter),
        2 => Just(ErpNextFault::BadGatewayAfter),
        1 => Just(ErpNextFault::Portal),
        1 => Just(ErpNextFault::Redirect),
    ]
}

fn naming() -> impl Strategy<Value = Naming> {
    prop_oneof![Just(Naming::Honoured), Just(Naming::Ignored), Just(Naming::NoV2)]
}

proptest! {
    /// Any sequence of failures, then retries: exactly one row, and the outcome names it. Replays change nothing.
    #[test]
    fn one_punch_is_one_row(
        faults in proptest::collection::vec(fault(), 0..40),
        naming in naming(),
        replays in proptest::collection::vec(any::<bool>(), 0..4),
    ) {
        let mut world = World::with(|config| config.naming = naming);
        world.server.fail_next(faults);
        let outcome = world.write_until_settled(&alice());
        prop_assert!(outcome.is_done(), "{outcome:?}");
        let rows = world.server.checkins().to_vec();
        prop_assert_eq!(rows.len(), 1);
        prop_assert_eq!(outcome.remote_id(), Some(rows[0].name.as_str()));
        prop_assert_eq!(rows[0].time.to_string(), "2026-11-10 09:00:00");
        // The server may need a moment more: faults that are left hit the replays.
        for look_first in replays {
            let outcome = world.attempt(&alice(), look_first);
            prop_assert!(outcome.word() == "already" || outcome.word() == "retry", "{outcome:?}");
        }
        prop_assert_eq!(world.server.checkins(), rows);
    }

    /// Several people, any order, faults in between: one row each, at its own time.
    #[test]
    fn many_punches_are_as_many_rows(
        order in proptest::collection::vec(0u32..12, 1..40),
        faults in proptest::collection::vec(fault(), 0..60),
        naming in naming(),
    ) {
        let mut world = World::with(|config| config.naming = naming);
        world.server.fail_next(faults);
        let mut expected = std::collections::BTreeSet::new();
        for index in order {
            let badge = if index % 2 == 0 { "1001" } else { "0042" };
            let timestamp = format!("2026-11-10T03:{index:02}:00Z");
            let outcome = world.write_until_settled(&punch(&format!("evt_{index}"), badge, &timestamp, "in"));
            prop_assert!(outcome.is_done(), "{outcome:?}");
            expected.insert(format!("2026-11-10 09:{index:02}:00"));
        }
        let times: Vec<_> = world.server.checkins().iter().map(|row| row.time.to_string()).collect();
        prop_assert_eq!(times.len(), expected.len());
        prop_assert!(times.iter().all(|time| expected.contains(time)));
    }

    /// Whatever a server answers, the flow ends, within ten calls, and only an answer that shows the record counts.
    #[test]
    fn any_answer_ends_the_flow(
        answers in proptest::collection::vec((100u16..=599, proptest::collection::vec(any::<u8>(), 0..200)), 1..12),
    ) {
        let world = World::new();
        let mut flow = punch_erp::erpnext::WriteCheckin::new(&world.site, &alice(), crate::world::now());
        let mut calls = 0;
        let outcome = punch_erp::drive(&mut flow, |_| {
            let (status, body) = &answers[calls % answers.len()];
            calls += 1;
            let response = http::Response::builder().status(*status).body(bytes::Bytes::copy_from_slice(body));
            Ok(response.unwrap())
        });
        prop_assert!(calls <= 10);
        prop_assert!(!outcome.is_done());
    }
}
