use alloc::vec::Vec;
use core::time::Duration;

use super::super::carrier::Carrier;
use super::super::codes::Command;
use super::super::dialogue::{AnswerForm, Repetition};
use super::super::packet::ReplyNumber;
use super::config::{ClientConfig, RoundTrip};
use super::error::RequestError;

/// One question and the wait for its answer.
#[derive(Default)]
pub(super) struct Exchange {
    open: Option<Open>,
    reply: ReplyNumber,
    round_trip: RoundTrip,
}

struct Open {
    command: Command,
    /// The question as it was sent, to be sent again.
    bytes: Vec<u8>,
    sent_at: Duration,
    deadline: Duration,
    sent: u32,
    /// Whether a part of the answer came. Then the same question would bring that part again.
    answered: bool,
}

/// What a look at the clock led to.
pub(super) enum Late {
    /// There is time, or nothing is waited for.
    NotYet,
    /// The same is to be sent again.
    Again(Vec<u8>),
    /// No answer will come.
    GiveUp(RequestError),
}

impl Exchange {
    pub(super) fn begin(
        &mut self,
        config: &ClientConfig,
        command: Command,
        reply: ReplyNumber,
        bytes: Vec<u8>,
        now: Duration,
    ) {
        let deadline = now.saturating_add(self.wait(config, command, 1));
        self.reply = reply;
        self.open = Some(Open { command, bytes, sent_at: now, deadline, sent: 1, answered: false });
    }

    fn wait(&self, config: &ClientConfig, command: Command, sent: u32) -> Duration {
        // A terminal prepares a long answer for as long as it takes; a buffer is prepared already.
        let is_slow = matches!(command.answer_form(), AnswerForm::Buffer | AnswerForm::Silence);
        match config.carrier {
            Carrier::Tcp => config.timing.patience,
            Carrier::Udp if is_slow => self.round_trip.wait(&config.timing, sent).max(config.timing.first_wait),
            Carrier::Udp => self.round_trip.wait(&config.timing, sent),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(super) fn waits_for(&self, command: Command) -> bool {
        self.open.as_ref().is_some_and(|open| open.command == command)
    }

    /// Whether no answer is an answer.
    pub(super) fn is_silence(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.command.answer_form() == AnswerForm::Silence)
    }

    pub(super) fn reply(&self) -> ReplyNumber {
        self.reply
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.open.as_ref().map(|open| open.deadline)
    }

    pub(super) fn over(&mut self) {
        self.open = None;
    }

    /// A packet of the answer came.
    pub(super) fn heard(&mut self, config: &ClientConfig, now: Duration) {
        let Some(open) = &mut self.open else { return };
        if open.sent == 1 && !open.answered && open.command != Command::PREPARE_BUFFER {
            self.round_trip.measure(now.saturating_sub(open.sent_at));
        }
        open.answered = true;
        let command = open.command;
        let wait = self.wait(config, command, 1);
        if let Some(open) = &mut self.open {
            open.deadline = now.saturating_add(wait);
        }
    }

    pub(super) fn late(&mut self, config: &ClientConfig, now: Duration) -> Late {
        let Some(open) = self.open.as_ref().filter(|open| now >= open.deadline) else { return Late::NotYet };
        let may_again = config.carrier == Carrier::Udp
            && !open.answered
            && open.sent < config.timing.attempts
            && open.command.repetition() == Repetition::Harmless;
        if !may_again {
            return Late::GiveUp(self.unanswered());
        }
        let (command, sent) = (open.command, open.sent.saturating_add(1));
        let wait = self.wait(config, command, sent);
        let Some(open) = &mut self.open else { return Late::NotYet };
        (open.sent, open.sent_at, open.deadline) = (sent, now, now.saturating_add(wait));
        Late::Again(open.bytes.clone())
    }

    pub(super) fn unanswered(&self) -> RequestError {
        let (command, sent, waited) = match &self.open {
            Some(open) => (open.command, open.sent, open.deadline.saturating_sub(open.sent_at)),
            None => (Command::CONNECT, 0, Duration::ZERO),
        };
        RequestError::Unanswered { command, waited, sent }
    }
}
