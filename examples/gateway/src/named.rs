//! What `punch.toml` names is approved, registered and subscribed before anybody is served.

use punch_normalize::TenantKey;
use punch_webhook::DeviceStatus;

use crate::clock::now;
use crate::config::Config;
use crate::core::{Access, Deed, Intake, Outcome};
use crate::device::about;
use crate::store::{DeviceRow, EndpointRow, Store, StoreError, Transaction, append_audit, put_employee, tell_decision};

/// Writes it into the store, and what of it is new into the audit log.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) async fn enter(store: &Store, config: &mut Config, key: [u8; 32]) -> Result<(), StoreError> {
    let intake = Intake::new(key);
    let devices = config.devices.clone();
    let employees = config.employees.clone();
    let endpoints = core::mem::take(&mut config.endpoints);
    let work = move |tx: &mut Transaction<'_>| {
        let mut new = [("devices", 0_u32), ("employees", 0), ("endpoints", 0)];
        let [(_, of_devices), (_, of_employees), (_, of_endpoints)] = &mut new;
        for device in &devices {
            let serial = device.serial.as_str();
            let before = DeviceRow::of(tx, serial)?.map(|row| (row.admission, row.access));
            if DeviceRow::approve_unless_blocked(tx, serial, now())? {
                let about = about(&TenantKey::new(key), device);
                // Deliveries are found in the store when they begin to be made.
                drop(tell_decision(tx, &intake, (&device.serial, &about), DeviceStatus::Approved, now())?);
            }
            let known = before.as_ref().map(|(_, access)| access.clone()).unwrap_or_default();
            let access =
                Access { allow: device.allow.clone().unwrap_or(known.allow), token: device.path_token.or(known.token) };
            DeviceRow::keep_access(tx, serial, &access)?;
            *of_devices += u32::from(DeviceRow::of(tx, serial)?.map(|row| (row.admission, row.access)) != before);
        }
        for employee in &employees {
            let before = tx.changes();
            put_employee(tx, employee)?;
            *of_employees += u32::from(tx.changes() > before);
        }
        for endpoint in &endpoints {
            let before = EndpointRow::settings(tx, &endpoint.url)?;
            EndpointRow::put(tx, endpoint, now())?;
            *of_endpoints += u32::from(EndpointRow::settings(tx, &endpoint.url)? != before);
        }
        note(tx, &new)
    };
    store.write(work).await
}

fn note(tx: &Transaction<'_>, new: &[(&str, u32)]) -> Result<(), StoreError> {
    let new = new.iter().filter(|(_, count)| *count > 0);
    let detail: std::collections::BTreeMap<_, _> =
        new.map(|(what, count)| ((*what).to_owned(), count.to_string())).collect();
    if detail.is_empty() {
        return Ok(());
    }
    let deed = Deed { via: "configuration".to_owned(), action: "start".to_owned(), detail, ..Deed::default() };
    append_audit(tx, deed, Outcome::Done, None, now())
}
