//! A1 to A11: no usable state.

use chrono::{NaiveDate, TimeDelta};
use punch_normalize::timeline::{BusinessDay, TimelineRules};
use punch_normalize::{Direction, DirectionSource};

use super::{directions, exceptions, find, mark, marks, shifts};

fn rules() -> TimelineRules {
    TimelineRules::default()
}

/// Eight to five from Monday on, with the punch at this place left out.
fn week_without(place: usize) -> Vec<&'static str> {
    let mut week = vec![
        "0 08:00", "0 17:00", "1 08:00", "1 17:00", "2 08:00", "2 17:00", "3 08:00", "3 17:00", "4 08:00", "4 17:00",
    ];
    week.remove(place);
    week
}

#[test]
fn a1_a_forgotten_arrival_turns_a_week_around_if_shifts_may_be_too_long() {
    let rules = TimelineRules { max_shift: TimeDelta::hours(16), ..rules() };
    let found = find(marks(&week_without(0)), &rules);
    assert_eq!(directions(&found), ["in", "out", "in", "out", "in", "out", "in", "out", "in"]);
    let trap = rules.check(TimeDelta::hours(9)).unwrap_err();
    assert_eq!((trap.max_shift_hours, trap.off_duty_hours), (16, 15));
}

#[test]
fn a2_a_forgotten_arrival_heals_the_next_morning() {
    let found = find(marks(&week_without(0)), &rules());
    assert_eq!(directions(&found), ["in", "in", "out", "in", "out", "in", "out", "in", "out"]);
    let missing: Vec<usize> = (0..found.len()).filter(|&at| !found[at].exceptions.is_empty()).collect();
    assert_eq!((missing, exceptions(&found)[0].clone()), (vec![0], vec!["missing_out"]));
    assert!(rules().check(TimeDelta::hours(9)).is_ok());
}

#[test]
fn a3_a_forgotten_departure_heals_the_next_morning() {
    let found = find(marks(&week_without(1)), &rules());
    assert_eq!(directions(&found)[..4], ["in", "in", "out", "in"]);
    assert_eq!(exceptions(&found)[0], ["missing_out"]);
    assert!(found[1..].iter().all(|finding| finding.exceptions.is_empty()));
}

#[test]
fn a4_nights() {
    let found = find(marks(&["0 22:00", "1 06:05", "1 22:01", "2 06:00"]), &rules());
    assert_eq!(directions(&found), ["in", "out", "in", "out"]);
    assert_eq!(shifts(&found), 2);
    let monday = NaiveDate::from_ymd_opt(2026, 3, 2);
    assert_eq!((found[0].business_date, found[1].business_date), (monday, monday), "a night belongs to its evening");
}

#[test]
fn a5_lunch_is_part_of_the_shift() {
    let found = find(marks(&["08:00", "13:00", "14:00", "18:00"]), &rules());
    assert_eq!(directions(&found), ["in", "out", "in", "out"]);
    assert_eq!(shifts(&found), 1);
    assert!(found.iter().all(|finding| finding.source == DirectionSource::Alternate && finding.confidence == 60));
}

#[test]
fn a6_a_split_day_is_two_shifts() {
    let found = find(marks(&["06:00", "10:00", "16:00", "20:00"]), &rules());
    assert_eq!((directions(&found), shifts(&found)), (vec!["in", "out", "in", "out"], 2));
}

#[test]
fn a7_a_double_shift_is_one() {
    let found = find(marks(&["06:00", "14:00", "14:20", "22:00"]), &rules());
    assert_eq!((directions(&found), shifts(&found)), (vec!["in", "out", "in", "out"], 1));
}

#[test]
fn a8_a_row_from_an_offline_terminal_changes_what_came_after_it() {
    let before = find(marks(&["08:00", "14:00", "18:00"]), &rules());
    assert_eq!(directions(&before), ["in", "out", "in"]);
    let after = find(marks(&["08:00", "14:00", "18:00", "13:00"]), &rules());
    assert_eq!(directions(&after), ["in", "out", "in", "out"]);
}

#[test]
fn a9_every_order_of_arrival_gives_the_same() {
    let times = ["08:00", "13:00", "14:00", "18:00"];
    let expected = find(marks(&times), &rules());
    let mut orders = 0;
    for one in 0..4 {
        for two in (0..4).filter(|at| *at != one) {
            for three in (0..4).filter(|at| ![one, two].contains(at)) {
                let four = 6 - one - two - three;
                let order: Vec<&str> = [one, two, three, four].map(|at| times[at]).into();
                assert_eq!(find(marks(&order), &rules()), expected);
                orders += 1;
            }
        }
    }
    assert_eq!(orders, 24);
}

#[test]
fn a10_a_departure_at_the_very_end_of_the_longest_shift() {
    assert_eq!(directions(&find(marks(&["06:00", "20:00"]), &rules())), ["in", "out"]);
    let late = find(marks(&["06:00", "20:00:01"]), &rules());
    assert_eq!((directions(&late), exceptions(&late)[0].clone()), (vec!["in", "in"], vec!["missing_out"]));
}

#[test]
fn a11_a_pause_of_exactly_four_hours_begins_a_new_shift() {
    assert_eq!(shifts(&find(marks(&["06:00", "10:00", "14:00", "18:00"]), &rules())), 2);
    assert_eq!(shifts(&find(marks(&["06:00", "10:00", "13:59:59", "18:00"]), &rules())), 1);
}

#[test]
fn nothing_is_inferred_if_nothing_may_be() {
    let found = find(marks(&["08:00", "17:00"]), &TimelineRules { infer: false, ..rules() });
    assert!(found.iter().all(|finding| finding.direction == Direction::Unknown && finding.confidence == 0));
    assert!(found.iter().all(|finding| finding.source == DirectionSource::None && finding.session.is_some()));
}

#[test]
fn a_shift_belongs_to_the_day_that_the_rule_says() {
    let night = ["0 20:00", "1 05:00"];
    let dates = |business_day| -> Vec<u32> {
        let found = find(marks(&night), &TimelineRules { business_day, ..rules() });
        found.iter().map(|finding| chrono::Datelike::day(&finding.business_date.unwrap())).collect()
    };
    assert_eq!(dates(BusinessDay::Start), [2, 2]);
    assert_eq!(dates(BusinessDay::End), [3, 3]);
    assert_eq!(dates(BusinessDay::MostTime), [3, 3]);
    assert_eq!(dates(BusinessDay::SplitMidnight), [2, 3]);
}

#[test]
fn whoever_has_not_left_in_time_has_forgotten_to() {
    let mut alone = vec![mark("08:00")];
    let until = |text| Some(super::time(text).and_utc());
    let open = punch_normalize::timeline::infer(&mut alone, &rules(), until("22:00"));
    assert!(open[0].exceptions.is_empty());
    let late = punch_normalize::timeline::infer(&mut alone, &rules(), until("22:00:01"));
    assert_eq!(exceptions(&late), [["missing_out"]]);
}
