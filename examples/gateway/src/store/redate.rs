use chrono::{DateTime, NaiveDateTime, Utc};
use punch_normalize::{Observation, Person, TimeQuality};
use punch_protocol::{Pin, RawPunch, SerialNumber, Status, Verify};
use rusqlite::{Connection, params};

use super::person::{CIVIL, role_of};
use super::{StoreError, from_millis, millis};

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
    /// The instant it has.
    pub(crate) punched_at: DateTime<Utc>,
    /// What its clock was off by, if that is known of it.
    pub(crate) clock_offset_s: Option<i64>,
}

impl Span {
    /// The next rows behind `after`, in the order they came, at most `limit`. What somebody has dated by hand is not among
    /// them.
    pub(crate) fn rows(&self, connection: &Connection, after: i64, limit: u32) -> Result<Vec<Observed>, StoreError> {
        let mut statement = connection.prepare_cached(
            "SELECT seq, pin, device_local, is_utc, status, verify, received_at, person, site, role, trusted, place,
                    punched_at, time_quality, clock_offset_s
             FROM row WHERE serial = ?1 AND fate IN ('delivered', 'suppressed') AND seq > ?2
               AND received_at >= ?3 AND received_at < ?4 AND time_quality IS NOT 'reanchored'
             ORDER BY seq LIMIT ?5",
        )?;
        let span = (millis(self.since), millis(self.until));
        let mut rows = statement.query(params![self.serial.as_str(), after, span.0, span.1, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (pin, shown): (Vec<u8>, String) = (row.get(1)?, row.get(2)?);
            let Ok(time) = NaiveDateTime::parse_from_str(&shown, CIVIL) else { continue };
            let mut raw = RawPunch::new(self.serial.clone(), Pin::new(&pin).into_owned(), time);
            (raw.is_utc, raw.status) = (row.get(3)?, row.get::<_, Option<u16>>(4)?.map(Status));
            raw.verify = row.get::<_, Option<u16>>(5)?.map(Verify);
            let mut observation = Observation::new(raw, from_millis(row.get(6)?));
            observation.person = row.get::<_, Option<String>>(7)?.map(Person::new);
            observation.site = row.get::<_, Option<String>>(8)?.map(Into::into);
            let role: Option<String> = row.get(9)?;
            observation.role = role.as_deref().and_then(role_of);
            observation.is_trusted = row.get(10)?;
            observation.order = Some(row.get::<_, i64>(11)?.cast_unsigned());
            // What came live once is no longer live, and its receipt dates it all the same.
            observation.live =
                row.get::<_, Option<String>>(13)?.is_some_and(|word| word == TimeQuality::FoldLive.as_str());
            found.push(Observed {
                seq: row.get(0)?,
                observation,
                punched_at: DateTime::from_timestamp(row.get(12)?, 0).unwrap_or_default(),
                clock_offset_s: row.get(14)?,
            });
        }
        Ok(found)
    }
}
