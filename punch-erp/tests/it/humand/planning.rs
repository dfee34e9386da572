//! What is sent, and what is not, of the punches of one person.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use punch_erp::humand::{AlternationRules, Entry, EntryKind, Fate, InferUnknown, Mark, OnViolation, Plan};
use punch_normalize::{Direction, EventId};

use super::world::{at, local};

fn direction(word: &str) -> Direction {
    match word {
        "in" => Direction::In,
        "out" => Direction::Out,
        _ => Direction::Unknown,
    }
}

fn mark(text: &str) -> Mark {
    let (time, word) = text.rsplit_once(' ').unwrap();
    let is_inferred = word.ends_with('?');
    let zone = chrono::FixedOffset::west_opt(3 * 3600).unwrap();
    let id = text.replace([' ', ':', '.'], "");
    let at = local(time).with_timezone(&zone);
    let mut mark = Mark::new(EventId::parse(&id).unwrap(), at, direction(word.trim_end_matches('?')));
    mark.is_inferred = is_inferred;
    mark
}

/// An entry of somebody else's making. Its id is its text.
fn entry(text: &str) -> Entry {
    let (time, word) = text.rsplit_once(' ').unwrap();
    let kind = if word == "START" { EntryKind::Start } else { EntryKind::End };
    Entry::new(text, kind, local(time), "")
}

fn rules() -> AlternationRules {
    AlternationRules::default()
}

fn now() -> DateTime<Utc> {
    local("31 12:00:00")
}

fn said(fate: &Fate) -> String {
    match fate {
        Fate::Standing(id) => format!("= {id}"),
        Fate::Repeats(id) => format!("repeats {}", id.as_deref().unwrap_or("what is sent")),
        Fate::Send(EntryKind::Start) => "START".to_owned(),
        Fate::Send(EntryKind::End) => "END".to_owned(),
        Fate::Alternation(id) => format!("parked by {}", id.as_deref().unwrap_or("what is sent")),
        Fate::OrphanOut => "orphan".to_owned(),
        Fate::Undirected => "undirected".to_owned(),
        Fate::Held(_) => "held".to_owned(),
        other => format!("{other:?}"),
    }
}

fn plan(standing: &[&str], marks: &[&str], rules: &AlternationRules) -> Vec<String> {
    let standing: Vec<_> = standing.iter().map(|text| entry(text)).collect();
    let marks: Vec<_> = marks.iter().map(|text| mark(text)).collect();
    Plan::of(&standing, &marks, rules, now()).fates.iter().map(said).collect()
}

/// Section 3, line by line, the night shift and late punches above all.
#[test]
fn situations() {
    for (standing, marks, fates) in [
        // A day, in any order.
        (
            &[][..],
            &["08:00:00 in", "12:00:00 out", "13:00:00 in", "17:00:00 out"][..],
            &["START", "END", "START", "END"][..],
        ),
        (&[], &["17:00:00 out", "08:00:00 in"], &["END", "START"]),
        // The same direction again: within a minute the same punch, later a second one.
        (&["08:00:00 START"], &["08:00:59 in"], &["repeats 08:00:00 START"]),
        (&["08:00:00 START"], &["08:01:00 in"], &["parked by 08:00:00 START"]),
        (&["08:00:00 START"], &["07:59:10 in"], &["repeats 08:00:00 START"]),
        (&["08:00:00 START"], &["07:50:00 in"], &["parked by 08:00:00 START"]),
        (&["08:00:00 START", "17:00:00 END"], &["17:00:30 out"], &["repeats 17:00:00 END"]),
        (&["08:00:00 START", "17:00:00 END"], &["17:30:00 out"], &["parked by 17:00:00 END"]),
        (&[], &["08:00:00 in", "13:00:00 in", "17:00:00 out"], &["START", "parked by what is sent", "END"]),
        // Two people at the door: the third is no repetition of the first.
        (&["08:00:00 START", "08:00:20 END"], &["08:00:40 in"], &["START"]),
        // Within a second it is the entry itself.
        (&["08:00:00 START"], &["08:00:01 in"], &["= 08:00:00 START"]),
        (&["08:00:00 START"], &["07:59:59 in"], &["= 08:00:00 START"]),
        // Night shifts.
        (&["26 22:00:00 START"], &["06:00:00 out"], &["END"]),
        (&["25 22:00:00 START"], &["06:00:00 out"], &["orphan"]),
        (&["26 14:00:00 START", "26 22:00:00 END"], &["06:00:00 out"], &["orphan"]),
        (&[], &["06:00:00 out", "26 22:00:00 in"], &["END", "START"]),
        // Forgotten departures end with the day.
        (&["26 08:00:00 START"], &["08:00:00 in"], &["START"]),
        (&[], &["17:00:00 out"], &["orphan"]),
        // Late, with room between neighbours of the other kind, or without.
        (&["08:00:00 START", "17:00:00 START"], &["12:00:00 out"], &["END"]),
        (&["08:00:00 START", "17:00:00 END"], &["12:00:00 out"], &["parked by 17:00:00 END"]),
        (&["08:00:00 START", "17:00:00 END"], &["12:00:00 in"], &["parked by 08:00:00 START"]),
        (&["08:00:00 START", "12:00:00 END", "17:00:00 END"], &["13:00:00 in"], &["START"]),
        (&["08:00:00 START", "12:00:00 END", "13:00:00 START"], &["12:30:00 in"], &["parked by 13:00:00 START"]),
        (&["28 08:00:00 START"], &["08:00:00 in", "17:00:00 out"], &["START", "END"]),
        // It would take the departure of the night before.
        (&["26 22:00:00 START", "06:00:00 END"], &["05:00:00 in"], &["parked by 26 22:00:00 START"]),
        (&["26 22:00:00 START", "06:00:00 END"], &["26 23:00:00 out"], &["parked by 06:00:00 END"]),
        // A departure, and an arrival in the same second.
        (&["08:00:00 START"], &["12:00:00 in", "12:00:00 out"], &["START", "END"]),
        (&["08:00:00 START"], &["08:00:00 unknown", "08:00:30 unknown"], &["undirected", "undirected"]),
        (&[], &["08:00:00 in", "08:00:00 in"], &["START", "repeats what is sent"]),
    ] {
        assert_eq!(plan(standing, marks, &rules()), fates, "{standing:?} {marks:?}");
    }
}

/// Changes of the day are nobody's punches. Other sources are somebody's.
#[test]
fn day_changes_do_not_count() {
    let mut standing =
        vec![entry("26 22:00:00 START"), entry("26 23:59:59 END"), entry("00:00:00 START"), entry("06:00:00 END")];
    (standing[1].source, standing[2].source) = ("DAY_CHANGE".to_owned(), "DAY_CHANGE".to_owned());
    let fates = |standing: &[Entry], text| Plan::of(standing, &[mark(text)], &rules(), now()).fates;
    assert_eq!(fates(&standing[..3], "06:00:00 out"), [Fate::Send(EntryKind::End)]);
    assert_eq!(fates(&standing, "08:00:00 in"), [Fate::Send(EntryKind::Start)]);
    assert_eq!(fates(&standing, "00:30:00 in"), [Fate::Alternation(Some("26 22:00:00 START".to_owned()))]);
    standing[1].source = "AUTO_CLOSE".to_owned();
    assert_eq!(fates(&standing[..2], "06:00:00 out"), [Fate::OrphanOut]);
    // A word nobody knows is in nobody's way.
    standing[1].kind = None;
    assert_eq!(fates(&standing[..2], "06:00:00 out"), [Fate::Send(EntryKind::End)]);
}

/// An entry is found by the id in its comment, whatever it says by now, and by nothing that merely looks like it.
#[test]
fn found_by_the_comment() {
    let id = mark("08:00:00 in").event_id;
    let mut one = entry("09:30:00 END");
    one.comment = format!("{id} T1");
    let fate = |standing: &[Entry]| said(&Plan::of(standing, &[mark("08:00:00 in")], &rules(), now()).fates[0]);
    assert_eq!(fate(&[one.clone()]), "= 09:30:00 END");
    let mut two = one.clone();
    two.id = "another".to_owned();
    assert_eq!(fate(&[one.clone(), two]), r#"Doubled { id: "09:30:00 END", count: 2 }"#);
    one.comment = format!("{id}2 T1");
    assert_eq!(fate(&[one]), "START");
}

/// `infer_unknown = "alternate"`: by the entry before it on its day; soon after any entry it is that one again.
#[test]
fn unknown_directions() {
    let rules = AlternationRules { infer_unknown: InferUnknown::Alternate, ..rules() };
    let day = ["08:00:00 ?", "12:00:00 ?", "12:00:30 ?", "13:00:00 ?", "17:00:00 ?"];
    let fates = ["START", "END", "repeats what is sent", "START", "END"];
    assert_eq!(plan(&[], &day, &rules), fates);
    assert_eq!(plan(&["26 22:00:00 START"], &["06:00:00 ?"], &rules), ["START"]);
    assert_eq!(plan(&["08:00:00 START", "17:00:00 END"], &["12:00:00 ?"], &rules), ["parked by 17:00:00 END"]);
    assert_eq!(plan(&["08:00:00 START"], &["08:00:01 ?"], &rules), ["= 08:00:00 START"]);
}

/// `on_violation = "fix"` turns what was inferred, and nothing else, and only where it fits.
#[test]
fn fixing() {
    let fix = AlternationRules { on_violation: OnViolation::Fix, ..rules() };
    for (standing, marks, fates) in [
        (&["08:00:00 START"][..], &["17:00:00 in?"][..], &["END"][..]),
        (&["08:00:00 START"], &["17:00:00 in"], &["parked by 08:00:00 START"]),
        (&["08:00:00 START", "12:00:00 END"], &["13:00:00 out?"], &["START"]),
        (&["08:00:00 START"], &["08:00:30 in?"], &["repeats 08:00:00 START"]),
        (&[], &["08:00:00 out?"], &["orphan"]),
        (&["08:00:00 START", "17:00:00 END"], &["12:00:00 in?"], &["parked by 08:00:00 START"]),
    ] {
        assert_eq!(plan(standing, marks, &fix), fates, "{standing:?} {marks:?}");
    }
    assert_eq!(plan(&["08:00:00 START"], &["17:00:00 in?"], &rules()), ["parked by 08:00:00 START"]);
}

/// S3-029 and the hold-back window: what is ahead of our clock waits until that is 5 s past it.
#[test]
fn held() {
    let (now, none) = (local("12:00:00"), rules());
    let window = AlternationRules { reorder_window: TimeDelta::seconds(300), ..none };
    for (time, plain, reordered) in [
        ("11:54:59", None, None),
        ("12:00:00", None, Some("12:05:00")),
        ("12:00:01", Some("12:00:06"), Some("12:05:01")),
        ("13:00:00", Some("13:00:05"), Some("13:05:00")),
    ] {
        assert_eq!(none.held_until(local(time), now), plain.map(local), "{time}");
        assert_eq!(window.held_until(local(time), now), reordered.map(local), "{time}");
    }
    let fates = Plan::of(&[], &[mark("12:30:00 in"), mark("11:00:00 in")], &none, now).fates;
    assert_eq!(fates, [Fate::Held(local("12:30:05")), Fate::Send(EntryKind::Start)]);
}

fn any_mark() -> impl Strategy<Value = (i64, u8, bool)> {
    (0i64..3 * 24 * 240, 0u8..3, any::<bool>())
}

fn made((quarter_minutes, way, is_inferred): (i64, u8, bool)) -> Mark {
    let zone = chrono::FixedOffset::west_opt(3 * 3600).unwrap();
    let time = local("26 00:00:00") + TimeDelta::seconds(quarter_minutes * 15);
    let id = EventId::parse(&format!("e{quarter_minutes}_{way}")).unwrap();
    let direction = [Direction::In, Direction::Out, Direction::Unknown][usize::from(way)];
    let mut mark = Mark::new(id, time.with_timezone(&zone), direction);
    mark.is_inferred = is_inferred;
    mark
}

proptest! {
    /// S3-027: whatever the punches, in whatever groups they come, what is sent alternates within every day of a person, at
    /// every moment; a departure has its arrival; nothing is sent twice; and the order given decides nothing.
    #[test]
    fn what_is_sent_alternates(
        groups in proptest::collection::vec(proptest::collection::vec(any_mark(), 1..6), 1..8),
        fix in any::<bool>(),
        alternate in any::<bool>(),
    ) {
        let rules = AlternationRules {
            on_violation: if fix { OnViolation::Fix } else { OnViolation::Park },
            infer_unknown: if alternate { InferUnknown::Alternate } else { InferUnknown::Park },
            ..rules()
        };
        let zone = chrono::FixedOffset::west_opt(3 * 3600).unwrap();
        let (mut standing, mut known) = (Vec::new(), Vec::<Mark>::new());
        for group in groups {
            for mark in group.into_iter().map(made) {
                // Of two marks of one event the first is sent, so there the order given is all there is.
                if known.iter().all(|other| other.event_id != mark.event_id) {
                    known.push(mark);
                }
            }
            loop {
                let plan = Plan::of(&standing, &known, &rules, at("2026-02-01T00:00:00Z"));
                let backwards: Vec<_> = known.iter().rev().cloned().collect();
                let mut turned = Plan::of(&standing, &backwards, &rules, at("2026-02-01T00:00:00Z")).fates;
                turned.reverse();
                prop_assert_eq!(&plan.fates, &turned);
                let Some((index, kind)) = plan.next else { break };
                let mark = &known[index];
                standing.push(Entry::new(standing.len().to_string(), kind, mark.at.to_utc(), mark.event_id.as_str()));
                let mut line: Vec<_> = standing.iter().map(|row| (row.at, row.kind.unwrap())).collect();
                line.sort();
                for pair in line.windows(2) {
                    let days = [pair[0].0, pair[1].0].map(|at| at.with_timezone(&zone).date_naive());
                    prop_assert!(days[0] != days[1] || pair[0].1 != pair[1].1, "two of a kind: {line:?}");
                    let is_orphan = pair[1].1 == EntryKind::End && pair[0].1 != EntryKind::Start;
                    prop_assert!(!is_orphan, "a departure without an arrival: {line:?}");
                }
                prop_assert!(line[0].1 == EntryKind::Start);
            }
        }
        let mut comments: Vec<_> = standing.iter().map(|entry| &entry.comment).collect();
        comments.sort();
        prop_assert!(comments.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
