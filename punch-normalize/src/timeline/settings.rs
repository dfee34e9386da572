use chrono::{NaiveTime, TimeDelta};
use serde::{Deserialize, Serialize};

use super::schedule::Schedule;

/// How one person's punches become directions and sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update syntax")]
pub struct TimelineRules {
    /// What tells the direction. Default [`DirectionRule::Declared`].
    pub direction: DirectionRule,
    /// What counts as one punch.
    pub bounce: BounceRules,
    /// The longest time between coming and going. Default 14 hours.
    ///
    /// With alternation a forgotten punch turns every later one around until a pause longer than this. So it has to be
    /// shorter than the shortest time off duty: 24 hours less the longest shift. See [`TimelineRules::check`].
    pub max_shift: TimeDelta,
    /// A pause as long as this begins a new shift. Default 4 hours.
    pub shift_gap: TimeDelta,
    /// When a business day begins, for [`DirectionRule::FirstLast`]. Default 04:00; noon for night groups.
    pub day_start: NaiveTime,
    /// Which day a shift belongs to. Default that of its beginning.
    pub business_day: BusinessDay,
    /// Whether a direction may be inferred where none is declared. Default yes; else it stays unknown.
    pub infer: bool,
    /// Whether the first of two declared departures without an arrival becomes an arrival, with little confidence.
    /// Default no.
    pub wrong_key_repair: bool,
    /// What the only punch of a business day is, for [`DirectionRule::FirstLast`]. Default an arrival.
    pub single: SinglePunch,
    /// The shifts of this person, for [`DirectionRule::Schedule`].
    pub schedule: Schedule,
    /// What is put in the place of a departure that nobody made. Default nothing: no time is invented.
    pub closing: Closing,
}

impl Default for TimelineRules {
    fn default() -> Self {
        Self {
            direction: DirectionRule::Declared,
            bounce: BounceRules::default(),
            max_shift: TimeDelta::hours(14),
            shift_gap: TimeDelta::hours(4),
            day_start: NaiveTime::from_hms_opt(4, 0, 0).unwrap_or(NaiveTime::MIN),
            business_day: BusinessDay::Start,
            infer: true,
            wrong_key_repair: false,
            single: SinglePunch::In,
            schedule: Schedule::default(),
            closing: Closing::None,
        }
    }
}

impl TimelineRules {
    /// Looks whether alternation can heal from a forgotten punch, given the longest shift that people work.
    ///
    /// # Errors
    ///
    /// [`FlipTrap`] if a forgotten punch would turn every later one around.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use punch_normalize::timeline::TimelineRules;
    ///
    /// let rules = TimelineRules::default();
    /// assert!(rules.check(TimeDelta::hours(9)).is_ok());
    /// assert!(rules.check(TimeDelta::hours(12)).is_err()); // twelve hours on, twelve off
    /// ```
    pub fn check(&self, longest_shift: TimeDelta) -> Result<(), FlipTrap> {
        let off_duty = TimeDelta::hours(24).checked_sub(&longest_shift).unwrap_or(TimeDelta::zero());
        let alternates = self.infer && matches!(self.direction, DirectionRule::Declared | DirectionRule::Alternate);
        if alternates && self.max_shift >= off_duty {
            return Err(FlipTrap { max_shift_hours: self.max_shift.num_hours(), off_duty_hours: off_duty.num_hours() });
        }
        Ok(())
    }
}

/// One forgotten punch would turn every later one around.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "max_shift of {max_shift_hours} h is not below the {off_duty_hours} h off duty: one forgotten punch would turn all later ones around; give the terminals roles, or people schedules, or lower max_shift"
)]
#[expect(clippy::exhaustive_structs, reason = "an error of two numbers")]
pub struct FlipTrap {
    /// The longest time between coming and going, in hours.
    pub max_shift_hours: i64,
    /// The shortest time off duty, in hours.
    pub off_duty_hours: i64,
}

/// What tells the direction of a punch. Corrections by hand go before all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DirectionRule {
    /// The terminal's role, then the state it reports if that says something, then alternation.
    #[default]
    Declared,
    /// The terminal's role, then alternation: in, out, in, out.
    Alternate,
    /// The first punch of a business day is the arrival, the last the departure.
    FirstLast,
    /// The terminal's role, then the shift in whose window the punch lies, then alternation.
    Schedule,
}

/// Which day a shift belongs to, of those it touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BusinessDay {
    /// The day on which it begins.
    #[default]
    Start,
    /// The day on which it ends.
    End,
    /// The day that has most of it; of equal ones the first.
    MostTime,
    /// Each punch the day it is on.
    SplitMidnight,
}

/// What is put in the place of a departure that nobody made, where payroll needs one. It is never a punch:
/// [`SyntheticOut`](super::SyntheticOut) stands beside the arrival and says what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Closing {
    /// Nothing.
    #[default]
    None,
    /// The end of the shift that the person was in by their [`Schedule`]; nothing without one.
    ShiftEnd,
    /// So long after the arrival.
    Cap(TimeDelta),
    /// The next time that clocks show this.
    Fixed(NaiveTime),
}

/// What the only punch of a business day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SinglePunch {
    /// An arrival.
    #[default]
    In,
    /// An arrival in the first half of the business day, a departure in the second.
    Midpoint,
    /// Nobody knows.
    Unknown,
}

/// What counts as one punch: a finger put down twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update syntax")]
pub struct BounceRules {
    /// A punch closer than this to a kept one is a second one of the same; exactly this far apart are two punches. Default
    /// [`WINDOW`](Self::WINDOW); zero or less keeps all.
    pub window: TimeDelta,
    /// Which punches are compared. Default those at one terminal.
    pub scope: BounceScope,
    /// Whether the window begins anew with every suppressed punch. Default no: it begins with the kept one.
    pub sliding: bool,
    /// Whether two terminals of different roles are compared. Default no: who leaves 8 s after coming has left.
    pub cross_role: bool,
    /// What becomes of two different states. Default both are kept.
    pub state_change: StateChange,
}

impl BounceRules {
    /// The default of [`window`](Self::window): 60 seconds.
    pub const WINDOW: TimeDelta = TimeDelta::seconds(60);
}

impl Default for BounceRules {
    fn default() -> Self {
        Self {
            window: Self::WINDOW,
            scope: BounceScope::Device,
            sliding: false,
            cross_role: false,
            state_change: StateChange::KeepBoth,
        }
    }
}

/// Which of a person's punches are compared with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BounceScope {
    /// Those at one terminal.
    #[default]
    Device,
    /// Those at one site.
    Site,
    /// All of them.
    Employee,
}

/// What becomes of two punches within the window that declare different states: the wrong key, then the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StateChange {
    /// Both are punches.
    #[default]
    KeepBoth,
    /// The later one is meant, unless the earlier was delivered already.
    LastWins,
}
