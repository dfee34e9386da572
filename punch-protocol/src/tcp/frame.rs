use alloc::vec::Vec;

use super::error::{FrameError, WriteError};
use super::fields::{array_at, u32_at};
use super::limits::Limits;
use super::packet::Packet;

/// A packet on a TCP stream: a mark, the packet's length, the packet.
///
/// ```
/// use punch_protocol::tcp::{Command, Frame, Framed, Limits, Packet, ReplyNumber, SessionField};
///
/// let limits = Limits::default();
/// let mut sent = Vec::new();
/// let connect = Packet::new(Command::CONNECT, SessionField(0), ReplyNumber(0), b"");
/// Frame::new(connect).write(&mut sent, &limits)?;
/// assert_eq!(sent, [0x50, 0x50, 0x82, 0x7d, 8, 0, 0, 0, 0xe8, 3, 0x17, 0xfc, 0, 0, 0, 0]);
///
/// // A frame may be cut anywhere; what is missing is not an error.
/// assert_eq!(Frame::parse(&sent[..13], &limits)?, Framed::Partial { needed: 3 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame<'a> {
    /// What the frame wraps.
    pub packet: Packet<'a>,
}

/// What stands at the beginning of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a frame is there or it is not; errors are apart")]
pub enum Framed<'a> {
    /// A frame, whole and with the right checksum.
    Complete {
        /// The frame.
        frame: Frame<'a>,
        /// Bytes of the stream it took.
        used: usize,
    },
    /// The beginning of a frame.
    Partial {
        /// Bytes that are missing at least. Room for them need not be made before they come.
        needed: usize,
    },
}

impl<'a> Frame<'a> {
    /// The mark of a frame.
    pub const MAGIC: [u8; 4] = *b"\x50\x50\x82\x7d";
    /// The mark of an encrypted frame, which newer firmware sends after a challenge.
    pub const SECURE_MAGIC: [u8; 4] = *b"\x50\x50\x83\x7c";
    /// Bytes before the packet: the mark, and a length of four bytes.
    pub const WRAPPER: usize = 8;

    /// Wraps a packet.
    pub fn new(packet: Packet<'a>) -> Self {
        Self { packet }
    }

    /// Reads the frame at the beginning of `stream`. Nothing is allocated, whatever the length says.
    ///
    /// # Errors
    ///
    /// [`FrameError`] if this is no frame, or one that cannot be believed. The stream has no mark to go on from that
    /// data could not hold too, so the connection is best closed.
    pub fn parse(stream: &'a [u8], limits: &Limits) -> Result<Framed<'a>, FrameError> {
        match Self::cut(stream, limits)? {
            Cut::Whole { packet, used } => {
                Ok(Framed::Complete { frame: Self::new(Packet::parse(packet, limits)?), used })
            }
            Cut::Partial { needed } => Ok(Framed::Partial { needed }),
        }
    }

    /// Finds the frame at the beginning of `stream` without looking into its packet.
    pub(super) fn cut(stream: &'a [u8], limits: &Limits) -> Result<Cut<'a>, FrameError> {
        let Some(magic) = array_at(stream, 0) else { return Ok(partial(stream.len(), Self::WRAPPER)) };
        if magic != Self::MAGIC {
            return Err(FrameError::of_magic(magic));
        }
        let Some(length) = u32_at(stream, 4) else { return Ok(partial(stream.len(), Self::WRAPPER)) };
        let len = usize::try_from(length).unwrap_or(usize::MAX);
        if len < Packet::HEADER {
            return Err(FrameError::TooShort { len });
        }
        if len > limits.packet {
            return Err(FrameError::TooLong { len, limit: limits.packet });
        }
        let used = len.saturating_add(Self::WRAPPER);
        let Some(packet) = stream.get(Self::WRAPPER..used) else { return Ok(partial(stream.len(), used)) };
        Ok(Cut::Whole { packet, used })
    }

    /// Appends the frame.
    ///
    /// # Errors
    ///
    /// [`WriteError::PacketTooLong`] if the packet is longer than [`Limits::packet`]; nothing is appended then.
    pub fn write(&self, out: &mut Vec<u8>, limits: &Limits) -> Result<(), WriteError> {
        let len = self.packet.len();
        let Ok(length) = u32::try_from(len) else {
            return Err(WriteError::PacketTooLong { len, limit: limits.packet });
        };
        let start = out.len();
        out.extend_from_slice(&Self::MAGIC);
        out.extend_from_slice(&length.to_le_bytes());
        self.packet.write(out, limits).inspect_err(|_| out.truncate(start))
    }
}

/// A frame's place in a stream.
pub(super) enum Cut<'a> {
    /// All of it is there.
    Whole {
        /// The packet in it, not looked at.
        packet: &'a [u8],
        /// Bytes of the stream it took.
        used: usize,
    },
    /// Its beginning is there.
    Partial {
        /// Bytes that are missing at least.
        needed: usize,
    },
}

fn partial<'a>(have: usize, whole: usize) -> Cut<'a> {
    Cut::Partial { needed: whole.saturating_sub(have) }
}
