//! What can be chosen on the command line, and what it stands for.

use clap::ValueEnum;
use punch_protocol::tcp::{AttendanceLayout, UserLayout};
use simulator::binary_terminal::Segments;

/// The layouts of attendance records, for the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Layout {
    /// 8 bytes, layout A.
    #[value(name = "8a")]
    Packed8,
    /// 8 bytes, layout B.
    #[value(name = "8b")]
    Flags8,
    /// 16 bytes.
    #[value(name = "16")]
    Number16,
    /// 36 bytes.
    #[value(name = "36")]
    Text36,
    /// 40 bytes.
    #[value(name = "40")]
    Text40,
    /// 49 bytes.
    #[value(name = "49")]
    Text49,
}

impl Layout {
    pub(super) fn layout(self) -> AttendanceLayout {
        match self {
            Self::Packed8 => AttendanceLayout::Packed8,
            Self::Flags8 => AttendanceLayout::Flags8,
            Self::Number16 => AttendanceLayout::Number16,
            Self::Text36 => AttendanceLayout::Text36,
            Self::Text40 => AttendanceLayout::Text40,
            Self::Text49 => AttendanceLayout::Text49,
        }
    }
}

/// The layouts of users, for the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Users {
    /// 28 bytes, with a number for a PIN.
    #[value(name = "28")]
    Number28,
    /// 72 bytes, with a text for a PIN.
    #[value(name = "72")]
    Text72,
}

impl Users {
    pub(super) fn layout(self) -> UserLayout {
        match self {
            Self::Number28 => UserLayout::Number28,
            Self::Text72 => UserLayout::Text72,
        }
    }
}

/// The ways to cut a stream, for the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Segment {
    /// One frame a segment.
    Frame,
    /// All that is ready at once.
    Coalesce,
    /// 1,460 bytes each.
    Mss,
    /// 1 to 7 bytes each.
    Drip,
}

impl Segment {
    pub(super) fn segments(self) -> Segments {
        match self {
            Self::Frame => Segments::Frame,
            Self::Coalesce => Segments::Coalesce,
            Self::Mss => Segments::Mss,
            Self::Drip => Segments::Drip,
        }
    }
}
