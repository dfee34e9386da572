use chrono::{DateTime, FixedOffset, NaiveDateTime, Utc};
use punch_normalize::{Direction, EventId, Observation, Person, TimeQuality};
use punch_protocol::{Pin, RawPunch, SerialNumber, Status, Verify};
use rusqlite::{Connection, Row, params};

use super::person::{CIVIL, direction_of, role_of};
use super::{StoreError, Transaction, from_millis, millis};

/// Rows of one terminal that were received in a span, to be dated anew.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) serial: SerialNumber,
    /// From when on they were received.
    pub(crate) since: DateTime<Utc>,
    /// Before when they were received.
    pub(crate) until: DateTime<Utc>,
}

/// A row that became a punch, as it was observed.
#[derive(Debug)]
pub(crate) struct Observed {
    /// Its place in the store.
    pub(crate) seq: i64,
    pub(crate) observation: Observation,
    /// The instant it has, and what the clock on the wall showed then.
    pub(crate) punched_at: DateTime<Utc>,
    pub(crate) local_time: DateTime<FixedOffset>,
    /// What its clock was off by, if that is known of it.
    pub(crate) clock_offset_s: Option<i64>,
}

/// What is read of a row, in this order.
const COLUMNS: &str = "seq, pin, device_local, is_utc, status, verify, received_at, person, site, role, trusted, place,
                       punched_at, time_quality, clock_offset_s, manual, serial, local_time";

impl Span {
    /// The next rows behind `after`, in the order they came, at most `limit`. What somebody has dated by hand is not among
    /// them.
    pub(crate) fn rows(&self, connection: &Connection, after: i64, limit: u32) -> Result<Vec<Observed>, StoreError> {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM row WHERE serial = ?1 AND fate IN ('delivered', 'suppressed') AND seq > ?2
               AND received_at >= ?3 AND received_at < ?4 AND time_quality IS NOT 'reanchored'
             ORDER BY seq LIMIT ?5",
        ))?;
        let span = (millis(self.since), millis(self.until));
        let mut rows = statement.query(params![self.serial.as_str(), after, span.0, span.1, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.extend(read(row)?);
        }
        Ok(found)
    }
}

/// A row that became a punch, by its identity.
pub(crate) fn observed(connection: &Connection, id: &EventId) -> Result<Option<Observed>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM row WHERE id = ?1 AND fate = 'delivered'");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([id.as_str()])?;
    rows.next()?.map_or(Ok(None), read)
}

/// Keeps the direction that somebody has put in its place; `None` takes it back.
pub(crate) fn by_hand(
    tx: &Transaction<'_>,
    id: &EventId,
    direction: Option<Direction>,
    note: &str,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE row SET manual = ?2, manual_note = ?3, manual_at = ?4 WHERE id = ?1")?
        .execute(params![id.as_str(), direction.map(Direction::as_str), note, millis(at),])?;
    Ok(())
}

/// `None` of a row that somebody has damaged.
fn read(row: &Row<'_>) -> Result<Option<Observed>, StoreError> {
    let (pin, shown, serial): (Vec<u8>, String, String) = (row.get(1)?, row.get(2)?, row.get(16)?);
    let parts = (NaiveDateTime::parse_from_str(&shown, CIVIL), SerialNumber::parse(&serial));
    let (Ok(time), Ok(serial)) = parts else { return Ok(None) };
    let mut raw = RawPunch::new(serial, Pin::new(&pin).into_owned(), time);
    (raw.is_utc, raw.status) = (row.get(3)?, row.get::<_, Option<u16>>(4)?.map(Status));
    raw.verify = row.get::<_, Option<u16>>(5)?.map(Verify);
    let mut observation = Observation::new(raw, from_millis(row.get(6)?));
    observation.person = row.get::<_, Option<String>>(7)?.map(Person::new);
    observation.site = row.get::<_, Option<String>>(8)?.map(Into::into);
    observation.role = row.get::<_, Option<String>>(9)?.as_deref().and_then(role_of);
    observation.is_trusted = row.get(10)?;
    observation.order = Some(row.get::<_, i64>(11)?.cast_unsigned());
    // What came live once is no longer live, and its receipt dates it all the same.
    observation.live = row.get::<_, Option<String>>(13)?.is_some_and(|word| word == TimeQuality::FoldLive.as_str());
    observation.manual = row.get::<_, Option<String>>(15)?.as_deref().and_then(direction_of);
    let punched_at = DateTime::from_timestamp(row.get(12)?, 0).unwrap_or_default();
    let local_time: Option<String> = row.get(17)?;
    let local_time = local_time.and_then(|text| DateTime::parse_from_rfc3339(&text).ok());
    let local_time = local_time.unwrap_or_else(|| punched_at.fixed_offset());
    Ok(Some(Observed { seq: row.get(0)?, observation, punched_at, local_time, clock_offset_s: row.get(14)? }))
}
