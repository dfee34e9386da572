use core::ops::ControlFlow;
use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use punch_normalize::timeline::{DirectionRule, Finding, History, Mark, SessionId, TimelineRules, infer};
use punch_normalize::{Direction, EventId};
use punch_protocol::Pin;

use super::ledger::Ledger;

/// A punch that was delivered, as its person's other punches are concerned.
#[derive(Debug, Clone)]
pub struct Known {
    /// When, where, and what was said of its direction.
    pub mark: Mark,
    /// What was told of it last; `None` if it is of a time when nothing but its own key was told, and that stays.
    pub told: Option<Told>,
    /// How often it was told anew.
    pub revision: u32,
}

/// What was told of a punch, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The direction.
    pub direction: Direction,
    /// What that rests on, as a word.
    pub source: String,
    /// How sure it is, in percent.
    pub confidence: u8,
    /// The shift.
    pub session: Option<String>,
    /// The day of the shift.
    pub business_date: Option<NaiveDate>,
    /// What is missing or odd, as words with commas between.
    pub exceptions: String,
}

impl From<&Finding> for Told {
    fn from(finding: &Finding) -> Self {
        Self {
            direction: finding.direction,
            source: finding.source.as_str().to_owned(),
            confidence: finding.confidence,
            session: finding.session.as_ref().map(|session: &SessionId| session.to_string()),
            business_date: finding.business_date,
            exceptions: finding.exceptions.words().collect::<Vec<_>>().join(","),
        }
    }
}

impl Told {
    /// Whether receivers have to hear of the difference. Of how sure something is, or what is missing, they need not.
    fn misleads(&self, now: &Self) -> bool {
        (self.direction, &self.session, self.business_date) != (now.direction, &now.session, now.business_date)
    }

    fn has_left(&self) -> bool {
        matches!(self.direction, Direction::Out | Direction::OvertimeOut)
    }
}

/// What fresh punches of one person mean, and what they change.
#[derive(Debug)]
pub(super) struct Judgement {
    /// What was found of every punch looked at.
    pub(super) findings: BTreeMap<EventId, Finding>,
    /// The known punches of which something else is found than was told, in time order.
    pub(super) changed: Vec<Changed>,
}

/// A known punch of which something else is found now.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) known: Known,
    /// Why receivers have to hear of it, as a word; `None` if they need not.
    pub(super) reason: Option<&'static str>,
}

/// Looks at fresh punches of one person, in time order, among those that are known.
pub(super) fn judge<L: Ledger>(
    pin: &Pin<'static>,
    fresh: &[Mark],
    rules: &TimelineRules,
    ledger: &mut L,
) -> Result<Judgement, L::Error> {
    let (Some(first), Some(last)) = (fresh.first(), fresh.last()) else {
        return Ok(Judgement { findings: BTreeMap::new(), changed: Vec::new() });
    };
    let mut known = before(pin, first.at, rules, ledger)?;
    after(pin, first.at, last.at, rules, ledger, &mut known)?;
    let marks = |with: &[Mark]| known.iter().map(|known| known.mark.clone()).chain(with.iter().cloned()).collect();
    let findings = find(marks(fresh), rules);
    let mut earlier: Option<BTreeMap<EventId, Finding>> = None;
    let mut changed = Vec::new();
    for known in &known {
        let id = &known.mark.event_id;
        let (Some(told), Some(finding)) = (&known.told, findings.get(id)) else { continue };
        let now = Told::from(finding);
        if *told == now {
            continue;
        }
        // Rules that somebody has changed since, or where the look around has ended, are no reason to tell the past anew:
        // only what these punches change is.
        let earlier = earlier.get_or_insert_with(|| find(marks(&[]), rules));
        if earlier.get(id) == Some(finding) {
            continue;
        }
        let late = if first.at <= known.mark.at { "late_row" } else { "later_row" };
        changed.push(Changed { known: known.clone(), reason: told.misleads(&now).then_some(late) });
    }
    Ok(Judgement { findings, changed })
}

fn find(mut marks: Vec<Mark>, rules: &TimelineRules) -> BTreeMap<EventId, Finding> {
    let findings = infer(&mut marks, rules, None);
    marks.into_iter().map(|mark| mark.event_id).zip(findings).collect()
}

/// The known punches before `first` that its meaning can depend on, in time order.
fn before<L: Ledger>(
    pin: &Pin<'static>,
    first: DateTime<Utc>,
    rules: &TimelineRules,
    ledger: &mut L,
) -> Result<Vec<Known>, L::Error> {
    let mut found: Vec<Known> = Vec::new();
    ledger.look_back(pin, first, &mut |known| {
        // Of what lies between two known punches everything is settled. Next to a fresh one, only a departure is.
        let is_apart = match found.last() {
            Some(later) => is_apart(&known, Some(later), later.mark.at, rules),
            None => known.told.as_ref().is_some_and(Told::has_left) && is_apart(&known, None, first, rules),
        };
        if !is_apart {
            found.push(known);
        }
        if is_apart || found.len() >= History::MARKS_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    found.reverse();
    Ok(found)
}

/// Adds the known punches from `first` on that can mean something else now.
fn after<L: Ledger>(
    pin: &Pin<'static>,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    rules: &TimelineRules,
    ledger: &mut L,
    known: &mut Vec<Known>,
) -> Result<(), L::Error> {
    let (mut previous, mut behind) = (first, 0);
    ledger.look_ahead(pin, first, &mut |next| {
        let pause = next.mark.at.signed_duration_since(previous.max(last));
        behind += usize::from(next.mark.at > last);
        previous = next.mark.at;
        // The first one out of reach says still that somebody before it has not left.
        known.push(next);
        let is_over = pause > longest_reach(rules) || behind >= History::MARKS_MAX;
        if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
}

/// Whether nothing reaches from a known punch to the next one, or to a fresh one at `at`.
fn is_apart(one: &Known, next: Option<&Known>, at: DateTime<Utc>, rules: &TimelineRules) -> bool {
    let pause = at.signed_duration_since(one.mark.at);
    if pause > longest_reach(rules) {
        return true;
    }
    let Some(told) = &one.told else { return false };
    if rules.direction == DirectionRule::FirstLast {
        let next = next.and_then(|next| next.told.as_ref());
        return next.is_some_and(|next| next.business_date != told.business_date);
    }
    told.has_left() && pause >= rules.shift_gap
}

/// The longest pause over which one punch can say something of another.
fn longest_reach(rules: &TimelineRules) -> TimeDelta {
    if rules.direction == DirectionRule::FirstLast { TimeDelta::days(1) } else { rules.max_shift.max(rules.shift_gap) }
}
