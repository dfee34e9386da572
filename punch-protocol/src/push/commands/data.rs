use alloc::borrow::{Cow, ToOwned};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::super::handshake::Dialect;
use super::error::CommandError;

/// A table that `DATA UPDATE`, `DELETE`, `QUERY` and `COUNT` work on. Each dialect has its own.
///
/// The constants are those whose keys the vendor's documents give; [`DataTable::other`] names any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataTable {
    name: Cow<'static, str>,
    dialect: Dialect,
}

impl DataTable {
    /// Attendance: users. [`Command::update_user`](super::Command::update_user) writes them for both dialects.
    pub const USERINFO: Self = Self::attendance("USERINFO");
    /// Attendance: fingers of algorithms up to 10. `PIN`, `FID`, `Size`, `Valid`, `TMP`.
    pub const FINGERTMP: Self = Self::attendance("FINGERTMP");
    /// Attendance: near-infrared faces.
    pub const FACE: Self = Self::attendance("FACE");
    /// Attendance: finger veins.
    pub const FVEIN: Self = Self::attendance("FVEIN");
    /// Attendance: templates of every kind.
    pub const BIODATA: Self = Self::attendance("BIODATA");
    /// Attendance: pictures of users.
    pub const USERPIC: Self = Self::attendance("USERPIC");
    /// Attendance: comparison photos.
    pub const BIOPHOTO: Self = Self::attendance("BIOPHOTO");
    /// Attendance: short messages. `MSG`, `TAG`, `UID`, `MIN`, `StartTime`.
    pub const SMS: Self = Self::attendance("SMS");
    /// Attendance: who gets a message. `PIN`, `UID`.
    pub const USER_SMS: Self = Self::attendance("USER_SMS");
    /// Attendance: advertising pictures.
    pub const ADPIC: Self = Self::attendance("ADPIC");
    /// Attendance: wallpapers.
    pub const WALLPAPER: Self = Self::attendance("WALLPAPER");
    /// Attendance: work codes. `PIN`, `CODE`, `NAME`.
    pub const WORKCODE: Self = Self::attendance("WORKCODE");
    /// Attendance: what the function keys mean. `KeyID`, `KeyFun`, `StatusCode`, `ShowName`, …
    pub const SHORTCUT_KEY: Self = Self::attendance("ShortcutKey");
    /// Attendance: access groups. `ID`, `Verify`, `ValidHoliday`, `TZ`.
    pub const ACCESS_GROUP: Self = Self::attendance("AccGroup");
    /// Attendance: access time zones. `UID`, `SunStart`, `SunEnd`, …
    pub const ACCESS_TIME_ZONE: Self = Self::attendance("AccTimeZone");
    /// Attendance: holidays. `UID`, `HolidayName`, `StartDate`, `EndDate`, `TimeZone`.
    pub const ACCESS_HOLIDAY: Self = Self::attendance("AccHoliday");
    /// Attendance: which groups open together. `UID`, `Group1` to `Group5`.
    pub const UNLOCK_COMBINATION: Self = Self::attendance("AccUnLockComb");
    /// Identity-card terminals: cards.
    pub const IDCARD: Self = Self::attendance("IDCARD");
    /// Identity-card terminals: cards that are refused. `IDNum`.
    pub const BLACKLIST: Self = Self::attendance("BLACKLIST");
    /// Identity-card terminals: cards that are let in. `IDNum`.
    pub const WHITELIST: Self = Self::attendance("WHITELIST");
    /// Information screens: meetings.
    pub const MEETINFO: Self = Self::attendance("MEETINFO");
    /// Information screens: who takes part in a meeting.
    pub const PERSMEET: Self = Self::attendance("PERSMEET");
    /// Access control: users.
    pub const USER: Self = Self::access("user");
    /// Access control: who may pass which doors when. `Pin`, `AuthorizeTimezoneId`, `AuthorizeDoorId` (a bit mask).
    pub const USER_AUTHORIZE: Self = Self::access("userauthorize");
    /// Access control: intervals of the week. `TimezoneId`, `SunTime1` to `SatTime3`, `Hol1Time1` to `Hol3Time3`.
    pub const TIME_ZONE: Self = Self::access("timezone");
    /// Access control: holidays. `Holiday` (`YYYYMMDD`), `HolidayType`, `Loop`.
    pub const HOLIDAY: Self = Self::access("holiday");
    /// Access control: fingers. `Pin`, `FingerID`, `Valid`, `Template`.
    pub const TEMPLATE_V10: Self = Self::access("templatev10");
    /// Access control: stored events. `*` as a filter reads them all again.
    pub const TRANSACTION: Self = Self::access("transaction");
    /// Access control: sub-controllers of a master. `SN`, `IsAuthorize`.
    pub const DEVICE_AUTHORIZE: Self = Self::access("DeviceAuthorize");

    const fn attendance(name: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), dialect: Dialect::Attendance }
    }

    const fn access(name: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), dialect: Dialect::AccessControl }
    }

    /// A table this crate has no name for.
    ///
    /// # Errors
    ///
    /// [`CommandError::OutOfRange`] if the name is not 1 to 32 ASCII letters, digits and underscores.
    pub fn other(name: &str, dialect: Dialect) -> Result<Self, CommandError> {
        check_name("the table", name)?;
        Ok(Self { name: Cow::Owned(name.to_owned()), dialect })
    }

    /// The name on the wire.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The dialect that has this table.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }
}

/// One record of a table: `key=value` pairs in the order they were added.
///
/// Leave out what must not change: an empty value clears the field on some firmware. `Debug` shows the keys.
///
/// ```
/// use punch_protocol::push::{CommandError, DataRecord};
///
/// let record = DataRecord::new().with("CODE", "7")?.with("NAME", "Lathe")?;
/// let injected = record.with("PIN", "1\nC:2:CLEAR DATA");
/// assert!(matches!(injected, Err(CommandError::Separator { at: 1, .. })));
/// # Ok::<(), CommandError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DataRecord(Vec<(Cow<'static, str>, String)>);

impl DataRecord {
    /// A record without pairs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a pair.
    ///
    /// # Errors
    ///
    /// [`CommandError::Separator`] if the value holds what the protocol has no escape for,
    /// [`CommandError::OutOfRange`] if the key is not 1 to 32 ASCII letters, digits and underscores.
    pub fn with(mut self, key: &str, value: &str) -> Result<Self, CommandError> {
        check_name("a key", key)?;
        check_value("a value", value)?;
        self.0.push((Cow::Owned(key.to_owned()), value.to_owned()));
        Ok(self)
    }

    /// Adds a pair whose value has been checked, or is made of digits.
    pub(super) fn push(&mut self, key: &'static str, value: impl Into<String>) {
        self.0.push((Cow::Borrowed(key), value.into()));
    }

    /// The pairs.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value.as_str()))
    }
}

impl fmt::Debug for DataRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(key, _)| key)).finish()
    }
}

/// Nothing in `value` may end a field, a line or a text.
pub(super) fn check_value(key: &'static str, value: &str) -> Result<(), CommandError> {
    match value.bytes().position(|byte| matches!(byte, b'\t' | b'\r' | b'\n' | 0)) {
        Some(at) => Err(CommandError::Separator { key, at }),
        None => Ok(()),
    }
}

/// Names of tables, keys and options: what no reader can take for a separator.
pub(super) fn check_name(key: &'static str, name: &str) -> Result<(), CommandError> {
    let bare = name.strip_prefix('~').unwrap_or(name);
    let plain = bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if bare.is_empty() || bare.len() > 32 || !plain {
        return Err(CommandError::OutOfRange { key, expected: "1 to 32 ASCII letters, digits and underscores" });
    }
    Ok(())
}
