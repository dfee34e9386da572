use alloc::string::String;

use chrono::{DateTime, Utc};

use super::super::codes::ReturnCode;
use super::error::CommandError;
use super::{Command, CommandId};

/// A command on its way to one terminal.
///
/// A shell keeps tickets in its store and hands those that wait to a new session after a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ticket {
    /// What the terminal repeats in its result.
    pub id: CommandId,
    /// What it is asked.
    pub command: Command,
    /// From then on it is not sent any more.
    pub expires_at: DateTime<Utc>,
    /// How far it has come.
    pub state: CommandState,
}

impl Ticket {
    /// A ticket that has not been sent and stays good for [`Command::time_to_live`].
    pub fn new(id: CommandId, command: Command, now: DateTime<Utc>) -> Self {
        let expires_at = now.checked_add_signed(command.time_to_live()).unwrap_or(DateTime::<Utc>::MAX_UTC);
        Self { id, command, expires_at, state: CommandState::Queued }
    }

    /// The same ticket, good until `at`.
    #[must_use]
    pub fn until(mut self, at: DateTime<Utc>) -> Self {
        self.expires_at = at;
        self
    }
}

/// How far a command has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandState {
    /// It has not been sent.
    Queued,
    /// It has been sent, and no result has come.
    Sent {
        /// When last.
        at: DateTime<Utc>,
        /// How often.
        times: u32,
    },
    /// A master controller has taken it on and will answer again.
    Accepted,
    /// It cannot be written for this terminal and will not be sent.
    Refused(CommandError),
}

impl CommandState {
    /// What has become of a command that is in this state when its time is over.
    pub fn when_over(self) -> CommandChange {
        match self {
            Self::Refused(error) => CommandChange::Refused(error),
            Self::Queued => CommandChange::Expired,
            Self::Sent { .. } | Self::Accepted => CommandChange::Unknown,
        }
    }
}

/// What has become of a command. Write it down, then tell [`Session::settled`](super::super::Session::settled).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandUpdate {
    /// The id as the terminal wrote it.
    pub id: String,
    /// What has become of it.
    pub change: CommandChange,
}

impl CommandUpdate {
    /// What a shell has found out by itself, such as that the time of a command was over before it came to a session.
    pub fn new(id: impl Into<String>, change: CommandChange) -> Self {
        Self { id: id.into(), change }
    }
}

/// The change of a [`CommandUpdate`]. All are final but [`CommandChange::Accepted`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandChange {
    /// It was executed. The number is 0, or what was counted.
    Succeeded {
        /// The return code.
        code: ReturnCode,
    },
    /// It was refused or went wrong.
    Failed {
        /// The return code; its meaning depends on the dialect.
        code: ReturnCode,
    },
    /// A master controller has taken it on.
    Accepted,
    /// It was sent, and whether it was executed is not known: the answer has no code, or none came in time.
    Unknown,
    /// Its time was over before it was sent.
    Expired,
    /// It cannot be written for this terminal.
    Refused(CommandError),
    /// Nobody waits for this id: a result that came twice, or one for a command of another server.
    Unattributed {
        /// The return code, if there is one.
        code: Option<ReturnCode>,
    },
}

impl CommandChange {
    /// Whether nothing more will be heard of the command.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Accepted)
    }
}
