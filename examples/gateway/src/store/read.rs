use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;
use serde_json::Value;

use super::{StoreError, from_millis};

/// How many rows met which fate, and how the deliveries stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Punches accepted for delivery.
    pub delivered_rows: u64,
    /// Second punches within the window.
    pub suppressed_rows: u64,
    /// Rows kept aside.
    pub held_rows: u64,
    /// Rows that are no punches.
    pub recorded_rows: u64,
    /// Deliveries on their way.
    pub waiting: u64,
    /// Deliveries made.
    pub delivered: u64,
    /// Deliveries given up, visible and replayable.
    pub failed: u64,
}

impl Counts {
    /// Counts everything.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn read(connection: &Connection) -> Result<Self, StoreError> {
        let mut counts = Self::default();
        for (table, column) in [("row", "fate"), ("delivery", "state")] {
            let mut statement = connection.prepare(&format!("SELECT {column}, count(*) FROM {table} GROUP BY 1"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (word, count): (String, u64) = (row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned());
                match (table, word.as_str()) {
                    ("row", "delivered") => counts.delivered_rows = count,
                    ("row", "suppressed") => counts.suppressed_rows = count,
                    ("row", "held") => counts.held_rows = count,
                    ("row", _) => counts.recorded_rows = count,
                    (_, "waiting") => counts.waiting = count,
                    (_, "delivered") => counts.delivered = count,
                    _ => counts.failed = count,
                }
            }
        }
        Ok(counts)
    }
}

/// A row kept aside.
#[derive(Debug, Clone, Serialize)]
pub struct HeldRow {
    /// Its identity.
    pub id: String,
    /// The terminal.
    pub device_serial: String,
    /// Why, as a word.
    pub reason: String,
    /// Where and why in detail, for rows that could not be read.
    pub problem: Option<String>,
    /// When it arrived.
    pub received_at: String,
    /// The row as text.
    pub raw: String,
}

impl HeldRow {
    /// A page of them, newest first.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn page(connection: &Connection, limit: u32, offset: u32) -> Result<Vec<Self>, StoreError> {
        let mut statement = connection.prepare(
            "SELECT id, serial, reason, problem, received_at, raw FROM row WHERE fate = 'held'
             ORDER BY seq DESC LIMIT ?1 OFFSET ?2",
        )?;
        let rows = statement.query_map(params![limit, offset], |row| {
            Ok(Self {
                id: row.get(0)?,
                device_serial: row.get(1)?,
                reason: row.get(2)?,
                problem: row.get(3)?,
                received_at: from_millis(row.get(4)?).to_rfc3339(),
                raw: String::from_utf8_lossy(&row.get::<_, Vec<u8>>(5)?).into_owned(),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// A punch, as its nested payload says it.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct AttendanceRow(pub Value);

impl AttendanceRow {
    /// A page of them, newest first.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn page(connection: &Connection, limit: u32, offset: u32) -> Result<Vec<Self>, StoreError> {
        let mut statement = connection.prepare(
            "SELECT bytes FROM event JOIN body ON body.event_id = event.id AND body.format = 'nested'
             WHERE event.type = 'attendance.punch' ORDER BY seq DESC LIMIT ?1 OFFSET ?2",
        )?;
        let rows = statement.query_map(params![limit, offset], |row| row.get::<_, Vec<u8>>(0))?;
        let mut page = Vec::new();
        for row in rows {
            page.extend(serde_json::from_slice(&row?).ok().map(Self));
        }
        Ok(page)
    }
}

/// When a punch was where: received, and every attempt to deliver it.
#[derive(Debug, Clone, Serialize)]
pub struct Timeline {
    /// The identity.
    pub event_id: String,
    /// What became of the row.
    pub fate: String,
    /// When the row arrived.
    pub received_at: String,
    /// One entry a delivery.
    pub deliveries: Vec<DeliveryTimeline>,
}

/// One delivery of a punch.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryTimeline {
    /// Where to.
    pub url: String,
    /// `waiting`, `delivered` or `failed`.
    pub state: String,
    /// Why it failed.
    pub reason: Option<String>,
    /// When it was settled.
    pub settled_at: Option<String>,
    /// The attempts, in order.
    pub attempts: Vec<AttemptLine>,
}

/// One attempt of a delivery.
#[derive(Debug, Clone, Serialize)]
pub struct AttemptLine {
    /// Its number, from 1.
    pub number: u32,
    /// When it began.
    pub at: String,
    /// The answer's status.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// How long it took.
    pub millis: i64,
}

impl Timeline {
    /// The way of one punch.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn of(connection: &Connection, event_id: &str) -> Result<Option<Self>, StoreError> {
        let row = connection.query_row("SELECT fate, received_at FROM row WHERE id = ?1", [event_id], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        });
        let Some((fate, received_at)) = row.optional()? else { return Ok(None) };
        let mut statement = connection.prepare(
            "SELECT delivery.id, url, state, reason, settled_at FROM delivery
             JOIN endpoint ON endpoint.id = delivery.endpoint WHERE event_id = ?1 ORDER BY delivery.id",
        )?;
        let mut rows = statement.query([event_id])?;
        let mut deliveries = Vec::new();
        while let Some(row) = rows.next()? {
            deliveries.push(DeliveryTimeline {
                attempts: attempts(connection, row.get(0)?)?,
                url: row.get(1)?,
                state: row.get(2)?,
                reason: row.get(3)?,
                settled_at: row.get::<_, Option<i64>>(4)?.map(|at| from_millis(at).to_rfc3339()),
            });
        }
        let received_at = from_millis(received_at).to_rfc3339();
        Ok(Some(Self { event_id: event_id.to_owned(), fate, received_at, deliveries }))
    }
}

fn attempts(connection: &Connection, delivery: i64) -> Result<Vec<AttemptLine>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT number, at, status, error, millis FROM attempt WHERE delivery = ?1 ORDER BY at, number",
    )?;
    let rows = statement.query_map([delivery], |row| {
        Ok(AttemptLine {
            number: row.get(0)?,
            at: from_millis(row.get(1)?).to_rfc3339(),
            status: row.get(2)?,
            error: row.get(3)?,
            millis: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
