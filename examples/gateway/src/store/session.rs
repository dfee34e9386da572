//! Who is logged in to the dashboard: every gateway over the store knows it, and hears of a log-out.

use chrono::{DateTime, Utc};

use super::sql::Connection;
use super::{StoreError, Transaction, millis};

/// Keeps a session, and forgets those that have run out.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn keep_session(
    tx: &Transaction<'_>,
    id: &[u8; 32],
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.execute("DELETE FROM dashboard_session WHERE until <= ?1", &[&millis(now)])?;
    tx.execute("INSERT INTO dashboard_session (id, until) VALUES (?1, ?2)", &[id, &millis(until)])?;
    Ok(())
}

/// Ends a session before its time.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn end_session(tx: &Transaction<'_>, id: &[u8; 32]) -> Result<(), StoreError> {
    tx.execute("DELETE FROM dashboard_session WHERE id = ?1", &[id])?;
    Ok(())
}

/// Whether somebody is still logged in.
///
/// # Errors
///
/// The store cannot be read.
pub(crate) fn has_session(connection: &Connection, id: &[u8; 32], now: DateTime<Utc>) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM dashboard_session WHERE id = ?1 AND until > ?2)";
    connection.value(sql, &[id, &millis(now)])
}
