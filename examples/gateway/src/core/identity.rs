use core::fmt;
use core::str::FromStr;
use std::collections::BTreeMap;

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use punch_protocol::{Pin, SerialNumber};

/// One PIN of one person: where it is theirs, and when. `Debug` names nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The PIN as the terminal sends it.
    pub pin: Pin<'static>,
    /// The stable key of the person; without one the PIN is it.
    pub id: Option<String>,
    /// The name sent in payloads; none keeps it private.
    pub name: Option<String>,
    /// Where the PIN is theirs.
    pub scope: Scope,
    /// When the PIN is theirs.
    pub validity: Validity,
    /// The names of the shifts they work.
    pub shifts: Vec<String>,
}

impl Identity {
    /// A person with this PIN everywhere and always, of whom nothing else is known.
    pub fn new(pin: Pin<'static>) -> Self {
        Self { pin, id: None, name: None, scope: Scope::Tenant, validity: Validity::ALWAYS, shifts: Vec::new() }
    }

    /// The key of the person: all identities that have the same are one person.
    pub fn person(&self) -> String {
        self.id.clone().unwrap_or_else(|| self.pin.to_text().into_owned())
    }

    /// Whether one row could be of both: same PIN, equally wide scope, and a moment in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.pin == other.pin && self.scope == other.scope && self.validity.overlaps(&other.validity)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("named", &self.name.is_some()).finish_non_exhaustive()
    }
}

/// Where a PIN belongs to a person. The narrowest that fits decides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Everywhere.
    Tenant,
    /// At the terminals of one site.
    Site(String),
    /// At one terminal.
    Device(SerialNumber),
}

impl Scope {
    fn covers(&self, serial: &SerialNumber, site: &str) -> bool {
        match self {
            Self::Tenant => true,
            Self::Site(name) => name == site,
            Self::Device(own) => own == serial,
        }
    }
}

/// From when to when a PIN is a person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first day, or moment; `None` is since ever.
    pub from: Option<Bound>,
    /// The last day, or the first moment no more; `None` is for ever.
    pub to: Option<Bound>,
}

impl Validity {
    /// No bounds.
    pub const ALWAYS: Self = Self { from: None, to: None };

    /// Whether there is no moment in it.
    pub fn is_empty(&self) -> bool {
        is_before(self.to, self.from)
    }

    /// Whether `at`, with the offset of the place, is in it.
    pub fn covers(&self, at: DateTime<FixedOffset>) -> bool {
        let has_begun = match self.from {
            None => true,
            Some(Bound::Date(first)) => at.date_naive() >= first,
            Some(Bound::Instant(first)) => at >= first,
        };
        let has_ended = match self.to {
            None => false,
            Some(Bound::Date(last)) => at.date_naive() > last,
            Some(Bound::Instant(end)) => at >= end,
        };
        has_begun && !has_ended
    }

    /// Whether both can cover one moment. A day and an instant are compared wherever on earth the day may be.
    pub fn overlaps(&self, other: &Self) -> bool {
        !is_before(self.to, other.from) && !is_before(other.to, self.from)
    }
}

/// One end of a validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// A day where the terminal is.
    Date(NaiveDate),
    /// A moment.
    Instant(DateTime<Utc>),
}

/// Whether an end surely lies before, or at, a beginning.
fn is_before(end: Option<Bound>, beginning: Option<Bound>) -> bool {
    // A day begins first in UTC+14 and ends last in UTC-12.
    let first = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc().checked_sub_signed(TimeDelta::hours(14));
    let over = |day: NaiveDate| {
        let midnight = day.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN).and_utc();
        midnight.checked_add_signed(TimeDelta::hours(12))
    };
    match (end, beginning) {
        (None, _) | (_, None) => false,
        (Some(Bound::Date(end)), Some(Bound::Date(beginning))) => end < beginning,
        (Some(Bound::Instant(end)), Some(Bound::Instant(beginning))) => end <= beginning,
        (Some(Bound::Date(end)), Some(Bound::Instant(beginning))) => over(end).is_some_and(|end| end <= beginning),
        (Some(Bound::Instant(end)), Some(Bound::Date(beginning))) => first(beginning).is_some_and(|first| end <= first),
    }
}

impl FromStr for Bound {
    type Err = BoundError;

    fn from_str(text: &str) -> Result<Self, BoundError> {
        if let Ok(date) = text.parse() {
            return Ok(Self::Date(date));
        }
        let instant = DateTime::parse_from_rfc3339(text).map_err(|_| BoundError)?;
        Ok(Self::Instant(instant.to_utc()))
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => date.fmt(f),
            Self::Instant(instant) => f.write_str(&instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        }
    }
}

/// A text is no [`Bound`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a day such as `2026-03-02`, or a moment with its offset such as `2026-03-02T06:00:00-06:00`")]
pub struct BoundError;

/// Who has which PIN where and when.
#[derive(Debug, Clone, Default)]
pub struct Register {
    identities: BTreeMap<Pin<'static>, Vec<Identity>>,
}

/// Why an identity cannot be beside those that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clash {
    /// Another has the same PIN, at the same place, at the same time.
    Taken,
    /// Another has the same PIN elsewhere or at another time, and neither says who it is.
    Unnamed,
}

impl Register {
    /// Adds an identity.
    ///
    /// # Errors
    ///
    /// [`Clash`] says why a row could be of two people, or one person of two names.
    pub fn add(&mut self, identity: Identity) -> Result<(), Clash> {
        let known = self.identities.entry(identity.pin.clone()).or_default();
        if known.iter().any(|known| known.overlaps(&identity)) {
            return Err(Clash::Taken);
        }
        // Without an id both would be called by their PIN, and be one person.
        if identity.id.is_none() && known.iter().any(|known| known.id.is_none()) {
            return Err(Clash::Unnamed);
        }
        known.push(identity);
        Ok(())
    }

    /// Who has `pin` at this terminal of this site at `at`: as is said of the terminal, else of the site, else of all.
    ///
    /// `at` carries the offset of the place, as [`Resolved::local`](punch_normalize::Resolved::local) does: a day of a
    /// validity is a day there.
    pub fn find(
        &self,
        serial: &SerialNumber,
        site: &str,
        pin: &Pin<'static>,
        at: DateTime<FixedOffset>,
    ) -> Option<&Identity> {
        let known = self.identities.get(pin)?;
        let fits = |identity: &&Identity| identity.scope.covers(serial, site) && identity.validity.covers(at);
        known.iter().filter(fits).max_by(|one, other| one.scope.cmp(&other.scope))
    }

    /// Whether nobody is registered.
    pub fn is_empty(&self) -> bool {
        self.identities.is_empty()
    }
}
