use rusqlite::{Connection, params};
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
