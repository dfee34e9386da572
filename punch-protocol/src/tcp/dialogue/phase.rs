use super::super::codes::Command;
use super::Breach;

/// How far a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Phase {
    /// There is none.
    #[default]
    Closed,
    /// The client asked for one.
    Connecting,
    /// There is one, and the terminal wants its comm key.
    Locked,
    /// The client sent the comm key.
    Proving,
    /// Everything may be asked.
    Open,
    /// The client took its leave.
    Leaving,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 6] = [Self::Closed, Self::Connecting, Self::Locked, Self::Proving, Self::Open, Self::Leaving];

    /// The phase after a client's request.
    ///
    /// # Errors
    ///
    /// [`Breach`] if the request may not be made in this phase.
    pub fn after_request(self, command: Command) -> Result<Self, Breach> {
        match (self, command) {
            (_, Command::EVENT) if self != Self::Open => Err(self.breach()),
            (_, command) if command.is_answer() => Err(Breach::NotARequest),
            // A client that lost the answer, or its memory, begins again at any time.
            (_, Command::CONNECT) => Ok(Self::Connecting),
            (Self::Locked | Self::Proving, Command::AUTH | Command::AUTH_EXTENDED) => Ok(Self::Proving),
            (Self::Locked | Self::Proving | Self::Open, Command::EXIT) => Ok(Self::Leaving),
            (Self::Open, _) => Ok(Self::Open),
            _ => Err(self.breach()),
        }
    }

    fn breach(self) -> Breach {
        match self {
            Self::Locked | Self::Proving => Breach::NotProved,
            Self::Closed | Self::Connecting | Self::Open | Self::Leaving => Breach::NotConnected,
        }
    }

    /// The phase after a terminal's answer to `asked`.
    #[must_use]
    pub fn after_answer(self, asked: Command, answer: Command) -> Self {
        match (self, asked, answer) {
            (Self::Connecting, Command::CONNECT, Command::ACK_UNAUTH) => Self::Locked,
            (Self::Connecting, Command::CONNECT, answer) if answer.is_success() => Self::Open,
            (Self::Connecting, Command::CONNECT, _) => Self::Closed,
            (Self::Proving, Command::AUTH | Command::AUTH_EXTENDED, answer) if answer.is_success() => Self::Open,
            (Self::Proving, Command::AUTH | Command::AUTH_EXTENDED, _) => Self::Locked,
            (Self::Leaving, Command::EXIT, _) => Self::Closed,
            // The terminal has forgotten the session.
            (Self::Open, _, Command::ACK_UNAUTH | Command::ACK_ERROR_INIT) => Self::Closed,
            (phase, _, _) => phase,
        }
    }
}
