//! E1 to E8: the key that was pressed; and what goes before it.

use proptest::prelude::*;
use punch_normalize::timeline::{Role, StateTrust, TimelineRules};
use punch_normalize::{Direction, DirectionSource};
use punch_protocol::{Pin, Status};

use super::{declared, directions, exceptions, find, shifts};

const NONE: [&str; 0] = [];

fn rules() -> TimelineRules {
    TimelineRules::default()
}

#[test]
fn e1_a_second_arrival_is_noted_and_changes_nothing() {
    let found = find(declared(&[("08:00", 0), ("08:05", 0), ("17:00", 1)]), &rules());
    assert_eq!(exceptions(&found), [&NONE[..], &["repeat_in"], &NONE]);
    assert_eq!(shifts(&found), 1);
    assert!(found.iter().all(|finding| finding.source == DirectionSource::State));
}

#[test]
fn e2_the_last_departure_counts() {
    let found = find(declared(&[("08:00", 0), ("17:00", 1), ("17:03", 1)]), &rules());
    assert_eq!(exceptions(&found), [&NONE[..], &NONE, &["repeat_out"]]);
    assert_eq!(shifts(&found), 1);
}

#[test]
fn e3_an_arrival_of_yesterday_has_no_departure_today() {
    let found = find(declared(&[("0 08:00", 0), ("1 08:00", 0), ("1 17:00", 1)]), &rules());
    assert_eq!(exceptions(&found), [&["missing_out"][..], &NONE, &NONE]);
    assert_eq!(shifts(&found), 2);
}

#[test]
fn e4_the_wrong_key_on_arrival() {
    let twice_out = || declared(&[("08:00", 1), ("17:00", 1)]);
    let found = find(twice_out(), &rules());
    assert_eq!(exceptions(&found), [["missing_in"], ["missing_in"]]);
    assert_eq!((directions(&found), shifts(&found)), (vec!["out", "out"], 2));
    let repaired = find(twice_out(), &TimelineRules { wrong_key_repair: true, ..rules() });
    assert_eq!((directions(&repaired), shifts(&repaired)), (vec!["in", "out"], 1));
    assert_eq!((repaired[0].source, repaired[0].confidence), (DirectionSource::Repair, 30));
    assert_eq!(exceptions(&repaired), [&["wrong_key"][..], &NONE]);
}

#[test]
fn e5_a_night_is_a_pair() {
    let found = find(declared(&[("0 18:30", 0), ("1 07:10", 1)]), &rules());
    assert_eq!((exceptions(&found), shifts(&found)), (vec![vec![], Vec::<&str>::new()], 1));
}

#[test]
fn e6_a_state_that_says_nothing_leaves_it_to_alternation() {
    let found = find(declared(&[("08:00", 255), ("17:00", 255)]), &rules());
    assert_eq!(directions(&found), ["in", "out"]);
    assert!(found.iter().all(|finding| finding.source == DirectionSource::Alternate));
}

#[test]
fn e7_nobody_works_for_57_hours() {
    let found = find(declared(&[("0 08:00", 0), ("2 17:00", 1)]), &rules());
    assert_eq!(exceptions(&found), [["missing_out"], ["missing_in"]]);
    assert_eq!(shifts(&found), 2);
}

#[test]
fn e8_breaks_are_part_of_the_shift() {
    let found = find(declared(&[("08:00", 0), ("12:00", 2), ("12:30", 3), ("17:00", 1)]), &rules());
    assert_eq!((exceptions(&found), shifts(&found)), (vec![Vec::<&str>::new(); 4], 1));
    assert_eq!(directions(&found), ["in", "break_out", "break_in", "out"]);
    let unclosed = find(declared(&[("08:00", 0), ("12:00", 2), ("17:00", 1)]), &rules());
    assert_eq!((exceptions(&unclosed), shifts(&unclosed)), (vec![vec![], vec!["unclosed_break"], vec![]], 1));
    let untaken = find(declared(&[("08:00", 0), ("12:30", 3), ("17:00", 1)]), &rules());
    assert_eq!(exceptions(&untaken)[1], ["missing_break_out"]);
    let homeless = find(declared(&[("12:00", 2), ("17:00", 1)]), &rules());
    assert_eq!(exceptions(&homeless), [["missing_in"], ["missing_in"]]);
    // Out with the key for going home, back with the key for breaks.
    let mixed = find(declared(&[("08:00", 0), ("12:00", 1), ("12:30", 3), ("17:00", 1)]), &rules());
    assert_eq!((exceptions(&mixed), shifts(&mixed)), (vec![Vec::<&str>::new(); 4], 1));
}

#[test]
fn overtime_begins_and_ends_like_work() {
    let found = find(declared(&[("08:00", 0), ("17:00", 1), ("18:00", 4), ("20:00", 5)]), &rules());
    assert_eq!(directions(&found), ["in", "out", "overtime_in", "overtime_out"]);
    assert_eq!((exceptions(&found), shifts(&found)), (vec![Vec::<&str>::new(); 4], 1));
    let through = find(declared(&[("08:00", 0), ("17:00", 4), ("20:00", 5)]), &rules());
    assert_eq!((exceptions(&through), shifts(&through)), (vec![Vec::<&str>::new(); 3], 1));
}

#[test]
fn by_hand_goes_before_roles_and_roles_before_states() {
    let mut marks = declared(&[("08:00", 1), ("17:00", 0)]);
    (marks[0].role, marks[1].role) = (Some(Role::Entry), Some(Role::Exit));
    let found = find(marks.clone(), &rules());
    assert_eq!(directions(&found), ["in", "out"]);
    assert!(found.iter().all(|finding| finding.source == DirectionSource::Role));
    marks[0].manual = Some(Direction::BreakIn);
    let found = find(marks, &rules());
    assert_eq!((found[0].direction, found[0].source), (Direction::BreakIn, DirectionSource::Manual));
}

proptest! {
    /// What is known of a terminal's states is the same after a restart.
    #[test]
    fn what_is_known_of_the_states_of_a_terminal_can_be_kept(
        punches in prop::collection::vec((any::<u16>(), prop_oneof![0..6u16, 200..400u16, any::<u16>()]), 0..300),
    ) {
        let mut trust = StateTrust::default();
        for (pin, state) in punches {
            trust.observe(&Pin::new(pin.to_string().as_bytes()), Some(Status(state)));
        }
        let kept = serde_json::to_string(&trust).unwrap();
        prop_assert!(kept.len() <= 2 + 7 * StateTrust::LAST_MAX);
        prop_assert_eq!(&serde_json::from_str::<StateTrust>(&kept).unwrap(), &trust);
    }
}

/// Pairs of numbers are how it was kept at first.
#[test]
fn what_earlier_versions_kept_of_states_is_read_and_damage_is_told() {
    let old: StateTrust = serde_json::from_str("[[513,0],[1027,300]]").unwrap();
    let new = serde_json::to_string(&old).unwrap();
    assert_eq!(new, r#""AQIAAwT/LAE""#);
    assert_eq!(serde_json::from_str::<StateTrust>(&new).unwrap(), old);
    let error = |text: &str| serde_json::from_str::<StateTrust>(text).unwrap_err().to_string();
    for damaged in [r#""AQ""#, r#""AQL/LA""#, r#""A*==""#] {
        assert!(error(damaged).starts_with("trust: it is damaged; forget it"), "{}", error(damaged));
    }
    let many = format!("[{}]", ["[1,0]"; StateTrust::LAST_MAX + 1].join(","));
    assert!(error(&many).starts_with("trust: 201 punches, at most 200 are kept"), "{}", error(&many));
}

#[test]
fn a_terminal_that_stands_in_one_mode_is_not_believed() {
    let mut trust = StateTrust::default();
    let pins: Vec<String> = (0..10).map(|number| format!("10{number:02}")).collect();
    let mut punch = |count: usize, state: u16| {
        for number in 0..count {
            trust.observe(&Pin::new(pins[number % pins.len()].as_bytes()), Some(Status(state)));
        }
        trust.is_trusted()
    };
    assert!(punch(49, 0), "too few to tell");
    assert!(!punch(1, 0));
    assert!(!punch(2, 1), "two of 52 are keys pressed by mistake");
    assert!(punch(2, 1), "four of 54 are people who leave");
    let mut few = StateTrust::default();
    for number in 0..100 {
        few.observe(&Pin::new(pins[number % 9].as_bytes()), Some(Status::CHECK_IN));
    }
    assert!(few.is_trusted(), "nine people may all have come");
    few.observe(&Pin::new(pins[9].as_bytes()), Some(Status(255)));
    assert!(few.is_trusted(), "who pressed nothing says nothing");

    let mut marks = declared(&[("08:00", 0), ("17:00", 0)]);
    marks.iter_mut().for_each(|mark| mark.is_trusted = false);
    assert_eq!(directions(&find(marks, &rules())), ["in", "out"]);
}
