//! Replays, at a pace that leaves room for what is new.

use core::time::Duration;

use super::Engine;
use crate::clock::now;
use crate::store::{JobRow, Store, StoreError, step};

/// Deliveries of a replay that are on their way at once: half of what an endpoint may have in flight, so that the other
/// half is always there for what is new.
const BUDGET: u32 = 4;

/// How often a replay looks whether it was cancelled, while nothing of it is settled.
const LOOK: Duration = Duration::from_secs(1);

/// Goes on with the replays that an earlier life did not end.
///
/// # Errors
///
/// The store cannot be read.
pub async fn go_on(store: &Store, engine: &Engine) -> Result<(), StoreError> {
    for id in store.read(JobRow::running).await? {
        spawn(store.clone(), engine.clone(), id);
    }
    Ok(())
}

/// Works off a replay, until it is over or the engine has stopped. Where it stands is in the store.
pub(crate) fn spawn(store: Store, engine: Engine, id: u64) {
    tokio::spawn(async move {
        while !engine.has_stopped() {
            // Asked before the store is: what is settled in between counts.
            let settled = engine.settled();
            match store.write(move |tx| step(tx, id, BUDGET, now())).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => tracing::error!(%error, job = id, "a replay cannot go on now"),
            }
            // Nothing settled is no harm: it looks again.
            drop(tokio::time::timeout(LOOK, settled).await);
        }
    });
}
