//! Keys to the API, as hashes, and how often each was used.

use super::sql::{Connection, Row};
use super::{StoreError, Transaction, from_millis, millis};
use crate::core::{KeyScope, Quota};
use chrono::{DateTime, Utc};

/// A key, as the store knows it.
#[derive(Debug, Clone)]
pub struct ApiKeyRow {
    /// Its number; 0 is the key of the file, which is not in the store.
    pub id: i64,
    /// What somebody called it.
    pub name: String,
    /// Its hash.
    pub hash: [u8; 32],
    /// What may be done with it.
    pub scope: KeyScope,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was taken back.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl ApiKeyRow {
    /// Every key there ever was, by number.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn all(connection: &Connection) -> Result<Vec<Self>, StoreError> {
        let sql = "SELECT id, name, hash, scope, created_at, revoked_at FROM api_key ORDER BY id";
        Ok(connection.all(sql, &[], Self::read)?.into_iter().flatten().collect())
    }

    /// Of a damaged row nothing is let in.
    fn read(row: &Row<'_>) -> Result<Option<Self>, StoreError> {
        let Some(scope) = KeyScope::of(&row.get::<String>(3)?) else { return Ok(None) };
        Ok(Some(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            hash: row.get(2)?,
            scope,
            created_at: from_millis(row.get(4)?),
            revoked_at: row.get::<Option<i64>>(5)?.map(from_millis),
        }))
    }

    /// Keeps the hash of a new key and returns its number.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn put(
        tx: &Transaction<'_>,
        name: &str,
        hash: &[u8; 32],
        scope: KeyScope,
        now: DateTime<Utc>,
    ) -> Result<i64, StoreError> {
        let sql = "INSERT INTO api_key (name, hash, scope, created_at) VALUES (?1, ?2, ?3, ?4) RETURNING id";
        tx.value(sql, &[&name, hash, &scope.as_str(), &millis(now)])
    }

    /// Takes a key back, unless it is the last that may do everything and none is in the file. Whether it was.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn revoke(
        tx: &Transaction<'_>,
        id: i64,
        is_spare: bool,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let sql =
            "UPDATE api_key SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL AND (?3 = 1 OR scope <> 'admin'
                       OR EXISTS (SELECT 1 FROM api_key WHERE id <> ?1 AND scope = 'admin' AND revoked_at IS NULL))";
        Ok(tx.execute(sql, &[&id, &millis(now), &is_spare])? > 0)
    }
}

/// Takes over how often the keys were used.
///
/// # Errors
///
/// The store cannot be read.
pub(crate) fn restore_calls(connection: &Connection, quota: &mut Quota) -> Result<(), StoreError> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get::<i64>(2)?.cast_unsigned()));
    for (key, day, calls) in connection.all("SELECT key, day, calls FROM api_calls", &[], read)? {
        quota.restore(key, day, calls);
    }
    Ok(())
}

/// Keeps how often the keys were used.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn keep_calls(tx: &Transaction<'_>, counts: &[(i64, i64, u64)]) -> Result<(), StoreError> {
    let sql = "INSERT INTO api_calls (key, day, calls) VALUES (?1, ?2, ?3)
               ON CONFLICT (key) DO UPDATE SET day = excluded.day, calls = excluded.calls";
    for (key, day, calls) in counts {
        tx.execute(sql, &[key, day, &calls.cast_signed()])?;
    }
    Ok(())
}
