//! Tells who came and who went.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use punch_normalize::TenantKey;
use punch_protocol::SerialNumber;
use punch_protocol::push::Admission;
use punch_webhook::{DeviceInfo, DeviceStatus};
use tokio::sync::watch;

use super::handler::Devices;
use super::registry::Device;
use crate::clock::now;
use crate::config::DeviceConfig;
use crate::core::Reach;
use crate::store::{DeviceRow, StoreError, Transaction, tell_status};

/// A gateway that looked so much later than it wanted to, because its machine slept or its clock was set, has heard nobody
/// meanwhile.
const ABSENCE: TimeDelta = TimeDelta::seconds(25);

/// How long a terminal may be silent that somebody reads: three times as long as an agent leaves it alone, and a minute.
const READ_PATIENCE: TimeDelta = TimeDelta::minutes(16);

/// Terminals of which something is written in one commit.
const SLICE: usize = 200;

/// A terminal that is let in, and when it was heard.
#[derive(Debug, Clone)]
struct Heard {
    serial: SerialNumber,
    device: DeviceInfo,
    at: Option<DateTime<Utc>>,
    patience: TimeDelta,
}

impl Device {
    /// When it was last heard, itself or through somebody who had read it.
    pub(super) fn last_seen(&self) -> Option<DateTime<Utc>> {
        self.session.last_seen().max(self.forwarded_at)
    }

    /// Whether it has called itself lately: within three times as long as it was told to wait, and a minute for the line.
    pub(super) fn calls_itself(&self, now: DateTime<Utc>) -> bool {
        self.session.last_seen().is_some_and(|at| now.signed_duration_since(at) <= self.patience_between_calls())
    }

    /// How long it may be silent.
    pub(super) fn patience(&self) -> TimeDelta {
        let is_read = self.session.last_seen().is_none() && (self.probe.is_some() || self.forwarded_at.is_some());
        let usual = match &self.source {
            Some(behind) => behind.patience,
            None if is_read => READ_PATIENCE,
            None => self.patience_between_calls(),
        };
        self.offline_after.unwrap_or(usual)
    }

    fn patience_between_calls(&self) -> TimeDelta {
        (self.session.delay() * 3).checked_add(&TimeDelta::minutes(1)).unwrap_or_default()
    }

    /// Whether its silence says something. One that is read now and then, and by no agent, is silent for days.
    fn is_expected(&self) -> bool {
        self.source.is_some()
            || self.offline_after.is_some()
            || self.session.last_seen().is_some()
            || self.probe.is_some()
    }
}

impl Devices {
    /// Tells who came and who went, until `stop` says so.
    pub(crate) async fn watch_reach(self, mut stop: watch::Receiver<bool>) {
        let (mut since, mut looked) = (now(), now());
        loop {
            tokio::select! {
                () = tokio::time::sleep(self.0.look_every) => {}
                _ = stop.wait_for(|&stop| stop) => return,
            }
            let usual = TimeDelta::from_std(self.0.look_every).unwrap_or_default();
            if now().signed_duration_since(looked) > usual + ABSENCE {
                since = now();
            }
            looked = now();
            if let Err(error) = self.look_at_reach(since, looked).await {
                tracing::error!(%error, "who came and who went is told later");
            }
        }
    }

    /// Tells who came and who went by `now`. This gateway has listened since `since`.
    ///
    /// # Errors
    ///
    /// The store cannot be read or written.
    pub async fn look_at_reach(&self, since: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let is_shared = self.0.store.replica().is_some();
        let is_unread = self.told().is_none();
        if is_shared || is_unread {
            let told = self.0.store.read(Reach::all).await?;
            *self.told() = Some(told);
        }
        let changed = self.heard(|device, mut reach| {
            let (at, patience) = (device.last_seen(), device.patience());
            // One that was told to be there is missed, though nobody has heard it since the start.
            let is_missed = device.is_expected() || reach.is_online == Some(true);
            let is_news = reach.look(at, patience, since, now).is_some() || (is_shared && reach.is_stale(at, patience));
            is_missed && is_news
        });
        for slice in changed.chunks(SLICE) {
            let (devices, slice) = (self.clone(), slice.to_vec());
            let work = move |tx: &mut Transaction<'_>| devices.write_reach(tx, &slice, since, now);
            for (serial, reach, status) in self.0.store.write(work).await? {
                announce(&serial, status);
                // Without any, all of it is read anew.
                self.told().as_mut().and_then(|known| known.insert(serial.to_string(), reach));
            }
        }
        Ok(())
    }

    /// Looks once more at what was told, which another gateway may have changed, and tells what is to be told.
    fn write_reach(
        &self,
        tx: &mut Transaction<'_>,
        slice: &[Heard],
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Told>, StoreError> {
        let mut told = Vec::new();
        for Heard { serial, device, at, patience } in slice {
            let mut reach = Reach::of(tx, serial)?;
            let status = reach.look(*at, *patience, since, now);
            reach.heard_at = reach.heard_at.max(*at);
            match status {
                Some(status) => tell_status(tx, &self.0.intake, (serial, device), (&reach, status), now)?,
                None => reach.keep(tx, serial)?,
            }
            told.push((serial.clone(), reach, status));
        }
        Ok(told)
    }

    /// The terminals that are let in and of which something is to be written. Of the others nothing is copied.
    fn heard(&self, is_news: impl Fn(&Device, Reach) -> bool) -> Vec<Heard> {
        let told = self.told();
        let devices = self.0.registry.lock();
        let approved = devices.iter().filter(|(_, device)| device.admission == Admission::Approved);
        let heard = |(serial, device): (&SerialNumber, &Device)| Heard {
            serial: serial.clone(),
            device: device.directory.device.clone(),
            at: device.last_seen(),
            patience: device.patience(),
        };
        let told = |serial: &SerialNumber| Some(*told.as_ref()?.get(serial.as_str())?);
        let told = |serial: &SerialNumber| told(serial).unwrap_or_default();
        approved.filter(|(serial, device)| is_news(device, told(serial))).map(heard).collect()
    }

    /// Lets in terminals that the file names now, and takes from where each may call.
    pub(crate) fn name(&self, configs: &[DeviceConfig], rows: &[DeviceRow]) {
        for config in configs {
            let row = rows.iter().find(|row| row.serial == config.serial.as_str());
            self.0.registry.name(config, row);
        }
        for row in rows {
            if let Ok(serial) = SerialNumber::parse(&row.serial) {
                self.0.registry.set_access(&serial, row.access.clone());
            }
        }
        self.forget_told();
    }

    /// Somebody has decided about a terminal; what was told of it is in the store.
    pub(super) fn forget_told(&self) {
        *self.told() = None;
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Option<BTreeMap<String, Reach>>> {
        self.0.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

type Told = (SerialNumber, Reach, Option<DeviceStatus>);

/// What payloads say of a terminal.
pub(crate) fn about(key: &TenantKey, config: &DeviceConfig) -> DeviceInfo {
    let mut device = DeviceInfo::default();
    device.id = Some(key.opaque_id("dev", "device", config.serial.as_str().as_bytes()));
    device.name = Some(config.name.clone());
    device.site = Some(config.site.clone()).filter(|site| !site.is_empty());
    device
}

fn announce(serial: &SerialNumber, status: Option<DeviceStatus>) {
    match status {
        Some(DeviceStatus::Offline) => tracing::warn!(%serial, "terminal went away: it was not heard for too long"),
        Some(_) => tracing::info!(%serial, "terminal is there"),
        None => {}
    }
}
