//! Is what the server shows what we meant?

use chrono::{DateTime, LocalResult, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::{Checkin, NewCheckin};

/// The first field in which the record is not the one sent; the time first, because *now* in its place is the
/// commonest fault and the worst.
pub(super) fn difference(sent: &NewCheckin, stored: &Checkin) -> Option<&'static str> {
    if stored.time.and_utc().timestamp() != sent.time.and_utc().timestamp() {
        Some("time")
    } else if stored.employee != sent.employee {
        Some("employee")
    } else if !stored.has_log_type(sent.log_type) {
        Some("log_type")
    } else {
        None
    }
}

/// Whether the local time belongs to an hour that the zone's clocks show twice.
pub(super) fn is_repeated(zone: Tz, time: NaiveDateTime) -> bool {
    matches!(zone.from_local_datetime(&time), LocalResult::Ambiguous(..))
}

/// Minutes east of UTC of the server's clock and of the configured zone, if they differ.
///
/// A record just stored carries the site's local time, and the answer the instant. Their difference is a multiple
/// of 15 minutes, give or take the clocks; anything else says nothing about zones.
pub(super) fn zone_gap(zone: Tz, creation: NaiveDateTime, answered_at: DateTime<Utc>) -> Option<(i64, i64)> {
    const STEP: i64 = 15;
    const TOLERANCE: TimeDelta = TimeDelta::minutes(5);
    let ahead = creation.signed_duration_since(answered_at.naive_utc());
    // Half a step up, then down: the nearest one.
    let nearest = ahead.num_seconds().saturating_add(STEP.saturating_mul(30)).div_euclid(STEP.saturating_mul(60));
    let found = nearest.saturating_mul(STEP);
    let configured = zone.offset_from_utc_datetime(&answered_at.naive_utc()).fix().local_minus_utc();
    let configured = i64::from(configured).div_euclid(60);
    let rest = ahead.checked_sub(&TimeDelta::try_minutes(found)?)?;
    (rest.abs() <= TOLERANCE && found != configured).then_some((found, configured))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(zone: Tz, creation: &str, answered_at: &str) -> Option<(i64, i64)> {
        let creation = NaiveDateTime::parse_from_str(creation, "%Y-%m-%d %H:%M:%S%.f").unwrap();
        zone_gap(zone, creation, answered_at.parse().unwrap())
    }

    #[test]
    fn zones_are_told_apart_by_the_time_of_storing() {
        let dhaka = Tz::Asia__Dhaka;
        assert_eq!(gap(dhaka, "2026-11-22 10:46:48.603909", "2026-11-22T04:46:48Z"), None);
        assert_eq!(gap(dhaka, "2026-11-22 10:46:48.6", "2026-11-22T05:16:49Z"), Some((330, 360)));
        assert_eq!(gap(dhaka, "2026-11-22 00:46:48.6", "2026-11-22T05:46:47Z"), Some((-300, 360)));
        // A clock that is 7 minutes off proves nothing.
        assert_eq!(gap(dhaka, "2026-11-22 10:46:48", "2026-11-22T04:39:48Z"), None);
    }
}
