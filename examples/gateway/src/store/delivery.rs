use chrono::{DateTime, Utc};
use punch_normalize::EventId;
use punch_webhook::{
    DeliveryId, EndpointId, EndpointState, Health, Lane, PayloadFormat, Progress, Record, Schedule, Secret, StoredBody,
    Waiting,
};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{StoreError, Transaction, from_millis, millis};
use crate::config::EndpointConfig;

/// A webhook endpoint.
#[derive(Debug)]
pub struct EndpointRow {
    /// Its id in the queue.
    pub id: EndpointId,
    /// Where events are posted.
    pub url: String,
    /// What signs them.
    pub secret: Secret,
    /// The shape of the body.
    pub format: PayloadFormat,
    /// When failed attempts are repeated.
    pub schedule: Schedule,
    /// The types of events it wants.
    pub events: Vec<String>,
    /// What the queue last recorded about it.
    pub state: EndpointState,
    /// The name of the schedule.
    pub schedule_name: String,
    /// Whether somebody has removed it. What waits for it stays.
    pub is_removed: bool,
}

impl EndpointRow {
    /// Every endpoint, oldest first.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn all(connection: &Connection) -> Result<Vec<Self>, StoreError> {
        let mut statement = connection.prepare(
            "SELECT id, url, secret, format, schedule, health, since, failures, next_probe_at, deadlines_from,
                    events, removed_at IS NOT NULL
             FROM endpoint ORDER BY id",
        )?;
        let mut rows = statement.query([])?;
        let mut endpoints = Vec::new();
        while let Some(row) = rows.next()? {
            let mut state = EndpointState::default();
            state.health = health_of(&row.get::<_, String>(5)?);
            state.since = row.get::<_, Option<i64>>(6)?.map(from_millis);
            state.failures = row.get(7)?;
            state.next_probe_at = row.get::<_, Option<i64>>(8)?.map(from_millis);
            state.deadlines_from = row.get::<_, Option<i64>>(9)?.map(from_millis);
            let url: String = row.get(1)?;
            // An empty secret cannot be written, so this only skips a damaged row.
            let Ok(secret) = Secret::new(row.get::<_, String>(2)?) else { continue };
            endpoints.push(Self {
                id: EndpointId(row.get::<_, i64>(0)?.cast_unsigned()),
                url,
                secret,
                format: row.get::<_, String>(3)?.parse().unwrap_or_default(),
                schedule: Schedule::named(&row.get::<_, String>(4)?).unwrap_or_default(),
                schedule_name: row.get(4)?,
                is_removed: row.get(11)?,
                events: row.get::<_, String>(10)?.split(',').map(ToOwned::to_owned).collect(),
                state,
            });
        }
        Ok(endpoints)
    }

    /// Adds an endpoint, or changes the one with this URL.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub fn put(tx: &Transaction<'_>, endpoint: &EndpointConfig, now: DateTime<Utc>) -> Result<EndpointId, StoreError> {
        let EndpointConfig { url, secret, format, schedule, events } = endpoint;
        let id: i64 = tx.query_row(
            "INSERT INTO endpoint (url, secret, format, schedule, events, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (url) DO UPDATE SET secret = excluded.secret, format = excluded.format,
                 schedule = excluded.schedule, events = excluded.events, removed_at = NULL
             RETURNING id",
            params![url, secret.expose(), format.as_str(), schedule, events.join(","), millis(now)],
            |row| row.get(0),
        )?;
        Ok(EndpointId(id.cast_unsigned()))
    }
}

impl EndpointRow {
    /// Notes that nobody wants it any more.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn remove(tx: &Transaction<'_>, id: EndpointId, now: DateTime<Utc>) -> Result<(), StoreError> {
        tx.execute("UPDATE endpoint SET removed_at = ?2 WHERE id = ?1", params![id.0.cast_signed(), millis(now)])?;
        Ok(())
    }
}

fn health_of(word: &str) -> Health {
    let all = [Health::Healthy, Health::BackingOff, Health::Paused, Health::Disabled];
    all.into_iter().find(|health| health.as_str() == word).unwrap_or_default()
}

/// What one attempt sends.
#[derive(Debug)]
pub struct Outgoing {
    /// The event.
    pub event_id: EventId,
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
        let mut statement = connection.prepare_cached(
            "SELECT delivery.event_id, body.bytes FROM delivery
             JOIN endpoint ON endpoint.id = delivery.endpoint
             JOIN body ON body.event_id = delivery.event_id AND body.format IN (endpoint.format, 'nested')
             WHERE delivery.id = ?1 ORDER BY body.format = endpoint.format DESC LIMIT 1",
        )?;
        let row = statement
            .query_row([delivery.0.cast_signed()], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)));
        Ok(row
            .optional()?
            .and_then(|(id, bytes)| Some(Self { event_id: EventId::parse(&id).ok()?, body: StoredBody::new(bytes) })))
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
    pub response: Option<String>,
}

impl AttemptRow {
    /// Writes it to the log.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub fn insert(&self, tx: &Transaction<'_>) -> Result<(), StoreError> {
        tx.prepare_cached(
            "INSERT OR IGNORE INTO attempt (delivery, number, at, status, error, millis, response)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            self.delivery.0.cast_signed(),
            self.number,
            millis(self.at),
            self.status,
            self.error,
            i64::try_from(self.millis).unwrap_or(i64::MAX),
            self.response,
        ])?;
        Ok(())
    }
}

/// Everything undelivered with an id above `after`, in the order it was made, at most `limit`.
///
/// # Errors
///
/// The store cannot be read.
pub(crate) fn waiting(connection: &Connection, after: u64, limit: u32) -> Result<Vec<Waiting>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, endpoint, lane, created_at, attempts, slots_used, not_before, blocking_since
         FROM delivery WHERE state = 'waiting' AND id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let rows = statement.query_map(params![after.cast_signed(), limit], |row| {
        let id = |index| Ok::<u64, rusqlite::Error>(row.get::<_, i64>(index)?.cast_unsigned());
        let mut progress = Progress::default();
        progress.attempts = row.get(4)?;
        progress.slots_used = row.get(5)?;
        progress.not_before = row.get::<_, Option<i64>>(6)?.map(from_millis);
        progress.blocking_since = row.get::<_, Option<i64>>(7)?.map(from_millis);
        let created_at = from_millis(row.get(3)?);
        let mut waiting = Waiting::new(DeliveryId(id(0)?), EndpointId(id(1)?), Lane(id(2)?), created_at);
        waiting.progress = progress;
        Ok(waiting)
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
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
            tx.prepare_cached(
                "UPDATE delivery SET attempts = ?2, slots_used = ?3, not_before = ?4, blocking_since = ?5 WHERE id = ?1",
            )?
            .execute(params![
                delivery.0.cast_signed(),
                progress.attempts,
                progress.slots_used,
                progress.not_before.map(millis),
                progress.blocking_since.map(millis),
            ])?;
            Ok(())
        }
        Record::Endpoint { endpoint, state } => {
            tx.prepare_cached(
                "UPDATE endpoint SET health = ?2, since = ?3, failures = ?4, next_probe_at = ?5, deadlines_from = ?6
                 WHERE id = ?1",
            )?
            .execute(params![
                endpoint.0.cast_signed(),
                state.health.as_str(),
                state.since.map(millis),
                state.failures,
                state.next_probe_at.map(millis),
                state.deadlines_from.map(millis),
            ])?;
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
    tx.prepare_cached(
        "UPDATE delivery SET state = ?2, attempts = ?3, reason = ?4, settled_at = ?5, not_before = NULL WHERE id = ?1",
    )?
    .execute(params![delivery.0.cast_signed(), state, attempts, reason, millis(at)])?;
    Ok(())
}
