//! Endpoints that take no events: other endpoints and people are told, once an hour.

use chrono::{DateTime, TimeDelta, Utc};
use punch_webhook::{DeliveryId, EndpointId, Event, EventType, FailingEndpoint, Health, Record, Waiting};

use super::endpoint::wanting;
use super::outbox::{random_id, send_to};
use super::sql::Connection;
use super::{EndpointRow, StoreError, Transaction, millis};

/// Nobody is told of the same endpoint more often than this.
const QUIET: TimeDelta = TimeDelta::hours(1);

/// An endpoint of which people have to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The host of its URL; the rest may hold a secret.
    pub host: String,
    /// `healthy`, `backing_off`, `paused` or `disabled`.
    pub state: &'static str,
    /// How many deliveries wait for it.
    pub waiting: u64,
    /// How many were given up and not sent again.
    pub failed: u64,
}

/// What follows from records that say that an endpoint takes nothing.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Deliveries of `webhook.failing` to other endpoints.
    pub(crate) deliveries: Vec<Waiting>,
    /// What people have to be told.
    pub(crate) failing: Vec<Failing>,
}

/// Tells of endpoints that were disabled, and of those whose deliveries were given up.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn tell(tx: &Transaction<'_>, records: &[Record], now: DateTime<Utc>) -> Result<Told, StoreError> {
    let mut told = Told::default();
    for record in records {
        let endpoint = match record {
            Record::Failed { delivery, .. } => endpoint_of(tx, *delivery)?,
            Record::Endpoint { endpoint, state } if state.health == Health::Disabled => Some(*endpoint),
            _ => None,
        };
        if let Some(endpoint) = endpoint
            && is_news(tx, endpoint, now)?
            && let Some(row) = EndpointRow::of(tx, endpoint)?
        {
            tell_of(tx, &row, now, &mut told)?;
        }
    }
    Ok(told)
}

fn endpoint_of(connection: &Connection, delivery: DeliveryId) -> Result<Option<EndpointId>, StoreError> {
    connection.first("SELECT endpoint FROM delivery WHERE id = ?1", &[&delivery.0.cast_signed()], |row| {
        Ok(EndpointId(row.get::<i64>(0)?.cast_unsigned()))
    })
}

/// Whether nobody was told lately. From now on somebody was.
fn is_news(tx: &Transaction<'_>, endpoint: EndpointId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let sql = "UPDATE endpoint SET notified_at = ?2
               WHERE id = ?1 AND removed_at IS NULL AND coalesce(notified_at, 0) <= ?3";
    let quiet_since = now.checked_sub_signed(QUIET).unwrap_or(now);
    Ok(tx.execute(sql, &[&endpoint.0.cast_signed(), &millis(now), &millis(quiet_since)])? > 0)
}

fn tell_of(tx: &Transaction<'_>, row: &EndpointRow, now: DateTime<Utc>, told: &mut Told) -> Result<(), StoreError> {
    let sql = "SELECT count(*) FROM delivery WHERE endpoint = ?1 AND state = ?2";
    let count = |state: &str| {
        let count = tx.value(sql, &[&row.id.0.cast_signed(), &state]);
        Ok::<u64, StoreError>(i64::cast_unsigned(count?))
    };
    let (waiting, failed) = (count("waiting")?, count("failed")?);
    let failing = FailingEndpoint::new(row.id.0.to_string(), &row.url, &row.state, waiting);
    let host = failing.host().to_owned();
    told.failing.push(Failing { endpoint: row.id, host, state: row.state.health.as_str(), waiting, failed });

    let mut others = wanting(tx, &EventType::WEBHOOK_FAILING, None)?;
    others.retain(|(endpoint, _)| *endpoint != row.id);
    if let Some(id) = random_id("failing").filter(|_| !others.is_empty()) {
        let event = Event::webhook_failing(&id, &failing, now);
        told.deliveries.extend(send_to(tx, &others, &event, id.as_str(), now)?);
    }
    Ok(())
}
