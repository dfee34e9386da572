//! F1 to F3: first in, last out, per business day.

use chrono::NaiveTime;
use punch_normalize::timeline::{DirectionRule, SinglePunch, TimelineRules};

use super::{directions, find, marks, shifts};

fn from(hour: u32) -> TimelineRules {
    let day_start = NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
    TimelineRules { direction: DirectionRule::FirstLast, day_start, ..TimelineRules::default() }
}

#[test]
fn f1_lunch_is_in_between() {
    let found = find(marks(&["08:00", "13:00", "14:00", "18:00"]), &from(4));
    assert_eq!(directions(&found), ["in", "intermediate", "intermediate", "out"]);
    assert_eq!(shifts(&found), 1);
}

const NIGHTS: [&str; 4] = ["0 22:00", "1 06:05", "1 22:01", "2 06:00"];

#[test]
fn f2_a_night_that_a_day_cuts_is_paired_wrongly() {
    // The wrong pairs, as any rule by calendar day makes them: the next test has the cure.
    assert_eq!(directions(&find(marks(&NIGHTS), &from(4))), ["in", "in", "out", "in"]);
}

#[test]
fn f3_with_days_from_noon_nights_are_right() {
    let found = find(marks(&NIGHTS), &from(12));
    assert_eq!((directions(&found), shifts(&found)), (vec!["in", "out", "in", "out"], 2));
    assert_eq!(found[1].business_date, found[0].business_date);
}

#[test]
fn a_single_punch_is_what_the_rule_says() {
    let single = |time, single| directions(&find(marks(&[time]), &TimelineRules { single, ..from(4) }))[0];
    assert_eq!(single("17:00", SinglePunch::In), "in");
    assert_eq!(single("17:00", SinglePunch::Unknown), "unknown");
    assert_eq!(single("15:59", SinglePunch::Midpoint), "in");
    assert_eq!(single("16:00", SinglePunch::Midpoint), "out");
    assert_eq!(single("1 03:59", SinglePunch::Midpoint), "out");
}
