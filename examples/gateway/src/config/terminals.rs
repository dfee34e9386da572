use std::collections::BTreeMap;

use punch_normalize::timeline::{DirectionRule, Role};
use punch_protocol::SerialNumber;
use punch_protocol::push::CommKey;

use super::profile::FLIP_KEYS;
use super::read::from_file;
use super::section::Section;
use super::{DeviceConfig, DeviceDefaults, Profile, SiteConfig};
use crate::core::{Networks, PathToken, Shifts};

/// What a file says of terminals: of all, of those of a site, of each.
pub(super) struct Terminals {
    pub(super) defaults: DeviceDefaults,
    pub(super) sites: Vec<SiteConfig>,
    pub(super) devices: Vec<DeviceConfig>,
    at_site: BTreeMap<String, Profile>,
    origins: BTreeMap<String, Origin>,
}

/// A profile, and the place in the file that was the last to say how directions are found.
#[derive(Clone)]
struct Said {
    at: String,
    profile: Profile,
}

/// The terminals whose rules were said at one place.
struct Origin {
    profile: Profile,
    is_used: bool,
    all_have_roles: bool,
}

impl Terminals {
    pub(super) fn read(root: &mut Section) -> Self {
        let mut section = root.section("defaults");
        let plain = Said::read(&mut section, &Said { at: "defaults".to_owned(), profile: Profile::default() });
        let site = section.text("site").unwrap_or_default();
        root.absorb(section);
        let mut origins = BTreeMap::new();
        let (mut sites, mut at_site) = (Vec::new(), BTreeMap::new());
        for mut section in root.sections("site") {
            let name = section.required("name", "the name by which terminals call it");
            let said = Said::read(&mut section, &plain);
            root.absorb(section);
            said.note(&mut origins);
            let Some(name) = name else { continue };
            sites.push(SiteConfig { name: name.clone(), profile: said.profile.clone() });
            at_site.insert(name, said);
        }
        let usual = at_site.get(&site).unwrap_or(&plain);
        let defaults = DeviceDefaults { site, profile: usual.profile.clone() };
        let mut devices = Vec::new();
        for section in root.sections("device") {
            let (device, said) = device(root, section, &defaults, |site| at_site.get(site).unwrap_or(&plain));
            said.note(&mut origins).is_used_by(device.as_ref().and_then(|device| device.role));
            devices.extend(device);
        }
        if devices.is_empty() {
            usual.note(&mut origins).is_used_by(None);
        }
        let at_site = at_site.into_iter().map(|(name, said)| (name, said.profile)).collect();
        Self { defaults, sites, devices, at_site, origins }
    }

    /// A site, or that of the defaults, and what is made of the rows of its terminals.
    pub(super) fn at_site(&self, site: Option<String>) -> (String, Profile) {
        let site = site.unwrap_or_else(|| self.defaults.site.clone());
        let profile = self.at_site.get(&site).unwrap_or(&self.defaults.profile).clone();
        (site, profile)
    }

    /// Looks whether the rules can work: there are shifts to go by, and a forgotten punch heals.
    pub(super) fn refuse_traps(&self, root: &mut Section, shifts: &Shifts) {
        let goes_by_shifts = |origin: &Origin| origin.profile.rules.direction == DirectionRule::Schedule;
        // One entry mends it everywhere, so it is told once.
        let misled = self.origins.iter().find(|(_, origin)| goes_by_shifts(origin) && shifts.is_empty());
        if let Some((path, _)) = misled {
            let problem = "`schedule` needs shifts, and there is no `[[shift]]`; add one, or use another rule";
            root.complain(&format!("{path}.rule"), problem.to_owned());
        }
        for (path, origin) in &self.origins {
            let Profile { rules, longest_shift, .. } = &origin.profile;
            let longest = longest_shift.or_else(|| shifts.longest());
            let trap = longest.and_then(|longest| rules.check(longest).err());
            if let Some(trap) = trap.filter(|_| origin.is_used && !origin.all_have_roles) {
                let cure = "in this file: `role` at each `[[device]]`, `rule = \"schedule\"` with `[[shift]]`, or, where \
                            people press keys, `infer = false`";
                root.complain(&format!("{path}.max_shift_hours"), format!("{trap}; {cure}"));
            }
        }
    }
}

impl Said {
    fn read(section: &mut Section, base: &Self) -> Self {
        let says_how = FLIP_KEYS.iter().any(|key| section.has(key));
        let at = if says_how { section.path().to_owned() } else { base.at.clone() };
        Self { at, profile: Profile::read(section, &base.profile) }
    }

    fn note<'a>(&self, origins: &'a mut BTreeMap<String, Origin>) -> &'a mut Origin {
        let origin = || Origin { profile: self.profile.clone(), is_used: false, all_have_roles: true };
        origins.entry(self.at.clone()).or_insert_with(origin)
    }
}

impl Origin {
    fn is_used_by(&mut self, role: Option<Role>) {
        self.is_used = true;
        self.all_have_roles &= role.is_some();
    }
}

fn device<'a>(
    root: &mut Section,
    mut section: Section,
    defaults: &DeviceDefaults,
    at_site: impl FnOnce(&str) -> &'a Said,
) -> (Option<DeviceConfig>, Said) {
    let text = section.required("serial", "the serial number on the terminal's label");
    let serial = text.and_then(|text| {
        SerialNumber::parse(&text).map_err(|error| section.complain("serial", error.to_string())).ok()
    });
    let name = section.text("name");
    let site = section.text("site").unwrap_or_else(|| defaults.site.clone());
    let said = Said::read(&mut section, at_site(&site));
    let role = section.one_of("role", &[("entry", Role::Entry), ("exit", Role::Exit)]);
    let comm_key = comm_key(&mut section);
    let (allow, path_token) = (allow(&mut section), path_token(&mut section));
    root.absorb(section);
    let profile = said.profile.clone();
    let device = serial.map(|serial| {
        let name = name.unwrap_or_else(|| serial.to_string());
        DeviceConfig { serial, name, site, role, profile, comm_key, allow, path_token }
    });
    (device, said)
}

fn comm_key(section: &mut Section) -> Option<CommKey> {
    let text = from_file(section, "comm_key_file").unwrap_or_else(|| section.text("comm_key"))?;
    Some(CommKey::new(&text))
}

pub(super) fn allow(section: &mut Section) -> Option<Networks> {
    let texts = section.texts("allow")?;
    Networks::parse(&texts).map_err(|problem| section.complain("allow", problem)).ok()
}

fn path_token(section: &mut Section) -> Option<PathToken> {
    let text = from_file(section, "path_token_file").unwrap_or_else(|| section.text("path_token"))?;
    PathToken::new(&text).map_err(|problem| section.complain("path_token", problem.to_owned())).ok()
}
