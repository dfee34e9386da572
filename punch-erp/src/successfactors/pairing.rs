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

/// A second punch of one direction, sooner than this after the first, is the first again.
const BOUNCE: TimeDelta = TimeDelta::seconds(60);

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
        // An arrival with its repetitions, and what the last departure came to.
        let mut open: Vec<&Mark> = Vec::new();
        let mut closed: Option<(DateTime<Utc>, Role)> = None;
        for mark in marks {
            let is_again = |first: DateTime<Utc>| mark.at.signed_duration_since(first) < BOUNCE;
            if mark.is_arrival {
                if !open.first().is_some_and(|first| is_again(first.at)) {
                    self.leave_open(&core::mem::take(&mut open));
                    closed = None;
                }
                open.push(mark);
                continue;
            }
            let before = core::mem::take(&mut open);
            let is_near = |arrival: &&&Mark| mark.at.signed_duration_since(arrival.at) <= self.tenant.max_open();
            if let Some(arrival) = before.first().filter(is_near) {
                let ordinal = ordinals.entry(arrival.local.date()).or_default();
                *ordinal = ordinal.saturating_add(1);
                let role = self.add(user, *ordinal, arrival, mark);
                before.iter().for_each(|arrival| self.tell(arrival, &role));
                self.tell(mark, &role);
                closed = Some((mark.at, role));
            } else {
                self.leave_open(&before);
                if let Some((_, role)) = closed.as_ref().filter(|(first, _)| is_again(*first)) {
                    self.tell(mark, role);
                }
            }
        }
        self.leave_open(&open);
    }

    fn add(&mut self, user: &str, ordinal: usize, arrival: &Mark, departure: &Mark) -> Role {
        let role = Role::Of(self.pairs.len());
        self.pairs.push(ExternalTime {
            user_id: user.into(),
            day: arrival.local.date(),
            ordinal,
            start: arrival.local,
            end: departure.local,
            time_type: self.tenant.time_type().unwrap_or_default().into(),
        });
        role
    }

    /// An arrival without a departure waits, and not for ever.
    fn leave_open(&mut self, arrivals: &[&Mark]) {
        let Some(first) = arrivals.first() else { return };
        let age = self.now.signed_duration_since(first.at);
        let left = self.tenant.max_open().checked_sub(&age).filter(|left| *left > TimeDelta::zero());
        let outcome = match left {
            Some(left) => Outcome::Retry { after: Some(left), reason: RetryReason::Incomplete },
            None => Outcome::Park(ParkReason::OpenArrival),
        };
        arrivals.iter().for_each(|arrival| self.tell(arrival, &Role::Alone(outcome.clone())));
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
