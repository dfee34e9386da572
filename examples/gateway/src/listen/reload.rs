//! Certificates are renewed while connections are served: who renews them writes files, and nothing is restarted.

use core::time::Duration;
use std::sync::{Arc, PoisonError};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::EXPIRES_SOON;
use super::tls::Tls;
use crate::clock::now;
use crate::config::TlsConfig;

/// How often it is looked at the files.
const LOOK: Duration = Duration::from_secs(2);

/// How often it is said that a certificate expires.
const DAY: Duration = Duration::from_secs(86_400);

impl Tls {
    /// Takes the certificates of the files whenever they change, until `stop` says so. Some that cannot be used are told
    /// of, and the ones before them stay.
    pub(crate) async fn follow_files(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let (mut known, mut warned_at) = (self.known, None);
        loop {
            self.warn(&mut warned_at);
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.wait_for(|&stop| stop) => return,
            }
            let config = self.config.clone();
            let seen = tokio::task::spawn_blocking(move || seen(&config)).await.unwrap_or(known);
            // Half of a renewal may be there; the other half is another change.
            if seen != known {
                self.renew();
                (known, warned_at) = (seen, None);
            }
        }
    }

    /// Says once a day that a certificate expires soon.
    fn warn(&self, warned_at: &mut Option<Instant>) {
        let is_due = warned_at.is_none_or(|at| at.elapsed() >= DAY);
        let Some(expires_at) = self.expires_at().filter(|at| is_due && is_soon(*at)) else { return };
        *warned_at = Some(Instant::now());
        let expires_at = written(expires_at);
        tracing::warn!(%expires_at, "a certificate expires soon; put a renewed one into its file, no restart is needed");
    }

    /// When the first of the certificates that are shown expires.
    pub(crate) fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.standing.read().unwrap_or_else(PoisonError::into_inner).expires_at
    }

    /// Takes the certificates that are in the files now.
    pub(crate) fn renew(&self) {
        let renewed = self.chosen.renew(&self.config);
        let mut standing = self.standing.write().unwrap_or_else(PoisonError::into_inner);
        match renewed {
            Ok(expires_at) => {
                standing.expires_at = expires_at;
                standing.reloads = standing.reloads.saturating_add(1);
                standing.problem = None;
                tracing::info!("certificates were renewed");
            }
            Err(error) => {
                tracing::error!(%error, "a changed certificate cannot be used; the one before it is used on");
                standing.problem = Some(error.to_string());
            }
        }
    }

    /// How it stands, for whoever asks.
    pub(crate) fn standing(&self) -> Certificates {
        let standing = self.standing.read().unwrap_or_else(PoisonError::into_inner);
        let cert_files = self.config.pairs.iter().map(|files| files.cert_file.display().to_string()).collect();
        Certificates {
            cert_files,
            reloads: standing.reloads,
            problem: standing.problem.clone(),
            expires_at: standing.expires_at.map(written),
            expires_soon: standing.expires_at.is_some_and(is_soon),
        }
    }
}

/// The certificates of a listener, and how they stand.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Certificates {
    cert_files: Vec<String>,
    /// How often newer ones were taken since the start.
    reloads: u64,
    /// What is wrong with those that are there now; the ones before them go on.
    problem: Option<String>,
    /// When the first of those that are shown expires.
    #[schema(format = "date-time")]
    expires_at: Option<String>,
    /// Whether that is within 30 days, or was.
    expires_soon: bool,
}

/// Whether somebody should be told.
pub(crate) fn is_soon(expires_at: DateTime<Utc>) -> bool {
    expires_at.signed_duration_since(now()) <= EXPIRES_SOON
}

fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// What tells the files from what they were.
pub(super) fn seen(config: &TlsConfig) -> [u8; 32] {
    let mut hash = Sha256::new();
    for file in config.pairs.iter().flat_map(|files| [&files.cert_file, &files.key_file]) {
        hash.update(std::fs::read(file).unwrap_or_default());
        hash.update(b"\0");
    }
    hash.finalize().into()
}
