use super::super::attendance::AttendanceLayout;
use super::super::user::UserLayout;

/// How a terminal's firmware does what the protocol leaves open. Every combination is legal: units in the field differ
/// in all of it, and a client has to take any.
///
/// ```
/// use punch_protocol::tcp::{AttendanceLayout, FinalAck, TerminalProfile, UserLayout};
///
/// let profile = TerminalProfile { final_ack: FinalAck::None, ..TerminalProfile::of(AttendanceLayout::Number16) };
/// assert_eq!((profile.users, profile.live_punch), (UserLayout::Number28, 12));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update syntax")]
pub struct TerminalProfile {
    /// How attendance records are kept and sent. Default 40 bytes.
    pub attendance: AttendanceLayout,
    /// How users are kept and sent. Default 72 bytes.
    pub users: UserLayout,
    /// Bytes of data in a packet of a prepared transfer at most; over UDP never more than 1,024. Default 65,536; K20 and
    /// K40 units have 1,008.
    pub packet_max: u32,
    /// Bytes of the answer to [`Command::FREE_SIZES`](super::super::Command::FREE_SIZES): 80, 92, 112, or the 4 that
    /// say nothing. Default 92.
    pub free_sizes: usize,
    /// Bytes of a punch told as it happens: 10, 12, 14, or 32 and more. Default 32.
    pub live_punch: usize,
    /// What ends a prepared transfer. Default the last index.
    pub final_ack: FinalAck,
    /// Whether a buffer can be prepared at all; others answer 4989 and want the plain commands. Default yes.
    pub serves_buffer: bool,
    /// Whether attendance records between two times can be asked for. Default yes.
    pub serves_range: bool,
    /// Whether a request for a buffer is answered by the whole transfer, as old units do. Default no.
    pub transfers_at_once: bool,
    /// Whether a piece of the buffer comes as one packet, without an announcement, as far as a packet holds it. Default
    /// no.
    pub plain_pieces: bool,
    /// Blocks of nine bytes in front of the attendance records that are no records. Default 0.
    pub noise_blocks: usize,
    /// How much too high the count of attendance records is. Default 0.
    pub count_off: i32,
    /// Whether it refuses whoever does not encrypt, with 6001. Default no.
    pub demands_encryption: bool,
    /// Whether the answer to `CONNECT` has a byte of data. Default no.
    pub odd_connect: bool,
    /// Whether an event nobody asked for comes in front of every answer of an open session. Default no.
    pub early_events: bool,
    /// Users it has room for. Default 10,000.
    pub user_capacity: u32,
    /// Attendance records it has room for. Default 200,000.
    pub record_capacity: u32,
}

/// What ends a prepared transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum FinalAck {
    /// An `ACK_OK` whose session field is the index of the last packet of data.
    #[default]
    LastIndex,
    /// An `ACK_OK` whose session field is the number of bytes, its low sixteen bits.
    ByteCount,
    /// Nothing: the last byte ends it.
    None,
}

impl TerminalProfile {
    /// A usual unit whose attendance records lie so: those with numbers have users of 28 bytes and short events.
    pub fn of(attendance: AttendanceLayout) -> Self {
        let (users, live_punch, packet_max) = match attendance {
            AttendanceLayout::Packed8 | AttendanceLayout::Flags8 => (UserLayout::Number28, 10, 1024),
            AttendanceLayout::Number16 => (UserLayout::Number28, 12, 1024),
            AttendanceLayout::Text36 | AttendanceLayout::Text40 => (UserLayout::Text72, 32, 65_536),
            AttendanceLayout::Text49 => (UserLayout::Text72, 52, 65_536),
        };
        Self { attendance, users, packet_max, live_punch, ..Self::text40() }
    }

    fn text40() -> Self {
        Self {
            attendance: AttendanceLayout::Text40,
            users: UserLayout::Text72,
            packet_max: 65_536,
            free_sizes: 92,
            live_punch: 32,
            final_ack: FinalAck::LastIndex,
            serves_buffer: true,
            serves_range: true,
            transfers_at_once: false,
            plain_pieces: false,
            noise_blocks: 0,
            count_off: 0,
            demands_encryption: false,
            odd_connect: false,
            early_events: false,
            user_capacity: 10_000,
            record_capacity: 200_000,
        }
    }
}

impl Default for TerminalProfile {
    fn default() -> Self {
        Self::text40()
    }
}
