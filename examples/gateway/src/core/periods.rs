use chrono::{Days, NaiveDate};

/// Which days are history, and which are closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Periods {
    /// The first day whose punches are sent; none is every day.
    pub go_live: Option<NaiveDate>,
    /// For how many days a punch is sent; none is for ever.
    pub retention_days: Option<u32>,
    /// Whether history is sent too.
    pub backfill: bool,
    /// The last day of a pay period that is closed; none is none.
    pub closed_through: Option<NaiveDate>,
    /// How many days after itself a day is closed; none is never.
    pub close_after_days: Option<u32>,
}

impl Periods {
    /// Whether a punch of `day` is history: of before the first day, or older than is kept.
    pub fn is_historic(&self, day: NaiveDate, today: NaiveDate) -> bool {
        let is_older = |days: u32| today.checked_sub_days(Days::new(days.into())).is_some_and(|oldest| day < oldest);
        self.go_live.is_some_and(|first| day < first) || self.retention_days.is_some_and(is_older)
    }

    /// The last day that is closed. What comes of it later is told as late, and changes nothing.
    pub fn closed_through(&self, today: NaiveDate) -> Option<NaiveDate> {
        let closes = |days: u32| today.checked_sub_days(Days::new(u64::from(days).saturating_add(1)));
        self.closed_through.max(self.close_after_days.and_then(closes))
    }
}
