use chrono::{DateTime, SecondsFormat, Utc};
use punch_normalize::{ClockHealth, Diagnosis};
use serde::Serialize;
use utoipa::ToSchema;

use super::Clockwork;

/// What the API says of a terminal's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClockReport {
    /// The [word](ClockHealth::as_str) of its class.
    pub health: &'static str,
    /// True time minus terminal's clock, in seconds: positive if the terminal is behind.
    pub offset_s: Option<i64>,
    /// How many comparisons that rests on; a probe counts as five.
    pub samples: usize,
    /// The median distance of the comparisons from their median, in seconds.
    pub spread_s: Option<i64>,
    /// What is wrong and what to do, as a sentence for people.
    pub advice: String,
    /// Since when an alarm is open.
    pub alarm_since: Option<String>,
    /// What opened it.
    pub alarm_cause: Option<&'static str>,
}

/// A change of the zone a terminal is configured with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ZoneChange {
    /// Rows received from then on are in this zone.
    pub from: String,
    /// The zone.
    pub zone: String,
    /// The zone before.
    pub former: String,
}

impl Clockwork {
    /// What the API says of the clock at `now`.
    pub fn report(&self, now: DateTime<Utc>) -> ClockReport {
        let estimate = self.estimate(now);
        let diagnosis = Diagnosis::new(estimate, self.zone_at(now), now);
        let ahead = self.alarm.is_some_and(|alarm| alarm.ahead_at.is_some());
        ClockReport {
            health: diagnosis.health().as_str(),
            offset_s: estimate.map(|estimate| estimate.offset.num_seconds()),
            samples: estimate.map_or(0, |estimate| estimate.samples),
            spread_s: estimate.map(|estimate| estimate.spread.num_seconds()),
            advice: advice(&diagnosis, ahead),
            alarm_since: self.alarm.map(|alarm| written(alarm.since)),
            alarm_cause: self.alarm.map(|alarm| alarm.cause.as_str()),
        }
    }

    /// The changes of the configured zone, in time order.
    pub fn zone_changes(&self) -> Vec<ZoneChange> {
        let mut former = self.zones.first();
        let change = |(from, zone)| {
            let former = core::mem::replace(&mut former, zone);
            ZoneChange { from: written(from), zone: zone.to_string(), former: former.to_string() }
        };
        self.zones.changes().map(change).collect()
    }
}

/// What to do. A row from the future says something where nothing was measured.
pub(super) fn advice(diagnosis: &Diagnosis, ahead: bool) -> String {
    if ahead && !diagnosis.health().is_alarm() && diagnosis.health() != ClockHealth::Drift {
        return "the terminal's clock was ahead: a punch came 2 minutes or more before the time it shows; \
                look at the terminal's date, time and time zone"
            .to_owned();
    }
    diagnosis.to_string()
}

fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
