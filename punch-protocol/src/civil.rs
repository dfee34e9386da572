//! Civil time: what a terminal's wall clock showed, without a zone.
//!
//! The only form terminals write is `YYYY-MM-DD HH:MM:SS`, nineteen bytes. Nothing is rolled over:
//! 30 February is an error with a name, not 2 March.

use chrono::{NaiveDate, NaiveDateTime};

/// Why a field is not a civil time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CivilError {
    /// The bytes are not of the form `YYYY-MM-DD HH:MM:SS`.
    #[error("time is not of the form `YYYY-MM-DD HH:MM:SS`")]
    Format,
    /// All digits: seconds since some epoch, which no terminal writes here.
    #[error("time is a bare number, expected `YYYY-MM-DD HH:MM:SS`")]
    Number,
    /// A part is outside its own range (month 13, hour 25).
    #[error("time has a part out of range")]
    OutOfRange,
    /// Every part is in range but the calendar has no such day.
    #[error("time names a day the calendar does not have")]
    NoSuchDate,
}

/// Length of the written form, in bytes.
pub const LEN: usize = 19;

/// Reads `YYYY-MM-DD HH:MM:SS`.
///
/// # Errors
///
/// [`CivilError`] says whether the form, a range or the calendar is at fault.
///
/// ```
/// use punch_protocol::civil::{self, CivilError};
///
/// assert_eq!(civil::parse(b"2026-03-28 08:47:12")?.to_string(), "2026-03-28 08:47:12");
/// assert_eq!(civil::parse(b"2026-02-30 08:00:00"), Err(CivilError::NoSuchDate));
/// assert_eq!(civil::parse(b"2026-08-06 25:00:00"), Err(CivilError::OutOfRange));
/// assert_eq!(civil::parse(b"1704096000"), Err(CivilError::Number));
/// # Ok::<(), CivilError>(())
/// ```
pub fn parse(bytes: &[u8]) -> Result<NaiveDateTime, CivilError> {
    let Some(text) = bytes.first_chunk::<LEN>().filter(|_| bytes.len() == LEN) else {
        let number = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
        return Err(if number { CivilError::Number } else { CivilError::Format });
    };
    let [y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b' ', h1, h2, b':', mi1, mi2, b':', s1, s2] = text else {
        return Err(CivilError::Format);
    };
    let century = two_digits(*y1, *y2)?;
    let year = century.saturating_mul(100).saturating_add(two_digits(*y3, *y4)?);
    let (month, day) = (two_digits(*mo1, *mo2)?, two_digits(*d1, *d2)?);
    let (hour, minute, second) = (two_digits(*h1, *h2)?, two_digits(*mi1, *mi2)?, two_digits(*s1, *s2)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return Err(CivilError::OutOfRange);
    }
    i32::try_from(year)
        .ok()
        .and_then(|year| NaiveDate::from_ymd_opt(year, month, day))
        .and_then(|date| date.and_hms_opt(hour, minute, second))
        .ok_or(CivilError::NoSuchDate)
}

fn two_digits(tens: u8, ones: u8) -> Result<u32, CivilError> {
    let digit = |byte: u8| if byte.is_ascii_digit() { Ok(u32::from(byte & 0x0f)) } else { Err(CivilError::Format) };
    Ok(digit(tens)?.saturating_mul(10).saturating_add(digit(ones)?))
}

/// Writes a time the way terminals write it: `YYYY-MM-DD HH:MM:SS`.
///
/// ```
/// use punch_protocol::civil;
///
/// let time = civil::parse(b"2026-03-28 08:47:12")?;
/// assert_eq!(civil::Written(time).to_string(), "2026-03-28 08:47:12");
/// # Ok::<(), civil::CivilError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a formatting wrapper around one value")]
pub struct Written(pub NaiveDateTime);

impl core::fmt::Display for Written {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.format("%Y-%m-%d %H:%M:%S").fmt(f)
    }
}

/// Whether a clock shows a time no punch can have: before 2010, or the 2000-01-01 of a dead battery.
///
/// ```
/// use punch_protocol::civil;
///
/// assert!(civil::is_unset_clock(civil::parse(b"2000-01-01 00:03:11")?));
/// assert!(!civil::is_unset_clock(civil::parse(b"2026-01-01 00:00:00")?));
/// # Ok::<(), civil::CivilError>(())
/// ```
pub fn is_unset_clock(time: NaiveDateTime) -> bool {
    use chrono::Datelike as _;
    time.year() < 2010
}
