//! Steps of a command become tickets, some at a time, so that nothing else waits for the writer.

use std::collections::BTreeSet;

use super::command::conclude;
use super::sql::{Connection, Row};
use super::ticket::OPEN;
use super::{StoreError, Transaction};
use crate::core::Step;
use chrono::{DateTime, Utc};

/// A list of steps that commands share, until each of them has all of it as tickets.
///
/// Its number is random. That of a list which is forgotten must not come back: whoever works one off keeps it in memory, and
/// would carry out the former for the latter.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn put_steps(tx: &Transaction<'_>, steps: &[Step]) -> Result<i64, StoreError> {
    // No list of plain values fails to be written.
    let list = serde_json::to_string(steps).unwrap_or_default();
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(StoreError::Random)?;
    let id = (u64::from_be_bytes(bytes) >> 1).cast_signed();
    tx.execute("INSERT INTO steps (id, list) VALUES (?1, ?2)", &[&id, &list])?;
    Ok(id)
}

/// A command that has not all of its steps as tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unexpanded {
    /// The command.
    pub(crate) command: i64,
    /// Its list.
    pub(crate) steps: i64,
    /// How many of them have been looked at.
    pub(crate) taken: usize,
}

impl Unexpanded {
    /// The next of them, in the order they were asked.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn next(connection: &Connection) -> Result<Option<Self>, StoreError> {
        let sql = "SELECT id, steps, taken FROM command WHERE steps IS NOT NULL ORDER BY id LIMIT 1";
        let read = |row: &Row<'_>| {
            let taken = usize::try_from(row.get::<i64>(2)?).unwrap_or_default();
            Ok(Self { command: row.get(0)?, steps: row.get(1)?, taken })
        };
        connection.first(sql, &[], read)
    }
}

/// Reads a list back; empty if it is gone.
///
/// # Errors
///
/// The store cannot be read.
pub(crate) fn steps_of(connection: &Connection, id: i64) -> Result<Vec<Step>, StoreError> {
    let sql = "SELECT list FROM steps WHERE id = ?1";
    let list: Option<String> = connection.first(sql, &[&id], |row| row.get(0))?;
    Ok(list.and_then(|list| serde_json::from_str(&list).ok()).unwrap_or_default())
}

/// Some steps of a command.
#[derive(Debug)]
pub(crate) struct Slice<'s> {
    /// The command they are of.
    pub(crate) of: Unexpanded,
    /// The steps, in their order.
    pub(crate) steps: &'s [Step],
    /// Of the last slice, everybody whom the command names.
    pub(crate) all: Option<&'s BTreeSet<String>>,
}

/// Makes tickets of some steps of a command: of all but those that write what the terminal is known to have. Returns its
/// terminal; `None` if the command is none any more.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn expand(
    tx: &Transaction<'_>,
    slice: &Slice<'_>,
    now: DateTime<Utc>,
) -> Result<Option<String>, StoreError> {
    let of = slice.of;
    let Some(asked) = Asked::of(tx, of)? else { return Ok(None) };
    let mut unchanged = 0_u32;
    for step in slice.steps {
        if !asked.force && asked.has_already(tx, step)? {
            unchanged = unchanged.saturating_add(1);
        } else {
            asked.put(tx, step)?;
        }
    }
    let mut removed = 0_usize;
    if let Some(named) = slice.all.filter(|_| asked.remove_others) {
        let sql = "SELECT badge FROM roster WHERE serial = ?1 ORDER BY badge";
        let known: Vec<String> = tx.all(sql, &[&asked.serial], |row| row.get(0))?;
        for badge in known.into_iter().filter(|badge| !named.contains(badge)) {
            asked.put(tx, &Step::DeleteUser { badge })?;
            removed = removed.saturating_add(1);
        }
    }
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let sql = "UPDATE command SET taken = taken + ?2, unchanged = unchanged + ?3, total = total + ?4,
                   steps = CASE WHEN ?5 = 1 THEN NULL ELSE steps END
               WHERE id = ?1";
    let (taken, is_last) = (slice.steps.len().saturating_add(removed), slice.all.is_some());
    tx.execute(sql, &[&of.command, &count(taken), &unchanged, &count(removed), &is_last])?;
    if is_last {
        forget_steps(tx, of.steps)?;
        conclude(tx, of.command, now)?;
    }
    Ok(Some(asked.serial))
}

/// Forgets a list that no command needs any more.
pub(super) fn forget_steps(tx: &Transaction<'_>, steps: i64) -> Result<(), StoreError> {
    let sql = "DELETE FROM steps WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM command WHERE steps = ?1)";
    tx.execute(sql, &[&steps])?;
    Ok(())
}

struct Asked {
    command: i64,
    serial: String,
    expires_at: i64,
    force: bool,
    remove_others: bool,
}

impl Asked {
    /// What a command asks, if it stands as it was found.
    fn of(tx: &Transaction<'_>, of: Unexpanded) -> Result<Option<Self>, StoreError> {
        let sql = "SELECT serial, expires_at, payload FROM command WHERE id = ?1 AND steps = ?2 AND taken = ?3";
        let taken = i64::try_from(of.taken).unwrap_or(i64::MAX);
        let read = |row: &Row<'_>| {
            let payload: serde_json::Value = serde_json::from_str(&row.get::<String>(2)?).unwrap_or_default();
            let flag = |name: &str| payload.get(name).and_then(serde_json::Value::as_bool).unwrap_or(false);
            let (force, remove_others) = (flag("force"), flag("remove_others"));
            Ok(Self { command: of.command, serial: row.get(0)?, expires_at: row.get(1)?, force, remove_others })
        };
        tx.first(sql, &[&of.command, &of.steps, &taken], read)
    }

    /// Whether the terminal has confirmed to have what the step writes, and nothing is on its way that changes it.
    fn has_already(&self, tx: &Transaction<'_>, step: &Step) -> Result<bool, StoreError> {
        let Some((badge, digest)) = step.badge().zip(step.digest()) else { return Ok(false) };
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM roster WHERE serial = ?1 AND badge = ?2 AND digest = ?3)
                 AND NOT EXISTS (SELECT 1 FROM ticket WHERE serial = ?1 AND badge = ?2 AND {OPEN})"
        );
        tx.value(&sql, &[&self.serial, &badge, &digest])
    }

    fn put(&self, tx: &Transaction<'_>, step: &Step) -> Result<(), StoreError> {
        let sql = "INSERT INTO ticket (command, serial, badge, action, detail, once, state, expires_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'queued', ?7)";
        let detail = serde_json::to_string(step).unwrap_or_default();
        let (badge, once) = (step.badge(), i64::from(step.is_once()));
        let (action, expires_at) = (step.action(), self.expires_at);
        tx.execute(sql, &[&self.command, &self.serial, &badge, &action, &detail, &once, &expires_at])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{forget_steps, put_steps};
    use crate::core::Step;
    use crate::store::{Place, Store};

    #[tokio::test]
    async fn the_number_of_a_forgotten_list_never_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Place::File(folder.path().join("punch.sqlite"))).unwrap();
        let both = store.write(|tx| {
            let first = put_steps(tx, &[Step::SyncTime])?;
            forget_steps(tx, first)?;
            Ok((first, put_steps(tx, &[Step::SyncTime])?))
        });
        let (first, second) = both.await.unwrap();
        assert_ne!(first, second);
    }
}
