use chrono::{NaiveDate, NaiveTime, TimeDelta};
use punch_normalize::timeline::{
    BounceRules, BounceScope, BusinessDay, Closing, DirectionRule, SinglePunch, StateChange, TimelineRules,
};
use punch_normalize::{ClockPolicy, DeviceZone};

use super::schedule::parse_closing;
use super::section::Section;
use crate::core::Periods;

/// What is made of a terminal's rows. A terminal, its site and the defaults are asked for each value, in this order.
#[derive(Debug, Clone)]
pub struct Profile {
    /// What its clock shows. Default UTC.
    pub zone: DeviceZone,
    /// What is done with the rows of a wrong clock.
    pub clock: ClockPolicy,
    /// What the punches of those who use it mean together.
    pub rules: TimelineRules,
    /// The longest shift that they work, if somebody said so.
    pub longest_shift: Option<TimeDelta>,
    /// Which days are history, and which are closed.
    pub periods: Periods,
    /// How long it may be silent. Default: by how it calls, or is read.
    pub offline_after: Option<TimeDelta>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            zone: DeviceZone::Utc,
            clock: ClockPolicy::default(),
            rules: TimelineRules::default(),
            longest_shift: None,
            periods: Periods::default(),
            offline_after: None,
        }
    }
}

impl Profile {
    /// Reads the keys that a terminal, a site and the defaults have in common. What is not there is as in `base`.
    pub(super) fn read(section: &mut Section, base: &Self) -> Self {
        let zone = section.text("zone").and_then(|text| {
            DeviceZone::parse(&text).map_err(|error| section.complain("zone", error.to_string())).ok()
        });
        let policies: Vec<_> = ClockPolicy::ALL.iter().map(|policy| (policy.as_str(), *policy)).collect();
        Self {
            zone: zone.unwrap_or(base.zone),
            clock: section.one_of("clock", &policies).unwrap_or(base.clock),
            rules: timeline(section, &base.rules),
            longest_shift: hours(section, "longest_shift_hours", 24).or(base.longest_shift),
            periods: periods(section, &base.periods),
            offline_after: offline_after(section, base.offline_after),
        }
    }
}

/// The keys that decide whether one forgotten punch turns later ones around.
pub(super) const FLIP_KEYS: [&str; 4] = ["rule", "infer", "max_shift_hours", "longest_shift_hours"];

fn timeline(section: &mut Section, base: &TimelineRules) -> TimelineRules {
    let rules = [
        ("declared", DirectionRule::Declared),
        ("alternate", DirectionRule::Alternate),
        ("first-last", DirectionRule::FirstLast),
        ("schedule", DirectionRule::Schedule),
    ];
    let days = [
        ("start", BusinessDay::Start),
        ("end", BusinessDay::End),
        ("most_time", BusinessDay::MostTime),
        ("split_midnight", BusinessDay::SplitMidnight),
    ];
    let singles = [("in", SinglePunch::In), ("midpoint", SinglePunch::Midpoint), ("unknown", SinglePunch::Unknown)];
    TimelineRules {
        direction: section.one_of("rule", &rules).unwrap_or(base.direction),
        bounce: bounce(section, &base.bounce),
        max_shift: hours(section, "max_shift_hours", 48).unwrap_or(base.max_shift),
        shift_gap: hours(section, "shift_gap_hours", 48).unwrap_or(base.shift_gap),
        day_start: day_start(section).unwrap_or(base.day_start),
        business_day: section.one_of("business_day", &days).unwrap_or(base.business_day),
        infer: section.switch("infer").unwrap_or(base.infer),
        wrong_key_repair: section.switch("repair_wrong_keys").unwrap_or(base.wrong_key_repair),
        single: section.one_of("single", &singles).unwrap_or(base.single),
        closing: closing(section).unwrap_or(base.closing),
        ..base.clone()
    }
}

fn closing(section: &mut Section) -> Option<Closing> {
    let text = section.text("missing_out")?;
    let complain = |problem| section.complain("missing_out", format!("is `{text}`, {problem}"));
    parse_closing(&text).map_err(complain).ok()
}

fn bounce(section: &mut Section, base: &BounceRules) -> BounceRules {
    let window = section.whole_number("window_seconds", 0, 86_400);
    let window = window.and_then(|seconds| TimeDelta::try_seconds(i64::try_from(seconds).ok()?));
    let scopes = [("device", BounceScope::Device), ("site", BounceScope::Site), ("employee", BounceScope::Employee)];
    let changes = [("keep_both", StateChange::KeepBoth), ("last_wins", StateChange::LastWins)];
    BounceRules {
        window: window.unwrap_or(base.window),
        scope: section.one_of("scope", &scopes).unwrap_or(base.scope),
        sliding: section.switch("sliding_window").unwrap_or(base.sliding),
        cross_role: section.switch("cross_role").unwrap_or(base.cross_role),
        state_change: section.one_of("state_change", &changes).unwrap_or(base.state_change),
    }
}

fn periods(section: &mut Section, base: &Periods) -> Periods {
    let day = |section: &mut Section, key| section.dated::<NaiveDate>(key, "a day such as `2026-03-02`");
    let days = |section: &mut Section, key, least| {
        section.whole_number(key, least, 36_500).and_then(|days| u32::try_from(days).ok())
    };
    let close_after = days(section, "close_after_days", 0).map(|days| Some(days).filter(|days| *days > 0));
    Periods {
        go_live: day(section, "go_live").or(base.go_live),
        retention_days: days(section, "retention_days", 1).or(base.retention_days),
        backfill: section.switch("backfill").unwrap_or(base.backfill),
        closed_through: day(section, "closed_through").or(base.closed_through),
        close_after_days: close_after.unwrap_or(base.close_after_days),
    }
}

/// The longest silence that can be asked for: a week, in minutes.
const SILENCE_MAX: u64 = 10_080;

fn offline_after(section: &mut Section, base: Option<TimeDelta>) -> Option<TimeDelta> {
    match section.whole_number("offline_after_minutes", 0, SILENCE_MAX) {
        Some(0) => None,
        Some(minutes) => i64::try_from(minutes).ok().and_then(TimeDelta::try_minutes),
        None => base,
    }
}

fn hours(section: &mut Section, key: &str, most: u64) -> Option<TimeDelta> {
    section.whole_number(key, 1, most).and_then(|hours| TimeDelta::try_hours(i64::try_from(hours).ok()?))
}

fn day_start(section: &mut Section) -> Option<NaiveTime> {
    let text = section.text("day_start")?;
    let time = NaiveTime::parse_from_str(&text, "%H:%M").ok();
    if time.is_none() {
        section.complain("day_start", format!("`{text}` is no time of day, expected one like `04:00`"));
    }
    time
}
