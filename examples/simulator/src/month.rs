//! A generated month of 50 people, as hard as real ones: nights, lunches, forgotten punches, 5 % doubled, 10 % late.
//!
//! What really was is kept beside what was punched, and knows nothing of how pairs are found.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use crate::dice::Dice;

/// How many people there are. Their badges are `B000` and so on.
pub const PEOPLE: u32 = 50;

/// How many days the month has. Those of the last day go home on the day after.
pub const DAYS: usize = 26;

/// A time of presence as it really was.
pub type Presence = (DateTime<Utc>, DateTime<Utc>);

/// A punch on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// When it arrives.
    pub arrives: DateTime<Utc>,
    /// The event's id. It is made of the rest, so what is delivered twice is one event.
    pub id: String,
    /// Whose badge.
    pub badge: String,
    /// When it was punched, whole seconds.
    pub at: DateTime<Utc>,
    /// `in` or `out`.
    pub direction: &'static str,
}

/// What was punched and what really was.
#[derive(Debug, Clone, Default)]
pub struct Month {
    /// The punches in the order of arrival.
    pub deliveries: Vec<Delivery>,
    /// The presences of which both ends were punched, by badge.
    pub pairs: BTreeMap<String, BTreeSet<Presence>>,
    /// Arrivals whose departure was forgotten.
    pub dangling: usize,
    /// Punches that were never made.
    pub forgotten: usize,
    /// Nights worked.
    pub nights: usize,
    /// Punches that arrive 10 minutes to 3 days late.
    pub late: usize,
    /// Punches that came twice: delivered again, or the finger once more within the minute.
    pub doubled: usize,
}

impl Month {
    /// The month that begins on `first`, where clocks show the time of `zone`. The same seed gives the same month.
    pub fn new(seed: u64, zone: Tz, first: NaiveDate) -> Self {
        let (mut dice, mut month) = (Dice::new(seed), Self::default());
        for person in 0..PEOPLE {
            month.person(person, zone, first, &mut dice);
        }
        month.deliveries.sort_by(|a, b| (a.arrives, &a.id).cmp(&(b.arrives, &b.id)));
        month
    }

    fn person(&mut self, person: u32, zone: Tz, first: NaiveDate, dice: &mut Dice) {
        let badge = badge(person);
        let works_nights = person.is_multiple_of(5);
        let mut was_forgotten = false;
        for day in first.iter_days().take(DAYS) {
            // Some nights are on weekends: that is when clocks are changed.
            if day.weekday().number_from_monday() > 5 && !person.is_multiple_of(10) {
                continue;
            }
            self.nights += usize::from(works_nights);
            for presence in shifts(person, zone, day, dice) {
                // Nobody forgets twice in a row: then no reader of the punches could know that it were two presences.
                let forgets_in = !was_forgotten && dice.below(100) < 2;
                let forgets_out = !forgets_in && dice.below(100) < 3;
                was_forgotten = forgets_out;
                self.forgotten += usize::from(forgets_in || forgets_out);
                self.dangling += usize::from(forgets_out);
                if !forgets_in {
                    self.punch(&badge, presence.0, "in", dice);
                }
                if !forgets_out {
                    self.punch(&badge, presence.1, "out", dice);
                }
                if !forgets_in && !forgets_out {
                    self.pairs.entry(badge.clone()).or_default().insert(presence);
                }
            }
        }
    }

    fn punch(&mut self, badge: &str, at: DateTime<Utc>, direction: &'static str, dice: &mut Dice) {
        let is_late = dice.below(100) < 10;
        self.late += usize::from(is_late);
        let seconds = if is_late { 600 + dice.below(3 * 86_400) } else { 2 + dice.below(5) };
        let arrives = at + delta(seconds);
        self.deliveries.push(Delivery::new(badge, at, direction, arrives));
        if dice.below(100) >= 5 {
            return;
        }
        self.doubled += 1;
        let again = if dice.below(100) < 50 {
            Delivery::new(badge, at, direction, arrives + delta(dice.below(86_400)))
        } else {
            Delivery::new(badge, at + delta(1 + dice.below(50)), direction, arrives)
        };
        self.deliveries.push(again);
    }
}

impl Delivery {
    fn new(badge: &str, at: DateTime<Utc>, direction: &'static str, arrives: DateTime<Utc>) -> Self {
        let id = format!("evt_{}_{}_{direction}", badge.to_ascii_lowercase(), at.format("%Y%m%d%H%M%S"));
        Self { arrives, id, badge: badge.to_owned(), at, direction }
    }
}

/// The badge of the person of this number.
pub fn badge(person: u32) -> String {
    format!("B{person:03}")
}

/// A day at work with a lunch, or a night with a break. The lengths are hours passed, whatever clocks do meanwhile.
fn shifts(person: u32, zone: Tz, day: NaiveDate, dice: &mut Dice) -> [Presence; 2] {
    let works_nights = person.is_multiple_of(5);
    let hour = if works_nights { 22 + person / 5 % 2 } else { 8 };
    let civil = day.and_hms_opt(hour, 0, 0).unwrap_or_default();
    let begin = zone.from_local_datetime(&civil).earliest().map_or(civil.and_utc(), |begin| begin.with_timezone(&Utc));
    let mut time = |minutes: u64| begin + delta(minutes * 60 + dice.below(1200)) - TimeDelta::minutes(10);
    if works_nights {
        [(time(0), time(240)), (time(280), time(480))]
    } else {
        [(time(0), time(300)), (time(360), time(600))]
    }
}

fn delta(seconds: u64) -> TimeDelta {
    TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX / 1_000))
}
