//! Rows that are held aside, and those that somebody has put away.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use punch_normalize::{EventId, Hint, HoldReason};
use punch_protocol::Pin;
use serde::Serialize;
use utoipa::ToSchema;

use super::part::{Part, total};
use super::person::{SAID, raw_punch, role_of};
use super::sql::{Clause, Connection, Row};
use super::{StoreError, Transaction, from_millis, millis, written};
use crate::core::{ByHand, Place, Received, ReceivedRow};

/// Which rows are looked at.
#[derive(Debug, Clone, Default)]
pub struct Quarantined {
    /// Those that were put away instead of those that are held.
    pub discarded: bool,
    /// Held for this reason, as a word.
    pub reason: Option<String>,
    /// Of this terminal.
    pub device: Option<String>,
    /// Of this PIN.
    pub pin: Option<Pin<'static>>,
    /// Received from then on.
    pub since: Option<DateTime<Utc>>,
    /// Received before.
    pub until: Option<DateTime<Utc>>,
}

/// A row kept aside.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HeldRow {
    /// Its identity.
    pub id: String,
    /// `held` or `discarded`.
    pub fate: String,
    /// The terminal.
    pub device_serial: String,
    /// Why, as a word; of a row that was put away, why it was held before.
    pub reason: String,
    /// What to do, in a sentence.
    pub advice: Option<String>,
    /// Where and why in detail, for rows that could not be read.
    pub problem: Option<String>,
    /// Why it was put away, in the words of whoever did it.
    pub put_away: Option<String>,
    /// When it arrived.
    pub received_at: String,
    /// What the terminal's clock showed.
    pub device_local: Option<String>,
    /// The row as text.
    pub raw: String,
}

const COLUMNS: &str = "id, fate, serial, reason, problem, received_at, device_local, raw, put_away";

impl Quarantined {
    fn clause(&self) -> Clause {
        let mut clause = Clause::default();
        clause.also(if self.discarded { "fate = 'discarded'" } else { "fate = 'held'" });
        if let Some(reason) = &self.reason {
            clause.and("reason =", reason.clone());
        }
        if let Some(pin) = &self.pin {
            // Whose somebody says it is, goes before what was sent.
            clause.and("coalesce(CAST(whose AS BLOB), pin) =", pin.as_bytes().to_vec());
        }
        if let Some(device) = &self.device {
            clause.and("serial =", device.clone());
        }
        if let Some(since) = self.since {
            clause.and("received_at >=", millis(since));
        }
        if let Some(until) = self.until {
            clause.and("received_at <", millis(until));
        }
        clause
    }

    /// A page of them, newest first.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn page(&self, connection: &Connection, limit: u32, offset: u32) -> Result<Vec<HeldRow>, StoreError> {
        let rows = self.part(connection, Part { offset, ..Part::newest(limit) })?;
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }

    /// A part of them, each with its place among all rows.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn part(&self, connection: &Connection, part: Part) -> Result<Vec<(u64, HeldRow)>, StoreError> {
        let mut clause = self.clause();
        let tail = part.cut(&mut clause, "seq");
        let sql = format!("SELECT {COLUMNS}, seq FROM row WHERE {} {tail}", clause.after("TRUE"));
        let read = |row: &Row<'_>| Ok((row.get::<i64>(9)?.cast_unsigned(), HeldRow::read(row)?));
        connection.all(&sql, &clause.values(), read)
    }

    /// How many there are, if they are not too many to be counted.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn total(&self, connection: &Connection) -> Result<Option<u64>, StoreError> {
        total(connection, "row", &self.clause())
    }

    /// How many there are, by reason.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn counts(&self, connection: &Connection) -> Result<BTreeMap<String, u64>, StoreError> {
        let clause = self.clause();
        let sql = format!("SELECT coalesce(reason, ''), count(*) FROM row WHERE {} GROUP BY 1", clause.after("TRUE"));
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<i64>(1)?.cast_unsigned()));
        Ok(connection.all(&sql, &clause.values(), read)?.into_iter().collect())
    }

    /// The next of them behind `after`, in the order they came, as they would be taken once more.
    pub(crate) fn next(&self, connection: &Connection, after: i64, limit: u32) -> Result<Vec<Again>, StoreError> {
        let clause = self.clause();
        let sql = format!(
            "SELECT {SAID}, {AGAIN} FROM row WHERE {} AND seq > {after} ORDER BY seq LIMIT {limit}",
            clause.after("TRUE")
        );
        connection.all(&sql, &clause.values(), Again::read)
    }
}

impl HeldRow {
    /// One of them.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn of(connection: &Connection, id: &str) -> Result<Option<Self>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM row WHERE id = ?1 AND fate IN ('held', 'discarded')");
        connection.first(&sql, &[&id], Self::read)
    }

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let reason: Option<String> = row.get(3)?;
        let reason = reason.unwrap_or_default();
        let advice = HoldReason::from_code(&reason).map(|reason| reason.to_string());
        Ok(Self {
            id: row.get(0)?,
            fate: row.get(1)?,
            device_serial: row.get(2)?,
            advice,
            reason,
            problem: row.get(4)?,
            put_away: row.get(8)?,
            received_at: written(from_millis(row.get(5)?)),
            device_local: row.get(6)?,
            raw: String::from_utf8_lossy(&row.get::<Vec<u8>>(7)?).into_owned(),
        })
    }
}

/// A row that is held or put away, as it would be taken once more.
#[derive(Debug)]
pub(crate) struct Again {
    /// Its place among all rows.
    pub(crate) seq: i64,
    /// Its identity.
    pub(crate) id: String,
    /// Whether somebody has put it away.
    pub(crate) is_discarded: bool,
    /// `None` if it could not be read.
    pub(crate) received: Option<Received>,
}

/// What is read of such a row, behind [`SAID`].
const AGAIN: &str = "seq, received_at, raw, shift_s, whose, reason, id, fate, place, previous_at, was_live, role";

impl Again {
    /// One of them.
    pub(crate) fn of(connection: &Connection, id: &str) -> Result<Option<Self>, StoreError> {
        let sql = format!("SELECT {SAID}, {AGAIN} FROM row WHERE id = ?1 AND fate IN ('held', 'discarded')");
        connection.first(&sql, &[&id], Self::read)
    }

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let is_discarded = row.get::<String>(14)? == "discarded";
        Ok(Self { seq: row.get(7)?, id: row.get(13)?, is_discarded, received: received(row)? })
    }
}

fn received(row: &Row<'_>) -> Result<Option<Received>, StoreError> {
    let Some(punch) = raw_punch(row)? else { return Ok(None) };
    let whose: Option<String> = row.get(11)?;
    let by_hand = ByHand {
        shift: row.get::<Option<i64>>(10)?.and_then(TimeDelta::try_seconds),
        pin: whose.and_then(|text| Pin::parse_text(&text).ok().map(Pin::into_owned)),
    };
    let (serial, received_at) = (punch.serial.clone(), from_millis(row.get(8)?));
    let mut received = Received::again(serial, received_at, ReceivedRow::Punch { punch, raw: row.get(9)? }, by_hand);
    received.in_zone_of_now = row.get::<Option<String>>(12)?.as_deref() == Some(HoldReason::Future.code());
    let mut hint = Hint::default();
    // What was before it, in the zone of then, says nothing in the zone of now.
    let previous_at = row.get::<Option<i64>>(16)?.filter(|_| !received.in_zone_of_now);
    hint.previous = previous_at.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    hint.received_live = row.get::<bool>(17)?.then_some(received_at);
    let passed_by = row.get::<Option<String>>(18)?.as_deref().and_then(role_of);
    received.place = Some(Place { order: row.get::<i64>(15)?.cast_unsigned(), hint, passed_by });
    Ok(Some(received))
}

/// Keeps what somebody says of a row that is held.
pub(crate) fn keep_by_hand(tx: &Transaction<'_>, id: &str, by_hand: &ByHand) -> Result<(), StoreError> {
    let shift = by_hand.shift.map(|shift| shift.num_seconds());
    let whose = by_hand.pin.as_ref().map(|pin| pin.to_text().into_owned());
    let sql = "UPDATE row SET shift_s = coalesce(?2, shift_s), whose = coalesce(?3, whose)
               WHERE id = ?1 AND fate IN ('held', 'discarded')";
    tx.execute(sql, &[&id, &shift, &whose])?;
    Ok(())
}

/// Puts a row away: it is kept and counted, and nobody waits for it.
pub(crate) fn discard(tx: &Transaction<'_>, id: &str, why: &str) -> Result<(), StoreError> {
    let sql = "UPDATE row SET fate = 'discarded', put_away = ?2 WHERE id = ?1 AND fate IN ('held', 'discarded')";
    tx.execute(sql, &[&id, &why])?;
    Ok(())
}

/// Takes a row back that was put away.
pub(crate) fn hold_again(tx: &Transaction<'_>, id: &str) -> Result<(), StoreError> {
    let sql = "UPDATE row SET fate = 'held', put_away = NULL, duplicate_of = NULL WHERE id = ?1 AND fate = 'discarded'";
    tx.execute(sql, &[&id])?;
    Ok(())
}

/// Another row stands for one that could not be read.
pub(crate) fn replace(tx: &Transaction<'_>, id: &str, by: &EventId) -> Result<(), StoreError> {
    let sql = "UPDATE row SET fate = 'discarded', put_away = 'corrected by hand', duplicate_of = ?2
               WHERE id = ?1 AND fate IN ('held', 'discarded')";
    tx.execute(sql, &[&id, &by.as_str()])?;
    Ok(())
}

/// The PINs that rows are held for because nobody has them.
pub(crate) fn unregistered(connection: &Connection) -> Result<Vec<Pin<'static>>, StoreError> {
    let sql = "SELECT DISTINCT coalesce(CAST(whose AS BLOB), pin) FROM row
               WHERE fate = 'held' AND reason = ?1 AND (whose IS NOT NULL OR pin IS NOT NULL)";

    connection
        .all(sql, &[&HoldReason::UnregisteredBadge.code()], |row| Ok(Pin::new(&row.get::<Vec<u8>>(0)?).into_owned()))
}

#[cfg(test)]
mod tests {
    use punch_protocol::Pin;

    use super::Quarantined;
    use crate::store::empty_file;

    #[test]
    fn no_list_of_what_is_held_reads_every_row_there_is() {
        let (_folder, connection) = empty_file();
        let of_pin = Quarantined {
            reason: Some("unregistered_badge".to_owned()),
            pin: Some(Pin::new(b"7").into_owned()),
            ..Quarantined::default()
        };
        let discarded = Quarantined { discarded: true, ..Quarantined::default() };
        for which in [Quarantined::default(), discarded, of_pin] {
            let clause = which.clause();
            for order in ["ORDER BY seq DESC LIMIT 50", "AND seq > 9 ORDER BY seq LIMIT 200"] {
                let sql = format!("EXPLAIN QUERY PLAN SELECT raw FROM row WHERE {} {order}", clause.after("TRUE"));
                let plan = connection.first(&sql, &clause.values(), |row| row.get::<String>(3)).unwrap().unwrap();
                assert!(plan.contains("USING INDEX row_"), "{} {order}: {plan}", clause.after("TRUE"));
            }
        }
    }
}
