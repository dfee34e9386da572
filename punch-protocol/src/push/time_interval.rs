use core::fmt;

/// A stretch of a day in an access rule: `start << 16 | end`, both as HHMM in decimal.
///
/// ```
/// use punch_protocol::push::TimeInterval;
///
/// let morning = TimeInterval(54_396_080);
/// assert_eq!((morning.start(), morning.end()), (Some((8, 30)), Some((12, 0))));
/// assert_eq!(morning.to_string(), "0830-1200");
/// assert_eq!(TimeInterval::of((8, 30), (12, 0)), Some(morning));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an integer with a meaning; it never grows a field")]
pub struct TimeInterval(pub u32);

impl TimeInterval {
    /// No time at all, which is how an unused interval is written.
    pub const NEVER: Self = Self(0);

    /// An interval from one hour and minute to another; `None` unless both are of a day (24:00 is an end).
    pub fn of(start: (u8, u8), end: (u8, u8)) -> Option<Self> {
        let packed = |(hour, minute): (u8, u8)| {
            let whole = hour == 24 && minute == 0;
            (whole || (hour < 24 && minute < 60))
                .then(|| u32::from(hour).saturating_mul(100).saturating_add(u32::from(minute)))
        };
        Some(Self((packed(start)? << 16) | packed(end)?))
    }

    /// When it begins, as hour and minute; `None` if the number is not a time of day.
    pub fn start(self) -> Option<(u8, u8)> {
        clock(self.0 >> 16)
    }

    /// When it ends, as hour and minute; `None` if the number is not a time of day.
    pub fn end(self) -> Option<(u8, u8)> {
        clock(self.0 & 0xffff)
    }
}

impl fmt::Display for TimeInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:04}", self.0 >> 16, self.0 & 0xffff)
    }
}

fn clock(packed: u32) -> Option<(u8, u8)> {
    let (hour, minute) = (u8::try_from(packed.checked_div(100)?).ok()?, u8::try_from(packed.checked_rem(100)?).ok()?);
    (hour <= 24 && minute < 60).then_some((hour, minute))
}
