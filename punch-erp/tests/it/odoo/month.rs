//! The generated month against Odoo's own rules.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use punch_erp::odoo::{Protocol, WriteAttendances};
use punch_webhook::ReceivedPunch;

use super::world::{DOORS, OdooEmployee, World, now, words};
use crate::dice::Dice;
use crate::month::{self, PEOPLE, Presence};
use crate::world::delivered;

/// The month of November, its punches as a middleware receives them, in the order of arrival.
pub(crate) struct Month {
    month: month::Month,
    deliveries: Vec<(DateTime<Utc>, ReceivedPunch)>,
}

impl Month {
    pub(crate) fn new(seed: u64) -> Self {
        Self::of(seed, Tz::UTC, "2026-11-01")
    }

    fn of(seed: u64, zone: Tz, first: &str) -> Self {
        let month = month::Month::new(seed, zone, first.parse().unwrap());
        let deliveries = month.deliveries.iter().map(|it| (it.arrives, delivered(it))).collect();
        Self { month, deliveries }
    }

    pub(crate) fn world(&self, version: u16, protocol: Protocol) -> World {
        let mut world = World::at_door(version, protocol);
        let people = (0..PEOPLE).map(|person| OdooEmployee::new(number(person), "Person", &month::badge(person)));
        world.server.config_mut().employees.extend(people);
        world
    }

    /// How many punches were never made.
    pub(crate) fn forgotten(&self) -> usize {
        self.month.forgotten
    }

    /// The punches in the order of arrival.
    pub(crate) fn punches(&self) -> impl Iterator<Item = &ReceivedPunch> {
        self.deliveries.iter().map(|(_, punch)| punch)
    }

    /// The pairs that have to be there, by employee.
    fn expected(&self) -> BTreeMap<i64, &BTreeSet<Presence>> {
        (0..PEOPLE).filter_map(|person| Some((number(person), self.month.pairs.get(&month::badge(person))?))).collect()
    }

    /// How many pairs in a hundred are right, and how many there are that nobody punched.
    pub(crate) fn score(&self, world: &World) -> (usize, usize) {
        let closed = world
            .server
            .attendances()
            .iter()
            .filter_map(|row| Some((row.employee, (row.check_in.and_utc(), row.check_out?.and_utc()))));
        let found: BTreeSet<_> = closed.collect();
        let expected: BTreeSet<_> =
            self.expected().iter().flat_map(|(id, pairs)| pairs.iter().map(|pair| (*id, *pair))).collect();
        (found.intersection(&expected).count() * 100 / expected.len(), found.difference(&expected).count())
    }

    /// Every pair to the second, nothing invented.
    fn check(&self, world: &World) {
        let mut found: BTreeMap<i64, BTreeSet<Presence>> = BTreeMap::new();
        let (mut empty, mut open) = (0, BTreeSet::new());
        for row in world.server.attendances() {
            match row.check_out {
                Some(end) if end == row.check_in => empty += 1,
                Some(end) => {
                    let is_new = found.entry(row.employee).or_default().insert((row.check_in.and_utc(), end.and_utc()));
                    assert!(is_new, "doubled: {row:?}");
                }
                None => assert!(open.insert(row.employee), "two open records: {row:?}"),
            }
        }
        for (employee, expected) in &self.expected() {
            let found = &found[employee];
            let (lost, invented): (Vec<_>, Vec<_>) =
                (expected.difference(found).collect(), found.difference(expected).collect());
            assert!(lost.is_empty() && invented.is_empty(), "{employee}: lost {lost:?}, invented {invented:?}");
        }
        // Each arrival without a departure is there, with no time in it.
        assert_eq!(empty + open.len(), self.month.dangling);
    }
}

/// The number of an employee.
fn number(person: u32) -> i64 {
    i64::from(person) + 100
}

/// Feeds the deliveries in groups. With each group goes what is known of its people around it, as a table would give it.
/// Answers the number of calls.
fn feed(world: &mut World, groups: Vec<Vec<ReceivedPunch>>) -> usize {
    let reach = WriteAttendances::reach(&world.odoo);
    let mut known: BTreeMap<String, BTreeMap<String, ReceivedPunch>> = BTreeMap::new();
    for group in groups {
        let mut given: BTreeMap<String, ReceivedPunch> = BTreeMap::new();
        for punch in group {
            let of_person = known.entry(punch.badge.clone()).or_default();
            of_person.insert(punch.event_id.to_string(), punch.clone());
            for (id, other) in of_person.iter().filter(|(_, other)| (other.at - punch.at).abs() <= reach) {
                given.insert(format!("{} {id}", punch.badge), other.clone());
            }
        }
        let given: Vec<_> = given.into_values().collect();
        let outcomes = world.write(&given);
        let allowed = ["applied", "already", "missing_out", "orphan_out"];
        assert!(words(&outcomes).iter().all(|word| allowed.contains(word)), "{:?}", words(&outcomes));
    }
    world.server.calls().len()
}

fn one_by_one(month: &Month) -> Vec<Vec<ReceivedPunch>> {
    month.deliveries.iter().map(|(_, punch)| vec![punch.clone()]).collect()
}

/// Cuts the deliveries into periods of arrival.
fn by_period(month: &Month, period: TimeDelta) -> Vec<Vec<ReceivedPunch>> {
    let mut groups: BTreeMap<i64, Vec<ReceivedPunch>> = BTreeMap::new();
    for (arrives, punch) in &month.deliveries {
        groups.entry(arrives.timestamp() / period.num_seconds()).or_default().push(punch.clone());
    }
    groups.into_values().collect()
}

/// The month is what it is said to be.
#[test]
fn the_month_is_a_hard_one() {
    let month = Month::new(1);
    let total = month.deliveries.len();
    assert!((3_500..5_000).contains(&total), "{total}");
    let month::Month { nights, forgotten, dangling, late, doubled, .. } = month.month;
    assert!(nights > 150 && forgotten > 50 && dangling > 20);
    assert!((8..12).contains(&(late * 100 / total)), "{late} late of {total}");
    assert!((4..7).contains(&(doubled * 100 / total)), "{doubled} doubled of {total}");
    assert!(month.deliveries.iter().all(|(arrives, _)| *arrives < now() + TimeDelta::days(3)));
}

/// The bar of the whole sink: each punch as it arrives.
#[test]
fn every_pair_to_the_second_one_by_one() {
    let month = Month::new(1);
    let mut world = month.world(18, Protocol::JsonRpc);
    feed(&mut world, one_by_one(&month));
    month.check(&world);
}

/// The whole month at once, by every protocol, twice: the second time nothing is left to write.
#[test]
fn every_pair_to_the_second_at_once() {
    for (seed, (version, protocol)) in (2..).zip(DOORS) {
        let month = Month::new(seed);
        let mut world = month.world(version, protocol);
        let all: Vec<_> = month.deliveries.iter().map(|(_, punch)| punch.clone()).collect();
        world.write(&all);
        month.check(&world);
        let (rows, calls) = (world.server.attendances().to_vec(), world.server.calls().len());
        world.write(&all);
        assert_eq!(world.server.attendances(), rows);
        assert_eq!(world.calls_since(calls).into_keys().collect::<Vec<_>>(), ["hr.attendance.search_read"]);
    }
}

/// Calls per punch: live in small batches, by the day, and all at once. At most 1.2 is asked for.
#[test]
fn calls_per_punch() {
    for (period, most) in [(TimeDelta::minutes(5), 1.2), (TimeDelta::days(1), 0.15), (TimeDelta::days(60), 0.02)] {
        let month = Month::new(3);
        let mut world = month.world(19, Protocol::Json2);
        let calls = feed(&mut world, by_period(&month, period));
        month.check(&world);
        let per_punch =
            f64::from(u32::try_from(calls).unwrap()) / f64::from(u32::try_from(month.deliveries.len()).unwrap());
        println!("{period}: {calls} calls, {per_punch:.3} a punch");
        assert!(per_punch <= most, "{period}: {per_punch}");
    }
}

/// Whatever the order of arrival, backwards included, the records are the same.
#[test]
fn the_order_of_arrival_does_not_matter() {
    let mut month = Month::new(4);
    let mut worlds = Vec::new();
    for order in 0..3 {
        match order {
            0 => {}
            1 => month.deliveries.reverse(),
            _ => {
                let mut dice = Dice::new(9);
                month.deliveries.sort_by_cached_key(|_| dice.roll());
            }
        }
        let mut world = month.world(16, Protocol::JsonRpc);
        let deliveries: Vec<_> = month.deliveries.iter().map(|(_, punch)| punch.clone()).collect();
        feed(&mut world, deliveries.chunks(40).map(<[_]>::to_vec).collect());
        month.check(&world);
        worlds.push((0..PEOPLE).map(|person| world.records_of(number(person))).collect::<Vec<_>>());
    }
    assert!(worlds.windows(2).all(|pair| pair[0] == pair[1]));
}

/// Where clocks are changed, in either direction, by every protocol: a night is as long as it was, and the same to the
/// second. What arrives goes in shuffled within two hours, as over several ways, in groups of any size.
#[test]
fn every_pair_to_the_second_where_clocks_are_changed() {
    let zones = [
        (Tz::Europe__Madrid, "2026-10-05"),
        (Tz::Europe__Madrid, "2026-03-05"),
        (Tz::America__New_York, "2026-03-02"),
        (Tz::Australia__Lord_Howe, "2026-03-15"),
        (Tz::Asia__Kathmandu, "2026-07-01"),
    ];
    for (seed, ((zone, first), (version, protocol))) in (20..).zip(zones.iter().zip(DOORS.iter().rev())) {
        let mut month = Month::of(seed, *zone, first);
        let mut dice = Dice::new(seed);
        let mut shuffled =
            |arrives: DateTime<Utc>| arrives + TimeDelta::seconds(i64::try_from(dice.below(7_200)).unwrap());
        month.deliveries.sort_by_cached_key(|(arrives, _)| shuffled(*arrives));
        let mut rest: Vec<ReceivedPunch> = month.punches().cloned().collect();
        let mut groups = Vec::new();
        while !rest.is_empty() {
            let size = usize::try_from(1 + dice.below(60)).unwrap().min(rest.len());
            groups.push(rest.drain(..size).collect());
        }
        let mut world = month.world(*version, *protocol);
        feed(&mut world, groups);
        month.check(&world);
    }
}
