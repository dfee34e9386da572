use core::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use punch_normalize::{ClockEstimate, ClockHealth, DeviceZone, EventId, TenantKey};
use punch_protocol::SerialNumber;

/// An alarm about a terminal's clock that is open.
///
/// It opens with the first measurement that finds the clock [wrong](ClockHealth::is_alarm), more than 120 s off, or with
/// the first row that is ahead of its receipt (T14). It closes when the clock is measured within [`Alarm::CLOSES_AT`],
/// and not before a row was ahead for [`Alarm::QUIET`]. In between nothing more is told, whatever the measurements do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarm {
    /// When it was opened.
    pub since: DateTime<Utc>,
    /// What opened it.
    pub cause: AlarmCause,
    /// When a row was last ahead of its receipt, unless the clock was set since.
    pub ahead_at: Option<DateTime<Utc>>,
}

/// What opened an [`Alarm`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmCause {
    /// The clock was measured.
    Measured,
    /// A row was 2 minutes to 24 hours ahead of its receipt.
    RowAhead,
}

/// What has to be told of a terminal's clock. There is one when an alarm opens, and one when it closes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockNotice {
    /// The terminal.
    pub serial: SerialNumber,
    /// Whether the alarm opens; else it closes.
    pub opens: bool,
    /// When: the receipt of what made it open or close.
    pub at: DateTime<Utc>,
    /// When it was opened.
    pub since: DateTime<Utc>,
    /// What opened it.
    pub cause: AlarmCause,
    /// The class of the clock.
    pub health: ClockHealth,
    /// What was measured, if it was.
    pub estimate: Option<ClockEstimate>,
    /// The zone the terminal is configured with here.
    pub zone: DeviceZone,
    /// What is wrong and what to do, as a sentence for people.
    pub advice: String,
}

impl Alarm {
    /// The largest offset, in either direction, at which an alarm closes: 60 seconds. It opens above 120.
    pub const CLOSES_AT: TimeDelta = TimeDelta::seconds(60);

    /// How long no row may have been ahead when an alarm closes, unless the clock was set since: 1 hour.
    pub const QUIET: TimeDelta = TimeDelta::hours(1);

    /// What the clock's last measurement, and rows that are `ahead`, make of an alarm. `Some(true)` if it has opened,
    /// `Some(false)` if it has closed.
    pub(super) fn judge(
        alarm: &mut Option<Self>,
        estimate: Option<ClockEstimate>,
        ahead: bool,
        at: DateTime<Utc>,
    ) -> Option<bool> {
        let Some(open) = alarm else {
            let is_wrong = estimate.is_some_and(|estimate| estimate.health().is_alarm());
            let cause = if is_wrong { AlarmCause::Measured } else { AlarmCause::RowAhead };
            *alarm = (is_wrong || ahead).then_some(Self { since: at, cause, ahead_at: ahead.then_some(at) });
            return alarm.is_some().then_some(true);
        };
        if ahead {
            open.ahead_at = Some(at);
        }
        let is_right = estimate.is_some_and(|estimate| estimate.offset.abs() <= Self::CLOSES_AT);
        let is_quiet = open.ahead_at.is_none_or(|ahead_at| at.signed_duration_since(ahead_at) >= Self::QUIET);
        (is_right && is_quiet).then_some(false)
    }
}

impl AlarmCause {
    /// The stable word: `measured` or `row_ahead`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::RowAhead => "row_ahead",
        }
    }

    /// The cause with this [word](Self::as_str). Words of newer programs are measurements.
    pub fn from_word(word: &str) -> Self {
        if word == Self::RowAhead.as_str() { Self::RowAhead } else { Self::Measured }
    }
}

impl ClockNotice {
    /// The identity of the event that tells it: the same for the same alarm, whoever tells it.
    pub fn event_id(&self, key: &TenantKey) -> Option<EventId> {
        let turn = if self.opens { "opened" } else { "closed" };
        let name = format!("{}\0{}\0{turn}", self.serial, self.since.timestamp_millis());
        EventId::parse(&key.opaque_id("evt", "clock", name.as_bytes())).ok()
    }
}

impl fmt::Display for ClockNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let turn = if self.opens { "clock alarm" } else { "clock alarm over" };
        write!(f, "{turn}: {}", self.advice)
    }
}
