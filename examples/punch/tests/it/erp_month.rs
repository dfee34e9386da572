//! A month of punches as they reach a middleware: nights, lunches, forgotten ones, the same one twice, in any order.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use simulator::world::Dice;

/// Somebody came or left.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Punch {
    pub(crate) badge: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) arrives: bool,
}

impl Punch {
    pub(crate) fn id(&self) -> String {
        format!("evt_{}_{}_{}", self.badge, self.at.timestamp(), if self.arrives { "in" } else { "out" })
    }

    /// One of the published shapes.
    fn line(&self, shape: u64) -> String {
        let (id, at) = (self.id(), self.at.to_rfc3339());
        let direction = if self.arrives { "in" } else { "out" };
        let body = if shape == 0 {
            json!({
                "event": "attendance.punch", "event_id": id, "device_serial": "T1", "employee_id": self.badge,
                "timestamp": at, "direction": direction, "method": "face",
            })
        } else {
            json!({
                "event_id": id, "event_type": "attendance.punch", "timestamp": at,
                "employee": { "badge_number": self.badge }, "device": { "serial_number": "T1" },
                "punch": { "direction": direction, "method": "fingerprint" },
            })
        };
        format!("{body}\n")
    }
}

/// The month: each punch once, in order.
pub(crate) struct Month {
    pub(crate) punches: BTreeSet<Punch>,
    /// What is piped in, a line an event.
    pub(crate) lines: Vec<String>,
}

impl Month {
    /// So many people from badge 1001, so many days. Every fifth works at night. 3 % of the punches are forgotten, 5 % come
    /// twice, and all of them are shuffled, so that far more than 10 % are late.
    pub(crate) fn of(people: u32, days: i64, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let first: DateTime<Utc> = "2026-03-02T00:00:00Z".parse().unwrap();
        let mut punches = BTreeSet::new();
        for person in 0..people {
            let hours: &[i64] = match person % 5 {
                0 => &[22, 30],
                1 | 2 => &[8, 13, 14, 18],
                _ => &[7, 16],
            };
            for day in (0..days).filter(|day| day % 7 < 5) {
                for (number, hour) in hours.iter().enumerate() {
                    let jitter = i64::try_from(dice.below(1200)).unwrap();
                    let at = first + TimeDelta::days(day) + TimeDelta::hours(*hour) + TimeDelta::seconds(jitter);
                    if dice.below(100) >= 3 {
                        punches.insert(Punch { badge: (1001 + person).to_string(), at, arrives: number % 2 == 0 });
                    }
                }
            }
        }
        let mut lines = Vec::new();
        for punch in &punches {
            lines.push(punch.line(dice.below(2)));
            if dice.below(100) < 5 {
                lines.push(punch.line(dice.below(2)));
            }
        }
        for index in (1..lines.len()).rev() {
            let other = usize::try_from(dice.below(u64::try_from(index + 1).unwrap())).unwrap();
            lines.swap(index, other);
        }
        Self { punches, lines }
    }

    pub(crate) fn input(&self) -> Vec<u8> {
        self.lines.concat().into_bytes()
    }

    /// The punches of each person, in order of time.
    pub(crate) fn people(&self) -> BTreeMap<&str, Vec<&Punch>> {
        let mut people: BTreeMap<&str, Vec<&Punch>> = BTreeMap::new();
        for punch in &self.punches {
            people.entry(&punch.badge).or_default().push(punch);
        }
        people
    }

    /// Arrivals with the departure right behind them, at most 14 hours later: by badge, to the second.
    pub(crate) fn pairs(&self) -> BTreeSet<(String, DateTime<Utc>, DateTime<Utc>)> {
        let mut pairs = BTreeSet::new();
        for (badge, punches) in self.people() {
            for two in punches.windows(2) {
                let is_pair = two[0].arrives && !two[1].arrives && two[1].at - two[0].at <= TimeDelta::hours(14);
                if is_pair {
                    pairs.insert((badge.to_owned(), two[0].at, two[1].at));
                }
            }
        }
        pairs
    }

    /// Punches that belong to no pair, and are not the last arrival of somebody: that one is open.
    pub(crate) fn alone(&self) -> usize {
        let last_open =
            self.people().values().filter(|punches| punches.last().is_some_and(|last| last.arrives)).count();
        self.punches.len() - 2 * self.pairs().len() - last_open
    }
}
