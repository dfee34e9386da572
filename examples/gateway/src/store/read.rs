use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, Utc};
use punch_normalize::Direction;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::completeness::{IS_FINAL, SiteRow};
use super::part::{Part, total};
use super::sql::{Clause, Connection, Row};
use super::{Quarantined, StoreError};

/// How many rows met which fate, and how the deliveries stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// Punches accepted for delivery.
    pub delivered_rows: u64,
    /// Second punches within the window.
    pub suppressed_rows: u64,
    /// Rows kept aside.
    pub held_rows: u64,
    /// Rows that are no punches.
    pub recorded_rows: u64,
    /// Rows that somebody has put away.
    pub discarded_rows: u64,
    /// Deliveries on their way.
    pub waiting: u64,
    /// Deliveries made.
    pub delivered: u64,
    /// Deliveries given up, visible and replayable.
    pub failed: u64,
}

impl Counts {
    /// Counts everything.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn read(connection: &Connection) -> Result<Self, StoreError> {
        let counts: Vec<u64> = Self::statements()
            .iter()
            .map(|sql| Ok(connection.value::<i64>(sql, &[])?.cast_unsigned()))
            .collect::<Result<_, StoreError>>()?;
        let [rows, suppressed_rows, held_rows, recorded_rows, discarded_rows, deliveries, waiting, failed] =
            counts.try_into().unwrap_or_default();
        let others = [suppressed_rows, held_rows, recorded_rows, discarded_rows];
        Ok(Self {
            delivered_rows: others.into_iter().fold(rows, u64::saturating_sub),
            suppressed_rows,
            held_rows,
            recorded_rows,
            discarded_rows,
            waiting,
            delivered: deliveries.saturating_sub(waiting).saturating_sub(failed),
            failed,
        })
    }

    /// All, and those of each kind that are few: each has an index. The many that were delivered are the rest.
    fn statements() -> [String; 8] {
        let rows = |fate: &str| format!("SELECT count(*) FROM row WHERE fate = '{fate}'");
        let deliveries = |state: &str| format!("SELECT count(*) FROM delivery WHERE state = '{state}'");
        let [all_rows, all_deliveries] = ["row", "delivery"].map(|table| format!("SELECT count(*) FROM {table}"));
        let [suppressed, held, recorded, discarded] = ["suppressed", "held", "recorded", "discarded"].map(rows);
        let [waiting, failed] = ["waiting", "failed"].map(deliveries);
        [all_rows, suppressed, held, recorded, discarded, all_deliveries, waiting, failed]
    }
}

/// How the store stands, as far as that is found without reading every row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// Rows that are held, by reason.
    pub(crate) held: BTreeMap<String, u64>,
    /// Endpoints, by state.
    pub(crate) endpoints: BTreeMap<String, u64>,
    /// Up to when everything of each site is known.
    pub(crate) complete_to: BTreeMap<String, DateTime<Utc>>,
    /// The size of the file, without its log.
    pub(crate) bytes: u64,
}

impl Snapshot {
    pub(crate) fn read(connection: &Connection) -> Result<Self, StoreError> {
        let counts = |sql: &str| {
            let rows = connection.all(sql, &[], |row| Ok((row.get(0)?, row.get::<i64>(1)?.cast_unsigned())))?;
            Ok::<_, StoreError>(rows.into_iter().collect())
        };
        let sites = SiteRow::all(connection)?.into_iter().map(|(site, row)| (site, row.complete_to));
        Ok(Self {
            held: Quarantined::default().counts(connection)?,
            endpoints: counts("SELECT health, count(*) FROM endpoint WHERE removed_at IS NULL GROUP BY 1")?,
            complete_to: sites.collect(),
            bytes: connection.size()?,
        })
    }
}

/// A punch, as its nested payload says it, with what has been found of it since.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct AttendanceRow(pub Value);

impl AttendanceRow {
    /// A page of them, newest first.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn page(connection: &Connection, limit: u32, offset: u32) -> Result<Vec<Self>, StoreError> {
        let rows = Attendance::default().part(connection, Part { offset, ..Part::newest(limit) })?;
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }
}

/// Which punches are looked at.
#[derive(Debug, Clone, Default)]
pub struct Attendance {
    /// From then on.
    pub from: Option<Edge>,
    /// Up to then; a day is included.
    pub to: Option<Edge>,
    /// At this terminal.
    pub serial: Option<String>,
    /// At this site.
    pub site: Option<String>,
    /// Of this person, by their key, or by the badge of whoever has none.
    pub employee: Option<String>,
    /// Those that went this way, by the word of payloads.
    pub direction: Option<String>,
}

/// Where a range of punches begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// With a day, where the punch was made.
    Day(NaiveDate),
    /// With a moment.
    Moment(DateTime<Utc>),
}

/// Clocks of the world differ by so much from UTC at most, in seconds.
const OFFSET_MAX: i64 = 14 * 3600;

impl Edge {
    fn cut(self, clause: &mut Clause, is_end: bool) {
        let comparison = if is_end { "<=" } else { ">=" };
        match self {
            Self::Day(day) => {
                // The first finds the rows, the second is what is meant.
                let midnight = day.and_time(NaiveTime::MIN).and_utc().timestamp();
                let bound = if is_end { midnight + 86_400 + OFFSET_MAX } else { midnight - OFFSET_MAX };
                clause.and(&format!("row.punched_at {comparison}"), bound);
                let local = "substr(coalesce(row.local_time, row.device_local), 1, 10)";
                clause.and(&format!("{local} {comparison}"), day.to_string());
            }
            Self::Moment(moment) => clause.and(&format!("row.punched_at {comparison}"), moment.timestamp()),
        }
        // The index is of those.
        clause.also("row.fate = 'delivered'");
    }
}

impl Attendance {
    fn clause(&self) -> Clause {
        let mut clause = Clause::default();
        clause.also("event.type = 'attendance.punch'");
        for (edge, is_end) in [(self.from, false), (self.to, true)] {
            if let Some(edge) = edge {
                edge.cut(&mut clause, is_end);
            }
        }
        let texts = [("row.serial =", &self.serial), ("row.site =", &self.site), ("row.person =", &self.employee)];
        for (condition, text) in texts {
            if let Some(text) = text {
                clause.and(condition, text.clone());
            }
        }
        if self.employee.is_some() {
            // The index is of those.
            clause.also("row.fate IN ('delivered', 'suppressed')");
        }
        match self.direction.as_deref() {
            // Payloads have no word for what lies between the first and the last.
            Some("unknown") => clause.also("coalesce(row.direction, 'unknown') IN ('unknown', 'intermediate')"),
            Some(word) => clause.and("row.direction =", word.to_owned()),
            None => {}
        }
        clause
    }

    /// How many there are, if they are not too many to be counted.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn total(&self, connection: &Connection) -> Result<Option<u64>, StoreError> {
        total(connection, "event JOIN row ON row.seq = event.row_seq", &self.clause())
    }

    /// A part of them, each with its place among all events.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn part(&self, connection: &Connection, part: Part) -> Result<Vec<(u64, AttendanceRow)>, StoreError> {
        let mut clause = self.clause();
        let tail = part.cut(&mut clause, "event.seq");
        let sql = format!(
            "SELECT nested, revision, direction, direction_source, confidence, session_id, business_date, exceptions,
                    {IS_FINAL}, punched_at, local_time, time_quality, event.seq
             FROM event JOIN row ON row.seq = event.row_seq
             WHERE {} {tail}",
            clause.after("nested IS NOT NULL")
        );
        let page = connection.all(&sql, &clause.values(), |row| {
            let Ok(mut punch) = serde_json::from_slice::<Value>(&row.get::<Vec<u8>>(0)?) else { return Ok(None) };
            if row.get::<u32>(1)? > 0 {
                revise(&mut punch, row)?;
            }
            if let Some(metadata) = punch.pointer_mut("/metadata").and_then(Value::as_object_mut) {
                metadata.insert("final".to_owned(), row.get::<bool>(8)?.into());
            }
            Ok(Some((row.get::<i64>(12)?.cast_unsigned(), AttendanceRow(punch))))
        })?;
        Ok(page.into_iter().flatten().collect())
    }
}

/// Puts what is found now in the place of what was told first.
fn revise(punch: &mut Value, row: &Row<'_>) -> Result<(), StoreError> {
    let direction: String = row.get(2)?;
    if let Some(said) = punch.pointer_mut("/punch/direction") {
        // The shape has no word for what lies between the first and the last.
        *said = if direction == Direction::Intermediate.as_str() {
            Direction::Unknown.as_str().into()
        } else {
            direction.into()
        };
    }
    // It may have been dated anew.
    if let (Some(at), Some(local_time), Some(quality)) = (row.get(9)?, row.get(10)?, row.get(11)?) {
        let (at, local_time, quality): (i64, String, String) = (at, local_time, quality);
        let at = DateTime::from_timestamp(at, 0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true);
        let members = [("/timestamp", at), ("/punch/local_time", local_time), ("/metadata/time_quality", quality)];
        for (pointer, text) in members {
            if let Some(told) = punch.pointer_mut(pointer) {
                *told = text.into();
            }
        }
    }
    if let Some(metadata) = punch.pointer_mut("/metadata").and_then(Value::as_object_mut) {
        let exceptions: String = row.get(7)?;
        let words: Vec<&str> = exceptions.split(',').filter(|word| !word.is_empty()).collect();
        metadata.insert("revision".to_owned(), row.get::<u32>(1)?.into());
        metadata.insert("direction_source".to_owned(), row.get::<String>(3)?.into());
        metadata.insert("confidence".to_owned(), (f64::from(row.get::<u8>(4)?) / 100.0).into());
        metadata.insert("session_id".to_owned(), row.get::<Option<String>>(5)?.into());
        metadata.insert("business_date".to_owned(), row.get::<Option<String>>(6)?.into());
        metadata.insert("exceptions".to_owned(), words.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `/status` and the overview are asked for often: no row is read for them, only what an index says.
    #[test]
    fn no_count_reads_the_rows() {
        let (_folder, connection) = crate::store::empty_file();
        let ask =
            |sql: &str| connection.all(&format!("EXPLAIN QUERY PLAN {sql}"), &[], |row| row.get::<String>(3)).unwrap();
        for sql in Counts::statements() {
            let plan = ask(&sql);
            assert!(plan.iter().all(|step| step.contains("INDEX")), "{sql}: {plan:?}");
        }
    }
}
