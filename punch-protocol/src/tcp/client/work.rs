use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::super::codes::{Command, MachineState};
use super::super::dialogue::AnswerForm;
use super::super::packet::Packet;
use super::config::ClientConfig;
use super::error::RequestError;
use super::read::Read;
use super::request::{Answer, Reply, Request};

/// What is to be done next.
pub(super) enum Ask {
    /// Ask this.
    Send(Command, Vec<u8>),
    /// It is over.
    Done(Result<Answer, RequestError>),
}

/// What came of a packet, or of its absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hear {
    /// The answer has more packets.
    More,
    /// On with the next question.
    Next,
}

/// A request on its way through as many packets as it takes.
pub(super) enum Work {
    Few(Few),
    Read(Read),
}

impl Work {
    pub(super) fn of(request: &Request, config: &ClientConfig) -> Self {
        match request.wanted() {
            Some(wanted) => Self::Read(Read::new(wanted, config.carrier, config.limits, config.timing.attempts)),
            None => Self::Few(Few { packets: request.packets().into(), answer: None }),
        }
    }

    pub(super) fn ask(&mut self, session: u16) -> Ask {
        match self {
            Self::Few(few) => few.ask(),
            Self::Read(read) => read.ask(session),
        }
    }

    pub(super) fn hear(&mut self, packet: &Packet<'_>, session: u16) -> Hear {
        match self {
            Self::Few(few) => few.hear(packet),
            Self::Read(read) => read.hear(packet, session),
        }
    }

    /// No answer came in time.
    pub(super) fn missed(&mut self, error: RequestError) -> Hear {
        match self {
            Self::Few(few) => few.missed(error),
            Self::Read(read) => read.missed(error),
        }
    }

    /// Bytes that are there and bytes in all, of a request that reads.
    pub(super) fn progress(&self) -> Option<(usize, usize)> {
        match self {
            Self::Few(_) => None,
            Self::Read(read) => Some(read.progress()),
        }
    }
}

/// A request of one packet, or of one and another that makes it take effect.
pub(super) struct Few {
    packets: VecDeque<(Command, Vec<u8>)>,
    answer: Option<Result<Answer, RequestError>>,
}

impl Few {
    fn ask(&mut self) -> Ask {
        if let Some(Err(_)) = self.answer {
            self.packets.clear();
        }
        match (self.packets.front(), self.answer.take()) {
            (Some((command, data)), answer) => {
                let ask = Ask::Send(*command, data.clone());
                self.answer = answer;
                ask
            }
            (None, answer) => Ask::Done(answer.unwrap_or(Ok(Answer::Silence))),
        }
    }

    fn hear(&mut self, packet: &Packet<'_>) -> Hear {
        let Some((command, _)) = self.packets.pop_front() else { return Hear::Next };
        let code = packet.command;
        // An option that a terminal does not have is refused by many: that is an answer.
        let answered = code.is_success() || (command == Command::OPTIONS_READ && code == Command::ACK_ERROR);
        let reply = || Reply { code, state: MachineState(packet.session.0), data: packet.data.to_vec() };
        match &self.answer {
            None if answered || code == Command::DATA => self.answer = Some(Ok(Answer::Reply(reply()))),
            // What follows only makes the first take effect; older units do it by themselves and refuse.
            Some(Ok(_)) => {}
            _ => self.answer = Some(Err(RequestError::Refused { command, code })),
        }
        Hear::Next
    }

    fn missed(&mut self, error: RequestError) -> Hear {
        let Some((command, _)) = self.packets.pop_front() else { return Hear::Next };
        if self.answer.is_none() {
            let silence = command.answer_form() == AnswerForm::Silence;
            self.answer = Some(if silence { Ok(Answer::Silence) } else { Err(error) });
        }
        Hear::Next
    }
}
