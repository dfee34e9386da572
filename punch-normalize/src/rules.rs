use chrono::TimeDelta;

use crate::DeviceZone;

/// How one terminal's rows are judged. Every field may be changed after [`Rules::new`].
///
/// ```
/// use chrono::TimeDelta;
/// use punch_normalize::{DeviceZone, Rules};
///
/// let mut rules = Rules::new(DeviceZone::parse("Europe/Madrid")?);
/// assert_eq!(rules.window, TimeDelta::seconds(60));
/// rules.window = TimeDelta::zero(); // every row that is not a replay is a punch of its own
/// # Ok::<(), punch_normalize::ZoneError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rules {
    /// What the terminal's clock shows.
    pub zone: DeviceZone,
    /// A second punch of the same person at the same terminal closer than this is a bounce; exactly this far
    /// apart are two punches. Zero or less switches it off. Default [`Rules::WINDOW`].
    pub window: TimeDelta,
    /// A punch this far or further ahead of its receipt is [`Suspect`](crate::TimeQuality::Suspect).
    /// Default [`Rules::SUSPECT_AFTER`].
    pub suspect_after: TimeDelta,
    /// A punch further ahead of its receipt than this is held as
    /// [`Future`](crate::HoldReason::Future). Default [`Rules::FUTURE_LIMIT`].
    pub future_limit: TimeDelta,
}

impl Rules {
    /// The default of [`Rules::window`]: 60 seconds.
    pub const WINDOW: TimeDelta = TimeDelta::seconds(60);

    /// The default of [`Rules::suspect_after`]: 2 minutes.
    pub const SUSPECT_AFTER: TimeDelta = TimeDelta::minutes(2);

    /// The default of [`Rules::future_limit`]: 24 hours.
    pub const FUTURE_LIMIT: TimeDelta = TimeDelta::hours(24);

    /// The defaults, for a terminal in `zone`.
    pub fn new(zone: DeviceZone) -> Self {
        Self { zone, window: Self::WINDOW, suspect_after: Self::SUSPECT_AFTER, future_limit: Self::FUTURE_LIMIT }
    }
}
