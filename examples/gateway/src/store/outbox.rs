//! Deliveries as people look at them: which, to whom, what was answered; and those that are made again.

use core::ops::ControlFlow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use punch_normalize::EventId;
use punch_webhook::{DeliveryId, EndpointId, Event, Lane, PayloadFormat, StoredBody, Waiting};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::delivery::Outgoing;
use super::lease::look_again;
use super::part::{Part, total};
use super::sql::{Clause, Connection, Row};
use super::timeline::{AttemptLine, attempts};
use super::{StoreError, Transaction, from_millis, millis, written};

/// Which deliveries are looked at.
#[derive(Debug, Clone, Default)]
pub struct Deliveries {
    /// To this endpoint.
    pub endpoint: Option<u64>,
    /// `waiting`, `delivered` or `failed`.
    pub state: Option<String>,
    /// Of this event.
    pub event_id: Option<String>,
    /// Of events of this type.
    pub event_type: Option<String>,
    /// Of a punch, or of what was told of one anew, at the terminal with this serial.
    pub device: Option<String>,
    /// Made then or later; what is sent again is made again.
    pub since: Option<DateTime<Utc>>,
    /// Made before then.
    pub until: Option<DateTime<Utc>>,
    /// Of this one delivery.
    pub id: Option<u64>,
}

/// A delivery.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeliveryRow {
    /// Its number.
    pub id: u64,
    /// The number of its endpoint.
    pub endpoint_id: u64,
    /// Where it goes.
    pub url: String,
    /// The event.
    pub event_id: String,
    /// What the event is about.
    pub event_type: String,
    /// `waiting`, `delivered` or `failed`.
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it failed.
    pub reason: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// Not before then is it tried again.
    pub next_at: Option<String>,
    /// When it was settled.
    pub settled_at: Option<String>,
}

const COLUMNS: &str = "delivery.id, delivery.endpoint, url, event.id, event.type, delivery.state,
                       delivery.attempts, delivery.reason, delivery.created_at, delivery.not_before, delivery.settled_at";
const TABLES: &str =
    "delivery JOIN endpoint ON endpoint.id = delivery.endpoint JOIN event ON event.seq = delivery.event";

/// The terminal of a punch, or of the punch that a revision is about.
const SERIAL: &str = "(SELECT serial FROM row WHERE row.id =
    coalesce((SELECT punch FROM revision WHERE revision.event_id = event.id), event.id))";

impl Deliveries {
    /// A page of them, newest first.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn page(&self, connection: &Connection, limit: u32, offset: u32) -> Result<Vec<DeliveryRow>, StoreError> {
        self.part(connection, Part { offset, ..Part::newest(limit) })
    }

    /// A part of them.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn part(&self, connection: &Connection, part: Part) -> Result<Vec<DeliveryRow>, StoreError> {
        let mut clause = self.clause(connection)?;
        let tail = part.cut(&mut clause, "delivery.id");
        let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE {} {tail}", clause.after("TRUE"));
        connection.all(&sql, &clause.values(), DeliveryRow::read)
    }

    /// How many there are, if they are not too many to be counted.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn total(&self, connection: &Connection) -> Result<Option<u64>, StoreError> {
        total(connection, TABLES, &self.clause(connection)?)
    }

    fn clause(&self, connection: &Connection) -> Result<Clause, StoreError> {
        let mut clause = Clause::default();
        if let Some(id) = &self.event_id {
            match event_of(connection, id)? {
                Some(event) => clause.and("delivery.event =", event),
                None => clause.also("FALSE"),
            }
        }
        for (condition, number) in [("delivery.id =", self.id), ("delivery.endpoint =", self.endpoint)] {
            if let Some(number) = number {
                clause.and(condition, number.cast_signed());
            }
        }
        let serial = format!("{SERIAL} =");
        let texts = [("delivery.state =", &self.state), ("event.type =", &self.event_type), (&serial, &self.device)];
        for (condition, text) in texts {
            if let Some(text) = text {
                clause.and(condition, text.clone());
            }
        }
        for (condition, moment) in [("delivery.created_at >=", self.since), ("delivery.created_at <", self.until)] {
            if let Some(moment) = moment {
                clause.and(condition, millis(moment));
            }
        }
        Ok(clause)
    }
}

impl DeliveryRow {
    /// One delivery.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn of(connection: &Connection, id: u64) -> Result<Option<Self>, StoreError> {
        Ok(Deliveries { id: Some(id), ..Deliveries::default() }.page(connection, 1, 0)?.pop())
    }

    /// What was sent, as the first attempt sent it, and every attempt with the text it sent.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn details(&self, connection: &Connection) -> Result<(Option<Value>, Vec<SentAttempt>), StoreError> {
        let outgoing = Outgoing::of(connection, DeliveryId(self.id))?;
        let body = outgoing.and_then(|outgoing| serde_json::from_slice(outgoing.body.as_bytes()).ok());
        let bodies = sent_bodies(connection, self.id.cast_signed())?;
        let attempts = attempts(connection, self.id.cast_signed())?.into_iter().zip(bodies);
        Ok((body, attempts.map(|(attempt, body)| SentAttempt { attempt, body }).collect()))
    }

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let number = |index: usize| Ok::<u64, StoreError>(row.get::<i64>(index)?.cast_unsigned());
        let moment = |index: usize| {
            let millis: Option<i64> = row.get(index)?;
            Ok::<_, StoreError>(millis.map(|millis| written(from_millis(millis))))
        };
        Ok(Self {
            id: number(0)?,
            endpoint_id: number(1)?,
            url: row.get(2)?,
            event_id: row.get(3)?,
            event_type: row.get(4)?,
            state: row.get(5)?,
            attempts: row.get(6)?,
            reason: row.get(7)?,
            created_at: moment(8)?.unwrap_or_default(),
            next_at: moment(9)?,
            settled_at: moment(10)?,
        })
    }
}

/// What an endpoint has not taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct EndpointLoad {
    /// Deliveries that wait for it.
    pub(crate) waiting: u64,
    /// Deliveries that were given up and not sent again.
    pub(crate) failed: u64,
    /// The last attempt that it did not take, among those of what it has not taken.
    pub(crate) last_error: Option<AttemptLine>,
}

impl EndpointLoad {
    /// Deliveries that are looked through for the last error, newest first.
    const LOOKED_THROUGH: i64 = 10_000;

    /// What each endpoint has not taken, by its number. One that has taken everything is not there.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn all(connection: &Connection) -> Result<BTreeMap<u64, Self>, StoreError> {
        let mut loads = BTreeMap::<u64, Self>::new();
        for state in ["waiting", "failed"] {
            // Each of these states has an index; all of them together have none.
            let sql = format!("SELECT endpoint, count(*) FROM delivery WHERE state = '{state}' GROUP BY 1");
            connection.each(&sql, &[], |row| {
                let (endpoint, count) = (row.get::<i64>(0)?.cast_unsigned(), row.get::<i64>(1)?.cast_unsigned());
                let load = loads.entry(endpoint).or_default();
                *(if state == "waiting" { &mut load.waiting } else { &mut load.failed }) = count;
                Ok(ControlFlow::Continue(()))
            })?;
        }
        for (endpoint, load) in &mut loads {
            load.last_error = last_error(connection, endpoint.cast_signed())?;
        }
        Ok(loads)
    }
}

fn last_error(connection: &Connection, endpoint: i64) -> Result<Option<AttemptLine>, StoreError> {
    let sql = "SELECT number, at, status, error, millis, response, headers FROM delivery
               JOIN attempt ON attempt.delivery = delivery.id
               WHERE endpoint = ?1 AND state <> 'delivered' AND (status IS NULL OR status NOT BETWEEN 200 AND 299)
                   AND id > (SELECT coalesce(max(id), 0) FROM delivery) - ?2
               ORDER BY at DESC LIMIT 1";
    connection.first(sql, &[&endpoint, &EndpointLoad::LOOKED_THROUGH], AttemptLine::read)
}

/// One attempt of a delivery, with what it sent.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SentAttempt {
    /// The attempt.
    #[serde(flatten)]
    pub attempt: AttemptLine,
    /// The body, byte for byte; `None` if none left.
    pub body: Option<String>,
}

/// What each attempt sent, in the order of [`attempts`]. Only the number of the attempt differs, so it is kept once.
fn sent_bodies(connection: &Connection, delivery: i64) -> Result<Vec<Option<String>>, StoreError> {
    connection.all(
        "SELECT attempt.number, CASE attempt.format WHEN 'nested' THEN event.nested ELSE body.bytes END
         FROM attempt JOIN delivery ON delivery.id = attempt.delivery JOIN event ON event.seq = delivery.event
         LEFT JOIN body ON body.event = delivery.event AND body.format = attempt.format
         WHERE attempt.delivery = ?1 ORDER BY attempt.at, attempt.number",
        &[&delivery],
        |row| {
            let bytes: Option<Vec<u8>> = row.get(1)?;
            let number = row.get(0)?;
            Ok(bytes.and_then(|bytes| String::from_utf8(StoredBody::new(bytes).render(number)).ok()))
        },
    )
}

/// The place of the event with this id among all events, if there is one. The first of a punch is found by its row.
pub(super) fn event_of(connection: &Connection, id: &str) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT event.seq FROM row JOIN event ON event.row_seq = row.seq WHERE row.id = ?1
               UNION ALL SELECT seq FROM event WHERE id = ?1 AND row_seq IS NULL";
    connection.first(sql, &[&id], |row| row.get(0))
}

/// Makes a delivery again that was settled: with its own attempts behind it, and a deadline of its own. A replay says which
/// one it is, and puts it into its lane. `false` if it is on its way as it is, or unknown.
pub(crate) fn resend(
    tx: &mut Transaction<'_>,
    id: DeliveryId,
    replay: Option<(i64, Lane)>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let sql = "UPDATE delivery SET state = 'waiting', created_at = ?2, slots_used = 0, not_before = NULL,
                   blocking_since = NULL, reason = NULL, settled_at = NULL, job = coalesce(?3, job),
                   lane = coalesce(?4, lane)
               WHERE id = ?1 AND state <> 'waiting' RETURNING endpoint, lane, attempts";
    let (job, lane) = replay.map(|(job, lane)| (job, lane.0.cast_signed())).unzip();
    let made = tx.first(sql, &[&id.0.cast_signed(), &millis(now), &job, &lane], |row| {
        let (endpoint, lane): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (endpoint, lane) = (EndpointId(endpoint.cast_unsigned()), Lane(lane.cast_unsigned()));
        let mut waiting = Waiting::new(id, endpoint, lane, now);
        waiting.progress.attempts = row.get(2)?;
        Ok(waiting)
    })?;
    let Some(waiting) = made else { return Ok(false) };
    look_again(tx, waiting.endpoint)?;
    tx.made(waiting);
    Ok(true)
}

/// Makes a delivery of an event that is there; a replay says which one it is.
pub(super) fn send(
    tx: &mut Transaction<'_>,
    event: i64,
    endpoint: EndpointId,
    lane: Lane,
    replay: Option<i64>,
    now: DateTime<Utc>,
) -> Result<DeliveryId, StoreError> {
    let sql = "INSERT INTO delivery (endpoint, event, lane, created_at, state, job)
               VALUES (?1, ?2, ?3, ?4, 'waiting', ?5)";
    let id =
        tx.insert(sql, "id", &[&endpoint.0.cast_signed(), &event, &lane.0.cast_signed(), &millis(now), &replay])?;
    let id = DeliveryId(id.cast_unsigned());
    tx.made(Waiting::new(id, endpoint, lane, now));
    Ok(id)
}

/// Makes an event for these endpoints, and the delivery to each. Events of one `key` come in order. The first that tells of a
/// punch has the identity of its `row`, and is found by it.
pub(crate) fn send_to(
    tx: &mut Transaction<'_>,
    endpoints: &[(EndpointId, PayloadFormat)],
    event: &Event<'_>,
    row: Option<i64>,
    key: &str,
    now: DateTime<Utc>,
) -> Result<Vec<DeliveryId>, StoreError> {
    let (id, lane) = (event.id().as_str(), Lane::of(key.as_bytes()));
    // The nested body is always there, for the API and for endpoints that come later.
    let nested = event.body(PayloadFormat::Nested);
    let seq = tx.insert(
        "INSERT INTO event (id, type, lane, created_at, row_seq, nested) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        "seq",
        &[&id, &event.event_type().as_str(), &lane.0.cast_signed(), &millis(now), &row, &nested.as_bytes()],
    )?;
    let mut formats = vec![PayloadFormat::Nested];
    for &(_, format) in endpoints {
        if !formats.contains(&format) {
            formats.push(format);
            let sql = "INSERT INTO body (event, format, bytes) VALUES (?1, ?2, ?3)";
            tx.execute(sql, &[&seq, &format.as_str(), &event.body(format).as_bytes()])?;
        }
    }
    endpoints.iter().map(|(endpoint, _)| send(tx, seq, *endpoint, lane, None, now)).collect()
}

/// The identity of an event that is about no row: it is random, because two gateways may send to the same receiver.
/// `None` if the system has no random numbers.
pub(crate) fn random_id(what: &str) -> Option<EventId> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    EventId::parse(&format!("evt_{what}{:032x}", u128::from_be_bytes(bytes))).ok()
}

/// Events behind a cursor, in the order they were made, each as its nested body.
///
/// # Errors
///
/// The store cannot be read.
pub(crate) fn events_after(
    connection: &Connection,
    after: u64,
    types: &[String],
    limit: u32,
) -> Result<Vec<(u64, Box<RawValue>)>, StoreError> {
    let wanted = if types.is_empty() { String::new() } else { format!(",{},", types.join(",")) };
    let events = connection.all(
        "SELECT seq, nested FROM event WHERE seq > ?1 AND nested IS NOT NULL
             AND (?2 = '' OR instr(?2, ',' || type || ',') > 0) ORDER BY seq LIMIT ?3",
        &[&after.cast_signed(), &wanted, &limit],
        |row| {
            // Written by ourselves, so this only skips a damaged row.
            let body = serde_json::from_slice(&row.get::<Vec<u8>>(1)?).ok();
            Ok(Some(row.get::<i64>(0)?.cast_unsigned()).zip(body))
        },
    )?;
    Ok(events.into_iter().flatten().collect())
}
