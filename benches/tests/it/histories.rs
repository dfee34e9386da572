//! What a person costs in memory.

use punch_benches::{Crowd, PUNCHES_A_DAY};
use punch_normalize::timeline::TimelineRules;

/// At most 200 bytes a person who punched today, and the map they are in.
#[test]
fn a_person_takes_little_memory() {
    const PEOPLE: u32 = 10_000;
    let mut kept = None;
    let measured = allocation_counter::measure(|| {
        let mut crowd = Crowd::default();
        crowd.work_a_day(PEOPLE, &TimelineRules::default());
        kept = Some(crowd);
    });
    let a_person = measured.bytes_current / i64::from(PEOPLE);
    assert_eq!(kept.map(|crowd| crowd.remembered()), usize::try_from(PEOPLE * PUNCHES_A_DAY).ok());
    assert!((1..=200).contains(&a_person), "{a_person} bytes a person");
}
