use std::path::PathBuf;

use super::section::Section;
use crate::listen::Tls;

/// The certificates a listener shows, the ones it likes best first: one for each kind of key, RSA and ECDSA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsConfig {
    /// At least one.
    pub pairs: Vec<KeyFiles>,
}

/// A certificate with those that lead to its root, and its key, both in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFiles {
    /// The certificate, and behind it those that lead to its root.
    pub cert_file: PathBuf,
    /// Its key.
    pub key_file: PathBuf,
}

impl TlsConfig {
    /// Reads `[tls]`, `[device_tls]` or `[api_tls]`. `None` if there is no such section, or what it says cannot be used.
    pub(super) fn read(root: &mut Section, name: &str) -> Option<Self> {
        let is_there = root.has(name);
        let mut section = root.section(name);
        if !is_there {
            return None;
        }
        let certs = section.text_or_texts("cert_file").unwrap_or_default();
        let keys = section.text_or_texts("key_file").unwrap_or_default();
        let pairs = certs.iter().zip(&keys);
        let pairs = pairs.map(|(cert, key)| KeyFiles { cert_file: cert.into(), key_file: key.into() }).collect();
        let config = Self { pairs };
        let is_good = if certs.is_empty() || certs.len() != keys.len() {
            let found = format!("names {} files and `key_file` {}", certs.len(), keys.len());
            section.complain("cert_file", format!("{found}, expected a certificate in PEM and a key for each"));
            false
        } else {
            let loaded = Tls::load(&config).map(drop);
            loaded.map_err(|error| section.complain("cert_file", error.to_string())).is_ok()
        };
        root.absorb(section);
        is_good.then_some(config)
    }
}
