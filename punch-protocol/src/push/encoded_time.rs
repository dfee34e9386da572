use chrono::{Datelike as _, NaiveDate, NaiveDateTime, Timelike as _};

/// Seconds as firmware packs a civil time: every month has 31 days, and years start at 2000.
///
/// It is not Unix time: there are gaps at month ends, and differences are not durations.
///
/// ```
/// use punch_protocol::civil;
/// use punch_protocol::push::EncodedTime;
///
/// let time = civil::parse(b"2018-02-22 06:36:30")?;
/// assert_eq!(EncodedTime::of(time), Some(EncodedTime(583_050_990)));
/// assert_eq!(EncodedTime(583_050_990).civil(), Some(time));
/// assert_eq!(EncodedTime(808_790_400).civil(), None); // 31 February
/// # Ok::<(), civil::CivilError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "an integer with a meaning; it never grows a field")]
pub struct EncodedTime(pub u32);

impl EncodedTime {
    /// Packs a time from 2000-01-01 to 2133-08-18; `None` outside.
    pub fn of(time: NaiveDateTime) -> Option<Self> {
        let years = u32::try_from(time.year().checked_sub(2000)?).ok()?;
        let months = years.checked_mul(12)?.checked_add(time.month0())?;
        let days = months.checked_mul(31)?.checked_add(time.day0())?;
        let seconds = days.checked_mul(86_400)?.checked_add(time.num_seconds_from_midnight())?;
        Some(Self(seconds))
    }

    /// Unpacks; `None` if the calendar has no such day.
    pub fn civil(self) -> Option<NaiveDateTime> {
        let (days, seconds) = (self.0.checked_div(86_400)?, self.0.checked_rem(86_400)?);
        let (months, day) = (days.checked_div(31)?, days.checked_rem(31)?.checked_add(1)?);
        let (years, month) = (months.checked_div(12)?, months.checked_rem(12)?.checked_add(1)?);
        let year = i32::try_from(years).ok()?.checked_add(2000)?;
        let (minutes, second) = (seconds.checked_div(60)?, seconds.checked_rem(60)?);
        let (hour, minute) = (minutes.checked_div(60)?, minutes.checked_rem(60)?);
        NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(hour, minute, second)
    }
}
