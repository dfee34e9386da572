//! From punches to pairs.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use punch_normalize::{Direction, EventId};
use punch_webhook::ReceivedPunch;

use super::time_event::assignment_of;
use super::{ExternalTime, SuccessFactors};
use crate::{Outcome, ParkReason, RetryReason};

/// What a punch turned out to be.
#[derive(Clone)]
pub(super) enum Role {
    /// An end of the pair of this number.
    Of(usize),
    /// In no pair, and what that comes to.
    Alone(Outcome),
}

struct Mark {
    at: DateTime<Utc>,
    local: NaiveDateTime,
    is_arrival: bool,
    /// Which of the given punches; several if one was delivered again.
    punches: Vec<usize>,
}

/// Pairs of each person, and the role of each punch, in the order given.
pub(super) struct Pairing<'a> {
    tenant: &'a SuccessFactors,
    now: DateTime<Utc>,
    pub(super) pairs: Vec<ExternalTime>,
    pub(super) roles: Vec<Role>,
}

impl<'a> Pairing<'a> {
    pub(super) fn of<'p>(
        tenant: &'a SuccessFactors,
        punches: impl IntoIterator<Item = &'p ReceivedPunch>,
        now: DateTime<Utc>,
    ) -> Self {
        let mut pairing = Self { tenant, now, pairs: Vec::new(), roles: Vec::new() };
        let mut lanes: BTreeMap<String, BTreeMap<(DateTime<Utc>, EventId), Mark>> = BTreeMap::new();
        for (index, punch) in punches.into_iter().enumerate() {
            let reason = match mark(tenant, punch, now) {
                Ok((user, new)) => {
                    let lane = lanes.entry(user).or_default();
                    let mark = lane.entry((new.at, punch.event_id.clone())).or_insert(new);
                    mark.punches.push(index);
                    ParkReason::OrphanOut
                }
                Err(reason) => reason,
            };
            pairing.roles.push(Role::Alone(Outcome::Park(reason)));
        }
        for (user, lane) in lanes {
            pairing.pair(&user, &lane.into_values().collect::<Vec<_>>());
        }
        pairing
    }

    /// A departure belongs to the arrival right before it, if that is not too long ago. Nothing else is a pair.
    fn pair(&mut self, user: &str, marks: &[Mark]) {
        let mut ordinals: BTreeMap<NaiveDate, usize> = BTreeMap::new();
        let mut open: Option<&Mark> = None;
        for mark in marks {
            let before = open.take();
            if mark.is_arrival {
                open = Some(mark);
            } else if let Some(arrival) = before
                && mark.at.signed_duration_since(arrival.at) <= self.tenant.max_open()
            {
                let ordinal = ordinals.entry(arrival.local.date()).or_default();
                *ordinal = ordinal.saturating_add(1);
                let role = Role::Of(self.pairs.len());
                self.pairs.push(ExternalTime {
                    user_id: user.into(),
                    day: arrival.local.date(),
                    ordinal: *ordinal,
                    start: arrival.local,
                    end: mark.local,
                    time_type: self.tenant.time_type().unwrap_or_default().into(),
                });
                self.tell(arrival, &role);
                self.tell(mark, &role);
                continue;
            }
            if let Some(arrival) = before {
                self.leave_open(arrival);
            }
        }
        if let Some(arrival) = open {
            self.leave_open(arrival);
        }
    }

    /// An arrival without a departure waits, and not for ever.
    fn leave_open(&mut self, arrival: &Mark) {
        let age = self.now.signed_duration_since(arrival.at);
        let left = self.tenant.max_open().checked_sub(&age).filter(|left| *left > TimeDelta::zero());
        let outcome = match left {
            Some(left) => Outcome::Retry { after: Some(left), reason: RetryReason::Incomplete },
            None => Outcome::Park(ParkReason::OpenArrival),
        };
        self.tell(arrival, &Role::Alone(outcome));
    }

    fn tell(&mut self, mark: &Mark, role: &Role) {
        for index in &mark.punches {
            if let Some(slot) = self.roles.get_mut(*index) {
                *slot = role.clone();
            }
        }
    }
}

fn mark(tenant: &SuccessFactors, punch: &ReceivedPunch, now: DateTime<Utc>) -> Result<(String, Mark), ParkReason> {
    if let Some(reason) = ParkReason::of_time(punch.at, now) {
        return Err(reason);
    }
    let user = assignment_of(tenant, punch)?;
    let direction = punch.direction.plain();
    if direction == Direction::Unknown {
        let is_left_out = punch.direction == Direction::Intermediate;
        return Err(if is_left_out { ParkReason::LeftOut } else { ParkReason::UnknownDirection });
    }
    let is_arrival = direction == Direction::In;
    let (local, _) = tenant.local(punch);
    Ok((user, Mark { at: punch.at, local: local.naive_local(), is_arrival, punches: Vec::new() }))
}
