//! Erasing somebody: what tells who they were goes from every table, and what has to stay stays under a pseudonym.

use core::ops::ControlFlow;
use std::collections::BTreeSet;

use punch_webhook::{Lane, PayloadFormat};
use serde::Serialize;
use utoipa::ToSchema;

use super::sql::Connection;
use super::ticket::OPEN;
use super::{StoreError, Transaction};
use crate::core::{Identity, Pseudonym, Traces};

/// Somebody, as far as the store knows them.
#[derive(Debug, Clone)]
pub(crate) struct Somebody {
    /// By which the register, and their punches, know them.
    keys: Vec<String>,
    /// Their PINs that nobody else has or had.
    pins: Vec<String>,
    /// What else to look for.
    traces: Traces,
    /// Whether the register has them.
    is_registered: bool,
    /// Rows that are theirs or speak of them.
    rows: BTreeSet<i64>,
    /// Events about them.
    events: BTreeSet<i64>,
    /// The last row and the last event that were looked at.
    looked_to: (i64, i64),
}

/// What was erased, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Erased {
    /// What stands in their place.
    pub(crate) pseudonym: String,
    /// Entries of the register.
    pub(crate) identities: usize,
    /// Rows of terminals.
    pub(crate) rows: usize,
    /// Bodies of events.
    pub(crate) bodies: usize,
    /// Steps of commands.
    pub(crate) steps: usize,
    /// Terminals that were written to that they are on: what is there, they have to be told to delete.
    pub(crate) still_on: Vec<String>,
}

/// Why nobody was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// So many deliveries about them wait.
    Deliveries(u64),
    /// So many steps of commands about them are not settled.
    Commands(u64),
}

/// What becomes of the punches of somebody who was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Punches {
    /// They stay, under a pseudonym: when, where and which way, and not who.
    #[default]
    Pseudonymous,
    /// They go. What is left of a row is its id, so that a terminal that sends it again brings nothing back.
    Removed,
}

/// Rows, or events, that are looked at in one statement.
const SLICE: i64 = 10_000;

impl Somebody {
    /// Looks for somebody by their `id`, or by their badge if they have none. `also` is what else they are known by: cards,
    /// former names. `None` if nothing is known of them.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn find(connection: &Connection, key: &str, also: &[String]) -> Result<Option<Self>, StoreError> {
        let everybody = Identity::all(connection)?;
        let is_theirs = |identity: &Identity| identity.person() == key;
        let theirs: Vec<&Identity> = everybody.iter().filter(|identity| is_theirs(identity)).collect();
        let mut pins: Vec<String> = theirs.iter().map(|identity| identity.pin.to_text().into_owned()).collect();
        if theirs.is_empty() {
            pins.push(key.to_owned());
        }
        // What somebody else has or had too, says nothing about a row.
        pins.retain(|pin| !everybody.iter().any(|other| !is_theirs(other) && other.pin.to_text() == *pin));
        pins.dedup();
        let mut keys = pins.clone();
        keys.push(key.to_owned());
        let names = theirs.iter().filter_map(|identity| identity.name.clone());
        let traces = Traces::new(pins.clone(), names.chain(also.iter().cloned()).collect());
        let is_registered = !theirs.is_empty();
        let (rows, events) = (BTreeSet::new(), BTreeSet::new());
        let mut found = Self { keys, pins, traces, is_registered, rows, events, looked_to: (0, 0) };
        found.look(connection)?;
        let is_known = found.is_registered || !found.rows.is_empty() || !found.still_on(connection)?.is_empty();
        Ok(is_known.then_some(found))
    }

    /// Looks at what has come since it was looked last.
    fn look(&mut self, connection: &Connection) -> Result<(), StoreError> {
        while self.look_at_rows(connection)? {}
        while self.look_at_events(connection)? {}
        Ok(())
    }

    /// Looks at the next rows. Whether there may be more.
    fn look_at_rows(&mut self, connection: &Connection) -> Result<bool, StoreError> {
        let after = self.looked_to.0;
        let (mut seen, mut last) = (0, after);
        let sql = "SELECT seq, person, coalesce(whose, ''), pin, CASE WHEN pin IS NULL THEN raw END FROM row
                   WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        connection.each(sql, &[&after, &SLICE], |row| {
            (seen, last) = (seen + 1, row.get(0)?);
            let (person, whose): (Option<String>, String) = (row.get(1)?, row.get(2)?);
            let (pin, raw): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.get(3)?, row.get(4)?);
            let has_pin = |text: &[u8]| self.pins.iter().any(|pin| pin.as_bytes() == text);
            let is_theirs = person.is_some_and(|person| self.keys.contains(&person))
                || has_pin(whose.as_bytes())
                || pin.is_some_and(|pin| has_pin(&pin))
                || raw.is_some_and(|raw| self.traces.are_in(&raw));
            if is_theirs {
                self.rows.insert(last);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        self.looked_to.0 = last;
        Ok(seen == SLICE)
    }

    /// Looks at the next events. Whether there may be more.
    fn look_at_events(&mut self, connection: &Connection) -> Result<bool, StoreError> {
        let after = self.looked_to.1;
        let (mut seen, mut last) = (0, after);
        let lanes: Vec<i64> = self.keys.iter().map(|key| Lane::of(key.as_bytes()).0.cast_signed()).collect();
        let sql = "SELECT seq, lane FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        connection.each(sql, &[&after, &SLICE], |row| {
            (seen, last) = (seen + 1, row.get(0)?);
            if lanes.contains(&row.get(1)?) {
                self.events.insert(last);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        self.looked_to.1 = last;
        Ok(seen == SLICE)
    }

    /// Erases them.
    ///
    /// # Errors
    ///
    /// The store cannot be written. An [`Obstacle`] if something about them is on its way, unless `force` says that it does
    /// not matter; nothing was changed then.
    pub(crate) fn erase(
        mut self,
        tx: &Transaction<'_>,
        pseudonym: &Pseudonym,
        punches: Punches,
        force: bool,
    ) -> Result<Result<Erased, Obstacle>, StoreError> {
        self.look(tx)?;
        if let Some(obstacle) = self.obstacle(tx, force)? {
            return Ok(Err(obstacle));
        }
        let mut erased = Erased { pseudonym: pseudonym.to_string(), still_on: self.still_on(tx)?, ..Erased::default() };
        for &event in &self.events {
            erased.bodies += erase_event(tx, event, pseudonym, punches)?;
        }
        for &row in &self.rows {
            erased.rows += erase_row(tx, row, pseudonym, punches)?;
        }
        for pin in &self.pins {
            let steps = "UPDATE ticket SET badge = NULL, detail = NULL, answer = NULL WHERE badge = ?1";
            erased.steps += tx.execute(steps, &[pin])?;
            tx.execute("DELETE FROM roster WHERE badge = ?1", &[pin])?;
        }
        let of_register = "DELETE FROM employee WHERE id = ?1 OR (id IS NULL AND badge = ?1)";
        erased.identities = tx.execute(of_register, &[&self.keys.last()])?;
        self.forget_answers(tx)?;
        Ok(Ok(erased))
    }

    fn still_on(&self, connection: &Connection) -> Result<Vec<String>, StoreError> {
        let mut serials = BTreeSet::new();
        for pin in &self.pins {
            let sql = "SELECT serial FROM roster WHERE badge = ?1";
            serials.extend(connection.all(sql, &[pin], |row| row.get::<String>(0))?);
        }
        Ok(serials.into_iter().collect())
    }

    /// What is on its way and would be lost, or come back.
    fn obstacle(&self, tx: &Transaction<'_>, force: bool) -> Result<Option<Obstacle>, StoreError> {
        let mut steps = 0;
        for pin in &self.pins {
            let sql = format!("SELECT count(*) FROM ticket WHERE badge = ?1 AND {OPEN}");
            steps += tx.value::<i64>(&sql, &[pin])?;
        }
        for list in tx.all("SELECT list FROM steps", &[], |row| row.get::<String>(0))? {
            steps += i64::from(self.traces.are_in(list.as_bytes()));
        }
        if steps > 0 {
            return Ok(Some(Obstacle::Commands(steps.cast_unsigned())));
        }
        let mut waiting = 0;
        for event in self.events.iter().filter(|_| !force) {
            let sql = "SELECT count(*) FROM delivery JOIN endpoint ON endpoint.id = delivery.endpoint
                       WHERE event = ?1 AND state = 'waiting' AND removed_at IS NULL";
            waiting += tx.value::<i64>(sql, &[event])?;
        }
        Ok(Some(Obstacle::Deliveries(waiting.cast_unsigned())).filter(|_| waiting > 0))
    }

    /// Answers that are kept for a repetition of a call, and name them.
    fn forget_answers(&self, tx: &Transaction<'_>) -> Result<(), StoreError> {
        let sql = "SELECT scope, key, body FROM idempotency";
        let read =
            |row: &super::sql::Row<'_>| Ok((row.get::<String>(0)?, row.get::<String>(1)?, row.get::<Vec<u8>>(2)?));
        for (scope, key, body) in tx.all(sql, &[], read)? {
            if self.traces.are_in(&body) {
                tx.execute("DELETE FROM idempotency WHERE scope = ?1 AND key = ?2", &[&scope, &key])?;
            }
        }
        Ok(())
    }
}

/// Erases them from an event; its order among those of one employee is no longer told by who it was.
fn erase_event(tx: &Transaction<'_>, event: i64, pseudonym: &Pseudonym, punches: Punches) -> Result<usize, StoreError> {
    let lane = Lane::of(pseudonym.as_str().as_bytes()).0.cast_signed();
    tx.execute("UPDATE event SET lane = ?2 WHERE seq = ?1", &[&event, &lane])?;
    // The queue has those that wait in the lane they were in.
    tx.execute("UPDATE delivery SET lane = ?2 WHERE event = ?1 AND state <> 'waiting'", &[&event, &lane])?;
    let answers = "UPDATE attempt SET response = NULL WHERE delivery IN (SELECT id FROM delivery WHERE event = ?1)";
    tx.execute(answers, &[&event])?;
    if punches == Punches::Removed {
        let nested = "UPDATE event SET nested = NULL WHERE seq = ?1 AND nested IS NOT NULL";
        let others = tx.execute("DELETE FROM body WHERE event = ?1", &[&event])?;
        return Ok(tx.execute(nested, &[&event])?.saturating_add(others));
    }
    let read = |row: &super::sql::Row<'_>| Ok((row.get::<String>(0)?, row.get::<Vec<u8>>(1)?));
    let bodies = "SELECT 'nested', nested FROM event WHERE seq = ?1 AND nested IS NOT NULL
                  UNION ALL SELECT format, bytes FROM body WHERE event = ?1";
    let bodies = tx.all(bodies, &[&event], read)?;
    for (format, bytes) in &bodies {
        let replaced = pseudonym.replace_in(&String::from_utf8_lossy(bytes)).into_bytes();
        if format == PayloadFormat::Nested.as_str() {
            tx.execute("UPDATE event SET nested = ?2 WHERE seq = ?1", &[&event, &replaced])?;
        } else {
            let sql = "UPDATE body SET bytes = ?3 WHERE event = ?1 AND format = ?2";
            tx.execute(sql, &[&event, format, &replaced])?;
        }
    }
    Ok(bodies.len())
}

/// Erases them from a row. One that waits for somebody cannot be put right any more, and is put away.
fn erase_row(tx: &Transaction<'_>, row: i64, pseudonym: &Pseudonym, punches: Punches) -> Result<usize, StoreError> {
    let nothing: Vec<u8> = Vec::new();
    tx.execute(
        "UPDATE row SET pin = NULL, whose = NULL, raw = ?2, work_code = NULL, manual_note = NULL, put_away = NULL,
             problem = NULL, fate = CASE fate WHEN 'held' THEN 'discarded' ELSE fate END,
             person = CASE WHEN person IS NULL THEN NULL ELSE ?3 END
         WHERE seq = ?1",
        &[&row, &nothing, &pseudonym.as_str()],
    )?;
    if punches == Punches::Removed {
        let revisions = "DELETE FROM revision WHERE punch = (SELECT id FROM row WHERE seq = ?1)";
        tx.execute(revisions, &[&row])?;
        tx.execute(
            "UPDATE row SET fate = CASE fate WHEN 'recorded' THEN fate ELSE 'discarded' END,
                 reason = CASE fate WHEN 'recorded' THEN reason ELSE 'erased' END,
                 duplicate_of = NULL, device_local = NULL, status = NULL, verify = NULL, punched_at = NULL,
                 local_time = NULL, person = NULL, direction = NULL, direction_source = NULL, confidence = NULL,
                 session_id = NULL, business_date = NULL, exceptions = NULL, manual = NULL, previous_at = NULL
             WHERE seq = ?1",
            &[&row],
        )?;
    }
    Ok(1)
}
