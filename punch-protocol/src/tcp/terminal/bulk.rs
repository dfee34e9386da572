use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use super::super::codes::{Command, DatasetKind};
use super::super::packet::Packet;
use super::super::transfer::{BufferPiece, BufferReady, BufferRequest};
use super::Terminal;
use super::answer::Answer;
use crate::encoded_time::EncodedTime;

/// A dataset up to this long answers the request for a buffer at once.
const WHOLE_MAX: usize = 1024;

/// The last word of the answer to a request for a buffer. On record it is no checksum anybody has tried.
const READY_UNKNOWN: u32 = 0x0023_efcd;

impl Terminal {
    pub(super) fn prepare_buffer(&mut self, data: &[u8]) -> Answer {
        let profile = &self.memory.profile;
        if !profile.serves_buffer {
            return Answer::Refused(Command::ACK_NO_BUFFER);
        }
        let Ok(request) = BufferRequest::parse(data) else { return Answer::Refused(Command::ACK_ERROR_DATA) };
        if request.command == Command::ATTENDANCE_BY_TIME && !profile.serves_range {
            return Answer::Refused(Command::ACK_UNKNOWN);
        }
        let Some(dataset) = self.dataset(&request) else { return Answer::Refused(Command::ACK_ERROR) };
        self.buffer = None;
        if profile.transfers_at_once {
            let len = dataset.len();
            return Answer::Transfer(dataset, 0..len);
        }
        if dataset.len() <= WHOLE_MAX {
            return Answer::Whole(dataset.to_vec());
        }
        let size = u32::try_from(dataset.len()).unwrap_or(u32::MAX);
        let ready = BufferReady { flag: 0, size, size_again: size, unknown: READY_UNKNOWN };
        self.buffer = Some(dataset);
        Answer::With(ready.to_bytes().to_vec())
    }

    pub(super) fn read_buffer(&self, data: &[u8]) -> Answer {
        let (Some(buffer), Ok(piece)) = (&self.buffer, BufferPiece::parse(data)) else {
            return Answer::Refused(Command::ACK_ERROR);
        };
        let [start, len] = [piece.offset, piece.len].map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        let end = start.saturating_add(len).min(buffer.len());
        match buffer.get(start..end) {
            None | Some([]) => Answer::Refused(Command::ACK_ERROR),
            Some(piece) if self.memory.profile.plain_pieces && piece.len() <= self.whole_max() => {
                Answer::Whole(piece.to_vec())
            }
            Some(_) => Answer::Transfer(Arc::clone(buffer), start..end),
        }
    }

    pub(super) fn free_buffer(&mut self) -> Answer {
        self.buffer = None;
        Answer::Ok
    }

    /// A dataset by its plain command, as units without a buffer send it.
    pub(super) fn read_directly(&self, packet: &Packet<'_>) -> Answer {
        let kind = match (packet.command, packet.data) {
            // The template of a finger; none is kept.
            (Command::TEMPLATE_READ, [_, _, _]) => return Answer::Refused(Command::ACK_ERROR),
            (_, [kind, ..]) => DatasetKind(u32::from(*kind)),
            (_, []) => DatasetKind(0),
        };
        let Some(dataset) = self.dataset(&BufferRequest::new(packet.command, kind)) else {
            return Answer::Refused(Command::ACK_ERROR);
        };
        let len = dataset.len();
        Answer::Transfer(dataset, 0..len)
    }

    fn dataset(&self, request: &BufferRequest) -> Option<Arc<Vec<u8>>> {
        match (request.command, request.kind) {
            (Command::ATTENDANCE_READ, _) | (Command::DATASET_READ, DatasetKind::ATTENDANCE) => {
                Some(self.memory.records.dataset())
            }
            (Command::ATTENDANCE_BY_TIME, from) => {
                Some(self.memory.records_between(EncodedTime(from.0), EncodedTime(request.extra)))
            }
            (Command::TEMPLATE_READ | Command::DATASET_READ, DatasetKind::USERS) => Some(self.memory.users.dataset()),
            (Command::OPERATIONS_READ, _) | (Command::DATASET_READ, DatasetKind::OPERATIONS) => {
                Some(self.memory.operations.dataset())
            }
            // Nothing of these is ever there.
            (Command::DATASET_READ, _) => Some(Arc::new(vec![0; 4])),
            _ => None,
        }
    }

    fn whole_max(&self) -> usize {
        usize::try_from(self.packet_max()).unwrap_or(usize::MAX)
    }
}
