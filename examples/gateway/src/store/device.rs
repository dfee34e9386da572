use chrono::{DateTime, Utc};
use punch_protocol::push::{Admission, Dialect, Stamps};

use super::sql::{Connection, Row};
use super::{StoreError, Transaction, from_millis, millis};
use crate::core::{Access, Networks, PathToken};

/// A terminal, as the store knows it.
#[derive(Debug, Clone)]
pub struct DeviceRow {
    /// Its serial number.
    pub serial: String,
    /// Whether it may speak to us.
    pub admission: Admission,
    /// When it was first heard or named.
    pub first_seen: DateTime<Utc>,
    /// Its resume marks.
    pub stamps: Stamps,
    /// What it was last known to speak.
    pub dialect: Option<Dialect>,
    /// Whether it has tried to encrypt.
    pub declines_encryption: bool,
    /// What it said of itself before anybody let it in, as JSON.
    pub said: Option<String>,
    /// From where, and under which path, it may call.
    pub access: Access,
    /// What it told whoever reads it on port 4370, as JSON.
    pub probe: Option<String>,
    /// Its model, as whoever let it in says.
    pub model: Option<String>,
    /// The source that tells of it, if it is no terminal that calls.
    pub source: Option<String>,
    /// What its source calls it.
    pub label: Option<String>,
}

const SELECT: &str =
    "SELECT serial, admission, first_seen, dialect, declines_encryption, said, allow, path_token, model,
     probe, source, label FROM device";

impl DeviceRow {
    /// Unknown serials that are remembered as pending; beyond it new ones are refused without a trace.
    pub const PENDING_MAX: i64 = 1000;

    /// Every terminal, by serial.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn all(connection: &Connection) -> Result<Vec<Self>, StoreError> {
        let mut rows = connection.all(&format!("{SELECT} ORDER BY serial"), &[], Self::read)?;
        let stamp = |stamp: &Row<'_>| Ok((stamp.get::<String>(0)?, stamp.get::<String>(1)?, stamp.get::<String>(2)?));
        for (serial, name, value) in connection.all("SELECT serial, name, value FROM stamp", &[], stamp)? {
            if let Ok(at) = rows.binary_search_by(|row| row.serial.cmp(&serial))
                && let Some(row) = rows.get_mut(at)
            {
                row.stamps.set(&name, &value);
            }
        }
        Ok(rows)
    }

    /// One terminal, without its resume marks.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn of(connection: &Connection, serial: &str) -> Result<Option<Self>, StoreError> {
        connection.first(&format!("{SELECT} WHERE serial = ?1"), &[&serial], Self::read)
    }

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let (admission, dialect): (String, Option<String>) = (row.get(1)?, row.get(3)?);
        Ok(Self {
            serial: row.get(0)?,
            admission: admission_of(&admission),
            first_seen: from_millis(row.get(2)?),
            stamps: Stamps::default(),
            dialect: dialect.as_deref().and_then(dialect_of),
            declines_encryption: row.get(4)?,
            said: row.get(5)?,
            access: access_of(row.get::<Option<String>>(6)?.as_deref(), row.get(7)?),
            model: row.get(8)?,
            probe: row.get(9)?,
            source: row.get(10)?,
            label: row.get(11)?,
        })
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
            &[&serial, &millis(now)],
        )?;
        Ok(())
    }

    /// Approves a terminal of the file, unless somebody has blocked it since. Whether it was not before.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn approve_unless_blocked(
        tx: &Transaction<'_>,
        serial: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        match Self::admission(tx, serial)? {
            Some(Admission::Blocked) => {
                tracing::warn!(serial, "named by the file and blocked over the API; it stays blocked");
                Ok(false)
            }
            Some(Admission::Approved) => Ok(false),
            Some(Admission::Pending) | None => Self::approve(tx, serial, now).map(|()| true),
        }
    }

    /// A door or a terminal behind a source, approved with it unless somebody has blocked it.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn put_behind(
        tx: &Transaction<'_>,
        serial: &str,
        source: &str,
        label: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let sql =
            "INSERT INTO device (serial, admission, first_seen, source, label) VALUES (?1, 'approved', ?2, ?3, ?4)
                   ON CONFLICT (serial) DO UPDATE SET source = excluded.source,
                       label = coalesce(excluded.label, device.label),
                       admission = CASE device.admission WHEN 'blocked' THEN 'blocked' ELSE 'approved' END";
        tx.execute(sql, &[&serial, &millis(now), &source, &label])?;
        Ok(())
    }

    /// Keeps a terminal out.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn block(tx: &Transaction<'_>, serial: &str) -> Result<(), StoreError> {
        tx.execute("UPDATE device SET admission = 'blocked' WHERE serial = ?1", &[&serial])?;
        Ok(())
    }

    /// Keeps from where, and under which path, a terminal may call.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn keep_access(tx: &Transaction<'_>, serial: &str, access: &Access) -> Result<(), StoreError> {
        let allow = Some(access.allow.texts().join(",")).filter(|allow| !allow.is_empty());
        let token = access.token.map(|token| token.hash().to_vec());
        let sql = "UPDATE device SET allow = ?2, path_token = ?3
                   WHERE serial = ?1 AND (allow IS DISTINCT FROM ?2 OR path_token IS DISTINCT FROM ?3)";
        tx.execute(sql, &[&serial, &allow, &token])?;
        Ok(())
    }

    /// Keeps what somebody says that a terminal is.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn keep_model(tx: &Transaction<'_>, serial: &str, model: &str) -> Result<(), StoreError> {
        tx.execute("UPDATE device SET model = ?2 WHERE serial = ?1", &[&serial, &model])?;
        Ok(())
    }

    /// Keeps what a terminal says of itself, as JSON.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn keep_said(tx: &Transaction<'_>, serial: &str, said: &str) -> Result<(), StoreError> {
        tx.execute("UPDATE device SET said = ?2 WHERE serial = ?1", &[&serial, &said])?;
        Ok(())
    }

    /// Keeps what a terminal told whoever reads it, as JSON.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn keep_probe(tx: &Transaction<'_>, serial: &str, probe: &str) -> Result<(), StoreError> {
        tx.execute("UPDATE device SET probe = ?2 WHERE serial = ?1", &[&serial, &probe])?;
        Ok(())
    }

    /// Remembers that an unknown serial called, so that somebody can approve it.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub fn note_pending(tx: &Transaction<'_>, serial: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        tx.execute(
            "INSERT INTO device (serial, admission, first_seen)
             SELECT ?1, 'pending', CAST(?2 AS BIGINT) WHERE (SELECT count(*) FROM device WHERE admission = 'pending') < ?3
             ON CONFLICT DO NOTHING",
            &[&serial, &millis(now), &Self::PENDING_MAX],
        )?;
        Ok(())
    }

    /// Keeps a resume mark. Writes nothing if it is the one already kept.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub fn keep_stamp(tx: &Transaction<'_>, serial: &str, table: &str, stamp: &str) -> Result<(), StoreError> {
        tx.execute(
            "INSERT INTO stamp (serial, name, value) VALUES (?1, upper(?2), ?3)
             ON CONFLICT (serial, name) DO UPDATE SET value = excluded.value WHERE stamp.value <> excluded.value",
            &[&serial, &table, &stamp],
        )?;
        Ok(())
    }

    /// Keeps what a terminal speaks, for the next life of the program.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub fn keep_speech(
        tx: &Transaction<'_>,
        serial: &str,
        dialect: Option<Dialect>,
        declines_encryption: bool,
    ) -> Result<(), StoreError> {
        tx.execute(
            "UPDATE device SET dialect = ?2, declines_encryption = ?3 WHERE serial = ?1",
            &[&serial, &dialect.map(|dialect| dialect.to_string()), &declines_encryption],
        )?;
        Ok(())
    }

    /// Whether somebody may speak to us, if the serial is known.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn admission(connection: &Connection, serial: &str) -> Result<Option<Admission>, StoreError> {
        let word: Option<String> =
            connection.first("SELECT admission FROM device WHERE serial = ?1", &[&serial], |row| row.get(0))?;
        Ok(word.as_deref().map(admission_of))
    }
}

/// What a damaged row says lets nobody in.
fn access_of(allow: Option<&str>, token: Option<Vec<u8>>) -> Access {
    let texts: Vec<&str> = allow.map(|allow| allow.split(',').collect()).unwrap_or_default();
    let nowhere = || Networks::parse(&["255.255.255.255"]).unwrap_or_default();
    let token = token.map(|hash| PathToken::from_hash(hash.try_into().unwrap_or_default()));
    Access { allow: Networks::parse(&texts).unwrap_or_else(|_| nowhere()), token }
}

/// The word that `Display` writes; a terminal that had not said is asked again.
fn dialect_of(word: &str) -> Option<Dialect> {
    [Dialect::Attendance, Dialect::AccessControl].into_iter().find(|dialect| dialect.to_string() == word)
}

fn admission_of(word: &str) -> Admission {
    match word {
        "approved" => Admission::Approved,
        "blocked" => Admission::Blocked,
        _ => Admission::Pending,
    }
}
