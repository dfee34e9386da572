use chrono::{DateTime, Utc};
use punch_protocol::push::Admission;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{StoreError, Transaction, from_millis, millis};

/// A terminal, as the store knows it.
#[derive(Debug, Clone)]
pub struct DeviceRow {
    /// Its serial number.
    pub serial: String,
    /// Whether it may speak to us.
    pub admission: Admission,
    /// When it was first heard or named.
    pub first_seen: DateTime<Utc>,
    /// Its resume mark of the punch table.
    pub attlog_stamp: Option<String>,
    /// Its resume mark of the operation log.
    pub operlog_stamp: Option<String>,
}

/// A resume mark to keep with the rows it belongs to.
#[derive(Debug, Clone)]
pub enum StampUpdate {
    /// Of the punch table.
    Attlog(String),
    /// Of the operation log.
    Operlog(String),
}

impl DeviceRow {
    /// Unknown serials that are remembered as pending; beyond it new ones are refused without a trace.
    pub const PENDING_MAX: i64 = 1000;

    /// Every terminal, by serial.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn all(connection: &Connection) -> Result<Vec<Self>, StoreError> {
        let mut statement = connection
            .prepare("SELECT serial, admission, first_seen, attlog_stamp, operlog_stamp FROM device ORDER BY serial")?;
        let rows = statement.query_map([], |row| {
            let admission: String = row.get(1)?;
            Ok(Self {
                serial: row.get(0)?,
                admission: admission_of(&admission),
                first_seen: from_millis(row.get(2)?),
                attlog_stamp: row.get(3)?,
                operlog_stamp: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Approves a terminal, making it known if it is not.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub fn approve(tx: &Transaction<'_>, serial: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        tx.execute(
            "INSERT INTO device (serial, admission, first_seen) VALUES (?1, 'approved', ?2)
             ON CONFLICT (serial) DO UPDATE SET admission = 'approved'",
            params![serial, millis(now)],
        )?;
        Ok(())
    }

    /// Remembers that an unknown serial called, so that somebody can approve it.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub fn note_pending(tx: &Transaction<'_>, serial: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        tx.execute(
            "INSERT OR IGNORE INTO device (serial, admission, first_seen)
             SELECT ?1, 'pending', ?2 WHERE (SELECT count(*) FROM device WHERE admission = 'pending') < ?3",
            params![serial, millis(now), Self::PENDING_MAX],
        )?;
        Ok(())
    }

    /// Keeps a resume mark. Writes nothing if it is the one already kept.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub fn keep_stamp(tx: &Transaction<'_>, serial: &str, stamp: &StampUpdate) -> Result<(), StoreError> {
        let (column, value) = match stamp {
            StampUpdate::Attlog(value) => ("attlog_stamp", value),
            StampUpdate::Operlog(value) => ("operlog_stamp", value),
        };
        tx.prepare_cached(&format!("UPDATE device SET {column} = ?2 WHERE serial = ?1 AND {column} IS NOT ?2"))?
            .execute(params![serial, value])?;
        Ok(())
    }

    /// Whether somebody may speak to us, if the serial is known.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn admission(connection: &Connection, serial: &str) -> Result<Option<Admission>, StoreError> {
        let word: Option<String> = connection
            .query_row("SELECT admission FROM device WHERE serial = ?1", [serial], |row| row.get(0))
            .optional()?;
        Ok(word.as_deref().map(admission_of))
    }
}

fn admission_of(word: &str) -> Admission {
    match word {
        "approved" => Admission::Approved,
        "blocked" => Admission::Blocked,
        _ => Admission::Pending,
    }
}

/// Registers a badge, or changes the name under it.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn put_employee(tx: &Transaction<'_>, badge: &str, name: Option<&str>) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO employee (badge, name) VALUES (?1, ?2) ON CONFLICT (badge) DO UPDATE SET name = excluded.name",
    )?
    .execute(params![badge, name])?;
    Ok(())
}
