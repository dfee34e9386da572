use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use punch_protocol::SerialNumber;
use punch_webhook::{DeviceInfo, DeviceStatus, Event};

use super::sql::{Connection, Row};
use super::{StoreError, StoreLedger, Transaction, from_millis, millis};
use crate::core::{Intake, Reach};

const SELECT: &str = "SELECT serial, is_online, turn, heard_at FROM reach";

impl Reach {
    /// What was told of every terminal, by serial.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn all(connection: &Connection) -> Result<BTreeMap<String, Self>, StoreError> {
        Ok(connection.all(SELECT, &[], read)?.into_iter().collect())
    }

    /// What was told of one.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn of(connection: &Connection, serial: &SerialNumber) -> Result<Self, StoreError> {
        let found = connection.first(&format!("{SELECT} WHERE serial = ?1"), &[&serial.as_str()], read)?;
        Ok(found.map(|(_, reach)| reach).unwrap_or_default())
    }

    /// Keeps it.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn keep(&self, tx: &Transaction<'_>, serial: &SerialNumber) -> Result<(), StoreError> {
        let sql = "INSERT INTO reach (serial, is_online, turn, heard_at) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (serial) DO UPDATE SET is_online = excluded.is_online, turn = excluded.turn,
                       heard_at = excluded.heard_at";
        tx.execute(sql, &[&serial.as_str(), &self.is_online, &self.turn.cast_signed(), &self.heard_at.map(millis)])?;
        Ok(())
    }
}

/// Writes down what became of a terminal, and tells whoever wants to hear of it, in the transaction in which it becomes so.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn tell_status(
    tx: &mut Transaction<'_>,
    intake: &Intake,
    (serial, device): (&SerialNumber, &DeviceInfo),
    (reach, status): (&Reach, DeviceStatus),
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    reach.keep(tx, serial)?;
    let Some(id) = intake.own_id("status", &format!("{serial}\0{}", reach.turn)) else { return Ok(()) };
    // In the terminal's own lane, so that it does not go before it comes.
    StoreLedger::new(tx).tell(&Event::device_status(&id, serial, device, status, at), serial.as_str(), at)
}

/// The same of what somebody has decided.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn tell_decision(
    tx: &mut Transaction<'_>,
    intake: &Intake,
    (serial, device): (&SerialNumber, &DeviceInfo),
    status: DeviceStatus,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut reach = Reach::of(tx, serial)?;
    reach.decided(status);
    tell_status(tx, intake, (serial, device), (&reach, status), at)
}

fn read(row: &Row<'_>) -> Result<(String, Reach), StoreError> {
    let heard_at = row.get::<Option<i64>>(3)?.map(from_millis);
    Ok((row.get(0)?, Reach { is_online: row.get(1)?, turn: row.get::<i64>(2)?.cast_unsigned(), heard_at }))
}
