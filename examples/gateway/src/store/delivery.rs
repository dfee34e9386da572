use std::sync::Arc;

use chrono::{DateTime, Utc};
use punch_normalize::EventId;
use punch_webhook::{DeliveryId, EndpointId, Lane, PayloadFormat, Progress, Record, StoredBody, Waiting};

use super::sql::{Connection, Row};
use super::{StoreError, Transaction, from_millis, millis};

/// What one attempt sends.
#[derive(Debug)]
pub struct Outgoing {
    /// The event.
    pub event_id: EventId,
    /// The shape of its body.
    pub format: PayloadFormat,
    /// Its stored body.
    pub body: StoredBody,
}

impl Outgoing {
    /// The event and body of a delivery. What was made before the endpoint changed its format goes out nested.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn of(connection: &Connection, delivery: DeliveryId) -> Result<Option<Self>, StoreError> {
        let row = connection.first(
            "SELECT event.id, coalesce(body.bytes, event.nested), coalesce(body.format, 'nested') FROM delivery
             JOIN endpoint ON endpoint.id = delivery.endpoint JOIN event ON event.seq = delivery.event
             LEFT JOIN body ON body.event = delivery.event AND body.format = endpoint.format
             WHERE delivery.id = ?1 AND coalesce(body.bytes, event.nested) IS NOT NULL",
            &[&delivery.0.cast_signed()],
            |row| {
                let (id, format): (String, String) = (row.get(0)?, row.get(2)?);
                let (body, format) = (StoredBody::new(row.get(1)?), format.parse().unwrap_or_default());
                Ok(EventId::parse(&id).ok().map(|event_id| Self { event_id, format, body }))
            },
        );
        Ok(row?.flatten())
    }

    /// Those of several deliveries; `None` where there is no body.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn all(connection: &Connection, deliveries: &[DeliveryId]) -> Result<Vec<Option<Self>>, StoreError> {
        deliveries.iter().map(|&delivery| Self::of(connection, delivery)).collect()
    }
}

/// One attempt, for the log.
#[derive(Debug, Clone)]
pub struct AttemptRow {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its number, from 1.
    pub number: u32,
    /// When it began.
    pub at: DateTime<Utc>,
    /// The answer's status, if there was an answer.
    pub status: Option<u16>,
    /// Why there was none.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// The first of what was answered.
    pub response: Option<Arc<str>>,
    /// The shape of the body that was sent, if one was.
    pub format: Option<PayloadFormat>,
    /// The headers that were sent, one a line.
    pub headers: Option<Arc<str>>,
}

impl AttemptRow {
    /// Writes it to the log.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub fn insert(&self, tx: &Transaction<'_>) -> Result<(), StoreError> {
        tx.execute(
            "INSERT INTO attempt (delivery, number, at, status, error, millis, response, format, headers)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
            &[
                &self.delivery.0.cast_signed(),
                &self.number,
                &millis(self.at),
                &self.status,
                &self.error,
                &i64::try_from(self.millis).unwrap_or(i64::MAX),
                &self.response.as_deref(),
                &self.format.map(PayloadFormat::as_str),
                &self.headers.as_deref(),
            ],
        )?;
        Ok(())
    }
}

/// Everything undelivered with an id above `after`, in the order it was made, at most `limit`.
///
/// # Errors
///
/// The store cannot be read.
pub(crate) fn waiting(connection: &Connection, after: u64, limit: u32) -> Result<Vec<Waiting>, StoreError> {
    let sql = format!("{WAITING} AND id > ?1 ORDER BY id LIMIT ?2");
    connection.all(&sql, &[&after.cast_signed(), &limit], read_waiting)
}

pub(super) const WAITING: &str = "
    SELECT id, endpoint, lane, created_at, attempts, slots_used, not_before, blocking_since
    FROM delivery WHERE state = 'waiting'";

pub(super) fn read_waiting(row: &Row<'_>) -> Result<Waiting, StoreError> {
    let id = |index| Ok::<u64, StoreError>(row.get::<i64>(index)?.cast_unsigned());
    let mut progress = Progress::default();
    progress.attempts = row.get(4)?;
    progress.slots_used = row.get(5)?;
    progress.not_before = row.get::<Option<i64>>(6)?.map(from_millis);
    progress.blocking_since = row.get::<Option<i64>>(7)?.map(from_millis);
    let created_at = from_millis(row.get(3)?);
    let mut waiting = Waiting::new(DeliveryId(id(0)?), EndpointId(id(1)?), Lane(id(2)?), created_at);
    waiting.progress = progress;
    Ok(waiting)
}

/// Makes one record of the queue durable.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn persist(tx: &Transaction<'_>, record: &Record) -> Result<(), StoreError> {
    match record {
        Record::Delivered { delivery, attempts, at } => settle(tx, *delivery, "delivered", *attempts, None, *at),
        Record::Failed { delivery, attempts, reason, at } => {
            settle(tx, *delivery, "failed", *attempts, Some(reason.to_string()), *at)
        }
        Record::Waiting { delivery, progress } => {
            tx.execute("UPDATE delivery SET attempts = ?2, slots_used = ?3, not_before = ?4, blocking_since = ?5 WHERE id = ?1", &[&delivery.0.cast_signed(), &progress.attempts, &progress.slots_used, &progress.not_before.map(millis), &progress.blocking_since.map(millis)])?;
            Ok(())
        }
        Record::Endpoint { endpoint, state } => {
            tx.execute(
                "UPDATE endpoint SET health = ?2, since = ?3, failures = ?4, next_probe_at = ?5, deadlines_from = ?6
                 WHERE id = ?1",
                &[
                    &endpoint.0.cast_signed(),
                    &state.health.as_str(),
                    &state.since.map(millis),
                    &state.failures,
                    &state.next_probe_at.map(millis),
                    &state.deadlines_from.map(millis),
                ],
            )?;
            Ok(())
        }
        Record::HeadBypassed { endpoint, head, next, .. } => {
            // The lane is a hash of the badge, so it stays out of the log.
            tracing::warn!(endpoint = endpoint.0, head = head.0, next = next.0, "goes ahead of a failing delivery");
            Ok(())
        }
        _ => Ok(()),
    }
}

fn settle(
    tx: &Transaction<'_>,
    delivery: DeliveryId,
    state: &str,
    attempts: u32,
    reason: Option<String>,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE delivery SET state = ?2, attempts = ?3, reason = ?4, settled_at = ?5, not_before = NULL WHERE id = ?1",
        &[&delivery.0.cast_signed(), &state, &attempts, &reason, &millis(at)],
    )?;
    Ok(())
}
