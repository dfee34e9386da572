use core::fmt;

/// The `TimeZone` a server gives a terminal: minutes east of UTC, in the two ways firmware can read.
///
/// Firmware takes the leading integer; below 25 it means hours, else minutes. So `+05:30` sets the clock half
/// an hour wrong, and an offset such as 20 minutes cannot be said at all.
///
/// ```
/// use punch_protocol::push::TimeZoneMinutes;
///
/// assert_eq!(TimeZoneMinutes::new(-300)?.to_string(), "-5");
/// assert_eq!(TimeZoneMinutes::new(330)?.to_string(), "330");
/// assert!(TimeZoneMinutes::new(20).is_err());
/// # Ok::<(), punch_protocol::push::TimeZoneError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeZoneMinutes(i32);

impl TimeZoneMinutes {
    /// Accepts -720 to 840 minutes, except those below 25 that are not whole hours.
    ///
    /// # Errors
    ///
    /// [`TimeZoneError`] if firmware would read something else.
    pub fn new(minutes: i32) -> Result<Self, TimeZoneError> {
        let whole_hours = minutes.checked_rem(60) == Some(0);
        let ambiguous = minutes.unsigned_abs() < 25 && !whole_hours;
        if ambiguous || !(-720..=840).contains(&minutes) {
            return Err(TimeZoneError { minutes });
        }
        Ok(Self(minutes))
    }

    /// Minutes east of UTC.
    pub fn minutes(self) -> i32 {
        self.0
    }
}

impl fmt::Display for TimeZoneMinutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.checked_rem(60), self.0.checked_div(60)) {
            (Some(0), Some(hours)) => write!(f, "{hours}"),
            _ => write!(f, "{}", self.0),
        }
    }
}

/// An offset that no `TimeZone` text makes firmware understand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("time zone offset of {minutes} minutes: expected -720 to 840, and whole hours below 25 minutes")]
#[non_exhaustive]
pub struct TimeZoneError {
    /// The offset asked for.
    pub minutes: i32,
}

/// What firmware makes of a `TimeZone` text, and what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeZoneReading {
    /// An integer: hours below 25, else minutes. The value is in minutes.
    Minutes(i32),
    /// Not an integer, though the leading one happens to say the same.
    NotAnInteger,
    /// A clock text whose leading integer says something else.
    WrongBy {
        /// Hours that the integer scan reads.
        hours: i32,
        /// How wrong the clock becomes, in minutes.
        minutes: u32,
    },
    /// Not an integer; the leading one is taken.
    Scanned(i32),
}

impl TimeZoneReading {
    /// Reads `text` as firmware does.
    pub fn of(text: &str) -> Self {
        if let Ok(value) = text.parse::<i32>() {
            return Self::Minutes(if value.unsigned_abs() < 25 { value.saturating_mul(60) } else { value });
        }
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
        let magnitude: i32 = unsigned.get(..digits).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        let scanned = if text.starts_with('-') { magnitude.saturating_neg() } else { magnitude };
        match unsigned.get(digits..).and_then(|tail| tail.strip_prefix(':')).and_then(|tail| tail.parse().ok()) {
            Some(0) => Self::NotAnInteger,
            Some(minutes) => Self::WrongBy { hours: scanned, minutes },
            None => Self::Scanned(scanned),
        }
    }
}

impl fmt::Display for TimeZoneReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minutes(minutes) => write!(f, "{minutes} minutes"),
            Self::NotAnInteger => f.write_str("not an integer"),
            Self::WrongBy { hours, minutes } => {
                write!(f, "not an integer; [FW] integer scan reads {hours} => {hours:+}:00, clock {minutes} min wrong")
            }
            Self::Scanned(value) => write!(f, "not an integer; integer scan reads {value}"),
        }
    }
}
