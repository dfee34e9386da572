//! Who may say what, when: one set of rules that a client and a terminal both hold themselves and each other to.

mod phase;
mod rule;

pub use phase::Phase;
pub use rule::{AnswerForm, Repetition};

use super::codes::{Command, EventCode};
use super::packet::{Packet, ReplyNumber};

/// How far a session is, told by nothing but the packets of both sides.
///
/// Both roles keep one and show it every packet that goes out or comes in, in that order. It never looks at data.
///
/// ```
/// use punch_protocol::tcp::{Command, Dialogue, Heard, Packet, Phase, ReplyNumber, Said, SessionField};
///
/// let mut dialogue = Dialogue::default();
/// let connect = Packet::new(Command::CONNECT, SessionField(0), ReplyNumber(0), b"");
/// assert_eq!(dialogue.client_says(&connect), Ok(Said::Request));
/// let locked = Packet::new(Command::ACK_UNAUTH, SessionField(7), ReplyNumber(0), b"");
/// assert_eq!(dialogue.terminal_says(&locked), Heard::Answer { to: Command::CONNECT });
/// assert_eq!((dialogue.phase(), dialogue.session()), (Phase::Locked, 7));
///
/// let clock = Packet::new(Command::GET_TIME, SessionField(7), ReplyNumber(1), b"");
/// assert!(dialogue.client_says(&clock).is_err()); // not before the comm key is proved
/// ```
#[derive(Debug, Clone, Default)]
pub struct Dialogue {
    phase: Phase,
    session: u16,
    asked: Option<(Command, ReplyNumber)>,
}

/// What a packet of a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Said {
    /// A request, which wants an answer with its reply number.
    Request,
    /// The acknowledgement of an event. It wants nothing.
    Confirmation,
}

/// What a packet of a terminal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Heard {
    /// Something happened at the terminal. It may come at any time, between the packets of an answer too.
    Event(EventCode),
    /// An answer, or a part of one.
    Answer {
        /// The request it answers.
        to: Command,
    },
    /// It answers nothing that is asked now: an answer that came too late, or twice.
    Stray,
}

/// Why a client may not say so now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Breach {
    /// There is no session; a terminal answers [`Command::ACK_ERROR_INIT`].
    NotConnected,
    /// The comm key is not proved; a terminal answers [`Command::ACK_UNAUTH`].
    NotProved,
    /// Only terminals send this number; it is ignored.
    NotARequest,
}

impl Dialogue {
    /// How far it is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The session that the terminal opened; 0 before.
    pub fn session(&self) -> u16 {
        self.session
    }

    /// The client's last request.
    pub fn asked(&self) -> Option<Command> {
        self.asked.map(|(command, _)| command)
    }

    /// A packet of the client.
    ///
    /// # Errors
    ///
    /// [`Breach`] if it may not be said now. Nothing changes then.
    pub fn client_says(&mut self, packet: &Packet<'_>) -> Result<Said, Breach> {
        if packet.command == Command::ACK_OK {
            return Ok(Said::Confirmation);
        }
        self.phase = self.phase.after_request(packet.command)?;
        self.asked = Some((packet.command, packet.reply));
        Ok(Said::Request)
    }

    /// A packet of the terminal.
    ///
    /// Whose answer it is, is told by its reply number. Its session field may hold other things.
    pub fn terminal_says(&mut self, packet: &Packet<'_>) -> Heard {
        if packet.command == Command::EVENT {
            return Heard::Event(packet.session.event());
        }
        let Some((to, _)) = self.asked.filter(|(_, reply)| *reply == packet.reply) else { return Heard::Stray };
        let before = self.phase;
        self.phase = before.after_answer(to, packet.command);
        if before == Phase::Connecting {
            self.session = packet.session.0;
        }
        Heard::Answer { to }
    }
}
