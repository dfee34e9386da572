use chrono::TimeDelta;

use crate::timeline::TimelineRules;
use crate::{ClockPolicy, DeviceZone, Horizon};

/// How one terminal's rows are judged. Every field may be changed after [`Rules::new`].
///
/// ```
/// use chrono::TimeDelta;
/// use punch_normalize::{DeviceZone, Rules};
///
/// let mut rules = Rules::new(DeviceZone::parse("Europe/Madrid")?);
/// assert_eq!(rules.timeline.bounce.window, TimeDelta::seconds(60));
/// rules.timeline.bounce.window = TimeDelta::zero(); // every row that is not a replay is a punch of its own
/// # Ok::<(), punch_normalize::ZoneError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rules {
    /// What the terminal's clock shows.
    pub zone: DeviceZone,
    /// A punch this far or further ahead of its receipt is [`Suspect`](crate::TimeQuality::Suspect).
    /// Default [`Rules::SUSPECT_AFTER`].
    pub suspect_after: TimeDelta,
    /// A punch further ahead of its receipt than this is held as
    /// [`Future`](crate::HoldReason::Future). Default [`Rules::FUTURE_LIMIT`].
    pub future_limit: TimeDelta,
    /// What is done with rows of a clock that is known to be wrong. Default: nothing is altered.
    pub clock: ClockPolicy,
    /// What is too old to be delivered without being asked for. Default: nothing.
    pub horizon: Horizon,
    /// What the punches of a person mean together: which are one, and which way each went. Terminals that the same
    /// people use need the same.
    pub timeline: TimelineRules,
}

impl Rules {
    /// The default of [`Rules::suspect_after`]: 2 minutes.
    pub const SUSPECT_AFTER: TimeDelta = TimeDelta::minutes(2);

    /// The default of [`Rules::future_limit`]: 24 hours.
    pub const FUTURE_LIMIT: TimeDelta = TimeDelta::hours(24);

    /// The defaults, for a terminal in `zone`.
    pub fn new(zone: DeviceZone) -> Self {
        Self {
            zone,
            suspect_after: Self::SUSPECT_AFTER,
            future_limit: Self::FUTURE_LIMIT,
            clock: ClockPolicy::default(),
            horizon: Horizon::default(),
            timeline: TimelineRules::default(),
        }
    }
}
