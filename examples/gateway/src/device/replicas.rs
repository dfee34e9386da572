use core::time::Duration;

use punch_protocol::SerialNumber;
use punch_protocol::push::Admission;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::handler::Devices;
use crate::store::{DeviceRow, StoreError};

/// How often it is looked whom other gateways have let in.
const LOOK: Duration = Duration::from_secs(2);

impl Devices {
    /// Begins what goes on beside the conversations with terminals, until `stop` says so.
    pub(crate) fn attend(&self, stop: &watch::Receiver<bool>) -> [JoinHandle<()>; 6] {
        [
            tokio::spawn(self.clone().watch_sites(stop.clone())),
            tokio::spawn(self.clone().release_by_file(stop.clone())),
            tokio::spawn(self.clone().watch_commands(stop.clone())),
            tokio::spawn(self.clone().expand_commands(stop.clone())),
            tokio::spawn(self.clone().follow_replicas(stop.clone())),
            tokio::spawn(self.clone().watch_reach(stop.clone())),
        ]
    }

    /// Lets in whom other gateways over the same store have let in, until `stop` says so. Ends at once if there can be none.
    pub(crate) async fn follow_replicas(self, mut stop: watch::Receiver<bool>) {
        while self.0.store.replica().is_some() {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.wait_for(|&stop| stop) => return,
            }
            if let Err(error) = self.look_at_admissions().await {
                tracing::warn!(%error, "whom other gateways have let in is looked at later");
            }
        }
    }

    async fn look_at_admissions(&self) -> Result<(), StoreError> {
        let rows = self.0.store.read(DeviceRow::all).await?;
        for row in rows.iter().filter(|row| row.admission == Admission::Approved) {
            let Ok(serial) = SerialNumber::parse(&row.serial) else { continue };
            self.0.registry.set_access(&serial, row.access.clone());
            if !self.0.registry.is_approved(&serial) {
                self.0.registry.admit(serial, row.admission, None, Some(row));
            }
        }
        for row in rows.iter().filter(|row| row.admission == Admission::Blocked) {
            if let Ok(serial) = SerialNumber::parse(&row.serial) {
                self.0.registry.block(&serial);
            }
        }
        // And what they were asked to have done.
        self.find_commands().await
    }
}
