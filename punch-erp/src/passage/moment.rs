use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDateTime};
use punch_normalize::{DeviceZone, Hint};

/// A time as an access system wrote it.
pub(crate) struct Moment {
    pub(crate) at: DateTime<FixedOffset>,
    /// The text had no offset, so the configured zone applies.
    pub(crate) is_zone_assumed: bool,
}

/// ISO 8601 with an offset, with or without a fraction; without an offset it is a time of `zone`. `None` of what is no time,
/// has no offset where no zone is known, or shows a clock that was never set.
pub(crate) fn read_moment(text: &str, zone: Option<DeviceZone>) -> Option<Moment> {
    let text = text.trim();
    let moment = if let Some(at) = with_offset(text) {
        Moment { at, is_zone_assumed: false }
    } else {
        let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
        let local = local.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
        Moment { at: zone?.resolve(local, Hint::default()).local, is_zone_assumed: true }
    };
    (moment.at.year() >= 2000).then_some(moment)
}

fn with_offset(text: &str) -> Option<DateTime<FixedOffset>> {
    let basic = || DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z").ok();
    DateTime::parse_from_rfc3339(text).ok().or_else(basic)
}
