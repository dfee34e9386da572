use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use punch_normalize::timeline::{Schedule, ShiftPattern};

/// The shifts there are, and whose they are. `Debug` names nobody.
#[derive(Clone, Default)]
pub struct Shifts {
    patterns: Vec<ShiftPattern>,
    default: Vec<usize>,
    own: BTreeMap<String, BTreeSet<usize>>,
}

impl Shifts {
    /// Adds a shift of these people, by their keys; a default one is of everybody who has none.
    pub fn add(&mut self, pattern: ShiftPattern, people: impl IntoIterator<Item = String>, is_default: bool) {
        let index = self.patterns.len();
        self.patterns.push(pattern);
        if is_default {
            self.default.push(index);
        }
        for person in people {
            self.own.entry(person).or_default().insert(index);
        }
    }

    /// The shifts of one person: those that name them, and those whose names are in `named`.
    pub fn of(&self, person: &str, named: &[String]) -> Schedule {
        let own = self.own.get(person);
        let is_theirs = |index: &usize, pattern: &ShiftPattern| {
            own.is_some_and(|own| own.contains(index)) || named.contains(&pattern.name)
        };
        let assigned = self.patterns.iter().enumerate().filter(|(index, pattern)| is_theirs(index, pattern));
        Schedule {
            assigned: assigned.map(|(_, pattern)| pattern.clone()).collect(),
            default: self.default.iter().filter_map(|&index| self.patterns.get(index).cloned()).collect(),
        }
    }

    /// The names that a person can have among their shifts.
    pub fn names(&self) -> BTreeSet<&str> {
        self.patterns.iter().map(|pattern| pattern.name.as_str()).filter(|name| !name.is_empty()).collect()
    }

    /// The keys of those who have shifts of their own.
    pub fn people(&self) -> impl Iterator<Item = &str> {
        self.own.keys().map(String::as_str)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// How long the longest one is.
    pub fn longest(&self) -> Option<TimeDelta> {
        self.patterns.iter().map(length).max()
    }
}

impl fmt::Debug for Shifts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shifts").field("patterns", &self.patterns).finish_non_exhaustive()
    }
}

/// An end that is not behind the beginning is on the next day.
fn length(pattern: &ShiftPattern) -> TimeDelta {
    let length = pattern.end.signed_duration_since(pattern.start);
    if length > TimeDelta::zero() { length } else { TimeDelta::days(1).checked_add(&length).unwrap_or(length) }
}
