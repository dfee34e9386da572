use std::collections::{BTreeMap, BTreeSet};

use super::{Config, ConfigError, DeviceConfig, Profile};
use crate::core::Scope;
use crate::listen::{Tls, is_soon};

impl Config {
    /// What is allowed and hardly meant: places in the file, and what to look at.
    pub fn warnings(&self) -> Vec<ConfigError> {
        let mut warnings = Vec::new();
        let mut first_at = BTreeMap::<&str, &DeviceConfig>::new();
        for (number, device) in (1usize..).zip(&self.devices) {
            let first = *first_at.entry(&device.site).or_insert(device);
            let keys = differing(&first.profile, &device.profile);
            if !keys.is_empty() {
                let problem = format!(
                    "has another {} than {} at the same site; whoever uses both needs the same at both",
                    keys.join(", "),
                    first.serial
                );
                warnings.push(ConfigError { key: format!("device[{number}]"), problem });
            }
        }
        let of_sources = self.sources.iter().map(|source| source.site.as_str());
        let sites = first_at.keys().copied().chain([self.defaults.site.as_str()]).chain(of_sources);
        let sites: BTreeSet<&str> = sites.collect();
        let lost: BTreeSet<&str> = self
            .employees
            .iter()
            .filter_map(|identity| match &identity.scope {
                Scope::Site(site) if !sites.contains(site.as_str()) => Some(site.as_str()),
                _ => None,
            })
            .collect();
        for site in lost {
            let problem =
                format!("`{site}` is the `site` of no terminal, so nobody is found by it; see how it is spelt");
            warnings.push(ConfigError { key: "employee.site".to_owned(), problem });
        }
        let of_devices = self.device_tls.as_ref().map(|(_, tls)| ("listen.device_tls", tls));
        for (key, tls) in of_devices.into_iter().chain(self.api_tls.as_ref().map(|tls| ("listen.api", tls))) {
            let expires_at = Tls::load(tls).ok().and_then(|tls| tls.expires_at()).filter(|at| is_soon(*at));
            if let Some(at) = expires_at {
                let problem = format!("a certificate of it expires on {}; renew it", at.format("%Y-%m-%d"));
                warnings.push(ConfigError { key: key.to_owned(), problem });
            }
        }
        warnings
    }
}

fn differing(one: &Profile, other: &Profile) -> Vec<&'static str> {
    let (one, other) = (&one.rules, &other.rules);
    let keys = [
        ("`rule`", one.direction != other.direction),
        ("`scope`", one.bounce.scope != other.bounce.scope),
        ("`max_shift_hours`", one.max_shift != other.max_shift),
    ];
    keys.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
}
