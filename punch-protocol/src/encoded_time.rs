use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _};

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
        let seconds = days.checked_mul(DAY)?.checked_add(time.num_seconds_from_midnight())?;
        Some(Self(seconds))
    }

    /// Unpacks; `None` if the calendar has no such day.
    #[inline]
    pub fn civil(self) -> Option<NaiveDateTime> {
        let [year, month, day, second] = self.date_and_second();
        let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
        NaiveTime::from_num_seconds_from_midnight_opt(second, 0).map(|time| date.and_time(time))
    }

    /// Whether the calendar has such a day. [`EncodedTime::civil`] says it too, and takes longer.
    ///
    /// ```
    /// # use punch_protocol::push::EncodedTime;
    /// assert!(EncodedTime(583_050_990).is_date()); // 22 February 2018
    /// assert!(!EncodedTime(808_790_400).is_date()); // 31 February 2025
    /// ```
    #[inline]
    pub fn is_date(self) -> bool {
        let (_, second) = split(self.0, MONTH);
        second < 28 * DAY || self.is_day_of_its_month()
    }

    /// Year, month, day, hour, minute and second as packed, also of a day that the calendar does not have.
    ///
    /// ```
    /// # use punch_protocol::push::EncodedTime;
    /// assert_eq!(EncodedTime(808_790_400).parts(), [2025, 2, 31, 0, 0, 0]);
    /// ```
    pub fn parts(self) -> [u32; 6] {
        let [year, month, day, second] = self.date_and_second();
        let (hour, second) = split(second, 3600);
        let (minute, second) = split(second, 60);
        [year, month, day, hour, minute, second]
    }

    /// Year, month, day, and the second of the day.
    #[inline]
    fn date_and_second(self) -> [u32; 4] {
        let (months, second) = split(self.0, MONTH);
        let (years, month) = split(months, 12);
        let (day, second) = split(second, DAY);
        [years.saturating_add(2000), month.saturating_add(1), day.saturating_add(1), second]
    }

    /// The same for any day. Those behind the 28th are few, and kept out of the loop of who checks many.
    #[inline(never)]
    fn is_day_of_its_month(self) -> bool {
        let [year, month, day, _] = self.date_and_second();
        let last = match month {
            // Up to 2133 only 2100 is divided by 4 and no leap year.
            2 if year & 3 == 0 && year != 2100 => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        day <= last
    }
}

/// Seconds of a day, and of a month, which has 31 days.
const DAY: u32 = 86_400;
const MONTH: u32 = 31 * DAY;

/// Quotient and remainder.
#[inline]
fn split(number: u32, by: u32) -> (u32, u32) {
    (number.checked_div(by).unwrap_or_default(), number.checked_rem(by).unwrap_or_default())
}
