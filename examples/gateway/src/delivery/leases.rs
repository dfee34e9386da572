use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;

use punch_webhook::EndpointId;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::store::lease::{self, Holding};
use crate::store::{Store, StoreError};

/// How long a gateway that says nothing holds what it holds. Another one takes over afterwards.
const LEASE: Duration = Duration::from_secs(10);

/// How often it says that it is there.
const RENEWAL: Duration = Duration::from_secs(3);

/// Nothing is begun in the last part of a lease: an attempt may take as long as this until its answer is written down.
const LAST_PART: Duration = Duration::from_secs(2);

/// Under load, what others write is looked at once in this time and not for each commit.
const PAUSE: Duration = Duration::from_millis(20);

/// What changed of what a gateway holds.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// To be delivered to from now on.
    pub(super) gained: Vec<EndpointId>,
    /// Somebody else's now.
    pub(super) lost: Vec<EndpointId>,
    /// To be let go of, for others to have as many.
    pub(super) surplus: Vec<EndpointId>,
}

/// Which endpoints this gateway delivers to, where several work with one store.
#[derive(Debug)]
pub(super) struct Leases {
    store: Store,
    holder: String,
    held: BTreeSet<EndpointId>,
    /// Still held, and nothing new is sent to them.
    leaving: BTreeSet<EndpointId>,
    renewed_at: Instant,
    next_at: Instant,
    look_at: Instant,
    /// Somebody has written to the store.
    changed: Arc<Notify>,
    /// Deliveries up to this number have been looked at.
    pub(super) seen_to: u64,
}

impl Leases {
    /// None are held yet. `None` if nobody else works with the store.
    pub(super) async fn of(store: &Store) -> Result<Option<Self>, StoreError> {
        let Some(replica) = store.replica() else { return Ok(None) };
        let (holder, changed) = (replica.name.clone(), Arc::clone(&replica.changed));
        let seen_to = store.read(lease::last_delivery).await?;
        let (store, now) = (store.clone(), Instant::now());
        let (held, leaving) = (BTreeSet::new(), BTreeSet::new());
        Ok(Some(Self { store, holder, held, leaving, renewed_at: now, next_at: now, look_at: now, changed, seen_to }))
    }

    /// Whether this gateway may begin an attempt now.
    pub(super) fn hold(&self) -> bool {
        self.renewed_at.elapsed() < LEASE.saturating_sub(LAST_PART)
    }

    /// By what name this gateway holds them.
    pub(super) fn holder(&self) -> String {
        self.holder.clone()
    }

    /// Ends when something is to be looked at: somebody has written, or it is time to say that this gateway is there.
    pub(super) async fn news(&self) {
        let changed = async {
            self.changed.notified().await;
            tokio::time::sleep_until(self.look_at).await;
        };
        // Which of them it was makes no difference.
        drop(tokio::time::timeout_at(self.next_at, changed).await);
    }

    /// There is an endpoint that nobody may hold yet.
    pub(super) fn hurry(&mut self) {
        self.next_at = Instant::now();
    }

    /// Everything others had written was looked at.
    pub(super) fn looked(&mut self) {
        let now = Instant::now();
        self.look_at = now.checked_add(PAUSE).unwrap_or(now);
    }

    /// Whether it is time to say that this gateway is there.
    pub(super) fn is_due(&self) -> bool {
        self.next_at <= Instant::now()
    }

    /// Says that this gateway is there. What it could not prolong it does not hold any more.
    pub(super) async fn renew(&mut self) -> Result<Change, StoreError> {
        let (holder, asked_at) = (self.holder.clone(), Instant::now());
        self.next_at = asked_at.checked_add(RENEWAL).unwrap_or(asked_at);
        let renewed = self.store.read(move |connection| lease::renew(connection, &holder, LEASE)).await;
        let Holding { kept, taken, share } = match renewed {
            Ok(holding) => holding,
            Err(error) if self.renewed_at.elapsed() < LEASE => return Err(error),
            Err(error) => {
                tracing::error!(%error, "the endpoints could not be held; nothing is delivered until they are again");
                Holding::default()
            }
        };
        self.renewed_at = asked_at;
        // What was taken now may have been held before, and somebody else's in between.
        let lost = self.held.difference(&kept).copied().collect();
        let gained = kept.difference(&self.held).chain(&taken).copied().collect();
        self.held = kept.union(&taken).copied().collect();
        let surplus = self.held.iter().skip(share).copied().collect();
        Ok(Change { gained, lost, surplus })
    }

    /// Parts what was surplus the last time already, to be let go of, from what is now: nothing new may be sent there.
    pub(super) fn part_surplus(&mut self, surplus: Vec<EndpointId>) -> (Vec<EndpointId>, Vec<EndpointId>) {
        let (leaving, new): (Vec<_>, Vec<_>) = surplus.into_iter().partition(|known| self.leaving.contains(known));
        self.leaving = new.iter().copied().collect();
        (leaving, new)
    }

    /// Lets go of one.
    pub(super) async fn let_go(&mut self, endpoint: EndpointId) -> Result<(), StoreError> {
        self.held.remove(&endpoint);
        let holder = self.holder.clone();
        self.store.read(move |connection| lease::let_go(connection, &holder, endpoint)).await
    }

    /// Lets go of all of them, so that others take over at once.
    pub(super) async fn leave(&mut self) {
        let holder = core::mem::take(&mut self.holder);
        if let Err(error) = self.store.read(move |connection| lease::leave(connection, &holder)).await {
            tracing::warn!(%error, "others take over the deliveries when the lease ends");
        }
    }
}
