//! Turns what was asked of terminals into commands for each, in slices that leave room for what terminals send.

use std::collections::BTreeSet;
use std::sync::Arc;

use punch_protocol::SerialNumber;
use tokio::sync::watch;

use super::handler::Devices;
use crate::clock::now;
use crate::core::Step;
use crate::store::{Slice, StoreError, Unexpanded, expand, steps_of};

/// Steps that are written down in one piece: a few milliseconds, in which no terminal gets its answer.
const SLICE: usize = 250;

/// A list that is being worked off, and whom it names.
struct List {
    id: i64,
    steps: Vec<Step>,
    named: BTreeSet<String>,
}

impl Devices {
    /// Something was asked that has no commands yet.
    pub(crate) fn has_steps(&self) {
        self.0.unexpanded.notify_one();
    }

    /// Works off what was asked, also in an earlier life, until `stop` says so.
    pub(crate) async fn expand_commands(self, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(error) = self.expand_all(&stop).await {
                tracing::error!(%error, "what was asked of terminals could not be written down; it is tried again");
            }
            tokio::select! {
                () = self.0.unexpanded.notified() => {}
                // A write that has failed is tried again.
                () = tokio::time::sleep(core::time::Duration::from_secs(5)) => {}
                _ = stop.wait_for(|&stop| stop) => return,
            }
        }
    }

    async fn expand_all(&self, stop: &watch::Receiver<bool>) -> Result<(), StoreError> {
        let mut list: Option<Arc<List>> = None;
        while let Some(next) = self.0.store.read(Unexpanded::next).await? {
            if *stop.borrow() {
                break;
            }
            let known = match list.take().filter(|list| list.id == next.steps) {
                Some(known) => known,
                None => Arc::new(self.0.store.read(move |connection| List::read(connection, next.steps)).await?),
            };
            list = Some(Arc::clone(&known));
            let work = move |tx: &mut crate::store::Transaction<'_>| {
                let end = next.taken.saturating_add(SLICE).min(known.steps.len());
                let steps = known.steps.get(next.taken..end).unwrap_or_default();
                let all = (end >= known.steps.len()).then_some(&known.named);
                expand(tx, &Slice { of: next, steps, all }, now())
            };
            let serial = self.0.store.write(work).await?;
            if let Some(serial) = serial.and_then(|serial| SerialNumber::parse(&serial).ok()) {
                self.has_commands(&serial);
            }
        }
        Ok(())
    }
}

impl List {
    fn read(connection: &crate::store::Connection, id: i64) -> Result<Self, StoreError> {
        let steps = steps_of(connection, id)?;
        let named = steps.iter().filter_map(|step| step.badge().map(ToOwned::to_owned)).collect();
        Ok(Self { id, steps, named })
    }
}
