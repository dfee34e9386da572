//! How OData version 2 writes and reads days, instants and times of day.

use alloc::string::String;

use chrono::{DateTime, NaiveDate, NaiveTime, Timelike as _, Utc};

/// An instant, to the millisecond: `/Date(1774687632000)/`.
pub fn odata_instant(at: DateTime<Utc>) -> String {
    alloc::format!("/Date({})/", at.timestamp_millis())
}

/// A day: its midnight in UTC, whatever the zone of what happened on it.
pub fn odata_day(day: NaiveDate) -> String {
    let midnight = day.and_time(NaiveTime::MIN).and_utc();
    odata_instant(midnight)
}

/// A time of day, seconds and no fraction: `PT08H47M12S`.
pub fn odata_time(time: NaiveTime) -> String {
    alloc::format!("PT{:02}H{:02}M{:02}S", time.hour(), time.minute(), time.second())
}

/// Reads an instant: `/Date(ms)/` or `/Date(ms+0060)/`. The digits behind the sign are minutes of an offset for showing it;
/// they never move the instant. `None` if it is neither.
///
/// ```
/// use punch_erp::successfactors::parse_odata_instant;
///
/// assert_eq!(parse_odata_instant("/Date(1774687632000+0060)/"), "2026-03-28T08:47:12Z".parse().ok());
/// assert_eq!(parse_odata_instant("2026-03-28T08:47:12Z"), None);
/// ```
pub fn parse_odata_instant(text: &str) -> Option<DateTime<Utc>> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    // A sign at the very front is the number's own.
    let sign = inner.char_indices().skip(1).find(|(_, letter)| matches!(letter, '+' | '-'));
    let (number, offset) = inner.split_at_checked(sign.map_or(inner.len(), |(at, _)| at))?;
    let is_offset = offset.is_empty() || (offset.len() > 1 && offset.bytes().skip(1).all(|byte| byte.is_ascii_digit()));
    let is_number = number.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|_| is_offset && is_number).and_then(DateTime::from_timestamp_millis)
}
