//! A person's history, row by row: the same as all at once, and no larger than it has to be.

use chrono::TimeDelta;
use proptest::prelude::*;
use punch_normalize::timeline::{BounceRules, Change, Finding, History, Mark, Place, TimelineRules, infer};
use punch_normalize::{DeviceZone, EventId, Hint, TenantKey};
use punch_protocol::{Pin, RawPunch, SerialNumber, Status};

use super::{mark, time};

/// A punch with an identity of our own making.
fn own(local: chrono::NaiveDateTime, zone: DeviceZone, state: Option<u16>, device: u32) -> Mark {
    let key = TenantKey::new([7; 32]);
    let serial = SerialNumber::parse(&format!("T{device}")).unwrap();
    let mut raw = RawPunch::new(serial, Pin::new(b"1042").into_owned(), local);
    raw.status = state.map(Status);
    let at = zone.resolve(local, Hint::default()).instant;
    Mark { place: Place { device, site: 0 }, status: raw.status, ..Mark::new(key.event_id(&raw), at, local) }
}

fn utc(text: &str) -> Mark {
    own(time(text), DeviceZone::Utc, None, 0)
}

/// Zones of the specification, and a civil week in each that has a change of the clocks in its middle.
const CHANGES: [(&str, &str); 9] = [
    ("Europe/Madrid", "2026-03-27"),
    ("Europe/Madrid", "2026-10-23"),
    ("America/Santiago", "2026-04-03"),
    ("America/Santiago", "2026-09-04"),
    ("America/Tijuana", "2026-03-06"),
    ("America/Tijuana", "2026-10-30"),
    ("Australia/Lord_Howe", "2026-04-03"),
    ("Australia/Lord_Howe", "2026-10-02"),
    ("Asia/Kathmandu", "2026-05-01"),
];

/// Five days of punches around a change of the clocks.
fn histories() -> impl Strategy<Value = Vec<Mark>> {
    let punch = (0..5 * 86_400i64, prop_oneof![3 => Just(None), 1 => (0..4u16).prop_map(Some)], 0..2u32);
    (0..CHANGES.len(), proptest::collection::vec(punch, 1..30)).prop_map(|(change, punches)| {
        let (zone, day) = CHANGES[change];
        let (zone, day) = (DeviceZone::parse(zone).unwrap(), day.parse::<chrono::NaiveDate>().unwrap());
        let begin = day.and_hms_opt(0, 0, 0).unwrap();
        let make = |(number, (second, state, device)): (usize, (i64, Option<u16>, u32))| {
            let second = if number % 2 == 0 { second - second % 1800 } else { second };
            own(begin + TimeDelta::seconds(second), zone, state, device)
        };
        let mut marks: Vec<Mark> = punches.into_iter().enumerate().map(make).collect();
        marks.sort_by(|one, other| one.event_id.cmp(&other.event_id));
        marks.dedup_by(|one, other| one.event_id == other.event_id);
        marks
    })
}

fn sorted(findings: Vec<(EventId, Finding)>) -> Vec<(EventId, Finding)> {
    let mut findings = findings;
    findings.sort_by(|one, other| one.0.cmp(&other.0));
    findings
}

fn without_window() -> TimelineRules {
    let bounce = BounceRules { window: TimeDelta::zero(), ..BounceRules::default() };
    TimelineRules { bounce, ..TimelineRules::default() }
}

/// What becomes of rows that arrive one by one, told by nothing but the specification: the whole past is gone through
/// again with every row, every pair is compared, and what was told stays told.
fn reference(arrivals: &[Mark], rules: &TimelineRules) -> Vec<(EventId, Finding)> {
    let mut known: Vec<Mark> = Vec::new();
    let mut last = Vec::new();
    for arrival in arrivals {
        if known.iter().any(|other| other.event_id == arrival.event_id) {
            continue;
        }
        known.push(arrival.clone());
        known.sort_by(|one, other| (one.at, one.order, &one.event_id).cmp(&(other.at, other.order, &other.event_id)));
        let suppressed = suppressed(&known, rules);
        // What is kept is gone through alone, without a window: each is a punch of its own.
        let mut kept: Vec<Mark> = known.iter().filter(|mark| !suppressed.contains(&mark.event_id)).cloned().collect();
        let no_window = TimelineRules { bounce: without_window().bounce, ..rules.clone() };
        let findings = infer(&mut kept, &no_window, None);
        last = kept.iter().map(|mark| mark.event_id.clone()).zip(findings).collect();
        for mark in &mut known {
            mark.is_published |= !suppressed.contains(&mark.event_id);
        }
    }
    last
}

/// A punch is a second one if a kept punch of the same terminal stands less than the window before it, or one that was
/// told already stands less than the window behind it, unless both declare a state and differ.
fn suppressed(marks: &[Mark], rules: &TimelineRules) -> Vec<EventId> {
    let mut suppressed: Vec<EventId> = Vec::new();
    for mark in marks.iter().filter(|mark| !mark.is_published) {
        let is_kept = |other: &&Mark| !suppressed.contains(&other.event_id);
        let comparable = |other: &&Mark| other.place.device == mark.place.device && other.event_id != mark.event_id;
        let agrees = |other: &Mark| {
            let state = |mark: &Mark| mark.status.and_then(Status::declared);
            state(other).is_none() || state(mark).is_none() || state(other) == state(mark)
        };
        let is_before =
            |other: &&Mark| (other.at, other.order, &other.event_id) < (mark.at, mark.order, &mark.event_id);
        let anchor = marks.iter().filter(comparable).filter(is_kept).rfind(is_before);
        let near = |other: &Mark| (other.at - mark.at).abs() < rules.bounce.window;
        let behind_anchor = anchor.is_some_and(|anchor| near(anchor) && agrees(anchor));
        let in_front_of_told = marks
            .iter()
            .filter(comparable)
            .filter(|other| other.is_published && !is_before(other))
            .any(|other| near(other) && agrees(other));
        if behind_anchor || in_front_of_told {
            suppressed.push(mark.event_id.clone());
        }
    }
    suppressed
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn row_by_row_is_what_the_reference_says(mut arrivals in histories(), turn in 0..30usize) {
        let len = arrivals.len();
        arrivals.rotate_left(turn % len);
        let rules = TimelineRules::default();
        let mut history = History::default();
        for arrival in arrivals.clone() {
            history.take([arrival], &rules).unwrap();
        }
        let kept: Vec<_> = history.findings(&rules).into_iter().filter(|(_, finding)| finding.duplicate_of.is_none()).collect();
        prop_assert_eq!(sorted(kept), sorted(reference(&arrivals, &rules)));
    }

    /// Law 1, for histories: without a window, which goes by what was told first, the order decides nothing at all.
    #[test]
    fn any_order_and_any_batches_give_the_same(arrivals in histories(), turn in 0..30usize, batch in 1..9usize) {
        let rules = without_window();
        let mut whole = History::default();
        whole.take(arrivals.clone(), &rules).unwrap();
        let mut rotated = arrivals;
        let len = rotated.len();
        rotated.rotate_left(turn % len);
        let mut parts = History::default();
        for part in rotated.chunks(batch) {
            parts.take(part.to_vec(), &rules).unwrap();
        }
        prop_assert_eq!(sorted(whole.findings(&rules)), sorted(parts.findings(&rules)));
    }

    /// f(x + x) = f(x): the same rows again change nothing and tell nothing.
    #[test]
    fn rows_again_are_nothing_new(arrivals in histories()) {
        let rules = TimelineRules::default();
        let mut history = History::default();
        history.take(arrivals.clone(), &rules).unwrap();
        let before = history.clone();
        prop_assert!(history.take(arrivals, &rules).unwrap().is_empty());
        prop_assert!(history == before);
    }

    /// The changes that are told add up to what is found.
    #[test]
    fn the_changes_add_up(arrivals in histories()) {
        let rules = TimelineRules::default();
        let mut history = History::default();
        let mut told = alloc::collections::BTreeMap::new();
        for arrival in arrivals {
            for Change { event_id, old, new, revision, .. } in history.take([arrival], &rules).unwrap() {
                let before = told.insert(event_id, (new, revision));
                let next = before.as_ref().map_or(0, |(_, revision)| revision + 1);
                prop_assert_eq!((before.map(|(finding, _)| finding), next), (old, revision));
            }
        }
        let told: Vec<_> = told.into_iter().map(|(event_id, (finding, _))| (event_id, finding)).collect();
        prop_assert_eq!(told, sorted(history.findings(&rules)));
    }

    /// What is kept on disk is what was in memory, and a history that forgets goes on as one that does not.
    #[test]
    fn saved_and_shortened_it_goes_on_as_before(arrivals in histories(), cut in 0..30usize) {
        let rules = TimelineRules::default();
        let mut in_time = arrivals;
        in_time.sort_by_key(|mark| mark.at);
        let (early, late) = in_time.split_at(cut.min(in_time.len()));
        let mut whole = History::default();
        whole.take(early.to_vec(), &rules).unwrap();
        let mut short: History = serde_json::from_str(&serde_json::to_string(&whole).unwrap()).unwrap();
        prop_assert!(short == whole);
        // A backlog may reach half a day back.
        let Some(horizon) = late.first().map(|mark| mark.at - TimeDelta::hours(12)) else { return Ok(()) };
        // Time passes for both; what it changes is told by both.
        prop_assert_eq!(short.forget_before(horizon, &rules), whole.pass(horizon, &rules));
        for arrival in late {
            let changes = whole.take([arrival.clone()], &rules).unwrap();
            prop_assert_eq!(short.take([arrival.clone()], &rules).unwrap(), changes);
        }
    }
}

#[test]
fn a_batch_of_late_rows_is_one_look() {
    let rules = TimelineRules::default();
    let mut history = History::default();
    history.take([utc("08:00"), utc("18:00")], &rules).unwrap();
    let changes = history.take([utc("13:00"), utc("14:00")], &rules).unwrap();
    let told: Vec<(&str, u8)> = changes.iter().map(|change| (change.new.direction.as_str(), change.revision)).collect();
    assert_eq!(told, [("out", 0), ("in", 0)], "what was out stays out, so nothing is revised");
}

#[test]
fn what_was_told_is_not_taken_back_when_rows_arrive_late() {
    let rules = TimelineRules::default();
    let mut history = History::default();
    history.take([utc("08:01:40")], &rules).unwrap();
    let late = history.take([utc("08:00:20"), utc("08:01:10")], &rules).unwrap();
    let fates: Vec<bool> = late.iter().map(|change| change.new.duplicate_of.is_some()).collect();
    // D9; and the one that was told is a departure now.
    assert_eq!(fates, [false, true, false]);
    assert_eq!((late[2].revision, late[2].new.direction.as_str()), (1, "out"));
}

#[test]
fn a_history_forgets_what_can_no_longer_change() {
    let rules = TimelineRules::default();
    let mut history = History::default();
    for day in 0..30 {
        history.take([utc(&format!("{day} 08:00")), utc(&format!("{day} 17:00"))], &rules).unwrap();
    }
    assert_eq!(history.forget_before(time("29 00:00").and_utc(), &rules), []);
    assert_eq!(history.len(), 4, "the last day before the horizon, and the one behind it");
    drop(history.forget_before(time("31 12:00").and_utc(), &rules));
    assert!(history.is_empty());
    assert_eq!(format!("{history:?}"), "History(0 punches)");
}

#[test]
fn nobody_fills_a_history_without_end() {
    let rules = TimelineRules::default();
    let mut history = History::default();
    let punches = (0..700u32)
        .map(|number| own(time("00:00") + TimeDelta::minutes(i64::from(number) * 5), DeviceZone::Utc, None, 0));
    history.take(punches, &rules).unwrap();
    assert_eq!(history.len(), History::MARKS_MAX);
}

#[test]
fn an_identity_of_somebody_else_has_no_place() {
    let mut history = History::default();
    let foreign = mark("08:00");
    assert!(history.take([utc("09:00"), foreign], &TimelineRules::default()).is_err());
    assert!(history.is_empty(), "nothing is taken then");
}

#[test]
fn whoever_has_not_left_is_told_when_time_has_passed_and_once() {
    let rules = TimelineRules::default();
    let mut history = History::default();
    history.take([utc("08:00")], &rules).unwrap();
    assert_eq!(history.pass(time("22:00").and_utc(), &rules), []);
    let told = history.pass(time("22:01").and_utc(), &rules);
    assert_eq!((told.len(), told[0].revision), (1, 1));
    assert_eq!(told[0].new.exceptions.words().collect::<Vec<_>>(), ["missing_out"]);
    assert_eq!(history.pass(time("23:00").and_utc(), &rules), []);
    // A row from before it comes all the same.
    let late = history.take([utc("17:00")], &rules).unwrap();
    assert_eq!((late.len(), late[0].new.exceptions.is_empty(), late[0].revision), (2, true, 2));
}
