//! What an ERP is told beside the event that is due, and what is parked for want of an employee.

use chrono::{DateTime, Utc};
use punch_erp::Outcome;
use punch_webhook::{DeliveryId, EndpointId, StoredBody};
use sinks::Reach;

use super::sql::{Connection, Row};
use super::{StoreError, Transaction, millis};

/// Most parked deliveries that are looked at in one go.
const LOOKED_AT: u32 = 10_000;

/// The other deliveries to the same endpoint that tell of the person's punches within reach, with their bodies.
///
/// # Errors
///
/// The store cannot be read.
pub(crate) fn around(
    connection: &Connection,
    delivery: DeliveryId,
    reach: Reach,
) -> Result<Vec<(DeliveryId, Vec<u8>)>, StoreError> {
    let sql = "
        WITH due AS (
            SELECT delivery.id AS id, delivery.endpoint AS endpoint, row.person AS person, row.punched_at AS at
            FROM delivery JOIN event ON event.seq = delivery.event
            JOIN row ON row.id = coalesce((SELECT punch FROM revision WHERE revision.event_id = event.id), event.id)
            WHERE delivery.id = ?1
        ), near AS (
            SELECT row.id AS punch, row.seq AS row_seq, due.id AS id, due.endpoint AS endpoint FROM due
            JOIN row ON row.person = due.person AND row.fate IN ('delivered', 'suppressed')
                AND row.punched_at BETWEEN due.at - ?2 AND due.at + ?2
        ), told AS (
            SELECT event.seq AS event, event.nested AS nested, near.id AS id, near.endpoint AS endpoint FROM near
            JOIN event ON event.row_seq = near.row_seq
            UNION ALL
            SELECT event.seq, event.nested, near.id, near.endpoint FROM near JOIN revision ON revision.punch = near.punch
            JOIN event ON event.id = revision.event_id AND event.row_seq IS NULL
        )
        SELECT delivery.id, told.nested FROM told
        JOIN delivery ON delivery.event = told.event AND delivery.endpoint = told.endpoint AND delivery.id <> told.id
        WHERE told.nested IS NOT NULL AND (?3 = 0 OR delivery.state = 'waiting'
            OR delivery.reason LIKE '%: orphan_out' OR delivery.reason LIKE '%: alternation')
        ORDER BY delivery.id";
    connection.all(sql, &[&delivery.0.cast_signed(), &reach.time.num_seconds(), &reach.waiting_only], read)
}

/// A punch that came later can complete one that was parked, or leave one that was done without its arrival.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn revise(
    tx: &Transaction<'_>,
    delivery: DeliveryId,
    outcome: &Outcome,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (state, reason) = match outcome {
        Outcome::Applied { .. } | Outcome::AlreadyThere { .. } => ("delivered", None),
        Outcome::Park(reason) => ("failed", Some(format!("parked: {}", reason.code()))),
        Outcome::Retry { .. } => return Ok(()),
    };
    tx.execute(
        "UPDATE delivery SET state = ?2, reason = ?3, settled_at = ?4
         WHERE id = ?1 AND state <> 'waiting' AND (state <> ?2 OR reason IS DISTINCT FROM ?3)",
        &[&delivery.0.cast_signed(), &state, &reason, &millis(now)],
    )?;
    Ok(())
}

/// What a sink has parked because no employee, or not one, has the badge, with its body, oldest first.
///
/// # Errors
///
/// The store cannot be read.
pub(crate) fn without_employee(connection: &Connection, url: &str) -> Result<Vec<(DeliveryId, Vec<u8>)>, StoreError> {
    let sql = "
        SELECT delivery.id, event.nested FROM delivery JOIN endpoint ON endpoint.id = delivery.endpoint
        JOIN event ON event.seq = delivery.event AND event.nested IS NOT NULL
        WHERE endpoint.url = ?1 AND delivery.state = 'failed'
            AND delivery.reason IN ('parked: unknown_employee', 'parked: ambiguous_employee', 'parked: employee_inactive')
        ORDER BY delivery.id LIMIT ?2";
    connection.all(sql, &[&url, &LOOKED_AT], read)
}

/// A sink and how it stands, for the status.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub(crate) struct SinkStatus {
    /// Its name.
    pub(crate) name: String,
    /// How its endpoint stands.
    pub(crate) state: &'static str,
    /// Events that wait for it.
    pub(crate) waiting: u64,
    /// Events that are parked.
    pub(crate) parked: u64,
}

impl SinkStatus {
    /// How every sink stands.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn all(connection: &Connection) -> Result<Vec<Self>, StoreError> {
        let loads = super::EndpointLoad::all(connection)?;
        let rows = super::EndpointRow::all(connection)?;
        let one = |row: super::EndpointRow| {
            let name = row.url.strip_prefix(crate::config::SinkConfig::SCHEME)?.to_owned();
            let EndpointId(id) = row.id;
            let (waiting, parked) = loads.get(&id).map_or((0, 0), |load| (load.waiting, load.failed));
            (!row.is_removed).then_some(Self { name, state: row.state.health.as_str(), waiting, parked })
        };
        Ok(rows.into_iter().filter_map(one).collect())
    }
}

fn read(row: &Row<'_>) -> Result<(DeliveryId, Vec<u8>), StoreError> {
    let body = StoredBody::new(row.get::<Vec<u8>>(1)?);
    Ok((DeliveryId(row.get::<i64>(0)?.cast_unsigned()), body.render(1)))
}
