use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use punch_normalize::{DeviceZone, Rules, TenantKey};
use punch_protocol::SerialNumber;
use punch_protocol::push::{
    Admission, Dialect, Dispatch, Reception, Request, Response, Session, Settings, TimeZoneMinutes, Turn, UploadHead,
};
use punch_webhook::DeviceInfo;

use super::clocks::Timekeeping;
use super::reach::about;
use crate::config::{Config, DeviceConfig, DeviceDefaults, UnknownBadges};
use crate::core::{Access, Directory, Encounters, Shifts};
use crate::store::DeviceRow;

/// The terminals the gateway knows, and the conversation with each.
#[derive(Debug)]
pub(super) struct Registry {
    devices: Mutex<BTreeMap<SerialNumber, Device>>,
    defaults: DeviceDefaults,
    hold_unknown_badges: Option<bool>,
    shifts: Arc<Shifts>,
    key: TenantKey,
    /// How long what is behind each source may be silent.
    patience: BTreeMap<String, TimeDelta>,
}

#[derive(Debug)]
pub(super) struct Device {
    pub(super) session: Session,
    pub(super) admission: Admission,
    /// When its punches last came from somebody who had read them.
    pub(super) forwarded_at: Option<DateTime<Utc>>,
    pub(super) directory: Directory,
    pub(super) timekeeping: Timekeeping,
    /// The source that tells of it, if it is no terminal that calls.
    pub(super) source: Option<Behind>,
    /// What it says of itself, if nobody has let it in.
    pub(super) said: Option<String>,
    /// From where, and under which path, it may call.
    pub(super) access: Access,
    /// What it told whoever reads it on port 4370, as JSON.
    pub(super) probe: Option<String>,
    /// What was seen of it.
    pub(super) encounters: Encounters,
    /// Whether the store has got commands for it of which its session has not heard.
    pub(super) has_commands: bool,
    /// Whether the store has more than its session has room for.
    pub(super) has_more: bool,
    /// How long it may be silent, if somebody said so.
    pub(super) offline_after: Option<TimeDelta>,
    /// What the store knows of the terminal's dialect, and whether it has tried to encrypt.
    speech: (Option<Dialect>, bool),
}

/// The source that tells of a door or a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Behind {
    pub(super) source: String,
    /// How long it may be silent.
    pub(super) patience: TimeDelta,
}

/// Terminals remembered at once; unapproved ones beyond it are refused without being remembered.
const DEVICES_MAX: usize = 100_000;

impl Registry {
    /// Everything the configuration names and the store remembers.
    pub(super) fn new(config: &Config, rows: &[DeviceRow], key: [u8; 32]) -> Self {
        let hold_unknown_badges = match config.unknown_badges {
            UnknownBadges::Auto => None,
            UnknownBadges::Deliver => Some(false),
            UnknownBadges::Hold => Some(true),
        };
        let registry = Self {
            devices: Mutex::default(),
            defaults: config.defaults.clone(),
            hold_unknown_badges,
            shifts: Arc::new(config.shifts.clone()),
            key: TenantKey::new(key),
            patience: config.sources.iter().map(|source| (source.name.clone(), source.patience())).collect(),
        };
        for row in rows {
            let Ok(serial) = SerialNumber::parse(&row.serial) else { continue };
            let named = config.device(&serial, row.source.as_deref(), row.label.as_deref());
            registry.admit(serial, row.admission, named.as_ref(), Some(row));
        }
        registry
    }

    /// Begins a conversation with a terminal nobody had named before.
    pub(super) fn admit(
        &self,
        serial: SerialNumber,
        admission: Admission,
        named: Option<&DeviceConfig>,
        row: Option<&DeviceRow>,
    ) {
        let behind = row.and_then(|row| row.source.clone());
        let behind = behind.map(|source| Behind { patience: self.patience(&source), source });
        let config = named.cloned().unwrap_or_else(|| self.defaults.device(serial.clone(), None));
        let mut settings = Settings::default();
        settings.comm_key.clone_from(&config.comm_key);
        if let Some(row) = row {
            settings.stamps.clone_from(&row.stamps);
            (settings.dialect, settings.declines_encryption) = (row.dialect, row.declines_encryption);
        }
        let session = match admission {
            // Nobody may push under the name of a door.
            _ if behind.is_some() => Session::unapproved(serial.clone(), Admission::Pending),
            Admission::Approved => Session::approved(serial.clone(), settings),
            Admission::Pending | Admission::Blocked => Session::unapproved(serial.clone(), admission),
        };
        let directory = self.directory_of(&config);
        let speech = (session.dialect(), session.declines_encryption());
        let mut devices = self.lock();
        if let Some(known) = devices.get_mut(&serial) {
            // What is known about it stays, and a call that was on its way when it was approved changes nothing.
            if let Some(behind) = behind {
                (known.session, known.admission, known.source) = (session, admission, Some(behind));
                known.directory = directory;
            } else if known.source.is_some() {
                known.admission = admission;
            } else if admission == Admission::Approved {
                (known.session, known.admission) = (session, admission);
                known.has_commands = true;
            }
            return;
        }
        // Made-up serials must not fill the memory; the ones that matter are approved.
        if admission == Admission::Approved || devices.len() < DEVICES_MAX {
            devices.insert(
                serial,
                Device {
                    session,
                    admission,
                    forwarded_at: None,
                    directory,
                    timekeeping: Timekeeping::default(),
                    source: behind,
                    said: None,
                    access: row.map(|row| row.access.clone()).unwrap_or_default(),
                    probe: row.and_then(|row| row.probe.clone()),
                    encounters: Encounters::default(),
                    has_commands: false,
                    has_more: false,
                    offline_after: config.profile.offline_after,
                    speech,
                },
            );
        }
    }

    /// How the rows of a terminal are judged, and what payloads say of it.
    fn directory_of(&self, config: &DeviceConfig) -> Directory {
        let device = about(&self.key, config);
        let mut rules = Rules::new(config.profile.zone);
        (rules.clock, rules.horizon) = (config.profile.clock, config.profile.periods.horizon());
        rules.timeline.clone_from(&config.profile.rules);
        Directory {
            rules,
            device,
            hold_unknown_badges: self.hold_unknown_badges,
            role: config.role,
            periods: config.profile.periods,
            clock: None,
            shifts: Arc::clone(&self.shifts),
        }
    }

    fn patience(&self, source: &str) -> TimeDelta {
        self.patience.get(source).copied().unwrap_or_default()
    }

    /// Lets in a terminal that the file names now, with what the file says of it.
    pub(super) fn name(&self, config: &DeviceConfig, row: Option<&DeviceRow>) {
        let is_known = |device: &Device| device.admission == Admission::Approved;
        if !self.lock().get(&config.serial).is_some_and(is_known) {
            // Nobody has spoken with it yet.
            drop(self.lock().remove(&config.serial));
            self.admit(config.serial.clone(), Admission::Approved, Some(config), row);
        }
    }

    /// Keeps a terminal out from now on.
    pub(super) fn block(&self, serial: &SerialNumber) {
        let mut devices = self.lock();
        if let Some(device) = devices.get_mut(serial).filter(|device| device.admission != Admission::Blocked) {
            device.session = Session::unapproved(serial.clone(), Admission::Blocked);
            device.admission = Admission::Blocked;
        }
    }

    /// What to do with a request; `None` if the serial is unknown.
    pub(super) fn handle(&self, serial: &SerialNumber, request: &Request<'_>, now: DateTime<Utc>) -> Option<Turn> {
        let mut devices = self.lock();
        let device = devices.get_mut(serial)?;
        // The offset follows daylight saving, so it is looked up for each handshake.
        device.session.set_time_zone(offset_at(&device.directory.rules.zone, now));
        Some(device.session.handle(request, now))
    }

    /// Whether an upload may come in; `None` if the serial is unknown.
    pub(super) fn receive(
        &self,
        serial: &SerialNumber,
        head: &UploadHead,
        opening: &[u8],
        now: DateTime<Utc>,
    ) -> Option<Result<Reception, Response>> {
        Some(self.lock().get_mut(serial)?.session.receive(head, opening, now))
    }

    /// Whether a terminal is let in.
    pub(super) fn is_approved(&self, serial: &SerialNumber) -> bool {
        self.lock().get(serial).is_some_and(|device| device.admission == Admission::Approved)
    }

    /// Notes that somebody brings what he read from a terminal.
    pub(super) fn heard_through_somebody(&self, serial: &SerialNumber, now: DateTime<Utc>) {
        if let Some(device) = self.lock().get_mut(serial) {
            device.forwarded_at = Some(now);
        }
    }

    /// Whether a terminal is let in; `None` if nobody has named it.
    pub(super) fn admission(&self, serial: &SerialNumber) -> Option<Admission> {
        Some(self.lock().get(serial)?.admission)
    }

    /// The terminal with this serial number, or with this id in payloads.
    pub(super) fn find(&self, id: &str) -> Option<SerialNumber> {
        let devices = self.lock();
        if let Some((serial, _)) = SerialNumber::parse(id).ok().and_then(|serial| devices.get_key_value(&serial)) {
            return Some(serial.clone());
        }
        let mut devices = devices.iter();
        devices.find(|(_, device)| device.directory.device.id.as_deref() == Some(id)).map(|(serial, _)| serial.clone())
    }

    /// How many terminals are let in.
    pub(super) fn approved(&self) -> usize {
        self.lock().values().filter(|device| device.admission == Admission::Approved).count()
    }

    /// The terminals of a site that are let in and call by themselves.
    pub(super) fn of_site(&self, site: &str) -> Vec<SerialNumber> {
        let devices = self.lock();
        let at_site = devices.iter().filter(|(_, device)| {
            device.admission == Admission::Approved
                && device.source.is_none()
                && device.directory.device.site.as_deref().unwrap_or_default() == site
        });
        at_site.map(|(serial, _)| serial.clone()).collect()
    }

    /// What a terminal was found to speak since the store was last told; `None` if nothing is new.
    pub(super) fn new_speech(&self, serial: &SerialNumber) -> Option<(Option<Dialect>, bool)> {
        let mut devices = self.lock();
        let device = devices.get_mut(serial)?;
        let speech = (device.session.dialect(), device.session.declines_encryption());
        let known = core::mem::replace(&mut device.speech, speech);
        (known != speech).then_some(speech)
    }

    /// The commands of a dispatch could not be written down.
    pub(super) fn withhold(&self, serial: &SerialNumber, dispatch: Dispatch) -> Response {
        match self.lock().get_mut(serial) {
            Some(device) => device.session.withhold(dispatch),
            None => Response::retry_later(),
        }
    }

    /// Moves the resume mark of a terminal behind rows that are stored.
    pub(super) fn advance(&self, serial: &SerialNumber, head: &UploadHead) {
        if let Some(device) = self.lock().get_mut(serial) {
            device.session.advance(head);
        }
    }

    /// What payloads say of a terminal, known or not.
    pub(super) fn about(&self, serial: &SerialNumber) -> DeviceInfo {
        let known = self.lock().get(serial).map(|device| device.directory.device.clone());
        known.unwrap_or_else(|| about(&self.key, &self.defaults.device(serial.clone(), None)))
    }

    pub(super) fn directory(&self, serial: &SerialNumber) -> Option<Directory> {
        self.lock().get(serial).map(|device| device.directory.clone())
    }

    /// When each terminal was last heard, itself or through somebody who had read it.
    pub(super) fn last_seen(&self) -> BTreeMap<String, DateTime<Utc>> {
        let devices = self.lock();
        devices.iter().filter_map(|(serial, device)| Some((serial.to_string(), device.last_seen()?))).collect()
    }

    pub(super) fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<SerialNumber, Device>> {
        // A panic elsewhere leaves a session in one of its legal states.
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The offset firmware is told. One that it cannot be told becomes UTC; configured zones have none such today.
fn offset_at(zone: &DeviceZone, now: DateTime<Utc>) -> TimeZoneMinutes {
    TimeZoneMinutes::new(zone.offset_minutes_at(now)).unwrap_or_default()
}
