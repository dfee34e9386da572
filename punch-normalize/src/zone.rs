use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use core::fmt;
use core::str::FromStr;

use chrono::{DateTime, FixedOffset, Offset as _, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// How a terminal's wall clock relates to UTC. It belongs to the device, never to the server.
///
/// Terminals that follow daylight saving need the name of their place; terminals that do not need an
/// offset, which is exact to the minute because India, Nepal and Newfoundland are not on whole hours.
///
/// ```
/// use punch_normalize::DeviceZone;
///
/// assert_eq!(DeviceZone::parse("America/Mexico_City")?.to_string(), "America/Mexico_City");
/// assert_eq!(DeviceZone::parse("+05:45")?.to_string(), "+05:45");
/// assert_eq!(DeviceZone::parse("-03")?.to_string(), "-03:00");
/// assert_eq!(DeviceZone::parse("utc")?, DeviceZone::Utc);
/// assert!(DeviceZone::parse("Mexico").is_err());
/// # Ok::<(), punch_normalize::ZoneError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum DeviceZone {
    /// A place of the IANA database, with its daylight saving.
    Iana(Tz),
    /// A fixed offset, in whole minutes east of UTC.
    Fixed(FixedOffset),
    /// The terminal shows UTC.
    Utc,
}

impl DeviceZone {
    /// The longest text [`DeviceZone::parse`] looks at, in bytes.
    pub const MAX_LEN: usize = 64;

    /// The smallest fixed offset, in minutes: `-12:00`.
    pub const MIN_OFFSET_MINUTES: i32 = -720;

    /// The largest fixed offset, in minutes: `+14:00`.
    pub const MAX_OFFSET_MINUTES: i32 = 840;

    /// Reads an IANA name (as the database spells it), `UTC` or `Z` in any letter case, or `±hh:mm` or `±hh`.
    ///
    /// # Errors
    ///
    /// [`ZoneError`] says what was found and what would be accepted.
    pub fn parse(text: &str) -> Result<Self, ZoneError> {
        if text.len() > Self::MAX_LEN {
            return Err(ZoneError::TooLong { len: text.len() });
        }
        if text.starts_with(['+', '-']) {
            return parse_offset(text).map(Self::Fixed);
        }
        if text.eq_ignore_ascii_case("utc") || text.eq_ignore_ascii_case("z") {
            return Ok(Self::Utc);
        }
        Tz::from_str(text).map(Self::Iana).map_err(|_| ZoneError::UnknownName { name: text.into() })
    }

    /// Minutes east of UTC that the terminal's clock is ahead at `instant`.
    ///
    /// ```
    /// use punch_normalize::DeviceZone;
    ///
    /// let madrid = DeviceZone::parse("Europe/Madrid")?;
    /// assert_eq!(madrid.offset_minutes_at("2026-03-29T00:59:59Z".parse()?), 60);
    /// assert_eq!(madrid.offset_minutes_at("2026-03-29T01:00:00Z".parse()?), 120);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn offset_minutes_at(&self, instant: DateTime<Utc>) -> i32 {
        self.offset_at(instant).local_minus_utc().div_euclid(60)
    }

    pub(crate) fn offset_at(&self, instant: DateTime<Utc>) -> FixedOffset {
        match self {
            Self::Iana(zone) => zone.offset_from_utc_datetime(&instant.naive_utc()).fix(),
            Self::Fixed(offset) => *offset,
            Self::Utc => Utc.fix(),
        }
    }
}

fn parse_offset(text: &str) -> Result<FixedOffset, ZoneError> {
    let malformed = || ZoneError::BadOffset { text: text.into() };
    let (sign, hours, minutes) = match *text.as_bytes() {
        [sign, h1, h2] => (sign, two_digits(h1, h2), Some(0)),
        [sign, h1, h2, b':', m1, m2] => (sign, two_digits(h1, h2), two_digits(m1, m2)),
        _ => return Err(malformed()),
    };
    let (Some(hours), Some(minutes @ 0..=59)) = (hours, minutes) else { return Err(malformed()) };
    let size = hours.saturating_mul(60).saturating_add(minutes);
    let east = if sign == b'-' { size.saturating_neg() } else { size };
    Some(east)
        .filter(|east| (DeviceZone::MIN_OFFSET_MINUTES..=DeviceZone::MAX_OFFSET_MINUTES).contains(east))
        .and_then(|east| FixedOffset::east_opt(east.saturating_mul(60)))
        .ok_or_else(|| ZoneError::OffsetOutOfRange { text: text.into() })
}

fn two_digits(tens: u8, ones: u8) -> Option<i32> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i32::from(byte & 0x0f));
    Some(digit(tens)?.saturating_mul(10).saturating_add(digit(ones)?))
}

impl fmt::Display for DeviceZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Iana(zone) => f.write_str(zone.name()),
            Self::Fixed(offset) => offset.fmt(f),
            Self::Utc => f.write_str("UTC"),
        }
    }
}

impl FromStr for DeviceZone {
    type Err = ZoneError;

    fn from_str(text: &str) -> Result<Self, ZoneError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for DeviceZone {
    type Error = ZoneError;

    fn try_from(text: String) -> Result<Self, ZoneError> {
        Self::parse(&text)
    }
}

impl From<DeviceZone> for String {
    fn from(zone: DeviceZone) -> Self {
        zone.to_string()
    }
}

/// Why a text is not a [`DeviceZone`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ZoneError {
    /// Neither an offset nor a name the database has.
    #[error(
        "device zone: `{name}` is not in the IANA database, \
         use a name such as `America/Mexico_City`, an offset such as `+05:30`, or `UTC`"
    )]
    UnknownName {
        /// The text found.
        name: Box<str>,
    },
    /// A sign, but not followed by hours and minutes.
    #[error("device zone: `{text}` is not an offset, write it as `+05:30` or `-03`")]
    BadOffset {
        /// The text found.
        text: Box<str>,
    },
    /// A well-formed offset that no place on Earth has.
    #[error("device zone: offset `{text}` is out of range, expected -12:00 to +14:00")]
    OffsetOutOfRange {
        /// The text found.
        text: Box<str>,
    },
    /// More than [`DeviceZone::MAX_LEN`] bytes.
    #[error("device zone: {len} bytes, at most 64 are accepted; use an IANA name, an offset or `UTC`")]
    TooLong {
        /// The length found, in bytes.
        len: usize,
    },
}
