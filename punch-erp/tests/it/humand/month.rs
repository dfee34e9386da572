//! A generated month of 50 people, the one that Odoo gets: nights, lunches, forgotten punches, 5 % duplicates, 10 % late.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use punch_erp::Outcome;
use punch_erp::humand::WriteEntries;
use punch_webhook::ReceivedPunch;

use super::world::{HumandFault, HumandUser, Rules, World, at, settings};
use crate::odoo::month::Month;

/// What became of every event: the last word said of it.
type Told = BTreeMap<(String, String), (ReceivedPunch, Outcome)>;

fn community(rules: Rules) -> World {
    let mut world = World::with(settings(), |config| {
        config.rules = rules;
        config.zone = FixedOffset::east_opt(0).unwrap();
        config.users = (0..50).map(|number| HumandUser::new(&format!("B{number:03}"), "Person")).collect();
    });
    world.now = at("2026-12-05T00:00:00Z");
    world
}

/// Writes the punches as they come, each with what is waiting or parked of its person around it, as a table would give it.
/// Every so often something fails, or the program dies and forgets.
fn feed<'a>(world: &mut World, punches: impl Iterator<Item = &'a ReceivedPunch>, has_faults: bool) -> Told {
    let mut told = Told::new();
    let faults = [HumandFault::DropAfter, HumandFault::DropBefore, HumandFault::Stall, HumandFault::UnknownErrorAfter];
    for (number, punch) in punches.enumerate() {
        if has_faults && number % 7 == 0 {
            world.server.fail_next([HumandFault::None, faults[number / 7 % 4]]);
        }
        if has_faults && number % 11 == 0 {
            world.standing.clear();
        }
        let mut given = vec![punch.clone()];
        let is_near = |other: &ReceivedPunch| (other.at - punch.at).abs() <= WriteEntries::reach();
        let others = told.iter().filter(|((badge, _), _)| *badge == punch.badge);
        given.extend(
            others.filter(|(_, (other, outcome))| !outcome.is_done() && is_near(other)).map(|it| it.1.0.clone()),
        );
        for (punch, outcome) in given.iter().zip(world.write_until_settled(&given)) {
            told.insert((punch.badge.clone(), punch.event_id.to_string()), (punch.clone(), outcome));
        }
    }
    told
}

/// Nothing lost: every event has an entry, or a reason that is shown. Nothing doubled: no event has two. Arrivals and
/// departures take turns on every day of everybody.
fn check(world: &World, told: &Told) {
    let mut seen = BTreeSet::new();
    let mut lines: BTreeMap<&str, Vec<(DateTime<Utc>, &str)>> = BTreeMap::new();
    let mut by_id = BTreeMap::new();
    for row in world.server.entries().iter().filter(|row| row.source != "DAY_CHANGE") {
        assert!(seen.insert((row.employee.as_str(), row.comment.as_str())), "doubled: {row:?}");
        lines.entry(&row.employee).or_default().push((row.at, &row.kind));
        by_id.insert(row.id.to_string(), row);
    }
    for ((badge, id), (punch, outcome)) in told {
        if let Some(remote_id) = outcome.is_done().then(|| outcome.remote_id().unwrap()) {
            let row = by_id[remote_id];
            let is_near = (row.at - punch.at).abs() < TimeDelta::seconds(60);
            assert!(is_near && row.employee == *badge, "{id}: {row:?}");
        } else {
            assert!(matches!(outcome.reason(), Some("alternation" | "orphan_out")), "{id}: {outcome:?}");
        }
    }
    for (employee, mut line) in lines {
        line.sort_unstable();
        for pair in line.windows(2) {
            let is_one_day = pair[0].0.date_naive() == pair[1].0.date_naive();
            assert!(!is_one_day || pair[0].1 != pair[1].1, "{employee}: {pair:?}");
            assert!(pair[1].1 != "END" || pair[0].1 == "START", "{employee}: {pair:?}");
        }
    }
}

fn parked(told: &Told) -> usize {
    told.values().filter(|(_, outcome)| !outcome.is_done()).count()
}

/// S3-027 and HUM-32, HUM-33 over a month, as it came, with late ones; then all of it again, which changes nothing.
#[test]
fn as_it_came() {
    for (seed, rules) in [(1, Rules::Unprocessable), (2, Rules::None)] {
        let month = Month::new(seed);
        let mut world = community(rules);
        let told = feed(&mut world, month.punches(), true);
        check(&world, &told);
        assert!(told.len() > 3000 && parked(&told) * 100 < told.len() * 12, "{} of {}", parked(&told), told.len());
        let entries = world.server.entries().to_vec();
        let done: BTreeSet<_> = told.iter().filter(|(_, it)| it.1.is_done()).map(|(key, _)| key.clone()).collect();
        for ((_, _), (punch, _)) in told.iter().filter(|(key, _)| done.contains(*key)) {
            assert_eq!(world.write(core::slice::from_ref(punch))[0].word(), "already");
        }
        assert_eq!(world.server.entries(), entries);
    }
}

/// In the order of punching nothing is parked but what was forgotten leaves behind, and a punch costs little over a request.
#[test]
fn in_order() {
    let month = Month::new(3);
    let mut world = community(Rules::Unprocessable);
    let mut punches: Vec<_> = month.punches().collect();
    punches.sort_by_key(|punch| (punch.at, punch.event_id.to_string()));
    let told = feed(&mut world, punches.into_iter(), false);
    check(&world, &told);
    assert!(parked(&told) <= month.forgotten(), "{} parked, {} forgotten", parked(&told), month.forgotten());
    let calls = world.server.requests().len();
    assert!(calls * 2 < told.len() * 3, "{calls} requests for {} punches", told.len());
}
