use std::path::{Path, PathBuf};

use chrono::{NaiveTime, TimeDelta};
use clap::{Args, ValueEnum};
use gateway::config::{parse_closing, parse_span};
use gateway::core::Shifts;
use punch_normalize::DeviceZone;
use punch_normalize::timeline::{
    BounceRules, BounceScope, BusinessDay, DirectionRule, SinglePunch, StateChange, TimelineRules,
};

use crate::exit::UsageError;

/// The rules, for the command line.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// What the terminals' clocks show: a name such as America/Lima, an offset such as -05:00, or UTC.
    #[arg(long, default_value = "UTC", allow_hyphen_values = true)]
    zone: String,
    /// Two punches closer than this are one: seconds, or 90s, 2m. 0 keeps all.
    #[arg(long, default_value = "60")]
    window: String,
    /// Whose punches are compared with each other.
    #[arg(long, value_enum, default_value_t = Scope::Device)]
    scope: Scope,
    /// What tells the direction.
    #[arg(long, value_enum, default_value_t = Rule::Declared)]
    rule: Rule,
    /// The longest time between coming and going.
    #[arg(long, default_value = "14h")]
    max_shift: String,
    /// A pause as long as this begins a new shift.
    #[arg(long, default_value = "4h")]
    shift_gap: String,
    /// When a business day begins, for first-last.
    #[arg(long, value_name = "HH:MM", default_value = "04:00")]
    day_start: String,
    /// The shifts, as TOML; for schedule.
    #[arg(long, value_name = "FILE")]
    schedule: Option<PathBuf>,
    /// Which day a shift belongs to.
    #[arg(long, value_enum, default_value_t = Day::Start)]
    business_day: Day,
    /// What the only punch of a day is, for first-last.
    #[arg(long, value_enum, default_value_t = Single::In)]
    single: Single,
    /// What stands for a departure that nobody made: none, shift_end, "after 10h" or "at 18:00".
    #[arg(long, default_value = "none")]
    missing_out: String,
    /// Let the window begin anew with every suppressed punch.
    #[arg(long)]
    sliding: bool,
    /// Compare the readers of both sides of a door, too.
    #[arg(long)]
    cross_role: bool,
    /// Of two different states within the window the last one is meant.
    #[arg(long)]
    last_state_wins: bool,
    /// Turn a departure on arrival around.
    #[arg(long)]
    repair_wrong_keys: bool,
    /// Leave unknown what nobody declares.
    #[arg(long)]
    no_infer: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scope {
    /// Those at one terminal.
    Device,
    /// Those at one site.
    Site,
    /// All of a person's.
    Employee,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Rule {
    /// The terminal's role, the state it reports, else in and out in turn.
    Declared,
    /// In and out in turn.
    Alternate,
    /// The first and the last of a business day.
    FirstLast,
    /// The shift in whose window it lies.
    Schedule,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Day {
    /// The day on which it begins.
    Start,
    /// The day on which it ends.
    End,
    /// The day that has most of it.
    MostTime,
    /// Each punch the day it is on.
    SplitMidnight,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Single {
    /// An arrival.
    In,
    /// By the half of the day.
    Midpoint,
    /// Unknown.
    Unknown,
}

/// The rules as they are applied.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) zone: DeviceZone,
    pub(super) timeline: TimelineRules,
    pub(super) shifts: Shifts,
}

impl Flags {
    pub(super) fn read(&self) -> Result<Rules, UsageError> {
        let zone = DeviceZone::parse(&self.zone).map_err(|error| UsageError(format!("--zone: {error}")))?;
        let shifts = self.schedule.as_deref().map(read_shifts).transpose()?.unwrap_or_default();
        if matches!(self.rule, Rule::Schedule) && self.schedule.is_none() {
            return Err(UsageError(
                "--rule schedule: the shifts are missing; name them with --schedule FILE".to_owned(),
            ));
        }
        let day_start = NaiveTime::parse_from_str(&self.day_start, "%H:%M");
        let day_start = day_start.map_err(|_| UsageError(format!("--day-start {}: expected HH:MM", self.day_start)))?;
        let bounce = BounceRules {
            window: span("--window", &self.window)?,
            scope: match self.scope {
                Scope::Device => BounceScope::Device,
                Scope::Site => BounceScope::Site,
                Scope::Employee => BounceScope::Employee,
            },
            sliding: self.sliding,
            cross_role: self.cross_role,
            state_change: if self.last_state_wins { StateChange::LastWins } else { StateChange::KeepBoth },
        };
        let timeline = TimelineRules {
            direction: match self.rule {
                Rule::Declared => DirectionRule::Declared,
                Rule::Alternate => DirectionRule::Alternate,
                Rule::FirstLast => DirectionRule::FirstLast,
                Rule::Schedule => DirectionRule::Schedule,
            },
            bounce,
            max_shift: span("--max-shift", &self.max_shift)?,
            shift_gap: span("--shift-gap", &self.shift_gap)?,
            day_start,
            business_day: match self.business_day {
                Day::Start => BusinessDay::Start,
                Day::End => BusinessDay::End,
                Day::MostTime => BusinessDay::MostTime,
                Day::SplitMidnight => BusinessDay::SplitMidnight,
            },
            infer: !self.no_infer,
            wrong_key_repair: self.repair_wrong_keys,
            single: match self.single {
                Single::In => SinglePunch::In,
                Single::Midpoint => SinglePunch::Midpoint,
                Single::Unknown => SinglePunch::Unknown,
            },
            closing: parse_closing(&self.missing_out)
                .map_err(|problem| UsageError(format!("--missing-out {}: {problem}", self.missing_out)))?,
            ..TimelineRules::default()
        };
        Ok(Rules { zone, timeline, shifts })
    }
}

fn span(flag: &str, text: &str) -> Result<TimeDelta, UsageError> {
    parse_span(text).map_err(|problem| UsageError(format!("{flag} {text}: {problem}")))
}

/// The shifts of a file of `[[shift]]` entries.
fn read_shifts(file: &Path) -> Result<Shifts, UsageError> {
    let text =
        std::fs::read_to_string(file).map_err(|error| UsageError(format!("--schedule {}: {error}", file.display())))?;
    gateway::config::read_shifts(&text).map_err(|errors| crate::config::complaint(file, &errors))
}
