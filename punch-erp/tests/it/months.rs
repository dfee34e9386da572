//! The generated month written to the ERPs whose records are single punches, and to the one that takes pairs. Where each
//! clock goes forward or back, late and doubled, shuffled, with faults on the way: each punch is there once, at its second.
//!
//! S0-011: each is written by a flow that one and the same driver runs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use punch_erp::hrms::Dialect;
use punch_erp::successfactors::{Mode, WriteExternalTimes, odata_day, odata_time};
use punch_erp::{Outcome, drive};
use punch_webhook::{ReceivedEvent, ReceivedPunch};

use crate::dice::Dice;
use crate::erpnext::{ErpNextEmployee, ErpNextFault, Naming};
use crate::hrms::world::{Database, hrms, transaction};
use crate::month::{self, Month, PEOPLE};
use crate::successfactors::world as tenant;
use crate::successfactors_server::SuccessFactorsFault;
use crate::world::{World, delivered};

/// A zone whose clocks are changed in the month that begins on the day.
const CHANGES: [(Tz, &str); 4] = [
    (Tz::Europe__Madrid, "2026-10-05"),
    (Tz::America__Santiago, "2026-03-20"),
    (Tz::America__New_York, "2026-03-02"),
    (Tz::Australia__Lord_Howe, "2026-03-15"),
];

fn month(seed: u64, zone: Tz, first: &str) -> Month {
    Month::new(seed, zone, first.parse().unwrap())
}

/// As they arrive, but shuffled within two hours.
fn shuffled(month: &Month, seed: u64) -> Vec<ReceivedPunch> {
    let mut dice = Dice::new(seed);
    let mut deliveries: Vec<_> = month.deliveries.iter().collect();
    deliveries.sort_by_cached_key(|it| it.arrives + TimeDelta::seconds(i64::try_from(dice.below(7_200)).unwrap()));
    deliveries.into_iter().map(delivered).collect()
}

/// What was punched, each event once.
fn events(month: &Month) -> BTreeSet<(String, DateTime<Utc>, &'static str)> {
    month.deliveries.iter().map(|it| (it.badge.clone(), it.at, it.direction)).collect()
}

fn local(zone: Tz, at: DateTime<Utc>) -> NaiveDateTime {
    at.with_timezone(&zone).naive_local()
}

/// ERPNext: one checkin an event, in the site's local time, whatever the server does with our names.
#[test]
fn every_checkin_to_the_second() {
    let namings = [Naming::Honoured, Naming::Ignored, Naming::NoV2, Naming::Honoured];
    for (seed, ((zone, first), naming)) in (1..).zip(CHANGES.into_iter().zip(namings)) {
        let mut month = month(seed, zone, first);
        let mut world = World::in_zone(zone.name(), |config| {
            config.naming = naming;
            let person = |person| ErpNextEmployee::new(&format!("HR-EMP-{person:05}"), "Person", &month::badge(person));
            config.employees = (0..PEOPLE).map(person).collect();
        });
        // A stand-in looks through all records for each: some people's do, nights among them.
        let people = if naming == Naming::Honoured { 12 } else { 4 };
        month.deliveries.retain(|it| it.badge < month::badge(people));
        let faults = [ErpNextFault::DropAfter, ErpNextFault::LockWait, ErpNextFault::BadGatewayAfter];
        for (number, punch) in shuffled(&month, seed).iter().enumerate() {
            if number % 19 == 0 {
                world.server.fail_next([faults[number / 19 % 3]]);
            }
            let outcome = world.write_until_settled(punch);
            assert!(outcome.is_done(), "{zone}: {outcome:?}");
        }
        let mut expected: Vec<_> = events(&month)
            .into_iter()
            .map(|(badge, at, way)| (badge.replace('B', "HR-EMP-00"), local(zone, at), way.to_uppercase()))
            .collect();
        let mut found: Vec<_> = world
            .server
            .checkins()
            .iter()
            .map(|row| (row.employee.clone(), row.time, row.log_type.clone().unwrap()))
            .collect();
        expected.sort_unstable();
        found.sort_unstable();
        assert!(found == expected, "{zone} {naming:?}: {} of {}", found.len(), expected.len());
        assert!(world.server.requests().iter().all(|request| !request.contains("/Attendance")), "S0-061");
    }
}

fn assignments() -> Vec<String> {
    (0..PEOPLE).map(month::badge).collect()
}

/// SuccessFactors: one time event an event, with the site's offset of that instant, in few calls: at most one for a
/// hundred punches.
#[test]
fn every_time_event_to_the_second() {
    for (seed, (zone, first)) in (1..).zip(CHANGES) {
        let month = month(seed, zone, first);
        let mut settings = tenant::settings();
        settings.time_zone = zone.name().to_owned();
        let mut world = tenant::World::with(settings);
        world.server.config_mut().assignments = assignments();
        let punches = shuffled(&month, seed);
        let faults = [SuccessFactorsFault::DropAfter, SuccessFactorsFault::DropWithin, SuccessFactorsFault::Forgetful];
        for (number, group) in punches.chunks(700).enumerate() {
            world.server.fail_next([faults[number % 3]]);
            assert!(world.write_until_settled(group).iter().all(Outcome::is_done));
        }
        let mut expected: Vec<_> = events(&month)
            .into_iter()
            .map(|(badge, at, way)| {
                (badge, at.with_timezone(&zone).to_rfc3339(), if way == "in" { "P10" } else { "P20" })
            })
            .collect();
        let stored = world.server.events().iter();
        let mut found: Vec<_> =
            stored.map(|event| (event.assignment.clone(), event.at.to_rfc3339(), event.code.as_str())).collect();
        expected.sort_unstable();
        found.sort_unstable();
        assert!(found == expected, "{zone}: {} of {}", found.len(), expected.len());
        assert!(world.server.calls().len() * 100 <= punches.len(), "{} calls", world.server.calls().len());
    }
}

fn write_pairs(world: &mut tenant::World, punches: &[ReceivedPunch], days: &RangeInclusive<NaiveDate>) -> Vec<Outcome> {
    let flow = WriteExternalTimes::new(&world.tenant, punches, days, world.now);
    let mut flow = flow.with_session(world.session.clone());
    let outcomes = drive(&mut flow, |request| world.send(&request));
    world.session = flow.session().clone();
    outcomes
}

/// `ExternalTimeData`: every pair of which both ends were punched, by local day and time, and no other.
#[test]
fn every_external_time_to_the_second() {
    for (seed, (zone, first)) in (1..).zip(CHANGES) {
        let month = month(seed, zone, first);
        let mut settings = tenant::settings();
        (settings.mode, settings.time_zone) = (Mode::ExternalTimeData, zone.name().to_owned());
        settings.time_type = "WORKING_TIME".to_owned();
        let mut world = tenant::World::with(settings);
        world.server.config_mut().assignments = assignments();
        let days = first.parse().unwrap()..="2026-11-29".parse().unwrap();
        let punches = shuffled(&month, seed);
        for outcome in write_pairs(&mut world, &punches, &days) {
            let word = outcome.reason().unwrap_or_else(|| outcome.word());
            assert!(["applied", "open_arrival", "orphan_out"].contains(&word), "{zone}: {outcome:?}");
        }
        let rows = world.server.external_times().clone();
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in rows.values() {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            let times = [text("startDate"), text("startTime"), text("endDate"), text("endTime")].join(" ");
            assert!(found.entry(text("userId")).or_default().insert(times), "doubled");
        }
        let shown = |(came, left): &month::Presence| {
            let (came, left) = (local(zone, *came), local(zone, *left));
            let end_day = if left.date() == came.date() { String::new() } else { odata_day(left.date()) };
            [odata_day(came.date()), odata_time(came.time()), end_day, odata_time(left.time())].join(" ")
        };
        let expected: BTreeMap<String, BTreeSet<String>> =
            month.pairs.iter().map(|(badge, pairs)| (badge.clone(), pairs.iter().map(shown).collect())).collect();
        assert!(
            found == expected,
            "{zone}: {} of {}",
            rows.len(),
            month.pairs.values().map(BTreeSet::len).sum::<usize>()
        );
        // Once more changes nothing.
        write_pairs(&mut world, &punches, &days);
        assert_eq!(*world.server.external_times(), rows);
    }
}

/// Own tables: one row an event, with the instant, in any order and however often.
#[test]
fn every_row_to_the_second() {
    for (seed, dialect) in [(1, Dialect::Postgres), (2, Dialect::Sqlite)] {
        let month = month(seed, Tz::America__New_York, "2026-02-20");
        let (tables, mut database) = (hrms(dialect), Database::default());
        for punch in shuffled(&month, seed) {
            assert!(database.run(&transaction(&tables, &ReceivedEvent::Punch(punch))).is_done());
        }
        assert_eq!(database.rows.len(), events(&month).len());
        for delivery in &month.deliveries {
            assert!(database.rows.contains_key(&(false, delivery.id.clone())), "{delivery:?}");
        }
    }
}
