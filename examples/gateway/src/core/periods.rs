use chrono::{Days, NaiveDate, TimeDelta};
use punch_normalize::Horizon;

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
    /// What is history: of before the first day, or older than is kept.
    pub fn horizon(&self) -> Horizon {
        let mut horizon = Horizon::default();
        horizon.go_live = self.go_live;
        horizon.retention = self.retention_days.map(|days| TimeDelta::days(days.into()));
        horizon
    }

    /// The last day that is closed. What comes of it later is told as late, and changes nothing.
    pub fn closed_through(&self, today: NaiveDate) -> Option<NaiveDate> {
        let closes = |days: u32| today.checked_sub_days(Days::new(u64::from(days).saturating_add(1)));
        self.closed_through.max(self.close_after_days.and_then(closes))
    }
}
