use punch_protocol::SerialNumber;
use punch_protocol::push::Admission;

use super::handler::Devices;
use crate::clock::now;
use crate::core::{Received, Tally};
use crate::store::StoreError;

impl Devices {
    /// Whether punches of this terminal may come from somebody who has read them: the rule is that of the terminal
    /// itself. An unknown one is remembered as pending.
    pub(crate) async fn meet(&self, serial: &SerialNumber) -> Admission {
        match self.0.registry.meet(serial, now()) {
            Some(admission) => admission,
            None => {
                self.note_unknown(serial.clone()).await;
                Admission::Pending
            }
        }
    }

    /// Takes punches that somebody else has read. They are on disk when this returns.
    ///
    /// # Errors
    ///
    /// The store cannot be written; nothing was taken.
    pub(crate) async fn take_forwarded(&self, received: Received) -> Result<Tally, StoreError> {
        self.keep(received).await
    }
}
