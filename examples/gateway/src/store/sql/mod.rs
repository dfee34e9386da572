//! What the store says to a database, whichever it is. Statements are written once, in what SQLite and PostgreSQL both
//! understand: numbered parameters, flags and times as integers, `ON CONFLICT`, `IS DISTINCT FROM`.

mod checkpoint;
mod clause;
mod place;
mod postgres;
mod sqlite;
mod value;

use core::fmt;
use core::ops::{ControlFlow, Deref};

pub(super) use clause::Clause;
pub(super) use place::Opener;
pub use place::Place;
pub use sqlite::connect as connect_file;
pub use value::{FromValue, ToValue, Value};

use punch_webhook::Waiting;

use super::StoreError;

/// The values of a statement's parameters, the first for `?1`.
pub type Parameters<'p> = [&'p dyn ToValue];

/// What a database has to do for the store.
trait Database: fmt::Debug + Send {
    /// Runs a statement and says how many rows it changed.
    fn execute(&self, sql: &str, values: &Parameters<'_>) -> Result<usize, StoreError>;

    /// Inserts one row, if it is not there. The number it gets in the column `key`, which is the primary one.
    fn insert_new(&self, sql: &str, key: &str, values: &Parameters<'_>) -> Result<Option<i64>, StoreError>;

    /// Runs a statement and hands over the rows it returns, until `take` has enough.
    fn query(&self, sql: &str, values: &Parameters<'_>, take: &mut Taking<'_>) -> Result<(), StoreError>;

    /// Runs statements without parameters.
    fn batch(&self, sql: &str) -> Result<(), StoreError>;

    /// Begins a transaction once nobody else writes; until it ends nobody does.
    fn begin(&self) -> Result<(), StoreError>;

    /// The same, before there is a layout. Says which one there is, 0 if none.
    fn begin_layout(&self) -> Result<i64, StoreError>;

    /// Ends the transaction. What it did is on disk when this returns.
    fn commit(&self) -> Result<(), StoreError>;

    /// Keeps which layout there is.
    fn keep_layout(&self, version: i64) -> Result<(), StoreError>;

    /// Rows changed since the connection was made.
    fn changes(&self) -> u64;

    /// The bytes that everything in it takes.
    fn size(&self) -> Result<u64, StoreError>;

    /// Whether nothing can be asked any more.
    fn is_closed(&self) -> bool;

    /// Whether several gateways may work with it.
    fn is_shared(&self) -> bool;

    /// Tidies up after commits from now on without keeping whoever commits, if there is something to tidy up.
    fn checkpoint_beside(&mut self) -> Result<(), StoreError>;
}

type Taking<'t> = dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError> + 't;

/// A connection to the database of the store.
#[derive(Debug)]
pub struct Connection {
    database: Box<dyn Database>,
}

impl Connection {
    fn new(database: impl Database + 'static) -> Self {
        Self { database: Box::new(database) }
    }

    /// Runs a statement and says how many rows it changed.
    ///
    /// # Errors
    ///
    /// The database says no.
    pub fn execute(&self, sql: &str, values: &Parameters<'_>) -> Result<usize, StoreError> {
        self.database.execute(sql, values)
    }

    /// Inserts one row. The number that the database gives it in the column `key`, the primary key.
    ///
    /// # Errors
    ///
    /// The database says no.
    pub fn insert(&self, sql: &str, key: &str, values: &Parameters<'_>) -> Result<i64, StoreError> {
        self.insert_new(sql, key, values)?.ok_or(StoreError::NoRow)
    }

    /// The same with a statement that inserts nothing if the row is there.
    ///
    /// # Errors
    ///
    /// The database says no.
    pub fn insert_new(&self, sql: &str, key: &str, values: &Parameters<'_>) -> Result<Option<i64>, StoreError> {
        self.database.insert_new(sql, key, values)
    }

    /// What `read` makes of the first row; `None` if there is none.
    ///
    /// # Errors
    ///
    /// The database says no, or `read` does.
    pub fn first<T>(
        &self,
        sql: &str,
        values: &Parameters<'_>,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let (mut read, mut found) = (Some(read), None);
        self.each(sql, values, |row| {
            if let Some(read) = read.take() {
                found = Some(read(row)?);
            }
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }

    /// The first column of the only row, of a statement that always has one.
    ///
    /// # Errors
    ///
    /// The database says no, or there is no row.
    pub fn value<T: FromValue>(&self, sql: &str, values: &Parameters<'_>) -> Result<T, StoreError> {
        self.first(sql, values, |row| row.get(0))?.ok_or(StoreError::NoRow)
    }

    /// What `read` makes of every row.
    ///
    /// # Errors
    ///
    /// The database says no, or `read` does.
    pub fn all<T>(
        &self,
        sql: &str,
        values: &Parameters<'_>,
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.each(sql, values, |row| {
            found.push(read(row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// Hands over every row until `take` has enough.
    ///
    /// # Errors
    ///
    /// The database says no, or `take` does.
    pub fn each(
        &self,
        sql: &str,
        values: &Parameters<'_>,
        mut take: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        self.database.query(sql, values, &mut take)
    }

    /// Runs statements without parameters.
    ///
    /// # Errors
    ///
    /// The database says no.
    pub fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.database.batch(sql)
    }

    /// Rows changed since the connection was made.
    pub fn changes(&self) -> u64 {
        self.database.changes()
    }

    /// The bytes that everything in it takes.
    ///
    /// # Errors
    ///
    /// The database says no.
    pub fn size(&self) -> Result<u64, StoreError> {
        self.database.size()
    }

    /// Whether nothing can be asked any more.
    pub(super) fn is_closed(&self) -> bool {
        self.database.is_closed()
    }

    /// Whether several gateways may work with it.
    pub(super) fn is_shared(&self) -> bool {
        self.database.is_shared()
    }

    /// Tidies up after commits from now on without keeping whoever commits.
    pub(super) fn checkpoint_beside(&mut self) -> Result<(), StoreError> {
        self.database.checkpoint_beside()
    }

    /// Does `work` in a transaction, alone among all who write. What it did is on disk when this returns; if it failed,
    /// nothing of it remains.
    pub(super) fn transact(&self, work: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.database.begin()?;
        self.end(work())
    }

    /// The same for a change of the layout; `work` is told which one there is.
    pub(super) fn transact_layout(&self, work: impl FnOnce(i64) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let found = self.database.begin_layout()?;
        self.end(work(found))
    }

    /// Keeps which layout there is.
    pub(super) fn keep_layout(&self, version: i64) -> Result<(), StoreError> {
        self.database.keep_layout(version)
    }

    fn end(&self, done: Result<(), StoreError>) -> Result<(), StoreError> {
        if done.is_ok() {
            return self.database.commit();
        }
        // The connection may be lost, and the transaction with it.
        self.batch("ROLLBACK").and(done)
    }
}

/// One piece of work inside a transaction: done as a whole, or not at all.
#[derive(Debug)]
pub struct Transaction<'c> {
    connection: &'c Connection,
    made: Vec<Waiting>,
}

/// What a piece of work came to, and the deliveries it made.
pub(super) type Done<T> = (T, Vec<Waiting>);

impl<'c> Transaction<'c> {
    /// Does `work` as all there is in the transaction of `connection`, which has to be rolled back if it fails.
    pub(super) fn whole<T>(
        connection: &'c Connection,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<Done<T>, StoreError> {
        let mut transaction = Self { connection, made: Vec::new() };
        Ok((work(&mut transaction)?, transaction.made))
    }

    /// Does `work` inside the transaction of `connection`. If it fails, nothing of it remains.
    pub(super) fn run<T>(
        connection: &'c Connection,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<Done<T>, StoreError> {
        connection.batch("SAVEPOINT piece")?;
        let done = Self::whole(connection, work);
        if done.is_err() {
            connection.batch("ROLLBACK TO SAVEPOINT piece")?;
        }
        connection.batch("RELEASE SAVEPOINT piece")?;
        done
    }

    /// A delivery that it has made. Whoever delivers is handed it once it is on disk, whoever has stopped waiting by then.
    pub(super) fn made(&mut self, delivery: Waiting) {
        self.made.push(delivery);
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

/// A row that a statement returned.
pub struct Row<'r> {
    columns: &'r dyn Columns,
}

impl Row<'_> {
    /// A column, counted from 0.
    ///
    /// # Errors
    ///
    /// It is none, or holds something else.
    pub fn get<T: FromValue>(&self, index: usize) -> Result<T, StoreError> {
        T::from_value(self.value(index)?).ok_or(StoreError::Column { index })
    }

    /// A column that holds a text or nothing, counted from 0.
    ///
    /// # Errors
    ///
    /// It is none, or holds something else.
    pub fn text(&self, index: usize) -> Result<Option<&str>, StoreError> {
        match self.value(index)? {
            Value::Text(text) => Ok(Some(text)),
            Value::Null => Ok(None),
            Value::Integer(_) | Value::Bytes(_) => Err(StoreError::Column { index }),
        }
    }

    /// A column as it is, counted from 0.
    ///
    /// # Errors
    ///
    /// It is none.
    pub fn value(&self, index: usize) -> Result<Value<'_>, StoreError> {
        self.columns.value(index)
    }

    /// How many columns there are.
    pub fn columns(&self) -> usize {
        self.columns.count()
    }
}

/// Shows nothing of what is in it.
impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("columns", &self.columns()).finish_non_exhaustive()
    }
}

trait Columns {
    fn count(&self) -> usize;

    fn value(&self, index: usize) -> Result<Value<'_>, StoreError>;
}
