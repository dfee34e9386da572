//! One arrival, one event: D1 to D9, WHK-71 and WHK-72.

use chrono::TimeDelta;
use punch_normalize::{DuplicateKind, Normalizer, Rules, Verdict};

use crate::build::{later, normalizer, pin, raw_at, recall, recall_punch, serial, utc_rules};

/// Which of the rows are kept, observed one by one in the order given.
fn kept(rows: &[(i64, Option<u16>)]) -> Vec<i64> {
    kept_by(&mut normalizer(), &utc_rules(), rows)
}

fn kept_by(normalizer: &mut Normalizer, rules: &Rules, rows: &[(i64, Option<u16>)]) -> Vec<i64> {
    let fresh = |row: &&(i64, Option<u16>)| normalizer.observe(rules, later(raw_at(row.0, row.1))).fresh().is_some();
    rows.iter().filter(fresh).map(|row| row.0).collect()
}

fn stateless(times: &[i64]) -> Vec<(i64, Option<u16>)> {
    times.iter().map(|time| (*time, None)).collect()
}

// D1, S2-061, S0-069
#[test]
fn a_punch_59_seconds_later_is_the_same() {
    assert_eq!(kept(&stateless(&[0, 59])), [0]);
}

// D2, S2-061
#[test]
fn a_punch_60_seconds_later_is_another() {
    assert_eq!(kept(&stateless(&[0, 60])), [0, 60]);
}

// D3, D4
#[test]
fn the_window_is_anchored_and_does_not_slide() {
    assert_eq!(kept(&stateless(&[0, 50, 100])), [0, 100]);
    assert_eq!(kept(&stateless(&[0, 50, 100, 150, 200])), [0, 100, 200]);
}

// D5: one second, one with a key and one without: the terminal's order decides
#[test]
fn of_two_rows_in_one_second_the_first_is_kept() {
    for (one, other) in [(Some(0), None), (None, Some(0))] {
        let rows = vec![later(raw_at(0, one)), later(raw_at(0, other))];
        let verdicts = normalizer().observe_all(&utc_rules(), rows);
        let [(0, Verdict::Fresh(first)), (1, Verdict::Duplicate { of, kind: DuplicateKind::Bounce, .. })] =
            verdicts.as_slice()
        else {
            panic!("expected a kept and a bounced row, found {verdicts:?}")
        };
        assert_eq!(of, &first.event_id);
    }
}

// D6: another terminal is another scope
#[test]
fn another_terminal_never_bounces() {
    let mut normalizer = normalizer();
    let mut exit = raw_at(8, None);
    exit.serial = serial("BKRK233600045");
    assert!(normalizer.observe(&utc_rules(), later(raw_at(0, None))).fresh().is_some());
    assert!(normalizer.observe(&utc_rules(), later(exit)).fresh().is_some());
}

// D7
#[test]
fn two_different_keys_are_two_punches() {
    assert_eq!(kept(&[(0, Some(0)), (5, Some(1))]), [0, 5]);
    // The correction back is one too: the last punch kept before it is the other key.
    assert_eq!(kept(&[(0, Some(0)), (5, Some(1)), (10, Some(0))]), [0, 5, 10]);
    assert_eq!(kept(&[(0, Some(0)), (5, Some(1)), (10, Some(1))]), [0, 5]);
}

// D7: 255 and an absent state contradict nothing
#[test]
fn no_key_does_not_make_another_punch() {
    assert_eq!(kept(&[(0, Some(0)), (5, Some(255))]), [0]);
    assert_eq!(kept(&[(0, Some(0)), (5, None)]), [0]);
    assert_eq!(kept(&[(0, Some(255)), (5, Some(1))]), [0]);
}

// D7: keys the manual does not name are keys all the same
#[test]
fn unnamed_keys_count_as_keys() {
    assert_eq!(kept(&[(0, Some(15)), (5, Some(99))]), [0, 5]);
}

// D8, S2-061
#[test]
fn a_late_row_just_before_a_kept_one_is_suppressed() {
    assert_eq!(kept(&stateless(&[100, 70])), [100]);
    assert_eq!(kept(&stateless(&[100, 41])), [100]);
    assert_eq!(kept(&stateless(&[100, 40])), [100, 40]);
}

// D8: what is published comes from the store after a restart
#[test]
fn a_recalled_punch_is_as_good_as_an_observed_one() {
    let mut first = normalizer();
    let verdict = first.observe(&utc_rules(), later(raw_at(100, None)));

    let mut second = normalizer();
    recall(&mut second, &verdict, 0);
    recall(&mut second, &verdict, 0);
    assert_eq!(second.len(), 1);
    assert_eq!(kept_by(&mut second, &utc_rules(), &stateless(&[100, 70, 159, 160])), [160]);
}

// D9
#[test]
fn a_backlog_fills_in_around_a_published_punch() {
    let mut normalizer = normalizer();
    assert_eq!(kept_by(&mut normalizer, &utc_rules(), &stateless(&[100])), [100]);
    let backlog = vec![later(raw_at(70, None)), later(raw_at(20, None))];
    let verdicts = normalizer.observe_all(&utc_rules(), backlog);
    let [(1, Verdict::Fresh(_)), (0, Verdict::Duplicate { kind: DuplicateKind::Bounce, .. })] = verdicts.as_slice()
    else {
        panic!("expected 20 kept and 70 suppressed, found {verdicts:?}")
    };
}

// WHK-71, S2-061, S0-069
#[test]
fn exactly_60_seconds_after_the_kept_punch_is_new() {
    let mut normalizer = normalizer();
    let mut fresh = |device: &str, employee: &str, seconds: i64| {
        let mut raw = raw_at(seconds, None);
        raw.serial = serial(device);
        raw.pin = pin(employee);
        normalizer.observe(&utc_rules(), later(raw)).fresh().is_some()
    };
    assert!(fresh("A", "1042", 0));
    assert!(!fresh("A", "1042", 59));
    assert!(fresh("A", "1042", 60));
    assert!(fresh("B", "1042", 10));
    assert!(fresh("A", "1043", 10));
}

// WHK-72, S2-063
#[test]
fn the_window_does_not_slide_with_suppressed_punches() {
    assert_eq!(kept(&stateless(&[0, 40, 80])), [0, 80]);
}

// S2-062
#[test]
fn the_window_is_configurable_and_zero_disables_it() {
    let mut rules = utc_rules();
    assert_eq!(rules.timeline.bounce.window, TimeDelta::seconds(60));
    rules.timeline.bounce.window = TimeDelta::seconds(5);
    assert_eq!(kept_by(&mut normalizer(), &rules, &stateless(&[0, 4, 5])), [0, 5]);
    rules.timeline.bounce.window = TimeDelta::zero();
    assert_eq!(kept_by(&mut normalizer(), &rules, &[(0, None), (0, Some(0)), (1, None)]), [0, 0, 1]);
    rules.timeline.bounce.window = TimeDelta::MIN;
    assert_eq!(kept_by(&mut normalizer(), &rules, &stateless(&[0, 1])), [0, 1]);
    rules.timeline.bounce.window = TimeDelta::MAX;
    assert_eq!(kept_by(&mut normalizer(), &rules, &stateless(&[0, 86_400, -86_400])), [0]);
}

// S2-063: a suppressed row names its punch and can be stored
#[test]
fn a_bounce_names_the_punch_that_stands_for_it() {
    let mut normalizer = normalizer();
    let first = normalizer.observe(&utc_rules(), later(raw_at(0, None)));
    let second = normalizer.observe(&utc_rules(), later(raw_at(10, None)));
    let Verdict::Duplicate { event_id, of, kind, punch } = second else { panic!("expected a bounce") };
    assert_eq!(kind, DuplicateKind::Bounce);
    assert_eq!(&of, first.event_id());
    assert_eq!(event_id, punch.event_id);
    assert_eq!(punch.punched_at, raw_at(10, None).time.and_utc());
}

#[test]
fn a_recalled_suppressed_row_is_a_replay() {
    let mut first = normalizer();
    let kept = first.observe(&utc_rules(), later(raw_at(0, None)));
    let bounced = first.observe(&utc_rules(), later(raw_at(50, None)));

    let mut second = normalizer();
    recall(&mut second, &kept, 0);
    recall(&mut second, &bounced, 0);
    let again = second.observe(&utc_rules(), later(raw_at(50, None)));
    assert!(matches!(again, Verdict::Duplicate { kind: DuplicateKind::Replay, .. }));
    // It was no punch, so it suppresses nothing.
    assert!(second.observe(&utc_rules(), later(raw_at(100, None))).fresh().is_some());
}

#[test]
fn a_recalled_punch_moves_with_a_zone_fix() {
    let mut normalizer = normalizer();
    let verdict = normalizer.observe(&utc_rules(), later(raw_at(0, None)));
    let mut moved = verdict.fresh().unwrap().clone();
    moved.punched_at += TimeDelta::hours(1);
    recall_punch(&mut normalizer, &moved, true, 0);
    assert_eq!(kept_by(&mut normalizer, &utc_rules(), &stateless(&[10, 3610])), [10]);
}

#[test]
fn forgetting_bounds_the_memory() {
    let rules = utc_rules();
    let mut normalizer = normalizer();
    kept_by(&mut normalizer, &rules, &stateless(&[0, 10, 600]));
    assert_eq!(normalizer.len(), 3);
    // Somebody may still come back from a pause, and be in the same shift.
    normalizer.forget_before(raw_at(600 + 3600, None).time.and_utc(), &rules.timeline);
    assert_eq!(normalizer.len(), 3);
    assert!(kept_by(&mut normalizer, &rules, &stateless(&[600])).is_empty());
    normalizer.forget_before(raw_at(600 + 4 * 3600, None).time.and_utc(), &rules.timeline);
    assert!(normalizer.is_empty());
}
