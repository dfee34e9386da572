//! What a gateway at work takes from its files anew: certificates, and whoever is named now and was not before.

use punch_webhook::EndpointId;

use crate::config::{Config, SinkConfig};
use crate::named::{New, enter};
use crate::store::{DeviceRow, EndpointRow, StoreError};
use crate::{Gateway, StartError, Tls, made_once};

/// What was taken from a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reloaded {
    /// Terminals that are let in now and were not before.
    pub devices: usize,
    /// People that were registered, or registered otherwise.
    pub employees: u32,
    /// Endpoints that were subscribed, or changed.
    pub endpoints: usize,
}

impl Gateway {
    /// Takes the certificates that are in the files now. Some that cannot be used are told of in the log and in `/status`,
    /// and the ones before them go on.
    pub fn renew_certificates(&self) {
        self.certificates.iter().for_each(|(_, tls)| Tls::renew(tls));
    }

    /// Lets in, registers and subscribes whoever this file names and the store does not have so. Nothing else of it is
    /// taken: how known terminals are judged, listeners, sinks and every other section wait for a restart.
    ///
    /// # Errors
    ///
    /// The store cannot be written; nothing was taken.
    pub async fn reload(&self, mut config: Config) -> Result<Reloaded, StartError> {
        // What writes to an ERP was opened at the start.
        config.endpoints.retain(|endpoint| !SinkConfig::is_sink(&endpoint.url));
        let New { devices, employees, endpoints } =
            enter(&self.store, &mut config, made_once(&self.store, "tenant_key").await?, "reload").await?;
        let rows = self.store.read(DeviceRow::all).await?;
        self.devices.name(&devices, &rows);
        for id in &endpoints {
            self.subscribe(*id).await?;
        }
        Ok(Reloaded { devices: devices.len(), employees, endpoints: endpoints.len() })
    }

    async fn subscribe(&self, id: EndpointId) -> Result<(), StoreError> {
        if let Some(row) = self.store.read(move |connection| EndpointRow::of(connection, id)).await? {
            self.engine.set_endpoint(row);
        }
        Ok(())
    }
}
