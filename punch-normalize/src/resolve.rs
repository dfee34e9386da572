use chrono::{DateTime, FixedOffset, MappedLocalTime, NaiveDateTime, Offset as _, TimeZone as _, Utc};
use chrono_tz::{GapInfo, Tz};

use crate::{DeviceZone, TimeQuality};

/// What else is known about a row whose hour happened twice.
///
/// ```
/// use punch_normalize::Hint;
///
/// let hint = Hint::after("2026-10-25T00:10:00Z".parse()?);
/// assert!(hint.received_live.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Hint {
    /// The instant of the row before it in the same terminal's upload. Looked at first.
    pub previous: Option<DateTime<Utc>>,
    /// When the row arrived, if it was sent at the moment of the punch.
    pub received_live: Option<DateTime<Utc>>,
}

impl Hint {
    /// The row follows one that happened at `previous`.
    #[must_use]
    pub fn after(previous: DateTime<Utc>) -> Self {
        Self { previous: Some(previous), received_live: None }
    }

    /// The row was sent as it happened and arrived at `received_at`.
    #[must_use]
    pub fn live(received_at: DateTime<Utc>) -> Self {
        Self { previous: None, received_live: Some(received_at) }
    }
}

/// The instant behind a civil time, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolved {
    /// The instant, in UTC.
    pub instant: DateTime<Utc>,
    /// The same instant with the offset the site had at it.
    pub local: DateTime<FixedOffset>,
    /// Never [`TimeQuality::Suspect`]: that needs a time of receipt, see [`Normalizer`](crate::Normalizer).
    pub quality: TimeQuality,
}

impl DeviceZone {
    /// Finds the instant at which this zone's clocks showed `local`. There is always an answer.
    ///
    /// * The hour happened once: that instant.
    /// * Twice: the earliest not before [`Hint::previous`]; else the one closest to [`Hint::received_live`], if that is
    ///   no further from it than the two are apart; else the first, as a guess.
    /// * Never: the instant under the offset before the gap.
    ///
    /// ```
    /// use punch_normalize::{DeviceZone, Hint, TimeQuality};
    /// use punch_protocol::civil;
    ///
    /// let madrid = DeviceZone::parse("Europe/Madrid")?;
    /// let twice = civil::parse(b"2026-10-25 02:30:00")?;
    ///
    /// let guess = madrid.resolve(twice, Hint::default());
    /// assert_eq!(guess.local.to_rfc3339(), "2026-10-25T02:30:00+02:00");
    /// assert_eq!(guess.quality, TimeQuality::FoldGuess);
    ///
    /// let live = madrid.resolve(twice, Hint::live("2026-10-25T01:30:02Z".parse()?));
    /// assert_eq!(live.local.to_rfc3339(), "2026-10-25T02:30:00+01:00");
    /// assert_eq!(live.quality, TimeQuality::FoldLive);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn resolve(&self, local: NaiveDateTime, hint: Hint) -> Resolved {
        let (instant, quality) = match self {
            Self::Iana(zone) => resolve_place(*zone, local, hint),
            Self::Fixed(offset) => (shift(local, *offset), TimeQuality::Exact),
            Self::Utc => (local.and_utc(), TimeQuality::Exact),
        };
        Resolved { instant, local: instant.with_timezone(&self.offset_at(instant)), quality }
    }
}

impl DeviceZone {
    /// An instant, of firmware that tells instants, with what this zone's clocks showed at it.
    #[must_use]
    pub fn at(&self, instant: DateTime<Utc>) -> Resolved {
        Resolved { instant, local: instant.with_timezone(&self.offset_at(instant)), quality: TimeQuality::Exact }
    }
}

fn resolve_place(zone: Tz, local: NaiveDateTime, hint: Hint) -> (DateTime<Utc>, TimeQuality) {
    match zone.offset_from_local_datetime(&local) {
        MappedLocalTime::Single(offset) => (shift(local, offset.fix()), TimeQuality::Exact),
        MappedLocalTime::Ambiguous(first, second) => {
            choose(shift(local, first.fix()), shift(local, second.fix()), hint)
        }
        MappedLocalTime::None => (shift(local, offset_before_gap(zone, local)), TimeQuality::Gap),
    }
}

fn choose(first: DateTime<Utc>, second: DateTime<Utc>, hint: Hint) -> (DateTime<Utc>, TimeQuality) {
    // A previous row after both candidates is out of order and proves nothing about this one.
    if let Some(previous) = hint.previous.filter(|previous| *previous <= second) {
        return (if previous <= first { first } else { second }, TimeQuality::FoldOrder);
    }
    if let Some(received) = hint.received_live {
        let distance = |candidate: DateTime<Utc>| received.signed_duration_since(candidate).abs();
        let closest = if distance(second) < distance(first) { second } else { first };
        // A receipt further away says that the row waited, or that the clock is off by more than the hours differ.
        if distance(closest) <= second.signed_duration_since(first) {
            return (closest, TimeQuality::FoldLive);
        }
    }
    (first, TimeQuality::FoldGuess)
}

fn offset_before_gap(zone: Tz, local: NaiveDateTime) -> FixedOffset {
    match GapInfo::new(&local, &zone).and_then(|gap| gap.begin) {
        Some((_, before)) => before.fix(),
        None => zone.offset_from_utc_datetime(&local).fix(),
    }
}

/// Civil time minus offset. Within a day of the calendar's ends (the years ±262,000) the offset is dropped.
fn shift(local: NaiveDateTime, offset: FixedOffset) -> DateTime<Utc> {
    local.checked_sub_offset(offset).unwrap_or(local).and_utc()
}
