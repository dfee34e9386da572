use alloc::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use punch_normalize::timeline::{History, Mark, TimelineRules};
use punch_normalize::{DeviceZone, Hint, TenantKey};
use punch_protocol::{Pin, RawPunch, SerialNumber};

/// Punches of a person on a working day: in, lunch, back, out.
pub const PUNCHES_A_DAY: u32 = 4;

/// People and their histories, made from raw rows: dated, named and put where they belong.
#[derive(Debug)]
pub struct Crowd {
    key: TenantKey,
    serial: SerialNumber,
    zone: DeviceZone,
    histories: BTreeMap<u32, History>,
}

impl Default for Crowd {
    fn default() -> Self {
        let serial = SerialNumber::parse("CZKE2241600045");
        let Ok(serial) = serial else { unreachable!("a serial number") };
        let zone = DeviceZone::parse("America/Mexico_City").unwrap_or(DeviceZone::Utc);
        Self { key: TenantKey::new([7; 32]), serial, zone, histories: BTreeMap::new() }
    }
}

impl Crowd {
    /// Everybody works for a day; each person's rows come together, as a terminal's backlog brings them.
    pub fn work_a_day(&mut self, people: u32, rules: &TimelineRules) {
        for person in 0..people {
            let marks = self.day(person, 0);
            // Ids of our own key always have a place.
            drop(self.histories.entry(person).or_default().take(marks, rules));
        }
    }

    /// One person works for a month, row by row; what is longer ago than a week is forgotten.
    pub fn work_a_month(&mut self, rules: &TimelineRules) {
        for day in 0..30 {
            for mark in self.day(0, day) {
                let at = mark.at;
                let history = self.histories.entry(0).or_default();
                drop(history.take([mark], rules));
                let horizon = at.checked_sub_signed(TimeDelta::days(7)).unwrap_or(at);
                drop(history.forget_before(horizon, rules));
            }
        }
    }

    /// A row of some days ago comes late; returns how many punches it changes.
    pub fn tell_late(&mut self, number: u32, rules: &TimelineRules) -> usize {
        let mark = self.mark(0, moment(27, i64::from(number).saturating_mul(7)));
        let Some(history) = self.histories.get_mut(&0) else { return 0 };
        // Each on the same history, so that the last is no dearer than the first.
        let mut copy = history.clone();
        copy.take([mark], rules).map_or(0, |changes| changes.len())
    }

    /// How many punches are remembered.
    pub fn remembered(&self) -> usize {
        self.histories.values().map(History::len).sum()
    }

    fn day(&self, person: u32, day: i64) -> Vec<Mark> {
        let late = i64::from(person % 1800);
        let seconds = [8i64, 13, 14, 18].map(|hour| hour.saturating_mul(3600).saturating_add(late));
        seconds.map(|second| self.mark(person, moment(day, second))).into()
    }

    fn mark(&self, person: u32, local: NaiveDateTime) -> Mark {
        let pin = person.to_string();
        let raw = RawPunch::new(self.serial.clone(), Pin::new(pin.as_bytes()).into_owned(), local);
        Mark::new(self.key.event_id(&raw), self.zone.resolve(local, Hint::default()).instant, local)
    }
}

/// A second of a day, counted from 2 March 2026.
fn moment(day: i64, second: i64) -> NaiveDateTime {
    let first = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap_or_default().and_time(NaiveTime::MIN);
    let passed = TimeDelta::days(day).checked_add(&TimeDelta::seconds(second)).unwrap_or_default();
    first.checked_add_signed(passed).unwrap_or(first)
}
