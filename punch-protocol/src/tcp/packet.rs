use alloc::vec::Vec;

use super::checksum::checksum;
use super::codes::{Command, EventCode, MachineState};
use super::error::{FrameError, WriteError};
use super::fields::u16_at;
use super::limits::Limits;

/// A header of eight bytes and the data behind it: what a UDP datagram holds, and what a TCP frame wraps.
///
/// `Debug` shows the length of the data, never the data.
///
/// ```
/// use punch_protocol::tcp::{Command, Limits, Packet, ReplyNumber, SessionField};
///
/// let packet = Packet::new(Command::OPTIONS_READ, SessionField(0x8df3), ReplyNumber(3), b"ZKFaceVersion\0");
/// let mut datagram = Vec::new();
/// packet.write(&mut datagram, &Limits::default())?;
/// assert_eq!(datagram[..8], [0x0b, 0, 0x5a, 0x17, 0xf3, 0x8d, 3, 0]);
/// assert_eq!(Packet::parse(&datagram, &Limits::default()), Ok(packet));
/// # Ok::<(), punch_protocol::tcp::WriteError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Packet<'a> {
    /// What is asked, or how it is answered.
    pub command: Command,
    /// The session, or what a terminal puts in its place.
    pub session: SessionField,
    /// Which request this is, or answers.
    pub reply: ReplyNumber,
    /// What is behind the header.
    pub data: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Bytes of the header.
    pub const HEADER: usize = 8;

    /// A packet of these parts.
    pub fn new(command: Command, session: SessionField, reply: ReplyNumber, data: &'a [u8]) -> Self {
        Self { command, session, reply, data }
    }

    /// Reads a packet and verifies its checksum: a whole datagram, or what a frame wraps.
    ///
    /// # Errors
    ///
    /// [`FrameError`] if it is too short or too long, belongs to another protocol, or its checksum differs.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, FrameError> {
        if bytes.len() > limits.packet {
            return Err(FrameError::TooLong { len: bytes.len(), limit: limits.packet });
        }
        let packet = Self::parse_unverified(bytes)?;
        let (found, computed) = (u16_at(bytes, 2).unwrap_or_default(), checksum(bytes));
        if found == computed { Ok(packet) } else { Err(FrameError::Checksum { found, computed }) }
    }

    /// Reads a packet whatever its checksum is: to look at a capture, or for firmware that computes another one.
    ///
    /// # Errors
    ///
    /// [`FrameError::HeaderCut`] if there are fewer than eight bytes.
    pub fn parse_unverified(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let read = || {
            let (command, session, reply) = (u16_at(bytes, 0)?, u16_at(bytes, 4)?, u16_at(bytes, 6)?);
            let data = bytes.get(Self::HEADER..)?;
            Some(Self::new(Command(command), SessionField(session), ReplyNumber(reply), data))
        };
        read().ok_or(FrameError::HeaderCut { len: bytes.len() })
    }

    /// Bytes of the packet on the wire.
    #[expect(clippy::len_without_is_empty, reason = "a packet always has a header")]
    pub fn len(&self) -> usize {
        self.data.len().saturating_add(Self::HEADER)
    }

    /// Appends the packet with its checksum.
    ///
    /// # Errors
    ///
    /// [`WriteError::PacketTooLong`] if it is longer than [`Limits::packet`]; nothing is appended then.
    pub fn write(&self, out: &mut Vec<u8>, limits: &Limits) -> Result<(), WriteError> {
        if self.len() > limits.packet {
            return Err(WriteError::PacketTooLong { len: self.len(), limit: limits.packet });
        }
        let start = out.len();
        for word in [self.command.0, 0, self.session.0, self.reply.0] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(self.data);
        let sum = checksum(out.get(start..).unwrap_or_default()).to_le_bytes();
        let place = out.get_mut(start..).and_then(|packet| packet.get_mut(2..4));
        if let Some(place) = place {
            place.copy_from_slice(&sum);
        }
        Ok(())
    }
}

impl core::fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Packet")
            .field("command", &self.command)
            .field("session", &self.session)
            .field("reply", &self.reply)
            .field("data_len", &self.data.len())
            .finish()
    }
}

/// The third word of a packet: the session, except where a terminal puts something else there.
///
/// So a packet of a terminal is never dropped because its session differs; the [`ReplyNumber`] tells whose answer it is.
///
/// * In an event it is the kind of event ([`SessionField::event`]).
/// * In the answer to a question for the state it is the state ([`SessionField::state`]).
/// * In a piece of a prepared transfer it is the piece's index from 0; in the `ACK_OK` that ends one, the last index or
///   the number of bytes.
///
/// ```
/// use punch_protocol::tcp::{EventCode, SessionField};
///
/// assert_eq!(SessionField(1).event(), EventCode::PUNCH);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with a meaning; it never grows a field")]
pub struct SessionField(pub u16);

impl SessionField {
    /// Read as the kind of an event.
    pub fn event(self) -> EventCode {
        EventCode(self.0)
    }

    /// Read as the state of the terminal.
    pub fn state(self) -> MachineState {
        MachineState(self.0)
    }
}

/// The fourth word of a packet: a client's counter, which the terminal echoes in everything that answers.
///
/// Events carry 0, and so does the acknowledgement of one.
///
/// ```
/// use punch_protocol::tcp::ReplyNumber;
///
/// assert_eq!(ReplyNumber(7).next(), ReplyNumber(8));
/// assert_eq!(ReplyNumber(65_534).next(), ReplyNumber(0)); // 65,535 is never used
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[expect(clippy::exhaustive_structs, reason = "an integer with a meaning; it never grows a field")]
pub struct ReplyNumber(pub u16);

impl ReplyNumber {
    /// What events carry.
    pub const EVENT: Self = Self(0);

    /// The number of the next request, as the known clients count.
    #[must_use]
    pub fn next(self) -> Self {
        Self(if self.0 >= 65_534 { 0 } else { self.0.saturating_add(1) })
    }
}
