use chrono::{DateTime, TimeDelta, Utc};
use punch_normalize::{Arrival, ClockSample};

/// How a terminal stood when it brought an upload: whether its rows can be as new as they seem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact {
    /// How long before the upload the terminal was last heard of. `None` if never.
    pub silence: Option<TimeDelta>,
    /// How often it was told to ask.
    pub delay: TimeDelta,
    /// Whether earlier rows may have been waiting on it.
    pub behind: bool,
    /// What its clock was measured to be when somebody asked it, if that is not written down yet.
    pub probe: Option<ClockSample>,
}

impl Contact {
    /// Somebody else has read the rows: when they were made, only they say.
    pub const FORWARDED: Self = Self { silence: None, delay: TimeDelta::zero(), behind: false, probe: None };

    /// How the newest row of an upload arrived that has `rows` attendance rows, all of them in `whole`.
    pub fn arrival(&self, rows: usize, whole: bool) -> Arrival {
        let mut arrival = Arrival::new(rows, self.silence, self.delay);
        arrival.earlier_pending = self.behind || !whole;
        arrival
    }
}

/// What the calls of one terminal tell about its queue.
///
/// A terminal sends what waits in as few uploads as it can. So after a silence, after an upload that is no
/// [live](Arrival::is_live) one, and after one that was refused, the next small upload may be the rest of a backlog. It
/// empties the queue: what comes after it comes as it happens. A queue of which nothing comes for twice the terminal's
/// `Delay` is empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Presence {
    seen_at: Option<DateTime<Utc>>,
    behind_until: Option<DateTime<Utc>>,
    polled_at: Option<DateTime<Utc>>,
    complete_to: Option<DateTime<Utc>>,
}

impl Presence {
    /// The terminal called, for whatever reason.
    pub fn called(&mut self, delay: TimeDelta, now: DateTime<Utc>) -> Contact {
        let silence = self.seen_at.map(|seen_at| now.signed_duration_since(seen_at));
        if silence.is_none_or(|silence| silence > twice(delay)) {
            self.behind_until = now.checked_add_signed(twice(delay));
        }
        self.seen_at = self.seen_at.max(Some(now));
        Contact { silence, delay, behind: self.is_behind(now), probe: None }
    }

    /// Whether earlier rows may be waiting on the terminal.
    pub fn is_behind(&self, now: DateTime<Utc>) -> bool {
        self.behind_until.is_some_and(|until| now <= until)
    }

    /// The call brought nothing: the terminal had nothing to tell, unless an upload was on its way beside it. So what is
    /// known with the next such call is that everything from before this one has come.
    pub fn polled(&mut self, contact: &Contact, now: DateTime<Utc>) {
        if contact.behind {
            self.polled_at = None;
            return;
        }
        self.complete_to = self.complete_to.max(self.polled_at);
        self.polled_at = Some(now);
    }

    /// Whoever reads the terminal says that everything from before `complete_to` has come.
    pub fn completed(&mut self, complete_to: DateTime<Utc>) {
        self.complete_to = self.complete_to.max(Some(complete_to));
    }

    /// Up to when the terminal has told everything; `None` if nobody knows.
    pub fn complete_to(&self) -> Option<DateTime<Utc>> {
        self.complete_to
    }

    /// An upload with this many attendance rows has ended.
    pub fn uploaded(&mut self, rows: usize, whole: bool, stored: bool, delay: TimeDelta, now: DateTime<Utc>) {
        if rows == 0 && stored {
            return;
        }
        let empties = stored && whole && rows <= Arrival::MAX_LIVE_ROWS;
        self.behind_until = if empties { None } else { now.checked_add_signed(twice(delay)) };
    }
}

fn twice(delay: TimeDelta) -> TimeDelta {
    delay.checked_mul(2).unwrap_or(TimeDelta::MAX)
}
