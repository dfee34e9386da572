use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use super::super::codes::{Command, MachineState};
use super::super::fields::u32_at;
use super::super::option_pair::OptionPair;
use super::super::packet::{Packet, SessionField};
use super::super::user::UserLayout;
use super::answer::Answer;
use super::{Terminal, TerminalEvent};
use crate::encoded_time::EncodedTime;
use crate::operation::Operation;

/// Whether people can use a terminal. A client switches the keypad off while it writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keypad {
    On,
    OffUntil(Duration),
    /// Until the client switches it on, or its session is over.
    Off,
}

impl Keypad {
    /// When it comes back by itself.
    pub(super) fn is_back_at(self) -> Option<Duration> {
        match self {
            Self::OffUntil(at) => Some(at),
            Self::On | Self::Off => None,
        }
    }
}

impl Terminal {
    /// Small questions and orders about the terminal itself.
    pub(super) fn answer_setting(&mut self, packet: &Packet<'_>, now: Duration) -> Answer {
        self.handle_timeout(now);
        match packet.command {
            Command::OPTIONS_READ => self.read_option(packet.data),
            Command::OPTIONS_WRITE => self.write_option(packet.data),
            Command::VERSION => Answer::With(text(&[&self.memory.firmware])),
            Command::FREE_SIZES => self.sizes(),
            Command::GET_TIME => {
                let time = EncodedTime::of(self.clock(now)).unwrap_or(EncodedTime(0));
                Answer::With(time.0.to_le_bytes().to_vec())
            }
            Command::SET_TIME => self.set_time(packet.data, now),
            Command::STATE => {
                let state = if self.is_enabled() { MachineState::IDENTIFYING } else { MachineState::BUSY };
                Answer::Field(SessionField(state.0))
            }
            Command::PIN_WIDTH => Answer::With(vec![if self.profile().users == UserLayout::Text72 { 14 } else { 9 }]),
            Command::DOOR_STATE => Answer::With(vec![u8::from(self.door_open_until.is_some())]),
            Command::UNLOCK => self.unlock(packet.data, now),
            Command::DISABLE_DEVICE => {
                let seconds = u32_at(packet.data, 0).map(|seconds| Duration::from_secs(seconds.into()));
                self.keypad = seconds.map_or(Keypad::Off, |seconds| Keypad::OffUntil(now.saturating_add(seconds)));
                Answer::Ok
            }
            Command::ENABLE_DEVICE => {
                self.keypad = Keypad::On;
                Answer::Ok
            }
            Command::REFRESH_DATA
            | Command::REFRESH_OPTIONS
            | Command::ENABLE_CLOCK
            | Command::START_VERIFY
            | Command::CANCEL_CAPTURE
            | Command::WRITE_LCD
            | Command::CLEAR_LCD
            | Command::TEST_VOICE
            | Command::RESUME => Answer::Ok,
            _ => Answer::Refused(Command::ACK_UNKNOWN),
        }
    }

    fn read_option(&self, data: &[u8]) -> Answer {
        let name = OptionPair::parse(data).map(OptionPair::name);
        match name.and_then(|name| Some((name, self.memory.option(name)?))) {
            Some((name, value)) => Answer::With(text(&[name, b"=", value])),
            None => Answer::Refused(Command::ACK_ERROR),
        }
    }

    fn write_option(&mut self, data: &[u8]) -> Answer {
        let pair = OptionPair::parse(data).and_then(|pair| Some((pair.name(), pair.value()?)));
        let written = pair.is_some_and(|(name, value)| self.memory.set_option(name, value));
        if written { Answer::Ok } else { Answer::Refused(Command::ACK_ERROR) }
    }

    fn sizes(&self) -> Answer {
        let (mut sizes, profile) = (self.memory.sizes(), self.profile());
        sizes.records = sizes.records.saturating_add_signed(profile.count_off);
        let mut data = Vec::with_capacity(profile.free_sizes);
        sizes.write(profile.free_sizes, &mut data);
        Answer::With(data)
    }

    fn set_time(&mut self, data: &[u8], now: Duration) -> Answer {
        let Some(to) = u32_at(data, 0).and_then(|time| EncodedTime(time).civil()) else {
            return Answer::Refused(Command::ACK_ERROR_DATA);
        };
        self.set_clock(to, now);
        self.log(Operation::TIME_SET, 0, now);
        self.tell(TerminalEvent::ClockSet { to });
        Answer::Ok
    }

    fn unlock(&mut self, data: &[u8], now: Duration) -> Answer {
        let Some(delay) = u32_at(data, 0) else { return Answer::Refused(Command::ACK_ERROR_DATA) };
        // Clients send seconds, or tenths of them. Here it is seconds, as the notes of the protocol have it.
        self.door_open_until = Some(now.saturating_add(Duration::from_secs(delay.into())));
        self.log(Operation::UNLOCKED, 1, now);
        self.tell(TerminalEvent::DoorOpened { delay });
        Answer::Ok
    }
}

/// Text as a terminal sends it, with a NUL behind it.
fn text(parts: &[&[u8]]) -> Vec<u8> {
    let mut text = parts.concat();
    text.push(0);
    text
}
