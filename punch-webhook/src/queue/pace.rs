use core::num::NonZeroU32;

use chrono::{DateTime, TimeDelta, Utc};

use super::EndpointRules;
use crate::schedule::later;

/// How fast an endpoint is sent to. Not durable: after a restart it begins anew.
#[derive(Debug, Default)]
pub(super) struct Pace {
    requests: Bucket,
    events: Bucket,
}

/// Until when what went out has used up the rate. It may be ahead of the clock by a tenth of a second's worth.
#[derive(Debug, Default)]
struct Bucket {
    used_until: Option<DateTime<Utc>>,
}

impl Pace {
    /// When the next request may go out. `None` is at once. One of several waits until several may go.
    pub(super) fn next_at(&self, rules: &EndpointRules) -> Option<DateTime<Utc>> {
        let requests = rules.max_requests_per_second.and_then(|rate| self.requests.next_at(rate, 1));
        let events = rules.max_events_per_second.and_then(|rate| self.events.next_at(rate, rules.max_batch));
        requests.max(events)
    }

    /// How many deliveries a request may have that goes out now; at least 1 if it may go out at all.
    pub(super) fn room(&self, rules: &EndpointRules, now: DateTime<Utc>) -> usize {
        rules.max_events_per_second.map_or(usize::MAX, |rate| self.events.room(rate, now))
    }

    pub(super) fn spend(&mut self, rules: &EndpointRules, events: usize, now: DateTime<Utc>) {
        if let Some(rate) = rules.max_requests_per_second {
            self.requests.spend(rate, 1, now);
        }
        if let Some(rate) = rules.max_events_per_second {
            self.events.spend(rate, events, now);
        }
    }

    /// A delivery did not go out with its request.
    pub(super) fn refund(&mut self, rules: &EndpointRules) {
        if let (Some(rate), Some(until)) = (rules.max_events_per_second, self.events.used_until) {
            self.events.used_until = until.checked_sub_signed(interval(rate));
        }
    }
}

impl Bucket {
    /// When so many may go out, or as many as may ever go out at once.
    fn next_at(&self, rate: NonZeroU32, count: usize) -> Option<DateTime<Utc>> {
        let ahead = times(interval(rate), at_once(rate).saturating_sub(count.max(1)));
        self.used_until.map(|until| until.checked_sub_signed(ahead).unwrap_or(until))
    }

    fn room(&self, rate: NonZeroU32, now: DateTime<Utc>) -> usize {
        let most = at_once(rate);
        let Some(next_at) = self.next_at(rate, 1) else { return most };
        let waited = now.signed_duration_since(next_at).num_nanoseconds().unwrap_or(i64::MAX);
        let step = interval(rate).num_nanoseconds().unwrap_or(i64::MAX);
        let whole = waited.checked_div_euclid(step).and_then(|count| usize::try_from(count).ok());
        whole.map_or(0, |count| count.saturating_add(1).min(most))
    }

    fn spend(&mut self, rate: NonZeroU32, count: usize, now: DateTime<Utc>) {
        let from = self.used_until.map_or(now, |until| until.max(now));
        self.used_until = Some(later(from, times(interval(rate), count)));
    }
}

/// How much may go out at once after a pause: a tenth of a second's worth.
fn at_once(rate: NonZeroU32) -> usize {
    usize::try_from(rate.get() / 10).unwrap_or(usize::MAX).max(1)
}

fn interval(rate: NonZeroU32) -> TimeDelta {
    // Rounded up: never a little more than the rate.
    TimeDelta::nanoseconds(i64::from(1_000_000_000_u32.div_ceil(rate.get())))
}

fn times(delta: TimeDelta, count: usize) -> TimeDelta {
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    delta.checked_mul(count).unwrap_or(TimeDelta::MAX)
}
