use alloc::vec::Vec;

use super::super::carrier::Carrier;
use super::super::codes::{Command, DatasetKind};
use super::super::error::DataError;
use super::super::fields::u32_at;
use super::super::limits::Limits;
use super::super::packet::Packet;
use super::super::transfer::{Announcement, BufferPiece, BufferReady, BufferRequest};
use super::assembly::{Assembly, Progress};
use super::download::{Download, ReadPath};
use super::error::RequestError;
use super::request::{Answer, Wanted};
use super::work::{Ask, Hear};

/// Reads a dataset: count, prepare, fetch piece by piece, release, count again.
pub(super) struct Read {
    wanted: Wanted,
    carrier: Carrier,
    limits: Limits,
    attempts: u32,
    stage: Stage,
    /// Bytes in the terminal's buffer, or announced.
    size: usize,
    assembly: Option<Assembly>,
    /// Requests for a piece without progress.
    tries: u32,
    /// Times the whole was read, because people punched meanwhile.
    rounds: u32,
    refusal: Option<Command>,
    failure: Option<RequestError>,
    done: Download,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Before,
    Prepare,
    Piece,
    Plain,
    Release,
    After,
    Done,
}

/// How often the whole is read again because the count changed meanwhile.
const ROUNDS_MAX: u32 = 3;

impl Wanted {
    /// What prepares a buffer, and the plain request for units without one.
    fn requests(self) -> (BufferRequest, Command, Option<DatasetKind>) {
        let whole = DatasetKind(0);
        match self {
            Self::Attendance => (BufferRequest::new(Command::ATTENDANCE_READ, whole), Command::ATTENDANCE_READ, None),
            Self::AttendanceBetween(from, to) => {
                (BufferRequest::attendance_between(from, to), Command::ATTENDANCE_READ, None)
            }
            Self::Users => {
                let kind = DatasetKind::USERS;
                (BufferRequest::new(Command::TEMPLATE_READ, kind), Command::TEMPLATE_READ, Some(kind))
            }
            Self::Operations => (BufferRequest::new(Command::OPERATIONS_READ, whole), Command::OPERATIONS_READ, None),
            Self::TemplatesSize => {
                let kind = DatasetKind::TEMPLATES;
                (BufferRequest::new(Command::DATASET_READ, kind), Command::DATASET_READ, None)
            }
        }
    }

    fn is_attendance(self) -> bool {
        matches!(self, Self::Attendance | Self::AttendanceBetween(..))
    }
}

impl Read {
    pub(super) fn new(wanted: Wanted, carrier: Carrier, limits: Limits, attempts: u32) -> Self {
        Self {
            wanted,
            carrier,
            limits,
            attempts,
            stage: if wanted == Wanted::TemplatesSize { Stage::Prepare } else { Stage::Before },
            size: 0,
            assembly: None,
            tries: 0,
            rounds: 1,
            refusal: None,
            failure: None,
            done: Download { is_ranged: matches!(wanted, Wanted::AttendanceBetween(..)), ..Download::default() },
        }
    }

    /// Bytes that are there, and bytes in all as far as the terminal said.
    pub(super) fn progress(&self) -> (usize, usize) {
        (self.done.bytes.len(), self.size)
    }

    pub(super) fn ask(&mut self, session: u16) -> Ask {
        let (prepare, plain, kind) = self.wanted.requests();
        match self.stage {
            Stage::Before | Stage::After => Ask::Send(Command::FREE_SIZES, Vec::new()),
            Stage::Prepare => Ask::Send(Command::PREPARE_BUFFER, prepare.to_bytes().to_vec()),
            Stage::Piece => {
                let max = if self.carrier == Carrier::Tcp { BufferPiece::TCP_MAX } else { BufferPiece::UDP_MAX };
                let [offset, size] =
                    [self.done.bytes.len(), self.size].map(|len| u32::try_from(len).unwrap_or(u32::MAX));
                let Some(piece) = BufferPiece::of(offset, size, max) else {
                    self.stage = Stage::Release;
                    return self.ask(session);
                };
                let want = usize::try_from(piece.len).unwrap_or(usize::MAX);
                self.assembly = Some(Assembly::new(self.carrier, session, want));
                Ask::Send(Command::READ_BUFFER, piece.to_bytes().to_vec())
            }
            Stage::Plain => {
                // What kind of dataset, in one byte here.
                let kind = kind.and_then(|kind| u8::try_from(kind.0).ok());
                Ask::Send(plain, kind.into_iter().collect())
            }
            Stage::Release => Ask::Send(Command::FREE_DATA, Vec::new()),
            Stage::Done => Ask::Done(match self.failure.take() {
                Some(error) => Err(error),
                None if self.wanted == Wanted::TemplatesSize => {
                    Ok(Answer::Size(u32::try_from(self.size.saturating_sub(4)).unwrap_or(u32::MAX)))
                }
                None => Ok(Answer::Dataset(core::mem::take(&mut self.done))),
            }),
        }
    }

    pub(super) fn hear(&mut self, packet: &Packet<'_>, session: u16) -> Hear {
        let heard = match self.stage {
            Stage::Before | Stage::After => {
                self.counted(packet);
                Ok(Hear::Next)
            }
            Stage::Release => {
                self.released();
                Ok(Hear::Next)
            }
            Stage::Prepare | Stage::Plain | Stage::Piece => self.data(packet, session),
            Stage::Done => Ok(Hear::Next),
        };
        heard.unwrap_or_else(|error| self.fail(error))
    }

    /// No answer came in time, or not all of it.
    pub(super) fn missed(&mut self, error: RequestError) -> Hear {
        match self.stage {
            Stage::Before => self.stage = Stage::Prepare,
            Stage::Release => self.released(),
            Stage::After | Stage::Done => self.stage = Stage::Done,
            Stage::Piece => return self.again(error),
            Stage::Prepare | Stage::Plain => {
                // Whoever does not answer need not be asked to release anything.
                self.failure = Some(error);
                self.stage = Stage::Done;
            }
        }
        Hear::Next
    }

    fn counted(&mut self, packet: &Packet<'_>) {
        let counts = packet.command.is_success().then(|| packet.data.to_vec());
        if self.stage == Stage::Before {
            (self.done.before, self.stage) = (counts, Stage::Prepare);
            return;
        }
        self.done.after = counts;
        let [before, after] = [self.done.counts_before(), self.done.counts_after()]
            .map(|counts| counts.and_then(super::super::FreeSizes::records));
        let changed = self.wanted.is_attendance() && after.is_some() && before != after;
        if changed && self.rounds < ROUNDS_MAX {
            // Somebody punched between the first count and the last piece: that row is in no buffer.
            self.rounds = self.rounds.saturating_add(1);
            self.done.before = self.done.after.take();
            self.begin_again(Stage::Prepare);
        } else {
            self.stage = Stage::Done;
        }
    }

    fn begin_again(&mut self, stage: Stage) {
        self.done.bytes.clear();
        (self.size, self.tries, self.assembly, self.stage) = (0, 0, None, stage);
    }

    fn released(&mut self) {
        let count_again = self.failure.is_none() && self.wanted.is_attendance();
        self.stage = if count_again { Stage::After } else { Stage::Done };
    }

    fn data(&mut self, packet: &Packet<'_>, session: u16) -> Result<Hear, RequestError> {
        match packet.command {
            Command::PREPARE_DATA => {
                let size = Announcement::parse(packet.data, &self.limits)?.size;
                self.announced(usize::try_from(size).unwrap_or(usize::MAX), session);
                Ok(Hear::More)
            }
            Command::DATA => self.piece(packet, session),
            Command::ACK_DATA if !packet.data.is_empty() && self.stage == Stage::Piece => self.piece(packet, session),
            code if code.is_success() => self.acknowledged(packet),
            code => Ok(self.refused(code)),
        }
    }

    fn announced(&mut self, size: usize, session: u16) {
        match (&mut self.assembly, self.stage) {
            (Some(assembly), Stage::Piece) => assembly.announce(size),
            _ => {
                self.size = size;
                self.done.path = if self.stage == Stage::Plain { ReadPath::Plain } else { ReadPath::Announced };
                self.assembly = Some(Assembly::new(self.carrier, session, size));
            }
        }
    }

    fn piece(&mut self, packet: &Packet<'_>, session: u16) -> Result<Hear, RequestError> {
        if self.wanted == Wanted::TemplatesSize {
            // A few templates came unasked; they are counted and dropped.
            let told = self.size.max(packet.data.len());
            (self.size, self.stage) = (told, Stage::Release);
            return Ok(Hear::Next);
        }
        let direct = self.assembly.is_none();
        if direct {
            self.size = packet.data.len();
            if self.size > self.limits.dataset {
                return Err(DataError::DatasetTooLong { len: self.size, limit: self.limits.dataset }.into());
            }
            self.done.path = if self.stage == Stage::Plain { ReadPath::Plain } else { ReadPath::Direct };
        }
        let mut assembly = self.assembly.take().unwrap_or_else(|| Assembly::new(self.carrier, session, self.size));
        if self.done.bytes.capacity() < self.size {
            self.done.bytes.reserve_exact(self.size.saturating_sub(self.done.bytes.len()));
        }
        let before = assembly.got();
        let progress = assembly.take(packet, &mut self.done.bytes);
        if assembly.got() > before {
            self.tries = 0;
        }
        self.done.surplus = self.done.surplus.saturating_add(core::mem::take(&mut assembly.surplus));
        match progress {
            Progress::More => {
                self.assembly = Some(assembly);
                Ok(Hear::More)
            }
            Progress::Whole => {
                self.next_piece();
                Ok(Hear::Next)
            }
            Progress::Gap => Ok(self.again(self.short(&assembly))),
        }
    }

    fn next_piece(&mut self) {
        self.assembly = None;
        if self.stage != Stage::Piece || self.done.bytes.len() >= self.size {
            self.stage = Stage::Release;
        }
    }

    /// An acknowledgement: of a request to prepare it says how much there is, of anything else it ends the transfer.
    fn acknowledged(&mut self, packet: &Packet<'_>) -> Result<Hear, RequestError> {
        if let Some(assembly) = self.assembly.take() {
            return if assembly.got() >= assembly.want() && assembly.want() > 0 {
                self.next_piece();
                Ok(Hear::Next)
            } else if self.size == 0 {
                self.stage = Stage::Release;
                Ok(Hear::Next)
            } else {
                Ok(self.again(self.short(&assembly)))
            };
        }
        if self.stage == Stage::Prepare && !packet.data.is_empty() {
            // The four bytes behind the flag; what follows repeats them or is of unknown meaning.
            let size = match BufferReady::parse(packet.data) {
                Ok(ready) => ready.size,
                Err(error) => u32_at(packet.data, 1).ok_or(error)?,
            };
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            if size > self.limits.dataset && self.wanted != Wanted::TemplatesSize {
                return Err(DataError::DatasetTooLong { len: size, limit: self.limits.dataset }.into());
            }
            (self.size, self.done.path) = (size, ReadPath::Buffer);
            let fetch = size > 0 && self.wanted != Wanted::TemplatesSize;
            self.stage = if fetch { Stage::Piece } else { Stage::Release };
        } else {
            // Nothing there.
            self.stage = Stage::Release;
        }
        Ok(Hear::Next)
    }

    fn refused(&mut self, code: Command) -> Hear {
        let command = self.command();
        match (self.stage, self.wanted) {
            (Stage::Prepare, Wanted::AttendanceBetween(..)) => {
                // Most firmware cannot; then all of it is read and the caller picks.
                (self.wanted, self.done.is_ranged) = (Wanted::Attendance, false);
                Hear::Next
            }
            (Stage::Prepare, Wanted::TemplatesSize) => self.fail(RequestError::Refused { command, code }),
            (Stage::Prepare, _) => {
                self.refusal = Some(code);
                self.begin_again(Stage::Plain);
                Hear::Next
            }
            (Stage::Piece, _) => self.again(RequestError::Refused { command, code }),
            _ => {
                let code = self.refusal.unwrap_or(code);
                self.fail(RequestError::Refused { command, code })
            }
        }
    }

    /// Asks for the rest of a piece again, unless that was tried often enough.
    fn again(&mut self, error: RequestError) -> Hear {
        self.assembly = None;
        self.tries = self.tries.saturating_add(1);
        self.done.repeats = self.done.repeats.saturating_add(1);
        if self.stage != Stage::Piece || self.tries >= self.attempts {
            return self.fail(error);
        }
        Hear::Next
    }

    fn fail(&mut self, error: RequestError) -> Hear {
        (self.failure, self.assembly, self.stage) = (Some(error), None, Stage::Release);
        Hear::Next
    }

    fn short(&self, assembly: &Assembly) -> RequestError {
        let got = self.done.bytes.len();
        let want = if self.stage == Stage::Piece { self.size } else { assembly.want() };
        RequestError::Short { command: self.command(), got, want }
    }

    fn command(&self) -> Command {
        let (_, plain, _) = self.wanted.requests();
        plain
    }
}
