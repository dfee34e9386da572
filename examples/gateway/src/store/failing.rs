//! Endpoints that take no events: other endpoints and people are told, of an outage once and of its end, and of what is
//! given up at most once an hour.

use chrono::{DateTime, TimeDelta, Utc};
use punch_webhook::{DeliveryId, EndpointId, Event, EventType, FailingEndpoint, Health, Record};

use super::endpoint::wanting;
use super::mail::MailRow;
use super::outbox::{random_id, send_to};
use super::sql::Connection;
use super::{EndpointRow, StoreError, Transaction, millis};
use crate::config::SinkConfig;

/// Nobody is told of what the same endpoint gave up more often than this.
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
    /// Since when it is so.
    pub since: Option<DateTime<Utc>>,
    /// How many deliveries wait for it.
    pub waiting: u64,
    /// How many were given up and not sent again.
    pub failed: u64,
    /// Whether it takes events again, after an outage that was told.
    pub recovered: bool,
}

/// Tells of endpoints that were disabled, of those whose deliveries were given up, and of the ends of outages that were told.
/// With `by_mail` a mail is kept of each.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn tell(
    tx: &mut Transaction<'_>,
    records: &[Record],
    by_mail: bool,
    now: DateTime<Utc>,
) -> Result<Vec<Failing>, StoreError> {
    let mut told = Vec::new();
    for record in records {
        let news = match record {
            Record::Failed { delivery, .. } => match endpoint_of(tx, *delivery)? {
                Some(endpoint) if is_news(tx, endpoint, now)? => Some((endpoint, false)),
                Some(_) | None => None,
            },
            Record::Endpoint { endpoint, state } => match state.health {
                Health::Disabled if is_news(tx, *endpoint, now)? => Some((*endpoint, false)),
                Health::Healthy if ends_told_outage(tx, *endpoint)? => Some((*endpoint, true)),
                _ => None,
            },
            _ => None,
        };
        if let Some((endpoint, recovered)) = news {
            told.extend(tell_of(tx, endpoint, recovered, by_mail, now)?);
        }
    }
    Ok(told)
}

/// The endpoints that have been backing off for so long, if that was not told of this outage.
///
/// # Errors
///
/// The store cannot be read.
pub(crate) fn untold_outages(
    connection: &Connection,
    after: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Vec<EndpointId>, StoreError> {
    let sql = "SELECT id FROM endpoint WHERE health = 'backing_off' AND removed_at IS NULL AND since <= ?1
                   AND (outage_told IS NULL OR outage_told <> since) ORDER BY id";
    let long_ago = now.checked_sub_signed(after).unwrap_or(now);
    connection.all(sql, &[&millis(long_ago)], |row| Ok(EndpointId(row.get::<i64>(0)?.cast_unsigned())))
}

/// Tells of these outages.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn tell_outages(
    tx: &mut Transaction<'_>,
    after: TimeDelta,
    by_mail: bool,
    now: DateTime<Utc>,
) -> Result<Vec<Failing>, StoreError> {
    let mut told = Vec::new();
    for endpoint in untold_outages(tx, after, now)? {
        // What is given up now is no news within the hour.
        let sql = "UPDATE endpoint SET outage_told = since, notified_at = ?2 WHERE id = ?1";
        tx.execute(sql, &[&endpoint.0.cast_signed(), &millis(now)])?;
        told.extend(tell_of(tx, endpoint, false, by_mail, now)?);
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

/// Whether an outage was told of it. From now on none was.
fn ends_told_outage(tx: &Transaction<'_>, endpoint: EndpointId) -> Result<bool, StoreError> {
    let sql = "UPDATE endpoint SET outage_told = NULL
               WHERE id = ?1 AND removed_at IS NULL AND outage_told IS NOT NULL";
    Ok(tx.execute(sql, &[&endpoint.0.cast_signed()])? > 0)
}

/// Tells other endpoints of one; what people are told of it.
fn tell_of(
    tx: &mut Transaction<'_>,
    endpoint: EndpointId,
    recovered: bool,
    by_mail: bool,
    now: DateTime<Utc>,
) -> Result<Option<Failing>, StoreError> {
    let Some(row) = EndpointRow::of(tx, endpoint)? else { return Ok(None) };
    let count = |state: &str| {
        // As a word of the statement, the state has an index.
        let sql = format!("SELECT count(*) FROM delivery WHERE endpoint = ?1 AND state = '{state}'");
        let count = tx.value(&sql, &[&row.id.0.cast_signed()]);
        Ok::<u64, StoreError>(i64::cast_unsigned(count?))
    };
    let (waiting, failed) = (count("waiting")?, count("failed")?);
    // Of a sink its name is told in the place of the host.
    let sink = row.url.strip_prefix(SinkConfig::SCHEME).map(|name| format!("sink://{name}"));
    let url = sink.as_ref().unwrap_or(&row.url);
    let event = FailingEndpoint::new(row.id.0.to_string(), url, &row.state, waiting);
    let event = if recovered { event.recovered() } else { event };
    let (host, state, since) = (event.host().to_owned(), row.state.health.as_str(), row.state.since);
    let failing = Failing { endpoint, host, state, since, waiting, failed, recovered };
    if by_mail {
        MailRow::keep(tx, &failing, now)?;
    }

    let mut others = wanting(tx, &EventType::WEBHOOK_FAILING, None)?;
    others.retain(|(other, _)| *other != endpoint);
    if let Some(id) = random_id("failing").filter(|_| !others.is_empty()) {
        let event = Event::webhook_failing(&id, &event, now);
        send_to(tx, &others, &event, None, id.as_str(), now)?;
    }
    Ok(Some(failing))
}
