//! Revisions in any order, any number of times, come to the same rows.

use proptest::prelude::*;
use punch_erp::hrms::Dialect;
use punch_webhook::ReceivedEvent;

use super::world::{Database, hrms, punch, text, told, transaction};

fn tellings() -> Vec<ReceivedEvent> {
    vec![
        punch("evt_1", "0042", "in"),
        told("revised", 1, "out"),
        told("revised", 2, "in"),
        told("revised", 3, "break_out"),
        told("late", 4, "out"),
    ]
}

/// Every order of five tellings: 120.
#[test]
fn every_order_ends_as_the_highest_number_told_it() {
    let (hrms, tellings) = (hrms(Dialect::Postgres), tellings());
    let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
    for number in 0..tellings.len() {
        orders = orders
            .iter()
            .flat_map(|order| (0..=order.len()).map(|place| [&order[..place], &[number], &order[place..]].concat()))
            .collect();
    }
    assert_eq!(orders.len(), 120);
    let mut first = None;
    for order in orders {
        let mut database = Database::default();
        for number in &order {
            assert!(database.run(&transaction(&hrms, &tellings[*number])).is_done(), "{order:?}");
        }
        assert!(*database.direction() == text("break_out"), "{order:?}");
        assert_eq!(database.rows.len(), 5);
        assert!(*first.get_or_insert_with(|| database.rows.clone()) == database.rows, "{order:?}");
    }
}

proptest! {
    /// With repetitions, at any place: whatever came once is there, and the number of the row never falls.
    #[test]
    fn repetitions_change_nothing(deliveries in prop::collection::vec(0_usize..5, 1..30)) {
        let (hrms, tellings) = (hrms(Dialect::Sqlite), tellings());
        let mut database = Database::default();
        let mut seen = std::collections::BTreeSet::new();
        for number in deliveries {
            let before = database.rows.clone();
            let outcome = database.run(&transaction(&hrms, &tellings[number]));
            prop_assert!(outcome.is_done());
            if !seen.insert(number) {
                prop_assert_eq!(outcome.word(), "already");
                prop_assert!(before == database.rows);
            }
            // A revision makes the punch's row, too; a late one does not.
            let revisions = seen.iter().filter(|number| **number > 0).count();
            let is_there = seen.iter().any(|number| *number < 4);
            prop_assert_eq!(database.rows.len(), revisions + usize::from(is_there));
        }
    }
}
