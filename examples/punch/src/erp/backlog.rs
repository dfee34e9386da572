//! What is read and not yet in the ERP: whose turn it is, and what becomes of it. No clock and no socket.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use punch_erp::{Outcome, ParkReason, RetryReason};
use punch_webhook::ReceivedEvent;
use sinks::{Reach, Takes, telling};

/// Everything that was read, by person, and how it stands.
#[derive(Debug)]
pub(super) struct Backlog {
    takes: Takes,
    reach: Option<Reach>,
    patience: TimeDelta,
    people: BTreeMap<String, Person>,
    /// Whose event it is.
    owners: BTreeMap<String, String>,
}

/// What is said of one line of the input.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub(super) event_id: String,
    pub(super) outcome: Outcome,
}

/// Events of one person that are to be written together.
#[derive(Debug)]
pub(super) struct Batch {
    person: String,
    /// In order of time.
    pub(super) events: Vec<ReceivedEvent>,
    /// For each of them, the items that its outcome is about.
    items: Vec<Vec<usize>>,
}

#[derive(Debug, Default)]
struct Person {
    items: Vec<Item>,
    /// Not before then is it tried again.
    not_before: Option<DateTime<Utc>>,
    /// Since when nothing has become of it.
    since: Option<DateTime<Utc>>,
    failures: u32,
}

#[derive(Debug)]
struct Item {
    event: ReceivedEvent,
    event_id: String,
    punch_id: String,
    number: u32,
    at: DateTime<Utc>,
    /// How many lines have the event.
    lines: usize,
    state: State,
}

#[derive(Debug, PartialEq)]
enum State {
    Waiting,
    /// Where a record is made of several punches: another one may change it. When it was judged first.
    Provisional(Outcome, DateTime<Utc>),
    /// As this, should the event come again.
    Settled(Outcome),
}

impl Backlog {
    pub(super) fn new(takes: Takes, reach: Option<Reach>, patience: TimeDelta) -> Self {
        Self { takes, reach, patience, people: BTreeMap::new(), owners: BTreeMap::new() }
    }

    /// Takes an event. What can be said of it at once is said.
    pub(super) fn take(&mut self, event: ReceivedEvent) -> Option<Told> {
        let event_id = event.event_id().to_string();
        let Some((punch, number)) = telling(&event).filter(|_| self.takes.wants(&event)) else {
            return Some(Told { event_id, outcome: Outcome::Park(ParkReason::LeftOut) });
        };
        let (badge, punch_id, at) = (punch.badge.clone(), punch.event_id.to_string(), punch.at);
        if let Some(owner) = self.owners.get(&event_id) {
            let item = self.people.get_mut(owner)?.items.iter_mut().find(|item| item.event_id == event_id)?;
            return item.told_again();
        }
        self.owners.insert(event_id.clone(), badge.clone());
        let item = Item { event, event_id, punch_id, number, at, lines: 1, state: State::Waiting };
        self.people.entry(badge).or_default().items.push(item);
        None
    }

    /// Whose turn it is.
    pub(super) fn due(&self, now: DateTime<Utc>) -> Vec<Batch> {
        let is_due = |person: &Person| person.is_waiting() && person.not_before.is_none_or(|at| at <= now);
        self.people
            .iter()
            .filter(|(_, person)| is_due(person))
            .map(|(badge, person)| self.batch(badge, person))
            .collect()
    }

    /// When the next one has its turn, if anybody waits.
    pub(super) fn next_at(&self) -> Option<DateTime<Utc>> {
        let waiting = self.people.values().filter(|person| person.is_waiting());
        waiting.map(|person| person.not_before.unwrap_or(DateTime::<Utc>::MIN_UTC)).min()
    }

    /// When something is [ripe](Self::ripe).
    pub(super) fn ripe_at(&self) -> Option<DateTime<Utc>> {
        let items = self.people.values().flat_map(|person| &person.items);
        let since = |item: &Item| match item.state {
            State::Provisional(_, since) => Some(since),
            State::Waiting | State::Settled(_) => None,
        };
        items.filter_map(since).min().map(|since| since + RIPE)
    }

    fn batch(&self, badge: &str, person: &Person) -> Batch {
        let open = || person.items.iter().enumerate().filter(|(_, item)| item.is_open());
        let mut picks: Vec<(usize, Vec<usize>)> = match self.reach {
            None => {
                open().filter(|(_, item)| item.state == State::Waiting).map(|(index, _)| (index, vec![index])).collect()
            }
            Some(reach) => {
                let times = open().map(|(_, item)| item.at);
                let (first, last) = (times.clone().min().unwrap_or_default(), times.max().unwrap_or_default());
                let around = |at: DateTime<Utc>| first - at <= reach.time && at - last <= reach.time;
                let wanted = |item: &Item| item.is_open() || (!reach.waiting_only && around(item.at));
                let mut punches: BTreeMap<&str, (usize, Vec<usize>)> = BTreeMap::new();
                for (index, item) in person.items.iter().enumerate().filter(|(_, item)| wanted(item)) {
                    let (newest, members) = punches.entry(&item.punch_id).or_insert((index, Vec::new()));
                    if person.items.get(*newest).is_some_and(|known| known.number < item.number) {
                        *newest = index;
                    }
                    if item.is_open() {
                        members.push(index);
                    }
                }
                punches.into_values().collect()
            }
        };
        let key =
            |(index, _): &(usize, Vec<usize>)| person.items.get(*index).map(|item| (item.at, item.number, *index));
        picks.sort_by_key(key);
        let events = picks.iter().filter_map(|(index, _)| person.items.get(*index)).map(|item| item.event.clone());
        Batch {
            person: badge.to_owned(),
            events: events.collect(),
            items: picks.into_iter().map(|(_, items)| items).collect(),
        }
    }

    /// Takes what became of a batch, and says what is certain by that.
    pub(super) fn settle(&mut self, batch: &Batch, outcomes: &[Outcome], now: DateTime<Utc>) -> Vec<Told> {
        let Some(person) = self.people.get_mut(&batch.person) else { return Vec::new() };
        let (mut told, mut retried, mut waits, mut waiting) = (Vec::new(), BTreeSet::new(), Vec::new(), 0);
        let mut is_paced = true;
        for (items, outcome) in batch.items.iter().zip(outcomes) {
            for index in items {
                let Some(item) = person.items.get_mut(*index) else { continue };
                waiting += usize::from(item.state == State::Waiting);
                match outcome {
                    Outcome::Retry { after, reason } if item.state == State::Waiting => {
                        retried.insert(*index);
                        is_paced &= is_pace(reason);
                        waits.push(after.unwrap_or_default());
                    }
                    // It was judged before, and may be once more.
                    Outcome::Retry { .. } => {}
                    outcome if self.reach.is_some() => item.judge(outcome, now),
                    outcome => told.extend(item.settle(outcome)),
                }
            }
        }
        if retried.len() < waiting || retried.is_empty() {
            (person.since, person.failures, person.not_before) = (None, 0, None);
        }
        let asked = waits.into_iter().min();
        if let Some(asked) = asked.filter(|_| is_paced) {
            // Nothing has failed: it is not its turn yet.
            person.not_before = Some(now + asked.max(TimeDelta::milliseconds(50)));
            if asked > self.patience.max(PACE) {
                told.extend(person.give_up(&retried, batch, outcomes));
            }
        } else if let Some(asked) = asked {
            let since = *person.since.get_or_insert(now);
            person.failures += 1;
            let again = now + asked.max(pause(person.failures));
            person.not_before = Some(again);
            if again - since > self.patience {
                told.extend(person.give_up(&retried, batch, outcomes));
            }
        }
        told
    }

    /// Says of everything that is left how it stands.
    pub(super) fn finish(&mut self) -> Vec<Told> {
        let items = self.people.values_mut().flat_map(|person| &mut person.items);
        let last = |item: &mut Item| match &item.state {
            State::Provisional(outcome, _) => item.settle(&outcome.clone()),
            State::Waiting => item.settle(&Outcome::Retry { after: None, reason: RetryReason::HeldBack }),
            State::Settled(_) => Vec::new(),
        };
        items.flat_map(last).collect()
    }

    /// Says what has not been changed for long, while there is no end of the input.
    pub(super) fn ripe(&mut self, now: DateTime<Utc>) -> Vec<Told> {
        let items = self.people.values_mut().flat_map(|person| &mut person.items);
        let ripe = |item: &mut Item| match &item.state {
            State::Provisional(outcome, since) if now - *since >= RIPE => item.settle(&outcome.clone()),
            State::Provisional(..) | State::Waiting | State::Settled(_) => Vec::new(),
        };
        items.flat_map(ripe).collect()
    }
}

/// How long an outcome may still change: a pipe that ends sooner is told of as a whole.
const RIPE: TimeDelta = TimeDelta::seconds(10);

/// However little the patience is, the gap that an ERP wants between two calls is waited for.
const PACE: TimeDelta = TimeDelta::seconds(60);

/// Whether an ERP, or our way to it, takes so many at a time: those that were not in the call, or of which a refused call is
/// being narrowed down to the one to blame.
fn is_pace(reason: &RetryReason) -> bool {
    matches!(reason, RetryReason::HeldBack) || reason.code() == "refused"
}

/// How long to wait after so many failures: 1, 2, 4, 8, 16, then 30 seconds.
fn pause(failures: u32) -> TimeDelta {
    TimeDelta::seconds(1_i64.checked_shl(failures.saturating_sub(1)).unwrap_or(30).clamp(1, 30))
}

impl Person {
    fn is_waiting(&self) -> bool {
        self.items.iter().any(|item| item.state == State::Waiting)
    }

    fn give_up(&mut self, retried: &BTreeSet<usize>, batch: &Batch, outcomes: &[Outcome]) -> Vec<Told> {
        (self.since, self.failures, self.not_before) = (None, 0, None);
        let mut told = Vec::new();
        for (items, outcome) in batch.items.iter().zip(outcomes) {
            for index in items.iter().filter(|index| retried.contains(index)) {
                told.extend(self.items.get_mut(*index).map(|item| item.settle(outcome)).unwrap_or_default());
            }
        }
        told
    }
}

impl Item {
    fn is_open(&self) -> bool {
        matches!(self.state, State::Waiting | State::Provisional(..))
    }

    /// Keeps what it comes to for now. What was written by this run stays `applied`, however often it is looked at.
    fn judge(&mut self, outcome: &Outcome, now: DateTime<Utc>) {
        let (earlier, since) = match &self.state {
            State::Provisional(earlier, since) => (Some(earlier), *since),
            State::Waiting | State::Settled(_) => (None, now),
        };
        let outcome = match (earlier, outcome) {
            (Some(Outcome::Applied { .. }), Outcome::AlreadyThere { remote_id }) => {
                Outcome::Applied { remote_id: remote_id.clone() }
            }
            (_, outcome) => outcome.clone(),
        };
        self.state = State::Provisional(outcome, since);
    }

    /// Says it once for each line, and remembers it for the next.
    fn settle(&mut self, outcome: &Outcome) -> Vec<Told> {
        let lines = std::mem::take(&mut self.lines);
        self.state = State::Settled(again(outcome));
        let told = |number| Told {
            event_id: self.event_id.clone(),
            outcome: if number == 0 { outcome.clone() } else { again(outcome) },
        };
        (0..lines).map(told).collect()
    }

    fn told_again(&mut self) -> Option<Told> {
        match &self.state {
            State::Settled(outcome) => Some(Told { event_id: self.event_id.clone(), outcome: outcome.clone() }),
            State::Waiting | State::Provisional(..) => {
                self.lines += 1;
                None
            }
        }
    }
}

/// What a repetition comes to.
fn again(outcome: &Outcome) -> Outcome {
    match outcome {
        Outcome::Applied { remote_id } => Outcome::AlreadyThere { remote_id: remote_id.clone() },
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use punch_webhook::Verified;

    use super::*;

    fn event(id: &str, badge: &str, second: u32) -> ReceivedEvent {
        let body = format!(
            r#"{{"event_id":"{id}","employee_id":"{badge}","timestamp":"2026-03-28T08:00:{second:02}Z","direction":"in"}}"#
        );
        Verified::assume_verified(body.as_bytes()).event().unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn retry() -> Outcome {
        Outcome::Retry { after: None, reason: RetryReason::Unconfirmed }
    }

    fn applied() -> Outcome {
        Outcome::Applied { remote_id: "1".to_owned() }
    }

    fn words(told: &[Told]) -> Vec<(&str, &'static str)> {
        told.iter().map(|told| (told.event_id.as_str(), told.outcome.word())).collect()
    }

    #[test]
    fn the_punches_of_a_person_have_their_turn_in_order_of_time_and_each_line_is_answered() {
        let mut backlog = Backlog::new(Takes::Punches, None, TimeDelta::seconds(60));
        for (id, second) in [("evt_b", 9), ("evt_a", 3), ("evt_b", 9)] {
            assert_eq!(backlog.take(event(id, "1", second)), None);
        }
        let [batch] = <[Batch; 1]>::try_from(backlog.due(at(0))).unwrap();
        let ids: Vec<_> = batch.events.iter().map(|event| event.event_id().to_string()).collect();
        assert_eq!(ids, ["evt_a", "evt_b"]);
        let told = backlog.settle(&batch, &[applied(), applied()], at(0));
        assert_eq!(words(&told), [("evt_a", "applied"), ("evt_b", "applied"), ("evt_b", "already")]);
        let again = backlog.take(event("evt_a", "1", 3)).unwrap();
        assert_eq!(again.outcome.word(), "already");
        assert!(backlog.finish().is_empty() && backlog.next_at().is_none());
    }

    #[test]
    fn what_fails_is_tried_again_until_the_patience_ends() {
        let mut backlog = Backlog::new(Takes::Punches, None, TimeDelta::seconds(10));
        assert_eq!(backlog.take(event("evt_a", "1", 3)), None);
        let (mut now, mut tries) = (at(0), 0);
        let told = loop {
            assert_eq!(backlog.next_at().map(|next| next.max(now)), Some(now));
            let batches = backlog.due(now);
            tries += 1;
            let told = backlog.settle(&batches[0], &[retry()], now);
            if !told.is_empty() {
                break told;
            }
            assert!(backlog.due(now).is_empty(), "it waits");
            now = backlog.next_at().unwrap();
        };
        // At 0, 1, 3 and 7 seconds; the next one would be at 15.
        assert_eq!((words(&told), tries, now), (vec![("evt_a", "retry")], 4, at(7)));
    }

    #[test]
    fn what_a_call_has_no_room_for_waits_its_turn_whatever_the_patience() {
        let mut backlog = Backlog::new(Takes::Punches, None, TimeDelta::zero());
        let held = |seconds| Outcome::Retry { after: Some(TimeDelta::seconds(seconds)), reason: RetryReason::HeldBack };
        assert_eq!(backlog.take(event("evt_a", "1", 3)), None);
        for second in 0..100 {
            let batch = backlog.due(at(6 * second)).remove(0);
            assert!(backlog.settle(&batch, &[held(6)], at(6 * second)).is_empty());
        }
        let batch = backlog.due(at(600)).remove(0);
        // The day has no call left.
        assert_eq!(words(&backlog.settle(&batch, &[held(3600)], at(600))), [("evt_a", "retry")]);
    }

    #[test]
    fn an_outcome_that_another_punch_may_change_is_told_at_the_end() {
        let reach = Reach { time: TimeDelta::hours(1), waiting_only: false };
        let mut backlog = Backlog::new(Takes::Revisions, Some(reach), TimeDelta::zero());
        assert_eq!(backlog.take(event("evt_a", "1", 3)), None);
        let batch = backlog.due(at(0)).remove(0);
        assert!(backlog.settle(&batch, &[applied()], at(0)).is_empty());
        assert_eq!(backlog.take(event("evt_b", "1", 9)), None);
        let batch = backlog.due(at(1)).remove(0);
        assert_eq!(batch.events.len(), 2, "with what is known of the person");
        let missing = Outcome::Park(ParkReason::MissingOut { remote_id: "1".to_owned() });
        assert!(backlog.settle(&batch, &[missing, applied()], at(1)).is_empty());
        assert!(backlog.ripe(at(9)).is_empty());
        assert_eq!(words(&backlog.finish()), [("evt_a", "parked"), ("evt_b", "applied")]);
    }
}
