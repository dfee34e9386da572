use alloc::vec::Vec;

use super::super::attendance::AttendanceRecord;
use super::super::codes::{Command, EventCode, EventMask};
use super::super::dialogue::Phase;
use super::super::error::WriteError;
use super::super::event::LivePunch;
use super::super::event_time::EventTime;
use super::super::fields::u32_at;
use super::super::packet::{Packet, ReplyNumber, SessionField};
use super::answer::Answer;
use super::{Terminal, TerminalEvent};

/// What a client wants to be told, and has not said that it heard.
pub(super) struct Listening {
    mask: EventMask,
    waiting: u32,
}

impl Default for Listening {
    fn default() -> Self {
        Self { mask: EventMask::NONE, waiting: 0 }
    }
}

impl Terminal {
    /// Somebody punches: it is kept, and told as it happens to a client that asked for punches.
    ///
    /// # Errors
    ///
    /// [`WriteError::Field`] if the profile's layout cannot hold the punch, or there is no room. Then nothing is kept
    /// and nobody is told.
    pub fn submit(&mut self, punch: &AttendanceRecord<'_>) -> Result<(), WriteError> {
        let len = self.memory.profile.live_punch;
        let person = match len {
            10 | 14 => self.memory.as_slot(&punch.person),
            12 => self.memory.as_number(&punch.person),
            _ => self.memory.as_pin(&punch.person),
        };
        self.memory.keep(punch)?;
        if let Some(person) = person {
            let live = LivePunch::new(person, EventTime::of_encoded(punch.time), punch.state, punch.verify);
            let mut body = Vec::with_capacity(len);
            // What an event cannot say is in the memory all the same.
            if live.write(len, &mut body).is_ok() {
                self.submit_event(EventCode::PUNCH, &body);
            }
        }
        Ok(())
    }

    /// Something else happens; a client that asked for it is told. Returns whether one did.
    pub fn submit_event(&mut self, code: EventCode, body: &[u8]) -> bool {
        let listens = self.dialogue.phase() == Phase::Open && self.listening.mask.has(code);
        // Who does not take what it is told misses it, as the memory of a terminal is short.
        let told = listens && !self.outbox.is_full(&self.limits);
        if told {
            self.tell_client(code, body);
        }
        told
    }

    /// Events that the client has not acknowledged.
    pub fn unacknowledged(&self) -> u32 {
        self.listening.waiting
    }

    pub(super) fn tell_client(&mut self, code: EventCode, body: &[u8]) {
        let packet = Packet::new(Command::EVENT, SessionField(code.0), ReplyNumber::EVENT, body);
        self.dialogue.terminal_says(&packet);
        self.outbox.push(&packet);
        self.listening.waiting = self.listening.waiting.saturating_add(1);
    }

    pub(super) fn register(&mut self, data: &[u8]) -> Answer {
        let Some(mask) = u32_at(data, 0) else { return Answer::Refused(Command::ACK_ERROR_DATA) };
        self.listening = Listening { mask: EventMask(mask), waiting: 0 };
        Answer::Ok
    }

    pub(super) fn confirmed(&mut self) {
        if let Some(waiting) = self.listening.waiting.checked_sub(1) {
            self.listening.waiting = waiting;
            self.tell(TerminalEvent::EventAcknowledged { waiting });
        }
    }
}
