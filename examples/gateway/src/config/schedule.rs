use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveTime, TimeDelta, Weekday};
use punch_normalize::timeline::{Closing, Days, ShiftPattern};

use super::ConfigErrors;
use super::section::Section;
use crate::core::Shifts;

/// How long before and after a shift its punches may lie, if nothing is said.
const ROOM: TimeDelta = TimeDelta::hours(2);

/// Reads a file that has nothing but `[[shift]]` entries.
///
/// # Errors
///
/// [`ConfigErrors`] lists everything that is wrong with it.
pub fn read_shifts(text: &str) -> Result<Shifts, ConfigErrors> {
    Section::read(text, |root| {
        let shifts = shifts(root, &BTreeSet::new());
        if shifts.is_empty() {
            root.complain("shift", "missing, expected entries `[[shift]]` with `start` and `end`".to_owned());
        }
        shifts
    })
}

/// Reads the `[[shift]]` entries. Those in `named` are somebody's already.
pub(super) fn shifts(root: &mut Section, named: &BTreeSet<String>) -> Shifts {
    let mut shifts = Shifts::default();
    for mut section in root.sections("shift") {
        let pattern = pattern(&mut section);
        let people = section.texts("people").unwrap_or_default();
        let is_nobodys = people.is_empty() && !named.contains(&pattern.name);
        let is_default = section.switch("default").unwrap_or(is_nobodys);
        root.absorb(section);
        shifts.add(pattern, people, is_default);
    }
    shifts
}

fn pattern(section: &mut Section) -> ShiftPattern {
    let room = |section: &mut Section, key: &str| {
        let text = section.text(key)?;
        parse_span(&text).map_err(|problem| section.complain(key, format!("is `{text}`, {problem}"))).ok()
    };
    let day = |section: &mut Section, key| section.dated::<NaiveDate>(key, "a day such as `2026-03-02`");
    let (from, to) = (day(section, "from"), day(section, "to"));
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        section.complain("to", "is before `from`; the last day is meant".to_owned());
    }
    ShiftPattern {
        name: section.text("name").unwrap_or_default(),
        start: clock(section, "start").unwrap_or_default(),
        end: clock(section, "end").unwrap_or_default(),
        before: room(section, "before").unwrap_or(ROOM),
        after: room(section, "after").unwrap_or(ROOM),
        days: days(section),
        from,
        to,
    }
}

fn clock(section: &mut Section, key: &str) -> Option<NaiveTime> {
    let text = section.required(key, "a time such as \"22:00\"")?;
    let time = NaiveTime::parse_from_str(&text, "%H:%M").ok();
    if time.is_none() {
        section.complain(key, format!("is `{text}`, expected a time such as `22:00`"));
    }
    time
}

fn days(section: &mut Section) -> Days {
    let Some(names) = section.texts("days") else { return Days::ALL };
    if names.is_empty() {
        section.complain("days", "names no day; leave it out if the shift is worked on all".to_owned());
    }
    let mut days = Days::NONE;
    for name in names {
        match name.parse::<Weekday>() {
            Ok(day) => days = days.with(day),
            Err(_) => section.complain("days", format!("`{name}` is no day, expected mon, tue, …")),
        }
    }
    days
}

/// Reads what stands for a departure that nobody made: `none`, `shift_end`, `after 10h` or `at 18:00`.
///
/// # Errors
///
/// What was expected.
pub fn parse_closing(text: &str) -> Result<Closing, String> {
    let expected = "expected none, shift_end, `after 10h` or `at 18:00`";
    match text.split_once(' ') {
        None if text == "none" => Ok(Closing::None),
        None if text == "shift_end" => Ok(Closing::ShiftEnd),
        Some(("after", span)) => parse_span(span).map(Closing::Cap).map_err(ToOwned::to_owned),
        Some(("at", time)) => {
            NaiveTime::parse_from_str(time, "%H:%M").map(Closing::Fixed).map_err(|_| expected.to_owned())
        }
        _ => Err(expected.to_owned()),
    }
}

/// Reads a span of time: `90`, `90s`, `2m`, `4h`, `1h30m`, `1d`. A number alone is seconds.
///
/// # Errors
///
/// What was expected.
pub fn parse_span(text: &str) -> Result<TimeDelta, &'static str> {
    const WRONG: &str = "expected a time such as 60, 90s, 2m, 14h or 1h30m";
    let mut total = 0i64;
    let mut rest = text;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, behind) = rest.split_at(unit_at);
        let mut behind = behind.chars();
        let unit = match behind.next() {
            None | Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            Some(_) => return Err(WRONG),
        };
        let seconds = digits.parse::<i64>().ok().and_then(|number| number.checked_mul(unit));
        total = seconds.and_then(|seconds| total.checked_add(seconds)).ok_or(WRONG)?;
        rest = behind.as_str();
    }
    if text.is_empty() { Err(WRONG) } else { TimeDelta::try_seconds(total).ok_or(WRONG) }
}
