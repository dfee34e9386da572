//! One SQLite file or one schema of PostgreSQL, one writer that groups commits. What a commit returns for is on disk.

mod activity;
mod api_key;
mod audit;
mod clock;
mod command;
mod command_job;
mod completeness;
mod day;
mod delivery;
mod device;
mod employee;
mod endpoint;
mod erasure;
mod expansion;
mod failing;
mod idempotency;
mod item;
mod job;
mod layout;
pub(crate) mod lease;
mod ledger;
mod mail;
mod outbox;
mod part;
mod person;
mod piece;
mod quarantine;
mod reach;
mod read;
mod redate;
mod retention;
mod session;
mod sink;
mod sql;
mod ticket;
mod timeline;
mod writer;

use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SecondsFormat, SubsecRound as _, Utc};
use punch_webhook::Waiting;
use tokio::sync::Notify;

pub(crate) use crate::core::Register;
use crate::metrics::Metrics;
pub(crate) use activity::{Activity, Hour};
pub use api_key::ApiKeyRow;
pub(crate) use api_key::{keep_calls, restore_calls};
pub use audit::audit_after;
pub(crate) use audit::{Audited, Intent, append as append_audit, head as audit_head, remove as remove_audit};
pub(crate) use clock::ClockRow;
pub use command::{CommandRow, Commands, StepCounts};
pub(crate) use command::{NewCommand, put_command};
pub use command_job::{AnyJob, CommandJob};
pub(crate) use completeness::{Held, SiteRow, keep_complete, oldest_held, overdue};
pub(crate) use day::{Day, RevisionOf, StatusChange};
pub use delivery::{AttemptRow, Outgoing};
pub(crate) use delivery::{persist, waiting as delivery_rows};
pub use device::DeviceRow;
pub(crate) use employee::{put_employee, register};
pub use endpoint::{EndpointRow, Roll};
pub use erasure::Punches;
pub(crate) use erasure::{Erased, Obstacle, Somebody};
pub(crate) use expansion::{Slice, Unexpanded, expand, put_steps, steps_of};
pub use failing::Failing;
pub(crate) use failing::{tell as tell_failing, tell_outages, untold_outages};
pub(crate) use idempotency::{answered, keep_answer};
pub use item::{ItemRow, Items, Owner};
pub use job::JobRow;
pub(crate) use job::{Range, step};
use layout::VERSION;
pub use ledger::StoreLedger;
pub(crate) use ledger::settled;
pub(crate) use mail::MailRow;
pub use outbox::{Deliveries, DeliveryRow, SentAttempt};
pub(crate) use outbox::{EndpointLoad, events_after, random_id, resend, send_to};
pub use part::Part;
pub(crate) use person::direction_of;
pub(crate) use quarantine::{Again, discard, hold_again, keep_by_hand, replace, unregistered};
pub use quarantine::{HeldRow, Quarantined};
pub(crate) use reach::{tell_decision, tell_status};
pub(crate) use read::Snapshot;
pub use read::{Attendance, AttendanceRow, Counts, Edge};
pub(crate) use redate::{Observed, Span, by_hand, observed};
pub use retention::Removed;
pub(crate) use retention::{remove_commands, remove_deliveries, remove_events};
pub(crate) use session::{end_session, has_session, keep_session};
pub(crate) use sink::{SinkStatus, around, revise, without_employee};
use sql::Opener;
pub use sql::{Connection, FromValue, Parameters, Place, Row, ToValue, Transaction, Value, connect_file};
pub(crate) use ticket::{
    OpenTicket, Outcome, TakenStep, has_free as has_steps, keep_answer as keep_command_answer,
    overdue as overdue_tickets, record_sent, settle, take_free as take_steps, with_open_tickets,
};
pub(crate) use timeline::NOT_KEPT;
pub use timeline::{AttemptLine, Decision, DeliveryTimeline, Meaning, RevisionLine, Timeline};
pub use writer::Writer;

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// SQLite said no.
    #[error("store: {0}; check the disk and the file's permissions")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL said no, or nothing.
    #[error("store: {}; check that the server runs, and its log", said(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// The store was written by a newer program.
    #[error("store `{place}`: layout {found} is newer than this program knows ({VERSION}); install the newer version")]
    Newer {
        /// The store.
        place: Place,
        /// Its layout version.
        found: i64,
    },
    /// A column holds what nobody writes into it.
    #[error("store: column {index} of a row does not read; somebody has changed the store by hand")]
    Column {
        /// Its place in the statement.
        index: usize,
    },
    /// A statement that always returns a row returned none.
    #[error("store: a row is missing; somebody has changed the store by hand")]
    NoRow,
    /// A value could not be written as a text.
    #[error("store: {0}")]
    Json(#[source] serde_json::Error),
    /// There are no random numbers.
    #[error("store: no random numbers ({0}); the system does not provide any")]
    Random(#[source] getrandom::Error),
    /// The log beside the file is being read.
    #[error(
        "store: it was erased, and stands in the log beside the file until nobody reads it; the next erasure or a \
             restart overwrites that"
    )]
    Reading,
    /// There is no such file.
    #[error("store: {0}; name the file of a gateway")]
    Missing(#[source] std::io::Error),
    /// There is no thread for the conversations with the server.
    #[error("store: no thread for the database ({0}); the machine is out of memory or of threads")]
    Thread(#[source] std::io::Error),
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

/// How often it is tried to overwrite the log beside the file, and the pause between.
const OVERWRITE_TRIES: u32 = 100;
const OVERWRITE_PAUSE: Duration = Duration::from_millis(50);

/// The store: many readers, one writer.
#[derive(Debug, Clone)]
pub struct Store {
    opener: Opener,
    writer: Writer,
    readers: Arc<Mutex<Vec<Connection>>>,
    replica: Option<Arc<Replica>>,
}

/// A gateway among several that work with one store.
#[derive(Debug)]
pub(crate) struct Replica {
    /// No two have the same.
    pub(crate) name: String,
    /// Wakes who waits for it when somebody has written to the store.
    pub(crate) changed: Arc<Notify>,
}

impl Store {
    /// Opens the store, making it or bringing it to the newest layout first.
    ///
    /// # Errors
    ///
    /// It cannot be opened or is newer than this program.
    pub fn open(place: &Place) -> Result<Self, StoreError> {
        let opener = Opener::new(place)?;
        // Whoever calls this may be driving a runtime, and must not wait for a server.
        let opening = std::thread::scope(|scope| scope.spawn(|| open_for_writing(&opener)).join());
        let connection = opening.map_err(|_| StoreError::Stopped)??;
        let replica = if place.is_shared() { Some(Arc::new(Replica::new(&opener)?)) } else { None };
        Ok(Self { writer: Writer::start(opener.clone(), connection)?, opener, readers: Arc::default(), replica })
    }

    /// Who this gateway is, if others may work with the store too.
    pub(crate) fn replica(&self) -> Option<&Replica> {
        self.replica.as_deref()
    }

    /// Where it is.
    pub(crate) fn place(&self) -> &Place {
        self.opener.place()
    }

    /// Whoever is handed the deliveries of each commit from now on, once they are on disk. It must not wait for anything.
    pub(crate) fn hand_over_to(&self, take: impl Fn(Vec<Waiting>) + Send + 'static) {
        self.writer.hand_over_to(take);
    }

    /// What is counted of this store, and by whoever works with it.
    pub(crate) fn metrics(&self) -> &Metrics {
        self.writer.metrics()
    }

    /// Runs `work` inside the next group commit. Returns once the commit is on disk, or not at all done. If a call to the
    /// API or the dashboard asks for it, its entry in the audit log is in the same transaction.
    ///
    /// # Errors
    ///
    /// Whatever `work` or the commit failed with; nothing of `work` remains then.
    pub async fn write<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let intent = Intent::current();
        let entered = intent.clone();
        let (done, is_entered) = self.writer.run(move |tx| entered.enter(tx, work)).await?;
        if is_entered {
            intent.written();
        }
        Ok(done)
    }

    /// The same for work that may be done more than once, of which only the last time counts; it costs less.
    ///
    /// # Errors
    ///
    /// As [`Store::write`].
    pub async fn write_repeatable<T, W>(&self, mut work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnMut(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let intent = Intent::current();
        let entered = intent.clone();
        let (done, is_entered) = self.writer.run_repeatable(move |tx| entered.enter(tx, &mut work)).await?;
        if is_entered {
            intent.written();
        }
        Ok(done)
    }

    /// The same in a commit of its own, for work that changes much.
    ///
    /// # Errors
    ///
    /// As [`Store::write`].
    pub async fn write_alone<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.writer.run_alone(work).await
    }

    /// Whether somebody waits for the writer who has little to write.
    pub fn is_waited_for(&self) -> bool {
        self.writer.is_waited_for()
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
        let (opener, readers) = (self.opener.clone(), Arc::clone(&self.readers));
        let task = tokio::task::spawn_blocking(move || {
            let idle = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = idle.filter(|idle| !idle.is_closed()).map_or_else(|| opener.connect(), Ok)?;
            let result = work(&connection);
            readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            result
        });
        task.await.map_err(|_| StoreError::Stopped)?
    }

    /// Has what was erased go from the log beside the file, where it still stands; SQLite has overwritten it in the file. A
    /// server does that by itself, in its time.
    ///
    /// # Errors
    ///
    /// Somebody reads all the time; it was erased, and the log is overwritten later.
    pub(crate) async fn overwrite_erased(&self) -> Result<(), StoreError> {
        if self.place().is_shared() {
            return Ok(());
        }
        for _ in 0..OVERWRITE_TRIES {
            let is_busy: bool =
                self.read(|connection| connection.value("PRAGMA wal_checkpoint(TRUNCATE)", &[])).await?;
            if !is_busy {
                return Ok(());
            }
            tokio::time::sleep(OVERWRITE_PAUSE).await;
        }
        Err(StoreError::Reading)
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
            if let Some(value) = tx.first("SELECT value FROM meta WHERE key = ?1", &[&key], |row| row.get(0))? {
                return Ok((value, false));
            }
            let value = make();
            tx.execute("INSERT INTO meta (key, value) VALUES (?1, ?2)", &[&key, &value])?;
            Ok((value, true))
        })
        .await
    }
}

impl Replica {
    fn new(opener: &Opener) -> Result<Self, StoreError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(StoreError::Random)?;
        let changed = Arc::default();
        opener.listen(&changed)?;
        Ok(Self { name: format!("{:032x}", u128::from_be_bytes(bytes)), changed })
    }
}

/// A connection to a store as it is, for looking at it beside the gateway. Not to be called by what drives a runtime.
///
/// # Errors
///
/// There is no store, or it cannot be opened.
pub fn open_to_read(place: &Place) -> Result<Connection, StoreError> {
    // SQLite would make a file that is not there.
    if let Some(problem) = place.file().and_then(|file| std::fs::metadata(file).err()) {
        return Err(StoreError::Missing(problem));
    }
    Opener::new(place)?.connect()
}

/// A connection to what has the newest layout.
fn open_for_writing(opener: &Opener) -> Result<Connection, StoreError> {
    let connection = opener.connect()?;
    layout::migrate(&connection, opener)?;
    Ok(connection)
}

/// What a server said, without the values it said it of.
fn said(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} ({})", said.message(), said.code().code()),
        None => error.to_string(),
    }
}

fn millis(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

/// An instant as the API writes it: in UTC, to the millisecond at most.
pub(crate) fn written(at: DateTime<Utc>) -> String {
    at.trunc_subsecs(3).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn from_millis(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::UNIX_EPOCH)
}

/// A file of the newest layout with nothing in it, for as long as its folder is kept.
#[cfg(test)]
fn empty_file() -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("punch.sqlite");
    drop(Store::open(&Place::File(path.clone())).unwrap());
    let connection = connect_file(&path).unwrap();
    (folder, connection)
}
