//! Up to when everything of a site is known, and what follows from that.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use punch_normalize::{EventId, HoldReason, Person};
use punch_protocol::SerialNumber;
use punch_webhook::Event;

use super::person::CIVIL;
use super::sql::Connection;
use super::{StoreError, StoreLedger, Transaction, from_millis, millis};

/// What is known of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SiteRow {
    pub(crate) complete_to: DateTime<Utc>,
    /// The terminal that holds it back, if one does.
    pub(crate) waiting_for: Option<SerialNumber>,
}

impl SiteRow {
    /// Every site of which something is known, by name.
    pub(crate) fn all(connection: &Connection) -> Result<BTreeMap<String, Self>, StoreError> {
        let sites = connection.all("SELECT site, complete_to, waiting_for FROM watermark", &[], |row| {
            let waiting_for: Option<String> = row.get(2)?;
            let waiting_for = waiting_for.and_then(|serial| SerialNumber::parse(&serial).ok());
            Ok((row.get(0)?, Self { complete_to: from_millis(row.get(1)?), waiting_for }))
        })?;
        Ok(sites.into_iter().collect())
    }
}

pub(super) fn of(connection: &Connection, site: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
    Ok(connection
        .first("SELECT complete_to FROM watermark WHERE site = ?1", &[&site], |row| row.get(0))?
        .map(from_millis))
}

/// Keeps what is known of a site.
pub(crate) fn keep_complete(tx: &Transaction<'_>, site: &str, known: &SiteRow) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO watermark (site, complete_to, waiting_for) VALUES (?1, ?2, ?3)
         ON CONFLICT (site) DO UPDATE SET complete_to = excluded.complete_to, waiting_for = excluded.waiting_for",
        &[&site, &millis(known.complete_to), &known.waiting_for.as_ref().map(SerialNumber::as_str)],
    )?;
    Ok(())
}

/// The oldest row of a terminal that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// When it was made, by the terminal's clock.
    Made(NaiveDateTime),
    /// When it came; when it was made it does not say.
    Came(DateTime<Utc>),
}

/// The oldest rows that are held, by terminal: those that say when they were made, and the others.
pub(crate) fn oldest_held(connection: &Connection) -> Result<Vec<(SerialNumber, Held)>, StoreError> {
    let (unregistered, clock_wrong) = (HoldReason::UnregisteredBadge.code(), HoldReason::ClockWrong.code());
    let held = connection.all(
        "SELECT serial, reason IN (?1, ?2) AND device_local IS NOT NULL AS says, min(device_local), min(received_at)
         FROM row WHERE fate = 'held' GROUP BY 1, 2",
        &[&unregistered, &clock_wrong],
        |row| {
            let (serial, says, local): (String, bool, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let local = local.filter(|_| says).and_then(|local| NaiveDateTime::parse_from_str(&local, CIVIL).ok());
            let came = Held::Came(from_millis(row.get(3)?));
            let serial = SerialNumber::parse(&serial).ok();
            Ok(serial.map(|serial| (serial, local.map_or(came, Held::Made))))
        },
    )?;
    Ok(held.into_iter().flatten().collect())
}

/// Somebody who arrived, and of whom nothing was seen for as long as a shift can be.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) person: Person,
    pub(crate) at: DateTime<Utc>,
}

/// Whether a row's shift is over, and nothing of it is waited for any more, as a column of a query about `row`. Two hours
/// are allowed for who comes back, or leaves a second time. Nothing of a shift is 96 hours behind its beginning: the longest
/// that can be configured is 48, and counts from the last arrival.
pub(super) const IS_FINAL: &str = "coalesce((
    SELECT complete_to / 1000 >= last.punched_at + 7200
           AND (last.direction NOT IN ('in', 'break_in', 'overtime_in', 'break_out')
                OR last.exceptions LIKE '%missing_out%')
    FROM watermark, row AS last
    WHERE watermark.site = coalesce(row.site, '') AND last.person = row.person AND last.session_id = row.session_id
      AND last.punched_at BETWEEN row.punched_at AND row.punched_at + 345600
      AND last.fate IN ('delivered', 'suppressed') AND last.fate = 'delivered'
    ORDER BY last.punched_at DESC, last.place DESC, last.id DESC LIMIT 1), FALSE)";

/// Who arrived at a terminal within `from..=to`, was not seen for `max_shift` afterwards, and is not known to have
/// forgotten to say that they left.
pub(crate) fn overdue(
    connection: &Connection,
    serial: &SerialNumber,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    max_shift: TimeDelta,
) -> Result<Vec<Arrival>, StoreError> {
    let span = (from.timestamp(), to.timestamp());
    connection.all(OVERDUE, &[&serial.as_str(), &span.0, &span.1, &max_shift.num_seconds()], |row| {
        let at = DateTime::from_timestamp(row.get(1)?, 0).unwrap_or_default();
        Ok(Arrival { person: Person::new(row.get::<String>(0)?), at })
    })
}

/// The serial number is no column there, so that the rows of the time are looked through, and not all of the terminal.
const OVERDUE: &str = "SELECT person, punched_at FROM row
    WHERE fate = 'delivered' AND direction IN ('in', 'break_in', 'overtime_in') AND punched_at BETWEEN ?2 AND ?3
      AND coalesce(serial, '') = ?1 AND exceptions NOT LIKE '%missing_out%'
      AND NOT EXISTS (SELECT 1 FROM row AS later WHERE later.person = row.person
                      AND later.fate IN ('delivered', 'suppressed') AND later.fate = 'delivered'
                      AND later.punched_at > row.punched_at AND later.punched_at <= row.punched_at + ?4)";

impl StoreLedger<'_, '_> {
    /// Enters the event that says up to when everything of a site is known, if anybody has asked for such events.
    pub(crate) fn tell_complete(
        &mut self,
        event_id: &EventId,
        site: &str,
        known: &SiteRow,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let event = Event::site_watermark(event_id, site, known.complete_to, known.waiting_for.as_ref(), now);
        self.tell(&event, site, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::empty_file;

    /// Both are asked all the time, of stores with years of punches.
    #[test]
    fn who_is_overdue_and_what_is_final_is_found_by_time_and_person() {
        let (_folder, connection) = empty_file();
        let plan = |sql: &str| {
            connection.all(&format!("EXPLAIN QUERY PLAN {sql}"), &[], |row| row.get::<String>(3)).unwrap().join("; ")
        };
        let overdue = plan(OVERDUE);
        assert!(overdue.contains("row USING INDEX row_punched (punched_at>? AND punched_at<?)"), "{overdue}");
        assert!(
            overdue.contains("later USING INDEX row_person (person=? AND punched_at>? AND punched_at<?)"),
            "{overdue}"
        );
        let last = plan(&format!("SELECT {IS_FINAL} FROM row WHERE id = ?1"));
        assert!(last.contains("last USING INDEX row_person (person=? AND punched_at>? AND punched_at<?)"), "{last}");
    }
}
