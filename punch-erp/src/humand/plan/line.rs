//! The entries of a person in order of time, those there are and those to be sent.

use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, FixedOffset, NaiveDate, Offset as _, TimeDelta, Utc};

use super::{Mark, is_same_time};
use crate::humand::{Entry, EntryKind};

/// One entry on the line.
#[derive(Debug, Clone)]
pub(super) struct Place {
    at: DateTime<Utc>,
    kind: EntryKind,
    day: NaiveDate,
    /// `None` while it is to be sent.
    id: Option<String>,
}

impl Place {
    pub(super) fn planned(mark: &Mark, kind: EntryKind) -> Self {
        Self { at: mark.at.to_utc(), kind, day: mark.day(), id: None }
    }

    /// Whether it may come right after `before`.
    fn follows(&self, before: Option<&Self>) -> bool {
        match (before, self.kind) {
            (None, kind) => kind == EntryKind::Start,
            (Some(before), EntryKind::Start) => before.kind == EntryKind::End || before.day != self.day,
            (Some(before), EntryKind::End) => {
                let is_near = before.day == self.day || before.day.succ_opt() == Some(self.day);
                before.kind == EntryKind::Start && is_near
            }
        }
    }
}

/// Whether an entry can be put on the line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Yes,
    /// No: it is a departure, and nobody arrived.
    Orphan,
    /// No: this one is of the same kind, or belongs to its other neighbour.
    No(Option<String>),
}

#[derive(Debug)]
pub(super) struct Line(Vec<Place>);

impl Line {
    /// `offset` says which day an entry is on.
    pub(super) fn of(standing: &[Entry], offset: Option<FixedOffset>) -> Self {
        let offset = offset.unwrap_or_else(|| Utc.fix());
        let place = |entry: &Entry| {
            let (at, id) = (entry.at, Some(entry.id.clone()));
            Some(Place { at, kind: entry.kind?, day: at.with_timezone(&offset).date_naive(), id })
        };
        let mut line: Vec<Place> = standing.iter().filter(|entry| !entry.is_day_change()).filter_map(place).collect();
        line.sort_by(|a, b| (a.at, a.kind, &a.id).cmp(&(b.at, b.kind, &b.id)));
        Self(line)
    }

    pub(super) fn insert(&mut self, place: Place) {
        let index = self.0.partition_point(|other| (other.at, other.kind) <= (place.at, place.kind));
        self.0.insert(index, place);
    }

    /// The entries right before and right after a punch of this kind.
    fn neighbours(&self, at: DateTime<Utc>, kind: EntryKind) -> (Option<&Place>, Option<&Place>) {
        let index = self.0.partition_point(|place| (place.at, place.kind) <= (at, kind));
        (index.checked_sub(1).and_then(|before| self.0.get(before)), self.0.get(index))
    }

    /// The entry of this kind at this time. Of a punch without a direction, of any kind.
    pub(super) fn same(&self, mark: &Mark, kind: Option<EntryKind>) -> Option<String> {
        let is_it =
            |place: &&Place| kind.is_none_or(|kind| kind == place.kind) && is_same_time(place.at, mark.at.to_utc());
        // What is planned at this time is repeated, not found.
        self.0.iter().filter(is_it).find_map(|place| place.id.clone())
    }

    /// The neighbour this is a repetition of, with its id if it stands. A punch without a direction repeats either kind.
    pub(super) fn repeated(&self, mark: &Mark, kind: Option<EntryKind>, window: TimeDelta) -> Option<Option<String>> {
        let at = mark.at.to_utc();
        let (before, after) = self.neighbours(at, kind.unwrap_or(EntryKind::Start));
        let is_it = |place: &&Place| {
            kind.is_none_or(|kind| kind == place.kind) && place.at.signed_duration_since(at).abs() < window
        };
        before.filter(is_it).or_else(|| after.filter(is_it)).map(|place| place.id.clone())
    }

    /// The other kind than the entry before it on its day; an arrival if there is none.
    pub(super) fn alternating(&self, mark: &Mark) -> EntryKind {
        let (before, _) = self.neighbours(mark.at.to_utc(), EntryKind::Start);
        before.filter(|before| before.day == mark.day()).map_or(EntryKind::Start, |before| before.kind.other())
    }

    /// Whether the entry before it is of the same kind and day.
    pub(super) fn is_second_of_day(&self, mark: &Mark, kind: EntryKind) -> bool {
        let (before, _) = self.neighbours(mark.at.to_utc(), kind);
        before.is_some_and(|before| before.kind == kind && before.day == mark.day())
    }

    pub(super) fn fits(&self, mark: &Mark, kind: EntryKind) -> Fit {
        let (before, after) = self.neighbours(mark.at.to_utc(), kind);
        let place = Place::planned(mark, kind);
        let is_pair = |before: &Place, after: &Place| after.kind == EntryKind::End && after.follows(Some(before));
        match (before, after) {
            // Somebody was there all the time.
            (Some(before), Some(after)) if is_pair(before, after) => {
                let same = if before.kind == kind { before } else { after };
                Fit::No(same.id.clone())
            }
            _ if !place.follows(before) => match before {
                Some(before) if before.kind == kind && before.day == place.day => Fit::No(before.id.clone()),
                _ if kind == EntryKind::End => Fit::Orphan,
                before => Fit::No(before.and_then(|before| before.id.clone())),
            },
            (_, Some(after)) if !after.follows(Some(&place)) => Fit::No(after.id.clone()),
            _ => Fit::Yes,
        }
    }
}
