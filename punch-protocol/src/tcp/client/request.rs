use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::super::codes::{Command, EventMask, MachineState};
use super::super::error::WriteError;
use super::super::free_sizes::FreeSizes;
use super::super::option_pair::OptionPair;
use super::super::user::{User, UserLayout};
use super::download::Download;
use crate::encoded_time::EncodedTime;

/// Something to ask of a terminal. `Debug` names it and shows nothing of what it carries.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// The value of an option, such as `~SerialNumber`.
    Option(Vec<u8>),
    /// Sets an option: name and value. It takes effect at once.
    SetOption(Vec<u8>, Vec<u8>),
    /// The firmware's version.
    Version,
    /// How many of everything there are, and room for.
    Sizes,
    /// The terminal's clock.
    Time,
    /// Sets the terminal's clock.
    SetTime(EncodedTime),
    /// What the terminal is doing.
    State,
    /// How many digits a PIN may have.
    PinWidth,
    /// Whether the door is open: a byte, 1 open.
    DoorState,
    /// Lets people use the terminal again.
    Enable,
    /// Locks the terminal, for so many seconds or until [`Request::Enable`]. A client that dies without it leaves people
    /// in front of a locked terminal, so give a time; reading does not need it.
    Disable(Option<u32>),
    /// Has the terminal apply changed data.
    Refresh,
    /// Opens the door. The unit of the number differs: seconds on some units, tenths on others.
    Unlock(u32),
    /// Restarts the terminal, which often says nothing any more.
    Restart,
    /// Switches the terminal off.
    PowerOff,
    /// Asks for events as they happen; [`EventMask::NONE`] for no more.
    Register(EventMask),
    /// Reads something long.
    Read(Wanted),
    /// Writes a user: a record of 28 or 72 bytes. [`Request::write_user`] makes one.
    WriteUser(Vec<u8>),
    /// Deletes the user in this slot, with everything of that person's but punches.
    DeleteUser(u16),
    /// Deletes every attendance record. Nothing here ever asks for it by itself.
    ClearAttendance,
    /// Takes leave; the terminal is enabled again.
    Exit,
    /// Anything else whose answer is one packet.
    Other(Command, Vec<u8>),
}

/// What is long and comes in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wanted {
    /// Every attendance record.
    Attendance,
    /// Attendance records between two times of the terminal's clock. Firmware that cannot gives all of them;
    /// [`Download::is_ranged`] says which.
    AttendanceBetween(EncodedTime, EncodedTime),
    /// Every user.
    Users,
    /// The operation log.
    Operations,
    /// How many bytes of templates there are. None of them is asked for.
    TemplatesSize,
}

impl Request {
    /// Writes a user in the layout that the terminal's own users have.
    ///
    /// # Errors
    ///
    /// [`WriteError::Field`] as [`User::write`].
    pub fn write_user(user: &User<'_>, layout: UserLayout) -> Result<Self, WriteError> {
        let mut record = Vec::new();
        user.write(layout, &mut record)?;
        Ok(Self::WriteUser(record))
    }

    /// What a [`Request::Read`] reads.
    pub(super) fn wanted(&self) -> Option<Wanted> {
        if let Self::Read(wanted) = self { Some(*wanted) } else { None }
    }

    /// The packets of a request that is no [`Request::Read`]; the answer to the first is the answer.
    pub(super) fn packets(&self) -> Vec<(Command, Vec<u8>)> {
        let plain = |command| vec![(command, Vec::new())];
        let number = |command, number: u32| vec![(command, number.to_le_bytes().to_vec())];
        let then = |command, data: Vec<u8>, refresh| vec![(command, data), (refresh, Vec::new())];
        match self {
            Self::Option(name) => vec![(Command::OPTIONS_READ, [name, &b"\0"[..]].concat())],
            Self::SetOption(name, value) => {
                let pair = [name, &b"="[..], value, b"\0"].concat();
                then(Command::OPTIONS_WRITE, pair, Command::REFRESH_OPTIONS)
            }
            Self::Version => plain(Command::VERSION),
            Self::Sizes => plain(Command::FREE_SIZES),
            Self::Time => plain(Command::GET_TIME),
            Self::SetTime(time) => then(Command::SET_TIME, time.0.to_le_bytes().to_vec(), Command::REFRESH_DATA),
            Self::State => plain(Command::STATE),
            Self::PinWidth => plain(Command::PIN_WIDTH),
            Self::DoorState => plain(Command::DOOR_STATE),
            Self::Enable => plain(Command::ENABLE_DEVICE),
            Self::Disable(Some(seconds)) => number(Command::DISABLE_DEVICE, *seconds),
            Self::Disable(None) => plain(Command::DISABLE_DEVICE),
            Self::Refresh => plain(Command::REFRESH_DATA),
            Self::Unlock(delay) => number(Command::UNLOCK, *delay),
            Self::Restart => plain(Command::RESTART),
            Self::PowerOff => plain(Command::POWER_OFF),
            Self::Register(mask) => number(Command::EVENT, mask.0),
            Self::WriteUser(record) => then(Command::USER_WRITE, record.clone(), Command::REFRESH_DATA),
            Self::DeleteUser(slot) => then(Command::DELETE_USER, slot.to_le_bytes().to_vec(), Command::REFRESH_DATA),
            Self::ClearAttendance => then(Command::CLEAR_ATTENDANCE, Vec::new(), Command::REFRESH_DATA),
            Self::Exit => plain(Command::EXIT),
            Self::Other(command, data) => vec![(*command, data.clone())],
            Self::Read(_) => Vec::new(),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.wanted(), self.packets().first()) {
            (Some(wanted), _) => write!(f, "Read({wanted:?})"),
            (None, Some((command, _))) => write!(f, "Request({command})"),
            (None, None) => f.write_str("Request"),
        }
    }
}

/// What a terminal answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// One packet.
    Reply(Reply),
    /// Nothing, as usual before a restart.
    Silence,
    /// What was read.
    Dataset(Download),
    /// Bytes that could be read and were not asked for.
    Size(u32),
}

/// An answer of one packet. `Debug` shows how long its data is.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// How the request was answered.
    pub code: Command,
    /// What stood in the place of the session.
    pub state: MachineState,
    /// What came with it.
    pub data: Vec<u8>,
}

impl Reply {
    /// An option's value; `None` if the terminal does not have it.
    pub fn option(&self) -> Option<&[u8]> {
        let pair = OptionPair::parse(&self.data).filter(|_| self.code.is_success())?;
        pair.value().filter(|value| !value.is_empty())
    }

    /// A text up to its NUL, such as the firmware's version.
    pub fn text(&self) -> &[u8] {
        super::super::fields::until_nul(&self.data)
    }

    /// The counts.
    pub fn sizes(&self) -> FreeSizes<'_> {
        FreeSizes::new(&self.data)
    }

    /// The clock; `None` if there are not four bytes.
    pub fn time(&self) -> Option<EncodedTime> {
        self.data.first_chunk().map(|bytes| EncodedTime(u32::from_le_bytes(*bytes)))
    }

    /// The first byte: the width of a PIN, the state of a door.
    pub fn byte(&self) -> Option<u8> {
        self.data.first().copied()
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("code", &self.code).field("data_len", &self.data.len()).finish()
    }
}
