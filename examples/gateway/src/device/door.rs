//! Who is turned away before anything of a request is looked at: from where it comes, under which path, and how many new
//! serial numbers came from there.

use core::net::IpAddr;
use std::sync::PoisonError;

use punch_protocol::SerialNumber;
use punch_protocol::push::{Admission, Response};

use super::handler::Devices;
use super::registry::Registry;
use crate::clock::now;
use crate::core::Access;
use crate::store::{DeviceRow, StoreError};

impl Devices {
    /// The answer to a call that is not let in; `None` if it is. It is the same as to a serial number nobody has approved,
    /// so that nobody learns what is missing; the timeline says it.
    pub(super) fn turn_away(&self, serial: &SerialNumber, from: IpAddr, path: &str, what: &str) -> Option<Response> {
        let Some(admission) = self.0.registry.admission(serial) else {
            let counted = self.count_unknown(from);
            tracing::info!(%serial, %from, is_looked_at = counted.is_ok(), "a serial number that is new here");
            return counted.err();
        };
        let outcome = self.0.registry.access(serial)?.bars(from, path).filter(|_| admission == Admission::Approved)?;
        tracing::warn!(%serial, %from, outcome, "a call under the name of a terminal is turned away");
        if let Some(device) = self.0.registry.lock().get_mut(serial) {
            device.encounters.note(what, outcome, from, now());
        }
        Some(Response::retry_later())
    }

    /// Counts a serial number that is new here. Whoever makes up many of them is not written down any more.
    fn count_unknown(&self, from: IpAddr) -> Result<(), Response> {
        let counted = self.0.unknown.lock().unwrap_or_else(PoisonError::into_inner).count(from, now());
        counted.map_err(|_| {
            self.0.store.metrics().met_unknown();
            Response::retry_later()
        })
    }

    /// From where, and under which path, a terminal may call.
    pub(crate) fn access(&self, serial: &SerialNumber) -> Option<Access> {
        self.0.registry.access(serial)
    }

    /// Sets from where, and under which path, a terminal may call.
    ///
    /// # Errors
    ///
    /// The store cannot be written; nothing has changed.
    pub(crate) async fn set_access(&self, serial: &SerialNumber, access: Access) -> Result<(), StoreError> {
        let (text, kept) = (serial.to_string(), access.clone());
        self.0.store.write(move |tx| DeviceRow::keep_access(tx, &text, &kept)).await?;
        self.0.registry.set_access(serial, access);
        Ok(())
    }
}

impl Registry {
    fn access(&self, serial: &SerialNumber) -> Option<Access> {
        Some(self.lock().get(serial)?.access.clone())
    }

    pub(super) fn set_access(&self, serial: &SerialNumber, access: Access) {
        if let Some(device) = self.lock().get_mut(serial) {
            device.access = access;
        }
    }
}
