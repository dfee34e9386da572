//! Whether a terminal's clock is right, by what its uploads and whoever asked it say.

mod alarm;
mod contact;
mod probe;
mod report;

use chrono::{DateTime, TimeDelta, Utc};
use punch_normalize::{
    ClockEstimate, ClockHealth, ClockOffset, ClockSample, DeviceZone, Diagnosis, Hint, Resolved, Rules, TerminalClock,
    TimeQuality, Timeliness, ZoneHistory,
};
use punch_protocol::{RawPunch, SerialNumber};

pub use alarm::{Alarm, AlarmCause, ClockNotice};
pub use contact::{Contact, Presence};
pub use probe::{Probe, ProbeError};
pub use report::{ClockReport, ZoneChange};

use super::upload::Received;

/// One terminal's clock and zone: what was measured, how it was configured, and whether an alarm is open.
///
/// It alters nothing. What follows for a row from [`Clockwork::offset_of`] is a
/// [`ClockPolicy`](punch_normalize::ClockPolicy)'s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clockwork {
    /// What was measured.
    pub(crate) clock: TerminalClock,
    /// The zones it was configured with.
    pub(crate) zones: ZoneHistory,
    /// The alarm, if one is open.
    pub(crate) alarm: Option<Alarm>,
}

/// No clock on Earth shows less than UTC minus this, so no row that is ahead does. Most rows of a backlog do.
const BEHIND_UTC: TimeDelta = TimeDelta::hours(13);

/// How long before its receipt a row was made at most that needs no backlog to explain it.
const RECENT: TimeDelta = TimeDelta::minutes(1);

impl Clockwork {
    /// Nothing is known but the zone the terminal is configured with.
    pub fn new(zone: DeviceZone) -> Self {
        Self { clock: TerminalClock::new(), zones: ZoneHistory::new(zone), alarm: None }
    }

    /// T17: the terminal is configured with `zone` from now on. The former zone, if that is another one.
    ///
    /// What was measured under the former zone is void. Of more changes than a [`ZoneHistory`] has room for, the older
    /// half is forgotten.
    pub fn configure(&mut self, zone: DeviceZone, now: DateTime<Utc>) -> Option<DeviceZone> {
        let former = self.zones.latest();
        if former == zone {
            return None;
        }
        // A server whose clock was set back must not put the change before the last one.
        let from = self.zones.changes().last().map_or(now, |(last, _)| now.max(last));
        if self.zones.change(from, zone).is_err() {
            self.zones = newer_half(&self.zones);
            // It has room for sixteen more.
            let _ = self.zones.change(from, zone);
        }
        self.void(now);
        Some(former)
    }

    /// The zone of rows received at `received_at`.
    pub fn zone_at(&self, received_at: DateTime<Utc>) -> DeviceZone {
        self.zones.at(received_at)
    }

    /// The terminal was told the time at `at`. `false` if that voids nothing, so that nothing need be written.
    pub fn told_time(&mut self, at: DateTime<Utc>) -> bool {
        let voids = !self.clock.is_empty() || self.alarm.is_some_and(|alarm| alarm.ahead_at.is_some());
        if voids {
            self.void(at);
        }
        voids
    }

    /// Takes in an upload of which something was stored. The notice, if an alarm opens or closes by it.
    ///
    /// The newest row is compared with its receipt if the upload [is live](Received::is_live). Whatever kind the upload
    /// is of, a row that is 2 minutes to 24 hours ahead of its receipt opens the alarm (T14).
    pub fn arrived(&mut self, received: &Received, rules: &Rules) -> Option<ClockNotice> {
        // Rows that were received earlier and are taken once more say nothing about now.
        let contact = received.contact?;
        let at = received.received_at;
        for sample in contact.probe.into_iter().chain(self.sample(received)) {
            self.clock.observe(sample);
        }
        let estimate = self.clock.estimate(at);
        let clock = ClockOffset::measured(estimate);
        let is_ahead = |punch: &RawPunch| {
            let shown = self.shown(punch, at);
            shown.quality == TimeQuality::Exact
                && Timeliness::of(rules, shown.instant, at, clock) == Timeliness::Suspect
        };
        let earliest = at.naive_utc().checked_sub_signed(BEHIND_UTC).unwrap_or_default();
        let ahead = received.punches().filter(|punch| punch.time >= earliest).any(is_ahead);
        self.judge(&received.serial, estimate, ahead, at)
    }

    /// Takes in the answer of a terminal that was asked for its time. The notice, if an alarm opens or closes by it.
    pub fn probed(&mut self, serial: &SerialNumber, sample: ClockSample) -> Option<ClockNotice> {
        self.clock.observe(sample);
        self.judge(serial, self.clock.estimate(sample.at()), false, sample.at())
    }

    /// What is known with the last probe too, for the rows that come with it.
    #[must_use]
    pub fn with(&self, probe: Option<ClockSample>) -> Self {
        let mut clockwork = self.clone();
        probe.into_iter().for_each(|probe| clockwork.clock.observe(probe));
        clockwork
    }

    /// What is known of the clock at one row, whose civil time resolved to `shown`: for a live row what was measured
    /// when it came, for one of a backlog what lies between the measurements before and after it.
    ///
    /// A row that by that measurement was made up to a minute before its receipt counts as live, however it came:
    /// whoever listens to a terminal and forwards its punches sends no uploads of its own.
    pub fn offset_of(&self, shown: DateTime<Utc>, received_at: DateTime<Utc>, live: bool) -> Option<ClockOffset> {
        self.offset(shown, received_at, live, self.clock.live_offset(received_at))
    }

    /// [`Clockwork::offset_of`] each row of an upload.
    pub fn offsets(&self, received: &Received) -> impl Fn(&RawPunch) -> Option<ClockOffset> {
        let (at, live) = (received.received_at, received.is_live());
        let measured = self.clock.live_offset(at);
        move |punch| self.offset(self.shown(punch, at).instant, at, live, measured)
    }

    /// What is known of the clock at a row of a backlog that showed `shown`. See [`TerminalClock::backlog_offset`].
    pub fn backlog_offset(&self, shown: DateTime<Utc>) -> Option<ClockOffset> {
        self.clock.backlog_offset(shown)
    }

    /// The offset at `now`, if it is known.
    pub fn estimate(&self, now: DateTime<Utc>) -> Option<ClockEstimate> {
        self.clock.estimate(now)
    }

    /// The class of the clock at `now`.
    pub fn health(&self, now: DateTime<Utc>) -> ClockHealth {
        self.clock.health(now)
    }

    /// The alarm, if one is open.
    pub fn alarm(&self) -> Option<Alarm> {
        self.alarm
    }

    fn sample(&self, received: &Received) -> Option<ClockSample> {
        // With rows that do not read, or out of order because the clock was set, nobody knows which is the newest.
        let is_clear = received.punches().count() == received.attendance_rows();
        if !received.is_live() || !is_clear || !received.punches().is_sorted_by_key(|punch| punch.time) {
            return None;
        }
        let at = received.received_at;
        ClockSample::of_row(at, &self.shown(received.punches().last()?, at))
    }

    fn shown(&self, punch: &RawPunch, received_at: DateTime<Utc>) -> Resolved {
        let zone = if punch.is_utc { DeviceZone::Utc } else { self.zone_at(received_at) };
        zone.resolve(punch.time, Hint::default())
    }

    fn offset(
        &self,
        shown: DateTime<Utc>,
        received_at: DateTime<Utc>,
        live: bool,
        measured: Option<ClockOffset>,
    ) -> Option<ClockOffset> {
        let is_recent = |clock: ClockOffset| {
            let late = received_at.signed_duration_since(shown).checked_sub(&clock.offset);
            late.is_some_and(|late| (-ClockHealth::DRIFT_FROM..=RECENT).contains(&late))
        };
        if live || measured.is_some_and(is_recent) { measured } else { self.clock.backlog_offset(shown) }
    }

    fn void(&mut self, at: DateTime<Utc>) {
        self.clock.clock_set(at);
        if let Some(alarm) = &mut self.alarm {
            alarm.ahead_at = None;
        }
    }

    fn judge(
        &mut self,
        serial: &SerialNumber,
        estimate: Option<ClockEstimate>,
        ahead: bool,
        at: DateTime<Utc>,
    ) -> Option<ClockNotice> {
        let opens = Alarm::judge(&mut self.alarm, estimate, ahead, at)?;
        let Alarm { since, cause, .. } = self.alarm?;
        if !opens {
            self.alarm = None;
        }
        let zone = self.zone_at(at);
        let diagnosis = Diagnosis::new(estimate, zone, at);
        let (serial, health, advice) = (serial.clone(), diagnosis.health(), report::advice(&diagnosis, ahead));
        Some(ClockNotice { serial, opens, at, since, cause, health, estimate, zone, advice })
    }
}

impl Received {
    /// Whether the newest row was sent as it happened, by what is known of the terminal and of the upload.
    pub fn is_live(&self) -> bool {
        self.contact.is_some_and(|contact| contact.arrival(self.attendance_rows(), self.whole).is_live())
    }
}

/// The newest half of the changes. Rows received before them keep the zone they were dated by.
fn newer_half(zones: &ZoneHistory) -> ZoneHistory {
    let older = zones.changes().len().div_euclid(2);
    let first = zones.changes().take(older).last().map_or(zones.first(), |(_, zone)| zone);
    let mut newer = ZoneHistory::new(first);
    for (from, zone) in zones.changes().skip(older) {
        // They fitted before.
        let _ = newer.change(from, zone);
    }
    newer
}
