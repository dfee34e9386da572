use chrono::{DateTime, TimeDelta, Utc};
use punch_protocol::civil;

use crate::{Resolved, TimeQuality};

/// How one upload reached us: whether its receipt dates its newest row.
///
/// ```
/// use chrono::TimeDelta;
/// use punch_normalize::Arrival;
///
/// // A terminal that asks every 10 seconds and was heard of 12 seconds ago sends one row.
/// let mut arrival = Arrival::new(1, Some(TimeDelta::seconds(12)), TimeDelta::seconds(10));
/// assert!(arrival.is_live());
///
/// // It had been away: what it sends now may be old.
/// arrival.silence = Some(TimeDelta::minutes(5));
/// assert!(!arrival.is_live());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arrival {
    /// How many attendance rows the upload has.
    pub rows: usize,
    /// Whether the row asked about is the newest of the upload. The others waited for it.
    pub newest: bool,
    /// How long before the upload the terminal was last heard of. `None` if never.
    pub silence: Option<TimeDelta>,
    /// The terminal's `Delay`: how often it asks.
    pub delay: TimeDelta,
    /// Whether the terminal still had earlier rows to send, or has.
    pub earlier_pending: bool,
}

impl Arrival {
    /// The largest upload that counts as live: 3 rows.
    pub const MAX_LIVE_ROWS: usize = 3;

    /// The newest row of an upload, with nothing pending before it.
    #[must_use]
    pub fn new(rows: usize, silence: Option<TimeDelta>, delay: TimeDelta) -> Self {
        Self { rows, newest: true, silence, delay, earlier_pending: false }
    }

    /// Whether the row was sent as it happened: at most [`MAX_LIVE_ROWS`](Self::MAX_LIVE_ROWS) rows, from a
    /// terminal that was heard of within twice its `Delay`, the newest one, and nothing earlier pending.
    #[must_use]
    pub fn is_live(&self) -> bool {
        let limit = self.delay.checked_mul(2).unwrap_or(TimeDelta::MAX);
        (1..=Self::MAX_LIVE_ROWS).contains(&self.rows)
            && self.newest
            && self.silence.is_some_and(|silence| silence <= limit)
            && !self.earlier_pending
    }
}

/// One comparison of a terminal's clock with the true time, in whole seconds.
///
/// Its [`offset`](Self::offset) is **true time minus terminal's clock**: what has to be added to the
/// terminal's clock. Positive: the terminal is behind. Negative: it is ahead.
///
/// ```
/// use punch_normalize::{ClockSample, DeviceZone, Hint};
/// use punch_protocol::civil;
///
/// let shown = DeviceZone::parse("-06:00")?.resolve(civil::parse(b"2026-03-28 08:47:12")?, Hint::default());
/// let sample = ClockSample::of_row("2026-03-28T14:47:59.4Z".parse()?, &shown).ok_or("not comparable")?;
/// assert_eq!(sample.offset().num_seconds(), 47); // the terminal is 47 seconds behind
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClockSample {
    // The order of the fields is the order of the samples.
    pub(super) at: i64,
    pub(super) kind: SampleKind,
    pub(super) offset: i64,
}

/// Where a [`ClockSample`] comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SampleKind {
    /// The terminal was asked for its time.
    Probe,
    /// A row that was sent as it happened. It can be late, never early.
    LiveRow,
}

impl ClockSample {
    /// The largest offset that is measured, in either direction: 100 days. A larger one is taken for this
    /// one; such a clock is to be set, not to be corrected.
    pub const MAX_OFFSET: TimeDelta = TimeDelta::days(100);

    /// The longest that an answer to "what time is it" may take to be a probe: 5 seconds.
    pub const MAX_ROUND_TRIP: TimeDelta = TimeDelta::seconds(5);

    /// A comparison made at `at`. The offset is true time minus terminal's clock.
    ///
    /// It is rounded down to whole seconds: a terminal cuts off what is smaller, which like everything on
    /// the way makes the offset larger, never smaller.
    #[must_use]
    pub fn new(at: DateTime<Utc>, kind: SampleKind, offset: TimeDelta) -> Self {
        let limit = Self::MAX_OFFSET.num_seconds();
        let seconds = offset.num_seconds();
        let floor = if offset.subsec_nanos() < 0 { seconds.saturating_sub(1) } else { seconds };
        Self { at: at.timestamp(), kind, offset: floor.clamp(limit.saturating_neg(), limit) }
    }

    /// From a row that was [live](Arrival::is_live): its receipt minus its instant.
    ///
    /// `None` if the row measures nothing: its hour happened twice or never, or its clock is unset, which
    /// has [a reason of its own](crate::HoldReason::ClockReset).
    #[must_use]
    pub fn of_row(received_at: DateTime<Utc>, shown: &Resolved) -> Option<Self> {
        Self::compare(received_at, SampleKind::LiveRow, shown)
    }

    /// From the answer `shown` to a question sent at `asked` and answered at `answered`: the moment between
    /// the two minus what the terminal showed.
    ///
    /// `None` as in [`of_row`](Self::of_row), or if the answer took longer than
    /// [`MAX_ROUND_TRIP`](Self::MAX_ROUND_TRIP) or came before the question.
    ///
    /// ```
    /// use punch_normalize::{ClockSample, DeviceZone, Hint};
    /// use punch_protocol::civil;
    ///
    /// let shown = DeviceZone::Utc.resolve(civil::parse(b"2026-03-28 14:47:12")?, Hint::default());
    /// let (asked, answered) = ("2026-03-28T14:46:57.9Z".parse()?, "2026-03-28T14:46:58.1Z".parse()?);
    /// let sample = ClockSample::of_probe(asked, answered, &shown).ok_or("not comparable")?;
    /// assert_eq!(sample.offset().num_seconds(), -14); // the terminal is 14 seconds ahead
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn of_probe(asked: DateTime<Utc>, answered: DateTime<Utc>, shown: &Resolved) -> Option<Self> {
        let round_trip = answered.signed_duration_since(asked);
        if round_trip < TimeDelta::zero() || round_trip > Self::MAX_ROUND_TRIP {
            return None;
        }
        Self::compare(asked.checked_add_signed(round_trip.checked_div(2)?)?, SampleKind::Probe, shown)
    }

    /// When the comparison was made, cut to the second.
    #[must_use]
    pub fn at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.at, 0).unwrap_or_default()
    }

    /// Where it comes from.
    #[must_use]
    pub fn kind(&self) -> SampleKind {
        self.kind
    }

    /// True time minus terminal's clock: whole seconds, at most [`MAX_OFFSET`](Self::MAX_OFFSET) either way.
    #[must_use]
    pub fn offset(&self) -> TimeDelta {
        seconds(self.offset)
    }

    fn compare(at: DateTime<Utc>, kind: SampleKind, shown: &Resolved) -> Option<Self> {
        let comparable = shown.quality == TimeQuality::Exact && !civil::is_unset_clock(shown.local.naive_local());
        comparable.then(|| Self::new(at, kind, at.signed_duration_since(shown.instant)))
    }
}

/// Offsets are clamped to 100 days when they are taken, so that nothing here saturates.
pub(super) fn seconds(seconds: i64) -> TimeDelta {
    TimeDelta::try_seconds(seconds).unwrap_or_default()
}
