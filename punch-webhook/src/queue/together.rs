use alloc::vec::Vec;

use chrono::{DateTime, TimeDelta, Utc};

use super::endpoint::Endpoint;
use super::settling::Tried;
use super::{DeliveryId, Health, Record};
use crate::{Class, Disposition};

impl Endpoint {
    /// Takes the answer to a request of several. What is no more in flight of it is left out.
    pub(super) fn settle_together(
        &mut self,
        sent: &[DeliveryId],
        class: &Class,
        now: DateTime<Utc>,
        records: &mut Vec<Record>,
    ) -> Option<Disposition> {
        let tried: Vec<Tried> = sent.iter().filter_map(|&delivery| self.tried(delivery, now)).collect();
        if tried.is_empty() {
            return None;
        }
        Some(match class {
            Class::Delivered => {
                for one in &tried {
                    self.arrived(one, records);
                }
                self.succeeded(now, records);
                Disposition::Delivered
            }
            // Which of them is meant is not said, so nobody is blamed before it is alone.
            Class::Permanent { .. } | Class::RetryLimited { .. } => self.split(sent.len(), &tried, records),
            Class::Gone => {
                self.wait_all(&tried, records);
                self.stop(Health::Disabled, now, records);
                Disposition::DisableEndpoint
            }
            Class::Retry { after } => self.retry_together(&tried, *after, now, records),
        })
    }

    /// Sends the same again at once, in halves.
    fn split(&mut self, sent: usize, tried: &[Tried], records: &mut Vec<Record>) -> Disposition {
        for one in tried {
            self.parts.insert(one.delivery, sent.div_ceil(2));
        }
        self.wait_all(tried, records)
    }

    /// One failure of the endpoint, however many were in it; each event follows its own schedule, alone. No lane is a
    /// suspect by it: one that is not to blame must stay a candidate for the probes.
    fn retry_together(
        &mut self,
        tried: &[Tried],
        after: Option<TimeDelta>,
        now: DateTime<Utc>,
        records: &mut Vec<Record>,
    ) -> Disposition {
        self.hold(after, now);
        if matches!(self.state.health, Health::Paused | Health::Disabled) {
            return self.wait_all(tried, records);
        }
        if self.state.health == Health::Healthy {
            if !self.has_failed_too_often(now) {
                return first(tried, |one| self.follow_schedule(one, &Class::Retry { after }, records));
            }
            let disposition = first(tried, |one| self.wait_for_endpoint(one, records));
            self.release_retrying(now, records);
            self.plan_probe(after, now, records);
            return self.until_next_probe(disposition);
        }
        let disposition = first(tried, |one| self.wait_for_endpoint(one, records));
        self.until_next_probe(disposition)
    }

    fn wait_all(&mut self, tried: &[Tried], records: &mut Vec<Record>) -> Disposition {
        first(tried, |one| self.wait(one, one.held.progress, records))
    }
}

/// Does the same with each of them. What becomes of the first.
fn first(tried: &[Tried], mut decide: impl FnMut(&Tried) -> Disposition) -> Disposition {
    let mut decided = None;
    for one in tried {
        let disposition = decide(one);
        decided.get_or_insert(disposition);
    }
    decided.unwrap_or(Disposition::Kept)
}
