use super::super::handshake::Dialect;

/// A command that cannot be written. Nothing of it has been sent.
///
/// No text quotes a value: values are names, PINs and passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// A value holds a character that ends a field, a line or a text. The protocol has no escape for it, and a
    /// line end would begin another command.
    #[error("PP-CMD-001 command: {key} holds a TAB, line end or NUL at byte {at}; the protocol cannot carry it")]
    Separator {
        /// The key, or what the value is.
        key: &'static str,
        /// Byte offset in the value.
        at: usize,
    },
    /// An id that firmware would cut off or not repeat.
    #[error("PP-CMD-002 command id: {len} bytes, expected 1 to 16 ASCII letters and digits")]
    BadId {
        /// Length of the text, in bytes.
        len: usize,
    },
    /// The dialect has no such command.
    #[error("PP-CMD-003 command: {command} does not exist for {dialect} terminals")]
    Unsupported {
        /// What was wanted.
        command: &'static str,
        /// The dialect of the terminal.
        dialect: Dialect,
    },
    /// Longer than a terminal reads.
    #[error("PP-CMD-004 command: {len} bytes, at most {limit} fit into one answer")]
    TooLong {
        /// Length of the command, in bytes.
        len: usize,
        /// The limit in force.
        limit: usize,
    },
    /// A character that the code page of the terminal does not have.
    #[error("PP-CMD-005 command: {key} has a character that {encoding} does not have; write it another way")]
    Unencodable {
        /// The key, or what the value is.
        key: &'static str,
        /// The code page of the terminal.
        encoding: &'static str,
    },
    /// A value outside the range the protocol gives it.
    #[error("PP-CMD-006 command: {key} is out of range, expected {expected}")]
    OutOfRange {
        /// The key, or what the value is.
        key: &'static str,
        /// What would do.
        expected: &'static str,
    },
    /// As many commands as the queue holds are waiting.
    #[error("PP-CMD-007 command queue: {limit} commands wait for this terminal, and no more are taken")]
    QueueFull {
        /// The limit in force.
        limit: usize,
    },
    /// A command with this id waits already.
    #[error("PP-CMD-008 command id: a command with this id waits for the same terminal")]
    DuplicateId,
}

impl CommandError {
    /// The stable code, also the anchor of its paragraph in [`errors`](super::super::errors).
    pub fn code(&self) -> &'static str {
        match self {
            Self::Separator { .. } => "PP-CMD-001",
            Self::BadId { .. } => "PP-CMD-002",
            Self::Unsupported { .. } => "PP-CMD-003",
            Self::TooLong { .. } => "PP-CMD-004",
            Self::Unencodable { .. } => "PP-CMD-005",
            Self::OutOfRange { .. } => "PP-CMD-006",
            Self::QueueFull { .. } => "PP-CMD-007",
            Self::DuplicateId => "PP-CMD-008",
        }
    }

    /// Whether the same command may be taken later without a change.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::QueueFull { .. })
    }
}
