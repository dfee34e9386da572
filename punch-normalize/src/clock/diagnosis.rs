use core::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{ClockEstimate, ClockHealth, ClockSample, DeviceZone};

/// What is wrong with a terminal's clock and what exactly to do, as a sentence for people.
///
/// ```
/// use chrono::TimeDelta;
/// use punch_normalize::{ClockEstimate, DeviceZone, Diagnosis};
///
/// let estimate = ClockEstimate::new(TimeDelta::seconds(9001), 32, TimeDelta::seconds(1));
/// let zone = DeviceZone::parse("-06:00")?;
/// assert_eq!(
///     Diagnosis::new(Some(estimate), zone, "2026-03-28T14:47:13Z".parse()?).to_string(),
///     "the terminal's time zone is wrong by 150 minutes: its clock is 2 h 30 min behind UTC-06:00; \
///      set the terminal to UTC-06:00, or set its zone here to -08:30 if the terminal is right"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Diagnosis {
    estimate: Option<ClockEstimate>,
    zone: DeviceZone,
    /// Minutes east of UTC that the zone has now.
    east: i32,
}

impl Diagnosis {
    /// Of the clock of a terminal that is configured here to be in `zone`.
    #[must_use]
    pub fn new(estimate: Option<ClockEstimate>, zone: DeviceZone, now: DateTime<Utc>) -> Self {
        Self { estimate, zone, east: zone.offset_minutes_at(now) }
    }

    /// The class.
    #[must_use]
    pub fn health(&self) -> ClockHealth {
        self.estimate.map_or(ClockHealth::Unknown, |estimate| estimate.health())
    }

    /// The offset, in minutes east of UTC, that the terminal seems to be set to, if it is a zone that is
    /// wrong and there is such a zone.
    #[must_use]
    pub fn shown_minutes(&self) -> Option<i32> {
        let ClockHealth::TimezoneMisconfigured { minutes } = self.health() else { return None };
        // A clock that is behind by 150 minutes shows what is right 150 minutes further west.
        let shown = self.east.saturating_sub(minutes);
        (DeviceZone::MIN_OFFSET_MINUTES..=DeviceZone::MAX_OFFSET_MINUTES).contains(&shown).then_some(shown)
    }

    fn zone_is_wrong(&self, f: &mut fmt::Formatter<'_>, minutes: i32) -> fmt::Result {
        let wrong_by = minutes.unsigned_abs();
        let error = Error(TimeDelta::minutes(minutes.into()));
        let right = Offset(self.east);
        write!(f, "the terminal's time zone is wrong by {wrong_by} minutes: its clock is {error} UTC{right}; ")?;
        match self.shown_minutes() {
            Some(shown) => write!(
                f,
                "set the terminal to {}, or set its zone here to {} if the terminal is right",
                Right(self),
                Offset(shown)
            ),
            None => f.write_str("no zone is that far away, so set its date and its time"),
        }
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(ClockEstimate { offset, .. }) = self.estimate else {
            return f.write_str(
                "how right the terminal's clock is, is not known yet: too few live punches in the last 24 hours, \
                 or they contradict each other",
            );
        };
        match self.health() {
            ClockHealth::Unknown | ClockHealth::Ok => f.write_str("the terminal's clock is right"),
            ClockHealth::Drift => {
                write!(f, "the terminal's clock is {} {}; synchronise it", Error(offset), Right(self))
            }
            ClockHealth::TimezoneMisconfigured { minutes } => self.zone_is_wrong(f, minutes),
            ClockHealth::ClockWrong => {
                let least = if offset.abs() >= ClockSample::MAX_OFFSET { "at least " } else { "" };
                let (error, right) = (Error(offset), Right(self));
                write!(f, "the terminal's clock is wrong: {least}{error} {right}; set it, and look at its battery")
            }
        }
    }
}

/// What the terminal should show: `UTC-06:00`, with the name of the place if it has one.
struct Right<'a>(&'a Diagnosis);

impl fmt::Display for Right<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UTC{}", Offset(self.0.east))?;
        match self.0.zone {
            DeviceZone::Iana(_) => write!(f, " ({})", self.0.zone),
            DeviceZone::Fixed(_) | DeviceZone::Utc => Ok(()),
        }
    }
}

/// Minutes east of UTC as `+05:30`.
struct Offset(i32);

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.unsigned_abs();
        let sign = if self.0 < 0 { '-' } else { '+' };
        write!(f, "{sign}{:02}:{:02}", size.div_euclid(60), size.rem_euclid(60))
    }
}

/// An offset as `2 h 30 min behind`.
struct Error(TimeDelta);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.0 < TimeDelta::zero() { "ahead of" } else { "behind" };
        write!(f, "{} {side}", Size(self.0))
    }
}

/// The size of an offset as `1 d 2 h 30 min 5 s`, without what is zero.
struct Size(TimeDelta);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.num_seconds().unsigned_abs();
        let parts = [
            (seconds.div_euclid(86_400), "d"),
            (seconds.div_euclid(3_600).rem_euclid(24), "h"),
            (seconds.div_euclid(60).rem_euclid(60), "min"),
            (seconds.rem_euclid(60), "s"),
        ];
        let mut separator = "";
        for (count, unit) in parts.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "{separator}{count} {unit}")?;
            separator = " ";
        }
        Ok(())
    }
}
