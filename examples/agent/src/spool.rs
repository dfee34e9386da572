use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, NaiveDateTime, Utc};
use gateway::store::{Connection, Row as Found, StoreError, ToValue, Transaction, Writer};
use punch_protocol::{Pin, RawPunch, SerialNumber, Status, Verify};
use tokio::sync::Notify;

use crate::row::{BrokenRow, Row};

/// The layout of the file that this program knows.
const VERSION: i64 = 2;

/// Why the spool could not do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file was written by a newer program.
    #[error("spool `{path}`: layout {found} is newer than this program knows ({VERSION}); install the newer version")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout version.
        found: i64,
    },
    /// As many rows wait as may.
    #[error(
        "spool: {waiting} rows wait to be forwarded, at most {limit} may; the terminals keep theirs until some have gone"
    )]
    Full {
        /// How many wait.
        waiting: u64,
        /// How many may.
        limit: u64,
    },
}

/// How large a spool may grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolLimits {
    /// Rows that may wait to be forwarded, of all terminals together. What would go beyond it is refused and stays on
    /// the terminal. Default 2,000,000: ten terminals that are full, in about 200 MB.
    pub waiting: u64,
    /// Forwarded rows that are remembered, for each terminal, so that they are not sent again when they are read again.
    /// The oldest are forgotten first. Default 250,000: a terminal keeps 200,000.
    pub remembered: u64,
}

impl Default for SpoolLimits {
    fn default() -> Self {
        Self { waiting: 2_000_000, remembered: 250_000 }
    }
}

/// A queue of punches in a file. What it has said to have is there after a crash; cheap to clone.
#[derive(Debug, Clone)]
pub struct Spool {
    writer: Writer,
    limits: SpoolLimits,
    filled: Arc<Notify>,
    /// Terminals that were read completely, and when that began. A life that has not read one says nothing of it.
    complete: Arc<Mutex<BTreeMap<SerialNumber, DateTime<Utc>>>>,
}

/// How many of the rows put were new.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Put {
    /// Rows that wait now and did not before.
    pub new: u64,
    /// Rows that were put before, forwarded since or not.
    pub known: u64,
}

/// How many rows of a terminal there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Waiting to be forwarded.
    pub waiting: u64,
    /// Forwarded, and remembered.
    pub forwarded: u64,
}

/// Rows of one terminal that wait, the first ones in the order in which they were put.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The terminal.
    pub serial: SerialNumber,
    /// Its rows.
    pub rows: Vec<Row>,
    last: i64,
}

impl Spool {
    /// Opens the file. If it is not there it is made, readable by nobody but its owner: it says who was where.
    ///
    /// # Errors
    ///
    /// The file cannot be opened or is newer than this program.
    pub fn open(path: &Path, limits: SpoolLimits) -> Result<Self, SpoolError> {
        let writer = Writer::over_file(path, |connection| prepare(connection, path))?;
        Ok(Self { writer, limits, filled: Arc::default(), complete: Arc::default() })
    }

    /// Puts rows behind those that wait, all or none. They are on disk when this returns.
    ///
    /// A row is known by its terminal, PIN, time and state. One that was put before is not put again, and one that was
    /// forwarded is not forwarded again while it is [remembered](SpoolLimits::remembered).
    ///
    /// # Errors
    ///
    /// [`SpoolError::Full`] if the rows might go beyond the limit, or the file cannot be written.
    pub async fn put<R: Into<Row>>(&self, rows: impl IntoIterator<Item = R>) -> Result<Put, SpoolError> {
        let rows: Vec<Row> = rows.into_iter().map(Into::into).collect();
        let limit = self.limits.waiting;
        let put = self.writer.run(move |tx| put(tx, &rows, limit)).await??;
        if put.new > 0 {
            self.filled.notify_one();
        }
        Ok(put)
    }

    /// The first rows of a terminal that wait, at most `max`. Without any, the batch is empty.
    ///
    /// They go on waiting until the batch is [settled](Self::settle).
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub async fn batch(&self, serial: &SerialNumber, max: u32) -> Result<Batch, SpoolError> {
        let serial = serial.clone();
        Ok(self.writer.run(move |tx| batch(tx, serial, max)).await?)
    }

    /// The rows of a batch are where they should be: they wait no more, and are remembered.
    ///
    /// # Errors
    ///
    /// The file cannot be written, and the rows still wait.
    pub async fn settle(&self, batch: &Batch) -> Result<(), SpoolError> {
        let (serial, last, remembered) = (batch.serial.clone(), batch.last, self.limits.remembered);
        Ok(self.writer.run(move |tx| settle(tx, &serial, last, remembered)).await?)
    }

    /// A terminal was read completely: what it had at `began` was put. Whoever forwards may say so once nothing of it waits.
    pub fn completed(&self, serial: &SerialNumber, began: DateTime<Utc>) {
        self.complete.lock().unwrap_or_else(PoisonError::into_inner).insert(serial.clone(), began);
        self.filled.notify_one();
    }

    /// The terminals of which everything from before the moment was forwarded, each told once.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub async fn take_complete(&self) -> Result<BTreeMap<SerialNumber, DateTime<Utc>>, SpoolError> {
        // First what was read, then what waits: what is put in between belongs to a later reading.
        let read = std::mem::take(&mut *self.complete.lock().unwrap_or_else(PoisonError::into_inner));
        if read.is_empty() {
            return Ok(read);
        }
        let counts = self.counts().await?;
        let waits = |serial: &SerialNumber| counts.get(serial).is_some_and(|counts| counts.waiting > 0);
        let (waiting, complete): (BTreeMap<_, _>, BTreeMap<_, _>) =
            read.into_iter().partition(|(serial, _)| waits(serial));
        let mut left = self.complete.lock().unwrap_or_else(PoisonError::into_inner);
        for (serial, began) in waiting {
            left.entry(serial).or_insert(began);
        }
        Ok(complete)
    }

    /// Up to where a terminal was read completely, by its own clock.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub async fn mark(&self, serial: &SerialNumber) -> Result<Option<NaiveDateTime>, SpoolError> {
        let serial = serial.clone();
        let read = move |tx: &mut Transaction<'_>| {
            let sql = "SELECT mark FROM terminal WHERE serial = ?1";
            let mark: Option<Option<i64>> = tx.first(sql, &[&serial.as_str()], |row| row.get(0))?;
            Ok(mark.flatten().map(civil))
        };
        Ok(self.writer.run(read).await?)
    }

    /// Keeps up to where a terminal was read completely, instead of what was kept before. Put the rows first.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub async fn set_mark(&self, serial: &SerialNumber, mark: NaiveDateTime) -> Result<(), SpoolError> {
        let serial = serial.clone();
        let write = move |tx: &mut Transaction<'_>| {
            let sql = "INSERT INTO terminal (serial, mark) VALUES (?1, ?2)
                       ON CONFLICT (serial) DO UPDATE SET mark = excluded.mark";
            tx.execute(sql, &[&serial.as_str(), &seconds(mark)])?;
            Ok(())
        };
        Ok(self.writer.run(write).await?)
    }

    /// How many rows there are of each terminal that was ever put or marked.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub async fn counts(&self) -> Result<BTreeMap<SerialNumber, Counts>, SpoolError> {
        Ok(self.writer.run(|tx| counts(tx)).await?)
    }

    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, SpoolError> {
        Ok(self.writer.run(work).await?)
    }

    /// Returns when rows were put since it last returned.
    pub(crate) async fn filled(&self) {
        self.filled.notified().await;
    }
}

fn prepare(connection: &Connection, path: &Path) -> Result<(), SpoolError> {
    let found: i64 = connection.value("PRAGMA user_version", &[])?;
    if found > VERSION {
        return Err(SpoolError::Newer { path: path.to_owned(), found });
    }
    if found < VERSION {
        let first = if found < 1 { include_str!("schema_1.sql") } else { "" };
        let second = include_str!("schema_2.sql");
        let layout = format!("BEGIN; {first} {second} PRAGMA user_version = {VERSION}; COMMIT;");
        connection.batch(&layout)?;
    }
    Ok(())
}

fn put(tx: &mut Transaction<'_>, rows: &[Row], limit: u64) -> Result<Result<Put, SpoolError>, StoreError> {
    let waiting: i64 = tx.value("SELECT coalesce(sum(waiting), 0) FROM terminal", &[])?;
    let (waiting, count) = (waiting.cast_unsigned(), signed(rows.len()).cast_unsigned());
    if waiting + count > limit {
        return Ok(Err(SpoolError::Full { waiting, limit }));
    }
    let mut added = BTreeMap::<&SerialNumber, i64>::new();
    for row in rows {
        *added.entry(row.serial()).or_default() += i64::from(insert(tx, row)?);
    }
    for (serial, new) in &added {
        tx.execute(
            "INSERT INTO terminal (serial, waiting) VALUES (?1, ?2)
             ON CONFLICT (serial) DO UPDATE SET waiting = waiting + excluded.waiting",
            &[&serial.as_str(), new],
        )?;
    }
    let new = added.values().sum::<i64>().cast_unsigned();
    Ok(Ok(Put { new, known: count - new }))
}

/// Whether the row is new.
fn insert(tx: &Transaction<'_>, row: &Row) -> Result<bool, StoreError> {
    let serial = row.serial().as_str();
    let values: [&dyn ToValue; 8] = match row {
        Row::Punch(punch) => [
            &serial,
            &punch.pin.as_bytes(),
            &seconds(punch.time),
            &punch.status.map(|code| code.0),
            &punch.verify.map(|code| code.0),
            &punch.work_code,
            &None::<u16>,
            &None::<u32>,
        ],
        Row::Broken(broken) => [
            &serial,
            &broken.pin.as_ref().map(Pin::as_bytes),
            &broken.time.map(seconds),
            &broken.state,
            &broken.verify,
            &None::<String>,
            &broken.slot,
            &broken.time_raw,
        ],
    };
    let sql = "INSERT INTO row (serial, pin, local, state, verify, work_code, slot, packed)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, &values)? > 0)
}

fn batch(tx: &Transaction<'_>, serial: SerialNumber, max: u32) -> Result<Batch, StoreError> {
    let found = tx.all(
        "SELECT id, pin, local, state, verify, work_code, slot, packed FROM row
         WHERE serial = ?1 AND forwarded = 0 ORDER BY id LIMIT ?2",
        &[&serial.as_str(), &max],
        |row| read(&serial, row),
    )?;
    let last = found.last().map_or(0, |(id, _)| *id);
    Ok(Batch { rows: found.into_iter().map(|(_, row)| row).collect(), serial, last })
}

fn read(serial: &SerialNumber, found: &Found<'_>) -> Result<(i64, Row), StoreError> {
    let pin: Option<Vec<u8>> = found.get(1)?;
    let pin = pin.map(|pin| Pin::new(&pin).into_owned());
    let time = found.get::<Option<i64>>(2)?.map(civil);
    let [state, verify]: [Option<u16>; 2] = [found.get(3)?, found.get(4)?];
    let row = match (pin, time, found.get(7)?) {
        (Some(pin), Some(time), None::<u32>) => {
            let mut punch = RawPunch::new(serial.clone(), pin, time);
            (punch.status, punch.verify, punch.work_code) = (state.map(Status), verify.map(Verify), found.get(5)?);
            Row::Punch(punch)
        }
        (pin, time, packed) => Row::Broken(BrokenRow {
            serial: serial.clone(),
            pin,
            slot: found.get(6)?,
            time,
            time_raw: packed.unwrap_or(0),
            state: state.unwrap_or(0),
            verify: verify.unwrap_or(0),
        }),
    };
    Ok((found.get(0)?, row))
}

/// Rows put since the batch was made have higher ids.
fn settle(tx: &mut Transaction<'_>, serial: &SerialNumber, last: i64, remembered: u64) -> Result<(), StoreError> {
    let sql = "UPDATE row SET forwarded = 1 WHERE serial = ?1 AND forwarded = 0 AND id <= ?2";
    let settled = signed(tx.execute(sql, &[&serial.as_str(), &last])?);
    let sql = "UPDATE terminal SET waiting = waiting - ?2, forwarded = forwarded + ?2 WHERE serial = ?1";
    tx.execute(sql, &[&serial.as_str(), &settled])?;
    let remembered = i64::try_from(remembered).unwrap_or(i64::MAX);
    let sql = "DELETE FROM row WHERE id IN (
                   SELECT id FROM row WHERE serial = ?1 AND forwarded = 1 ORDER BY id
                   LIMIT max(0, (SELECT forwarded FROM terminal WHERE serial = ?1) - ?2))";
    let forgotten = signed(tx.execute(sql, &[&serial.as_str(), &remembered])?);
    let sql = "UPDATE terminal SET forwarded = forwarded - ?2 WHERE serial = ?1";
    tx.execute(sql, &[&serial.as_str(), &forgotten])?;
    Ok(())
}

fn counts(tx: &Transaction<'_>) -> Result<BTreeMap<SerialNumber, Counts>, StoreError> {
    let counts = tx.all("SELECT serial, waiting, forwarded FROM terminal", &[], |row| {
        let number = |column| Ok::<_, StoreError>(row.get::<i64>(column)?.cast_unsigned());
        let counts = Counts { waiting: number(1)?, forwarded: number(2)? };
        // Only what is a serial number was put.
        Ok(SerialNumber::parse(&row.get::<String>(0)?).ok().map(|serial| (serial, counts)))
    })?;
    Ok(counts.into_iter().flatten().collect())
}

/// A civil time as a number; every one has one.
fn seconds(time: NaiveDateTime) -> i64 {
    time.and_utc().timestamp()
}

fn civil(seconds: i64) -> NaiveDateTime {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc()
}

/// A number of rows, for SQL.
fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
