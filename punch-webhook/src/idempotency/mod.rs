mod answer;
mod error;
mod key;

use chrono::{DateTime, TimeDelta, Utc};

use crate::claims::{Claims, Held};

pub use answer::{AnswerTooLarge, SavedAnswer};
pub use error::IdempotencyError;
pub use key::{Fingerprint, IdempotencyKey};

/// Which requests with an `Idempotency-Key` are under way: a server's side of "once", without a socket or a store.
///
/// What was answered is kept in the store, written in the transaction of the effect, so that no crash leaves one
/// without the other. Only what is under way is kept here, at most [`Idempotency::MAX_IN_PROGRESS`] requests.
///
/// 1. [`begin`](Self::begin) gives a claim, or refuses what is under way.
/// 2. In one transaction: look the key up and [`check`](Claim::check) what is there; if the request is to be carried
///    out, do it and insert the [`record`](Claim::record) of its answer under a unique key of scope and key, in place
///    of an expired one. An insert that finds another one was overtaken by another replica: roll back, answer
///    [`InProgress`](IdempotencyError::InProgress).
/// 3. Drop the claim, whatever happened. A task that is lost drops it too.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use chrono::{DateTime, TimeDelta, Utc};
/// use punch_webhook::{
///     Execution, Fingerprint, Idempotency, IdempotencyError, IdempotencyKey, IdempotencyRecord, SavedAnswer,
/// };
///
/// /// Opens the door at most once a key. `store` stands for a table, the function for a transaction.
/// fn open(
///     key: &IdempotencyKey,
///     body: &[u8],
///     idempotency: &mut Idempotency,
///     store: &mut BTreeMap<IdempotencyKey, IdempotencyRecord>,
///     now: DateTime<Utc>,
/// ) -> Result<SavedAnswer, Box<dyn std::error::Error>> {
///     let claim = idempotency.begin(key, Fingerprint::of("POST", "/v1/doors/1/open", body), now)?;
///     if let Execution::Repeat(answer) = claim.check(store.get(key))? {
///         return Ok(answer.clone());
///     }
///     let answer = SavedAnswer::new(202, b"{}".to_vec())?; // the effect
///     if let Some(record) = claim.record(answer.clone()) {
///         store.insert(key.clone(), record);
///     }
///     Ok(answer)
/// }
///
/// let (mut idempotency, mut store, now) = (Idempotency::default(), BTreeMap::new(), DateTime::UNIX_EPOCH);
/// let key = IdempotencyKey::parse("tenant 1", "open-1")?;
/// let first = open(&key, b"{}", &mut idempotency, &mut store, now)?;
/// assert_eq!(open(&key, b"{}", &mut idempotency, &mut store, now + TimeDelta::hours(24))?, first);
/// let refused = open(&key, b"{\"for\":9}", &mut idempotency, &mut store, now).unwrap_err();
/// assert_eq!(refused.downcast_ref(), Some(&IdempotencyError::Reused));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Idempotency {
    claims: Claims<IdempotencyKey, Fingerprint>,
}

/// The right to carry out one request. Dropping it lets the next one with the same key begin.
#[derive(Debug)]
pub struct Claim {
    key: IdempotencyKey,
    fingerprint: Fingerprint,
    began_at: DateTime<Utc>,
    _held: Held,
}

/// What is to be done with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller must handle both; a third would be a breaking change")]
pub enum Execution<'r> {
    /// It is new: carry it out.
    Execute,
    /// It was carried out: give the answer of that time.
    Repeat(&'r SavedAnswer),
}

/// What a store keeps of a request that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the columns of a table; a store has to build it from all of them")]
pub struct IdempotencyRecord {
    /// The key, unique in the store.
    pub key: IdempotencyKey,
    /// What was asked for.
    pub fingerprint: Fingerprint,
    /// When the first request with this key began.
    pub began_at: DateTime<Utc>,
    /// What was answered.
    pub answer: SavedAnswer,
}

impl Idempotency {
    /// How long an answer is given again, from the first request on: 24 hours.
    pub const LIFETIME: TimeDelta = TimeDelta::hours(24);

    /// How long a store keeps an answer: an hour longer, for requests that came in time and are looked up late. No
    /// request may be under way for longer than that hour.
    pub const RETENTION: TimeDelta = TimeDelta::hours(25);

    /// How many requests may be under way at a time unless told otherwise.
    pub const MAX_IN_PROGRESS: usize = 1_024;

    /// For at most `max_in_progress` requests at a time.
    pub fn new(max_in_progress: usize) -> Self {
        Self { claims: Claims::new(max_in_progress) }
    }

    /// A request with this key has come.
    ///
    /// # Errors
    ///
    /// * [`IdempotencyError::InProgress`] while another one with this key is under way;
    /// * [`IdempotencyError::Reused`] if that one asks for something else;
    /// * [`IdempotencyError::Busy`] if too many are under way.
    pub fn begin(
        &mut self,
        key: &IdempotencyKey,
        fingerprint: Fingerprint,
        now: DateTime<Utc>,
    ) -> Result<Claim, IdempotencyError> {
        match self.claims.holder(key) {
            Some(held) if *held == fingerprint => return Err(IdempotencyError::InProgress),
            Some(_) => return Err(IdempotencyError::Reused),
            None => {}
        }
        let held = self.claims.take(key.clone(), fingerprint).ok_or(IdempotencyError::Busy)?;
        Ok(Claim { key: key.clone(), fingerprint, began_at: now, _held: held })
    }
}

impl Default for Idempotency {
    fn default() -> Self {
        Self::new(Self::MAX_IN_PROGRESS)
    }
}

impl Claim {
    /// What is to be done, by what the store has under this key.
    ///
    /// An answer that lived when the request came is given again, however long that took.
    ///
    /// # Errors
    ///
    /// [`IdempotencyError::Reused`] if another request has this key.
    pub fn check<'r>(&self, stored: Option<&'r IdempotencyRecord>) -> Result<Execution<'r>, IdempotencyError> {
        match stored.filter(|record| record.lives_at(self.began_at)) {
            Some(record) if record.fingerprint == self.fingerprint => Ok(Execution::Repeat(&record.answer)),
            Some(_) => Err(IdempotencyError::Reused),
            None => Ok(Execution::Execute),
        }
    }

    /// What to insert in the transaction of the effect; nothing if the answer says that the request may be tried again.
    /// Such an answer must have had no effect.
    pub fn record(&self, answer: SavedAnswer) -> Option<IdempotencyRecord> {
        let Self { key, fingerprint, began_at, .. } = self;
        answer.is_kept().then(|| IdempotencyRecord {
            key: key.clone(),
            fingerprint: *fingerprint,
            began_at: *began_at,
            answer,
        })
    }
}

impl IdempotencyRecord {
    /// Whether a store may forget it, [`Idempotency::RETENTION`] after the first request.
    pub fn is_forgettable(&self, now: DateTime<Utc>) -> bool {
        now.signed_duration_since(self.began_at) > Idempotency::RETENTION
    }

    fn lives_at(&self, time: DateTime<Utc>) -> bool {
        time.signed_duration_since(self.began_at) <= Idempotency::LIFETIME
    }
}
