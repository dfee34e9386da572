use std::path::Path;

use chrono::{DateTime, Utc};
use gateway::store::{Connection, StoreError, Transaction, Writer};
use punch_erp::Outcome;
use punch_webhook::{DeliveryId, EndpointId, Lane, ReceivedPunch, Record, Waiting};

use crate::worker::Reach;

/// The ERP, as the queue's only endpoint.
pub(crate) const ERP: EndpointId = EndpointId(1);

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS inbox (
        id         INTEGER PRIMARY KEY,
        event_id   TEXT NOT NULL UNIQUE,
        lane       INTEGER NOT NULL,
        punched_at INTEGER,                          -- milliseconds; none in files of the first version
        created_at INTEGER NOT NULL,
        state      TEXT NOT NULL DEFAULT 'waiting',  -- waiting, done, parked
        attempts   INTEGER NOT NULL DEFAULT 0,
        reason     TEXT,
        remote_id  TEXT,
        body       BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS inbox_waiting ON inbox (id) WHERE state = 'waiting';
";

const PUNCHED_AT: &str = "ALTER TABLE inbox ADD COLUMN punched_at INTEGER";

const BY_PERSON: &str = "CREATE INDEX IF NOT EXISTS inbox_lane ON inbox (lane, punched_at)";

/// The events received, on disk.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    writer: Writer,
}

/// How many events are where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// On their way to the ERP.
    pub waiting: u64,
    /// In the ERP.
    pub done: u64,
    /// Set aside until somebody acts.
    pub parked: u64,
}

impl Table {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let writer = Writer::over_file(path, |connection| {
            connection.batch(SCHEMA)?;
            if connection.all("SELECT punched_at FROM inbox LIMIT 0", &[], |_| Ok(())).is_err() {
                connection.batch(PUNCHED_AT)?;
            }
            connection.batch(BY_PERSON)
        })?;
        Ok(Self { writer })
    }

    /// Remembers an event about a punch. `None` if it was remembered before.
    pub(crate) async fn remember(
        &self,
        event_id: String,
        punch: &ReceivedPunch,
        body: Vec<u8>,
        now: DateTime<Utc>,
    ) -> Result<Option<Waiting>, StoreError> {
        let (lane, punched_at) = (Lane::of(punch.badge.as_bytes()), punch.at.timestamp_millis());
        let insert = move |tx: &mut Transaction<'_>| {
            let id = tx.first(
                "INSERT INTO inbox (event_id, lane, punched_at, created_at, body) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (event_id) DO NOTHING RETURNING id",
                &[&event_id, &lane.0.cast_signed(), &punched_at, &now.timestamp_millis(), &body],
                |row| row.get(0),
            )?;
            Ok(id.map(|id: i64| Waiting::new(DeliveryId(id.cast_unsigned()), ERP, lane, now)))
        };
        self.writer.run(insert).await
    }

    /// What an earlier life left undone.
    pub(crate) async fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        self.writer.run(|tx| waiting(tx)).await
    }

    /// The body of an event.
    pub(crate) async fn body(&self, delivery: DeliveryId) -> Result<Vec<u8>, StoreError> {
        self.writer
            .run(move |tx| {
                let id = delivery.0.cast_signed();
                tx.value("SELECT body FROM inbox WHERE id = ?1", &[&id])
            })
            .await
    }

    /// The other events of a lane within reach, with their bodies.
    pub(crate) async fn around(
        &self,
        delivery: DeliveryId,
        at: DateTime<Utc>,
        reach: Reach,
    ) -> Result<Vec<(DeliveryId, Vec<u8>)>, StoreError> {
        let Reach { time, waiting_only } = reach;
        let (at, reach) = (at.timestamp_millis(), time.num_milliseconds());
        self.writer
            .run(move |tx| {
                let (id, first, last) = (delivery.0.cast_signed(), at - reach, at + reach);
                tx.all(
                    "SELECT id, body FROM inbox WHERE lane = (SELECT lane FROM inbox WHERE id = ?1)
                     AND punched_at BETWEEN ?2 AND ?3 AND id <> ?1 
                     AND (NOT ?4 OR state = 'waiting' OR reason LIKE '%orphan_out' OR reason LIKE '%alternation')
                     ORDER BY id",
                    &[&id, &first, &last, &waiting_only],
                    |row| Ok((DeliveryId(row.get::<i64>(0)?.cast_unsigned()), row.get(1)?)),
                )
            })
            .await
    }

    /// Makes what the queue decided durable, and with it what became of others that are not in the queue any more.
    pub(crate) async fn persist(
        &self,
        records: Vec<Record>,
        remote_id: Option<String>,
        others: Vec<(DeliveryId, Outcome)>,
    ) -> Result<(), StoreError> {
        self.writer
            .run(move |tx| {
                records.iter().try_for_each(|record| persist(tx, record, remote_id.as_deref()))?;
                others.iter().try_for_each(|(delivery, outcome)| revise(tx, *delivery, outcome))
            })
            .await
    }

    pub(crate) async fn progress(&self) -> Result<Progress, StoreError> {
        self.writer
            .run(|tx| {
                let count = |state: &str| -> Result<u64, StoreError> {
                    let sql = "SELECT count(*) FROM inbox WHERE state = ?1";
                    Ok(tx.value::<i64>(sql, &[&state])?.cast_unsigned())
                };
                Ok(Progress { waiting: count("waiting")?, done: count("done")?, parked: count("parked")? })
            })
            .await
    }
}

fn waiting(connection: &Connection) -> Result<Vec<Waiting>, StoreError> {
    let sql = "SELECT id, lane, created_at, attempts FROM inbox WHERE state = 'waiting' ORDER BY id";
    connection.all(sql, &[], |row| {
        let (id, lane): (i64, i64) = (row.get(0)?, row.get(1)?);
        let created_at = DateTime::from_timestamp_millis(row.get(2)?).unwrap_or_default();
        let mut waiting = Waiting::new(DeliveryId(id.cast_unsigned()), ERP, Lane(lane.cast_unsigned()), created_at);
        waiting.progress.attempts = row.get(3)?;
        Ok(waiting)
    })
}

/// A punch that came later can complete one that was parked, or leave one that was done without its arrival.
fn revise(tx: &Transaction<'_>, delivery: DeliveryId, outcome: &Outcome) -> Result<(), StoreError> {
    let state = match outcome {
        Outcome::Applied { .. } | Outcome::AlreadyThere { .. } => "done",
        Outcome::Park(_) => "parked",
        Outcome::Retry { .. } => return Ok(()),
    };
    tx.execute(
        "UPDATE inbox SET state = ?2, reason = ?3, remote_id = ?4 WHERE id = ?1 AND state <> 'waiting'",
        &[&delivery.0.cast_signed(), &state, &outcome.reason(), &outcome.remote_id()],
    )?;
    Ok(())
}

fn persist(tx: &Transaction<'_>, record: &Record, remote_id: Option<&str>) -> Result<(), StoreError> {
    let (delivery, state, attempts, reason) = match record {
        Record::Delivered { delivery, attempts, .. } => (delivery, "done", *attempts, None),
        Record::Failed { delivery, attempts, reason, .. } => (delivery, "parked", *attempts, Some(reason.to_string())),
        Record::Waiting { delivery, progress } => (delivery, "waiting", progress.attempts, None),
        // The ERP's state is found out again after a restart.
        _ => return Ok(()),
    };
    tx.execute(
        "UPDATE inbox SET state = ?2, attempts = ?3, reason = ?4, remote_id = ?5 WHERE id = ?1",
        &[&delivery.0.cast_signed(), &state, &attempts, &reason, &remote_id],
    )?;
    Ok(())
}
