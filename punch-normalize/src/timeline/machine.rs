use alloc::vec::Vec;

use chrono::{DateTime, TimeDelta, Utc};

use super::finding::{Exceptions, Finding};
use super::mark::Mark;
use super::settings::TimelineRules;
use crate::{Direction, DirectionSource};

/// What is said of a mark's direction before its neighbours are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) direction: Direction,
    pub(super) source: DirectionSource,
    pub(super) confidence: u8,
}

/// Confidence of what alternation says, in percent.
const ALTERNATED: u8 = 60;
/// Confidence of a direction that was put in the place of a wrong key.
const REPAIRED: u8 = 30;

/// Walks through the kept marks of a person in time order, and says of each what it was and which shift it belongs to.
///
/// It remembers one shift, so that a walk can begin in the middle of a history.
#[derive(Debug, Clone, Default)]
pub(super) struct Machine {
    shift: Option<Shift>,
}

/// The shift that the last mark belonged to.
#[derive(Debug, Clone, Copy)]
struct Shift {
    /// The number of the shift.
    number: usize,
    begun: DateTime<Utc>,
    /// The arrival that no departure has followed.
    open: Option<Point>,
    /// The last arrival of the shift that a departure has followed, and that departure.
    last_in: Option<Point>,
    last_out: Option<Point>,
    /// The break that nobody has come back from.
    on_break: Option<Point>,
}

#[derive(Debug, Clone, Copy)]
struct Point {
    index: usize,
    at: DateTime<Utc>,
}

/// A walk's result: findings of the kept marks, and the number of each one's shift.
pub(super) struct Walk<'a> {
    pub(super) marks: &'a [Mark],
    pub(super) findings: &'a mut [Finding],
    pub(super) shifts: &'a mut Vec<Option<usize>>,
    pub(super) rules: &'a TimelineRules,
    count: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        marks: &'a [Mark],
        findings: &'a mut [Finding],
        shifts: &'a mut Vec<Option<usize>>,
        rules: &'a TimelineRules,
    ) -> Self {
        Self { marks, findings, shifts, rules, count: 0 }
    }

    fn flag(&mut self, index: usize, exception: Exceptions) {
        if let Some(finding) = self.findings.get_mut(index) {
            finding.exceptions.add(exception);
        }
    }

    fn say(&mut self, index: usize, said: Said) {
        if let Some(finding) = self.findings.get_mut(index) {
            (finding.direction, finding.source) = (said.direction, said.source);
            finding.confidence = said.confidence;
        }
    }

    fn belongs(&mut self, index: usize, number: usize) {
        if let Some(slot) = self.shifts.get_mut(index) {
            *slot = Some(number);
        }
    }

    fn next_shift(&mut self) -> usize {
        let number = self.count;
        self.count = self.count.saturating_add(1);
        number
    }
}

impl Machine {
    /// The next kept mark. `same_window` is false if a schedule puts it into another shift than the one before.
    pub(super) fn step(&mut self, index: usize, said: Option<Said>, same_window: bool, walk: &mut Walk<'_>) {
        let Some(mark) = walk.marks.get(index) else { return };
        let now = Point { index, at: mark.at };
        self.overdue(now.at, walk);
        if !same_window {
            self.end_window(walk);
        }
        let Some(said) = said else { return self.alternate(now, walk) };
        walk.say(index, said);
        if said.source == DirectionSource::Repair {
            walk.flag(index, Exceptions::WRONG_KEY);
        }
        match said.direction {
            Direction::In | Direction::OvertimeIn => self.arrive(now, said.direction == Direction::In, walk),
            Direction::Out | Direction::OvertimeOut => self.depart(now, walk),
            Direction::BreakOut => self.take_break(now, walk),
            Direction::BreakIn => self.come_back(now, walk),
            Direction::Intermediate | Direction::Unknown => self.join(now, walk),
        }
    }

    /// Nothing more is coming before `until`: whoever has not left by then has forgotten to say so.
    pub(super) fn finish(&mut self, until: DateTime<Utc>, walk: &mut Walk<'_>) {
        self.overdue(until, walk);
    }

    /// Forgets an arrival that is too long ago for a departure.
    fn overdue(&mut self, at: DateTime<Utc>, walk: &mut Walk<'_>) {
        let Some(shift) = &mut self.shift else { return };
        let Some(open) = shift.open else { return };
        if at.signed_duration_since(open.at) > walk.rules.max_shift {
            walk.flag(open.index, Exceptions::MISSING_OUT);
            self.shift = None;
        }
    }

    /// The next mark lies in the window of another shift.
    fn end_window(&mut self, walk: &mut Walk<'_>) {
        if let Some(open) = self.shift.take().and_then(|shift| shift.open) {
            walk.flag(open.index, Exceptions::MISSING_OUT);
        }
    }

    /// Nothing is said: whoever is there leaves, whoever is not comes.
    fn alternate(&mut self, now: Point, walk: &mut Walk<'_>) {
        if !walk.rules.infer {
            return self.join(now, walk);
        }
        let is_there = self.shift.is_some_and(|shift| shift.open.is_some());
        let direction = if is_there { Direction::Out } else { Direction::In };
        walk.say(now.index, Said { direction, source: DirectionSource::Alternate, confidence: ALTERNATED });
        if is_there { self.depart(now, walk) } else { self.arrive(now, true, walk) }
    }

    fn arrive(&mut self, now: Point, plain: bool, walk: &mut Walk<'_>) {
        if let Some(shift) = &mut self.shift
            && shift.open.is_some()
        {
            walk.belongs(now.index, shift.number);
            // Overtime may begin without going home first.
            if plain {
                walk.flag(now.index, Exceptions::REPEAT_IN);
            }
            return;
        }
        match self.continued(now.at, walk.rules) {
            Some(shift) => {
                shift.open = Some(now);
                walk.belongs(now.index, shift.number);
            }
            None => self.begin(now, Some(now), walk),
        }
    }

    fn depart(&mut self, now: Point, walk: &mut Walk<'_>) {
        if let Some(shift) = &mut self.shift
            && let Some(open) = shift.open.take()
        {
            if let Some(on_break) = shift.on_break.take() {
                walk.flag(on_break.index, Exceptions::UNCLOSED_BREAK);
            }
            (shift.last_in, shift.last_out) = (Some(open), Some(now));
            return walk.belongs(now.index, shift.number);
        }
        // A second departure soon after the first: the later one counts.
        if let Some(shift) = &mut self.shift
            && let (Some(last_in), Some(last_out)) = (shift.last_in, shift.last_out)
            && now.at.signed_duration_since(last_in.at) <= walk.rules.max_shift
            && now.at.signed_duration_since(last_out.at) < walk.rules.shift_gap
        {
            shift.last_out = Some(now);
            walk.flag(now.index, Exceptions::REPEAT_OUT);
            return walk.belongs(now.index, shift.number);
        }
        self.begin(now, None, walk);
        walk.flag(now.index, Exceptions::MISSING_IN);
    }

    fn take_break(&mut self, now: Point, walk: &mut Walk<'_>) {
        match &mut self.shift {
            Some(shift) if shift.open.is_some() => {
                if let Some(before) = shift.on_break.replace(now) {
                    walk.flag(before.index, Exceptions::UNCLOSED_BREAK);
                }
                walk.belongs(now.index, shift.number);
            }
            _ => {
                self.begin(now, None, walk);
                walk.flag(now.index, Exceptions::MISSING_IN);
            }
        }
    }

    fn come_back(&mut self, now: Point, walk: &mut Walk<'_>) {
        if let Some(shift) = &mut self.shift
            && shift.open.is_some()
        {
            if shift.on_break.take().is_none() {
                walk.flag(now.index, Exceptions::MISSING_BREAK_OUT);
            }
            return walk.belongs(now.index, shift.number);
        }
        // Somebody went to the break with the key for going home.
        match self.continued(now.at, walk.rules) {
            Some(shift) => {
                shift.open = Some(now);
                walk.belongs(now.index, shift.number);
            }
            None => {
                self.begin(now, Some(now), walk);
                walk.flag(now.index, Exceptions::MISSING_IN);
            }
        }
    }

    /// A mark without a direction belongs to the shift around it, if there is one, and changes nothing.
    fn join(&mut self, now: Point, walk: &mut Walk<'_>) {
        let around = self.shift.filter(|shift| shift.open.is_some()).map(|shift| shift.number);
        let number = around.or_else(|| self.continued(now.at, walk.rules).map(|shift| shift.number));
        match number {
            Some(number) => walk.belongs(now.index, number),
            None => self.begin(now, None, walk),
        }
    }

    /// The shift that an arrival goes on with: the pause was short, and the shift has not gone on for too long.
    fn continued(&mut self, at: DateTime<Utc>, rules: &TimelineRules) -> Option<&mut Shift> {
        let since = |then: DateTime<Utc>| -> TimeDelta { at.signed_duration_since(then) };
        self.shift.as_mut().filter(|shift| {
            let paused = shift.last_out.is_some_and(|out| since(out.at) < rules.shift_gap);
            paused && shift.last_in.is_some() && since(shift.begun) <= rules.max_shift
        })
    }

    fn begin(&mut self, now: Point, open: Option<Point>, walk: &mut Walk<'_>) {
        let number = walk.next_shift();
        let (last_in, last_out, on_break) = (None, None, None);
        self.shift = Some(Shift { number, begun: now.at, open, last_in, last_out, on_break });
        walk.belongs(now.index, number);
    }
}

/// A departure without an arrival, followed by another one that could be its departure: the wrong key was pressed. Says
/// which marks were arrivals.
pub(super) fn repair_wrong_keys(said: &mut [Option<Said>], marks: &[Mark], kept: &[usize], rules: &TimelineRules) {
    let mut open: Option<DateTime<Utc>> = None;
    for (place, &index) in kept.iter().enumerate() {
        let next = kept.get(place.saturating_add(1)).copied();
        let (Some(mark), Some(Some(this))) = (marks.get(index), said.get(index).copied()) else {
            open = None;
            continue;
        };
        let within = |from: DateTime<Utc>, to: DateTime<Utc>| to.signed_duration_since(from) <= rules.max_shift;
        if this.direction.plain() == Direction::In {
            open = Some(mark.at);
        } else if this.direction.plain() == Direction::Out && open.take().is_none_or(|since| !within(since, mark.at)) {
            let leaves = |next: usize| {
                let later = marks.get(next).is_some_and(|next| within(mark.at, next.at));
                later && said.get(next).is_some_and(|said| said.is_some_and(|said| said.direction == Direction::Out))
            };
            let is_wrong = this.direction == Direction::Out && this.source == DirectionSource::State;
            if is_wrong
                && next.is_some_and(leaves)
                && let Some(slot) = said.get_mut(index)
            {
                let (direction, source) = (Direction::In, DirectionSource::Repair);
                *slot = Some(Said { direction, source, confidence: REPAIRED });
                open = Some(mark.at);
            }
        }
    }
}
