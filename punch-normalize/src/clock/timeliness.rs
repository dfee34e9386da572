use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta, Utc};

use super::policy::ClockOffset;
use crate::{DeviceZone, Hint, Resolved, Rules};

/// How far ahead of its receipt a row is. A row cannot be sent before it happens.
///
/// ```
/// use chrono::{DateTime, TimeDelta, Utc};
/// use punch_normalize::{DeviceZone, Rules, Timeliness};
///
/// let rules = Rules::new(DeviceZone::Utc);
/// let received_at: DateTime<Utc> = "2026-03-28T12:00:00Z".parse()?;
/// let check = |ahead| Timeliness::of(&rules, received_at + ahead, received_at, None);
///
/// assert_eq!(check(TimeDelta::seconds(119)), Timeliness::Plausible);
/// assert_eq!(check(TimeDelta::minutes(2)), Timeliness::Suspect);
/// assert_eq!(check(TimeDelta::hours(24)), Timeliness::Suspect);
/// assert_eq!(check(TimeDelta::hours(24) + TimeDelta::seconds(1)), Timeliness::Future);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle every answer; a new one is a breaking change")]
pub enum Timeliness {
    /// Not ahead, or by less than [`Rules::suspect_after`].
    Plausible,
    /// Ahead: the row is accepted, but its time is [suspect](crate::TimeQuality::Suspect).
    Suspect,
    /// Ahead by more than [`Rules::future_limit`], even after the clock's offset: the row is
    /// [held](crate::HoldReason::Future).
    Future,
}

impl Timeliness {
    /// Of a row whose civil time resolved to `shown`. `clock` is what is known of the terminal's clock.
    ///
    /// A known offset explains a row, so that a terminal that is two days ahead is not held row by row; it
    /// does not make the row less suspect. A row whose instant was corrected is judged by the corrected one,
    /// with `clock` as `None`.
    #[must_use]
    pub fn of(rules: &Rules, shown: DateTime<Utc>, received_at: DateTime<Utc>, clock: Option<ClockOffset>) -> Self {
        let ahead = shown.signed_duration_since(received_at);
        let offset = clock.map_or(TimeDelta::zero(), |clock| clock.offset);
        let unexplained = ahead.checked_add(&offset).unwrap_or(ahead);
        if unexplained > rules.future_limit {
            Self::Future
        } else if ahead >= rules.suspect_after {
            Self::Suspect
        } else {
            Self::Plausible
        }
    }
}

/// What is too old to be delivered without being asked for. Such a row is accepted and marked as historic.
///
/// ```
/// use chrono::TimeDelta;
/// use punch_normalize::Horizon;
///
/// let mut horizon = Horizon::default(); // nothing is too old: terminals are away for months
/// horizon.retention = Some(TimeDelta::days(365));
/// horizon.go_live = Some("2026-03-01".parse()?);
/// let received_at = "2026-03-28T12:00:00Z".parse()?;
/// assert!(horizon.is_historic("2026-02-28T23:59:59-06:00".parse()?, received_at));
/// assert!(!horizon.is_historic("2026-03-01T00:00:00-06:00".parse()?, received_at));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Horizon {
    /// How long before its receipt a row may be. Exactly this long is not historic.
    pub retention: Option<TimeDelta>,
    /// The first day, in the terminal's zone, that is delivered.
    pub go_live: Option<NaiveDate>,
}

impl Horizon {
    /// Whether a punch at `local` is historic.
    #[must_use]
    pub fn is_historic(&self, local: DateTime<FixedOffset>, received_at: DateTime<Utc>) -> bool {
        let age = received_at.signed_duration_since(local);
        self.retention.is_some_and(|retention| age > retention)
            || self.go_live.is_some_and(|go_live| local.date_naive() < go_live)
    }
}

impl DeviceZone {
    /// Dates a row of a clock that was unset, once somebody knows by how much: `shift` is true time minus
    /// terminal's clock. `None` if that leads out of the calendar. The civil time of the row stays as it is.
    ///
    /// ```
    /// use punch_normalize::DeviceZone;
    /// use punch_protocol::civil;
    ///
    /// let (shown, right) = (civil::parse(b"2000-01-01 00:00:07")?, civil::parse(b"2026-03-28 08:47:12")?);
    /// let first = civil::parse(b"2000-01-01 00:00:00")?;
    /// let zone = DeviceZone::parse("-06:00")?;
    /// let resolved = zone.reanchor(shown, right - first).ok_or("out of the calendar")?;
    /// assert_eq!(resolved.local.to_rfc3339(), "2026-03-28T08:47:19-06:00");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn reanchor(&self, device_local: NaiveDateTime, shift: TimeDelta) -> Option<Resolved> {
        Some(self.resolve(device_local.checked_add_signed(shift)?, Hint::default()))
    }
}
