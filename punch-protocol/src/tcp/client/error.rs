use core::time::Duration;

use super::super::codes::Command;
use super::super::error::{DataError, FrameError, WriteError};

/// Why a request has no answer. The session goes on, unless [`RequestError::Ended`].
///
/// `ERRORS.md` explains every code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The terminal refused it.
    #[error("PP-TCP-030 {command}: the terminal answered `{code}` ({}); this unit or its firmware cannot, or not now", code.0)]
    Refused {
        /// What was asked.
        command: Command,
        /// How it was answered.
        code: Command,
    },
    /// No answer came.
    #[error("PP-TCP-031 {command}: no answer within {} ms, asked {sent} times; check that the terminal is on and idle", waited.as_millis())]
    Unanswered {
        /// What was asked.
        command: Command,
        /// How long it was waited for the last time.
        waited: Duration,
        /// How often it was asked.
        sent: u32,
    },
    /// A transfer ended before everything had come, and asking again did not help.
    #[error("PP-TCP-032 {command}: {got} of {want} bytes came; nothing of it is used, read again")]
    Short {
        /// What was asked.
        command: Command,
        /// Bytes that came.
        got: usize,
        /// Bytes that the terminal announced.
        want: usize,
    },
    /// Data that does not read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Something that the protocol cannot carry.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The terminal forgot the session twice in a row.
    #[error("PP-TCP-033 {command}: the terminal has forgotten the session; another program may be connected to it")]
    SessionLost {
        /// What was asked.
        command: Command,
    },
    /// The conversation is over.
    #[error("PP-TCP-034 {command}: {ending}")]
    Ended {
        /// What was asked.
        command: Command,
        /// Whether it was sent before, so that it may have been done.
        sent: bool,
        /// Why it is over.
        ending: Ending,
    },
}

impl RequestError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "PP-TCP-030",
            Self::Unanswered { .. } => "PP-TCP-031",
            Self::Short { .. } => "PP-TCP-032",
            Self::Data(error) => error.code(),
            Self::Write(error) => error.code(),
            Self::SessionLost { .. } => "PP-TCP-033",
            Self::Ended { .. } => "PP-TCP-034",
        }
    }

    /// Whether the terminal may have done what was asked.
    pub fn may_have_happened(&self) -> bool {
        matches!(self, Self::Unanswered { .. } | Self::Ended { sent: true, .. })
    }

    /// Whether the same may succeed in a new conversation.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unanswered { .. } | Self::Short { .. } | Self::SessionLost { .. } => true,
            Self::Ended { ending, .. } => ending.is_retryable(),
            Self::Refused { .. } | Self::Data(_) | Self::Write(_) => false,
        }
    }
}

/// Why a conversation is over.
///
/// `ERRORS.md` explains every code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Ending {
    /// The client took its leave.
    #[error("PP-TCP-040 connection: ended by us")]
    Left,
    /// The connection was closed, or broke.
    #[error("PP-TCP-041 connection: closed by the terminal; it may be restarting, or serving another program")]
    Closed,
    /// Nothing answers.
    #[error(
        "PP-TCP-042 connection: the terminal does not answer; check address and port, and whether it answers on UDP instead of TCP"
    )]
    Unreachable,
    /// The terminal wants a comm key and none is given.
    #[error("PP-TCP-043 comm key: the terminal wants one; give the number set in its menu under Comm. > PC connection")]
    KeyNeeded,
    /// The comm key is wrong.
    #[error("PP-TCP-044 comm key: refused; compare with the number set in the terminal's menu")]
    KeyRefused,
    /// The terminal takes no comm key any more for a while.
    #[error("PP-TCP-045 comm key: the terminal is locked after wrong keys; wait, then try with the right one")]
    KeyLocked,
    /// The terminal demands encryption.
    #[error(
        "PP-TCP-046 connection: the terminal demands encryption (secure pull), which is not supported; switch it off on the terminal or use push"
    )]
    SecurePull,
    /// The terminal does not open a session.
    #[error("PP-TCP-047 connection: refused with `{code}` ({}); restart the terminal, or look for another program that is connected", code.0)]
    Refused {
        /// How it answered.
        code: Command,
    },
    /// What came is not this protocol.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl Ending {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Left => "PP-TCP-040",
            Self::Closed => "PP-TCP-041",
            Self::Unreachable => "PP-TCP-042",
            Self::KeyNeeded => "PP-TCP-043",
            Self::KeyRefused => "PP-TCP-044",
            Self::KeyLocked => "PP-TCP-045",
            Self::SecurePull => "PP-TCP-046",
            Self::Refused { .. } => "PP-TCP-047",
            Self::Frame(error) => error.code(),
        }
    }

    /// Whether connecting again may help without anybody doing something.
    pub fn is_retryable(self) -> bool {
        match self {
            Self::Closed | Self::Unreachable | Self::KeyLocked | Self::Refused { .. } => true,
            Self::Frame(error) => !matches!(error, FrameError::SecurePull | FrameError::AccessPanel | FrameError::Http),
            Self::Left | Self::KeyNeeded | Self::KeyRefused | Self::SecurePull => false,
        }
    }
}

/// A request that a client does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// More than [`super::Client::QUEUE_MAX`] requests wait.
    #[error("PP-TCP-035 request: {waiting} are waiting already; wait for answers first")]
    Full {
        /// How many wait.
        waiting: usize,
    },
    /// The conversation is over.
    #[error(transparent)]
    Ended(#[from] Ending),
}

impl SubmitError {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Full { .. } => "PP-TCP-035",
            Self::Ended(ending) => ending.code(),
        }
    }
}
