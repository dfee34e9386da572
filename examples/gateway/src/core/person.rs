use core::ops::ControlFlow;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use punch_normalize::timeline::{DirectionRule, Finding, History, Mark, SessionId, TimelineRules};
use punch_normalize::{Direction, Person, Punch};
use punch_protocol::SerialNumber;

use super::ledger::Ledger;

/// A punch that is known, as its person's other punches are concerned.
#[derive(Debug, Clone)]
pub struct Known {
    /// When, where, and what was said of its direction. It is published unless it was suppressed.
    pub mark: Mark,
    /// Whose it is.
    pub person: Person,
    /// The terminal.
    pub serial: SerialNumber,
    /// The site of the terminal.
    pub site: Option<String>,
    /// What was told of it last; `None` if it was suppressed, or is of a time when nothing but its own key was told, and
    /// that stays.
    pub told: Option<Told>,
    /// How often it was told anew.
    pub revision: u32,
    /// Whether it was too old to be told without being asked for.
    pub is_historic: bool,
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

impl From<&Punch> for Told {
    fn from(punch: &Punch) -> Self {
        Self {
            direction: punch.direction,
            source: punch.direction_source.as_str().to_owned(),
            confidence: punch.confidence.unwrap_or(0),
            session: punch.session.as_ref().map(|session: &SessionId| session.to_string()),
            business_date: punch.business_date,
            exceptions: punch.exceptions.words().collect::<Vec<_>>().join(","),
        }
    }
}

impl Told {
    /// Whether receivers have to hear of the difference. Of what something rests on, and how sure it is, they need not.
    pub(super) fn misleads(&self, now: &Self) -> bool {
        let heard = |told: &Self| {
            let Self { direction, session, business_date, exceptions, .. } = told.clone();
            (direction, session, business_date, exceptions)
        };
        heard(self) != heard(now)
    }

    fn has_left(&self) -> bool {
        matches!(self.direction, Direction::Out | Direction::OvertimeOut)
    }
}

/// The punches around those of one person that come now, from `first` to `last`: all that these can say something of, or
/// that can say something of these, in time order.
pub(super) fn around<L: Ledger>(
    person: &Person,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    rules: &TimelineRules,
    ledger: &mut L,
) -> Result<Vec<Known>, L::Error> {
    let mut known = before(person, first, rules, ledger)?;
    after(person, first, last, rules, ledger, &mut known)?;
    Ok(known)
}

/// The known punches before `first` that its meaning can depend on, in time order.
fn before<L: Ledger>(
    person: &Person,
    first: DateTime<Utc>,
    rules: &TimelineRules,
    ledger: &mut L,
) -> Result<Vec<Known>, L::Error> {
    let mut found: Vec<Known> = Vec::new();
    ledger.look_back(person, first, &mut |known| {
        // A second punch stands behind the one it is a second of, and says nothing of where a shift ends.
        let later = found.iter().rev().find(|later| later.mark.is_published);
        // Of what lies between two known punches everything is settled. Next to a fresh one, only a departure is.
        let is_apart = known.mark.is_published
            && match later {
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
    person: &Person,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    rules: &TimelineRules,
    ledger: &mut L,
    known: &mut Vec<Known>,
) -> Result<(), L::Error> {
    let (mut previous, mut behind) = (first, 0);
    ledger.look_ahead(person, first, &mut |next| {
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
    if pause < rules.bounce.window {
        return false;
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
    let of_shifts = match rules.direction {
        DirectionRule::FirstLast => TimeDelta::days(1),
        _ => rules.max_shift.max(rules.shift_gap),
    };
    of_shifts.max(rules.bounce.window)
}
