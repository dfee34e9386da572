use std::time::Duration;

use chrono::TimeDelta;

/// How long nothing is asked of a server after it has failed: twice as long after each further failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// After the first failure. Default 30 s.
    pub first: Duration,
    /// At most. Default 10 min.
    pub longest: Duration,
}

impl Default for Pause {
    fn default() -> Self {
        Self { first: Duration::from_secs(30), longest: Duration::from_secs(600) }
    }
}

impl Pause {
    /// After so many failures in a row, unless the server has asked for more.
    pub(crate) fn after(&self, failures: u32, asked: Option<TimeDelta>) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
        let asked = asked.and_then(|asked| asked.to_std().ok()).unwrap_or_default();
        doubled.min(self.longest).max(asked.min(Duration::from_secs(3600)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_and_ends_and_heeds_what_is_asked_for() {
        let pause = Pause::default();
        let seconds = |failures, asked: Option<i64>| pause.after(failures, asked.map(TimeDelta::seconds)).as_secs();
        assert_eq!([1, 2, 3, 6, 40].map(|failures| seconds(failures, None)), [30, 60, 120, 600, 600]);
        assert_eq!((seconds(1, Some(90)), seconds(9, Some(1)), seconds(1, Some(-5))), (90, 600, 30));
        assert_eq!(seconds(1, Some(86_400)), 3600, "a server that asks for a day is asked within the hour");
    }
}
