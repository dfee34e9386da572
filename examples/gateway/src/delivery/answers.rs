//! What follows from the answers to requests, and that it is written down.

use core::time::Duration;
use std::sync::Arc;

use punch_normalize::EventId;
use punch_webhook::{Class, DeliveryId, EndpointId, Record};
use tokio::task::JoinError;

use super::leases::Leases;
use super::outages::announce;
use super::request::Answered;
use super::{Driver, REFILL_BELOW};
use crate::clock::now;
use crate::stage::Stage;
use crate::store::lease;
use crate::store::{AttemptRow, revise, tell_failing};

/// Attempts that are written down in one piece of work, or a few more: what was answered together.
const TOGETHER: usize = 64;

impl Driver {
    /// Takes the answer to a request, and what else was answered by now: one piece of work for the writer.
    pub(super) async fn settle(&mut self, ended: Result<Answered, JoinError>) {
        let (mut rows, mut follows, mut arrived, mut others) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut next = Some(ended);
        while let Some(ended) = next {
            match ended {
                Ok(mut answered) => {
                    others.append(&mut answered.others);
                    rows.extend(answered.rows());
                    follows.extend(self.follow_answer(&answered));
                    if answered.sent.class == Class::Delivered {
                        arrived.extend(answered.made.into_iter().filter_map(|made| made.event_id));
                    }
                }
                Err(error) => tracing::error!(%error, "an attempt was lost"),
            }
            next = if rows.len() < TOGETHER { self.next_answer().await } else { None };
        }
        self.write_down(rows, follows, arrived, others);
        if let Some(after) = self.unfed_after
            && self.queue.status().waiting < REFILL_BELOW
            && let Err(error) = self.feed(after).await
        {
            tracing::error!(%error, "undelivered rows could not be read");
            self.unfed_after = Some(after);
        }
    }

    /// Another answer, if there is one once everybody who can go on has done so: whoever settles one at a time pays for each
    /// the way to the store and back.
    async fn next_answer(&mut self) -> Option<Result<Answered, JoinError>> {
        let ended = self.in_flight.try_join_next();
        if ended.is_none() {
            tokio::task::yield_now().await;
        }
        ended.or_else(|| self.in_flight.try_join_next())
    }

    /// Has it written down what was tried, what follows from it, and what arrived.
    fn write_down(
        &mut self,
        rows: Vec<AttemptRow>,
        follows: Vec<(EndpointId, Vec<Record>)>,
        arrived: Vec<EventId>,
        others: Vec<(DeliveryId, punch_erp::Outcome)>,
    ) {
        for row in &rows {
            self.store.metrics().attempted(row.status, Duration::from_millis(row.millis));
            tracing::debug!(delivery = row.delivery.0, number = row.number, status = row.status, "attempt");
        }
        let holder = self.leases.as_ref().map(Leases::holder);
        let (store, watch, settled) = (self.store.clone(), self.watch.clone(), Arc::clone(&self.settled));
        let post = self.post.clone();
        let by_mail = post.is_some();
        // Not awaited: until a record is durable a crash sends once more, which receivers expect.
        self.forget_written();
        let deliveries: Vec<DeliveryId> = rows.iter().map(|row| row.delivery).collect();
        self.unwritten.extend(&deliveries);
        self.writes.spawn(async move {
            let written = store
                .write_repeatable(move |tx| {
                    rows.iter().try_for_each(|row| row.insert(tx))?;
                    let mut records = Vec::new();
                    for (endpoint, of_it) in &follows {
                        records.extend(match &holder {
                            Some(holder) => lease::still_true(tx, holder, *endpoint, of_it.clone())?,
                            None => of_it.clone(),
                        });
                    }
                    records.iter().try_for_each(|record| crate::store::persist(tx, record))?;
                    others.iter().try_for_each(|(other, outcome)| revise(tx, *other, outcome, now()))?;
                    tell_failing(tx, &records, by_mail, now())
                })
                .await;
            match written {
                Ok(told) => {
                    for event_id in &arrived {
                        watch.announce(event_id.as_str(), Stage::Delivered, now());
                    }
                    announce(&told, post.as_ref());
                }
                Err(error) => tracing::error!(%error, "an attempt could not be written down"),
            }
            settled.notify_waiters();
            deliveries
        });
    }

    /// What follows from an answer, and for which endpoint.
    fn follow_answer(&mut self, answered: &Answered) -> Option<(EndpointId, Vec<Record>)> {
        let class = &answered.sent.class;
        let is_known = self.queue.settle_request(&answered.deliveries(), class, now()).is_some();
        let mut records: Vec<Record> = Vec::new();
        while let Some(record) = self.queue.poll_record() {
            records.push(record);
        }
        if *class == Class::Delivered && !is_known {
            // The endpoint is somebody else's by now, who need not send it once more.
            let attempts = answered.made.iter().map(|made| made.attempt);
            records.extend(attempts.map(|attempt| Record::Delivered {
                delivery: attempt.delivery,
                attempts: attempt.number,
                at: now(),
            }));
        }
        answered.made.first().map(|made| (made.attempt.endpoint, records))
    }
}
