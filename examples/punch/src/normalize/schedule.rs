use std::collections::BTreeMap;
use std::path::Path;

use chrono::{NaiveDate, NaiveTime, TimeDelta, Weekday};
use gateway::config::Section;
use punch_normalize::timeline::{Days, Schedule, ShiftPattern};

use crate::exit::UsageError;

/// The shifts of a file: of everybody, and of those who have their own.
#[derive(Debug, Default)]
pub(super) struct Shifts {
    default: Vec<ShiftPattern>,
    own: BTreeMap<String, Vec<ShiftPattern>>,
}

impl Shifts {
    /// Reads a file of `[[shift]]` entries.
    pub(super) fn read(file: &Path) -> Result<Self, UsageError> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| UsageError(format!("--schedule {}: {error}", file.display())))?;
        let entries = Section::read(&text, |root| {
            let sections = root.sections("shift");
            if sections.is_empty() {
                root.complain("shift", "missing, expected entries `[[shift]]` with `start` and `end`".to_owned());
            }
            let mut entries = Vec::new();
            for mut section in sections {
                entries.push(entry(&mut section));
                root.absorb(section);
            }
            entries
        });
        let entries = entries.map_err(|errors| crate::config::complaint(file, &errors))?;
        let mut shifts = Self::default();
        for (pattern, people) in entries {
            if people.is_empty() {
                shifts.default.push(pattern);
            } else {
                for person in people {
                    shifts.own.entry(person).or_default().push(pattern.clone());
                }
            }
        }
        Ok(shifts)
    }

    /// The shifts of one person.
    pub(super) fn of(&self, pin: &str) -> Schedule {
        Schedule { assigned: self.own.get(pin).cloned().unwrap_or_default(), default: self.default.clone() }
    }
}

/// A shift, and whose it is; nobody's is everybody's.
fn entry(section: &mut Section) -> (ShiftPattern, Vec<String>) {
    let clock = |section: &mut Section, key| {
        let text = section.required(key, "a time such as \"22:00\"")?;
        let time = NaiveTime::parse_from_str(&text, "%H:%M").ok();
        if time.is_none() {
            section.complain(key, format!("is `{text}`, expected a time such as `22:00`"));
        }
        time
    };
    let span = |section: &mut Section, key: &str| {
        let Some(text) = section.text(key) else { return TimeDelta::hours(2) };
        super::rules::span(key, &text).unwrap_or_else(|error| {
            section.complain(key, error.0);
            TimeDelta::hours(2)
        })
    };
    let pattern = ShiftPattern {
        name: section.text("name").unwrap_or_default(),
        start: clock(section, "start").unwrap_or_default(),
        end: clock(section, "end").unwrap_or_default(),
        before: span(section, "before"),
        after: span(section, "after"),
        days: days(section),
        from: section.parsed::<NaiveDate>("from", "a date such as `2026-03-02`"),
        to: section.parsed::<NaiveDate>("to", "a date such as `2026-03-02`"),
    };
    (pattern, section.texts("people").unwrap_or_default())
}

fn days(section: &mut Section) -> Days {
    let Some(names) = section.texts("days") else { return Days::ALL };
    let mut days = Days::NONE;
    for name in names {
        match name.parse::<Weekday>() {
            Ok(day) => days = days.with(day),
            Err(_) => section.complain("days", format!("`{name}` is no day, expected mon, tue, …")),
        }
    }
    days
}
