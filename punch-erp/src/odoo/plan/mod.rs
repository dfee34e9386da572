mod changes;
mod walk;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use punch_normalize::Direction;

use super::{Attendance, AttendanceId, EndedBy};
use walk::{Barrier, Kind, Point, Role, walk};

/// How arrivals and departures of one person find each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update syntax")]
pub struct PairingRules {
    /// The longest time between an arrival and the departure that belongs to it. Default 14 h, itself included.
    pub lookback: TimeDelta,
    /// A second punch of one direction, sooner than this after the first, is the first again. Default 60 s.
    pub bounce: TimeDelta,
    /// Of arrivals closer than this the first counts, of departures the last. Default 10 min.
    pub repeat: TimeDelta,
}

impl Default for PairingRules {
    fn default() -> Self {
        Self { lookback: TimeDelta::hours(14), bounce: TimeDelta::seconds(60), repeat: TimeDelta::minutes(10) }
    }
}

/// One punch, as far as planning needs it. Direction [`Unknown`](Direction::Unknown) is set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "what a plan is made of")]
pub struct Mark {
    /// When. Fractions of a second are cut.
    pub at: DateTime<Utc>,
    /// Which way, as known now: a direction told anew is given anew, and the plan undoes what it had led to.
    pub direction: Direction,
}

/// What has to change in Odoo, so that it says of one person what the punches say.
///
/// A pure function of the attendances that stand and the punches that are known, both in any order. What is given decides,
/// not the order in which it came, so a late punch leads to the same records as a punctual one.
///
/// * A departure belongs to the arrival right before it, if that is not too long ago. Nothing else is a pair.
/// * An arrival without a departure is an open record if nothing comes after it. Otherwise it is a record that ends when it
///   begins: it counts no time, lets the next arrival be stored, and gets its end when the departure comes after all.
/// * A departure without an arrival is stored nowhere.
/// * A record is changed only if its times are those of given punches, or if it has no end that anybody punched (it is
///   open, empty, or closed by Odoo itself). Every other one was written or corrected by somebody: it stays, and punches
///   within it are covered.
/// * A mark of absence that Odoo made gives way to a presence that goes over it, and is left alone otherwise.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use punch_erp::odoo::{Change, Mark, PairingRules, Plan};
/// use punch_normalize::Direction;
///
/// let at = |text: &str| text.parse::<DateTime<Utc>>();
/// let (came, left) = (at("2026-11-10T08:00:00Z")?, at("2026-11-10T16:00:00Z")?);
/// // The departure was delivered first.
/// let marks = [Mark { at: left, direction: Direction::Out }, Mark { at: came, direction: Direction::In }];
/// let plan = Plan::of(&[], &marks, &PairingRules::default());
/// assert_eq!(plan.changes, [Change::Create { check_in: came, check_out: Some(left) }]);
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// What to do, in this order: Odoo refuses overlapping records and a second open one.
    pub changes: Vec<Change>,
    /// What becomes of each punch, in the order given.
    pub fates: Vec<Fate>,
}

/// One change of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "nothing is ever deleted, so there is no third")]
pub enum Change {
    /// A new record.
    Create {
        /// Its begin.
        check_in: DateTime<Utc>,
        /// Its end; `None` leaves it open.
        check_out: Option<DateTime<Utc>>,
    },
    /// Other times for a record.
    Write {
        /// The record.
        id: AttendanceId,
        /// A new begin.
        check_in: Option<DateTime<Utc>>,
        /// The end; `None` leaves it open.
        check_out: Option<DateTime<Utc>>,
    },
}

/// What becomes of one punch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must answer for each of them")]
pub enum Fate {
    /// It is the begin or the end of a record, or a repetition of it.
    Stored(Place),
    /// It is the begin of a record whose end is missing, and somebody came again since.
    MissingOut(Place),
    /// A departure to which no arrival is known.
    OrphanOut,
    /// It lies within a record that is not ours to change.
    Covered(AttendanceId),
    /// Nobody knows its direction.
    Undirected,
}

/// Where a punch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there or on its way")]
pub enum Place {
    /// In a record that stands as it should.
    Standing(AttendanceId),
    /// In this one of the plan's changes.
    Change(usize),
}

impl Plan {
    /// Plans for one person.
    pub fn of(standing: &[Attendance], marks: &[Mark], rules: &PairingRules) -> Self {
        let times: BTreeSet<_> = marks.iter().map(|mark| mark.at.trunc_subsecs(0)).collect();
        let (absences, standing): (Vec<&Attendance>, Vec<&Attendance>) =
            standing.iter().partition(|record| record.is_absence());
        let (ours, others): (Vec<&Attendance>, Vec<&Attendance>) =
            standing.iter().partition(|record| is_ours(record, &standing, marks));
        let mut barriers: Vec<_> = others.into_iter().filter_map(Barrier::of).collect();
        barriers.sort_unstable_by_key(|barrier| (barrier.check_in, barrier.id));

        let implied = ours.iter().filter(|record| !times.contains(&record.check_in));
        let mut points: BTreeMap<_, Vec<usize>> =
            implied.map(|record| ((record.check_in, Kind::In), Vec::new())).collect();
        for (index, mark) in marks.iter().enumerate() {
            if let Some(kind) = Kind::of(mark.direction) {
                points.entry((mark.at.trunc_subsecs(0), kind)).or_default().push(index);
            }
        }
        let mut points: Vec<_> = points.into_iter().map(|((at, kind), marks)| Point { at, kind, marks }).collect();
        let (targets, roles) = walk(&mut points, marks.len(), &barriers, rules);
        let (changes, places) = changes::find(&ours, &absences, &times, &targets);
        let fate = |role: &Role| match *role {
            Role::Undirected => Fate::Undirected,
            Role::OrphanOut => Fate::OrphanOut,
            Role::Standing(id) => Fate::Stored(Place::Standing(id)),
            Role::Within(id) => Fate::Covered(id),
            Role::Part(target) => match (places.get(target), targets.get(target)) {
                (Some(place), Some(target)) if target.is_missing_out() => Fate::MissingOut(*place),
                (Some(place), _) => Fate::Stored(*place),
                (None, _) => Fate::OrphanOut,
            },
        };
        Self { fates: roles.iter().map(fate).collect(), changes }
    }
}

/// Whether a record may be changed: it has no end that somebody punched or wrote, or both its times were punched.
fn is_ours(record: &Attendance, standing: &[&Attendance], marks: &[Mark]) -> bool {
    let Some(check_out) = record.check_out else { return true };
    if record.is_empty() || record.ended_by == EndedBy::AutoCheckOut {
        return true;
    }
    let punched = |time: DateTime<Utc>, way: Direction, is_other_end: fn(&Attendance, DateTime<Utc>) -> bool| {
        let mut there = marks.iter().filter(|mark| mark.at.trunc_subsecs(0) == time).peekable();
        // A direction may have been told anew. But a record between two of ours, from end to begin, fills a gap by hand.
        there.peek().is_some()
            && (there.any(|mark| mark.direction.plain() == way)
                || !standing.iter().any(|other| other.id != record.id && is_other_end(other, time)))
    };
    punched(record.check_in, Direction::In, |other, time| other.check_out == Some(time))
        && punched(check_out, Direction::Out, |other, time| other.check_in == time)
}

impl Kind {
    fn of(direction: Direction) -> Option<Self> {
        match (direction, direction.plain()) {
            (Direction::OvertimeIn, _) => Some(Self::MoreIn),
            (_, Direction::In) => Some(Self::In),
            (_, Direction::Out) => Some(Self::Out),
            _ => None,
        }
    }
}
