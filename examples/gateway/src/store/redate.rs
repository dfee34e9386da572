use chrono::{DateTime, FixedOffset, Utc};
use punch_normalize::{Direction, EventId, Observation, Person, TimeQuality};
use punch_protocol::SerialNumber;

use super::person::{SAID, direction_of, raw_punch, role_of, wall_time};
use super::sql::{Connection, Row};
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

/// What is read of a row, in this order, behind [`SAID`].
const COLUMNS: &str = "seq, received_at, person, site, role, trusted, place, punched_at, time_quality, clock_offset_s,
                       manual, local_time";

impl Span {
    /// The next rows behind `after`, in the order they came, at most `limit`. What somebody has dated by hand is not among
    /// them.
    pub(crate) fn rows(&self, connection: &Connection, after: i64, limit: u32) -> Result<Vec<Observed>, StoreError> {
        let span = (millis(self.since), millis(self.until));
        let sql = format!(
            "SELECT {SAID}, {COLUMNS} FROM row WHERE serial = ?1 AND fate IN ('delivered', 'suppressed') AND seq > ?2
               AND received_at >= ?3 AND received_at < ?4 AND time_quality IS DISTINCT FROM 'reanchored'
             ORDER BY seq LIMIT ?5",
        );
        let found = connection.all(&sql, &[&self.serial.as_str(), &after, &span.0, &span.1, &limit], read)?;
        Ok(found.into_iter().flatten().collect())
    }
}

/// A row that became a punch, by its identity.
pub(crate) fn observed(connection: &Connection, id: &EventId) -> Result<Option<Observed>, StoreError> {
    let sql = format!("SELECT {SAID}, {COLUMNS} FROM row WHERE id = ?1 AND fate = 'delivered'");

    Ok(connection.first(&sql, &[&id.as_str()], read)?.flatten())
}

/// Keeps the direction that somebody has put in its place; `None` takes it back.
pub(crate) fn by_hand(
    tx: &Transaction<'_>,
    id: &EventId,
    direction: Option<Direction>,
    note: &str,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE row SET manual = ?2, manual_note = ?3, manual_at = ?4 WHERE id = ?1",
        &[&id.as_str(), &direction.map(Direction::as_str), &note, &millis(at)],
    )?;
    Ok(())
}

/// `None` of a row that somebody has damaged.
fn read(row: &Row<'_>) -> Result<Option<Observed>, StoreError> {
    let Some(raw) = raw_punch(row)? else { return Ok(None) };
    let mut observation = Observation::new(raw, from_millis(row.get(8)?));
    observation.person = row.get::<Option<String>>(9)?.map(Person::new);
    observation.site = row.get::<Option<String>>(10)?.map(Into::into);
    observation.role = row.get::<Option<String>>(11)?.as_deref().and_then(role_of);
    observation.is_trusted = row.get(12)?;
    observation.order = Some(row.get::<i64>(13)?.cast_unsigned());
    // What came live once is no longer live, and its receipt dates it all the same.
    observation.live = row.get::<Option<String>>(15)?.is_some_and(|word| word == TimeQuality::FoldLive.as_str());
    observation.manual = row.get::<Option<String>>(17)?.as_deref().and_then(direction_of);
    let punched_at = DateTime::from_timestamp(row.get(14)?, 0).unwrap_or_default();
    let (seq, local_time, clock_offset_s) = (row.get(7)?, wall_time(row.get(18)?, punched_at), row.get(16)?);
    Ok(Some(Observed { seq, observation, punched_at, local_time, clock_offset_s }))
}
