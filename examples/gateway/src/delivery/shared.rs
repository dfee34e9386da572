//! The driver where several gateways work with one store: it delivers to the endpoints it holds.

use punch_webhook::EndpointId;

use super::leases::{Change, Leases};
use super::{Driver, PAGE, Wish};
use crate::store::lease::{self, wishes};
use crate::store::{EndpointRow, StoreError};

impl Driver {
    /// Looks what others have written, and what is held. What does not succeed is tried again when it is time.
    pub(super) async fn look_around(&mut self) {
        let Some(mut leases) = self.leases.take() else { return };
        if let Err(error) = self.look_with(&mut leases).await {
            tracing::warn!(%error, "what others have written is looked at later");
        }
        leases.looked();
        self.leases = Some(leases);
    }

    async fn look_with(&mut self, leases: &mut Leases) -> Result<(), StoreError> {
        if leases.is_due() {
            let change = leases.renew().await?;
            self.follow_change(leases, change).await?;
        }
        self.forget_written();
        let holder = leases.holder();
        for (endpoint, wish) in self.store.read(move |connection| wishes(connection, &holder)).await? {
            match wish.as_str() {
                "pause" => self.grant(endpoint, Wish::Pause).await,
                "resume" => self.grant(endpoint, Wish::Resume).await,
                _ => {}
            }
            // Whatever is wished, there may be something to look for too.
            self.look_again.insert(endpoint);
        }
        let mut again = core::mem::take(&mut self.look_again);
        while let Some(endpoint) = again.pop_first() {
            if let Err(error) = self.take_up(leases, endpoint).await {
                // Nobody says a second time that these are to be looked at.
                self.look_again.insert(endpoint);
                self.look_again.append(&mut again);
                return Err(error);
            }
        }
        self.feed_held(leases).await?;
        if !self.look_again.is_empty() {
            leases.hurry();
        }
        Ok(())
    }

    async fn follow_change(&mut self, leases: &mut Leases, change: Change) -> Result<(), StoreError> {
        for endpoint in change.lost {
            self.lay_down(endpoint);
        }
        self.look_again.extend(change.gained);
        // What is on its way has until the next time, or whoever takes over would send it once more.
        let (leaving, new) = leases.part_surplus(change.surplus);
        for endpoint in new {
            self.lay_down(endpoint);
            self.look_again.remove(&endpoint);
        }
        for endpoint in leaving {
            leases.let_go(endpoint).await?;
        }
        Ok(())
    }

    /// Delivers to an endpoint from now on: as the store has it, and what it has for it.
    async fn take_up(&mut self, leases: &Leases, endpoint: EndpointId) -> Result<(), StoreError> {
        let row = self.store.read(move |connection| EndpointRow::of(connection, endpoint)).await?;
        let Some(row) = row else { return Ok(()) };
        self.set_endpoint(row);
        let (mut after, seen_to) = (0, leases.seen_to);
        loop {
            let page = self.store.read(move |connection| lease::waiting_for(connection, endpoint, after, PAGE)).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.delivery.0;
            for waiting in page.into_iter().filter(|waiting| waiting.delivery.0 <= seen_to) {
                self.enqueue(waiting);
            }
        }
    }

    fn lay_down(&mut self, endpoint: EndpointId) {
        // What it held is in the store, for whoever delivers to it now.
        drop(self.queue.remove_endpoint(endpoint));
        self.targets.remove(&endpoint);
    }

    /// Takes what has been written since for the endpoints that are held, in order.
    async fn feed_held(&mut self, leases: &mut Leases) -> Result<(), StoreError> {
        loop {
            let (holder, after) = (leases.holder(), leases.seen_to);
            // Asked first: what is written in between is looked at the next time.
            let last = self.store.read(lease::last_delivery).await?;
            let page = self.store.read(move |connection| lease::waiting_of(connection, &holder, after, PAGE)).await?;
            let Some(newest) = page.last().map(|waiting| waiting.delivery.0) else {
                leases.seen_to = leases.seen_to.max(last);
                return Ok(());
            };
            leases.seen_to = newest;
            for waiting in page {
                self.enqueue(waiting);
            }
        }
    }
}
