//! The audit log, and what carries a deed into the transaction that does it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};

use super::part::{Part, total};
use super::sql::{Clause, Connection, Row};
use super::{Store, StoreError, Transaction, from_millis, millis};
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
