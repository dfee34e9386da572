use alloc::string::String;
use core::fmt;
use core::fmt::Write as _;

use chrono::NaiveDateTime;
use punch_normalize::{Direction, EventId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::UnknownDirection;

/// The longest name of a record, in characters. One more is an error of the database.
pub const MAX_NAME_LEN: usize = 140;

/// Marks a name that had to be spelled in hexadecimal.
const HEX_MARK: &str = "hex-";

/// The record's name for an event: the same for every delivery, different for different events.
///
/// Names are compared without regard to letter case, and `<b>` becomes `<b></b>`. So an id of lower-case letters,
/// digits, `_` and `-` (every id we make) is its own name, and any other is spelled in hexadecimal behind `hex-`.
/// `None` for an id of that other kind that is longer than 68 bytes: it fits no name.
///
/// ```
/// use punch_erp::erpnext::checkin_name;
/// use punch_normalize::EventId;
///
/// let name = |text| checkin_name(&EventId::parse(text).unwrap());
/// assert_eq!(name("evt_5xe9rzfeytktk4ns5q1xhc1e6k").as_deref(), Some("evt_5xe9rzfeytktk4ns5q1xhc1e6k"));
/// assert_eq!(name("EVT<1>").as_deref(), Some("hex-4556543c313e"));
/// ```
pub fn checkin_name(event_id: &EventId) -> Option<String> {
    let text = event_id.as_str();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    if text.bytes().all(plain) && !text.starts_with(HEX_MARK) {
        return Some(text.into());
    }
    let mut name = String::from(HEX_MARK);
    for byte in text.bytes() {
        // Writing to a String cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    (name.len() <= MAX_NAME_LEN).then_some(name)
}

/// The direction of a checkin. The server knows these two words, in capitals, and an absent field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "the server refuses any third word")]
pub enum LogType {
    /// Arrived.
    #[serde(rename = "IN")]
    In,
    /// Left.
    #[serde(rename = "OUT")]
    Out,
}

impl LogType {
    /// Folds breaks and overtime into plain in and out; an unknown becomes what the site's setting says.
    pub fn of(direction: Direction, unknown: UnknownDirection) -> Option<Self> {
        match (direction.plain(), unknown) {
            (Direction::In, _) => Some(Self::In),
            (Direction::Out, _) | (_, UnknownDirection::Out) => Some(Self::Out),
            (_, UnknownDirection::Omit) => None,
        }
    }
}

/// A checkin to be stored. `Debug` shows no employee.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NewCheckin {
    /// The record's own name, see [`checkin_name`].
    pub name: String,
    /// The employee's name in the ERP (`HR-EMP-00001`), as the table spells it.
    pub employee: String,
    /// Local time of the site, whole seconds.
    #[serde(serialize_with = "write_time")]
    pub time: NaiveDateTime,
    /// What the field `device_id` shows, at most 140 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// Which way; left out if unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_type: Option<LogType>,
}

impl NewCheckin {
    /// A checkin without device and direction.
    pub fn new(name: impl Into<String>, employee: impl Into<String>, time: NaiveDateTime) -> Self {
        Self { name: name.into(), employee: employee.into(), time, device_id: None, log_type: None }
    }
}

impl fmt::Debug for NewCheckin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewCheckin")
            .field("name", &self.name)
            .field("time", &self.time)
            .field("log_type", &self.log_type)
            .finish_non_exhaustive()
    }
}

/// A checkin as the server shows it. `Debug` shows no employee.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Checkin {
    /// The record's name: ours, or one of the server's series.
    pub name: String,
    /// The employee's name in the ERP, in its canonical spelling.
    pub employee: String,
    /// Local time of the site, whole seconds (the server cuts fractions).
    #[serde(deserialize_with = "read_time")]
    pub time: NaiveDateTime,
    /// `IN`, `OUT` or empty; kept as text, so that a fourth word is a difference and not an unreadable answer.
    #[serde(default)]
    pub log_type: Option<String>,
    /// What the field `device_id` shows, HTML-escaped by the server.
    #[serde(default)]
    pub device_id: Option<String>,
    /// The person, fetched by the server from the employee. Absent if the employee does not exist.
    #[serde(default)]
    pub employee_name: Option<String>,
    /// When the server stored it: the site's local time.
    #[serde(default, deserialize_with = "read_creation")]
    pub creation: Option<NaiveDateTime>,
}

impl Checkin {
    /// Whether the direction is this one; absent and empty are the same.
    pub fn has_log_type(&self, log_type: Option<LogType>) -> bool {
        let word = match log_type {
            Some(LogType::In) => "IN",
            Some(LogType::Out) => "OUT",
            None => "",
        };
        self.log_type.as_deref().unwrap_or_default() == word
    }
}

impl fmt::Debug for Checkin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkin")
            .field("name", &self.name)
            .field("time", &self.time)
            .field("log_type", &self.log_type)
            .finish_non_exhaustive()
    }
}

/// The only form the server reads as it is meant: no `T`, no fraction, and above all no zone.
pub(super) fn time_text(time: NaiveDateTime) -> String {
    alloc::format!("{}", time.format("%Y-%m-%d %H:%M:%S"))
}

fn write_time<S: Serializer>(time: &NaiveDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time_text(*time))
}

pub(super) fn parse_time(text: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok()
}

fn read_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDateTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_time(&text).ok_or_else(|| serde::de::Error::custom("expected `YYYY-MM-DD HH:MM:SS`"))
}

fn read_creation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDateTime>, D::Error> {
    // It serves one check; an odd form is no reason to doubt the rest of the answer.
    Ok(Option::<String>::deserialize(deserializer)?.as_deref().and_then(parse_time))
}
