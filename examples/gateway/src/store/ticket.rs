//! Commands of the protocol on their way to terminals: written down before they are sent, and until they are answered.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use punch_protocol::SerialNumber;
use punch_protocol::push::{
    Command, CommandChange, CommandId, CommandState, CommandUpdate, Dialect, ReturnCode, Ticket,
};

use super::command::conclude;
use super::sql::{Connection, Row};
use super::{StoreError, Transaction, from_millis, millis};
use crate::core::Step;

/// Of tickets about which something may still be heard; the words of the partial indexes.
pub(super) const OPEN: &str = "state IN ('queued', 'sent', 'accepted')";

/// A ticket that nothing final is known of.
#[derive(Debug, Clone)]
pub(crate) struct OpenTicket {
    number: i64,
    /// What it is to do.
    pub(crate) step: Step,
    /// How far it has come.
    pub(crate) state: CommandState,
    expires_at: DateTime<Utc>,
}

/// What has become of a ticket.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// The ticket and the change.
    pub(crate) update: CommandUpdate,
    /// What the terminal told, as JSON.
    pub(crate) answer: Option<String>,
    /// Why it went wrong, by whoever has asked the terminal.
    pub(crate) reason: Option<String>,
}

impl OpenTicket {
    /// The open tickets of a terminal, oldest first: all that were sent, all that must not be sent twice, and the first
    /// `limit` of the others.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn of(connection: &Connection, serial: &SerialNumber, limit: usize) -> Result<Vec<Self>, StoreError> {
        let columns = "id, detail, state, sent_at, times, expires_at";
        let of = |state: &str| format!("SELECT {columns} FROM ticket WHERE serial = ?1 AND state = '{state}'");
        let queries = [
            of("sent"),
            of("accepted"),
            format!("{} AND once = 1", of("queued")),
            format!("{} AND once = 0 ORDER BY id LIMIT {limit}", of("queued")),
        ];
        let mut open: Vec<Self> = Vec::new();
        for sql in queries {
            open.extend(connection.all(&sql, &[&serial.as_str()], Self::read)?.into_iter().flatten());
        }
        open.sort_by_key(|ticket| ticket.number);
        Ok(open)
    }

    /// Reads a ticket back; `None` of one that somebody has damaged.
    fn read(row: &Row<'_>) -> Result<Option<Self>, StoreError> {
        let detail: Option<String> = row.get(1)?;
        let Some(step) = detail.and_then(|detail| serde_json::from_str(&detail).ok()) else { return Ok(None) };
        let state = state_of(&row.get::<String>(2)?, row.get(3)?, row.get(4)?);
        Ok(Some(Self { number: row.get(0)?, step, state, expires_at: from_millis(row.get(5)?) }))
    }

    /// What the terminal repeats.
    pub(crate) fn id(&self) -> CommandId {
        CommandId::numbered(self.number.cast_unsigned())
    }

    /// The ticket as a session takes it. What can be good for a shorter time only, such as a time to be set, is.
    pub(crate) fn ticket(&self, command: Command, now: DateTime<Utc>) -> Ticket {
        let mut ticket = Ticket::new(self.id(), command, now);
        ticket.state = self.state;
        let until = ticket.expires_at.min(self.expires_at);
        ticket.until(until)
    }
}

fn state_of(word: &str, sent_at: Option<i64>, times: u32) -> CommandState {
    match (word, sent_at) {
        ("accepted", _) => CommandState::Accepted,
        ("sent", Some(at)) => CommandState::Sent { at: from_millis(at), times },
        _ => CommandState::Queued,
    }
}

/// The terminals for which commands wait.
///
/// # Errors
///
/// The store cannot be read.
pub(crate) fn with_open_tickets(connection: &Connection) -> Result<Vec<SerialNumber>, StoreError> {
    let sql = format!("SELECT DISTINCT serial FROM ticket WHERE {OPEN}");
    let serials: Vec<String> = connection.all(&sql, &[], |row| row.get(0))?;
    Ok(serials.iter().filter_map(|serial| SerialNumber::parse(serial).ok()).collect())
}

/// Writes down that tickets are sent, and returns those that nobody waits for any more. If there are any, nothing is
/// written down and none may be sent.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn record_sent(
    tx: &Transaction<'_>,
    serial: &SerialNumber,
    ids: &[CommandId],
    now: DateTime<Utc>,
) -> Result<Vec<CommandId>, StoreError> {
    let mut gone = Vec::new();
    let mut commands = Vec::new();
    // Another gateway over the same store may have sent it meanwhile.
    let sql = "SELECT command FROM ticket WHERE id = ?1 AND serial = ?2
                   AND (state = 'queued' OR (once = 0 AND state = 'sent'))";
    for id in ids {
        let command: Option<i64> = tx.first(sql, &[&number(id.as_str()), &serial.as_str()], |row| row.get(0))?;
        match command {
            Some(command) if !commands.contains(&command) => commands.push(command),
            Some(_) => {}
            None => gone.push(id.clone()),
        }
    }
    if !gone.is_empty() {
        return Ok(gone);
    }
    let sql = "UPDATE ticket SET state = 'sent', sent_at = ?2, times = times + 1 WHERE id = ?1";
    for id in ids {
        tx.execute(sql, &[&number(id.as_str()), &millis(now)])?;
    }
    let sql = "UPDATE command SET state = 'sent' WHERE id = ?1 AND state = 'queued'";
    for command in commands {
        tx.execute(sql, &[&command])?;
    }
    Ok(gone)
}

/// A step that was given to somebody to carry out.
#[derive(Debug, Clone)]
pub(crate) struct TakenStep {
    /// What he repeats.
    pub(crate) id: CommandId,
    /// What is to be done.
    pub(crate) step: Step,
    /// Until when it may be.
    pub(crate) expires_at: DateTime<Utc>,
}

/// What was taken and may be taken again is taken back from whoever has said nothing for so long: he has died, or his
/// answer was lost.
const TAKEN_FOR: TimeDelta = TimeDelta::seconds(10);

/// Of steps of terminal ?1 that may be given out at ?2; ?3 is since when somebody may have them.
const FREE: &str = "serial = ?1 AND expires_at > ?2
    AND (state = 'queued' OR (once = 0 AND state = 'sent' AND sent_at <= ?3))";

/// Whether somebody has steps that nothing may overtake.
const HELD: &str = "EXISTS (SELECT 1 FROM ticket WHERE serial = ?1 AND expires_at > ?2 AND once = 0 AND state = 'sent'
    AND sent_at > ?3)";

/// Whether there are steps for a terminal that may be given out.
///
/// # Errors
///
/// The store cannot be read.
pub(crate) fn has_free(connection: &Connection, serial: &SerialNumber, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let sql = format!("SELECT count(*) FROM ticket WHERE {FREE} AND (once = 1 OR NOT {HELD})");
    let count: i64 = connection.value(&sql, &[&serial.as_str(), &millis(now), &millis(taken_before(now))])?;
    Ok(count > 0)
}

/// Gives out at most `limit` steps for a terminal, written down as sent: first what must not be sent twice, then the
/// others in their order, and none of them past one that somebody else has.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn take_free(
    tx: &Transaction<'_>,
    serial: &SerialNumber,
    limit: usize,
    now: DateTime<Utc>,
) -> Result<Vec<TakenStep>, StoreError> {
    let sql = format!(
        "SELECT id, detail, expires_at FROM ticket WHERE {FREE} AND (once = 1 OR NOT {HELD})
         ORDER BY once DESC, id LIMIT {limit}"
    );
    let read = |row: &Row<'_>| {
        let id = CommandId::numbered(row.get::<i64>(0)?.cast_unsigned());
        let step: Option<Step> = row.get::<Option<String>>(1)?.and_then(|detail| serde_json::from_str(&detail).ok());
        let expires_at = from_millis(row.get(2)?);
        Ok(step.map(|step| TakenStep { id, step, expires_at }))
    };
    let found = tx.all(&sql, &[&serial.as_str(), &millis(now), &millis(taken_before(now))], read)?;
    let taken: Vec<TakenStep> = found.into_iter().flatten().collect();
    let ids: Vec<CommandId> = taken.iter().map(|taken| taken.id.clone()).collect();
    // They were looked up in this very transaction, so none is gone.
    record_sent(tx, serial, &ids, now)?;
    Ok(taken)
}

fn taken_before(now: DateTime<Utc>) -> DateTime<Utc> {
    now.checked_sub_signed(TAKEN_FOR).unwrap_or(now)
}

/// Writes down what has become of tickets, and returns the ids that are of none.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn settle(
    tx: &Transaction<'_>,
    serial: &SerialNumber,
    outcomes: &[Outcome],
    dialect: Dialect,
    now: DateTime<Utc>,
) -> Result<SettledTickets, StoreError> {
    let (mut settled, mut commands) = (SettledTickets::default(), BTreeSet::new());
    for outcome in outcomes {
        match settle_one(tx, serial, outcome, dialect, now)? {
            Known::No => settled.strange.push(outcome.update.id.clone()),
            Known::Already => {}
            Known::Settled { command, word } => {
                settled.words.push(word);
                commands.insert(command);
            }
        }
    }
    for command in commands {
        conclude(tx, command, now)?;
    }
    Ok(settled)
}

/// What tickets came to.
#[derive(Debug, Default)]
pub(crate) struct SettledTickets {
    /// Ids that are of none.
    pub(crate) strange: Vec<String>,
    /// The states of the others.
    pub(crate) words: Vec<&'static str>,
}

enum Known {
    /// There is no such ticket, or it was answered before.
    No,
    /// Somebody else has settled it.
    Already,
    /// A ticket of this command, and its state now.
    Settled { command: i64, word: &'static str },
}

fn settle_one(
    tx: &Transaction<'_>,
    serial: &SerialNumber,
    Outcome { update, answer, reason: said }: &Outcome,
    dialect: Dialect,
    now: DateTime<Utc>,
) -> Result<Known, StoreError> {
    let sql = "SELECT command, state, detail FROM ticket WHERE id = ?1 AND serial = ?2";
    let read = |row: &Row<'_>| Ok((row.get::<i64>(0)?, row.get::<String>(1)?, row.get::<Option<String>>(2)?));
    let Some((command, state, detail)) = tx.first(sql, &[&number(&update.id), &serial.as_str()], read)? else {
        return Ok(Known::No);
    };
    let step: Option<Step> = detail.and_then(|detail| serde_json::from_str(&detail).ok());
    let is_open = ["queued", "sent", "accepted"].contains(&state.as_str());
    let judged = |code: ReturnCode| {
        let done = step.as_ref().is_some_and(|step| step.succeeded(code, dialect));
        if done { "done" } else { "failed" }
    };
    let (word, code, reason) = match update.change {
        // An answer that comes when nobody hoped for it any more still counts.
        CommandChange::Unattributed { code: Some(code) } if is_open || state == "unknown" => {
            (judged(code), Some(code), None)
        }
        CommandChange::Unattributed { .. } => return Ok(Known::No),
        _ if !is_open => return Ok(Known::Already),
        CommandChange::Succeeded { code } | CommandChange::Failed { code } => (judged(code), Some(code), None),
        CommandChange::Accepted => ("accepted", None, None),
        // Another gateway over the same store may have sent it.
        CommandChange::Expired if state == "queued" => ("expired", None, None),
        CommandChange::Refused(error) => ("refused", None, Some(error.to_string())),
        // `Unknown`, and whatever a later version of the protocol adds: nobody knows what became of it.
        _ => ("unknown", None, None),
    };
    let reason = reason.or_else(|| said.clone());
    let settled_at = (word != "accepted").then(|| millis(now));
    let sql = "UPDATE ticket SET state = ?2, code = ?3, reason = ?4, answer = coalesce(?5, answer), settled_at = ?6,
                   detail = CASE WHEN ?2 = 'done' THEN NULL ELSE detail END
               WHERE id = ?1";
    let code = code.map(|ReturnCode(code)| code);
    tx.execute(sql, &[&number(&update.id), &word, &code, &reason, answer, &settled_at])?;
    if let Some(step) = step {
        note_person(tx, serial, &step, word)?;
    }
    Ok(Known::Settled { command, word })
}

/// What the terminal is known to have of a person, now that this became of a step about them.
fn note_person(tx: &Transaction<'_>, serial: &SerialNumber, step: &Step, word: &str) -> Result<(), StoreError> {
    let Some(badge) = step.badge() else { return Ok(()) };
    match (word, step.digest()) {
        ("done", Some(digest)) => {
            let sql = "INSERT INTO roster (serial, badge, digest) VALUES (?1, ?2, ?3)
                       ON CONFLICT (serial, badge) DO UPDATE SET digest = excluded.digest";
            tx.execute(sql, &[&serial.as_str(), &badge, &digest])?;
        }
        // Nobody knows whether it was executed, so nobody knows what the terminal has.
        ("done" | "unknown", _) => {
            let sql = "DELETE FROM roster WHERE serial = ?1 AND badge = ?2";
            tx.execute(sql, &[&serial.as_str(), &badge])?;
        }
        _ => {}
    }
    Ok(())
}

/// Keeps what a terminal told that was asked by a command, apart from the result.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn keep_answer(
    tx: &Transaction<'_>,
    serial: &SerialNumber,
    id: &CommandId,
    answer: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE ticket SET answer = ?3 WHERE id = ?1 AND serial = ?2";
    tx.execute(sql, &[&number(id.as_str()), &serial.as_str(), &answer])?;
    Ok(())
}

/// Tickets whose time is over, at most `limit`, and of which terminal each is.
///
/// # Errors
///
/// The store cannot be read.
pub(crate) fn overdue(
    connection: &Connection,
    now: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<(SerialNumber, Outcome)>, StoreError> {
    let sql =
        format!("SELECT id, serial, state, sent_at, times FROM ticket WHERE {OPEN} AND expires_at <= ?1 LIMIT {limit}");
    let read = |row: &Row<'_>| {
        let id = CommandId::numbered(row.get::<i64>(0)?.cast_unsigned());
        let change = state_of(&row.get::<String>(2)?, row.get(3)?, row.get(4)?).when_over();
        let serial = SerialNumber::parse(&row.get::<String>(1)?).ok();
        let update = CommandUpdate::new(id.as_str(), change);
        Ok(serial.map(|serial| (serial, Outcome { update, answer: None, reason: None })))
    };
    Ok(connection.all(&sql, &[&millis(now)], read)?.into_iter().flatten().collect())
}

/// The number of the ticket whose id a terminal has repeated; one that no ticket has, if it is no id of ours.
fn number(id: &str) -> i64 {
    let number = CommandId::parse(id).ok().and_then(|id| u64::from_str_radix(id.as_str(), 36).ok());
    number.and_then(|number| i64::try_from(number).ok()).unwrap_or(-1)
}
