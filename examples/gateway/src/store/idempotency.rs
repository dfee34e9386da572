//! What was answered to requests with an `Idempotency-Key`.

use chrono::{DateTime, Utc};
use punch_webhook::{Fingerprint, Idempotency, IdempotencyKey, IdempotencyRecord, SavedAnswer};

use super::sql::{Connection, Row};
use super::{StoreError, Transaction, from_millis, millis};

/// What is kept under a key.
pub(crate) fn answered(connection: &Connection, key: &IdempotencyKey) -> Result<Option<IdempotencyRecord>, StoreError> {
    let sql = "SELECT fingerprint, began_at, status, content_type, location, body FROM idempotency
               WHERE scope = ?1 AND key = ?2";
    let read = |row: &Row<'_>| {
        let (fingerprint, body): ([u8; 32], Vec<u8>) = (row.get(0)?, row.get(5)?);
        let Ok(mut answer) = SavedAnswer::new(row.get(2)?, body) else { return Ok(None) };
        (answer.content_type, answer.location) = (row.get(3)?, row.get(4)?);
        let (key, fingerprint) = (key.clone(), Fingerprint::from_bytes(fingerprint));
        Ok(Some(IdempotencyRecord { key, fingerprint, began_at: from_millis(row.get(1)?), answer }))
    };

    Ok(connection.first(sql, &[&key.scope(), &key.as_str()], read)?.flatten())
}

/// Keeps an answer in the place of one that nobody is given any more, and forgets all that are older.
pub(crate) fn keep_answer(
    tx: &Transaction<'_>,
    record: &IdempotencyRecord,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let forgettable = now.checked_sub_signed(Idempotency::RETENTION).unwrap_or_default();
    tx.execute("DELETE FROM idempotency WHERE began_at < ?1", &[&millis(forgettable)])?;
    let IdempotencyRecord { key, fingerprint, began_at, answer } = record;
    let sql = "INSERT INTO idempotency VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
               ON CONFLICT (scope, key) DO UPDATE SET fingerprint = excluded.fingerprint, began_at = excluded.began_at,
                   status = excluded.status, content_type = excluded.content_type, location = excluded.location,
                   body = excluded.body";
    tx.execute(
        sql,
        &[
            &key.scope(),
            &key.as_str(),
            &fingerprint.as_bytes(),
            &millis(*began_at),
            &answer.status,
            &answer.content_type,
            &answer.location,
            &answer.body,
        ],
    )?;
    Ok(())
}
