//! 6.5: a departure that nobody made. Nothing is invented unless somebody says what to put there, and then it says so.

use chrono::TimeDelta;
use punch_normalize::timeline::{Closing, Days, DirectionRule, Schedule, ShiftPattern, TimelineRules};

use super::{find, marks, time};

fn closed(closing: Closing, times: &[&str]) -> Vec<Option<(String, &'static str)>> {
    let day = ShiftPattern {
        name: "day".to_owned(),
        start: time("08:00").time(),
        end: time("17:00").time(),
        before: TimeDelta::hours(2),
        after: TimeDelta::hours(2),
        days: Days::ALL,
        from: None,
        to: None,
    };
    let schedule = Schedule { assigned: vec![day], default: Vec::new() };
    let rules = TimelineRules { direction: DirectionRule::Declared, schedule, closing, ..TimelineRules::default() };
    let found = find(marks(times), &rules);
    let text = |finding: &punch_normalize::timeline::Finding| {
        finding.synthetic_out.map(|out| (out.local.format("%d %H:%M").to_string(), out.reason))
    };
    found.iter().map(text).collect()
}

#[test]
fn nothing_stands_for_a_missing_departure_unless_it_is_asked_for() {
    let forgotten = ["0 08:10", "1 08:00", "1 17:00"];
    let with = |closing| closed(closing, &forgotten);
    let out = |at: &str, reason| vec![Some((at.to_owned(), reason)), None, None];
    assert_eq!(with(Closing::None), [None, None, None]);
    assert_eq!(with(Closing::ShiftEnd), out("02 17:00", "shift_end"));
    assert_eq!(with(Closing::Cap(TimeDelta::hours(10))), out("02 18:10", "max_shift"));
    assert_eq!(with(Closing::Fixed(time("18:00").time())), out("02 18:00", "fixed"));
    assert_eq!(with(Closing::Fixed(time("06:00").time())), out("03 06:00", "fixed"), "the next one");
}

#[test]
fn no_end_is_put_before_the_arrival_it_closes() {
    // Out of every shift, and behind the end of one: neither says when anybody left.
    assert_eq!(closed(Closing::ShiftEnd, &["0 03:00", "1 08:00"])[0], None);
    assert_eq!(closed(Closing::ShiftEnd, &["0 17:30", "1 08:30"])[0], None);
}
