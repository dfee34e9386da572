//! Which gateway delivers to which endpoint, where several work with one store. All times are by the store's clock.

use core::time::Duration;
use std::collections::BTreeSet;

use punch_webhook::{EndpointId, Record, Waiting};

use super::delivery::{WAITING, read_waiting};
use super::sql::{Connection, Row};
use super::{StoreError, Transaction};

/// What a gateway may deliver to after [`renew`].
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Holding {
    /// The endpoints it held before, without anybody else in between.
    pub(crate) kept: BTreeSet<EndpointId>,
    /// Those it has taken now.
    pub(crate) taken: BTreeSet<EndpointId>,
    /// How many it should hold, for each to have as many.
    pub(crate) share: usize,
}

/// Says that a gateway is there, prolongs what it holds, and takes what nobody holds, up to its share.
///
/// Nobody waits for anybody: an endpoint that somebody else is about to take is passed over.
pub(crate) fn renew(connection: &Connection, holder: &str, lease: Duration) -> Result<Holding, StoreError> {
    let lease = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX);
    connection.execute(
        "INSERT INTO replica (id, seen_until) VALUES (?1, now_millis() + ?2)
         ON CONFLICT (id) DO UPDATE SET seen_until = excluded.seen_until",
        &[&holder, &lease],
    )?;
    connection.execute("DELETE FROM replica WHERE seen_until < now_millis() - ?1", &[&lease])?;
    let there: i64 = connection.value("SELECT count(*) FROM replica WHERE seen_until >= now_millis()", &[])?;
    let all: i64 = connection.value("SELECT count(*) FROM endpoint", &[])?;
    let share = usize::try_from(all.cast_unsigned().div_ceil(there.max(1).cast_unsigned())).unwrap_or(usize::MAX);

    let sql = "UPDATE endpoint SET held_until = now_millis() + ?2 WHERE holder = ?1 RETURNING id";
    let kept: BTreeSet<EndpointId> = connection.all(sql, &[&holder, &lease], id)?.into_iter().collect();
    let mut taken = BTreeSet::new();
    if let Some(room) = share.checked_sub(kept.len()).filter(|room| *room > 0) {
        let room = i64::try_from(room).unwrap_or(i64::MAX);
        let sql = "UPDATE endpoint SET holder = ?1, held_until = now_millis() + ?2 WHERE id IN (
                       SELECT id FROM endpoint WHERE holder IS NULL OR held_until < now_millis()
                       ORDER BY id LIMIT ?3 FOR UPDATE SKIP LOCKED)
                   RETURNING id";
        taken.extend(connection.all(sql, &[&holder, &lease, &room], id)?);
    }
    Ok(Holding { kept, taken, share })
}

/// Lets go of an endpoint, so that others need not wait for the end of the lease.
pub(crate) fn let_go(connection: &Connection, holder: &str, endpoint: EndpointId) -> Result<(), StoreError> {
    let sql = "UPDATE endpoint SET holder = NULL, held_until = NULL WHERE id = ?1 AND holder = ?2";
    connection.execute(sql, &[&endpoint.0.cast_signed(), &holder])?;
    Ok(())
}

/// Says that a gateway is gone, and lets go of everything.
pub(crate) fn leave(connection: &Connection, holder: &str) -> Result<(), StoreError> {
    connection.execute("UPDATE endpoint SET holder = NULL, held_until = NULL WHERE holder = ?1", &[&holder])?;
    connection.execute("DELETE FROM replica WHERE id = ?1", &[&holder])?;
    Ok(())
}

/// Everything undelivered with an id above `after` to the endpoints that a gateway holds, in the order it was made, at
/// most `limit`.
pub(crate) fn waiting_of(
    connection: &Connection,
    holder: &str,
    after: u64,
    limit: u32,
) -> Result<Vec<Waiting>, StoreError> {
    let sql = format!(
        "{WAITING} AND endpoint IN (SELECT id FROM endpoint WHERE holder = ?3) AND id > ?1 ORDER BY id LIMIT ?2"
    );
    connection.all(&sql, &[&after.cast_signed(), &limit, &holder], read_waiting)
}

/// The same for one endpoint.
pub(crate) fn waiting_for(
    connection: &Connection,
    endpoint: EndpointId,
    after: u64,
    limit: u32,
) -> Result<Vec<Waiting>, StoreError> {
    let sql = format!("{WAITING} AND endpoint = ?3 AND id > ?1 ORDER BY id LIMIT ?2");
    connection.all(&sql, &[&after.cast_signed(), &limit, &endpoint.0.cast_signed()], read_waiting)
}

/// The highest number of a delivery there is.
pub(crate) fn last_delivery(connection: &Connection) -> Result<u64, StoreError> {
    Ok(connection.value::<i64>("SELECT coalesce(max(id), 0) FROM delivery", &[])?.cast_unsigned())
}

/// Asks whoever delivers to an endpoint for something. What is wished last counts, but nothing comes before it is seen
/// that there is something to look for.
pub(crate) fn wish(tx: &Transaction<'_>, endpoint: EndpointId, wish: &str) -> Result<(), StoreError> {
    tx.execute("UPDATE endpoint SET wish = ?2 WHERE id = ?1", &[&endpoint.0.cast_signed(), &wish])?;
    Ok(())
}

/// Asks whoever delivers to an endpoint to look for deliveries that were settled before.
pub(super) fn look_again(tx: &Transaction<'_>, endpoint: EndpointId) -> Result<(), StoreError> {
    if tx.is_shared() {
        tx.execute("UPDATE endpoint SET wish = coalesce(wish, 'look') WHERE id = ?1", &[&endpoint.0.cast_signed()])?;
    }
    Ok(())
}

/// What is wished of the endpoints that a gateway holds. From now on it is that gateway's.
pub(crate) fn wishes(connection: &Connection, holder: &str) -> Result<Vec<(EndpointId, String)>, StoreError> {
    let sql = "WITH wished AS (SELECT id, wish FROM endpoint WHERE holder = ?1 AND wish IS NOT NULL FOR UPDATE)
               UPDATE endpoint SET wish = NULL FROM wished WHERE endpoint.id = wished.id RETURNING wished.id, wished.wish";
    connection.all(sql, &[&holder], |row| Ok((id(row)?, row.get(1)?)))
}

/// Which of these records a gateway may write: all of them while it holds their endpoint. Afterwards only that something
/// was delivered is still true.
pub(crate) fn still_true(
    tx: &Transaction<'_>,
    holder: &str,
    endpoint: EndpointId,
    mut records: Vec<Record>,
) -> Result<Vec<Record>, StoreError> {
    let sql = "SELECT 1 FROM endpoint WHERE id = ?1 AND holder = ?2";
    if tx.first(sql, &[&endpoint.0.cast_signed(), &holder], |_| Ok(()))?.is_none() {
        records.retain(|record| matches!(record, Record::Delivered { .. }));
    }
    Ok(records)
}

fn id(row: &Row<'_>) -> Result<EndpointId, StoreError> {
    Ok(EndpointId(row.get::<i64>(0)?.cast_unsigned()))
}
