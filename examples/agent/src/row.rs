use chrono::NaiveDateTime;
use punch_protocol::{Pin, RawPunch, SerialNumber};

/// One record of a terminal's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A punch, as push would report it.
    Punch(RawPunch),
    /// A record that cannot be a punch. The gateway keeps it aside, for somebody to look at.
    Broken(BrokenRow),
}

/// A record that names no moment there is, or a place in the terminal's table of users that is nobody's any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenRow {
    /// The terminal.
    pub serial: SerialNumber,
    /// Who, if that is known.
    pub pin: Option<Pin<'static>>,
    /// The place in the table of users, if that is all the record says.
    pub slot: Option<u16>,
    /// When, if the calendar has that day.
    pub time: Option<NaiveDateTime>,
    /// The time as it is packed.
    pub time_raw: u32,
    /// The state.
    pub state: u16,
    /// The way the person verified.
    pub verify: u16,
}

impl Row {
    /// The terminal.
    pub fn serial(&self) -> &SerialNumber {
        match self {
            Self::Punch(punch) => &punch.serial,
            Self::Broken(broken) => &broken.serial,
        }
    }

    /// When, by the terminal's clock, if the calendar has that day.
    pub fn time(&self) -> Option<NaiveDateTime> {
        match self {
            Self::Punch(punch) => Some(punch.time),
            Self::Broken(broken) => broken.time,
        }
    }
}

impl From<RawPunch> for Row {
    fn from(punch: RawPunch) -> Self {
        Self::Punch(punch)
    }
}

impl PartialEq<RawPunch> for Row {
    fn eq(&self, other: &RawPunch) -> bool {
        matches!(self, Self::Punch(punch) if punch == other)
    }
}
