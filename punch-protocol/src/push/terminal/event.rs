use alloc::string::String;
use core::fmt;

use chrono::TimeDelta;

/// Something that happened to a terminal, for whoever plays its people. See [`Terminal::poll_event`].
///
/// [`Terminal::poll_event`]: super::Terminal::poll_event
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TerminalEvent {
    /// The server sent options, or a configuration; uploads begin.
    Connected,
    /// The server does not know the serial; it is asked again from the start.
    Disowned,
    /// An access terminal was registered.
    Registered,
    /// An access terminal was refused registration (406). It waits and asks again.
    RegistrationRefused,
    /// The wall clock jumped.
    ClockSet {
        /// By how much; negative if it was fast.
        by: TimeDelta,
    },
    /// A command was carried out, or refused.
    CommandExecuted {
        /// The id the server gave it.
        id: String,
        /// The verb, in the server's spelling.
        verb: String,
        /// The code that the result reports.
        code: i32,
    },
    /// A door was opened from afar.
    DoorOpened {
        /// The door, from 1; 0 for all.
        door: u8,
        /// For how long, in seconds; 255 for good.
        seconds: u8,
    },
    /// Records were deleted by command, acknowledged or not.
    Cleared {
        /// Punches among them.
        punches: usize,
        /// Punches among them that the server had not acknowledged.
        lost: usize,
    },
    /// It switched itself off by command and comes back after [`Profile::boot_time`](super::Profile::boot_time).
    Restarted,
    /// A row found no room: everything in memory is still unacknowledged.
    MemoryFull,
}

impl fmt::Debug for TerminalEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected => f.write_str("Connected"),
            Self::Disowned => f.write_str("Disowned"),
            Self::Registered => f.write_str("Registered"),
            Self::RegistrationRefused => f.write_str("RegistrationRefused"),
            Self::ClockSet { by } => write!(f, "ClockSet({} s)", by.num_seconds()),
            Self::CommandExecuted { id, code, .. } => write!(f, "CommandExecuted({}, {code})", id.escape_debug()),
            Self::DoorOpened { door, seconds } => write!(f, "DoorOpened({door}, {seconds} s)"),
            Self::Cleared { punches, lost } => write!(f, "Cleared({punches} punches, {lost} lost)"),
            Self::Restarted => f.write_str("Restarted"),
            Self::MemoryFull => f.write_str("MemoryFull"),
        }
    }
}
