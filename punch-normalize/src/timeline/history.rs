use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use punch_protocol::Status;
use serde::{Deserialize, Serialize};

use super::finding::Finding;
use super::mark::{Mark, Place, Role};
use super::settings::{DirectionRule, TimelineRules};
use crate::{Direction, EventId};

/// What is remembered of one person: the punches that a row of today or a late one of yesterday can still change.
///
/// A punch takes 32 bytes. What was found of it is not kept; it follows from the punches, so what a new one changes is
/// the difference of two results.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use punch_normalize::TenantKey;
/// use punch_normalize::timeline::{History, Mark, TimelineRules};
/// use punch_protocol::{civil, Pin, RawPunch, SerialNumber};
///
/// let key = TenantKey::new([7; 32]);
/// let mark = |time: &str| -> Result<Mark, Box<dyn std::error::Error>> {
///     let local = civil::parse(time.as_bytes())?;
///     let raw = RawPunch::new(SerialNumber::parse("T1")?, Pin::new(b"1042").into_owned(), local);
///     Ok(Mark::new(key.event_id(&raw), local.and_utc(), local))
/// };
/// let rules = TimelineRules::default();
/// let mut history = History::default();
/// history.take([mark("2026-03-02 08:00:00")?, mark("2026-03-02 14:00:00")?], &rules)?;
///
/// // A terminal comes back and tells of 13:00: what was a departure at 14:00 is an arrival.
/// let changes = history.take([mark("2026-03-02 13:00:00")?], &rules)?;
/// let told: Vec<_> = changes.iter().map(|change| (change.revision, change.new.direction.as_str())).collect();
/// assert_eq!(told, [(0, "out"), (1, "in")]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    marks: Vec<Packed>,
    /// Up to when nothing more is waited for, in seconds since 1970; 0 if everything is.
    until: u32,
}

/// What became of a punch, or became different.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The punch.
    pub event_id: EventId,
    /// What was found before; `None` if it is new.
    pub old: Option<Finding>,
    /// What is found now.
    pub new: Finding,
    /// How often it was found different: 0 the first time.
    pub revision: u8,
    /// What brought it about.
    pub cause: Cause,
}

/// Why something is found of a punch, or something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The punch came.
    Arrival,
    /// A row from before the punch came behind it.
    LateRow,
    /// A row from behind the punch came, and says more of it.
    LaterRow,
    /// Time has passed, and nobody has left.
    Time,
    /// The punch, or one around it, was dated anew.
    Redating,
}

impl Cause {
    /// The stable word for stores and payloads: `arrival`, `late_row`, `later_row`, `time_passed` or `redated`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Arrival => "arrival",
            Self::LateRow => "late_row",
            Self::LaterRow => "later_row",
            Self::Time => "time_passed",
            Self::Redating => "redated",
        }
    }
}

/// An identity that was not made by [`TenantKey::event_id`](crate::TenantKey::event_id) or in its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("event id: not `evt_` and 26 digits; such a punch has no place in a history")]
#[non_exhaustive]
pub struct ForeignId;

/// A punch in 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Packed {
    id: [u8; 16],
    /// Seconds since 1970.
    at: u32,
    /// Minutes from UTC to what the clock showed.
    offset: i16,
    device: u16,
    site: u16,
    order: u16,
    /// The state; 255 for none.
    status: u8,
    /// Role in two bits, whether trusted, whether published, the direction given by hand in four.
    flags: u8,
    revision: u8,
}

impl History {
    /// Punches that are kept at most. Of somebody who never pauses the oldest are forgotten then.
    pub const MARKS_MAX: usize = 512;

    /// Takes punches in any order, and says what is new and what is different. A punch that is known already changes
    /// nothing. Those that are kept count as delivered from now on.
    ///
    /// # Errors
    ///
    /// [`ForeignId`] if one cannot be remembered. Nothing is taken then.
    pub fn take(
        &mut self,
        marks: impl IntoIterator<Item = Mark>,
        rules: &TimelineRules,
    ) -> Result<Vec<Change>, ForeignId> {
        let mut fresh: Vec<Packed> = marks.into_iter().map(|mark| Packed::of(&mark)).collect::<Result<_, _>>()?;
        fresh.sort_unstable_by_key(|packed| packed.id);
        fresh.dedup_by_key(|packed| packed.id);
        fresh.retain(|packed| !self.marks.iter().any(|known| known.id == packed.id));
        if fresh.is_empty() {
            return Ok(Vec::new());
        }
        let before = self.found(rules);
        self.marks.reserve_exact(fresh.len());
        self.marks.extend_from_slice(&fresh);
        self.marks.sort_unstable_by_key(Packed::in_time);
        let changes = self.changes(before, &fresh, rules);
        let excess = self.marks.len().saturating_sub(Self::MARKS_MAX);
        self.marks.drain(..excess);
        Ok(changes)
    }

    /// Recalls a punch that was taken in an earlier life, as it was: published, or a second one. One that is known already
    /// is moved.
    ///
    /// # Errors
    ///
    /// [`ForeignId`] if it cannot be remembered.
    pub fn recall(&mut self, mark: &Mark) -> Result<(), ForeignId> {
        let packed = Packed::of(mark)?;
        self.marks.retain(|known| known.id != packed.id);
        let place = self.marks.partition_point(|known| known.in_time() < packed.in_time());
        self.marks.insert(place, packed);
        Ok(())
    }

    /// Dates punches that are remembered anew, and says what that changes of them and of those around them. Those that are
    /// not remembered are left out.
    ///
    /// # Errors
    ///
    /// [`ForeignId`] if one cannot be remembered. Nothing is changed then.
    pub fn redate(
        &mut self,
        marks: impl IntoIterator<Item = Mark>,
        rules: &TimelineRules,
    ) -> Result<Vec<Change>, ForeignId> {
        let moved: Vec<Packed> = marks.into_iter().map(|mark| Packed::of(&mark)).collect::<Result<_, _>>()?;
        let mut before: BTreeMap<u128, Finding> =
            self.marks.iter().map(Packed::number).zip(self.found(rules)).collect();
        for packed in moved {
            if let Some(known) = self.marks.iter_mut().find(|known| known.id == packed.id) {
                *known = Packed { revision: known.revision, ..packed };
            }
        }
        self.marks.sort_unstable_by_key(Packed::in_time);
        let mut changes = Vec::new();
        let after = self.found(rules);
        for (packed, new) in self.marks.iter_mut().zip(after) {
            let old = before.remove(&packed.number());
            if old.as_ref() != Some(&new) {
                packed.revision = packed.revision.saturating_add(1);
                packed.publish(new.duplicate_of.is_none());
                let (event_id, revision, cause) = (packed.event_id(), packed.revision, Cause::Redating);
                changes.push(Change { event_id, old, new, revision, cause });
            }
        }
        Ok(changes)
    }

    /// Whether a punch is remembered that was delivered.
    pub(crate) fn is_published(&self, event_id: &EventId) -> bool {
        let number = event_id.number();
        self.marks.iter().any(|mark| Some(mark.number()) == number && mark.flags & PUBLISHED != 0)
    }

    /// Whether a punch is remembered.
    pub fn has(&self, event_id: &EventId) -> bool {
        event_id.number().is_some_and(|number| self.marks.iter().any(|mark| mark.number() == number))
    }

    /// Time goes by: nothing more from before `instant` is waited for, so whoever has not left for longer than any shift
    /// has forgotten to say so. Rows from before it may come all the same.
    pub fn pass(&mut self, instant: DateTime<Utc>, rules: &TimelineRules) -> Vec<Change> {
        let before = self.found(rules);
        self.until = self.until.max(u32::try_from(instant.timestamp()).unwrap_or_default());
        self.changes(before, &[], rules)
    }

    /// What is different from before, given what was not there before, by identity. What is kept is delivered now.
    fn changes(&mut self, before: Vec<Finding>, fresh: &[Packed], rules: &TimelineRules) -> Vec<Change> {
        let first = fresh.iter().map(|packed| packed.at).min();
        let mut changes = Vec::new();
        let (mut before, after) = (before.into_iter(), self.found(rules));
        for (packed, new) in self.marks.iter_mut().zip(after) {
            let is_fresh = fresh.binary_search_by_key(&packed.id, |fresh| fresh.id).is_ok();
            let cause = match first {
                _ if is_fresh => Cause::Arrival,
                None => Cause::Time,
                Some(first) if first <= packed.at => Cause::LateRow,
                Some(_) => Cause::LaterRow,
            };
            let old = if is_fresh { None } else { before.next() };
            if old.as_ref() != Some(&new) {
                packed.revision = packed.revision.saturating_add(old.is_some().into());
                packed.publish(new.duplicate_of.is_none());
                changes.push(Change { event_id: packed.event_id(), old, new, revision: packed.revision, cause });
            }
        }
        changes
    }

    /// Everything that is found now, in time order.
    pub fn findings(&self, rules: &TimelineRules) -> Vec<(EventId, Finding)> {
        self.marks.iter().map(Packed::event_id).zip(self.found(rules)).collect()
    }

    /// The findings, in the order of the marks, which is that of time.
    fn found(&self, rules: &TimelineRules) -> Vec<Finding> {
        let mut marks: Vec<Mark> = self.marks.iter().map(Packed::mark).collect();
        let until = DateTime::from_timestamp(self.until.into(), 0).filter(|_| self.until > 0);
        super::infer(&mut marks, rules, until)
    }

    /// Forgets what can no longer change, once time has [passed](Self::pass): what lies before a pause that nothing
    /// reaches over and that ended before `instant`. What time alone has changed is told before it is forgotten.
    ///
    /// The pause is one after a departure, as long as [`TimelineRules::shift_gap`], or one longer than any shift; with
    /// [`DirectionRule::FirstLast`] the border of two business days.
    pub fn forget_before(&mut self, instant: DateTime<Utc>, rules: &TimelineRules) -> Vec<Change> {
        let changes = self.pass(instant, rules);
        let found = self.found(rules);
        let mut cut = 0;
        // The last that was kept, which a second one of it may stand behind.
        let mut kept: Option<(&Packed, &Finding)> = None;
        for (place, (packed, finding)) in self.marks.iter().zip(&found).enumerate() {
            if packed.instant() > instant {
                break;
            }
            if finding.duplicate_of.is_none() {
                if kept.is_some_and(|kept| is_apart(kept, Some((packed, finding)), packed.instant(), rules)) {
                    cut = place;
                }
                kept = Some((packed, finding));
            }
        }
        let all_old = self.marks.last().is_none_or(|last| last.instant() <= instant)
            && kept.is_none_or(|kept| is_apart(kept, None, instant, rules));
        self.marks.drain(..if all_old { self.marks.len() } else { cut });
        self.marks.shrink_to_fit();
        changes
    }

    /// How many punches are remembered.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }
}

/// Whether nothing reaches from a kept punch to the next one, or, without one, to `at`.
fn is_apart(
    (one, found): (&Packed, &Finding),
    next: Option<(&Packed, &Finding)>,
    at: DateTime<Utc>,
    rules: &TimelineRules,
) -> bool {
    let pause = at.signed_duration_since(one.instant());
    if rules.direction == DirectionRule::FirstLast {
        return match next {
            Some((_, next)) => next.business_date != found.business_date,
            None => pause > TimeDelta::days(1),
        };
    }
    let has_left = matches!(found.direction, Direction::Out | Direction::OvertimeOut);
    let is_over = pause > rules.max_shift || (has_left && pause >= rules.shift_gap);
    is_over && pause >= rules.bounce.window
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "History({} punches)", self.marks.len())
    }
}

const TRUSTED: u8 = 0b100;
const PUBLISHED: u8 = 0b1000;

impl Packed {
    fn of(mark: &Mark) -> Result<Self, ForeignId> {
        let offset = mark.local.signed_duration_since(mark.at.naive_utc()).num_minutes();
        let low = |number: u32| u16::try_from(number & 0xffff).unwrap_or_default();
        let role = match mark.role {
            None => 0,
            Some(Role::Entry) => 1,
            Some(Role::Exit) => 2,
        };
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let manual = mark.manual.map_or(0, |direction| {
            DIRECTIONS.iter().position(|other| *other == direction).map_or(0, |place| place.saturating_add(1))
        });
        let manual = u8::try_from(manual).unwrap_or(0).checked_shl(4).unwrap_or(0);
        Ok(Self {
            id: mark.event_id.number().ok_or(ForeignId)?.to_be_bytes(),
            at: u32::try_from(mark.at.timestamp()).unwrap_or(u32::MAX),
            offset: i16::try_from(offset).unwrap_or_default(),
            device: low(mark.place.device),
            site: low(mark.place.site),
            order: u16::try_from(mark.order).unwrap_or(u16::MAX),
            status: mark
                .status
                .and_then(Status::declared)
                .map_or(u8::MAX, |Status(state)| u8::try_from(state).unwrap_or(254)),
            flags: role | flag(mark.is_trusted, TRUSTED) | flag(mark.is_published, PUBLISHED) | manual,
            revision: 0,
        })
    }

    fn number(&self) -> u128 {
        u128::from_be_bytes(self.id)
    }

    fn event_id(&self) -> EventId {
        EventId::from_number(self.number())
    }

    /// By time, as the punches themselves are sorted: ids sort as their numbers do.
    fn in_time(&self) -> (u32, u16, [u8; 16]) {
        (self.at, self.order, self.id)
    }

    fn instant(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.at.into(), 0).unwrap_or_default()
    }

    fn local(&self) -> NaiveDateTime {
        let offset = TimeDelta::minutes(self.offset.into());
        self.instant().naive_utc().checked_add_signed(offset).unwrap_or_default()
    }

    fn publish(&mut self, is_kept: bool) {
        if is_kept {
            self.flags |= PUBLISHED;
        }
    }

    fn mark(&self) -> Mark {
        let manual = usize::from(self.flags >> 4).checked_sub(1).and_then(|place| DIRECTIONS.get(place).copied());
        Mark {
            place: Place { device: self.device.into(), site: self.site.into() },
            order: self.order.into(),
            status: Some(Status(self.status.into())).filter(|_| self.status != u8::MAX),
            is_trusted: self.flags & TRUSTED != 0,
            role: match self.flags & 0b11 {
                1 => Some(Role::Entry),
                2 => Some(Role::Exit),
                _ => None,
            },
            manual,
            is_published: self.flags & PUBLISHED != 0,
            ..Mark::new(self.event_id(), self.instant(), self.local())
        }
    }
}

/// The directions that can be given by hand, as they are packed.
const DIRECTIONS: [Direction; 8] = [
    Direction::In,
    Direction::Out,
    Direction::BreakOut,
    Direction::BreakIn,
    Direction::OvertimeIn,
    Direction::OvertimeOut,
    Direction::Intermediate,
    Direction::Unknown,
];
