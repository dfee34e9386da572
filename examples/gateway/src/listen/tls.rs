//! TLS 1.2 and 1.3 with the certificates of files, the first that fits what the client offers.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{ServerConfig, SupportedCipherSuite};

use super::Wire;
use super::expiry::expiry;
use super::reload::seen;
use crate::config::{KeyFiles, TlsConfig};

/// Why a certificate cannot be used. It names the file and nothing of what is in it.
#[derive(Debug, thiserror::Error)]
#[error("`{}`: {problem}", file.display())]
pub(crate) struct TlsProblem {
    file: PathBuf,
    problem: String,
}

/// What speaks TLS for a listener.
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    pub(super) config: TlsConfig,
    /// The files as they were when they were read first.
    pub(super) known: [u8; 32],
    pub(super) chosen: Arc<Chosen>,
    pub(super) standing: RwLock<Standing>,
}

/// What is known of its files.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// What is wrong with those that are there now; the ones before them go on.
    pub(super) problem: Option<String>,
    /// How often newer ones were taken since the start.
    pub(super) reloads: u64,
    /// When the first of those that are shown expires.
    pub(super) expires_at: Option<DateTime<Utc>>,
}

impl Tls {
    /// Reads the certificates.
    ///
    /// # Errors
    ///
    /// Which file cannot be used, and why.
    pub(crate) fn load(config: &TlsConfig) -> Result<Self, TlsProblem> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let known = seen(config);
        let keys = read(config, &provider)?;
        let standing = Standing { expires_at: expiry(&keys), ..Standing::default() };
        let chosen = Arc::new(Chosen { keys: RwLock::new(keys), provider: Arc::clone(&provider) });
        let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let versions = versions.map_err(|error| problem(&PathBuf::new(), error))?;
        let mut server = versions.with_no_client_auth().with_cert_resolver(Arc::clone(&chosen) as _);
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(server));
        Ok(Self { acceptor, config: config.clone(), known, chosen, standing: RwLock::new(standing) })
    }

    /// Shakes hands.
    pub(super) async fn accept(&self, wire: Wire) -> io::Result<Wire> {
        Ok(Wire::plain(self.acceptor.accept(wire).await?))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("config", &self.config).finish_non_exhaustive()
    }
}

/// The certificates that are shown to clients.
#[derive(Debug)]
pub(super) struct Chosen {
    keys: RwLock<Vec<Arc<CertifiedKey>>>,
    provider: Arc<CryptoProvider>,
}

impl Chosen {
    /// Shows other ones from now on, if all of them can be used. When the first of them expires.
    pub(super) fn renew(&self, config: &TlsConfig) -> Result<Option<DateTime<Utc>>, TlsProblem> {
        let keys = read(config, &self.provider)?;
        let expires_at = expiry(&keys);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(expires_at)
    }
}

impl ResolvesServerCert for Chosen {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let suites = || {
            let ours = self.provider.cipher_suites.iter();
            ours.filter(|suite| hello.cipher_suites().contains(&suite.suite()))
        };
        // Old clients say by their suites which kind of key they know.
        let fits = |key: &CertifiedKey| {
            key.key.choose_scheme(hello.signature_schemes()).is_some()
                && suites().any(|suite| match suite {
                    SupportedCipherSuite::Tls13(_) => true,
                    SupportedCipherSuite::Tls12(suite) => key.key.choose_scheme(suite.sign).is_some(),
                })
        };
        keys.iter().find(|key| fits(key)).cloned()
    }
}

fn read(config: &TlsConfig, provider: &CryptoProvider) -> Result<Vec<Arc<CertifiedKey>>, TlsProblem> {
    config.pairs.iter().map(|files| read_pair(files, provider).map(Arc::new)).collect()
}

fn read_pair(files: &KeyFiles, provider: &CryptoProvider) -> Result<CertifiedKey, TlsProblem> {
    let KeyFiles { cert_file, key_file } = files;
    let certificates = CertificateDer::pem_file_iter(cert_file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = certificates.map_err(|error| problem(cert_file, error))?;
    if certificates.is_empty() {
        return Err(problem(cert_file, "has no certificate, expected PEM: `-----BEGIN CERTIFICATE-----`"));
    }
    let key = PrivateKeyDer::from_pem_file(key_file).map_err(|error| problem(key_file, error))?;
    CertifiedKey::from_der(certificates, key, provider).map_err(|error| {
        let cure = "the key has to be that of the first certificate of";
        problem(key_file, format!("{error}; {cure} `{}`", cert_file.display()))
    })
}

fn problem(file: &Path, problem: impl ToString) -> TlsProblem {
    TlsProblem { file: file.to_owned(), problem: problem.to_string() }
}
