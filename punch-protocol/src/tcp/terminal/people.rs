use core::time::Duration;

use super::super::codes::Command;
use super::super::fields::u16_at;
use super::super::operation_record::OperationRecord;
use super::super::packet::Packet;
use super::super::user::UserLayout;
use super::answer::Answer;
use super::{Terminal, TerminalEvent};
use crate::encoded_time::EncodedTime;
use crate::operation::Operation;

impl Terminal {
    pub(super) fn write_user(&mut self, data: &[u8], now: Duration) -> Answer {
        let layout = UserLayout::ALL.into_iter().find(|layout| layout.size() == data.len());
        let Some(user) = layout.and_then(|layout| layout.record(data)) else {
            return Answer::Refused(Command::ACK_ERROR_DATA);
        };
        let slot = user.slot;
        if self.memory.write_user(&user).is_err() {
            return Answer::Refused(Command::ACK_ERROR);
        }
        self.log(Operation::USER_ADDED, slot, now);
        self.tell(TerminalEvent::UserWritten { slot });
        Answer::Ok
    }

    pub(super) fn delete_user(&mut self, data: &[u8], now: Duration) -> Answer {
        let Some(slot) = u16_at(data, 0) else { return Answer::Refused(Command::ACK_ERROR_DATA) };
        if !self.memory.delete_user(slot) {
            return Answer::Refused(Command::ACK_ERROR);
        }
        self.log(Operation::USER_DELETED, slot, now);
        self.tell(TerminalEvent::UserDeleted { slot });
        Answer::Ok
    }

    pub(super) fn clear(&mut self, packet: &Packet<'_>) -> Answer {
        let memory = &mut self.memory;
        match (packet.command, packet.data) {
            (Command::CLEAR_ATTENDANCE, _) | (Command::CLEAR_DATA, [1, ..]) => memory.records.clear(),
            (Command::CLEAR_OPERATIONS, _) | (Command::CLEAR_DATA, [4, ..]) => memory.operations.clear(),
            (Command::CLEAR_DATA, [5, ..]) => memory.users.clear(),
            (Command::CLEAR_ADMINISTRATORS, _) => memory.clear_administrators(),
            // Templates, of which there are none, and the kind that is nothing.
            (Command::CLEAR_DATA, [2 | 3, ..]) => {}
            (Command::CLEAR_DATA, []) => {
                memory.records.clear();
                memory.operations.clear();
                memory.users.clear();
            }
            _ => return Answer::Refused(Command::ACK_ERROR_DATA),
        }
        self.tell(TerminalEvent::Cleared(packet.command));
        Answer::Ok
    }

    /// Writes down what a client did.
    pub(super) fn log(&mut self, operation: Operation, value: u16, now: Duration) {
        if let Some(time) = EncodedTime::of(self.clock(now)) {
            let values = [value, 0, 0, 0];
            // Every operation used here has a number below 256, and the oldest line makes room.
            let _ = self.memory.log(&OperationRecord { values, ..OperationRecord::new(operation, time) });
        }
    }
}
