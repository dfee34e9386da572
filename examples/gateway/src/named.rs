//! What `punch.toml` names is approved, registered and subscribed before anybody is served.

use punch_normalize::TenantKey;
use punch_webhook::{DeviceStatus, EndpointId};

use crate::clock::now;
use crate::config::{Config, DeviceConfig};
use crate::core::{Access, Deed, Intake, Outcome};
use crate::device::about;
use crate::store::{DeviceRow, EndpointRow, Store, StoreError, Transaction, append_audit, put_employee, tell_decision};

/// What of it was new.
#[derive(Debug, Default)]
pub(crate) struct New {
    /// Terminals that are let in now.
    pub(crate) devices: Vec<DeviceConfig>,
    /// People that are registered, or registered otherwise.
    pub(crate) employees: u32,
    /// Endpoints that are subscribed, or changed.
    pub(crate) endpoints: Vec<EndpointId>,
}

/// Writes it into the store, and what of it is new into the audit log as what this `action` did.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) async fn enter(
    store: &Store,
    config: &mut Config,
    key: [u8; 32],
    action: &'static str,
) -> Result<New, StoreError> {
    let intake = Intake::new(key);
    let devices = config.devices.clone();
    let behind = config.behind_sources();
    let employees = config.employees.clone();
    let endpoints = core::mem::take(&mut config.endpoints);
    let work = move |tx: &mut Transaction<'_>| {
        let (mut new, mut changed) = (New::default(), 0_u32);
        for device in &devices {
            let serial = device.serial.as_str();
            let before = DeviceRow::of(tx, serial)?.map(|row| (row.admission, row.access));
            if DeviceRow::approve_unless_blocked(tx, serial, now())? {
                let about = about(&TenantKey::new(key), device);
                tell_decision(tx, &intake, (&device.serial, &about), DeviceStatus::Approved, now())?;
                new.devices.push(device.clone());
            }
            let known = before.as_ref().map(|(_, access)| access.clone()).unwrap_or_default();
            let access =
                Access { allow: device.allow.clone().unwrap_or(known.allow), token: device.path_token.or(known.token) };
            DeviceRow::keep_access(tx, serial, &access)?;
            changed += u32::from(DeviceRow::of(tx, serial)?.map(|row| (row.admission, row.access)) != before);
        }
        for (serial, source) in &behind {
            let before = DeviceRow::of(tx, serial)?.map(|row| (row.admission, row.source));
            DeviceRow::put_behind(tx, serial, source, None, now())?;
            changed += u32::from(DeviceRow::of(tx, serial)?.map(|row| (row.admission, row.source)) != before);
        }
        for employee in &employees {
            let before = tx.changes();
            put_employee(tx, employee)?;
            new.employees += u32::from(tx.changes() > before);
        }
        // After the terminals: what a file names beside an endpoint is no news to it.
        for endpoint in &endpoints {
            let before = EndpointRow::settings(tx, &endpoint.url)?;
            let id = EndpointRow::put(tx, endpoint, now())?;
            if EndpointRow::settings(tx, &endpoint.url)? != before {
                new.endpoints.push(id);
            }
        }
        let endpoints = u32::try_from(new.endpoints.len()).unwrap_or(u32::MAX);
        note(tx, action, &[("devices", changed), ("employees", new.employees), ("endpoints", endpoints)])?;
        Ok(new)
    };
    store.write(work).await
}

fn note(tx: &Transaction<'_>, action: &str, new: &[(&str, u32)]) -> Result<(), StoreError> {
    let new = new.iter().filter(|(_, count)| *count > 0);
    let detail: std::collections::BTreeMap<_, _> =
        new.map(|(what, count)| ((*what).to_owned(), count.to_string())).collect();
    if detail.is_empty() {
        return Ok(());
    }
    let deed = Deed { via: "configuration".to_owned(), action: action.to_owned(), detail, ..Deed::default() };
    append_audit(tx, deed, Outcome::Done, None, now())
}
