use std::fmt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use punch_erp::{CertificatePin, ReqwestTransport, TransportError};
use toml::{Table, Value};

use crate::environment::{env_any, env_flag};
use crate::section::{SectionError, one, take_text};

/// Which certificate a server may show.
#[derive(Clone, PartialEq, Eq)]
pub enum Trust {
    /// One that a root of the system stands behind.
    System,
    /// One that a root of the system or one of these stands behind, PEM.
    Roots(Arc<[u8]>),
    /// One of these and no other: of a server that made it itself.
    Pinned(Vec<CertificatePin>),
    /// Any, by the setting of this name. Whoever is between can read and change everything.
    Anybody(String),
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Roots(_) => "Roots(..)",
            Self::Pinned(_) => "Pinned(..)",
            Self::Anybody(_) => "Anybody",
        })
    }
}

impl Trust {
    /// Takes `ca_file`, `certificate_sha256` and `accept_invalid_certificates` out of a section; one of them at most.
    ///
    /// # Errors
    ///
    /// The file holds no certificate, a pin does not read, or there are two of them.
    pub fn take(table: &mut Table) -> Result<Self, Vec<SectionError>> {
        const KEYS: [&str; 3] = ["ca_file", "certificate_sha256", "accept_invalid_certificates"];
        let found: Vec<&str> = KEYS.into_iter().filter(|key| table.contains_key(*key)).collect();
        if let [first, second, ..] = found[..] {
            return Err(one(second, format!("and `{first}` are both there; keep one")));
        }
        if let Some(path) = take_text(table, "ca_file")? {
            return Self::of_file(Path::new(&path)).map_err(|error| one("ca_file", format!("{error:#}")));
        }
        let pins = match table.remove("certificate_sha256") {
            None => Vec::new(),
            Some(Value::String(pin)) => vec![pin],
            Some(Value::Array(pins)) if !pins.is_empty() && pins.iter().all(Value::is_str) => {
                pins.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
            }
            Some(_) => return Err(one("certificate_sha256", "expected a text, or a list of texts".to_owned())),
        };
        let pins = Self::pinned(&pins).map_err(|error| one("certificate_sha256", error.to_string()))?;
        match table.remove("accept_invalid_certificates") {
            Some(Value::Boolean(true)) => Ok(Self::Anybody("accept_invalid_certificates".to_owned())),
            None | Some(Value::Boolean(false)) => Ok(pins.unwrap_or(Self::System)),
            Some(_) => Err(one("accept_invalid_certificates", "is neither true nor false".to_owned())),
        }
    }

    /// The same from the environment: `CA_FILE`, `CERTIFICATE_SHA256` with commas between several, and
    /// `ACCEPT_INVALID_CERTS`, each with `prefix` before it.
    ///
    /// # Errors
    ///
    /// A variable does not read; the text names it.
    pub fn from_env(prefix: &str) -> anyhow::Result<Self> {
        let named = |name: &str| format!("{prefix}{name}");
        let get = |name: &str| env_any(&[&named(name)]);
        if env_flag(&named("ACCEPT_INVALID_CERTS")) {
            return Ok(Self::Anybody(named("ACCEPT_INVALID_CERTS")));
        }
        if let Some(path) = get("CA_FILE") {
            return Self::of_file(Path::new(&path)).with_context(|| named("CA_FILE"));
        }
        let pins: Vec<String> =
            get("CERTIFICATE_SHA256").iter().flat_map(|pins| pins.split(',')).map(Into::into).collect();
        let pins = Self::pinned(&pins).with_context(|| named("CERTIFICATE_SHA256"))?;
        Ok(pins.unwrap_or(Self::System))
    }

    fn of_file(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let roots = std::fs::read(path).with_context(|| format!("cannot read `{shown}`"))?;
        let is_pem = roots.windows(22).any(|window| window == b"-----BEGIN CERTIFICATE");
        ensure!(is_pem, "`{shown}` holds no certificate in PEM");
        ReqwestTransport::trusting(&roots).with_context(|| format!("`{shown}` holds no certificates"))?;
        Ok(Self::Roots(roots.into()))
    }

    fn pinned(pins: &[String]) -> Result<Option<Self>, punch_erp::ConfigError> {
        let pins: Vec<CertificatePin> = pins.iter().map(|pin| pin.parse()).collect::<Result<_, _>>()?;
        Ok(Some(pins).filter(|pins| !pins.is_empty()).map(Self::Pinned))
    }

    /// A client that trusts so.
    ///
    /// # Errors
    ///
    /// TLS cannot be set up.
    pub fn transport(&self) -> Result<ReqwestTransport, TransportError> {
        match self {
            Self::System => ReqwestTransport::new(),
            Self::Roots(roots) => ReqwestTransport::trusting(roots),
            Self::Pinned(pins) => ReqwestTransport::pinned(pins),
            Self::Anybody(setting) => {
                tracing::warn!("{setting}: whoever is between can read and change everything; use a CA file or a pin");
                ReqwestTransport::trusting_anybody()
            }
        }
    }
}
