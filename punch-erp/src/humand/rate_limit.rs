use chrono::TimeDelta;
use http::HeaderMap;
use punch_webhook::MAX_RETRY_AFTER;

use crate::HttpResponse;
use crate::answer::retry_after;

/// What the headers `RateLimit-Policy` (`50;w=60`) and `RateLimit` (`limit=50, remaining=45, reset=30`) say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// How many requests a window has.
    pub limit: Option<u32>,
    /// How long a window is, in seconds.
    pub window_s: Option<u32>,
    /// How many requests are left of it.
    pub remaining: Option<u32>,
    /// When the next one begins, in seconds.
    pub reset_s: Option<u32>,
}

impl RateLimit {
    /// Reads the headers; what is not there or not a number is `None`.
    pub fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (policy, limit) = (text("ratelimit-policy"), text("ratelimit"));
        let policy_limit = policy.split(';').next().and_then(|count| count.trim().parse().ok());
        Self {
            limit: number(limit, ',', "limit").or(policy_limit),
            window_s: number(policy, ';', "w"),
            remaining: number(limit, ',', "remaining"),
            reset_s: number(limit, ',', "reset"),
        }
    }

    /// How long a 429 asks to wait: `Retry-After`, else the next window, else a minute.
    pub(super) fn wait(response: &HttpResponse) -> TimeDelta {
        let reset = || Self::of(response.headers()).reset_s.map(|seconds| TimeDelta::seconds(seconds.into()));
        let wait = retry_after(response).or_else(reset).unwrap_or(TimeDelta::seconds(60));
        wait.min(MAX_RETRY_AFTER)
    }
}

/// The value of `name=value` in a list.
fn number(list: &str, separator: char, name: &str) -> Option<u32> {
    let value = |part: &str| {
        let (found, value) = part.split_once('=')?;
        (found.trim() == name).then(|| value.trim().parse().ok())?
    };
    list.split(separator).find_map(value)
}
