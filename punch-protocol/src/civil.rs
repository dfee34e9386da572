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
    let [century, year, month, day, hour, minute, second] = numbers(text).ok_or(CivilError::Format)?;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return Err(CivilError::OutOfRange);
    }
    let year = i32::from(century).saturating_mul(100).saturating_add(i32::from(year));
    NaiveDate::from_ymd_opt(year, month.into(), day.into())
        .and_then(|date| date.and_hms_opt(hour.into(), minute.into(), second.into()))
        .ok_or(CivilError::NoSuchDate)
}

/// The two-digit numbers of the written form. Every punch comes through here, so eight bytes are read at once.
fn numbers(text: &[u8; LEN]) -> Option<[u8; 7]> {
    let (first, second) = (text.first_chunk::<8>()?, text.get(8..16)?.first_chunk::<8>()?);
    let [century, _, year, _, _, month, _, _] = pairs(*first, b"0000-00-")?;
    let [day, _, _, _, _, _, _, _] = pairs(*second, b"00 00:00")?;
    let [hour, _, _, minute, _, _, second, _] = pairs(*text.last_chunk::<8>()?, b"00:00:00")?;
    Some([century, year, month, day, hour, minute, second])
}

/// Each byte of `text` and the next one as a number of two digits; `None` unless `text` has a digit wherever `form`
/// has a `0`, and the byte of `form` everywhere else.
#[inline]
fn pairs(text: [u8; 8], form: &'static [u8; 8]) -> Option<[u8; 8]> {
    // A digit is at most 9 above its `0`, anything else is its form: adding the slack then sets no top bit.
    let slack = form.map(|byte| if byte == b'0' { 0x7f - 9 } else { 0x7f });
    let digits = u64::from_le_bytes(text) ^ u64::from_le_bytes(*form);
    let fits = (digits | digits.wrapping_add(u64::from_le_bytes(slack))) & 0x8080_8080_8080_8080 == 0;
    // Ten times a digit and another one stay within their byte.
    fits.then(|| digits.wrapping_mul(10).wrapping_add(digits >> 8).to_le_bytes())
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
