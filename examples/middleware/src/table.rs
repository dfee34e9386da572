use std::path::Path;

use chrono::{DateTime, Utc};
use gateway::store::{Connection, StoreError, Transaction, Writer};
use punch_erp::Outcome;
use punch_webhook::{DeliveryId, EndpointId, Lane, ReceivedPunch, Record, Waiting};

use crate::worker::Reach;

/// The ERP, as the queue's only endpoint.
pub(crate) const ERP: EndpointId = EndpointId(1);

/// What stands before a site's name where its watermark is kept.
const WATERMARK: &str = "watermark:";

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS inbox (
        id         INTEGER PRIMARY KEY,
        event_id   TEXT NOT NULL UNIQUE,
        source_key TEXT,                             -- what a source knows the same event by under another id
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
    CREATE TABLE IF NOT EXISTS source_mark (
        name TEXT PRIMARY KEY,
        mark TEXT NOT NULL
    );
";

/// What files of earlier versions lack.
const ADDED: [(&str, &str); 2] = [
    ("SELECT punched_at FROM inbox LIMIT 0", "ALTER TABLE inbox ADD COLUMN punched_at INTEGER"),
    ("SELECT source_key FROM inbox LIMIT 0", "ALTER TABLE inbox ADD COLUMN source_key TEXT"),
];

const INDEXES: &str = "
    CREATE INDEX IF NOT EXISTS inbox_lane ON inbox (lane, punched_at);
    CREATE INDEX IF NOT EXISTS inbox_open ON inbox (punched_at) WHERE state <> 'done';
    CREATE UNIQUE INDEX IF NOT EXISTS inbox_source_key ON inbox (source_key);
";

/// A punch to be remembered.
#[derive(Debug)]
pub(crate) struct Letter {
    /// The event's id: it is taken once.
    pub(crate) event_id: String,
    /// Another key that it is taken once by.
    pub(crate) source_key: Option<String>,
    pub(crate) lane: Lane,
    pub(crate) punched_at: DateTime<Utc>,
    /// The event, as the worker reads it.
    pub(crate) body: Vec<u8>,
}

impl Letter {
    pub(crate) fn new(event_id: String, punch: &ReceivedPunch, body: Vec<u8>) -> Self {
        Self { event_id, source_key: None, lane: Lane::of(punch.badge.as_bytes()), punched_at: punch.at, body }
    }
}

/// The events received, on disk.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    writer: Writer,
}

/// How an event stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its first attempt is under way, or to come.
    Waiting,
    /// An attempt failed, and another one is to come.
    Failed,
    /// In the ERP.
    Done,
    /// Set aside, for this reason.
    Parked(String),
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
            for (look, add) in ADDED {
                if connection.all(look, &[], |_| Ok(())).is_err() {
                    connection.batch(add)?;
                }
            }
            connection.batch(INDEXES)
        })?;
        Ok(Self { writer })
    }

    /// Remembers events about punches, all or none. What is new among them is to be written; what was remembered before is
    /// `None`.
    pub(crate) async fn remember(
        &self,
        letters: Vec<Letter>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Option<Waiting>>, StoreError> {
        self.writer.run(move |tx| letters.iter().map(|letter| remember(tx, letter, now)).collect()).await
    }

    /// Keeps what cannot be read, for a person to look at. `key` keeps it from being kept twice.
    pub(crate) async fn put_away(
        &self,
        key: String,
        reason: &'static str,
        raw: String,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.writer
            .run(move |tx| {
                tx.execute(
                    "INSERT INTO inbox (event_id, lane, created_at, state, reason, body) VALUES (?1, 0, ?2, 'parked', ?3, ?4)
                     ON CONFLICT DO NOTHING",
                    &[&key, &now.timestamp_millis(), &reason, &raw.into_bytes()],
                )
                .map(drop)
            })
            .await
    }

    /// How far a source was read.
    pub(crate) async fn mark(&self, name: &'static str) -> Result<Option<String>, StoreError> {
        self.writer
            .run(move |tx| tx.first("SELECT mark FROM source_mark WHERE name = ?1", &[&name], |row| row.get(0)))
            .await
    }

    /// Remembers how far a source was read: everything before is in the table.
    pub(crate) async fn set_mark(&self, name: &'static str, mark: String) -> Result<(), StoreError> {
        self.writer
            .run(move |tx| {
                tx.execute(
                    "INSERT INTO source_mark (name, mark) VALUES (?1, ?2)
                     ON CONFLICT (name) DO UPDATE SET mark = excluded.mark",
                    &[&name, &mark],
                )
                .map(drop)
            })
            .await
    }

    /// Remembers up to when a site has told everything. It never goes back.
    pub(crate) async fn set_watermark(&self, site: &str, complete_to: DateTime<Utc>) -> Result<(), StoreError> {
        let (name, mark) = (format!("{WATERMARK}{site}"), complete_to.timestamp_millis().to_string());
        self.writer
            .run(move |tx| {
                tx.execute(
                    "INSERT INTO source_mark (name, mark) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET mark = excluded.mark
                     WHERE CAST(source_mark.mark AS INTEGER) < CAST(excluded.mark AS INTEGER)",
                    &[&name, &mark],
                )
                .map(drop)
            })
            .await
    }

    /// Up to when everything of every site is written: no further than a punch that waits or is parked. `None` while no site
    /// has said so.
    pub(crate) async fn written_to(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let written_to = self.writer.run(|tx| {
            let sites = "SELECT min(CAST(mark AS INTEGER)) FROM source_mark WHERE name LIKE ?1";
            let told: Option<i64> = tx.value(sites, &[&format!("{WATERMARK}%")])?;
            let open: Option<i64> = tx.value("SELECT min(punched_at) FROM inbox WHERE state <> 'done'", &[])?;
            Ok(told.map(|told| open.map_or(told, |open| open.min(told))))
        });
        Ok(written_to.await?.and_then(DateTime::from_timestamp_millis))
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

    /// How an event stands.
    pub(crate) async fn standing(&self, event_id: String) -> Result<Standing, StoreError> {
        let sql = "SELECT state, attempts, reason FROM inbox WHERE event_id = ?1";
        let found = self.writer.run(move |tx| {
            tx.first(sql, &[&event_id], |row| {
                Ok((row.get::<String>(0)?, row.get::<i64>(1)?, row.get::<Option<String>>(2)?))
            })
        });
        Ok(match found.await? {
            Some((state, _, _)) if state == "done" => Standing::Done,
            Some((state, _, reason)) if state == "parked" => Standing::Parked(reason.unwrap_or_default()),
            Some((_, attempts, _)) if attempts > 0 => Standing::Failed,
            Some(_) | None => Standing::Waiting,
        })
    }

    /// Has an event that was parked written again.
    pub(crate) async fn revive(&self, event_id: String, now: DateTime<Utc>) -> Result<Option<Waiting>, StoreError> {
        let sql = "UPDATE inbox SET state = 'waiting', attempts = 0 WHERE event_id = ?1 AND state = 'parked'
                   RETURNING id, lane";
        let found =
            self.writer.run(move |tx| tx.first(sql, &[&event_id], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?))));
        let waiting =
            |(id, lane): (i64, i64)| Waiting::new(DeliveryId(id.cast_unsigned()), ERP, Lane(lane.cast_unsigned()), now);
        Ok(found.await?.map(waiting))
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

fn remember(tx: &Transaction<'_>, letter: &Letter, now: DateTime<Utc>) -> Result<Option<Waiting>, StoreError> {
    let Letter { event_id, source_key, lane, punched_at, body } = letter;
    let (punched_at, created_at) = (punched_at.timestamp_millis(), now.timestamp_millis());
    let id = tx.first(
        "INSERT INTO inbox (event_id, source_key, lane, punched_at, created_at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO NOTHING RETURNING id",
        &[event_id, source_key, &lane.0.cast_signed(), &punched_at, &created_at, body],
        |row| row.get(0),
    )?;
    Ok(id.map(|id: i64| Waiting::new(DeliveryId(id.cast_unsigned()), ERP, *lane, now)))
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
