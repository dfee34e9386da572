use alloc::vec::Vec;

use super::error::{FrameError, WriteError};
use super::frame::{Cut, Frame};
use super::limits::Limits;
use super::packet::Packet;

/// What packets travel on. Both have port 4370; old units have UDP only, most others both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the protocol has these two")]
pub enum Carrier {
    /// A stream of frames.
    Tcp,
    /// Datagrams of one packet each, which may be lost, doubled or out of order.
    Udp,
}

impl Carrier {
    /// Bytes of data in one datagram at most.
    pub const DATAGRAM_DATA: usize = 1024;

    /// Appends a packet as it goes on the wire.
    ///
    /// # Errors
    ///
    /// [`WriteError::PacketTooLong`] if it is longer than [`Limits::packet`] or has more data than a datagram takes;
    /// nothing is appended then.
    ///
    /// ```
    /// use punch_protocol::tcp::{Carrier, Command, Limits, Packet, ReplyNumber, SessionField};
    ///
    /// let packet = Packet::new(Command::DATA, SessionField(0), ReplyNumber(3), &[0; 1025]);
    /// let mut out = Vec::new();
    /// assert!(Carrier::Udp.write(&packet, &mut out, &Limits::default()).is_err());
    /// Carrier::Tcp.write(&packet, &mut out, &Limits::default())?;
    /// assert_eq!(out.len(), 8 + 8 + 1025);
    /// # Ok::<(), punch_protocol::tcp::WriteError>(())
    /// ```
    pub fn write(self, packet: &Packet<'_>, out: &mut Vec<u8>, limits: &Limits) -> Result<(), WriteError> {
        match self {
            Self::Tcp => Frame::new(*packet).write(out, limits),
            Self::Udp => {
                let limit = limits.packet.min(Self::DATAGRAM_DATA.saturating_add(Packet::HEADER));
                packet.write(out, &Limits { packet: limit, ..*limits })
            }
        }
    }
}

/// What is done with a packet whose checksum differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ChecksumPolicy {
    /// It is dropped and counted; what it answered is asked again, or fails.
    #[default]
    Reject,
    /// It is believed and counted: for firmware that computes another checksum.
    Count,
}

/// What the other side sent and nobody has looked at: the beginning of a frame, on a stream.
pub(super) struct Inbox {
    carrier: Carrier,
    policy: ChecksumPolicy,
    begun: Vec<u8>,
    /// Packets whose checksum differed.
    pub(super) damaged: u64,
}

impl Inbox {
    pub(super) fn new(carrier: Carrier, policy: ChecksumPolicy) -> Self {
        Self { carrier, policy, begun: Vec::new(), damaged: 0 }
    }

    /// Takes what was received and returns all that can be cut into packets now. What is left over is given back with
    /// [`Inbox::put_back`].
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = core::mem::take(&mut self.begun);
        stream.extend_from_slice(bytes);
        stream
    }

    /// Keeps what is left of a stream: less than one frame.
    pub(super) fn put_back(&mut self, mut stream: Vec<u8>, used: usize) {
        if self.carrier == Carrier::Tcp {
            stream.drain(..used.min(stream.len()));
            self.begun = stream;
        }
    }

    /// The next packet behind `used`, which is moved on. `None` if there is no whole one.
    pub(super) fn next<'a>(
        &mut self,
        stream: &'a [u8],
        used: &mut usize,
        limits: &Limits,
    ) -> Result<Option<Packet<'a>>, FrameError> {
        loop {
            let rest = stream.get(*used..).unwrap_or_default();
            let packet = match self.carrier {
                Carrier::Tcp => match Frame::cut(rest, limits)? {
                    Cut::Partial { .. } => return Ok(None),
                    Cut::Whole { packet, used: more } => {
                        *used = used.saturating_add(more);
                        packet
                    }
                },
                Carrier::Udp if rest.is_empty() => return Ok(None),
                Carrier::Udp => {
                    *used = stream.len();
                    rest
                }
            };
            match (Packet::parse(packet, limits), self.policy) {
                (Ok(packet), _) => return Ok(Some(packet)),
                (Err(FrameError::Checksum { .. }), ChecksumPolicy::Count) => {
                    self.damaged = self.damaged.saturating_add(1);
                    return Packet::parse_unverified(packet).map(Some);
                }
                // A stream's length was right, so its next frame is found; a bad datagram harms no other.
                (Err(FrameError::Checksum { .. }), ChecksumPolicy::Reject) => {
                    self.damaged = self.damaged.saturating_add(1);
                }
                (Err(_), _) if self.carrier == Carrier::Udp => self.damaged = self.damaged.saturating_add(1),
                (Err(error), _) => return Err(error),
            }
        }
    }
}
