use alloc::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use http::{Method, StatusCode};

use super::RateLimit;
use crate::{HttpRequest, HttpResponse};

/// When the next request may go: one limiter for everything that is sent with a key, whoever it is for.
///
/// Ask [`take`](Self::take) before each request, wait as long as it says and ask again; hand every answer to
/// [`observe`](Self::observe). It knows no clock and sleeps for nobody.
///
/// Of the 50 requests that Humand allows in 60 s, writing uses 45, so that looking, which settles what is in doubt,
/// seldom waits. No 60 s have more, wherever they begin: a bucket of 45 that fills again as it is emptied would let 90
/// through in its first minute.
///
/// ```
/// use chrono::{DateTime, TimeDelta};
/// use punch_erp::Endpoint as _;
/// use punch_erp::humand::{Humand, HumandSettings, ListUsers};
///
/// let humand = Humand::new(HumandSettings::new("key"))?;
/// let (mut pace, request) = (humand.pace(), ListUsers::new(&humand, 1).request());
/// let now = DateTime::UNIX_EPOCH;
/// while pace.take(&request, now).is_ok() {}
/// assert_eq!(pace.take(&request, now + TimeDelta::seconds(20)), Err(TimeDelta::seconds(40)));
/// # Ok::<(), punch_erp::ConfigErrors>(())
/// ```
#[derive(Debug, Clone)]
pub struct Pace {
    /// How many of a window's requests may write, and how many there may be.
    writes: usize,
    all: usize,
    /// When the requests of the last window went.
    sent: VecDeque<DateTime<Utc>>,
    /// What the server said is left, until when.
    told: Option<(u32, DateTime<Utc>)>,
    closed_until: Option<DateTime<Utc>>,
}

const WINDOW: TimeDelta = TimeDelta::seconds(60);

impl Pace {
    pub(super) fn new(per_minute: u16) -> Self {
        let writes = usize::from(per_minute);
        // A tenth of all that go is kept for looking.
        let all = writes.saturating_add(writes.div_ceil(9));
        Self { writes, all: all.min(50), sent: VecDeque::new(), told: None, closed_until: None }
    }

    /// Counts a request that is about to be sent.
    ///
    /// # Errors
    ///
    /// It may not go yet: how long to wait before asking again.
    pub fn take(&mut self, request: &HttpRequest, now: DateTime<Utc>) -> Result<(), TimeDelta> {
        let is_look = request.method() == Method::GET;
        let until = |at: DateTime<Utc>| at.signed_duration_since(now);
        if let Some(wait) = self.closed_until.map(until).filter(|wait| *wait > TimeDelta::zero()) {
            return Err(wait);
        }
        // What is from the future is from a clock that was set back, and counts no more.
        self.sent.retain(|at| (TimeDelta::zero()..WINDOW).contains(&now.signed_duration_since(*at)));
        let allowed = if is_look { self.all } else { self.writes };
        if self.sent.len() >= allowed {
            let oldest = self.sent.len().checked_sub(allowed).and_then(|index| self.sent.get(index));
            return Err(
                oldest.map_or(WINDOW, |at| WINDOW.checked_sub(&now.signed_duration_since(*at)).unwrap_or(WINDOW))
            );
        }
        self.told = self.told.filter(|(_, end)| until(*end) > TimeDelta::zero());
        if let Some((remaining, end)) = &mut self.told {
            let reserve = self.all.saturating_sub(allowed);
            if usize::try_from(*remaining).unwrap_or(usize::MAX) <= reserve {
                return Err(until(*end));
            }
            *remaining = remaining.saturating_sub(1);
        }
        self.sent.push_back(now);
        Ok(())
    }

    /// Learns from an answer what is left, and how long to wait.
    pub fn observe(&mut self, response: &HttpResponse, now: DateTime<Utc>) {
        let said = RateLimit::of(response.headers());
        if let Some((remaining, reset)) = said.remaining.zip(said.reset_s) {
            self.told = now.checked_add_signed(TimeDelta::seconds(reset.into())).map(|end| (remaining, end));
        }
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            self.closed_until = now.checked_add_signed(RateLimit::wait(response)).max(self.closed_until);
        }
    }
}
