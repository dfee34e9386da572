use chrono::{DateTime, Utc};
use punch_normalize::{ClockSample, DeviceZone, Rules, TenantKey};
use punch_protocol::SerialNumber;
use punch_webhook::DeviceInfo;

use super::handler::Devices;
use super::registry::Registry;
use crate::clock::now;
use crate::core::{ClockNotice, Clockwork, Contact, Presence, Probe, ProbeError, Received};
use crate::store::{ClockRow, StoreError, StoreLedger, Transaction};

/// What is remembered of a terminal's clock from call to call. All else is in the store.
#[derive(Debug, Default)]
pub(super) struct Timekeeping {
    pub(super) presence: Presence,
    /// When the terminal was told the time, as far as the store knows.
    told_at: Option<DateTime<Utc>>,
    /// The last probe that is in the store.
    written: Option<ClockSample>,
    /// The last probe that is not.
    unwritten: Option<ClockSample>,
}

/// Why a probe was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotProbed {
    /// It measures nothing.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// The store cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Registry {
    /// Notes that a terminal called; how it stood until then.
    pub(super) fn called(&self, serial: &SerialNumber, now: DateTime<Utc>) -> Option<Contact> {
        let mut devices = self.lock();
        let device = devices.get_mut(serial)?;
        Some(device.timekeeping.presence.called(device.session.delay(), now))
    }

    /// Notes that the call of a terminal brought nothing.
    pub(super) fn polled(&self, serial: &SerialNumber, contact: &Contact, now: DateTime<Utc>) {
        if let Some(device) = self.lock().get_mut(serial) {
            device.timekeeping.presence.polled(contact, now);
        }
    }

    /// Notes how an upload has ended.
    fn uploaded(&self, serial: &SerialNumber, rows: usize, whole: bool, stored: bool, now: DateTime<Utc>) {
        if let Some(device) = self.lock().get_mut(serial) {
            device.timekeeping.presence.uploaded(rows, whole, stored, device.session.delay(), now);
        }
    }

    /// When a terminal was told the time, if the store does not know.
    fn new_told(&self, serial: &SerialNumber) -> Option<DateTime<Utc>> {
        let mut devices = self.lock();
        let device = devices.get_mut(serial)?;
        let told_at = device.session.clock_told_at();
        let known = core::mem::replace(&mut device.timekeeping.told_at, told_at);
        told_at.filter(|_| known != told_at)
    }

    /// The zone a terminal is configured with.
    fn zone(&self, serial: &SerialNumber) -> Option<DeviceZone> {
        Some(self.lock().get(serial)?.directory.rules.zone)
    }

    /// Makes a terminal ask what it is to be set to.
    fn request_handshake(&self, serial: &SerialNumber) {
        if let Some(device) = self.lock().get_mut(serial) {
            device.session.request_handshake();
        }
    }

    fn timekeeping<T>(&self, serial: &SerialNumber, look: impl FnOnce(&mut Timekeeping) -> T) -> Option<T> {
        Some(look(&mut self.lock().get_mut(serial)?.timekeeping))
    }
}

impl Devices {
    /// The zone a terminal is configured with; UTC if it is unknown.
    pub(crate) fn zone(&self, serial: &SerialNumber) -> DeviceZone {
        self.0.registry.zone(serial).unwrap_or(DeviceZone::Utc)
    }

    /// Whether somebody has named the terminal, or it has called.
    pub(crate) fn knows(&self, serial: &SerialNumber) -> bool {
        self.0.registry.zone(serial).is_some()
    }

    /// T17: writes down which terminals are configured with another zone than before. Rows that are received from now on
    /// are in that zone.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) async fn keep_zones(&self) -> Result<(), StoreError> {
        let devices = self.clone();
        let work = move |tx: &mut Transaction<'_>| {
            let mut changes = Vec::new();
            for (text, mut clockwork) in ClockRow::all(tx)? {
                let Ok(serial) = SerialNumber::parse(&text) else { continue };
                let Some(zone) = devices.0.registry.zone(&serial) else { continue };
                if let Some(former) = clockwork.configure(zone, now()) {
                    ClockRow::keep(tx, &text, &clockwork)?;
                    changes.push((serial, former, zone));
                }
            }
            Ok(changes)
        };
        for (serial, former, zone) in self.0.store.write(work).await? {
            tracing::warn!(%serial, %former, %zone, "zone changed; rows received before keep the former one");
            self.0.registry.request_handshake(&serial);
        }
        Ok(())
    }

    /// What was measured before a terminal was told the time is void. That nothing was costs no write.
    pub(super) async fn keep_told(&self, serial: &SerialNumber) {
        let Some(told_at) = self.0.registry.new_told(serial) else { return };
        let text = serial.to_string();
        let work = move |tx: &mut Transaction<'_>| {
            let Some(mut clockwork) = ClockRow::of(tx, &text)? else { return Ok(()) };
            if clockwork.told_time(told_at) { ClockRow::keep(tx, &text, &clockwork) } else { Ok(()) }
        };
        if let Err(error) = self.0.store.write(work).await {
            tracing::error!(%serial, %error, "it was told the time, and that is not remembered");
        }
    }

    /// Whoever reads a terminal says that everything from before `complete_to` has come.
    pub(crate) fn completed(&self, serial: &SerialNumber, complete_to: DateTime<Utc>) {
        let complete_to = complete_to.min(now());
        let _ = self.0.registry.timekeeping(serial, |timekeeping| timekeeping.presence.completed(complete_to));
    }

    /// Notes how an upload has ended.
    pub(super) fn uploaded(&self, serial: &SerialNumber, rows: usize, whole: bool, stored: bool) {
        self.0.registry.uploaded(serial, rows, whole, stored, now());
    }

    /// How rows come that somebody has read from a terminal: with the last probe, if it is not written down yet.
    pub(crate) fn forwarded(&self, serial: &SerialNumber) -> Contact {
        let probe = self.0.registry.timekeeping(serial, |timekeeping| timekeeping.unwritten).flatten();
        Contact { probe, ..Contact::FORWARDED }
    }

    /// Takes the answer of a terminal that somebody has asked for its time. One that says what the last one said is
    /// written down with the next rows, or after an hour.
    ///
    /// # Errors
    ///
    /// It measures nothing, or the store cannot be written.
    pub(crate) async fn probe(&self, serial: &SerialNumber, probe: Probe) -> Result<Clockwork, NotProbed> {
        let (zone, now) = (self.zone(serial), now());
        let sample = probe.sample(zone, now)?;
        let text = serial.to_string();
        let is_repetition = |timekeeping: &mut Timekeeping| {
            timekeeping.unwritten = Some(sample);
            timekeeping.written.is_some_and(|last| Probe::is_repetition(&sample, &last))
        };
        if self.0.registry.timekeeping(serial, is_repetition) == Some(true) {
            let known = self.0.store.read(move |connection| ClockRow::of(connection, &text)).await?;
            return Ok(known.unwrap_or_else(|| Clockwork::new(zone)));
        }
        let device = self.0.registry.directory(serial).map(|directory| directory.device).unwrap_or_default();
        let (of, key) = (serial.clone(), self.0.key.clone());
        let work = move |tx: &mut Transaction<'_>| {
            let mut clockwork = ClockRow::of(tx, &text)?.unwrap_or_else(|| Clockwork::new(zone));
            let notice = clockwork.probed(&of, sample);
            ClockRow::keep(tx, &text, &clockwork)?;
            tell(tx, notice.as_ref(), &device, &key)?;
            Ok((clockwork, notice))
        };
        let (clockwork, notice) = self.0.store.write(work).await?;
        self.probe_written(serial, sample);
        announce(notice.as_ref());
        Ok(clockwork)
    }

    /// A probe is in the store.
    pub(super) fn probe_written(&self, serial: &SerialNumber, sample: ClockSample) {
        let note = |timekeeping: &mut Timekeeping| {
            timekeeping.written = Some(sample);
            timekeeping.unwritten.take_if(|unwritten| *unwritten == sample)
        };
        let _ = self.0.registry.timekeeping(serial, note);
    }
}

/// What an upload told of the clock.
#[derive(Debug, Default)]
pub(super) struct Attended {
    /// An alarm has opened or closed.
    pub(super) notice: Option<ClockNotice>,
    /// The clock is known again, after it was not: rows of the time between can be dated by both.
    pub(super) is_known_again: bool,
}

/// Takes what an upload that was stored tells of the clock into the same transaction.
pub(super) fn attend(
    tx: &Transaction<'_>,
    known: Option<Clockwork>,
    received: &Received,
    rules: &Rules,
) -> Result<Attended, StoreError> {
    let at = received.received_at;
    let mut clockwork = known.clone().unwrap_or_else(|| Clockwork::new(rules.zone));
    let was_known = clockwork.estimate(at).is_some();
    let notice = clockwork.arrived(received, rules);
    let is_known_again = !was_known && clockwork.estimate(at).is_some();
    // The first time it is the zone that has to be known.
    if known.as_ref() != Some(&clockwork) {
        ClockRow::keep(tx, received.serial.as_str(), &clockwork)?;
    }
    Ok(Attended { notice, is_known_again })
}

/// Makes the event of an alarm that has opened or closed, in the transaction that opens or closes it.
pub(super) fn tell(
    tx: &mut Transaction<'_>,
    notice: Option<&ClockNotice>,
    device: &DeviceInfo,
    key: &TenantKey,
) -> Result<(), StoreError> {
    match notice.and_then(|notice| Some((notice, notice.event_id(key)?))) {
        Some((notice, event_id)) => StoreLedger::new(tx).tell_clock(&event_id, notice, device),
        None => Ok(()),
    }
}

/// Tells whoever reads the log that an alarm has opened or closed.
pub(super) fn announce(notice: Option<&ClockNotice>) {
    if let Some(notice) = notice {
        let (serial, health) = (&notice.serial, notice.health.as_str());
        tracing::warn!(%serial, health, "{notice}");
    }
}
