//! The plan: a pure function of records and punches.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use punch_erp::odoo::{Attendance, AttendanceId, Change, EmployeeId, EndedBy, Fate, Mark, PairingRules, Place, Plan};
use punch_normalize::Direction;

use super::world::{DOORS, World, alice, at, naive, words};

fn time(text: &str) -> DateTime<Utc> {
    naive(text).and_utc()
}

/// `in 08:00:00`, `out 11 06:00:00`, `unknown 09:00:00` …
fn marks(texts: &[&str]) -> Vec<Mark> {
    let mark = |text: &&str| {
        let (word, when) = text.split_once(' ').unwrap();
        let direction = match word {
            "in" => Direction::In,
            "out" => Direction::Out,
            "break_out" => Direction::BreakOut,
            "break_in" => Direction::BreakIn,
            "overtime_in" => Direction::OvertimeIn,
            "overtime_out" => Direction::OvertimeOut,
            _ => Direction::Unknown,
        };
        Mark { at: time(when), direction }
    };
    texts.iter().map(mark).collect()
}

fn record(id: i64, check_in: &str, check_out: Option<&str>) -> Attendance {
    Attendance::new(AttendanceId(id), EmployeeId(11), time(check_in), check_out.map(time))
}

fn plan(standing: &[Attendance], texts: &[&str]) -> Plan {
    Plan::of(standing, &marks(texts), &PairingRules::default())
}

fn create(check_in: &str, check_out: Option<&str>) -> Change {
    Change::Create { check_in: time(check_in), check_out: check_out.map(time) }
}

fn write(id: i64, check_in: Option<&str>, check_out: Option<&str>) -> Change {
    Change::Write { id: AttendanceId(id), check_in: check_in.map(time), check_out: check_out.map(time) }
}

/// A name, punches, and the changes they lead to where nothing stands.
type Fresh<'a> = (&'a str, &'a [&'a str], &'a [Change]);

/// The same with records that stand.
type Case<'a> = (&'a str, &'a [Attendance], &'a [&'a str], &'a [Change]);

fn check_fresh(cases: &[Fresh<'_>]) {
    for (name, punches, expected) in cases {
        assert_eq!(plan(&[], punches).changes, *expected, "{name}");
    }
}

fn check(cases: &[Case<'_>]) {
    for (name, standing, punches, expected) in cases {
        assert_eq!(plan(standing, punches).changes, *expected, "{name}");
    }
}

/// From nothing to records; the cases of the published middleware that went wrong among them.
#[test]
fn records_from_punches() {
    check_fresh(&[
        ("an arrival", &["in 08:00:00"], &[create("08:00:00", None)]),
        ("a day", &["in 08:00:00", "out 16:00:00"], &[create("08:00:00", Some("16:00:00"))]),
        ("out before in", &["out 16:00:00", "in 08:00:00"], &[create("08:00:00", Some("16:00:00"))]),
        (
            "a lunch",
            &["in 08:00:00", "out 13:00:00", "in 14:00:00", "out 18:00:00"],
            &[create("08:00:00", Some("13:00:00")), create("14:00:00", Some("18:00:00"))],
        ),
        ("a night", &["in 22:00:00", "out 11 06:00:00"], &[create("22:00:00", Some("11 06:00:00"))]),
        ("the lookback, included", &["in 06:00:00", "out 20:00:00"], &[create("06:00:00", Some("20:00:00"))]),
        ("a second more", &["in 06:00:00", "out 20:00:01"], &[create("06:00:00", None)]),
        ("only a departure", &["out 16:00:00"], &[]),
        ("an unknown direction", &["unknown 16:00:00"], &[]),
    ]);
}

/// What is missing is not made up.
#[test]
fn forgotten_punches() {
    check_fresh(&[
        // E3: the departure of the first day is missing, and no day of 30 hours comes of it.
        (
            "a missed check-out",
            &["in 08:00:00", "in 11 08:00:00", "out 11 16:00:00"],
            &[create("08:00:00", Some("08:00:00")), create("11 08:00:00", Some("11 16:00:00"))],
        ),
        ("57 hours", &["in 08:00:00", "out 12 17:00:00"], &[create("08:00:00", None)]),
        (
            "a forgotten lunch",
            &["in 08:00:00", "in 14:00:00", "out 18:00:00"],
            &[create("08:00:00", Some("08:00:00")), create("14:00:00", Some("18:00:00"))],
        ),
        (
            "a forgotten return",
            &["in 08:00:00", "out 13:00:00", "out 18:00:00"],
            &[create("08:00:00", Some("13:00:00"))],
        ),
    ]);
}

#[test]
fn repeated_punches() {
    check_fresh(&[
        // S0-069, D1, D4: the window begins with the kept punch.
        ("a double tap", &["in 08:00:00", "in 08:00:59", "out 16:00:00"], &[create("08:00:00", Some("16:00:00"))]),
        (
            "a double tap when leaving",
            &["in 08:00:00", "out 16:00:00", "out 16:00:59"],
            &[create("08:00:00", Some("16:00:00"))],
        ),
        // E1 and E2: within minutes the first arrival and the last departure count.
        (
            "a repeated arrival",
            &["in 08:00:00", "in 08:05:00", "out 17:00:00"],
            &[create("08:00:00", Some("17:00:00"))],
        ),
        (
            "a repeated departure",
            &["in 08:00:00", "out 17:00:00", "out 17:03:00"],
            &[create("08:00:00", Some("17:03:00"))],
        ),
        ("in and out in one second", &["out 08:00:00", "in 08:00:00"], &[create("08:00:00", Some("08:00:00"))]),
        (
            "out and in in one second",
            &["in 08:00:00", "in 12:00:00", "out 12:00:00", "out 16:00:00"],
            &[create("08:00:00", Some("12:00:00")), create("12:00:00", Some("16:00:00"))],
        ),
    ]);
}

#[test]
fn breaks_and_overtime() {
    check_fresh(&[
        // E8: breaks are ends and begins.
        (
            "a break",
            &["in 08:00:00", "break_out 12:00:00", "break_in 12:30:00", "out 16:00:00"],
            &[create("08:00:00", Some("12:00:00")), create("12:30:00", Some("16:00:00"))],
        ),
        (
            "overtime without leaving",
            &["in 08:00:00", "overtime_in 16:00:00", "overtime_out 18:00:00"],
            &[create("08:00:00", Some("18:00:00"))],
        ),
        (
            "overtime after leaving",
            &["in 08:00:00", "out 16:00:00", "overtime_in 17:00:00", "overtime_out 18:00:00"],
            &[create("08:00:00", Some("16:00:00")), create("17:00:00", Some("18:00:00"))],
        ),
    ]);
}

/// Records that stand, and punches that come to them.
#[test]
fn late_punches() {
    check(&[
        ("nothing to do", &[record(7, "08:00:00", Some("16:00:00"))], &["in 08:00:00", "out 16:00:00"], &[]),
        ("nothing to do while open", &[record(7, "08:00:00", None)], &["in 08:00:00"], &[]),
        ("leaving", &[record(7, "08:00:00", None)], &["out 16:00:00"], &[write(7, None, Some("16:00:00"))]),
        (
            "the next day, and the old one is open",
            &[record(7, "08:00:00", None)],
            &["in 11 08:00:00"],
            &[write(7, None, Some("08:00:00")), create("11 08:00:00", None)],
        ),
        (
            "the late departure of yesterday",
            &[record(7, "08:00:00", Some("08:00:00")), record(8, "11 08:00:00", None)],
            &["out 16:00:00"],
            &[write(7, None, Some("16:00:00"))],
        ),
        (
            "yesterday's backlog while today is open",
            &[record(8, "11 08:00:00", None)],
            &["in 08:00:00", "out 16:00:00"],
            &[create("08:00:00", Some("16:00:00"))],
        ),
        (
            "yesterday's arrival while today is open",
            &[record(8, "11 08:00:00", None)],
            &["in 08:00:00"],
            &[create("08:00:00", Some("08:00:00"))],
        ),
        ("yesterday's departure while today is open", &[record(8, "11 08:00:00", None)], &["out 16:00:00"], &[]),
    ]);
}

#[test]
fn punches_that_change_records() {
    check(&[
        // A8: the punches at lunch were in a terminal without a network.
        (
            "a late lunch",
            &[record(7, "08:00:00", Some("18:00:00"))],
            &["in 08:00:00", "out 13:00:00", "in 14:00:00", "out 18:00:00"],
            &[write(7, None, Some("13:00:00")), create("14:00:00", Some("18:00:00"))],
        ),
        (
            "half of a late lunch",
            &[record(7, "08:00:00", Some("18:00:00"))],
            &["in 08:00:00", "in 14:00:00", "out 18:00:00"],
            &[write(7, None, Some("08:00:00")), create("14:00:00", Some("18:00:00"))],
        ),
        (
            "the earlier of two taps comes later",
            &[record(7, "08:00:40", None)],
            &["in 08:00:00", "in 08:00:40"],
            &[write(7, Some("08:00:00"), None)],
        ),
        (
            "open since 2018",
            &[Attendance::new(AttendanceId(3), EmployeeId(11), at("2018-03-01T08:00:00Z"), None)],
            &["in 08:00:00"],
            &[
                Change::Write { id: AttendanceId(3), check_in: None, check_out: Some(at("2018-03-01T08:00:00Z")) },
                create("08:00:00", None),
            ],
        ),
    ]);
}

/// A direction told anew is given anew, and what it had led to is undone. A record is never deleted.
#[test]
fn revised_directions() {
    check(&[
        (
            "an arrival was a departure",
            &[record(7, "08:00:00", Some("08:00:00")), record(8, "16:00:00", None)],
            &["in 08:00:00", "out 16:00:00"],
            &[write(8, None, Some("16:00:00")), write(7, None, Some("16:00:00"))],
        ),
        (
            "a departure was an arrival",
            &[record(7, "08:00:00", Some("16:00:00"))],
            &["in 08:00:00", "in 16:00:00"],
            &[write(7, None, Some("08:00:00")), create("16:00:00", None)],
        ),
        (
            "the other way round",
            &[record(7, "08:00:00", Some("16:00:00"))],
            &["out 08:00:00", "in 16:00:00"],
            &[write(7, Some("16:00:00"), None)],
        ),
        (
            "nobody knows any more",
            &[record(7, "08:00:00", None)],
            &["unknown 08:00:00"],
            &[write(7, None, Some("08:00:00"))],
        ),
    ]);
}

/// What people wrote stays, and punches within it say so.
#[test]
fn corrected_by_hand() {
    let corrected = [record(7, "07:30:00", Some("17:00:00"))];
    let within = plan(&corrected, &["in 08:00:00", "out 16:00:00"]);
    assert!(within.changes.is_empty());
    assert_eq!(within.fates, [Fate::Covered(AttendanceId(7)), Fate::Covered(AttendanceId(7))]);
    // Its own ends are there; a tap within the minute is the same tap.
    let ends = plan(&corrected, &["in 07:30:00", "in 07:30:30", "out 17:00:00", "out 17:00:30"]);
    assert!(ends.changes.is_empty());
    assert_eq!(ends.fates, [Fate::Stored(Place::Standing(AttendanceId(7))); 4]);
    // Only the end was corrected.
    let end = [record(7, "08:00:00", Some("17:00:00"))];
    assert!(plan(&end, &["in 08:00:00", "out 16:00:00"]).changes.is_empty());
    // Nothing is stretched over it, and what touches it does not overlap.
    let across = plan(&corrected, &["in 07:00:00", "out 17:30:00"]);
    assert_eq!(across.changes, [create("07:00:00", Some("07:00:00"))]);
    assert_eq!(across.fates[1], Fate::OrphanOut);
    let touching = plan(&corrected, &["in 07:00:00", "out 07:30:00"]);
    assert_eq!(touching.changes, [create("07:00:00", Some("07:30:00"))]);
    // Somebody filled the time between two of ours.
    let filled = [
        record(8, "07:00:00", Some("08:00:00")),
        record(7, "08:00:00", Some("12:00:00")),
        record(9, "12:00:00", Some("13:00:00")),
    ];
    let around = plan(&filled, &["in 07:00:00", "out 08:00:00", "in 12:00:00", "out 13:00:00"]);
    assert!(around.changes.is_empty(), "{:?}", around.changes);
}

/// Section 4: Odoo closes what was forgotten at a time nobody punched. The late departure goes over it.
#[test]
fn closed_by_odoo() {
    let mut closed = record(7, "08:00:00", Some("17:00:00"));
    closed.ended_by = EndedBy::AutoCheckOut;
    let closed = [closed];
    assert_eq!(plan(&closed, &["out 18:10:00"]).changes, [write(7, None, Some("18:10:00"))]);
    assert_eq!(plan(&closed, &["out 16:10:00"]).changes, [write(7, None, Some("16:10:00"))]);
    // Without one it stays as Odoo made it, also when the next day comes.
    let next = plan(&closed, &["in 08:00:00", "in 11 08:00:00"]);
    assert_eq!(next.changes, [create("11 08:00:00", None)]);
    assert_eq!(next.fates[0], Fate::MissingOut(Place::Standing(AttendanceId(7))));
    // Unless somebody came in the meantime.
    assert_eq!(
        plan(&closed, &["in 08:00:00", "in 14:00:00"]).changes,
        [write(7, None, Some("08:00:00")), create("14:00:00", None)]
    );
}

fn absence(id: i64, midnight: &str) -> Attendance {
    let mut absence = record(id, midnight, None);
    absence.check_out = Some(absence.check_in + TimeDelta::seconds(1));
    absence.ended_by = EndedBy::AbsenceManagement;
    absence
}

/// Section 4: a record of one second at midnight stands for an absence, and Odoo stores no night shift over it. So it
/// becomes the night shift, or gives way to it; where nobody was it stays.
#[test]
fn marks_of_absence() {
    let midnight = absence(7, "11 00:00:00");
    let night = &["in 22:00:00", "out 11 06:00:00"];
    check(&[
        (
            "it becomes the night shift",
            std::slice::from_ref(&midnight),
            night,
            &[write(7, Some("22:00:00"), Some("11 06:00:00"))],
        ),
        (
            "it gives way to one that is open",
            &[midnight.clone(), record(8, "22:00:00", None)],
            night,
            &[write(7, Some("11 06:00:00"), Some("11 06:00:00")), write(8, None, Some("11 06:00:00"))],
        ),
        (
            "a day at work",
            std::slice::from_ref(&midnight),
            &["in 11 08:00:00", "out 11 16:00:00"],
            &[create("11 08:00:00", Some("11 16:00:00"))],
        ),
        ("only an arrival", std::slice::from_ref(&midnight), &["in 22:00:00"], &[create("22:00:00", None)]),
        (
            "from midnight on",
            std::slice::from_ref(&midnight),
            &["in 11 00:00:00", "out 11 06:00:00"],
            &[write(7, None, Some("11 06:00:00"))],
        ),
        (
            "until midnight",
            std::slice::from_ref(&midnight),
            &["in 22:00:00", "out 11 00:00:00"],
            &[create("22:00:00", Some("11 00:00:00"))],
        ),
    ]);
    // What it has become is a record like any other, also where the server did not take the new mode.
    let mut became = record(7, "22:00:00", Some("11 06:00:00"));
    for ended_by in [EndedBy::Somebody, EndedBy::AbsenceManagement] {
        became.ended_by = ended_by;
        assert!(plan(std::slice::from_ref(&became), night).changes.is_empty());
    }
}

/// The same against the server's own rules, by every door: whatever Odoo did by itself, the night shift is there to the
/// second, is somebody's from then on, and nothing is left to do.
#[test]
fn night_shifts_over_what_odoo_did_by_itself() {
    for (version, protocol) in DOORS.into_iter().filter(|door| door.0 >= 18) {
        for is_open in [false, true] {
            let mut world = World::at_door(version, protocol);
            let (came, left) = (alice("22:00:00", "in"), alice("11 06:00:00", "out"));
            if is_open {
                assert_eq!(words(&world.write(std::slice::from_ref(&came))), ["applied"]);
            }
            world.put("11 00:00:00", Some("11 00:00:01"), "technical");
            assert_eq!(words(&world.write(&[came.clone(), left.clone()]))[1], "applied", "{version} {protocol:?}");
            let rows = world.server.attendances().to_vec();
            let night = rows.iter().find(|row| row.check_in == naive("22:00:00")).unwrap();
            assert_eq!((night.check_out, night.out_mode.as_str()), (Some(naive("11 06:00:00")), "manual"));
            assert!(rows.iter().all(|row| row == night || row.check_out == Some(row.check_in)), "{rows:?}");
            assert_eq!(words(&world.write(&[came, left])), ["already", "already"]);
            assert_eq!(world.server.attendances(), rows);
        }
        // What Odoo closed and a late departure opened anew: a correction made later is somebody's, and stays.
        let mut world = World::at_door(version, protocol);
        let (came, left) = (alice("08:00:00", "in"), alice("18:10:00", "out"));
        world.put("08:00:00", Some("17:00:00"), "auto_check_out");
        assert_eq!(words(&world.write(&[came.clone(), left.clone()])), ["applied", "applied"]);
        assert_eq!(world.server.attendances()[0].out_mode, "manual");
        world.put("08:00:00", Some("18:30:00"), "manual");
        assert_eq!(words(&world.write(&[came, left])), ["already", "covered"]);
        assert_eq!(world.records(), ["10 08:00:00-18:30:00"]);
    }
}

/// Fractions are cut before anything is compared.
#[test]
fn fractions() {
    let half = Mark { at: time("08:00:00") + TimeDelta::milliseconds(999), direction: Direction::In };
    let plan = Plan::of(&[record(7, "08:00:00", None)], &[half], &PairingRules::default());
    assert!(plan.changes.is_empty());
}

/// What is written down of a person is told of every punch, those of earlier attempts included.
#[test]
fn fates_change_with_what_is_known() {
    let mut world = World::new();
    let (came, left, lunch, back) =
        (alice("08:00:00", "in"), alice("18:00:00", "out"), alice("13:00:00", "out"), alice("14:00:00", "in"));
    assert_eq!(words(&world.write(&[came.clone(), left.clone()])), ["applied", "applied"]);
    let outcomes = world.write(&[came.clone(), left.clone(), lunch.clone()]);
    assert_eq!(words(&outcomes), ["applied", "orphan_out", "applied"]);
    assert_eq!(world.records(), ["10 08:00:00-13:00:00"]);
    let outcomes = world.write(&[came, left, lunch, back]);
    assert_eq!(words(&outcomes), ["already", "applied", "already", "applied"]);
    assert_eq!(world.records(), ["10 08:00:00-13:00:00", "10 14:00:00-18:00:00"]);
}

/// Punches of a few days on a grid that makes them meet: repeats, seconds that are equal, days apart.
fn history() -> impl Strategy<Value = Vec<(i64, bool)>> {
    let offset = prop_oneof![Just(0i64), Just(20), Just(61), Just(300), Just(3_600), Just(5 * 3_600)];
    proptest::collection::vec(((0i64..60).prop_map(|hour| hour * 3_600), offset, any::<bool>()), 0..24)
        .prop_map(|punches| punches.into_iter().map(|(hour, offset, is_in)| (hour + offset, is_in)).collect())
}

/// What a reader of the sorted punches would write down, found the long way round: for each arrival, look at all others.
/// Only for histories without two punches of one direction within ten minutes or two punches in one second.
fn naive_pairs(punches: &[(i64, bool)]) -> Vec<(i64, i64)> {
    let mut pairs: Vec<_> = punches
        .iter()
        .filter(|(_, is_in)| *is_in)
        .filter_map(|&(came, _)| {
            let next = punches.iter().filter(|(at, _)| *at > came).min()?;
            (!next.1 && next.0 - came <= 14 * 3_600).then_some((came, next.0))
        })
        .collect();
    pairs.sort_unstable();
    pairs
}

fn punch_at(&(second, is_in): &(i64, bool)) -> punch_webhook::ReceivedPunch {
    let at = at("2026-11-10T00:00:00Z") + TimeDelta::seconds(second);
    alice(&at.format("%d %H:%M:%S").to_string(), if is_in { "in" } else { "out" })
}

fn closed_pairs(world: &World) -> Vec<(i64, i64)> {
    let zero = naive("00:00:00");
    let seconds = |time: chrono::NaiveDateTime| (time - zero).num_seconds();
    let rows = world.server.attendances().iter();
    let mut pairs: Vec<_> = rows
        .filter_map(|row| Some((seconds(row.check_in), seconds(row.check_out?))))
        .filter(|(came, left)| came < left)
        .collect();
    pairs.sort_unstable();
    pairs
}

proptest! {
    /// Law 1: any order and any grouping of arrival leads to the records that all punches at once lead to, and Odoo never
    /// refuses a step of the way there.
    #[test]
    fn arrival_does_not_matter(
        history in history().prop_shuffle(),
        cuts in proptest::collection::vec(1usize..6, 1..24),
    ) {
        let mut at_once = World::new();
        at_once.write(&history.iter().map(punch_at).collect::<Vec<_>>());
        let mut stepwise = World::new();
        let (mut known, mut rest) = (Vec::new(), history.as_slice());
        for size in cuts.iter().cycle() {
            let (group, others) = rest.split_at((*size).min(rest.len()));
            known.extend(group.iter().map(punch_at));
            let calls = stepwise.server.calls().len();
            let outcomes = stepwise.write(&known);
            prop_assert!(!words(&outcomes).contains(&"refused"), "{:?}", words(&outcomes));
            let reads = stepwise.calls_since(calls).get("hr.attendance.search_read").copied().unwrap_or_default();
            prop_assert!(reads <= 1, "refused and planned anew");
            rest = others;
            if rest.is_empty() {
                break;
            }
        }
        let mark = |world: &World| closed_pairs(world);
        prop_assert_eq!(mark(&stepwise), mark(&at_once));
        // f(x + x) = f(x)
        let rows = stepwise.server.attendances().to_vec();
        stepwise.write(&[known.clone(), known].concat());
        prop_assert_eq!(stepwise.server.attendances(), rows);
    }

    /// Against a quadratic reference, where it is defined.
    #[test]
    fn pairs_are_those_of_the_reference(history in history()) {
        let mut history = history;
        history.sort_unstable();
        history.dedup_by_key(|punch| punch.0);
        let mut kept: Vec<(i64, bool)> = Vec::new();
        for punch in history {
            if kept.iter().all(|other| other.1 != punch.1 || punch.0 - other.0 >= 600) {
                kept.push(punch);
            }
        }
        let mut world = World::new();
        world.write(&kept.iter().map(punch_at).collect::<Vec<_>>());
        prop_assert_eq!(closed_pairs(&world), naive_pairs(&kept));
    }

    /// No record is longer than the lookback, no two overlap, at most one is open, and it is the last.
    #[test]
    fn records_are_sound(history in history()) {
        let mut world = World::new();
        world.write(&history.iter().map(punch_at).collect::<Vec<_>>());
        let mut rows = world.server.attendances().to_vec();
        rows.sort_by_key(|row| (row.check_in, row.check_out.is_none()));
        for pair in rows.windows(2) {
            prop_assert!(pair[0].check_out.is_some_and(|end| end <= pair[1].check_in), "{rows:?}");
        }
        let longest = rows.iter().filter_map(|row| Some(row.check_out? - row.check_in)).max();
        prop_assert!(longest.is_none_or(|longest| longest <= TimeDelta::hours(14)));
    }
}
