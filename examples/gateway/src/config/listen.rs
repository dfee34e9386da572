use std::net::SocketAddr;

use super::section::Section;
use super::{Config, TlsConfig};
use crate::core::Networks;

/// Where the listeners are, and whom they believe.
pub(super) struct Listen {
    pub(super) device_addr: SocketAddr,
    pub(super) device_plain: bool,
    pub(super) device_tls: Option<(SocketAddr, TlsConfig)>,
    pub(super) api_addr: SocketAddr,
    pub(super) api_tls: Option<TlsConfig>,
    pub(super) trusted_proxies: Networks,
}

/// Says that there is no plain listener for terminals.
const OFF: &str = "off";

impl Listen {
    pub(super) fn read(root: &mut Section, base: &Config) -> Self {
        let has_certificate = root.has("tls") || root.has("device_tls");
        let mut section = root.section("listen");
        let is_off = section.is_text("device", OFF);
        let device_addr = if is_off {
            drop(section.text("device"));
            None
        } else {
            section.parsed("device", "an address like `0.0.0.0:8081`, or `off` where `device_tls` has one")
        };
        let secure = section.parsed::<SocketAddr>("device_tls", "an address like `0.0.0.0:8443`");
        let api_addr = section.parsed("api", "an address like `127.0.0.1:8080`").unwrap_or(base.api_addr);
        let trusted_proxies = section.texts("trusted_proxies").unwrap_or_default();
        let trusted_proxies = Networks::parse(&trusted_proxies);
        let trusted_proxies = trusted_proxies.map_err(|problem| section.complain("trusted_proxies", problem));
        if is_off && secure.is_none() {
            section
                .complain("device", "is `off`, and `device_tls` has no address; terminals need one of them".to_owned());
        }
        let usual = TlsConfig::read(root, "tls");
        let mut own = |name: &str| {
            let is_there = root.has(name);
            TlsConfig::read(root, name).or_else(|| usual.clone().filter(|_| !is_there))
        };
        let (for_devices, for_api) = (own("device_tls"), own("api_tls"));
        if secure.is_some() && !has_certificate {
            section
                .complain("device_tls", "needs `[tls]` or `[device_tls]` with `cert_file` and `key_file`".to_owned());
        }
        root.absorb(section);
        Self {
            device_addr: device_addr.unwrap_or(base.device_addr),
            device_plain: !is_off,
            device_tls: secure.zip(for_devices),
            api_addr,
            api_tls: for_api,
            trusted_proxies: trusted_proxies.unwrap_or_default(),
        }
    }
}
