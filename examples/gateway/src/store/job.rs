//! Replays: events of a time that are sent to one endpoint once more.

use chrono::{DateTime, SecondsFormat, Utc};
use punch_webhook::{DeliveryId, EndpointId, Lane};
use serde::Serialize;
use utoipa::ToSchema;

use super::outbox::{resend, send};
use super::sql::{Connection, Row, ToValue};
use super::{StoreError, Transaction, from_millis, millis};

/// Keeps the lane of a replay apart from that of the same employee's new punches, so that these never wait for it.
const REPLAYED: u64 = 1 << 63;

/// What is to be sent once more.
#[derive(Debug, Clone)]
pub(crate) struct Range {
    /// To whom.
    pub(crate) endpoint: EndpointId,
    /// Events made from then on.
    pub(crate) since: DateTime<Utc>,
    /// And before then.
    pub(crate) until: DateTime<Utc>,
    /// The types of events.
    pub(crate) types: Vec<String>,
    /// Only those whose delivery was given up.
    pub(crate) only_failed: bool,
}

/// A replay.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JobRow {
    /// Its number.
    pub id: u64,
    /// `replay`.
    pub kind: &'static str,
    /// The number of its endpoint.
    pub endpoint_id: u64,
    /// Events made from then on.
    pub since: String,
    /// And before then.
    pub until: String,
    /// The types of events.
    pub types: Vec<String>,
    /// Whether only those that were given up.
    pub only_failed: bool,
    /// `running`, `done` or `cancelled`.
    pub state: String,
    /// How many events there were when it began.
    pub total: u64,
    /// How many of them it has come past.
    pub taken: u64,
    /// Deliveries of it that were made.
    pub delivered: u64,
    /// Deliveries of it that were given up.
    pub failed: u64,
    /// Deliveries of it on their way.
    pub waiting: u64,
    /// When it began.
    pub created_at: String,
    /// When it ended.
    pub ended_at: Option<String>,
}

/// The events a job is about: `?1` to `?6` are endpoint, since, until, types, `only_failed`, last.
const EVENTS: &str = "event LEFT JOIN delivery ON delivery.event = event.seq AND delivery.endpoint = ?1
    WHERE event.created_at >= ?2 AND event.created_at < ?3 AND instr(?4, ',' || event.type || ',') > 0
      AND (?5 = 0 OR delivery.state = 'failed' OR delivery.job IS NOT DISTINCT FROM ?7) AND event.seq <= ?6";

impl JobRow {
    /// Begins a replay. `None` if one to this endpoint is running.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn begin(tx: &Transaction<'_>, range: &Range, now: DateTime<Utc>) -> Result<Option<u64>, StoreError> {
        let endpoint = range.endpoint.0.cast_signed();
        let running = "SELECT EXISTS (SELECT 1 FROM job WHERE endpoint = ?1 AND state = 'running')";
        if tx.value(running, &[&endpoint])? {
            return Ok(None);
        }
        let last: i64 = tx.value("SELECT coalesce(max(seq), 0) FROM event", &[])?;
        let (since, until) = (millis(range.since), millis(range.until));
        let types = range.types.join(",");
        let listed = format!(",{types},");
        let known: [&dyn ToValue; 7] = [&endpoint, &since, &until, &listed, &range.only_failed, &last, &-1];
        let total: i64 = tx.value(&format!("SELECT count(*) FROM {EVENTS}"), &known)?;
        let id: i64 = tx.value(
            "INSERT INTO job (kind, endpoint, since, until, types, only_failed, state, total, last, created_at)
             VALUES ('replay', ?1, ?2, ?3, ?4, ?5, 'running', ?6, ?7, ?8) RETURNING id",
            &[&endpoint, &since, &until, &types, &range.only_failed, &total, &last, &millis(now)],
        )?;
        Ok(Some(id.cast_unsigned()))
    }

    /// One job.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn of(connection: &Connection, id: u64) -> Result<Option<Self>, StoreError> {
        let sql = "SELECT id, endpoint, since, until, types, only_failed, state, total, taken, created_at, ended_at,
                       (SELECT count(*) FROM delivery WHERE delivery.job = job.id AND delivery.state = 'delivered'),
                       (SELECT count(*) FROM delivery WHERE delivery.job = job.id AND delivery.state = 'failed'),
                       (SELECT count(*) FROM delivery WHERE delivery.job = job.id AND delivery.state = 'waiting')
                   FROM job WHERE id = ?1 AND kind = 'replay'";
        connection.first(sql, &[&id.cast_signed()], Self::read)
    }

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let number = |index: usize| Ok::<u64, StoreError>(row.get::<i64>(index)?.cast_unsigned());
        let moment = |millis: i64| from_millis(millis).to_rfc3339_opts(SecondsFormat::AutoSi, true);
        Ok(Self {
            id: number(0)?,
            kind: "replay",
            endpoint_id: number(1)?,
            since: moment(row.get(2)?),
            until: moment(row.get(3)?),
            types: row.get::<String>(4)?.split(',').map(ToOwned::to_owned).collect(),
            only_failed: row.get(5)?,
            state: row.get(6)?,
            total: number(7)?,
            taken: number(8)?,
            created_at: moment(row.get(9)?),
            ended_at: row.get::<Option<i64>>(10)?.map(moment),
            delivered: number(11)?,
            failed: number(12)?,
            waiting: number(13)?,
        })
    }

    /// The jobs that an earlier life did not end.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn running(connection: &Connection) -> Result<Vec<u64>, StoreError> {
        let id = |row: &Row<'_>| Ok(row.get::<i64>(0)?.cast_unsigned());
        connection.all("SELECT id FROM job WHERE kind = 'replay' AND state = 'running' ORDER BY id", &[], id)
    }

    /// Ends a job before its time; what is on its way goes its way. False if it is not running.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn cancel(tx: &Transaction<'_>, id: u64, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "UPDATE job SET state = 'cancelled', ended_at = ?2 WHERE id = ?1 AND state = 'running'";
        Ok(tx.execute(sql, &[&id.cast_signed(), &millis(now)])? > 0)
    }
}

/// Takes up the next events of a job, as long as at most `budget` deliveries of it are on their way. Whether it goes on, once
/// something of it is settled.
pub(crate) fn step(tx: &mut Transaction<'_>, id: u64, budget: u32, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let job = id.cast_signed();
    let on_their_way = "SELECT count(*) FROM delivery WHERE job = ?1 AND state = 'waiting'";
    let waiting: u32 = tx.value(on_their_way, &[&job])?;
    let sql = "SELECT endpoint, since, until, ',' || types || ',', only_failed, last, cursor FROM job
               WHERE id = ?1 AND state = 'running'";
    let known = tx.first(sql, &[&job], |row| {
        let types: String = row.get(3)?;
        Ok((
            row.get::<i64>(0)?,
            row.get::<i64>(1)?,
            row.get::<i64>(2)?,
            types,
            row.get::<bool>(4)?,
            row.get::<i64>(5)?,
            row.get::<i64>(6)?,
        ))
    });
    let Some((endpoint, since, until, types, only_failed, last, cursor)) = known? else {
        return Ok(false);
    };
    let room = budget.saturating_sub(waiting);
    if room == 0 {
        return Ok(true);
    }
    let sql = format!(
        "SELECT event.seq, event.lane, delivery.id
         FROM {EVENTS} AND event.seq > ?8 ORDER BY event.seq LIMIT ?9"
    );

    let known = &[&endpoint as &dyn ToValue, &since, &until, &types, &only_failed, &last, &job, &cursor, &room];
    let next = tx.all(&sql, known, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let (mut cursor, mut taken) = (None, 0_u32);
    for (event, lane, known) in next {
        let (event, known): (i64, Option<i64>) = (event, known);
        cursor = Some(event);
        taken = taken.saturating_add(1);
        let lane = Lane(i64::cast_unsigned(lane) ^ REPLAYED);
        match known.map(|id| DeliveryId(id.cast_unsigned())) {
            // What is on its way needs no help.
            Some(known) => drop(resend(tx, known, Some((job, lane)), now)?),
            None => {
                let endpoint = EndpointId(endpoint.cast_unsigned());
                send(tx, event, endpoint, lane, Some(job), now)?;
            }
        }
    }
    if let Some(cursor) = cursor {
        tx.execute("UPDATE job SET cursor = ?2, taken = taken + ?3 WHERE id = ?1", &[&job, &cursor, &taken])?;
        return Ok(true);
    }
    if waiting > 0 {
        return Ok(true);
    }
    tx.execute("UPDATE job SET state = 'done', ended_at = ?2 WHERE id = ?1", &[&job, &millis(now)])?;
    Ok(false)
}
