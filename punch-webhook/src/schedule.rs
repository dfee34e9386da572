use alloc::borrow::{Cow, ToOwned as _};
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{Class, Reason};

/// When a failed attempt is repeated: a delay after each attempt, and an end.
///
/// Jitter is ±10 % and a function of the delivery's key, so the same delivery always waits the same time and a
/// thousand deliveries do not come back in the same second.
///
/// ```
/// use chrono::{DateTime, TimeDelta};
/// use punch_webhook::{Class, Disposition, Schedule};
///
/// let created_at = DateTime::UNIX_EPOCH;
/// let schedule = Schedule::seed_002().without_jitter();
/// let again = schedule.decide(1, &Class::Retry { after: None }, created_at, 7, created_at);
/// assert_eq!(again, Disposition::RetryAt(created_at + TimeDelta::minutes(1)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    name: Cow<'static, str>,
    delays: Vec<TimeDelta>,
    horizon: TimeDelta,
    final_attempt: bool,
    jitter: bool,
}

/// What happens to a delivery after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disposition {
    /// Done.
    Delivered,
    /// Tried again, not before this instant.
    RetryAt(DateTime<Utc>),
    /// Given up: visible, notified, replayable.
    Failed {
        /// Why.
        reason: Reason,
    },
    /// The endpoint is disabled; the delivery is kept until it is enabled.
    DisableEndpoint,
    /// Kept without a time, because the endpoint is paused or disabled.
    Kept,
}

impl Schedule {
    /// How far a delay strays to either side, in percent.
    pub const JITTER_PERCENT: u8 = 10;
    /// How many retries a [`Class::RetryLimited`] gets.
    pub const LIMITED_RETRIES: u32 = 3;
    /// The most delays a custom schedule may list.
    pub const MAX_DELAYS: usize = 64;
    /// The shortest delay of a custom schedule.
    pub const MIN_DELAY: TimeDelta = TimeDelta::seconds(1);
    /// The longest horizon of a custom schedule.
    pub const MAX_HORIZON: TimeDelta = TimeDelta::days(30);
    /// The horizon of the named schedules.
    pub const SEED_HORIZON: TimeDelta = TimeDelta::hours(72);

    /// `seed-002`, the default: 1 min, 5 min, 30 min, 2 h and 12 h after the previous attempt, the last at 72 h.
    pub fn seed_002() -> Self {
        let delays = [1, 5, 30, 120, 720].map(TimeDelta::minutes).to_vec();
        Self { name: "seed-002".into(), delays, horizon: Self::SEED_HORIZON, final_attempt: true, jitter: true }
    }

    /// `seed-001`: 1 min, 5 min, 15 min, 1 h, then every 4 h; 22 attempts, none after 72 h.
    pub fn seed_001() -> Self {
        const REPEATED: usize = 17;
        let first = [1, 5, 15, 60].map(TimeDelta::minutes);
        let delays = first.into_iter().chain(core::iter::repeat_n(TimeDelta::hours(4), REPEATED)).collect();
        Self { name: "seed-001".into(), delays, horizon: Self::SEED_HORIZON, final_attempt: false, jitter: true }
    }

    /// A schedule by its name.
    ///
    /// # Errors
    ///
    /// [`ScheduleError::UnknownName`].
    pub fn named(name: &str) -> Result<Self, ScheduleError> {
        match name {
            "seed-001" => Ok(Self::seed_001()),
            "seed-002" => Ok(Self::seed_002()),
            _ => Err(ScheduleError::UnknownName { found: name.to_owned() }),
        }
    }

    /// Delays after the previous attempt (1 to 64, each at least 1 s), then a last attempt at `horizon` (at most 30 days)
    /// after the first.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] if a number is out of range or a listed attempt would fall after the horizon.
    pub fn custom(delays: &[TimeDelta], horizon: TimeDelta) -> Result<Self, ScheduleError> {
        if horizon < Self::MIN_DELAY || horizon > Self::MAX_HORIZON {
            return Err(ScheduleError::Horizon { found: horizon });
        }
        if delays.is_empty() || delays.len() > Self::MAX_DELAYS {
            return Err(ScheduleError::Count { found: delays.len() });
        }
        let mut offset = TimeDelta::zero();
        for (index, &delay) in delays.iter().enumerate() {
            if delay < Self::MIN_DELAY {
                return Err(ScheduleError::TooShort { index, found: delay });
            }
            offset = offset.checked_add(&delay).unwrap_or(TimeDelta::MAX);
            if offset > horizon {
                return Err(ScheduleError::AfterHorizon { index, horizon });
            }
        }
        Ok(Self { name: "custom".into(), delays: delays.to_vec(), horizon, final_attempt: true, jitter: true })
    }

    /// The same schedule to the second, for tests and for a single endpoint that wants it so.
    #[must_use]
    pub fn without_jitter(self) -> Self {
        Self { jitter: false, ..self }
    }

    /// `seed-001`, `seed-002` or `custom`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The delays after the previous attempt, without jitter.
    pub fn delays(&self) -> &[TimeDelta] {
        &self.delays
    }

    /// How long after `created_at` the last attempt may be.
    pub fn horizon(&self) -> TimeDelta {
        self.horizon
    }

    /// The instant after which nothing is tried.
    pub fn deadline(&self, created_at: DateTime<Utc>) -> DateTime<Utc> {
        later(created_at, self.horizon)
    }

    /// Decides what follows attempt `attempt` (from 1), answered at `now`, of a delivery first due at `created_at`.
    ///
    /// A wait asked for by the receiver is honoured between the slot's delay and twice that, and never beyond the
    /// horizon. `delivery_key` feeds the jitter.
    pub fn decide(
        &self,
        attempt: u32,
        class: &Class,
        created_at: DateTime<Utc>,
        delivery_key: u64,
        now: DateTime<Utc>,
    ) -> Disposition {
        let slot = attempt.saturating_sub(1);
        let (after, reason, slot_open) = match class {
            Class::Delivered => return Disposition::Delivered,
            Class::Permanent { reason } => return Disposition::Failed { reason: reason.clone() },
            Class::Gone => return Disposition::DisableEndpoint,
            Class::Retry { after } => (*after, &Reason::Exhausted, true),
            Class::RetryLimited { reason } => (None, reason, slot < Self::LIMITED_RETRIES),
        };
        let next = slot_open.then(|| self.next_attempt_at(slot, after, created_at, delivery_key, now)).flatten();
        next.map_or_else(|| Disposition::Failed { reason: reason.clone() }, Disposition::RetryAt)
    }

    fn next_attempt_at(
        &self,
        slot: u32,
        after: Option<TimeDelta>,
        created_at: DateTime<Utc>,
        delivery_key: u64,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let deadline = self.deadline(created_at);
        if now >= deadline {
            return None;
        }
        let index = usize::try_from(slot).unwrap_or(usize::MAX);
        let Some(&delay) = self.delays.get(index) else {
            return self.final_attempt.then_some(deadline);
        };
        // The last attempt is the promise itself: it neither comes early nor late.
        let is_last = !self.final_attempt && self.delays.len() == index.saturating_add(1);
        let wait = if is_last { delay } else { self.jittered(delay, delivery_key, slot) };
        let most = delay.checked_mul(2).unwrap_or(TimeDelta::MAX);
        Some(later(now, after.map_or(wait, |after| wait.max(after.min(most)))).min(deadline))
    }

    /// The wait before probe `index` (from 0) of an endpoint: the listed delays, the last one repeated.
    pub(crate) fn probe_delay(&self, index: u32, key: u64) -> TimeDelta {
        let listed = self.delays.get(usize::try_from(index).unwrap_or(usize::MAX)).or(self.delays.last());
        self.jittered(listed.copied().unwrap_or(Self::MIN_DELAY), key, index)
    }

    fn jittered(&self, delay: TimeDelta, key: u64, slot: u32) -> TimeDelta {
        let spread = delay.num_milliseconds().saturating_mul(Self::JITTER_PERCENT.into()).checked_div(100).unwrap_or(0);
        let steps = spread.saturating_mul(2).saturating_add(1);
        if !self.jitter {
            return delay;
        }
        let hash = i64::try_from(mix(key ^ mix(slot.into())) >> 1).unwrap_or(0);
        let stray = hash.checked_rem_euclid(steps).unwrap_or(0).saturating_sub(spread);
        delay.checked_add(&TimeDelta::milliseconds(stray)).unwrap_or(delay)
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Self::seed_002()
    }
}

/// The numbers are not a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// No schedule has this name.
    #[error("PW-SCH-001: no schedule is called `{found}`, expected `seed-001`, `seed-002` or a list of delays")]
    UnknownName {
        /// The name given.
        found: String,
    },
    /// Too few or too many delays.
    #[error("PW-SCH-002: schedule has {found} delays, expected 1 to {}", Schedule::MAX_DELAYS)]
    Count {
        /// How many were given.
        found: usize,
    },
    /// A delay under the minimum.
    #[error("PW-SCH-003: schedule delay {index} is {}, expected at least {}", found, Schedule::MIN_DELAY)]
    TooShort {
        /// Its place in the list, from 0.
        index: usize,
        /// The delay given.
        found: TimeDelta,
    },
    /// An attempt that could never happen.
    #[error("PW-SCH-004: schedule delay {index} ends after the horizon of {horizon}; shorten the list")]
    AfterHorizon {
        /// The delay's place in the list, from 0.
        index: usize,
        /// The horizon given.
        horizon: TimeDelta,
    },
    /// A horizon out of range.
    #[error("PW-SCH-005: schedule horizon is {found}, expected {} to {}", Schedule::MIN_DELAY, Schedule::MAX_HORIZON)]
    Horizon {
        /// The horizon given.
        found: TimeDelta,
    },
}

impl ScheduleError {
    /// The stable code the text begins with; [`errors`](crate::errors) has its paragraph.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownName { .. } => "PW-SCH-001",
            Self::Count { .. } => "PW-SCH-002",
            Self::TooShort { .. } => "PW-SCH-003",
            Self::AfterHorizon { .. } => "PW-SCH-004",
            Self::Horizon { .. } => "PW-SCH-005",
        }
    }
}

/// `at` plus `delta`, or the end of time.
pub(crate) fn later(at: DateTime<Utc>, delta: TimeDelta) -> DateTime<Utc> {
    at.checked_add_signed(delta).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// SplitMix64: neighbouring ids get unrelated numbers.
fn mix(key: u64) -> u64 {
    let key = key.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ (key >> 31)
}
