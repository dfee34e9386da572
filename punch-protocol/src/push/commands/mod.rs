//! What a server asks of a terminal: typed, written for the dialect at hand, and followed until it is answered.

mod dangerous;
mod data;
mod encoding;
mod enrolment;
mod error;
mod id;
mod queue;
mod text;
mod ticket;
mod user;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use chrono::{NaiveDateTime, TimeDelta};

pub use self::dangerous::Dangerous;
pub use self::data::{DataRecord, DataTable};
pub use self::encoding::TextEncoding;
pub use self::enrolment::Enrolment;
pub use self::error::CommandError;
pub use self::id::CommandId;
pub(super) use self::queue::Batch;
pub use self::queue::{CommandLimits, CommandQueue};
pub use self::ticket::{CommandChange, CommandState, CommandUpdate, Ticket};
pub use self::user::UserRecord;

use self::data::{check_name, check_value};
use self::user::check_pin;
use super::codes::ReturnCode;
use super::handshake::Dialect;

/// One thing a terminal is asked to do.
///
/// The constructors check every value: a TAB, a line end or a NUL would become another field or another command, and
/// the protocol has no escape for them. What is written depends on the terminal's dialect, so a command that one of
/// them lacks is refused when it is written. `Debug` shows the kind, never a value.
///
/// ```
/// use punch_protocol::push::{Command, Dialect};
///
/// let restart = Command::restart();
/// assert_eq!(restart.text(Dialect::Attendance)?, "REBOOT");
/// assert_eq!(restart.text(Dialect::AccessControl)?, "CONTROL DEVICE 03000000");
/// assert!(!restart.is_repeatable());
/// # Ok::<(), punch_protocol::push::CommandError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Command(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    UpdateUser(UserRecord),
    DeleteUser(String),
    QueryUsers(Option<String>),
    Update(DataTable, Vec<DataRecord>),
    Delete(DataTable, DataRecord),
    Query(DataTable, DataRecord),
    Count(DataTable),
    QueryPunches(NaiveDateTime, NaiveDateTime),
    CountPunches(NaiveDateTime, NaiveDateTime),
    Information,
    GetOptions(Vec<String>),
    SetOption(String, String),
    ReloadOptions,
    SetClock(NaiveDateTime),
    Check,
    UploadNow,
    OpenDoor { door: u8, seconds: u8 },
    CancelAlarm(u8),
    Restart,
    Enroll(Enrolment),
    Dangerous(Dangerous),
}

impl Command {
    /// Writes a person to the terminal, new or known.
    pub fn update_user(user: UserRecord) -> Self {
        Self(Kind::UpdateUser(user))
    }

    /// Removes a person with everything that is enrolled.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the PIN is not 1 to 24 bytes, or holds what the protocol cannot carry.
    pub fn delete_user(pin: &str) -> Result<Self, CommandError> {
        check_pin(pin)?;
        Ok(Self(Kind::DeleteUser(pin.to_owned())))
    }

    /// Asks for one person, or for all. They come as uploads or as query pages; passwords come with them.
    ///
    /// # Errors
    ///
    /// As [`Command::delete_user`].
    pub fn query_users(pin: Option<&str>) -> Result<Self, CommandError> {
        pin.map_or(Ok(()), check_pin)?;
        Ok(Self(Kind::QueryUsers(pin.map(ToOwned::to_owned))))
    }

    /// Writes records of any table. Attendance terminals take one record a command.
    pub fn update(table: DataTable, records: Vec<DataRecord>) -> Self {
        Self(Kind::Update(table, records))
    }

    /// Deletes the records of a table that have all the pairs of `condition`. For all of them see
    /// [`Dangerous::DeleteAll`].
    pub fn delete(table: DataTable, condition: DataRecord) -> Self {
        Self(Kind::Delete(table, condition))
    }

    /// Asks for the records of a table that have all the pairs of `condition`; without pairs, for all.
    pub fn query(table: DataTable, condition: DataRecord) -> Self {
        Self(Kind::Query(table, condition))
    }

    /// Access control: asks how many records a table has.
    pub fn count(table: DataTable) -> Self {
        Self(Kind::Count(table))
    }

    /// Asks for the punches between two times of the terminal's clock again. They come as ordinary uploads, with the
    /// same identities. Access terminals know no period and send all they have.
    pub fn query_punches(from: NaiveDateTime, to: NaiveDateTime) -> Self {
        Self(Kind::QueryPunches(from, to))
    }

    /// Asks how many punches the terminal holds between two times of its clock; the result carries the number.
    /// Access terminals count all they have.
    pub fn count_punches(from: NaiveDateTime, to: NaiveDateTime) -> Self {
        Self(Kind::CountPunches(from, to))
    }

    /// Asks what the terminal is and holds.
    pub fn information() -> Self {
        Self(Kind::Information)
    }

    /// Asks for options. Attendance terminals give one a command.
    ///
    /// # Errors
    ///
    /// [`CommandError::OutOfRange`] if there is none, or a name is not one.
    pub fn options(names: &[&str]) -> Result<Self, CommandError> {
        if names.is_empty() {
            return Err(CommandError::OutOfRange { key: "the options", expected: "at least one name" });
        }
        names.iter().try_for_each(|name| check_name("an option", name))?;
        Ok(Self(Kind::GetOptions(names.iter().map(|name| (*name).to_owned()).collect())))
    }

    /// Sets an option.
    ///
    /// # Errors
    ///
    /// [`CommandError::Separator`] if the value holds what the protocol cannot carry, [`CommandError::OutOfRange`] if
    /// the name is none or the value holds a comma, which separates options.
    pub fn set_option(name: &str, value: &str) -> Result<Self, CommandError> {
        check_name("an option", name)?;
        check_value("an option's value", value)?;
        if value.contains(',') {
            return Err(CommandError::OutOfRange { key: "an option's value", expected: "a text without commas" });
        }
        Ok(Self(Kind::SetOption(name.to_owned(), value.to_owned())))
    }

    /// Attendance: reads the options anew after they were set.
    pub fn reload_options() -> Self {
        Self(Kind::ReloadOptions)
    }

    /// Access control: sets the clock to a civil time, 2000 to 2133. Attendance terminals go by the `Date` of every
    /// answer and the time zone of the handshake.
    pub fn set_clock(time: NaiveDateTime) -> Self {
        Self(Kind::SetClock(time))
    }

    /// Attendance: reads the handshake again and uploads what the marks say is missing.
    pub fn check() -> Self {
        Self(Kind::Check)
    }

    /// Attendance: uploads new rows now, whatever the schedule.
    pub fn upload_now() -> Self {
        Self(Kind::UploadNow)
    }

    /// Opens a door for a time. Sent at most once, and only within [`Command::DOOR_TTL`].
    ///
    /// Attendance terminals have one door and a time of their own.
    ///
    /// # Errors
    ///
    /// [`CommandError::OutOfRange`] unless `door` is 1 to 16 and `seconds` 1 to 254.
    pub fn open_door(door: u8, seconds: u8) -> Result<Self, CommandError> {
        if !(1..=16).contains(&door) {
            return Err(CommandError::OutOfRange { key: "the door", expected: "1 to 16" });
        }
        if !(1..=254).contains(&seconds) {
            return Err(CommandError::OutOfRange { key: "the time a door stays open", expected: "1 to 254 seconds" });
        }
        Ok(Self(Kind::OpenDoor { door, seconds }))
    }

    /// Silences the alarm of a door, or of all doors (0).
    ///
    /// # Errors
    ///
    /// [`CommandError::OutOfRange`] unless `door` is 0 to 16.
    pub fn cancel_alarm(door: u8) -> Result<Self, CommandError> {
        if door > 16 {
            return Err(CommandError::OutOfRange { key: "the door", expected: "0 to 16" });
        }
        Ok(Self(Kind::CancelAlarm(door)))
    }

    /// Restarts the terminal. Nothing is sent behind it in the same answer.
    pub fn restart() -> Self {
        Self(Kind::Restart)
    }

    /// Starts an enrolment at the terminal: somebody has to stand there.
    pub fn enroll(enrolment: Enrolment) -> Self {
        Self(Kind::Enroll(enrolment))
    }

    /// A command that destroys data or takes control. See [`Dangerous`].
    ///
    /// # Errors
    ///
    /// [`CommandError::Separator`] if a text holds what the protocol cannot carry.
    pub fn dangerous(command: Dangerous) -> Result<Self, CommandError> {
        command.texts().into_iter().try_for_each(|text| check_value("a text", text))?;
        Ok(Self(Kind::Dangerous(command)))
    }

    /// How long an order to open a door stays good: after a minute the person has gone.
    pub const DOOR_TTL: TimeDelta = TimeDelta::seconds(60);
    /// How long any other order that must not be repeated stays good.
    pub const ONCE_TTL: TimeDelta = TimeDelta::minutes(10);
    /// How long an order that may be repeated stays good, as long as a delivery.
    pub const REPEATABLE_TTL: TimeDelta = TimeDelta::hours(72);

    /// Whether it may be sent again while nobody knows if it was executed. Opening a door, restarting, enrolling and
    /// everything dangerous is sent at most once.
    pub fn is_repeatable(&self) -> bool {
        match self.0 {
            Kind::OpenDoor { .. } | Kind::CancelAlarm(_) | Kind::Restart | Kind::Enroll(_) | Kind::Dangerous(_) => {
                false
            }
            Kind::UpdateUser(_)
            | Kind::DeleteUser(_)
            | Kind::QueryUsers(_)
            | Kind::Update(..)
            | Kind::Delete(..)
            | Kind::Query(..)
            | Kind::Count(_)
            | Kind::QueryPunches(..)
            | Kind::CountPunches(..)
            | Kind::Information
            | Kind::GetOptions(_)
            | Kind::SetOption(..)
            | Kind::ReloadOptions
            | Kind::SetClock(_)
            | Kind::Check
            | Kind::UploadNow => true,
        }
    }

    pub(in super::super) fn sets_clock(&self) -> bool {
        matches!(self.0, Kind::SetClock(_))
    }

    /// How long it stays good unless the caller says otherwise. A clock set hours later would be set wrong.
    pub fn time_to_live(&self) -> TimeDelta {
        if matches!(self.0, Kind::OpenDoor { .. } | Kind::SetClock(_)) {
            Self::DOOR_TTL
        } else if self.is_repeatable() {
            Self::REPEATABLE_TTL
        } else {
            Self::ONCE_TTL
        }
    }

    /// Whether a return code says that it worked: queries and file transfers count, access terminals count anything,
    /// enrolments give the reason of a failure as a positive number, everything else is 0.
    ///
    /// ```
    /// use punch_protocol::push::{Command, Dialect, ReturnCode};
    ///
    /// let everybody = Command::query_users(None)?;
    /// assert!(everybody.succeeded(ReturnCode(3), Dialect::Attendance));
    /// assert!(!Command::restart().succeeded(ReturnCode(3), Dialect::Attendance));
    /// # Ok::<(), punch_protocol::push::CommandError>(())
    /// ```
    pub fn succeeded(&self, code: ReturnCode, dialect: Dialect) -> bool {
        let counts = matches!(
            self.0,
            Kind::QueryUsers(_)
                | Kind::Query(..)
                | Kind::QueryPunches(..)
                | Kind::Count(_)
                | Kind::Dangerous(Dangerous::GetFile { .. } | Dangerous::PutFile { .. })
        );
        let enrols = matches!(self.0, Kind::Enroll(_));
        code == ReturnCode::OK || (code > ReturnCode::OK && !enrols && (counts || dialect == Dialect::AccessControl))
    }

    /// Whether firmware does nothing else that the same answer asks for.
    pub(super) fn ends_the_batch(&self) -> bool {
        matches!(self.0, Kind::Restart | Kind::Dangerous(Dangerous::Upgrade { .. }))
    }

    /// The text behind `C:<id>:`, without a line end. Several records of an access command stand on a line each.
    ///
    /// # Errors
    ///
    /// [`CommandError::Unsupported`] if the dialect has no such command.
    pub fn text(&self, dialect: Dialect) -> Result<String, CommandError> {
        text::write(&self.0, dialect)
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command({})", self.0.name())
    }
}

impl Kind {
    fn name(&self) -> &'static str {
        match self {
            Self::UpdateUser(_) => "update user",
            Self::DeleteUser(_) => "delete user",
            Self::QueryUsers(_) => "query users",
            Self::Update(..) => "update records",
            Self::Delete(..) => "delete records",
            Self::Query(..) => "query records",
            Self::Count(_) => "count records",
            Self::QueryPunches(..) => "query punches",
            Self::CountPunches(..) => "count punches",
            Self::Information => "information",
            Self::GetOptions(_) => "get options",
            Self::SetOption(..) => "set option",
            Self::ReloadOptions => "reload options",
            Self::SetClock(_) => "set clock",
            Self::Check => "check",
            Self::UploadNow => "upload now",
            Self::OpenDoor { .. } => "open door",
            Self::CancelAlarm(_) => "cancel alarm",
            Self::Restart => "restart",
            Self::Enroll(_) => "enroll",
            Self::Dangerous(command) => command.name(),
        }
    }
}
