//! The single steps of commands as people look at them, take them back, and ask for them once more.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::command::conclude;
use super::part::{Part, total};
use super::sql::{Clause, Connection, Row};
use super::{StoreError, Transaction, from_millis, millis, written};

/// Whose steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Of this command.
    Command(u64),
    /// Of all commands of this job.
    Job(u64),
}

/// Which steps are looked at.
#[derive(Debug, Clone)]
pub struct Items {
    /// Whose.
    pub owner: Owner,
    /// In these states; without any, in all.
    pub states: Vec<&'static str>,
    /// About this person.
    pub badge: Option<String>,
    /// At this terminal.
    pub serial: Option<String>,
}

/// One step.
#[derive(Debug, Clone)]
pub struct ItemRow {
    /// Its number.
    pub id: u64,
    /// The command it is of.
    pub command_id: u64,
    /// The terminal.
    pub device_serial: String,
    /// Whom it is about.
    pub badge_number: Option<String>,
    /// What it does.
    pub action: String,
    /// How far it has come.
    pub state: String,
    /// How often it was sent.
    pub times: u32,
    /// When last.
    pub sent_at: Option<String>,
    /// What the terminal returned.
    pub code: Option<i32>,
    /// Why it could not be written.
    pub reason: Option<String>,
    /// What the terminal told.
    pub answer: Option<Value>,
    /// When nothing more was to be heard of it.
    pub settled_at: Option<String>,
}

impl Items {
    /// The states in which a step can be.
    pub const STATES: [&'static str; 9] =
        ["queued", "sent", "accepted", "done", "failed", "unknown", "expired", "refused", "cancelled"];

    /// Those of steps that went wrong, and can be asked for once more.
    pub const WRONG: [&'static str; 4] = ["failed", "unknown", "expired", "refused"];

    fn clause(&self) -> Clause {
        let mut clause = Clause::default();
        match self.owner {
            Owner::Command(id) => clause.and("ticket.command =", id.cast_signed()),
            Owner::Job(id) => clause.and("command.job =", id.cast_signed()),
        }
        if !self.states.is_empty() {
            clause.also(&format!("ticket.state IN ('{}')", self.states.join("', '")));
        }
        for (condition, text) in [("ticket.badge =", &self.badge), ("ticket.serial =", &self.serial)] {
            if let Some(text) = text {
                clause.and(condition, text.clone());
            }
        }
        clause
    }

    /// A part of them.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn part(&self, connection: &Connection, part: Part) -> Result<Vec<ItemRow>, StoreError> {
        let mut clause = self.clause();
        let tail = part.cut(&mut clause, "ticket.id");
        let sql = format!(
            "SELECT ticket.id, ticket.command, ticket.serial, badge, action, ticket.state, times, sent_at, code,
                 ticket.reason, answer, ticket.settled_at
             FROM {TABLES} WHERE {} {tail}",
            clause.after("TRUE")
        );
        connection.all(&sql, &clause.values(), ItemRow::read)
    }

    /// How many there are, if they are not too many to be counted.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn total(&self, connection: &Connection) -> Result<Option<u64>, StoreError> {
        total(connection, TABLES, &self.clause())
    }
}

const TABLES: &str = "ticket JOIN command ON command.id = ticket.command";

impl ItemRow {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let moment = |index: usize| {
            let millis: Option<i64> = row.get(index)?;
            Ok::<_, StoreError>(millis.map(|millis| written(from_millis(millis))))
        };
        let answer: Option<String> = row.get(10)?;
        Ok(Self {
            id: row.get::<i64>(0)?.cast_unsigned(),
            command_id: row.get::<i64>(1)?.cast_unsigned(),
            device_serial: row.get(2)?,
            badge_number: row.get(3)?,
            action: row.get(4)?,
            state: row.get(5)?,
            times: row.get(6)?,
            sent_at: moment(7)?,
            code: row.get::<Option<i64>>(8)?.and_then(|code| i32::try_from(code).ok()),
            reason: row.get(9)?,
            answer: answer.and_then(|answer| serde_json::from_str(&answer).ok()),
            settled_at: moment(11)?,
        })
    }
}

impl Owner {
    /// The commands, as a condition on their table; `?1` is the number.
    fn commands(self) -> (&'static str, i64) {
        match self {
            Self::Command(id) => ("id = ?1", id.cast_signed()),
            Self::Job(id) => ("job = ?1", id.cast_signed()),
        }
    }

    /// Asks once more for at most `limit` of the steps that went wrong and may be sent twice. Returns how many there were.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn retry(self, tx: &Transaction<'_>, limit: usize, now: DateTime<Utc>) -> Result<usize, StoreError> {
        let (condition, id) = self.commands();
        let sql = format!(
            "UPDATE ticket SET state = 'queued', sent_at = NULL, times = 0, code = NULL, reason = NULL, answer = NULL,
                 settled_at = NULL, expires_at = ?2 + (SELECT ttl FROM command WHERE command.id = ticket.command)
             WHERE id IN (SELECT id FROM ticket WHERE command IN (SELECT id FROM command WHERE {condition})
                 AND once = 0 AND state IN ('{}') LIMIT {limit})
             RETURNING command",
            Items::WRONG.join("', '")
        );
        let mut commands: Vec<i64> = tx.all(&sql, &[&id, &millis(now)], |row| row.get(0))?;
        let count = commands.len();
        commands.sort_unstable();
        commands.dedup();
        let reopen = "UPDATE command SET state = 'queued', settled_at = NULL, expires_at = ?2 + ttl WHERE id = ?1";
        let job = "UPDATE job SET state = 'running', ended_at = NULL
                   WHERE id = (SELECT job FROM command WHERE id = ?1) AND state <> 'running'";
        for command in commands {
            tx.execute(reopen, &[&command, &millis(now)])?;
            tx.execute(job, &[&command])?;
        }
        Ok(count)
    }

    /// Takes back at most `limit` steps that were not sent, and all that were not looked at. Returns how many of the first
    /// there were.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn cancel(self, tx: &Transaction<'_>, limit: usize, now: DateTime<Utc>) -> Result<usize, StoreError> {
        let (condition, id) = self.commands();
        let sql = format!("SELECT id, steps FROM command WHERE {condition} AND settled_at IS NULL");
        let open: Vec<(i64, Option<i64>)> = tx.all(&sql, &[&id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let sql = format!("UPDATE command SET steps = NULL WHERE {condition} AND steps IS NOT NULL");
        tx.execute(&sql, &[&id])?;
        for steps in open.iter().filter_map(|(_, steps)| *steps) {
            super::expansion::forget_steps(tx, steps)?;
        }
        let sql = format!(
            "UPDATE ticket SET state = 'cancelled', settled_at = ?2
             WHERE id IN (SELECT id FROM ticket WHERE command IN (SELECT id FROM command WHERE {condition})
                 AND state = 'queued' LIMIT {limit})"
        );
        let count = tx.execute(&sql, &[&id, &millis(now)])?;
        for (command, _) in open {
            conclude(tx, command, now)?;
        }
        if let Self::Job(_) = self {
            let sql = "UPDATE job SET state = 'cancelled', ended_at = ?2 WHERE id = ?1 AND state = 'running'";
            tx.execute(sql, &[&id, &millis(now)])?;
        }
        Ok(count)
    }
}
