use alloc::string::String;
use alloc::vec::Vec;

use chrono::{Datelike as _, Days as DayCount, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Weekday};

use crate::Direction;

/// The shifts of one person. Shifts that are assigned go before the default ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update syntax")]
pub struct Schedule {
    /// The shifts assigned to the person. While there is one, the default ones do not count.
    pub assigned: Vec<ShiftPattern>,
    /// The shifts of whoever has none assigned.
    pub default: Vec<ShiftPattern>,
}

/// A shift, and the days on which it is worked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update syntax")]
pub struct ShiftPattern {
    /// Its name.
    pub name: String,
    /// When it begins.
    pub start: NaiveTime,
    /// When it ends; not behind its beginning is on the next day.
    pub end: NaiveTime,
    /// How long before its beginning a punch belongs to it. Two hours are usual.
    pub before: TimeDelta,
    /// How long after its end a punch belongs to it. Two hours are usual.
    pub after: TimeDelta,
    /// The days of the week on which it begins.
    pub days: Days,
    /// The first day on which it begins; `None` is always.
    pub from: Option<NaiveDate>,
    /// The last day on which it begins; `None` is always.
    pub to: Option<NaiveDate>,
}

/// Days of the week.
///
/// ```
/// use chrono::Weekday;
/// use punch_normalize::timeline::Days;
///
/// let weekend = Days::NONE.with(Weekday::Sat).with(Weekday::Sun);
/// assert!(weekend.has(Weekday::Sun) && !weekend.has(Weekday::Mon));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days(u8);

impl Days {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// All of them.
    pub const ALL: Self = Self(0x7f);

    /// These and another one.
    #[must_use]
    pub fn with(self, day: Weekday) -> Self {
        Self(self.0 | Self::bit(day))
    }

    /// Whether a day is among them.
    pub fn has(self, day: Weekday) -> bool {
        self.0 & Self::bit(day) != 0
    }

    fn bit(day: Weekday) -> u8 {
        1u8.checked_shl(day.num_days_from_monday()).unwrap_or(0)
    }
}

/// The shift in whose window a time lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShiftWindow<'a> {
    /// The name of the shift.
    pub name: &'a str,
    /// When it begins.
    pub start: NaiveDateTime,
    /// When it ends.
    pub end: NaiveDateTime,
    /// In before its middle, out from there on.
    pub direction: Direction,
}

/// One working of a shift.
#[derive(Clone, Copy)]
struct Instance<'a> {
    pattern: &'a ShiftPattern,
    start: NaiveDateTime,
    end: NaiveDateTime,
}

impl Schedule {
    /// The shift in whose window `local` lies. Windows of neighbours end half-way between them.
    ///
    /// ```
    /// use chrono::{NaiveDate, NaiveTime, TimeDelta};
    /// use punch_normalize::Direction;
    /// use punch_normalize::timeline::{Days, Schedule, ShiftPattern};
    ///
    /// let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("an hour");
    /// let shift = |name: &str, start, end| ShiftPattern {
    ///     name: name.into(),
    ///     start: time(start),
    ///     end: time(end),
    ///     before: TimeDelta::hours(2),
    ///     after: TimeDelta::hours(2),
    ///     days: Days::ALL,
    ///     from: None,
    ///     to: None,
    /// };
    /// let schedule = Schedule { assigned: vec![shift("early", 6, 14), shift("late", 14, 22)], default: vec![] };
    /// let day = NaiveDate::from_ymd_opt(2026, 3, 2).expect("a day");
    /// let at = |hour, minute| schedule.window(day.and_hms_opt(hour, minute, 0).expect("a time")).expect("a shift");
    /// assert_eq!((at(13, 55).name, at(13, 55).direction), ("early", Direction::Out));
    /// assert_eq!((at(14, 0).name, at(14, 0).direction), ("late", Direction::In));
    /// ```
    pub fn window(&self, local: NaiveDateTime) -> Option<ShiftWindow<'_>> {
        let patterns = if self.assigned.is_empty() { &self.default } else { &self.assigned };
        let mut instances: Vec<Instance<'_>> = Vec::new();
        let first = local.date().checked_sub_days(DayCount::new(2))?;
        for date in first.iter_days().take(5) {
            instances.extend(patterns.iter().filter_map(|pattern| pattern.on(date)));
        }
        instances.sort_by_key(|instance| (instance.start, instance.end));
        let found = instances.iter().enumerate().find(|(place, instance)| {
            let before = place.checked_sub(1).and_then(|place| instances.get(place));
            let after = instances.get(place.saturating_add(1));
            instance.begins(before).is_some_and(|begin| local >= begin)
                && instance.ends(after).is_some_and(|end| local < end)
        });
        let (_, Instance { pattern, start, end }) = found?;
        let direction = if local < middle(*start, *end)? { Direction::In } else { Direction::Out };
        Some(ShiftWindow { name: &pattern.name, start: *start, end: *end, direction })
    }
}

impl ShiftPattern {
    /// The shift that begins on this day.
    fn on(&self, date: NaiveDate) -> Option<Instance<'_>> {
        let within = self.from.is_none_or(|from| date >= from) && self.to.is_none_or(|to| date <= to);
        if !within || !self.days.has(date.weekday()) {
            return None;
        }
        let last = if self.end > self.start { date } else { date.checked_add_days(DayCount::new(1))? };
        Some(Instance { pattern: self, start: date.and_time(self.start), end: last.and_time(self.end) })
    }
}

impl Instance<'_> {
    fn begins(&self, before: Option<&Self>) -> Option<NaiveDateTime> {
        let own = self.start.checked_sub_signed(self.pattern.before)?;
        let border = before.and_then(|before| middle(before.end, self.start));
        Some(border.map_or(own, |border| own.max(border)))
    }

    fn ends(&self, after: Option<&Self>) -> Option<NaiveDateTime> {
        let own = self.end.checked_add_signed(self.pattern.after)?;
        let border = after.and_then(|after| middle(self.end, after.start));
        Some(border.map_or(own, |border| own.min(border)))
    }
}

fn middle(one: NaiveDateTime, other: NaiveDateTime) -> Option<NaiveDateTime> {
    one.checked_add_signed(other.signed_duration_since(one).checked_div(2)?)
}
