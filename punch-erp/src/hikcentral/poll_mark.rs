use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How often and how far back door events are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollRules {
    /// From one reading to the next. Default 300 s where nothing is pushed.
    pub interval: TimeDelta,
    /// How far before the last reading one begins: terminals tell late. Default 15 min.
    pub overlap: TimeDelta,
    /// The longest time that is read at once, besides what overlaps. Default 24 h.
    pub slice: TimeDelta,
    /// How far back is read once a day, for doors that were offline for days. Default 7 days; 0 never.
    pub late_sweep: TimeDelta,
}

impl PollRules {
    /// The interval where nothing is pushed: 5 min.
    pub const INTERVAL: TimeDelta = TimeDelta::minutes(5);

    /// The interval as a safety net below a subscription: 30 min.
    pub const RECONCILE_INTERVAL: TimeDelta = TimeDelta::minutes(30);
}

impl Default for PollRules {
    fn default() -> Self {
        Self {
            interval: Self::INTERVAL,
            overlap: TimeDelta::minutes(15),
            slice: TimeDelta::hours(24),
            late_sweep: TimeDelta::days(7),
        }
    }
}

/// Up to when all events were read and stored. Plain data: keep it beside them, and set it back only to read again.
///
/// ```
/// use punch_erp::hikcentral::{PollMark, PollRules};
///
/// let (rules, begin) = (PollRules::default(), "2026-01-27T00:00:00Z".parse()?);
/// let mut mark = PollMark::new(begin);
/// let window = mark.window(&rules, "2026-01-29T12:00:00Z".parse()?).unwrap();
/// assert_eq!(window.to, "2026-01-28T00:00:00Z".parse::<chrono::DateTime<chrono::Utc>>()?); // a day at once
/// mark.stored(&window); // once its events are on disk
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollMark {
    /// Nothing before it is read.
    begin: DateTime<Utc>,
    /// Everything before it is stored.
    read_to: DateTime<Utc>,
    /// Up to where the current look back has come; none between two.
    sweep_from: Option<DateTime<Utc>>,
    /// When the last look back began.
    swept_at: DateTime<Utc>,
}

/// What is to be read next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollWindow {
    /// From this instant on.
    pub from: DateTime<Utc>,
    /// Up to this instant.
    pub to: DateTime<Utc>,
    /// Whether it looks back for what came late.
    pub is_sweep: bool,
    begun_at: DateTime<Utc>,
}

impl PollMark {
    /// Everything before `begin` is somebody else's, and is never read, however late it comes.
    pub fn new(begin: DateTime<Utc>) -> Self {
        Self { begin, read_to: begin, sweep_from: None, swept_at: begin }
    }

    /// Up to when everything is stored that was there to read.
    pub fn read_to(&self) -> DateTime<Utc> {
        self.read_to
    }

    /// What is to be read now; `None` before [`next_at`](Self::next_at). What is new comes before what is late.
    pub fn window(&self, rules: &PollRules, now: DateTime<Utc>) -> Option<PollWindow> {
        if now.signed_duration_since(self.read_to) >= rules.interval {
            let from = self.before(self.read_to, rules.overlap);
            return Some(PollWindow { from, to: end(self.read_to, rules.slice, now), is_sweep: false, begun_at: now });
        }
        let is_due =
            rules.late_sweep > TimeDelta::zero() && now.signed_duration_since(self.swept_at) >= TimeDelta::days(1);
        let from = self.sweep_from.or_else(|| is_due.then(|| self.before(now, rules.late_sweep)))?;
        Some(PollWindow { from, to: end(from, rules.slice, self.read_to), is_sweep: true, begun_at: now })
    }

    /// When the next window is due, if none is now.
    pub fn next_at(&self, rules: &PollRules) -> DateTime<Utc> {
        self.read_to.checked_add_signed(rules.interval).unwrap_or(self.read_to)
    }

    fn before(&self, at: DateTime<Utc>, time: TimeDelta) -> DateTime<Utc> {
        at.checked_sub_signed(time).unwrap_or(at).max(self.begin)
    }

    /// All events of the window are on disk.
    pub fn stored(&mut self, window: &PollWindow) {
        if !window.is_sweep {
            self.read_to = self.read_to.max(window.to);
            return;
        }
        let is_over = window.to >= self.read_to || window.to <= window.from;
        if self.sweep_from.is_none() {
            self.swept_at = window.begun_at;
        }
        self.sweep_from = (!is_over).then_some(window.to);
    }
}

/// Never longer than `slice` from `from`, and never behind `last`.
fn end(from: DateTime<Utc>, slice: TimeDelta, last: DateTime<Utc>) -> DateTime<Utc> {
    from.checked_add_signed(slice).unwrap_or(last).min(last)
}
