//! One SQLite file, one writer that groups commits. What a commit returns for is on disk.

mod clock;
mod completeness;
mod delivery;
mod device;
mod employee;
mod endpoint;
mod failing;
mod idempotency;
mod job;
mod ledger;
mod mail;
mod outbox;
mod person;
mod quarantine;
mod read;
mod redate;
mod retention;
mod timeline;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension as _};

pub(crate) use crate::core::Register;
use crate::metrics::Metrics;
pub(crate) use clock::ClockRow;
pub(crate) use completeness::{Held, SiteRow, keep_complete, oldest_held, overdue};
pub use delivery::{AttemptRow, Outgoing};
pub(crate) use delivery::{persist, waiting as delivery_rows};
pub use device::DeviceRow;
pub(crate) use employee::{put_employee, register};
pub use endpoint::{EndpointRow, Roll};
pub use failing::Failing;
pub(crate) use failing::{Told, tell as tell_failing, tell_outages, untold_outages};
pub(crate) use idempotency::{answered, keep_answer};
pub use job::JobRow;
pub(crate) use job::{Range, Step, step};
pub use ledger::SqliteLedger;
pub(crate) use mail::MailRow;
pub use outbox::{Deliveries, DeliveryRow, SentAttempt};
pub(crate) use outbox::{events_after, random_id, resend, send_to};
pub(crate) use person::direction_of;
pub(crate) use quarantine::{Again, discard, hold_again, keep_by_hand, replace, unregistered};
pub use quarantine::{HeldRow, Quarantined};
pub(crate) use read::Snapshot;
pub use read::{AttendanceRow, Counts};
pub(crate) use redate::{Observed, Span, by_hand, observed};
pub use retention::Removed;
pub(crate) use retention::{remove_deliveries, remove_events};
pub use timeline::{AttemptLine, Decision, DeliveryTimeline, Meaning, RevisionLine, Timeline};
pub use writer::{Transaction, Writer};

/// The layouts of the file, each made from the one before it.
const LAYOUTS: [(i64, &str); 14] = [
    (1, include_str!("schema_1.sql")),
    (2, include_str!("schema_2.sql")),
    (3, include_str!("schema_3.sql")),
    (4, include_str!("schema_4.sql")),
    (5, include_str!("schema_5.sql")),
    (6, include_str!("schema_6.sql")),
    (9, include_str!("schema_9.sql")),
    (12, include_str!("schema_12.sql")),
    (13, include_str!("schema_13.sql")),
    (14, include_str!("schema_14.sql")),
    (15, include_str!("schema_15.sql")),
    (16, include_str!("schema_16.sql")),
    (17, include_str!("schema_17.sql")),
    (19, include_str!("schema_19.sql")),
];
/// Most of the file that the writer keeps in memory, in KiB.
const WRITER_CACHE_KIB: i64 = 16_384;

/// The newest layout this program knows.
const VERSION: i64 = 19;

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// SQLite said no.
    #[error("store: {0}; check the disk and the file's permissions")]
    Sqlite(#[from] rusqlite::Error),
    /// The file was written by a newer program.
    #[error("store `{path}`: layout {found} is newer than this program knows ({VERSION}); install the newer version")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout version.
        found: i64,
    },
    /// The work was done and could not be put on disk.
    #[error("store: the commit failed, nothing of this is on disk; check the disk, the log has the cause")]
    NotCommitted,
    /// The writer has stopped.
    #[error("store: the writer has stopped; the gateway is shutting down")]
    Stopped,
    /// More is waiting to be written than the writer takes on.
    #[error("store: {limit} writes are waiting already; the terminal keeps its rows and tries again")]
    Busy {
        /// How many may wait.
        limit: usize,
    },
}

/// The store: many readers, one writer.
#[derive(Debug, Clone)]
pub struct Store {
    path: PathBuf,
    writer: Writer,
    readers: Arc<Mutex<Vec<Connection>>>,
}

impl Store {
    /// Opens the file, making it or bringing it to the newest layout first.
    ///
    /// # Errors
    ///
    /// The file cannot be opened or is newer than this program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = connect(path)?;
        migrate(&connection, path)?;
        // What one upload touches stays in memory until its commit.
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        Ok(Self { path: path.to_owned(), writer: Writer::start(connection), readers: Arc::default() })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is counted of this store, and by whoever works with it.
    pub(crate) fn metrics(&self) -> &Metrics {
        self.writer.metrics()
    }

    /// Runs `work` inside the next group commit. Returns once the commit is on disk, or not at all done.
    ///
    /// # Errors
    ///
    /// Whatever `work` or the commit failed with; nothing of `work` remains then.
    pub async fn write<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.writer.run(work).await
    }

    /// Runs `work` on a reading connection, off the async threads.
    ///
    /// # Errors
    ///
    /// Whatever `work` failed with.
    pub async fn read<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (path, readers) = (self.path.clone(), Arc::clone(&self.readers));
        let task = tokio::task::spawn_blocking(move || {
            let idle = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = idle.map_or_else(|| connect(&path), Ok)?;
            let result = work(&connection);
            readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            result
        });
        task.await.map_err(|_| StoreError::Stopped)?
    }

    /// A value made once per store: the one that is there, or `make()` from now on.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub async fn once(
        &self,
        key: &'static str,
        make: impl FnOnce() -> Vec<u8> + Send + 'static,
    ) -> Result<(Vec<u8>, bool), StoreError> {
        self.write(move |tx| {
            let found = tx.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()?;
            if let Some(value) = found {
                return Ok((value, false));
            }
            let value = make();
            tx.execute("INSERT INTO meta (key, value) VALUES (?1, ?2)", (key, &value))?;
            Ok((value, true))
        })
        .await
    }
}

/// A connection whose commits are on disk when they return.
///
/// # Errors
///
/// The file cannot be opened.
pub fn connect(path: &Path) -> Result<Connection, StoreError> {
    #[cfg(unix)]
    make_private(path);
    let connection = Connection::open(path)?;
    connection.busy_timeout(core::time::Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.set_prepared_statement_cache_capacity(256);
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

fn migrate(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > VERSION {
        return Err(StoreError::Newer { path: path.to_owned(), found });
    }
    for (version, sql) in LAYOUTS.into_iter().filter(|(version, _)| *version > found) {
        connection.execute_batch(&format!("BEGIN; {sql} PRAGMA user_version = {version}; COMMIT;"))?;
    }
    Ok(())
}

fn millis(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

fn from_millis(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::UNIX_EPOCH)
}
