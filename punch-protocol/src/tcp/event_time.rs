use chrono::{Datelike as _, NaiveDate, NaiveDateTime, Timelike as _};

use crate::encoded_time::EncodedTime;

/// The six bytes of a time in an event: year of the century, month, day, hour, minute, second.
///
/// It is the terminal's wall clock, without a zone. Bytes that are no time are kept.
///
/// ```
/// use punch_protocol::{civil, tcp::EventTime};
///
/// let time = EventTime([0x12, 6, 0x19, 0x11, 0x29, 5]);
/// assert_eq!(time.civil(), Some(civil::parse(b"2018-06-25 17:41:05")?));
/// assert_eq!(EventTime([18, 13, 1, 0, 0, 0]).civil(), None); // month 13
/// # Ok::<(), civil::CivilError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "bytes with a meaning; it never grows a field")]
pub struct EventTime(pub [u8; 6]);

impl EventTime {
    /// Packs a time from 2000 to 2255; `None` outside.
    pub fn of(time: NaiveDateTime) -> Option<Self> {
        let year = time.year().checked_sub(2000)?;
        let [month, day, hour] = [time.month(), time.day(), time.hour()];
        let [month, day, hour, minute, second] =
            [month, day, hour, time.minute(), time.second()].map(|part| u8::try_from(part).unwrap_or(u8::MAX));
        Some(Self([u8::try_from(year).ok()?, month, day, hour, minute, second]))
    }

    /// The time of a record, as an event says it. A day that the calendar does not have stays one.
    pub fn of_encoded(time: EncodedTime) -> Self {
        let [year, month, day, hour, minute, second] = time.parts();
        let parts = [year.saturating_sub(2000), month, day, hour, minute, second];
        Self(parts.map(|part| u8::try_from(part).unwrap_or(u8::MAX)))
    }

    /// Unpacks; `None` if a part is out of range or the calendar has no such day.
    pub fn civil(self) -> Option<NaiveDateTime> {
        let [year, month, day, hour, minute, second] = self.0;
        let year = i32::from(year).checked_add(2000)?;
        NaiveDate::from_ymd_opt(year, month.into(), day.into())?.and_hms_opt(hour.into(), minute.into(), second.into())
    }
}
