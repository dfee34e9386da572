use chrono::NaiveDateTime;

use super::super::codes::Command;
use super::super::error::FrameError;

/// Something that happened to a terminal on port 4370, for whoever plays its people.
/// See [`Terminal::poll_event`](super::Terminal::poll_event).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TerminalEvent {
    /// A client opened a session.
    Connected {
        /// Its number.
        session: u16,
    },
    /// The client proved the comm key.
    Proved,
    /// The client sent a comm key that is not the terminal's.
    KeyRefused {
        /// How many more it may send.
        left: u32,
    },
    /// The client took its leave.
    Left,
    /// The client wrote a user.
    UserWritten {
        /// The place in the table of users.
        slot: u16,
    },
    /// The client deleted a user.
    UserDeleted {
        /// The place in the table of users.
        slot: u16,
    },
    /// The client cleared what this command clears.
    Cleared(Command),
    /// The client set the clock.
    ClockSet {
        /// What it shows now.
        to: NaiveDateTime,
    },
    /// The client opened the door.
    DoorOpened {
        /// How long, as the request says it: seconds, or tenths of seconds, by the client.
        delay: u32,
    },
    /// The client acknowledged an event.
    EventAcknowledged {
        /// How many it has not acknowledged yet.
        waiting: u32,
    },
    /// The client said something that was refused or is not known.
    Refused {
        /// What it asked for.
        command: Command,
        /// The answer.
        answer: Command,
    },
    /// The connection is over: what is left to transmit is sent, then it is closed. Nothing is read until
    /// [`Terminal::handle_connected`](super::Terminal::handle_connected).
    Closed(Closing),
}

/// Why a terminal closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Closing {
    /// The client sent what is no frame.
    Frame(FrameError),
    /// The client goes on asking and does not take the answers.
    Flooded,
    /// The client restarted the terminal.
    Restart,
    /// The client switched the terminal off.
    PowerOff,
}
