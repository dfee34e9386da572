mod line;

use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta, Utc};
use punch_normalize::{Direction, EventId};

use super::{Entry, EntryKind, InferUnknown, OnViolation};
use line::{Fit, Line, Place};

/// How punches of one person have to follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update syntax")]
pub struct AlternationRules {
    /// A second punch of one direction, sooner than this after or before the first, is the first again. Default 60 s.
    pub dedup_window: TimeDelta,
    /// What becomes of a later one.
    pub on_violation: OnViolation,
    /// What becomes of a punch without a direction.
    pub infer_unknown: InferUnknown,
    /// How long a punch is kept back for earlier ones. Default not at all.
    pub reorder_window: TimeDelta,
}

impl Default for AlternationRules {
    fn default() -> Self {
        Self {
            dedup_window: TimeDelta::seconds(60),
            on_violation: OnViolation::default(),
            infer_unknown: InferUnknown::default(),
            reorder_window: TimeDelta::zero(),
        }
    }
}

impl AlternationRules {
    /// A punch ahead of our clock is kept until the clock has passed it by this: Humand takes no future, or so says the
    /// interface's own description (the manual says otherwise).
    pub const FUTURE_MARGIN: TimeDelta = TimeDelta::seconds(5);

    /// When a punch may be sent, if that is not yet.
    pub fn held_until(&self, at: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let margin = if at > now { Self::FUTURE_MARGIN.max(self.reorder_window) } else { self.reorder_window };
        at.checked_add_signed(margin).filter(|until| *until > now)
    }
}

/// One punch, as far as planning needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mark {
    /// Whose entry is found by it.
    pub event_id: EventId,
    /// When, with the offset of the site, which says where its day begins and ends.
    pub at: DateTime<FixedOffset>,
    /// Which way.
    pub direction: Direction,
    /// Whether the direction was inferred, and neither pressed nor said by the place of the terminal.
    pub is_inferred: bool,
}

impl Mark {
    /// A punch whose direction somebody or something declared.
    pub fn new(event_id: EventId, at: DateTime<FixedOffset>, direction: Direction) -> Self {
        Self { event_id, at, direction, is_inferred: false }
    }

    /// The day it is on.
    pub fn day(&self) -> NaiveDate {
        self.at.date_naive()
    }
}

/// What becomes of one punch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// Its entry is there.
    Standing(String),
    /// Its entry is there several times, first this one.
    Doubled {
        /// The id of the first.
        id: String,
        /// How many there are.
        count: usize,
    },
    /// It is a repetition, soon after or before, of this entry, or of one that is still to be sent.
    Repeats(Option<String>),
    /// It is to be sent.
    Send(EntryKind),
    /// Not before this time.
    Held(DateTime<Utc>),
    /// Two of a kind would follow each other. The other one, if it is there already.
    Alternation(Option<String>),
    /// A departure without an arrival on its day or, open, on the day before.
    OrphanOut,
    /// Nobody knows its direction.
    Undirected,
}

/// What to do so that Humand has the punches of one person.
///
/// A pure function of the entries that stand, the punches that are known, both in any order, and the time. What is sent
/// alternates, entry by entry and day by day, whatever the punches are. Nothing that stands is ever changed: Humand has no
/// call for it.
///
/// * An entry belongs to a punch if its comment says so, or if it is of the same kind within a second.
/// * A departure follows the arrival right before it, of the same day or of the day before. An arrival follows a departure
///   or is the first of its day.
/// * A late punch is sent only where that leaves its neighbours as they are: nothing is put between an arrival and the
///   departure that belongs to it.
/// * Entries that Humand makes when the day changes are nobody's punches; a shift goes on across them.
///
/// ```
/// use punch_erp::humand::{AlternationRules, EntryKind, Fate, Mark, Plan};
/// use punch_normalize::{Direction, EventId};
///
/// let mark = |id: &str, at: &str, direction| Mark::new(EventId::parse(id).unwrap(), at.parse().unwrap(), direction);
/// let marks = [
///     mark("c", "2026-01-27T17:00:00-03:00", Direction::Out),
///     mark("a", "2026-01-27T08:00:00-03:00", Direction::In),
///     mark("b", "2026-01-27T08:00:40-03:00", Direction::In),
/// ];
/// let plan = Plan::of(&[], &marks, &AlternationRules::default(), "2026-01-28T00:00:00Z".parse()?);
/// assert_eq!(plan.fates, [Fate::Send(EntryKind::End), Fate::Send(EntryKind::Start), Fate::Repeats(None)]);
/// assert_eq!(plan.next, Some((1, EntryKind::Start)));
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// What becomes of each punch, in the order given, if all that is to be sent is stored.
    pub fates: Vec<Fate>,
    /// The first one to be sent, by its place in the order given.
    pub next: Option<(usize, EntryKind)>,
}

impl Plan {
    /// Plans for one person. The entries have to be all of the days of the punches, the day before and the day after.
    pub fn of(standing: &[Entry], marks: &[Mark], rules: &AlternationRules, now: DateTime<Utc>) -> Self {
        let mut order: Vec<(usize, &Mark)> = marks.iter().enumerate().collect();
        // In one second who is there leaves first; the id makes it the same whatever the order given.
        order.sort_by_key(|(_, mark)| (mark.at.to_utc(), EntryKind::of(mark.direction), &mark.event_id));
        let offset = order.first().map(|(_, mark)| *mark.at.offset());
        let mut line = Line::of(standing, offset);
        let mut fates = alloc::vec![Fate::Undirected; marks.len()];
        let mut next = None;
        for (index, mark) in order {
            let fate = line.fate(standing, mark, rules, now);
            if let Fate::Send(kind) = fate {
                line.insert(Place::planned(mark, kind));
                next = next.or(Some((index, kind)));
            }
            if let Some(place) = fates.get_mut(index) {
                *place = fate;
            }
        }
        Self { fates, next }
    }
}

impl Line {
    fn fate(&self, standing: &[Entry], mark: &Mark, rules: &AlternationRules, now: DateTime<Utc>) -> Fate {
        let mut ours = standing.iter().filter(|entry| entry.is_of(&mark.event_id));
        if let Some(first) = ours.next() {
            return match ours.count().saturating_add(1) {
                1 => Fate::Standing(first.id.clone()),
                count => Fate::Doubled { id: first.id.clone(), count },
            };
        }
        let kind = EntryKind::of(mark.direction);
        if kind.is_none() && rules.infer_unknown == InferUnknown::Park {
            return Fate::Undirected;
        }
        if let Some(id) = self.same(mark, kind) {
            return Fate::Standing(id);
        }
        if let Some(until) = rules.held_until(mark.at.to_utc(), now) {
            return Fate::Held(until);
        }
        if let Some(id) = self.repeated(mark, kind, rules.dedup_window) {
            return Fate::Repeats(id);
        }
        let Some(kind) = kind else {
            return self.or_why_not(mark, self.alternating(mark));
        };
        let may_turn = rules.on_violation == OnViolation::Fix && mark.is_inferred;
        if may_turn && self.is_second_of_day(mark, kind) && self.fits(mark, kind.other()) == Fit::Yes {
            return Fate::Send(kind.other());
        }
        self.or_why_not(mark, kind)
    }

    fn or_why_not(&self, mark: &Mark, kind: EntryKind) -> Fate {
        match self.fits(mark, kind) {
            Fit::Yes => Fate::Send(kind),
            Fit::Orphan => Fate::OrphanOut,
            Fit::No(other) => Fate::Alternation(other),
        }
    }
}

/// Whether two times are one, as exactly as entries are compared.
pub(super) fn is_same_time(one: DateTime<Utc>, other: DateTime<Utc>) -> bool {
    one.signed_duration_since(other).abs() <= TimeDelta::seconds(1)
}
