//! A generated month of 50 people: nights, lunches, forgotten punches, 5 % duplicates, 10 % late.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc};
use punch_erp::odoo::{Protocol, WriteAttendances};
use punch_webhook::ReceivedPunch;

use super::world::{OdooEmployee, World, now, words};

const PEOPLE: i64 = 50;

/// Numbers from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((mixed ^ (mixed >> 31)) % limit).unwrap()
    }

    fn percent(&mut self, chance: i64) -> bool {
        self.below(100) < chance
    }
}

/// A time of presence as it really was.
type Presence = (DateTime<Utc>, DateTime<Utc>);

/// What was punched, in the order of arrival, and what really was.
pub(crate) struct Month {
    deliveries: Vec<(DateTime<Utc>, ReceivedPunch)>,
    /// The presences of which both ends were punched, by employee. It knows nothing of how pairs are found.
    expected: BTreeMap<i64, BTreeSet<Presence>>,
    /// Arrivals whose departure was forgotten.
    dangling: usize,
    forgotten: usize,
    nights: usize,
    late: usize,
    doubled: usize,
}

impl Month {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let (deliveries, expected) = (Vec::new(), BTreeMap::new());
        let mut month = Self { deliveries, expected, dangling: 0, forgotten: 0, nights: 0, late: 0, doubled: 0 };
        for employee in 0..PEOPLE {
            month.person(employee, &mut dice);
        }
        month.deliveries.sort_by(|a, b| (a.0, a.1.event_id.as_str()).cmp(&(b.0, b.1.event_id.as_str())));
        month
    }

    fn person(&mut self, employee: i64, dice: &mut Dice) {
        let works_nights = employee % 5 == 0;
        let mut was_forgotten = false;
        for day in NaiveDate::from_ymd_opt(2026, 11, 1).unwrap().iter_days().take(26) {
            if day.weekday().number_from_monday() > 5 {
                continue;
            }
            let midnight = day.and_hms_opt(0, 0, 0).unwrap().and_utc();
            let mut time = |minutes: i64| midnight + TimeDelta::seconds(minutes * 60 + dice.below(1200) - 600);
            let presences = if works_nights {
                self.nights += 1;
                vec![(time(22 * 60), time(26 * 60)), (time(26 * 60 + 40), time(30 * 60))]
            } else {
                vec![(time(8 * 60), time(13 * 60)), (time(14 * 60), time(18 * 60))]
            };
            for presence in presences {
                // Nobody forgets twice in a row: then no reader of the punches could know that it were two presences.
                let forgets_in = !was_forgotten && dice.percent(2);
                let forgets_out = !forgets_in && dice.percent(3);
                was_forgotten = forgets_out;
                self.forgotten += usize::from(forgets_in || forgets_out);
                self.dangling += usize::from(forgets_out);
                if !forgets_in {
                    self.punch(employee, presence.0, "in", dice);
                }
                if !forgets_out {
                    self.punch(employee, presence.1, "out", dice);
                }
                if !forgets_in && !forgets_out {
                    self.expected.entry(employee + 100).or_default().insert(presence);
                }
            }
        }
    }

    fn punch(&mut self, employee: i64, at: DateTime<Utc>, direction: &str, dice: &mut Dice) {
        let badge = format!("B{employee:03}");
        let text = at.format("%d %H:%M:%S").to_string();
        let punch = super::world::punch(&badge, &text, direction);
        let is_late = dice.percent(10);
        self.late += usize::from(is_late);
        let arrives = at + TimeDelta::seconds(if is_late { 600 + dice.below(3 * 86_400) } else { 2 + dice.below(5) });
        self.deliveries.push((arrives, punch.clone()));
        if dice.percent(5) {
            self.doubled += 1;
            if dice.percent(50) {
                // The same event once more, some time later.
                self.deliveries.push((arrives + TimeDelta::seconds(dice.below(86_400)), punch));
            } else {
                // The finger once more, within the minute.
                let again = (at + TimeDelta::seconds(1 + dice.below(50))).format("%d %H:%M:%S").to_string();
                self.deliveries.push((arrives, super::world::punch(&badge, &again, direction)));
            }
        }
    }

    pub(crate) fn world(&self, version: u16, protocol: Protocol) -> World {
        let mut world = World::at_door(version, protocol);
        for employee in 0..PEOPLE {
            let badge = format!("B{employee:03}");
            world.server.config_mut().employees.push(OdooEmployee::new(employee + 100, "Person", &badge));
        }
        world
    }

    /// How many punches were never made.
    pub(crate) fn forgotten(&self) -> usize {
        self.forgotten
    }

    /// The punches in the order of arrival.
    pub(crate) fn punches(&self) -> impl Iterator<Item = &ReceivedPunch> {
        self.deliveries.iter().map(|(_, punch)| punch)
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
            self.expected.iter().flat_map(|(id, pairs)| pairs.iter().map(|pair| (*id, *pair))).collect();
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
        for (employee, expected) in &self.expected {
            let found = &found[employee];
            let (lost, invented): (Vec<_>, Vec<_>) =
                (expected.difference(found).collect(), found.difference(expected).collect());
            assert!(lost.is_empty() && invented.is_empty(), "{employee}: lost {lost:?}, invented {invented:?}");
        }
        // Each arrival without a departure is there, with no time in it.
        assert_eq!(empty + open.len(), self.dangling);
    }
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
    assert!(month.nights > 150 && month.forgotten > 50 && month.dangling > 20);
    assert!((8..12).contains(&(month.late * 100 / total)), "{} late of {total}", month.late);
    assert!((4..7).contains(&(month.doubled * 100 / total)), "{} doubled of {total}", month.doubled);
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
    for (seed, (version, protocol)) in (2..).zip(super::world::DOORS) {
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
                let mut dice = Dice(9);
                month.deliveries.sort_by_cached_key(|_| dice.below(u64::MAX >> 1));
            }
        }
        let mut world = month.world(16, Protocol::JsonRpc);
        let deliveries: Vec<_> = month.deliveries.iter().map(|(_, punch)| punch.clone()).collect();
        feed(&mut world, deliveries.chunks(40).map(<[_]>::to_vec).collect());
        month.check(&world);
        worlds.push((0..PEOPLE).map(|employee| world.records_of(employee + 100)).collect::<Vec<_>>());
    }
    assert!(worlds.windows(2).all(|pair| pair[0] == pair[1]));
}
