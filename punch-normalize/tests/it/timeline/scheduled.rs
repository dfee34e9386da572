//! Shifts and their windows.

use chrono::{Datelike as _, NaiveDate, NaiveTime, TimeDelta, Weekday};
use punch_normalize::DirectionSource;
use punch_normalize::timeline::{Days, DirectionRule, Schedule, ShiftPattern, TimelineRules};

use super::{directions, exceptions, find, marks, shifts, time};

fn shift(name: &str, start: u32, end: u32) -> ShiftPattern {
    let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
    let two = TimeDelta::hours(2);
    ShiftPattern {
        name: name.into(),
        start: at(start),
        end: at(end),
        before: two,
        after: two,
        days: Days::ALL,
        from: None,
        to: None,
    }
}

fn on(pattern: ShiftPattern, day: i64) -> ShiftPattern {
    let date: NaiveDate = time("00:00").date() + TimeDelta::days(day);
    ShiftPattern { from: Some(date), to: Some(date), ..pattern }
}

fn rules(assigned: Vec<ShiftPattern>) -> TimelineRules {
    let schedule = Schedule { assigned, default: vec![shift("default", 9, 17)] };
    TimelineRules { direction: DirectionRule::Schedule, schedule, ..TimelineRules::default() }
}

/// hrms#3298: the departure of a night went to the evening behind it.
#[test]
fn the_night_and_the_evening_behind_it() {
    let rules = rules(vec![on(shift("night", 18, 7), 0), on(shift("evening", 14, 20), 1)]);
    let name = |text| rules.schedule.window(time(text)).map(|window| (window.name, window.direction.as_str()));
    assert_eq!(name("0 18:30"), Some(("night", "in")));
    assert_eq!(name("1 07:10"), Some(("night", "out")));
    assert_eq!(name("1 13:50"), Some(("evening", "in")));
    assert_eq!(name("1 20:05"), Some(("evening", "out")));
    assert_eq!(name("1 11:00"), None);
    let found = find(marks(&["0 18:30", "1 07:10", "1 13:50", "1 20:05"]), &rules);
    assert_eq!((directions(&found), shifts(&found)), (vec!["in", "out", "in", "out"], 2));
    assert!(found.iter().all(|finding| finding.source == DirectionSource::Schedule));
    assert_eq!(found[1].business_date.unwrap().day(), 2);

    let stray = find(marks(&["0 18:30", "1 07:10", "1 11:00", "1 13:50", "1 20:05"]), &rules);
    assert_eq!(directions(&stray), ["in", "out", "in", "in", "out"]);
    assert_eq!((stray[2].source, exceptions(&stray)[2].clone()), (DirectionSource::Alternate, vec!["missing_out"]));
}

#[test]
fn back_to_back_shifts_meet_half_way() {
    let rules = rules(vec![shift("early", 6, 14), shift("late", 14, 22)]);
    let name = |text| rules.schedule.window(time(text)).map(|window| (window.name, window.direction.as_str()));
    assert_eq!(name("13:55"), Some(("early", "out")));
    assert_eq!(name("14:00"), Some(("late", "in")));
    let found = find(marks(&["06:00", "13:55", "14:00", "22:05"]), &rules);
    assert_eq!((directions(&found), shifts(&found)), (vec!["in", "out", "in", "out"], 2));
}

/// hrms#3839: only the shifts assigned to a person count; the default is for who has none.
#[test]
fn the_default_shift_is_for_who_has_none() {
    let own = rules(vec![shift("late", 14, 22)]);
    assert_eq!(own.schedule.window(time("09:00")), None);
    let none = rules(Vec::new());
    assert_eq!(none.schedule.window(time("09:00")).map(|window| window.name), Some("default"));
}

#[test]
fn a_shift_is_worked_on_its_days_only() {
    let weekdays = [Weekday::Mon, Weekday::Tue].into_iter().fold(Days::NONE, Days::with);
    let rules = rules(vec![ShiftPattern { days: weekdays, ..shift("night", 22, 6) }]);
    let has = |text| rules.schedule.window(time(text)).is_some();
    assert!(has("0 22:00") && has("2 06:30"), "Monday's begins, Tuesday's ends on Wednesday");
    assert!(!has("2 22:00") && !has("0 06:00"), "there is none of Wednesday, and none of Sunday");
}

#[test]
fn a_forgotten_departure_does_not_reach_into_the_next_shift() {
    let rules = rules(vec![shift("early", 6, 14), shift("late", 14, 22)]);
    let found = find(marks(&["06:00", "14:05", "22:00"]), &rules);
    assert_eq!((directions(&found), exceptions(&found)[0].clone()), (vec!["in", "in", "out"], vec!["missing_out"]));
}
