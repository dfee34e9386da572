//! Removes what is done with and old, in the background and in small pieces, so that terminals never wait for it.

use core::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use crate::clock::now;
use crate::config::RetentionConfig;
use crate::store::{
    Removed, Store, StoreError, Transaction, remove_audit, remove_commands, remove_deliveries, remove_events,
};

/// The pause before the first pass: a start has other things to do.
const FIRST: Duration = Duration::from_secs(60);

/// The pause between two passes.
const PAUSE: Duration = Duration::from_secs(3600);

/// The pause between two pieces of a pass.
const BREATH: Duration = Duration::from_millis(100);

/// Makes a pass every hour, until the gateway stops.
pub(crate) async fn keep(store: Store, config: RetentionConfig, mut stopped: watch::Receiver<bool>) {
    let mut pause = FIRST;
    loop {
        let working = async {
            tokio::time::sleep(pause).await;
            match pass(&store, config, now()).await {
                Ok(removed) if removed == Removed::default() => {}
                Ok(Removed { deliveries, attempts, events, commands, audit }) => {
                    tracing::info!(
                        deliveries,
                        attempts,
                        events,
                        commands,
                        audit,
                        "removed what is older than [retention] keeps"
                    );
                }
                Err(error) => tracing::error!(%error, "old deliveries cannot be removed"),
            }
        };
        tokio::select! {
            () = working => pause = PAUSE,
            _ = stopped.wait_for(|&stop| stop) => return,
        }
    }
}

/// Removes all that need not be kept at `now`.
///
/// # Errors
///
/// The store cannot be written. What was removed before stays removed.
pub async fn pass(store: &Store, config: RetentionConfig, now: DateTime<Utc>) -> Result<Removed, StoreError> {
    let [delivered, failed, events, commands, audit] = config.cutoffs(now);
    let mut removed = slices(store, move |tx, after| remove_deliveries(tx, after, delivered, failed)).await?;
    if let Some(before) = events {
        removed = removed.and(slices(store, move |tx, after| remove_events(tx, after, before)).await?);
    }
    if let Some(before) = commands {
        removed = removed.and(slices(store, move |tx, after| remove_commands(tx, after, before)).await?);
    }
    if let Some(before) = audit {
        removed = removed.and(slices(store, move |tx, _| remove_audit(tx, before, now)).await?);
    }
    Ok(removed)
}

/// What a piece removed, and behind what the next one begins.
type Slice = Result<(Removed, Option<i64>), StoreError>;

async fn slices(
    store: &Store,
    remove: impl Fn(&Transaction<'_>, i64) -> Slice + Copy + Send + 'static,
) -> Result<Removed, StoreError> {
    let (mut all, mut after) = (Removed::default(), 0);
    loop {
        let (removed, next) = store.write(move |tx| remove(tx, after)).await?;
        store.metrics().removed(removed);
        all = all.and(removed);
        match next {
            Some(next) => after = next,
            None => return Ok(all),
        }
        tokio::time::sleep(BREATH).await;
    }
}
