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
        let [year, month, day, hour, minute, second] = self.parts();
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?.and_hms_opt(hour, minute, second)
    }

    /// Year, month, day, hour, minute and second as packed, also of a day that the calendar does not have.
    ///
    /// ```
    /// # use punch_protocol::push::EncodedTime;
    /// assert_eq!(EncodedTime(808_790_400).parts(), [2025, 2, 31, 0, 0, 0]);
    /// ```
    pub fn parts(self) -> [u32; 6] {
        let (rest, second) = split(self.0, 60);
        let (rest, minute) = split(rest, 60);
        let (rest, hour) = split(rest, 24);
        let (rest, day) = split(rest, 31);
        let (years, month) = split(rest, 12);
        [years.saturating_add(2000), month.saturating_add(1), day.saturating_add(1), hour, minute, second]
    }
}

/// Quotient and remainder.
fn split(number: u32, by: u32) -> (u32, u32) {
    (number.checked_div(by).unwrap_or_default(), number.checked_rem(by).unwrap_or_default())
}
