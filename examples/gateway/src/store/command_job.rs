//! One call for many terminals: a job, and the commands that it is made of.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::command::{NewCommand, StepCounts, put_command};
use super::job::JobRow;
use super::part::{Part, total};
use super::sql::{Clause, Connection, Row};
use super::{StoreError, Transaction, from_millis, millis, written};

/// One command for many terminals.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CommandJob {
    /// Its number.
    pub id: u64,
    /// `commands`.
    pub kind: &'static str,
    /// The kind of command, by the word of the API.
    pub command: String,
    /// `running`, `done` or `cancelled`.
    pub state: String,
    /// How many terminals it is for.
    pub devices: u64,
    /// Of which nothing more is to be heard.
    pub devices_settled: u64,
    /// How it stands with the steps of all of them.
    #[serde(flatten)]
    pub counts: StepCounts,
    /// When it began.
    pub created_at: String,
    /// When nothing more was to be heard of it.
    pub ended_at: Option<String>,
}

impl CommandJob {
    /// Begins a job of one command for each terminal, with one list of steps for all of them.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub(crate) fn begin(
        tx: &Transaction<'_>,
        commands: &[NewCommand],
        steps: i64,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let total: usize = commands.iter().map(|command| command.total).sum();
        let sql =
            "INSERT INTO job (kind, state, total, created_at) VALUES ('commands', 'running', ?1, ?2) RETURNING id";
        let job: i64 = tx.value(sql, &[&i64::try_from(total).unwrap_or(i64::MAX), &millis(now)])?;
        for command in commands {
            put_command(tx, command, steps, Some(job), now)?;
        }
        // If no terminal can do it, it is over already.
        super::expansion::forget_steps(tx, steps)?;
        conclude(tx, job, now)?;
        Ok(job.cast_unsigned())
    }

    /// One job.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn of(connection: &Connection, id: u64) -> Result<Option<Self>, StoreError> {
        let job = id.cast_signed();
        let sql = "SELECT state, created_at, ended_at FROM job WHERE id = ?1 AND kind = 'commands'";
        let moment = |millis: i64| written(from_millis(millis));
        let read = |row: &Row<'_>| {
            let ended_at: Option<i64> = row.get(2)?;
            Ok((row.get::<String>(0)?, moment(row.get(1)?), ended_at.map(moment)))
        };
        let Some((state, created_at, ended_at)) = connection.first(sql, &[&job], read)? else {
            return Ok(None);
        };
        let sql = "SELECT count(*), CAST(coalesce(sum(CASE WHEN settled_at IS NULL THEN 0 ELSE 1 END), 0) AS BIGINT), coalesce(min(kind), ''),
                       CAST(coalesce(sum(total), 0) AS BIGINT), CAST(coalesce(sum(unchanged), 0) AS BIGINT),
                       CAST(coalesce(sum(CASE WHEN state = 'refused' THEN total ELSE 0 END), 0) AS BIGINT),
                       CAST(coalesce(sum(CASE WHEN steps IS NULL THEN total - taken ELSE 0 END), 0) AS BIGINT)
                   FROM command WHERE job = ?1";
        let read = |row: &Row<'_>| {
            let numbers: Vec<u64> = [0, 1, 3, 4, 5, 6]
                .iter()
                .map(|index| Ok(row.get::<i64>(*index)?.cast_unsigned()))
                .collect::<Result<_, StoreError>>()?;
            Ok((row.get::<String>(2)?, numbers))
        };
        let (command, numbers) = connection.first(sql, &[&job], read)?.ok_or(StoreError::NoRow)?;
        let [devices, devices_settled, total, unchanged, refused, untaken] = numbers.as_slice() else {
            return Ok(None);
        };
        let (done, failed, cancelled) = tickets_of(connection, job)?;
        let (failed, cancelled) = (failed.saturating_add(*refused), cancelled.saturating_add(*untaken));
        let counts = StepCounts::of(*total, done, *unchanged, failed, cancelled);
        let (devices, devices_settled) = (*devices, *devices_settled);
        Ok(Some(Self { id, kind: "commands", command, state, devices, devices_settled, counts, created_at, ended_at }))
    }
}

/// A job of either kind.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub enum AnyJob {
    /// Events are sent once more.
    Replay(JobRow),
    /// Commands for many terminals.
    Commands(CommandJob),
}

impl AnyJob {
    /// One job.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn of(connection: &Connection, id: u64) -> Result<Option<Self>, StoreError> {
        if let Some(job) = CommandJob::of(connection, id)? {
            return Ok(Some(Self::Commands(job)));
        }
        Ok(JobRow::of(connection, id)?.map(Self::Replay))
    }

    /// A part of them, and how many there are.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn part(
        connection: &Connection,
        kind: Option<&str>,
        state: Option<&str>,
        part: Part,
    ) -> Result<(Vec<Self>, Option<u64>), StoreError> {
        let mut clause = Clause::default();
        for (condition, text) in [("kind =", kind), ("state =", state)] {
            if let Some(text) = text {
                clause.and(condition, text.to_owned());
            }
        }
        let total = total(connection, "job", &clause)?;
        let tail = part.cut(&mut clause, "id");
        let sql = format!("SELECT id FROM job WHERE {} {tail}", clause.after("TRUE"));
        let mut jobs = Vec::new();
        for id in connection.all(&sql, &clause.values(), |row| row.get::<i64>(0))? {
            jobs.extend(Self::of(connection, id.cast_unsigned())?);
        }
        Ok((jobs, total))
    }

    /// Its number.
    pub fn id(&self) -> u64 {
        match self {
            Self::Replay(job) => job.id,
            Self::Commands(job) => job.id,
        }
    }

    /// `running`, `done` or `cancelled`.
    pub fn state(&self) -> &str {
        match self {
            Self::Replay(job) => &job.state,
            Self::Commands(job) => &job.state,
        }
    }
}

/// How many tickets of a job are done, went wrong, and were taken back.
fn tickets_of(connection: &Connection, job: i64) -> Result<(u64, u64, u64), StoreError> {
    let sql = "SELECT ticket.state, count(*) FROM command JOIN ticket ON ticket.command = command.id
               WHERE command.job = ?1 GROUP BY ticket.state";
    let counts = connection.all(sql, &[&job], |row| Ok((row.get::<String>(0)?, row.get::<i64>(1)?.cast_unsigned())))?;
    let (mut done, mut failed, mut cancelled) = (0_u64, 0_u64, 0_u64);
    for (state, count) in counts {
        match state.as_str() {
            "done" => done = count,
            "cancelled" => cancelled = count,
            "queued" | "sent" | "accepted" => {}
            _ => failed = failed.saturating_add(count),
        }
    }
    Ok((done, failed, cancelled))
}

/// Ends a job if nothing more is to be heard of its commands.
pub(super) fn conclude(tx: &Transaction<'_>, job: i64, now: DateTime<Utc>) -> Result<(), StoreError> {
    let sql = "UPDATE job SET state = 'done', ended_at = ?2 WHERE id = ?1 AND state = 'running'
                   AND NOT EXISTS (SELECT 1 FROM command WHERE job = ?1 AND settled_at IS NULL)";
    tx.execute(sql, &[&job, &millis(now)])?;
    Ok(())
}
