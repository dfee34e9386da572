//! Several rows of one upload: order, and the repeated hour.

use chrono::TimeDelta;
use proptest::prelude::*;
use punch_normalize::TimeQuality::{FoldGuess, FoldLive, FoldOrder};
use punch_normalize::{Observation, Rules, TimeQuality, Verdict};

use crate::build::{instant, later, normalizer, pin, raw, raw_at, serial, utc_rules, zone};

/// Judges rows of different people, in the order given, and reports them in that order.
fn madrid(rows: &[&str]) -> Vec<(String, TimeQuality)> {
    let observations = rows.iter().enumerate().map(|(index, time)| {
        let mut raw = raw(time);
        raw.pin = pin(&format!("{}", index + 1));
        Observation::new(raw, instant("2026-10-26T00:00:00Z"))
    });
    resolved(&Rules::new(zone("Europe/Madrid")), observations.collect())
}

fn resolved(rules: &Rules, observations: Vec<Observation>) -> Vec<(String, TimeQuality)> {
    let mut verdicts = normalizer().observe_all(rules, observations);
    verdicts.sort_by_key(|(index, _)| *index);
    let times = verdicts.iter().map(|(_, verdict)| {
        let punch = verdict.fresh().unwrap();
        (punch.punched_at.format("%H:%M").to_string(), punch.time_quality)
    });
    times.collect()
}

fn expected(rows: &[(&str, TimeQuality)]) -> Vec<(String, TimeQuality)> {
    rows.iter().map(|(time, quality)| ((*time).to_owned(), *quality)).collect()
}

// T2, T3: the terminal's own order tells when the clock went back
#[test]
fn the_clock_going_back_inside_an_upload_is_seen() {
    let found = madrid(&["2026-10-25 02:10:00", "2026-10-25 02:50:00", "2026-10-25 02:20:00", "2026-10-25 02:55:00"]);
    let wanted = [("00:10", FoldGuess), ("00:50", FoldOrder), ("01:20", FoldOrder), ("01:55", FoldOrder)];
    assert_eq!(found, expected(&wanted));
}

// T5: a dead clock before the row proves nothing
#[test]
fn a_dead_clock_is_no_hint() {
    let mut observations = vec![
        later(raw("2000-01-01 00:00:01")),
        Observation::new(raw("2026-10-25 02:30:00"), instant("2026-10-26T00:00:00Z")),
    ];
    observations[0].raw.pin = pin("7");
    let verdicts = normalizer().observe_all(&Rules::new(zone("Europe/Madrid")), observations);
    assert_eq!(verdicts[1].1.fresh().unwrap().time_quality, FoldGuess);
}

// T2: the previous row is one of the same terminal
#[test]
fn another_terminal_is_no_hint() {
    let received_at = instant("2026-10-26T00:00:00Z");
    let mut other = raw("2026-10-25 03:30:00");
    other.serial = serial("BKRK233600045");
    let mut before = raw("2026-10-25 02:50:00");
    before.pin = pin("7");
    let rows = [before, other, raw("2026-10-25 02:30:00")].map(|raw| Observation::new(raw, received_at));
    let found = resolved(&Rules::new(zone("Europe/Madrid")), rows.into());
    assert_eq!(found[2], ("01:30".to_owned(), FoldOrder));
}

// T4
#[test]
fn a_live_row_is_dated_by_its_receipt() {
    let mut observation = Observation::new(raw("2026-10-25 02:30:00"), instant("2026-10-25T01:30:02Z"));
    observation.live = true;
    let verdict = normalizer().observe(&Rules::new(zone("Europe/Madrid")), observation.clone());
    let punch = verdict.fresh().unwrap();
    assert_eq!((punch.punched_at, punch.time_quality), (instant("2026-10-25T01:30:00Z"), FoldLive));

    observation.live = false;
    let verdict = normalizer().observe(&Rules::new(zone("Europe/Madrid")), observation);
    let punch = verdict.fresh().unwrap();
    assert_eq!((punch.punched_at, punch.time_quality), (instant("2026-10-25T00:30:00Z"), FoldGuess));
}

proptest! {
    // T2 to T4: what dated a row among others dates it when it is given alone
    #[test]
    fn a_row_given_without_its_neighbours_keeps_its_hour(
        rows in prop::collection::vec((0i64..4 * 3600, any::<bool>()), 1..8),
    ) {
        let start = raw("2026-10-25 01:00:00").time;
        let observations: Vec<Observation> = rows.iter().map(|(seconds, live)| {
            let mut row = raw("2026-10-25 01:00:00");
            row.time = start + TimeDelta::seconds(*seconds);
            let mut observation = Observation::new(row, instant("2026-10-25T01:20:00Z"));
            observation.live = *live;
            observation
        }).collect();
        let (rules, normalizer) = (Rules::new(zone("Europe/Madrid")), normalizer());
        let together = normalizer.date(&rules, observations.clone());
        for (mut observation, among_others) in observations.into_iter().zip(together) {
            (observation.hint, observation.order) = (Some(among_others.hint), Some(among_others.order));
            prop_assert_eq!(normalizer.date(&rules, vec![observation]), vec![among_others]);
        }
    }
}

#[test]
fn verdicts_come_in_time_order_with_the_index_of_their_row() {
    let rows = [300, 0, 120, 20].map(|seconds| later(raw_at(seconds, None)));
    let verdicts = normalizer().observe_all(&utc_rules(), rows.into());
    let order: Vec<_> = verdicts.iter().map(|(index, verdict)| (*index, verdict.fresh().is_some())).collect();
    assert_eq!(order, [(1, true), (3, false), (2, true), (0, true)]);
}

#[test]
fn an_empty_upload_is_no_verdict() {
    assert_eq!(normalizer().observe_all(&utc_rules(), Vec::new()), []);
}

// I9: a row that is held costs no neighbour
#[test]
fn a_held_row_costs_no_neighbour() {
    let rows = ["2026-03-28 08:00:00", "2000-01-01 00:00:00", "2026-03-28 12:00:00"].map(|time| later(raw(time)));
    let verdicts = normalizer().observe_all(&utc_rules(), rows.into());
    assert_eq!(verdicts.iter().filter(|(_, verdict)| verdict.fresh().is_some()).count(), 2);
    assert!(verdicts.iter().any(|(index, verdict)| *index == 1 && matches!(verdict, Verdict::Held { .. })));
}
