//! How the server reads a time.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Timelike as _};

/// What a text is to the server.
pub(super) enum Reading {
    /// Local time of the site, whole seconds.
    Local(NaiveDateTime),
    /// A time with a zone: never converted, always trouble. Holds the wall clock.
    Zoned(NaiveDateTime),
    /// Not a time.
    Unreadable,
}

pub(super) fn read(text: &str) -> Reading {
    let text = text.trim();
    if let Ok(zoned) = DateTime::parse_from_rfc3339(text) {
        return Reading::Zoned(zoned.naive_local());
    }
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M"];
    let time = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let midnight = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|date| date.and_hms_opt(0, 0, 0));
    match time.or_else(midnight) {
        // chrono reads `:60` as a leap second; the server does not.
        Some(time) if time.nanosecond() < 1_000_000_000 => Reading::Local(whole(time)),
        Some(_) | None => Reading::Unreadable,
    }
}

/// Fractions are cut, not rounded.
pub(super) fn whole(time: NaiveDateTime) -> NaiveDateTime {
    time.with_nanosecond(0).unwrap_or(time)
}
