use alloc::collections::{BTreeSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use punch_normalize::EventId;

use crate::claims::{Claims, Held};

/// Which events a receiver has: its side of "once", for receivers without a database.
///
/// Delivery is at least once, so the same event comes again: after a lost answer, from a second sender, on a replay.
///
/// | sighting | do | answer |
/// |---|---|---|
/// | [`Fresh`](Sighting::Fresh) | process it, then [`done`](Self::done) | 200 |
/// | [`Duplicate`](Sighting::Duplicate) | nothing | 200 |
/// | [`InProgress`](Sighting::InProgress), [`Busy`](Sighting::Busy) | nothing | 503 with `Retry-After` |
///
/// A claim that is dropped, by an error or a lost task, makes its event fresh again. An event is forgotten after
/// [`SeenLimits::horizon`], or earlier if [`SeenLimits::max_events`] came after it, or when the process ends: what must
/// survive that belongs into a table, see below.
///
/// ```
/// use chrono::DateTime;
/// use punch_normalize::EventId;
/// use punch_webhook::{Seen, SeenLimits, Sighting};
///
/// let (mut seen, id, now) = (Seen::new(SeenLimits::default()), EventId::parse("evt_1")?, DateTime::UNIX_EPOCH);
/// let Sighting::Fresh(claim) = seen.see(&id, now) else { panic!("nobody has it") };
/// assert!(matches!(seen.see(&id, now), Sighting::InProgress)); // the sender was impatient
/// seen.done(claim, now); // the event is written to the ERP
/// assert!(matches!(seen.see(&id, now), Sighting::Duplicate));
/// # Ok::<(), punch_normalize::EventIdError>(())
/// ```
///
/// # With a database
///
/// Mark and process in one transaction. Marked before, a crash loses the punch; marked after, it doubles it. `SQLite`
/// and `PostgreSQL` take the same text:
///
/// ```
/// # fn main() -> Result<(), rusqlite::Error> {
/// use rusqlite::{Connection, params};
///
/// /// Whether the event was new. Answer 200 either way, but only after this returns.
/// fn book(db: &mut Connection, event_id: &str, badge: &str, at: &str) -> Result<bool, rusqlite::Error> {
///     let transaction = db.transaction()?; // rolls back if anything below fails
///     let fresh = transaction.execute(
///         "INSERT INTO seen (event_id) VALUES ($1) ON CONFLICT (event_id) DO NOTHING",
///         [event_id],
///     )? == 1;
///     if fresh {
///         transaction.execute("INSERT INTO attendance (badge, at) VALUES ($1, $2)", params![badge, at])?;
///     }
///     transaction.commit()?;
///     Ok(fresh)
/// }
///
/// let mut db = Connection::open_in_memory()?;
/// db.execute_batch(
///     "CREATE TABLE seen (event_id TEXT PRIMARY KEY, seen_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
///      CREATE TABLE attendance (badge TEXT NOT NULL, at TEXT NOT NULL CHECK (at <> ''));",
/// )?;
/// assert!(book(&mut db, "evt_1", "0042", "").is_err()); // refused: it is not marked either
/// assert!(book(&mut db, "evt_1", "0042", "2026-03-28T08:47:12Z")?);
/// assert!(!book(&mut db, "evt_1", "0042", "2026-03-28T08:47:12Z")?);
/// let booked: u32 = db.query_row("SELECT count(*) FROM attendance", [], |row| row.get(0))?;
/// assert_eq!(booked, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Seen {
    limits: SeenLimits,
    claims: Claims<EventId, ()>,
    done: BTreeSet<EventId>,
    /// The same events, the first that was done first.
    order: VecDeque<(DateTime<Utc>, EventId)>,
}

/// How much a [`Seen`] remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SeenLimits {
    /// How long an event is remembered after it was done. Default 7 days: senders try for three.
    pub horizon: TimeDelta,
    /// How many events are remembered. Default 100,000, about 13 MB with ids like ours.
    pub max_events: usize,
    /// How many may be in progress at a time. Default 1,024.
    pub max_in_progress: usize,
}

impl Default for SeenLimits {
    fn default() -> Self {
        Self { horizon: TimeDelta::days(7), max_events: 100_000, max_in_progress: 1_024 }
    }
}

/// What a receiver knows of an event that has come.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle every one; a new one is a breaking change")]
pub enum Sighting {
    /// Nobody has it: process it.
    Fresh(EventClaim),
    /// It is being processed. Whether that will succeed is not known, so do not say that it was received.
    InProgress,
    /// It was processed.
    Duplicate,
    /// As many are in progress as there may be.
    Busy,
}

/// The right to process one event. Dropping it makes the event fresh again.
#[derive(Debug)]
pub struct EventClaim {
    event_id: EventId,
    _held: Held,
}

impl Seen {
    /// After how many seconds an event in progress should come again: the value of `Retry-After`.
    pub const RETRY_AFTER: u32 = 1;

    /// Remembers nothing yet.
    pub fn new(limits: SeenLimits) -> Self {
        let claims = Claims::new(limits.max_in_progress);
        Self { limits, claims, done: BTreeSet::new(), order: VecDeque::new() }
    }

    /// An event has come.
    pub fn see(&mut self, event_id: &EventId, now: DateTime<Utc>) -> Sighting {
        self.forget(now);
        if self.done.contains(event_id) {
            return Sighting::Duplicate;
        }
        if self.claims.holder(event_id).is_some() {
            return Sighting::InProgress;
        }
        match self.claims.take(event_id.clone(), ()) {
            Some(held) => Sighting::Fresh(EventClaim { event_id: event_id.clone(), _held: held }),
            None => Sighting::Busy,
        }
    }

    /// The event was processed; answer only after this.
    pub fn done(&mut self, claim: EventClaim, now: DateTime<Utc>) {
        self.remember(claim.event_id, now);
    }

    /// Takes an event that was done at `at` back, from a file of the caller's. In the order they were done.
    pub fn remember(&mut self, event_id: EventId, at: DateTime<Utc>) {
        if self.done.insert(event_id.clone()) {
            self.order.push_back((at, event_id));
        }
        self.forget(at);
    }

    /// How many events are remembered.
    pub fn len(&self) -> usize {
        self.done.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.done.is_empty()
    }

    fn forget(&mut self, now: DateTime<Utc>) {
        let SeenLimits { horizon, max_events, .. } = self.limits;
        let is_old = |(at, _): &(DateTime<Utc>, EventId)| now.signed_duration_since(*at) > horizon;
        while self.done.len() > max_events || self.order.front().is_some_and(is_old) {
            let Some((_, event_id)) = self.order.pop_front() else { return };
            self.done.remove(&event_id);
        }
    }
}
