use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

/// How often the API may be called with one key. What terminals send is never counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// Calls a day of UTC for each approved terminal; without any, as for one. Default 1,000.
    pub per_device_and_day: u64,
    /// Calls within one minute. Default 600.
    pub per_minute: u64,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self { per_device_and_day: 1000, per_minute: 600 }
    }
}

/// The calls of the keys, today and in this minute.
#[derive(Debug, Default)]
pub struct Quota {
    limits: CallLimits,
    counts: BTreeMap<i64, Count>,
    unwritten: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    day: i64,
    calls: u64,
    minute: i64,
    in_minute: u64,
}

/// How a key stands with its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Calls it has a day.
    pub limit: u64,
    /// Calls that are left today.
    pub remaining: u64,
    /// When the next day begins, in seconds since 1970.
    pub reset: i64,
    /// After how many seconds a call that was one too many may be made, if this was one.
    pub retry_after: Option<i64>,
}

const DAY: i64 = 86_400;
const MINUTE: i64 = 60;

impl Quota {
    /// Nothing is counted yet.
    pub fn new(limits: CallLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes over what an earlier life has counted: the key, the day since 1970, the calls.
    pub fn restore(&mut self, key: i64, day: i64, calls: u64) {
        self.counts.insert(key, Count { day, calls, ..Count::default() });
    }

    /// Counts a call with a key, unless it is one too many.
    pub fn call(&mut self, key: i64, devices: usize, now: DateTime<Utc>) -> Allowance {
        let (limit, per_minute) = (self.limit(devices), self.limits.per_minute);
        let (day, minute) = (now.timestamp().div_euclid(DAY), now.timestamp().div_euclid(MINUTE));
        let count = self.counts.entry(key).or_default();
        if count.day != day {
            *count = Count { day, ..Count::default() };
        }
        if count.minute != minute {
            (count.minute, count.in_minute) = (minute, 0);
        }
        let retry_after = if count.calls >= limit {
            Some(until(now, DAY))
        } else if count.in_minute >= per_minute {
            Some(until(now, MINUTE))
        } else {
            (count.calls, count.in_minute) = (count.calls.saturating_add(1), count.in_minute.saturating_add(1));
            self.unwritten = true;
            None
        };
        Allowance { retry_after, ..self.stand(Some(key), devices, now) }
    }

    /// How a key stands, without counting anything; without a key, how one stands that has made no call.
    pub fn stand(&self, key: Option<i64>, devices: usize, now: DateTime<Utc>) -> Allowance {
        let day = now.timestamp().div_euclid(DAY);
        let count = key.and_then(|key| self.counts.get(&key)).filter(|count| count.day == day);
        let (limit, calls) = (self.limit(devices), count.map_or(0, |count| count.calls));
        let reset = day.saturating_add(1).saturating_mul(DAY);
        Allowance { limit, remaining: limit.saturating_sub(calls), reset, retry_after: None }
    }

    /// What has to be written down, if it has changed since it was asked for: keys, days and calls.
    pub fn unwritten(&mut self) -> Vec<(i64, i64, u64)> {
        if !core::mem::take(&mut self.unwritten) {
            return Vec::new();
        }
        self.counts.iter().map(|(key, count)| (*key, count.day, count.calls)).collect()
    }

    fn limit(&self, devices: usize) -> u64 {
        let devices = u64::try_from(devices.max(1)).unwrap_or(u64::MAX);
        self.limits.per_device_and_day.saturating_mul(devices)
    }
}

/// Seconds until the next span begins, rounded up.
fn until(now: DateTime<Utc>, span: i64) -> i64 {
    let next = now.timestamp().div_euclid(span).saturating_add(1).saturating_mul(span);
    let next = DateTime::from_timestamp(next, 0).unwrap_or(now);
    let left = next.signed_duration_since(now);
    let whole = left.num_seconds();
    if left > TimeDelta::seconds(whole) { whole.saturating_add(1) } else { whole }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::{Allowance, CallLimits, Quota};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// S2-055, S2-057, S2-059: the day of UTC, a thousand for each terminal, and the seconds that are left, rounded up.
    #[test]
    fn a_day_has_a_thousand_calls_for_each_terminal() {
        let mut quota = Quota::new(CallLimits { per_minute: u64::MAX, ..CallLimits::default() });
        let noon = at("2024-03-27T12:00:00.250Z");
        let first = quota.call(1, 2, noon);
        let reset = 1_711_584_000;
        assert_eq!(first, Allowance { limit: 2000, remaining: 1999, reset, retry_after: None });
        for _ in 1..2000 {
            quota.call(1, 2, noon);
        }
        let refused = quota.call(1, 2, noon);
        assert_eq!(refused, Allowance { limit: 2000, remaining: 0, reset, retry_after: Some(43_200) });
        assert_eq!(quota.call(2, 2, noon).remaining, 1999, "another key has its own");
        assert_eq!(quota.call(1, 3, noon).remaining, 999, "another terminal brings its own");
        assert_eq!(quota.call(1, 0, at("2024-03-28T00:00:00Z")).remaining, 999, "a new day");
    }

    #[test]
    fn a_minute_has_an_end_too() {
        let mut quota = Quota::new(CallLimits { per_minute: 2, ..CallLimits::default() });
        let now = at("2024-03-27T12:00:59.001Z");
        let answers = [(); 3].map(|()| quota.call(1, 1, now).retry_after);
        assert_eq!(answers, [None, None, Some(1)]);
        assert_eq!(quota.call(1, 1, at("2024-03-27T12:01:00Z")).remaining, 997, "what was refused is not counted");
    }

    #[test]
    fn what_was_counted_is_counted_in_another_life() {
        let now = at("2024-03-27T12:00:00Z");
        let mut quota = Quota::new(CallLimits::default());
        quota.call(7, 1, now);
        let counted = quota.unwritten();
        assert_eq!((counted.len(), quota.unwritten().len()), (1, 0), "once");
        let mut next = Quota::new(CallLimits::default());
        counted.into_iter().for_each(|(key, day, calls)| next.restore(key, day, calls));
        assert_eq!(next.stand(Some(7), 1, now).remaining, 999);
        assert_eq!(next.stand(Some(8), 1, now).remaining, 1000);
    }
}
