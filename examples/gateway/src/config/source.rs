//! `[[source]]`: access systems that punches are read from.

use chrono::TimeDelta;
use punch_protocol::SerialNumber;
use sources::Settings;

use super::section::Section;
use super::terminals::Terminals;
use super::{Config, DeviceConfig, Profile};
use crate::core::{Networks, PathToken};

/// One access system.
#[derive(Debug, Clone)]
pub struct SourceConfig {
    /// Its name. The doors of a HikCentral are called by it and their code, as in `hik-7`, so it never changes.
    pub name: String,
    /// Where its doors are.
    pub site: String,
    /// What is made of what it tells.
    pub profile: Profile,
    /// The networks it may post from. Without any it may post from everywhere.
    pub allow: Networks,
    /// What stands in the path that it posts to, if that is how it proves who it is.
    pub path_token: Option<PathToken>,
    /// Where it is, who we are there, and how it is read.
    pub settings: Settings,
}

impl SourceConfig {
    /// Longest name: there has to be room for the code of a door.
    pub const NAME_MAX: usize = 24;

    /// The serial number of what answers us: the server, or the terminal.
    pub fn serial(&self) -> Option<SerialNumber> {
        match &self.settings {
            Settings::HikCentral(_) => SerialNumber::parse(&self.name).ok(),
            Settings::Isapi(isapi, _) => Some(isapi.rules.device.clone()),
        }
    }

    /// The serial number of a door. `None` if its code is too long for one.
    pub fn serial_of(&self, door: &str) -> Option<SerialNumber> {
        match &self.settings {
            Settings::HikCentral(_) => SerialNumber::parse(&format!("{}-{door}", self.name)).ok(),
            Settings::Isapi(..) => self.serial(),
        }
    }

    /// Whether a serial number is of a door of it, or its own.
    pub fn has(&self, serial: &SerialNumber) -> bool {
        let is_door = || serial.as_str().strip_prefix(&self.name).is_some_and(|rest| rest.starts_with('-'));
        self.serial().as_ref() == Some(serial) || (matches!(self.settings, Settings::HikCentral(_)) && is_door())
    }

    /// How long what is behind it may be silent: three readings, and a minute.
    pub fn patience(&self) -> TimeDelta {
        let interval = match &self.settings {
            Settings::HikCentral(hikcentral) => hikcentral.poll.interval,
            Settings::Isapi(isapi, _) => isapi.poll.interval,
        };
        let thrice = interval.checked_mul(3).unwrap_or(TimeDelta::MAX);
        thrice.checked_add(&TimeDelta::minutes(1)).unwrap_or(thrice)
    }

    /// A door of it, which it calls `label`.
    pub fn device(&self, serial: SerialNumber, label: Option<&str>) -> DeviceConfig {
        DeviceConfig {
            name: label.map_or_else(|| serial.to_string(), ToOwned::to_owned),
            serial,
            site: self.site.clone(),
            role: None,
            profile: self.profile.clone(),
            comm_key: None,
            allow: None,
            path_token: None,
        }
    }
}

impl Config {
    /// What is said of a terminal, or of a door that a source calls `label`. `None` if nothing is.
    pub fn device(&self, serial: &SerialNumber, source: Option<&str>, label: Option<&str>) -> Option<DeviceConfig> {
        let named = self.devices.iter().find(|device| device.serial == *serial).cloned();
        named.or_else(|| {
            let source = self.sources.iter().find(|known| Some(known.name.as_str()) == source)?;
            Some(source.device(serial.clone(), label))
        })
    }

    /// What the file says is behind a source: its own serial number, and those of its doors that have an entry.
    pub(crate) fn behind_sources(&self) -> Vec<(String, String)> {
        let mut behind = Vec::new();
        for source in &self.sources {
            let doors = self.devices.iter().map(|device| &device.serial).filter(|serial| source.has(serial)).cloned();
            let own = source.serial().filter(|own| self.devices.iter().all(|device| device.serial != *own));
            behind.extend(own.into_iter().chain(doors).map(|serial| (serial.to_string(), source.name.clone())));
        }
        behind
    }
}

/// Looks whether the doors of each source can be told from those of the others.
pub(super) fn refuse_mix_ups(root: &mut Section, config: &Config) {
    for (index, source) in config.sources.iter().enumerate() {
        let own = source.serial();
        let mut others = config.sources.iter().enumerate().filter(|(other, _)| *other != index);
        if others.any(|(_, other)| other.name != source.name && own.as_ref().is_some_and(|own| other.has(own))) {
            let key = if matches!(source.settings, Settings::Isapi(..)) { "serial" } else { "name" };
            let problem = "is, or begins like, what a door of another source is called; choose another";
            root.complain(&format!("source[{}].{key}", index.saturating_add(1)), problem.to_owned());
        }
    }
}

/// Reads an entry.
pub(super) fn source(root: &mut Section, mut section: Section, terminals: &Terminals) -> Option<SourceConfig> {
    let name = section.required("name", "a name of letters, digits, `-` and `_`").unwrap_or_default();
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let is_name = is_name && (1..=SourceConfig::NAME_MAX).contains(&name.len());
    if !is_name && section.has("kind") {
        section.complain("name", format!("expected 1 to {} letters, digits, `-` and `_`", SourceConfig::NAME_MAX));
    }
    let kind = section.required("kind", &format!("one of: {}", Settings::KINDS.join(", ")));
    let (site, mut profile) = terminals.at_site(section.text("site"));
    let allow = super::terminals::allow(&mut section).unwrap_or_default();
    let settings = kind.and_then(|kind| match sources::read_section(&kind, &name, section.rest()) {
        Ok(settings) => Some(settings),
        Err(errors) => {
            for error in errors {
                let path = section.path();
                let path = if error.key.is_empty() { path.to_owned() } else { format!("{path}.{}", error.key) };
                root.complain(&path, error.problem);
            }
            None
        }
    });
    root.absorb(section);
    let settings = settings?;
    let (zone, path_token) = match &settings {
        Settings::HikCentral(hikcentral) => (hikcentral.rules.passage.zone, None),
        Settings::Isapi(isapi, token) => (isapi.rules.passage.zone, token.as_ref()),
    };
    profile.zone = zone.unwrap_or(profile.zone);
    // Its form was looked at with the others.
    let path_token = path_token.and_then(|token| PathToken::new(token.expose()).ok());
    is_name.then_some(SourceConfig { name, site, profile, allow, path_token, settings })
}
