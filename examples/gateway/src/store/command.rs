//! What was asked of terminals, and what became of it.

use chrono::{DateTime, TimeDelta, Utc};
use punch_protocol::SerialNumber;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::part::{Part, total};
use super::sql::{Clause, Connection, Row};
use super::ticket::OPEN;
use super::{StoreError, Transaction, command_job, from_millis, millis, written};

/// Which commands are looked at.
#[derive(Debug, Clone, Default)]
pub struct Commands {
    /// For this terminal.
    pub serial: Option<String>,
    /// In this state.
    pub state: Option<String>,
    /// Of this kind, by the word of the API.
    pub kind: Option<String>,
    /// Of this job.
    pub job: Option<u64>,
    /// This one.
    pub id: Option<u64>,
}

/// What was asked of one terminal.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CommandRow {
    /// Its number.
    pub id: u64,
    /// The terminal.
    pub device_serial: String,
    /// The kind, by the word of the API.
    pub command: String,
    /// What was asked, without people.
    pub payload: Value,
    /// `queued`, `sent`; then `done`, `partial`, `failed`, `unknown`, `expired`, `refused` or `cancelled`.
    pub state: String,
    /// Why the terminal cannot do it.
    #[serde(skip)]
    pub reason: Option<String>,
    /// The job it is of.
    pub job_id: Option<u64>,
    /// How it stands with its steps.
    #[serde(flatten)]
    pub counts: StepCounts,
    /// When it was asked.
    pub created_at: String,
    /// From then on it is not sent any more.
    pub expires_at: String,
    /// When nothing more was to be heard of it.
    pub settled_at: Option<String>,
}

/// How it stands with the steps of a command, or of all commands of a job. The first is the sum of the rest but one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct StepCounts {
    /// How many there are: one a person, or one.
    pub total: u64,
    /// Of which the terminal has said that they are done, or that were done before.
    pub done: u64,
    /// Among them: people whom the terminal was known to have as they should be.
    pub unchanged: u64,
    /// That went wrong, were too late, or of which nobody knows.
    pub failed: u64,
    /// That somebody has taken back.
    pub cancelled: u64,
    /// That are on their way.
    pub waiting: u64,
}

impl StepCounts {
    /// `waiting` is what is left.
    pub(super) fn of(total: u64, done: u64, unchanged: u64, failed: u64, cancelled: u64) -> Self {
        let done = done.saturating_add(unchanged);
        let waiting = total.saturating_sub(done).saturating_sub(failed).saturating_sub(cancelled);
        Self { total, done, unchanged, failed, cancelled, waiting }
    }
}

const COLUMNS: &str = "command.id, command.serial, command.kind, command.payload, command.state, command.reason,
    command.job, command.created_at, command.expires_at, command.settled_at, command.total, command.unchanged,
    command.taken, CASE WHEN command.steps IS NULL THEN 1 ELSE 0 END,
    (SELECT count(*) FROM ticket WHERE ticket.command = command.id AND ticket.state = 'done'),
    (SELECT count(*) FROM ticket WHERE ticket.command = command.id
        AND ticket.state IN ('failed', 'unknown', 'expired', 'refused')),
    (SELECT count(*) FROM ticket WHERE ticket.command = command.id AND ticket.state = 'cancelled')";

impl Commands {
    fn clause(&self) -> Clause {
        let mut clause = Clause::default();
        let number = |number: Option<u64>| number.map(u64::cast_signed);
        let texts =
            [("command.serial =", &self.serial), ("command.state =", &self.state), ("command.kind =", &self.kind)];
        for (condition, text) in texts {
            if let Some(text) = text {
                clause.and(condition, text.clone());
            }
        }
        for (condition, id) in [("command.job =", number(self.job)), ("command.id =", number(self.id))] {
            if let Some(id) = id {
                clause.and(condition, id);
            }
        }
        clause
    }

    /// A part of them.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn part(&self, connection: &Connection, part: Part) -> Result<Vec<CommandRow>, StoreError> {
        let mut clause = self.clause();
        let tail = part.cut(&mut clause, "command.id");
        let sql = format!("SELECT {COLUMNS} FROM command WHERE {} {tail}", clause.after("TRUE"));
        connection.all(&sql, &clause.values(), CommandRow::read)
    }

    /// How many there are, if they are not too many to be counted.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn total(&self, connection: &Connection) -> Result<Option<u64>, StoreError> {
        total(connection, "command", &self.clause())
    }
}

impl CommandRow {
    /// One command.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn of(connection: &Connection, id: u64) -> Result<Option<Self>, StoreError> {
        Ok(Commands { id: Some(id), ..Commands::default() }.part(connection, Part::newest(1))?.pop())
    }

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let number = |index: usize| Ok::<u64, StoreError>(row.get::<i64>(index)?.cast_unsigned());
        let state: String = row.get(4)?;
        let (total, unchanged, taken) = (number(10)?, number(11)?, number(12)?);
        let (done, mut failed, mut cancelled) = (number(14)?, number(15)?, number(16)?);
        if state == "refused" {
            failed = total;
        } else if number(13)? == 1 {
            // What was taken back before it was looked at has no tickets.
            cancelled = cancelled.saturating_add(total.saturating_sub(taken));
        }
        Ok(Self {
            id: number(0)?,
            device_serial: row.get(1)?,
            command: row.get(2)?,
            payload: serde_json::from_str(&row.get::<String>(3)?).unwrap_or_default(),
            reason: row.get(5)?,
            job_id: row.get::<Option<i64>>(6)?.map(i64::cast_unsigned),
            counts: StepCounts::of(total, done, unchanged, failed, cancelled),
            created_at: written(from_millis(row.get(7)?)),
            expires_at: written(from_millis(row.get(8)?)),
            settled_at: row.get::<Option<i64>>(9)?.map(|millis| written(from_millis(millis))),
            state,
        })
    }
}

/// What is asked of one terminal.
#[derive(Debug, Clone)]
pub(crate) struct NewCommand {
    /// The terminal.
    pub(crate) serial: SerialNumber,
    /// The kind, by the word of the API.
    pub(crate) kind: &'static str,
    /// What is asked, without people, as JSON.
    pub(crate) payload: String,
    /// How many steps it takes.
    pub(crate) total: usize,
    /// How long it stays good.
    pub(crate) time_to_live: TimeDelta,
    /// Why the terminal cannot do it.
    pub(crate) refused: Option<String>,
}

/// Writes down what is asked of a terminal. Its steps are those of a list that is there.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn put_command(
    tx: &Transaction<'_>,
    new: &NewCommand,
    steps: i64,
    job: Option<i64>,
    now: DateTime<Utc>,
) -> Result<i64, StoreError> {
    let sql = "INSERT INTO command (serial, kind, payload, state, reason, job, steps, taken, total, created_at, ttl,
                   expires_at, settled_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) RETURNING id";
    let is_refused = new.refused.is_some();
    let total = i64::try_from(new.total).unwrap_or(i64::MAX);
    let (created_at, ttl) = (millis(now), new.time_to_live.num_milliseconds());
    let state = if is_refused { "refused" } else { "queued" };
    tx.value(
        sql,
        &[
            &new.serial.as_str(),
            &new.kind,
            &new.payload,
            &state,
            &new.refused,
            &job,
            &(!is_refused).then_some(steps),
            &if is_refused { total } else { 0 },
            &total,
            &created_at,
            &ttl,
            &created_at.saturating_add(ttl),
            &is_refused.then_some(created_at),
        ],
    )
}

/// Settles a command if nothing more is to be heard of it, and its job if it was the last.
///
/// # Errors
///
/// The store cannot be written.
pub(super) fn conclude(tx: &Transaction<'_>, command: i64, now: DateTime<Utc>) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT job, unchanged FROM command WHERE id = ?1 AND steps IS NULL
             AND NOT EXISTS (SELECT 1 FROM ticket WHERE command = ?1 AND {OPEN})"
    );
    let read = |row: &Row<'_>| Ok((row.get::<Option<i64>>(0)?, row.get::<i64>(1)? > 0));
    let Some((job, some_unchanged)) = tx.first(&sql, &[&command], read)? else {
        return Ok(());
    };
    let sql = "SELECT DISTINCT state FROM ticket WHERE command = ?1";
    let mut states: Vec<String> = tx.all(sql, &[&command], |row| row.get(0))?;
    if some_unchanged && !states.iter().any(|state| state == "done") {
        states.push("done".to_owned());
    }
    let word = match states.as_slice() {
        [] => "done",
        [only] => only,
        several if several.iter().any(|state| state == "done") => "partial",
        _ => "failed",
    };
    let sql = "UPDATE command SET state = ?2, settled_at = ?3 WHERE id = ?1";
    tx.execute(sql, &[&command, &word, &millis(now)])?;
    job.map_or(Ok(()), |job| command_job::conclude(tx, job, now))
}
