//! Access systems at work: what `[[source]]` names is read, and posts of it are taken on the listener of the terminals.

mod keeping;
mod receiving;
mod standing;

use std::sync::Arc;

use punch_protocol::SerialNumber;
use sources::Settings;
use sources::hikcentral::HikCentralSource;
use sources::isapi::IsapiSource;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::SourceConfig;
use crate::device::Devices;
use crate::store::Store;
pub(crate) use standing::SourceStatus;

/// All of them; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Sources(Arc<[Feed]>);

/// One, and where it leads to.
#[derive(Debug)]
struct Feed {
    config: SourceConfig,
    /// The serial number of what answers us: what cannot be used is kept under it.
    serial: SerialNumber,
    system: System,
    devices: Devices,
    store: Store,
}

#[derive(Debug)]
enum System {
    HikCentral(HikCentralSource),
    Isapi(IsapiSource),
}

impl Sources {
    /// Sets them to work. Nothing is asked yet.
    pub(crate) fn open(configs: &[SourceConfig], devices: &Devices, store: &Store) -> Self {
        let feed = |config: &SourceConfig| {
            let system = match &config.settings {
                Settings::HikCentral(settings) => System::HikCentral(HikCentralSource::new((**settings).clone())),
                Settings::Isapi(settings, _) => System::Isapi(IsapiSource::new((**settings).clone())),
            };
            let serial = config.serial()?;
            Some(Feed { config: config.clone(), serial, system, devices: devices.clone(), store: store.clone() })
        };
        Self(configs.iter().filter_map(feed).collect())
    }

    /// Reads them all until `stop` says so.
    pub(crate) fn feed(&self, stop: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
        let feed = |number| {
            let (sources, mut stop) = (self.clone(), stop.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = sources.feed_one(number) => {}
                    _ = stop.wait_for(|&stop| stop) => {}
                }
            })
        };
        (0..self.0.len()).map(feed).collect()
    }

    async fn feed_one(&self, number: usize) {
        let Some(feed) = self.0.get(number) else { return };
        loop {
            let ended = match &feed.system {
                System::HikCentral(hikcentral) => hikcentral.feed(feed).await,
                System::Isapi(isapi) => isapi.feed(feed).await,
            };
            if let Err(error) = ended {
                tracing::error!(
                    source = feed.config.name,
                    error = format!("{error:#}"),
                    "the source is not read; it is tried again"
                );
            }
            // The store could not be read.
            tokio::time::sleep(core::time::Duration::from_secs(5)).await;
        }
    }

    /// How each stands.
    pub(crate) fn statuses(&self) -> Vec<SourceStatus> {
        self.0.iter().map(SourceStatus::of).collect()
    }
}
