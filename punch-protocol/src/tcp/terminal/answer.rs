use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use core::time::Duration;

use super::super::carrier::Carrier;
use super::super::codes::{Command, EventCode};
use super::super::dialogue::{Breach, Phase, Said};
use super::super::packet::{Packet, SessionField};
use super::outbox::{Stage, Transfer};
use super::{Closing, Terminal, TerminalEvent};

/// How a request is answered.
pub(super) enum Answer {
    /// Done.
    Ok,
    /// The comm key is wanted.
    Locked,
    /// Done, with data.
    With(Vec<u8>),
    /// Done, with something else in the place of the session.
    Field(SessionField),
    /// Not done.
    Refused(Command),
    /// Bytes in one packet.
    Whole(Vec<u8>),
    /// Bytes in a prepared transfer.
    Transfer(Arc<Vec<u8>>, Range<usize>),
    /// Nothing.
    Silence,
}

impl Terminal {
    pub(super) fn handle_packet(&mut self, packet: &Packet<'_>, now: Duration) {
        if self.outbox.is_full(&self.limits) {
            match self.carrier {
                Carrier::Tcp => self.close(Closing::Flooded),
                // Nobody can be kept from sending datagrams. A client asks again for what got no answer.
                Carrier::Udp => {}
            }
            return;
        }
        if self.is_of_another_session(packet) {
            // It is not shown to the dialogue, which is about the session that is open.
            let refusal = Packet::new(Command::ACK_ERROR_INIT, SessionField(0), packet.reply, &[]);
            return self.outbox.push(&refusal);
        }
        let answer = match self.dialogue.client_says(packet) {
            Ok(Said::Confirmation) => return self.confirmed(),
            Ok(Said::Request) => self.answer(packet, now),
            Err(Breach::NotConnected) => Answer::Refused(Command::ACK_ERROR_INIT),
            Err(Breach::NotProved) => Answer::Refused(Command::ACK_UNAUTH),
            Err(Breach::NotARequest) => return,
        };
        self.say(packet, answer);
    }

    /// A connection is its own session; datagrams of a client whose session is over can still arrive.
    fn is_of_another_session(&self, packet: &Packet<'_>) -> bool {
        self.carrier == Carrier::Udp
            && !matches!(self.dialogue.phase(), Phase::Closed | Phase::Connecting)
            && packet.session.0 != self.session
            && packet.command != Command::CONNECT
            && !packet.command.is_answer()
    }

    fn answer(&mut self, packet: &Packet<'_>, now: Duration) -> Answer {
        let opened_by = self.opened_by.take();
        match packet.command {
            Command::CONNECT => self.connect(packet, opened_by),
            Command::AUTH => self.authenticate(packet),
            Command::EXIT => self.leave(),
            Command::RESTART => self.go_down(Closing::Restart),
            Command::POWER_OFF => self.go_down(Closing::PowerOff),
            Command::EVENT => self.register(packet.data),
            Command::PREPARE_BUFFER => self.prepare_buffer(packet.data),
            Command::READ_BUFFER => self.read_buffer(packet.data),
            Command::FREE_DATA => self.free_buffer(),
            Command::ATTENDANCE_READ | Command::OPERATIONS_READ | Command::DATASET_READ | Command::TEMPLATE_READ => {
                self.read_directly(packet)
            }
            Command::USER_TEMPLATE_READ => Answer::Refused(Command::ACK_ERROR),
            Command::USER_WRITE => self.write_user(packet.data, now),
            Command::DELETE_USER => self.delete_user(packet.data, now),
            Command::CLEAR_ATTENDANCE
            | Command::CLEAR_DATA
            | Command::CLEAR_OPERATIONS
            | Command::CLEAR_ADMINISTRATORS => self.clear(packet),
            _ => self.answer_setting(packet, now),
        }
    }

    /// Puts an answer into the outbox, and shows it to the dialogue.
    fn say(&mut self, to: &Packet<'_>, answer: Answer) {
        let session = SessionField(if self.dialogue.phase() == Phase::Closed { 0 } else { self.session });
        let is_answered = !matches!(answer, Answer::Silence);
        if is_answered && self.memory.profile.early_events && self.dialogue.phase() == Phase::Open {
            self.tell_client(EventCode::FINGER, &[]);
        }
        let (command, session, data) = match answer {
            Answer::Silence => return,
            Answer::Transfer(bytes, piece) => return self.begin_transfer(to, session, bytes, piece),
            Answer::Ok => (Command::ACK_OK, session, Vec::new()),
            Answer::Locked => (Command::ACK_UNAUTH, session, Vec::new()),
            Answer::With(data) => (Command::ACK_OK, session, data),
            Answer::Field(field) => (Command::ACK_OK, field, Vec::new()),
            Answer::Whole(data) => (Command::DATA, session, data),
            Answer::Refused(answer) => {
                self.tell(TerminalEvent::Refused { command: to.command, answer });
                (answer, session, Vec::new())
            }
        };
        let packet = Packet::new(command, session, to.reply, &data);
        self.dialogue.terminal_says(&packet);
        self.outbox.push(&packet);
    }

    fn begin_transfer(&mut self, to: &Packet<'_>, session: SessionField, bytes: Arc<Vec<u8>>, piece: Range<usize>) {
        let profile = &self.memory.profile;
        let transfer = Transfer {
            session,
            reply: to.reply,
            at: piece.start,
            end: piece.end,
            len: piece.len(),
            bytes,
            packet_max: self.packet_max(),
            final_ack: profile.final_ack,
            stage: Stage::Announcement,
        };
        self.dialogue.terminal_says(&Packet::new(Command::PREPARE_DATA, session, to.reply, &[]));
        self.outbox.push_transfer(transfer);
    }

    /// Bytes of data in a packet at most.
    pub(super) fn packet_max(&self) -> u32 {
        let carrier = match self.carrier {
            Carrier::Tcp => self.limits.packet.saturating_sub(Packet::HEADER),
            Carrier::Udp => Carrier::DATAGRAM_DATA,
        };
        let carrier = u32::try_from(carrier).unwrap_or(u32::MAX);
        self.memory.profile.packet_max.min(carrier).max(1)
    }
}
