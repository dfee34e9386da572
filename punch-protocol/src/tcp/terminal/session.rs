use alloc::vec;

use super::super::auth::Scramble;
use super::super::codes::Command;
use super::super::packet::{Packet, ReplyNumber};
use super::answer::Answer;
use super::live::Listening;
use super::settings::Keypad;
use super::{Closing, Terminal, TerminalEvent};

impl Terminal {
    pub(super) fn connect(&mut self, packet: &Packet<'_>, opened_by: Option<ReplyNumber>) -> Answer {
        if self.memory.profile.demands_encryption {
            return Answer::Refused(Command::SECURE_PULL);
        }
        // A datagram that comes twice opens one session.
        if opened_by != Some(packet.reply) {
            self.forget_session();
            self.session = self.session.wrapping_add(SESSION_STEP).max(1);
            self.tell(TerminalEvent::Connected { session: self.session });
        }
        self.opened_by = Some(packet.reply);
        if self.memory.comm_key.is_some() {
            return Answer::Locked;
        }
        if self.memory.profile.odd_connect { Answer::With(vec![9]) } else { Answer::Ok }
    }

    pub(super) fn authenticate(&mut self, packet: &Packet<'_>) -> Answer {
        let Some(key) = self.memory.comm_key else { return Answer::Ok };
        if self.wrong_keys >= Self::KEYS_MAX {
            return Answer::Refused(Command::ACK_LOCKED);
        }
        if Scramble::parse(packet.data).is_ok_and(|proof| key.matches(self.session, proof)) {
            self.tell(TerminalEvent::Proved);
            return Answer::Ok;
        }
        self.wrong_keys = self.wrong_keys.saturating_add(1);
        let left = Self::KEYS_MAX.saturating_sub(self.wrong_keys);
        self.tell(TerminalEvent::KeyRefused { left });
        Answer::Locked
    }

    pub(super) fn leave(&mut self) -> Answer {
        self.forget_session();
        self.tell(TerminalEvent::Left);
        Answer::Ok
    }

    pub(super) fn go_down(&mut self, why: Closing) -> Answer {
        self.forget_session();
        self.close(why);
        Answer::Silence
    }

    /// What a session leaves behind is taken back: the buffer, the events, the locked keypad.
    pub(super) fn forget_session(&mut self) {
        self.buffer = None;
        self.listening = Listening::default();
        self.opened_by = None;
        self.wrong_keys = 0;
        self.keypad = Keypad::On;
    }
}

/// From one session's number to the next. It is odd, so every number comes once before any comes again.
const SESSION_STEP: u16 = 0x2f4d;
