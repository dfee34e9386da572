use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use punch_erp::hrms::{Meaning, Seen, SqlState, Statement, Transaction, Value};
use punch_erp::{Failure, Outcome};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error, OpenFlags, OptionalExtension as _, Row, TransactionBehavior, params_from_iter};

use super::End;

/// How long another writer is waited for.
const BUSY: Duration = Duration::from_secs(5);

/// A file of SQLite. Whatever goes wrong closes it, and the next event opens it again.
#[derive(Debug, Clone)]
pub(super) struct Sqlite {
    path: PathBuf,
    schema: Option<String>,
    kept: Arc<Mutex<Option<Connection>>>,
}

impl Sqlite {
    pub(super) fn new(path: PathBuf, schema: Option<String>) -> Self {
        Self { path, schema, kept: Arc::default() }
    }

    pub(super) async fn run(&self, end: End, transaction: Transaction) -> Outcome {
        let sqlite = self.clone();
        let running = tokio::task::spawn_blocking(move || sqlite.run_now(end, &transaction));
        running.await.unwrap_or_else(|_| super::retry(Failure::unknown("the writer stopped")))
    }

    /// The same for many, in one transaction: an outcome for each.
    pub(super) async fn run_together(&self, transactions: Vec<Transaction>) -> Vec<Outcome> {
        let (sqlite, count) = (self.clone(), transactions.len());
        let running = tokio::task::spawn_blocking(move || {
            sqlite.with_connection(|connection| write_together(connection, &transactions))
        });
        let stopped = || vec![super::retry(Failure::unknown("the writer stopped")); count];
        match running.await {
            Ok(Ok(outcomes)) => outcomes,
            Ok(Err(error)) => vec![state(&error).map_or_else(not_open, SqlState::retry); count],
            Err(_) => stopped(),
        }
    }

    fn run_now(&self, end: End, transaction: &Transaction) -> Outcome {
        let written = self.with_connection(|connection| write(connection, end, transaction));
        written.unwrap_or_else(|error| state(&error).map_or_else(not_open, SqlState::outcome))
    }

    fn with_connection<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T, Error>) -> Result<T, Error> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => self.open()?,
        };
        let done = work(&mut connection)?;
        *kept = Some(connection);
        Ok(done)
    }

    fn open(&self) -> Result<Connection, Error> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        // A mistyped path must not become an empty database.
        flags.set(OpenFlags::SQLITE_OPEN_CREATE, self.schema.is_some());
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(BUSY)?;
        // What was committed has to be on disk: the event is not told again.
        connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
        if let Some(schema) = &self.schema {
            // The lock is waited for only when it is taken first.
            connection.execute_batch(&format!("BEGIN IMMEDIATE; {schema} COMMIT"))?;
        }
        Ok(connection)
    }
}

fn not_open() -> Outcome {
    super::retry(Failure::not_reached("the file of the database cannot be used"))
}

fn write(connection: &mut Connection, end: End, transaction: &Transaction) -> Result<Outcome, Error> {
    // Taken at once, so that two workers wait for each other and never fail halfway.
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let outcome = carry_out(&tx, transaction)?;
    if outcome.is_done() && end == End::Commit {
        tx.commit()?;
    }
    Ok(outcome)
}

/// All of them in one transaction. What is refused is rolled back by itself.
fn write_together(connection: &mut Connection, transactions: &[Transaction]) -> Result<Vec<Outcome>, Error> {
    let mut tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut outcomes = Vec::new();
    for transaction in transactions {
        // Dropped, it rolls back.
        let savepoint = tx.savepoint()?;
        let outcome = match carry_out(&savepoint, transaction) {
            Ok(outcome) => outcome,
            Err(error) => match state(&error).filter(|state| state.meaning() == Meaning::Record) {
                Some(state) => state.outcome(),
                None => return Err(error),
            },
        };
        if outcome.is_done() {
            savepoint.commit()?;
        }
        outcomes.push(outcome);
    }
    tx.commit()?;
    Ok(outcomes)
}

fn carry_out(connection: &Connection, transaction: &Transaction) -> Result<Outcome, Error> {
    let mut seen = Vec::new();
    for step in transaction.steps() {
        let written = connection.prepare_cached(&step.write.sql)?.execute(bound(&step.write))?;
        let mut look = connection.prepare_cached(&step.look.sql)?;
        let row = look.query_row(bound(&step.look), |row| Ok(read(row))).optional()?;
        seen.push(Seen::new(written.try_into().unwrap_or(u64::MAX), row));
    }
    Ok(transaction.judge(&seen))
}

fn bound(statement: &Statement) -> impl rusqlite::Params {
    params_from_iter(statement.values.iter().map(Bound))
}

struct Bound<'v>(&'v Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.0 {
            Value::Text(text) => text.to_sql(),
            Value::Instant(at) => Ok(at.to_rfc3339().into()),
            Value::Number(number) => number.to_sql(),
        }
    }
}

/// The row as SQLite holds it, whatever the column was declared as.
fn read(row: &Row<'_>) -> Vec<Value> {
    let columns = row.as_ref().column_count();
    let value = |column| match row.get_ref(column) {
        Ok(ValueRef::Text(text)) => Value::Text(Some(String::from_utf8_lossy(text).into_owned())),
        Ok(ValueRef::Integer(number)) => Value::Number(number),
        // Neither is ever sent, so any text that is not one of ours will do.
        Ok(ValueRef::Real(number)) => Value::Text(Some(format!("{number:e}"))),
        Ok(ValueRef::Blob(bytes)) => Value::Text(Some(format!("{} bytes", bytes.len()))),
        Ok(ValueRef::Null) | Err(_) => Value::Text(None),
    };
    (0..columns).map(value).collect()
}

fn state(error: &Error) -> Option<SqlState> {
    match error {
        Error::SqliteFailure(error, _) | Error::SqlInputError { error, .. } => {
            Some(SqlState::sqlite(error.extended_code))
        }
        _ => None,
    }
}
