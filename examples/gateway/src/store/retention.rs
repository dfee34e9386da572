//! What is done with and old enough is removed, a little at a time. Never what waits, and never a row of a terminal: its id
//! keeps the terminal from sending it as new.

use chrono::{DateTime, Utc};

use super::{StoreError, Transaction, millis};

/// Deliveries, or events, that are looked at in one transaction.
const SLICE: i64 = 500;

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    /// Deliveries.
    pub deliveries: u64,
    /// Their attempts.
    pub attempts: u64,
    /// Events, with their bodies.
    pub events: u64,
    /// Commands, with their steps.
    pub commands: u64,
    /// Entries of the audit log.
    pub audit: u64,
}

impl Removed {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            deliveries: self.deliveries.saturating_add(other.deliveries),
            attempts: self.attempts.saturating_add(other.attempts),
            events: self.events.saturating_add(other.events),
            commands: self.commands.saturating_add(other.commands),
            audit: self.audit.saturating_add(other.audit),
        }
    }
}

/// Removes deliveries of the next events behind `after` that were made, or given up, before these moments. Behind which
/// event it goes on, `None` at the end.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn remove_deliveries(
    tx: &Transaction<'_>,
    after: i64,
    delivered: Option<DateTime<Utc>>,
    failed: Option<DateTime<Utc>>,
) -> Result<(Removed, Option<i64>), StoreError> {
    let mut removed = Removed::default();
    let Some(newest) = delivered.max(failed) else { return Ok((removed, None)) };
    let Some(last) = last_before(tx, newest)? else { return Ok((removed, None)) };
    let rows: Vec<(i64, i64, String, Option<i64>)> = tx.all(
        "SELECT id, event, state, settled_at FROM delivery WHERE event > ?1 AND event <= ?2 ORDER BY event, id LIMIT ?3",
        &[&after, &last, &SLICE],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )?;
    // Numbers are never used twice, so the newest stays.
    let newest: i64 = tx.value("SELECT coalesce(max(id), 0) FROM delivery", &[])?;
    for (id, _, state, settled_at) in rows.iter().filter(|(id, ..)| *id != newest) {
        let cutoff = match state.as_str() {
            "delivered" => delivered,
            "failed" => failed,
            _ => None,
        };
        if let (Some(cutoff), Some(settled_at)) = (cutoff, settled_at)
            && *settled_at < millis(cutoff)
        {
            removed = removed.and(remove_delivery(tx, *id, state, *settled_at)?);
        }
    }
    let is_full = i64::try_from(rows.len()) == Ok(SLICE);
    // The last event may have more of them, unless all are of one.
    let (first, last) = (rows.first().map(|row| row.1), rows.last().map(|row| row.1));
    let next = last.map(|last| if first == Some(last) { last } else { last.saturating_sub(1) });
    Ok((removed, next.filter(|_| is_full)))
}

/// Removes one, if it still is as it was when it was looked at.
fn remove_delivery(tx: &Transaction<'_>, id: i64, state: &str, settled_at: i64) -> Result<Removed, StoreError> {
    let sql = "DELETE FROM delivery WHERE id = ?1 AND state = ?2 AND settled_at = ?3";
    let deliveries = tx.execute(sql, &[&id, &state, &settled_at])?;
    if deliveries == 0 {
        return Ok(Removed::default());
    }
    let attempts = tx.execute("DELETE FROM attempt WHERE delivery = ?1", &[&id])?;
    Ok(Removed { deliveries: 1, attempts: u64::try_from(attempts).unwrap_or(u64::MAX), ..Removed::default() })
}

/// Removes the next events behind `after` that were made before this moment and have no delivery. Behind which event it
/// goes on, `None` at the end.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn remove_events(
    tx: &Transaction<'_>,
    after: i64,
    before: DateTime<Utc>,
) -> Result<(Removed, Option<i64>), StoreError> {
    let mut removed = Removed::default();
    let Some(last) = last_before(tx, before)? else { return Ok((removed, None)) };
    let seqs: Vec<i64> = tx.all(
        "SELECT seq FROM event WHERE seq > ?1 AND seq <= ?2 AND created_at < ?3
             AND seq < (SELECT max(seq) FROM event) ORDER BY seq LIMIT ?4",
        &[&after, &last, &millis(before), &SLICE],
        |row| row.get(0),
    )?;
    let sql = "DELETE FROM event WHERE seq = ?1 AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.event = ?1)";
    for &seq in &seqs {
        if tx.execute(sql, &[&seq])? > 0 {
            tx.execute("DELETE FROM body WHERE event = ?1", &[&seq])?;
            removed.events = removed.events.saturating_add(1);
        }
    }
    Ok((removed, seqs.last().copied().filter(|_| i64::try_from(seqs.len()) == Ok(SLICE))))
}

/// Removes the next commands behind `after` that were settled before this moment, with their steps, and jobs of which none
/// is left. Behind which command it goes on, `None` at the end.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn remove_commands(
    tx: &Transaction<'_>,
    after: i64,
    before: DateTime<Utc>,
) -> Result<(Removed, Option<i64>), StoreError> {
    let mut removed = Removed::default();
    // A terminal repeats the number of a step, and people that of a command or a job, so the newest of each stays.
    let rows: Vec<(i64, Option<i64>)> = tx.all(
        "SELECT id, job FROM command WHERE id > ?1 AND settled_at < ?2 AND id < (SELECT max(id) FROM command)
             AND NOT EXISTS (SELECT 1 FROM ticket WHERE command = command.id AND ticket.id = (SELECT max(id) FROM ticket))
         ORDER BY id LIMIT ?3",
        &[&after, &millis(before), &SLICE],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    for (id, job) in &rows {
        tx.execute("DELETE FROM ticket WHERE command = ?1", &[id])?;
        removed.commands =
            removed.commands.saturating_add(u64::from(tx.execute("DELETE FROM command WHERE id = ?1", &[id])? > 0));
        tx.execute(
            "DELETE FROM job WHERE id = ?1 AND ended_at < ?2 AND id < (SELECT max(id) FROM job)
                 AND NOT EXISTS (SELECT 1 FROM command WHERE command.job = ?1)",
            &[job, &millis(before)],
        )?;
    }
    Ok((removed, rows.last().map(|(id, _)| *id).filter(|_| i64::try_from(rows.len()) == Ok(SLICE))))
}

/// The last event that was made before this moment.
fn last_before(tx: &Transaction<'_>, moment: DateTime<Utc>) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT seq FROM event WHERE created_at < ?1 ORDER BY created_at DESC, seq DESC LIMIT 1";
    tx.first(sql, &[&millis(moment)], |row| row.get(0))
}
