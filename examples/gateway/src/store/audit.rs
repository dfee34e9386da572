//! The audit log, and what carries a deed into the transaction that does it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};

use super::part::{Part, total};
use super::sql::{Clause, Connection, Row};
use super::{Removed, Store, StoreError, Transaction, from_millis, millis};
use crate::clock::now;
use crate::core::{AuditEntry, Deed, Head, Linked, Outcome};

const COLUMNS: &str = "seq, at, via, key, scope, session, source, action, target, detail, outcome, status, hash";

/// Puts an entry at the end of the log.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn append(
    tx: &Transaction<'_>,
    deed: Deed,
    outcome: Outcome,
    status: Option<u16>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let before = head(tx)?;
    // What is kept is what is hashed: milliseconds.
    let at = from_millis(millis(now));
    let linked = Linked::behind(&before, AuditEntry { seq: before.seq.saturating_add(1), at, deed, outcome, status });
    let Linked { entry: AuditEntry { seq, at, deed, outcome, status }, hash } = &linked;
    let detail = serde_json::to_string(&deed.detail).map_err(StoreError::Json)?;
    let sql = format!("INSERT INTO audit ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)");
    tx.execute(
        &sql,
        &[
            &seq.cast_signed(),
            &millis(*at),
            &deed.via,
            &deed.key,
            &deed.scope,
            &deed.session,
            &deed.source,
            &deed.action,
            &deed.target,
            &detail,
            &outcome.as_str(),
            status,
            hash,
        ],
    )?;
    Ok(())
}

/// The end of the log.
///
/// # Errors
///
/// The store cannot be read.
pub(crate) fn head(connection: &Connection) -> Result<Head, StoreError> {
    let sql = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1";
    let last = connection.first(sql, &[], |row| Ok((row.get::<i64>(0)?, row.get::<Vec<u8>>(1)?)))?;
    let last = last.map(|(seq, hash)| Head { seq: seq.cast_unsigned(), hash: hash.try_into().unwrap_or_default() });
    Ok(last.unwrap_or(Head::START))
}

/// Entries that are removed in one transaction.
const REMOVED_AT_ONCE: i64 = 10_000;

/// Removes the oldest entries, those from before the day of this moment, and writes down at the end of the log up to where
/// it was cut, so that what is left can be checked. Whether there is more.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn remove(
    tx: &Transaction<'_>,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(Removed, Option<i64>), StoreError> {
    // Once a day, because each removal is an entry too.
    let day = before.duration_trunc(TimeDelta::days(1)).unwrap_or(before);
    let sql = "SELECT min(seq), coalesce(min(CASE WHEN at >= ?1 THEN seq END), max(seq) + 1) FROM audit";
    let read = |row: &Row<'_>| Ok(row.get::<Option<i64>>(0)?.zip(row.get::<Option<i64>>(1)?));
    let Some((first, kept)) = tx.first(sql, &[&millis(day)], read)?.flatten() else { return Ok(Default::default()) };
    let last = kept.saturating_sub(1).min(first.saturating_add(REMOVED_AT_ONCE).saturating_sub(1));
    let hash = tx.first("SELECT hash FROM audit WHERE seq = ?1", &[&last], |row| row.get::<Vec<u8>>(0))?;
    let Some(hash) = hash.filter(|_| last >= first) else { return Ok(Default::default()) };
    let cut = Head { seq: last.cast_unsigned(), hash: hash.try_into().unwrap_or_default() };
    append(tx, cut.removal(), Outcome::Done, None, now)?;
    let audit = tx.execute("DELETE FROM audit WHERE seq <= ?1", &[&last])?;
    let removed = Removed { audit: u64::try_from(audit).unwrap_or(u64::MAX), ..Removed::default() };
    Ok((removed, Some(last).filter(|last| *last < kept.saturating_sub(1))))
}

/// The next entries behind the one with this number, in their order. Damaged ones come as they are: they do not fit.
///
/// # Errors
///
/// The store cannot be read.
pub fn audit_after(connection: &Connection, seq: u64, limit: u32) -> Result<Vec<Linked>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2");
    connection.all(&sql, &[&seq.cast_signed(), &limit], read)
}

/// Which entries are looked at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Audited {
    /// Columns and what stands in them.
    pub(crate) texts: Vec<(&'static str, String)>,
    /// By the API key with this number.
    pub(crate) key: Option<u64>,
    /// Then or later.
    pub(crate) since: Option<DateTime<Utc>>,
    /// Before then.
    pub(crate) until: Option<DateTime<Utc>>,
}

impl Audited {
    /// A part of them.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn part(&self, connection: &Connection, part: Part) -> Result<Vec<Linked>, StoreError> {
        let mut clause = self.clause();
        let tail = part.cut(&mut clause, "seq");
        let sql = format!("SELECT {COLUMNS} FROM audit WHERE {} {tail}", clause.after("TRUE"));
        connection.all(&sql, &clause.values(), read)
    }

    /// How many there are, if they are not too many to be counted.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn total(&self, connection: &Connection) -> Result<Option<u64>, StoreError> {
        total(connection, "audit", &self.clause())
    }

    fn clause(&self) -> Clause {
        let mut clause = Clause::default();
        for (column, text) in &self.texts {
            clause.and(&format!("{column} ="), text.clone());
        }
        if let Some(key) = self.key {
            clause.and("key =", key.cast_signed());
        }
        for (condition, moment) in [("at >=", self.since), ("at <", self.until)] {
            if let Some(moment) = moment {
                clause.and(condition, millis(moment));
            }
        }
        clause
    }
}

/// A row as it is. What nobody wrote into it stays visible, and does not give the hash.
fn read(row: &Row<'_>) -> Result<Linked, StoreError> {
    let (detail, outcome): (String, String) = (row.get(9)?, row.get(10)?);
    let detail = serde_json::from_str(&detail).unwrap_or_else(|_| BTreeMap::from([("damaged".to_owned(), detail)]));
    let deed = Deed {
        via: row.get(2)?,
        key: row.get(3)?,
        scope: row.get(4)?,
        session: row.get(5)?,
        source: row.get(6)?,
        action: row.get(7)?,
        target: row.get(8)?,
        detail,
    };
    let outcome = Outcome::of(&outcome);
    let hash = row.get::<Vec<u8>>(12)?.try_into().unwrap_or_default();
    let (seq, at) = (row.get::<i64>(0)?.cast_unsigned(), from_millis(row.get(1)?));
    let hash = if outcome.is_some() { hash } else { [0; 32] };
    let entry = AuditEntry { seq, at, deed, outcome: outcome.unwrap_or(Outcome::Failed), status: row.get(11)? };
    Ok(Linked { entry, hash })
}

tokio::task_local! {
    /// What the call that runs is about, so that whatever it writes has its entry in the same transaction.
    static INTENT: Intent;
}

/// A deed on its way: it is written down with the first change it makes, or when it is known what came of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Intent(Option<Arc<Mutex<Draft>>>);

#[derive(Debug)]
struct Draft {
    deed: Deed,
    is_written: bool,
}

impl Intent {
    /// Does `work`, and has it in the log: in the transaction of its first change, or with the status it ends with.
    pub(crate) async fn carry_out<T>(
        store: &Store,
        deed: Deed,
        work: impl Future<Output = T>,
        status: impl FnOnce(&T) -> Option<u16>,
    ) -> T {
        let intent = Self(Some(Arc::new(Mutex::new(Draft { deed, is_written: false }))));
        let done = INTENT.scope(intent.clone(), work).await;
        if let Some(status) = status(&done) {
            intent.settle(store, status).await;
        }
        done
    }

    /// What runs now; of nobody's deed it keeps nothing.
    pub(crate) fn current() -> Self {
        INTENT.try_with(Clone::clone).unwrap_or_default()
    }

    /// Says what it is about, if the route does not.
    pub(crate) fn about(&self, target: impl ToString) {
        self.with(|draft| draft.deed.target = Some(target.to_string()));
    }

    /// Says what else is to be known of it.
    pub(crate) fn detail(&self, name: &str, value: impl ToString) {
        self.with(|draft| drop(draft.deed.detail.insert(name.to_owned(), value.to_string())));
    }

    /// Does `work`, and puts the entry behind it if it has changed something. Whether it did.
    pub(super) fn enter<T>(
        &self,
        tx: &mut Transaction<'_>,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<(T, bool), StoreError> {
        let before = tx.changes();
        let done = work(tx)?;
        let deed = self.unwritten().filter(|_| tx.changes() > before);
        let is_entered = deed.is_some();
        if let Some(deed) = deed {
            append(tx, deed, Outcome::Done, None, now())?;
        }
        Ok((done, is_entered))
    }

    /// The transaction that has the entry is on disk.
    pub(super) fn written(&self) {
        self.with(|draft| draft.is_written = true);
    }

    fn unwritten(&self) -> Option<Deed> {
        self.with(|draft| (!draft.is_written).then(|| draft.deed.clone())).flatten()
    }

    /// What was not written down with a change is now, and so is what was and has failed afterwards.
    async fn settle(self, store: &Store, status: u16) {
        let outcome = Outcome::of_status(status);
        let deed = match self.unwritten() {
            Some(deed) => Some(deed),
            None if outcome == Outcome::Accepted => None,
            None => self.with(|draft| draft.deed.clone()),
        };
        let Some(deed) = deed else { return };
        if let Err(error) = store.write(move |tx| append(tx, deed, outcome, Some(status), now())).await {
            tracing::error!(%error, status, "a call is missing in the audit log");
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut Draft) -> T) -> Option<T> {
        self.0.as_ref().map(|draft| look(&mut draft.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{append, audit_after, head, remove};
    use crate::core::{Check, Deed, Head, Linked, Outcome, Problem};
    use crate::store::{Place, Store};

    fn day(number: i64) -> DateTime<Utc> {
        "2026-03-01T10:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::days(number)
    }

    async fn log(store: &Store) -> Vec<Linked> {
        store.read(|connection| audit_after(connection, 0, 1_000)).await.unwrap()
    }

    fn check(entries: &[Linked], noted: Option<Head>) -> Result<Head, Problem> {
        let mut check = Check::new(Head::START, noted);
        let taken = entries.iter().try_for_each(|linked| check.take(linked));
        taken.and_then(|()| check.finish()).map_err(|broken| broken.problem)
    }

    /// S0-008: what is old enough goes, and what is left proves that it is what was behind it.
    #[tokio::test]
    async fn old_entries_go_and_the_rest_is_checked_from_the_place_that_is_written_down() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Place::File(folder.path().join("punch.sqlite"))).unwrap();
        for number in 0..20 {
            let deed = Deed { via: "api".to_owned(), action: format!("deed {number}"), ..Deed::default() };
            store.write(move |tx| append(tx, deed, Outcome::Done, None, day(number))).await.unwrap();
        }
        let (whole, noted) = (log(&store).await, store.read(head).await.unwrap());
        let cut = |before, now| store.write(move |tx| remove(tx, before, now));
        assert_eq!(cut(day(0), day(20)).await.unwrap(), Default::default(), "nothing is older than that day");
        let (removed, more) = cut(day(5), day(20)).await.unwrap();
        assert_eq!((removed.audit, more), (5, None));
        assert_eq!(cut(day(5), day(20)).await.unwrap().0.audit, 0, "once a day");

        let left = log(&store).await;
        assert_eq!((left.len(), left[0].entry.seq, &left[..15]), (16, 6, &whole[5..]));
        let end = check(&left, Some(noted)).unwrap();
        assert_eq!(end.seq, 21);
        // A place that was noted where the log was cut counts, one before it says nothing any more.
        assert_eq!(check(&left, Some(whole[4].head())), Ok(end));
        assert_eq!(check(&left, Some(whole[2].head())), Ok(end));
        let other = Head { hash: [7; 32], ..whole[4].head() };
        assert_eq!(check(&left, Some(other)), Err(Problem::NotAsNoted));

        // Nothing else that is missing at the beginning is taken for it, and neither is another first entry.
        assert_eq!(check(&left[1..], None), Err(Problem::Missing { found: 7 }));
        assert_eq!(
            check(&left[..15], None),
            Err(Problem::Missing { found: 6 }),
            "no entry says that they were removed"
        );
        let mut changed = left.clone();
        changed[0].entry.deed.action.push('x');
        assert_eq!(check(&changed, None), Err(Problem::Changed));

        // All of it goes but the entry that says so, and the numbers go on.
        let (removed, more) = cut(day(400), day(400)).await.unwrap();
        assert_eq!((removed.audit, more), (16, None));
        store.write(|tx| append(tx, Deed::default(), Outcome::Done, None, day(401))).await.unwrap();
        let left = log(&store).await;
        assert_eq!(left.iter().map(|linked| linked.entry.seq).collect::<Vec<_>>(), [22, 23]);
        assert_eq!(check(&left, None).unwrap(), store.read(head).await.unwrap());
    }
}
