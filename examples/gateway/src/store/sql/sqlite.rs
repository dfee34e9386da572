use core::ops::ControlFlow;
use core::time::Duration;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, ToSql};

use super::{Columns, Connection, Database, Parameters, Row, StoreError, Taking, Value, checkpoint};

/// Statements that are kept ready.
const STATEMENTS: usize = 256;

/// Most of the file that the writer keeps in memory, in KiB: what one upload touches stays there until its commit.
const WRITER_CACHE_KIB: i64 = 16_384;

/// A connection to a file whose commits are on disk when they return.
///
/// # Errors
///
/// The file cannot be opened.
pub fn connect(path: &Path) -> Result<Connection, StoreError> {
    #[cfg(unix)]
    make_private(path);
    let connection = open(path)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    // What a piece of work has changed is remembered until it ends, and most are small.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Else a statement whose plan could depend on a value is compiled again for every value.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(Connection::new(Sqlite(connection)))
}

/// A connection whose commits are on disk when they return, and nothing else.
pub(super) fn open(path: &Path) -> Result<rusqlite::Connection, StoreError> {
    let connection = rusqlite::Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What is deleted is overwritten, so that whoever is erased is.
    connection.pragma_update(None, "secure_delete", "ON")?;
    Ok(connection)
}

/// Makes the file, if there is none, for nobody else to read: the keys are in it, and who was where. SQLite gives the files
/// beside it the same permissions.
#[cfg(unix)]
fn make_private(path: &Path) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    // It is there already, with the permissions somebody gave it, or SQLite says what is wrong.
    drop(made);
}

#[derive(Debug)]
struct Sqlite(rusqlite::Connection);

impl Sqlite {
    fn prepare(&self, sql: &str, values: &Parameters<'_>) -> Result<CachedStatement<'_>, StoreError> {
        let mut statement = self.0.prepare_cached(sql)?;
        for (number, value) in (1..).zip(values) {
            statement.raw_bind_parameter(number, value.to_value())?;
        }
        Ok(statement)
    }
}

impl Database for Sqlite {
    fn execute(&self, sql: &str, values: &Parameters<'_>) -> Result<usize, StoreError> {
        Ok(self.prepare(sql, values)?.raw_execute()?)
    }

    fn insert_new(&self, sql: &str, _: &str, values: &Parameters<'_>) -> Result<Option<i64>, StoreError> {
        // `RETURNING` would keep the number in a table of its own first.
        let inserted = self.execute(sql, values)?;
        Ok((inserted > 0).then(|| self.0.last_insert_rowid()))
    }

    fn query(&self, sql: &str, values: &Parameters<'_>, take: &mut Taking<'_>) -> Result<(), StoreError> {
        let mut statement = self.prepare(sql, values)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if take(&Row { columns: row })?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn batch(&self, sql: &str) -> Result<(), StoreError> {
        Ok(self.0.execute_batch(sql)?)
    }

    fn begin(&self) -> Result<(), StoreError> {
        self.batch("BEGIN IMMEDIATE")
    }

    fn begin_layout(&self) -> Result<i64, StoreError> {
        self.begin()?;
        Ok(self.0.pragma_query_value(None, "user_version", |row| row.get(0))?)
    }

    fn commit(&self) -> Result<(), StoreError> {
        self.batch("COMMIT")
    }

    fn keep_layout(&self, version: i64) -> Result<(), StoreError> {
        Ok(self.0.pragma_update(None, "user_version", version)?)
    }

    fn changes(&self) -> u64 {
        self.0.total_changes()
    }

    fn size(&self) -> Result<u64, StoreError> {
        let mut size = 0;
        let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        self.query(sql, &[], &mut |row| {
            size = row.get::<i64>(0)?.cast_unsigned();
            Ok(ControlFlow::Break(()))
        })?;
        Ok(size)
    }

    fn is_closed(&self) -> bool {
        false
    }

    fn checkpoint_beside(&mut self) -> Result<(), StoreError> {
        checkpoint::beside(&mut self.0)
    }

    fn is_shared(&self) -> bool {
        false
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Columns for rusqlite::Row<'_> {
    fn count(&self) -> usize {
        self.as_ref().column_count()
    }

    fn value(&self, index: usize) -> Result<Value<'_>, StoreError> {
        Ok(match self.get_ref(index)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Integer(number),
            ValueRef::Text(text) => Value::Text(core::str::from_utf8(text).map_err(|_| StoreError::Column { index })?),
            ValueRef::Blob(bytes) => Value::Bytes(bytes),
            // No layout has such a column.
            ValueRef::Real(_) => return Err(StoreError::Column { index }),
        })
    }
}
