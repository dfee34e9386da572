use alloc::string::String;
use core::fmt;

use super::data::DataTable;

/// What destroys data on a terminal or gives its sender control of it.
///
/// These commands have a constructor of their own, [`Command::dangerous`](super::Command::dangerous), so that none is
/// written by a typing mistake. Nothing in this crate makes one by itself. `Debug` shows no path and no text.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dangerous {
    /// Deletes every punch from the terminal's memory.
    ClearPunches,
    /// Deletes every photo of a punch.
    ClearPhotos,
    /// Deletes users **and** punches.
    ClearEverything,
    /// Deletes every template.
    ClearTemplates,
    /// Deletes every user.
    ClearUsers,
    /// Deletes the administrators' rights.
    ClearAdministrators,
    /// Access control: deletes every record of a table.
    DeleteAll(DataTable),
    /// Runs a command of the terminal's operating system.
    Shell(String),
    /// Reads a file of the terminal.
    GetFile {
        /// Path on the terminal.
        path: String,
    },
    /// Writes a file of the terminal.
    PutFile {
        /// Where the terminal fetches it.
        url: String,
        /// Path on the terminal.
        path: String,
    },
    /// Replaces the firmware.
    Upgrade {
        /// Checksum of the file, as the vendor publishes it.
        checksum: String,
        /// Length of the file, in bytes.
        size: u64,
        /// Where the terminal fetches it.
        url: String,
    },
}

impl Dangerous {
    /// What it does, without the values.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ClearPunches => "clear punches",
            Self::ClearPhotos => "clear photos",
            Self::ClearEverything => "clear everything",
            Self::ClearTemplates => "clear templates",
            Self::ClearUsers => "clear users",
            Self::ClearAdministrators => "clear administrators",
            Self::DeleteAll(_) => "delete all records",
            Self::Shell(_) => "shell",
            Self::GetFile { .. } => "get file",
            Self::PutFile { .. } => "put file",
            Self::Upgrade { .. } => "upgrade",
        }
    }

    /// The texts that go onto the wire as they are.
    pub(super) fn texts(&self) -> [&str; 2] {
        match self {
            Self::Shell(text) | Self::GetFile { path: text } => [text, ""],
            Self::PutFile { url, path } => [url, path],
            Self::Upgrade { checksum, url, .. } => [checksum, url],
            Self::ClearPunches
            | Self::ClearPhotos
            | Self::ClearEverything
            | Self::ClearTemplates
            | Self::ClearUsers
            | Self::ClearAdministrators
            | Self::DeleteAll(_) => ["", ""],
        }
    }
}

impl fmt::Debug for Dangerous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dangerous({})", self.name())
    }
}
