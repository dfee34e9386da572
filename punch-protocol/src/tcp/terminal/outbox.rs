use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::super::carrier::Carrier;
use super::super::codes::Command;
use super::super::error::WriteError;
use super::super::limits::Limits;
use super::super::packet::{Packet, ReplyNumber, SessionField};
use super::profile::FinalAck;

/// What is decided and not yet sent. Packets of a transfer are made when they are sent.
#[derive(Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Outgoing>,
}

enum Outgoing {
    Packet { command: Command, session: SessionField, reply: ReplyNumber, data: Vec<u8> },
    Transfer(Transfer),
}

/// A dataset, or a piece of one, on its way.
pub(super) struct Transfer {
    pub(super) session: SessionField,
    pub(super) reply: ReplyNumber,
    pub(super) bytes: Arc<Vec<u8>>,
    /// The first byte that is not sent.
    pub(super) at: usize,
    /// The byte behind the last one.
    pub(super) end: usize,
    /// All of it.
    pub(super) len: usize,
    pub(super) packet_max: u32,
    pub(super) final_ack: FinalAck,
    pub(super) stage: Stage,
}

/// How far a transfer is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Announcement,
    /// The next packet of data has this index.
    Data(u16),
    FinalAck(SessionField),
    Done,
}

impl Outbox {
    /// Answers that may wait. Who asks on and takes none is flooding; who asks for all pieces of a dataset at once, as
    /// clients in use do, is not.
    pub(super) const ANSWERS_MAX: usize = 1024;

    /// Whether no other answer has room: there are too many, or too many bytes.
    pub(super) fn is_full(&self, limits: &Limits) -> bool {
        let left = |outgoing: &Outgoing| match outgoing {
            Outgoing::Packet { data, .. } => data.len(),
            Outgoing::Transfer(transfer) => transfer.end.saturating_sub(transfer.at),
        };
        self.waiting.len() >= Self::ANSWERS_MAX
            || self.waiting.iter().map(left).fold(0, usize::saturating_add) > limits.dataset
    }

    pub(super) fn push(&mut self, packet: &Packet<'_>) {
        let Packet { command, session, reply, data } = *packet;
        self.waiting.push_back(Outgoing::Packet { command, session, reply, data: data.to_vec() });
    }

    pub(super) fn push_transfer(&mut self, transfer: Transfer) {
        self.waiting.push_back(Outgoing::Transfer(transfer));
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// Appends the next packet; `false` if there is none.
    pub(super) fn write_next(&mut self, carrier: Carrier, out: &mut Vec<u8>, limits: &Limits) -> bool {
        while let Some(next) = self.waiting.front_mut() {
            let (written, done) = match next {
                Outgoing::Packet { command, session, reply, data } => {
                    let packet = Packet::new(*command, *session, *reply, data);
                    (carrier.write(&packet, out, limits), true)
                }
                Outgoing::Transfer(transfer) => {
                    let written = transfer.write_next(carrier, out, limits);
                    (written, written.is_err() || transfer.stage == Stage::Done)
                }
            };
            if done {
                self.waiting.pop_front();
            }
            // What the limits do not let through is not sent.
            if written.is_ok() {
                return true;
            }
        }
        false
    }
}

impl Transfer {
    fn write_next(&mut self, carrier: Carrier, out: &mut Vec<u8>, limits: &Limits) -> Result<(), WriteError> {
        let (session, reply) = (self.session, self.reply);
        match self.stage {
            Stage::Announcement => {
                self.stage = self.after(0, SessionField(0));
                let [a, b, c, d] = u32::try_from(self.len).unwrap_or(u32::MAX).to_le_bytes();
                let [e, f, g, h] = self.packet_max.to_le_bytes();
                let data = [a, b, c, d, e, f, g, h];
                carrier.write(&Packet::new(Command::PREPARE_DATA, session, reply, &data), out, limits)
            }
            Stage::Data(index) => {
                let max = usize::try_from(self.packet_max).unwrap_or(usize::MAX).max(1);
                let (start, end) = (self.at, self.at.saturating_add(max).min(self.end));
                self.at = end;
                self.stage = self.after(index.wrapping_add(1), SessionField(index));
                let data = self.bytes.get(start..end).unwrap_or_default();
                carrier.write(&Packet::new(Command::DATA, SessionField(index), reply, data), out, limits)
            }
            Stage::FinalAck(field) => {
                self.stage = Stage::Done;
                carrier.write(&Packet::new(Command::ACK_OK, field, reply, &[]), out, limits)
            }
            Stage::Done => Ok(()),
        }
    }

    /// What comes after a packet, whose index was `last`.
    fn after(&self, index: u16, last: SessionField) -> Stage {
        if self.at < self.end {
            return Stage::Data(index);
        }
        match self.final_ack {
            FinalAck::LastIndex => Stage::FinalAck(last),
            FinalAck::ByteCount => {
                let [low, high, ..] = self.len.to_le_bytes();
                Stage::FinalAck(SessionField(u16::from_le_bytes([low, high])))
            }
            FinalAck::None => Stage::Done,
        }
    }
}
