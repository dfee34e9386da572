use alloc::borrow::ToOwned;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, TimeDelta, Utc};

use super::super::handshake::Dialect;
use super::super::results::{CommandResult, CommandResults};
use super::error::CommandError;
use super::ticket::{CommandChange, CommandState, CommandUpdate, Ticket};
use super::{CommandId, TextEncoding};

/// How much is sent to a terminal at once, and how much may wait for it.
///
/// ```
/// use punch_protocol::push::CommandLimits;
///
/// let patient = CommandLimits { reply_bytes: 900_000, ..CommandLimits::default() };
/// assert_eq!(patient.per_reply, 200);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update syntax")]
pub struct CommandLimits {
    /// Commands in one answer. Default 200, as the vendor's own server does.
    pub per_reply: usize,
    /// Bytes of one answer. Default 40,960, as the vendor's own server does; the documents allow 900 KB.
    pub reply_bytes: usize,
    /// Commands that wait for one terminal. Default 20,000.
    pub waiting: usize,
    /// How long the result of a repeatable command may take before it is sent again. Default 60 s.
    pub resend_after: TimeDelta,
}

impl Default for CommandLimits {
    fn default() -> Self {
        Self { per_reply: 200, reply_bytes: 40_960, waiting: 20_000, resend_after: TimeDelta::seconds(60) }
    }
}

/// The commands of one terminal, in order.
///
/// Delivery is at least once for what may be repeated and at most once for what may not. A repeatable command is not
/// sent past one that is still unanswered, so that a repetition never undoes what came after it.
#[derive(Debug, Clone, Default)]
pub struct CommandQueue {
    tickets: VecDeque<Ticket>,
    limits: CommandLimits,
}

/// What one answer carries.
pub(in super::super) struct Batch {
    pub(in super::super) ids: Vec<CommandId>,
    pub(in super::super) body: Vec<u8>,
}

impl CommandQueue {
    /// An empty queue.
    pub fn new(limits: CommandLimits) -> Self {
        Self { tickets: VecDeque::new(), limits }
    }

    /// Takes a command, new or from an earlier life.
    ///
    /// # Errors
    ///
    /// [`CommandError::QueueFull`] at [`CommandLimits::waiting`], [`CommandError::DuplicateId`] if its id waits already.
    pub fn submit(&mut self, ticket: Ticket) -> Result<(), CommandError> {
        if self.tickets.len() >= self.limits.waiting {
            return Err(CommandError::QueueFull { limit: self.limits.waiting });
        }
        if self.tickets.iter().any(|known| known.id == ticket.id) {
            return Err(CommandError::DuplicateId);
        }
        self.tickets.push_back(ticket);
        Ok(())
    }

    /// Takes a command back that has never been sent; `None` if there is no such.
    pub fn cancel(&mut self, id: &CommandId) -> Option<Ticket> {
        let at = self.tickets.iter().position(|ticket| ticket.id == *id && ticket.state == CommandState::Queued)?;
        self.tickets.remove(at)
    }

    /// The commands nothing final is known of, oldest first.
    pub fn tickets(&self) -> impl Iterator<Item = &Ticket> {
        self.tickets.iter()
    }

    /// What the results say of the commands that wait. Changes nothing.
    pub fn outcomes(&self, results: &CommandResults<'_>, dialect: Dialect) -> Vec<CommandUpdate> {
        let update = |result: CommandResult<'_>| {
            let ticket = self.tickets.iter().find(|ticket| ticket.id.as_str() == result.id);
            CommandUpdate { change: change(ticket, &result, dialect), id: result.id.into_owned() }
        };
        results.read().into_iter().map(update).collect()
    }

    /// The commands whose time is over, and those that cannot be written. Changes nothing.
    pub fn overdue(&self, now: DateTime<Utc>) -> Vec<CommandUpdate> {
        let update = |ticket: &Ticket| {
            let is_over = now >= ticket.expires_at || matches!(ticket.state, CommandState::Refused(_));
            is_over.then(|| CommandUpdate { id: ticket.id.as_str().to_owned(), change: ticket.state.when_over() })
        };
        self.tickets.iter().filter_map(update).collect()
    }

    /// When [`CommandQueue::overdue`] will next have something.
    pub fn poll_timeout(&self) -> Option<DateTime<Utc>> {
        self.tickets.iter().map(|ticket| ticket.expires_at).min()
    }

    /// Forgets what is final and marks what a master has taken on.
    pub fn settled(&mut self, updates: &[CommandUpdate]) {
        for update in updates {
            let Some(at) = self.tickets.iter().position(|ticket| ticket.id.as_str() == update.id) else { continue };
            if update.change.is_final() {
                self.tickets.remove(at);
            } else if let Some(ticket) = self.tickets.get_mut(at) {
                ticket.state = CommandState::Accepted;
            }
        }
    }

    /// What to send now. Everything in it counts as sent.
    pub(in super::super) fn take(&mut self, dialect: Dialect, encoding: TextEncoding, now: DateTime<Utc>) -> Batch {
        let mut batch = Batch { ids: Vec::new(), body: Vec::new() };
        let mut unanswered = false;
        let limits = self.limits;
        for ticket in &mut self.tickets {
            if batch.ids.len() >= limits.per_reply {
                break;
            }
            match turn_of(ticket, limits.resend_after, now) {
                Waits::Unanswered => unanswered = true,
                Waits::Never => {}
                Waits::Ready if unanswered && ticket.command.is_repeatable() => {}
                Waits::Ready => match line_of(ticket, dialect, encoding, limits.reply_bytes) {
                    Err(error) => ticket.state = CommandState::Refused(error),
                    Ok(line) if batch.body.len().saturating_add(line.len()) > limits.reply_bytes => break,
                    Ok(line) => {
                        batch.body.extend_from_slice(&line);
                        batch.ids.push(ticket.id.clone());
                        ticket.state = sent(ticket.state, now);
                        if ticket.command.ends_the_batch() {
                            break;
                        }
                    }
                },
            }
        }
        batch
    }

    /// What was taken did not go out after all.
    pub(in super::super) fn put_back(&mut self, ids: &[CommandId]) {
        for ticket in self.tickets.iter_mut().filter(|ticket| ids.contains(&ticket.id)) {
            ticket.state = CommandState::Queued;
        }
    }

    /// The terminal has lost its memory of what was sent: repeatable commands are due again.
    pub(in super::super) fn reconnected(&mut self) {
        for ticket in &mut self.tickets {
            if let CommandState::Sent { times, .. } = ticket.state
                && ticket.command.is_repeatable()
            {
                ticket.state = CommandState::Sent { at: DateTime::<Utc>::MIN_UTC, times };
            }
        }
    }
}

enum Waits {
    /// To be sent now.
    Ready,
    /// Sent, to be repeated later; what is behind it waits.
    Unanswered,
    /// Not to be sent, and nobody waits for it.
    Never,
}

fn turn_of(ticket: &Ticket, resend_after: TimeDelta, now: DateTime<Utc>) -> Waits {
    if ticket.expires_at <= now {
        return Waits::Never;
    }
    match ticket.state {
        CommandState::Queued => Waits::Ready,
        CommandState::Sent { at, .. } if ticket.command.is_repeatable() => {
            if now.signed_duration_since(at) >= resend_after { Waits::Ready } else { Waits::Unanswered }
        }
        CommandState::Sent { .. } | CommandState::Accepted | CommandState::Refused(_) => Waits::Never,
    }
}

fn sent(state: CommandState, now: DateTime<Utc>) -> CommandState {
    match state {
        CommandState::Sent { times, .. } => CommandState::Sent { at: now, times: times.saturating_add(1) },
        CommandState::Queued | CommandState::Accepted | CommandState::Refused(_) => {
            CommandState::Sent { at: now, times: 1 }
        }
    }
}

/// `C:<id>:<text>` and the line end without which firmware does not act.
fn line_of(ticket: &Ticket, dialect: Dialect, encoding: TextEncoding, limit: usize) -> Result<Vec<u8>, CommandError> {
    let line: String = format!("C:{}:{}\n", ticket.id, ticket.command.text(dialect)?);
    let line = encoding.encode("a text", &line)?;
    if line.len() > limit {
        return Err(CommandError::TooLong { len: line.len(), limit });
    }
    Ok(line)
}

fn change(ticket: Option<&Ticket>, result: &CommandResult<'_>, dialect: Dialect) -> CommandChange {
    match (ticket, result.code) {
        (None, code) => CommandChange::Unattributed { code },
        (Some(_), None) => CommandChange::Unknown,
        (Some(_), Some(_)) if result.is_pending() => CommandChange::Accepted,
        (Some(ticket), Some(code)) if ticket.command.succeeded(code, dialect) => CommandChange::Succeeded { code },
        (Some(_), Some(code)) => CommandChange::Failed { code },
    }
}
