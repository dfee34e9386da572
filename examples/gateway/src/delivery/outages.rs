//! Tells of endpoints that have been down for long: once an outage.

use core::time::Duration;
use std::sync::Arc;

use chrono::TimeDelta;
use tokio::sync::{Notify, watch};

use crate::clock::now;
use crate::store::{Failing, Store, StoreError, tell_outages, untold_outages};

/// How often it is looked at the endpoints.
const LOOK: Duration = Duration::from_secs(15);

/// Whoever looks for endpoints that have been backing off for so long.
#[derive(Debug)]
pub(crate) struct Outages {
    pub(crate) store: Store,
    pub(crate) after: Duration,
    /// Wakes whoever mails, if anybody does.
    pub(crate) post: Option<Arc<Notify>>,
}

impl Outages {
    /// Looks again and again, until the gateway stops.
    pub(crate) async fn watch(self, mut stopped: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stopped.wait_for(|&stop| stop) => return,
            }
            if let Err(error) = self.look().await {
                tracing::error!(%error, "endpoints cannot be looked at");
            }
        }
    }

    /// Tells of those that were not told of.
    ///
    /// # Errors
    ///
    /// The store cannot be read or written.
    pub(crate) async fn look(&self) -> Result<(), StoreError> {
        let after = TimeDelta::from_std(self.after).unwrap_or(TimeDelta::MAX);
        // Mostly there is nothing, and that costs no write.
        if self.store.read(move |connection| untold_outages(connection, after, now())).await?.is_empty() {
            return Ok(());
        }
        let by_mail = self.post.is_some();
        let told = self.store.write(move |tx| tell_outages(tx, after, by_mail, now())).await?;
        announce(&told, self.post.as_ref());
        Ok(())
    }
}

/// Says in the log what is told, and wakes whoever mails it.
pub(super) fn announce(failing: &[Failing], post: Option<&Arc<Notify>>) {
    for Failing { endpoint, state, waiting, failed, .. } in failing {
        tracing::warn!(endpoint = endpoint.0, state, waiting, failed, "how an endpoint takes events is told");
    }
    if let Some(post) = post.filter(|_| !failing.is_empty()) {
        post.notify_one();
    }
}
