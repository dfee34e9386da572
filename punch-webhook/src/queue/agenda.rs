use alloc::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, Utc};

use super::EndpointId;

/// Whose turn it is: the endpoints that may send, in a ring, and those that will, by time.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    ring: VecDeque<EndpointId>,
    later: BTreeSet<(DateTime<Utc>, EndpointId)>,
    places: BTreeMap<EndpointId, Place>,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Ring,
    Later(DateTime<Utc>),
}

impl Agenda {
    /// Notes when an endpoint can next send. One that is in the ring stays there and is asked when its turn comes.
    pub(super) fn file(&mut self, endpoint: EndpointId, next_at: Option<DateTime<Utc>>) {
        match self.places.get(&endpoint) {
            Some(Place::Ring) => return,
            Some(&Place::Later(at)) => {
                self.later.remove(&(at, endpoint));
                self.places.remove(&endpoint);
            }
            None => {}
        }
        if let Some(at) = next_at {
            self.later.insert((at, endpoint));
            self.places.insert(endpoint, Place::Later(at));
        }
    }

    /// The endpoint whose turn it is. It leaves the agenda; the caller files it again.
    pub(super) fn turn(&mut self, now: DateTime<Utc>) -> Option<EndpointId> {
        while let Some(&(at, endpoint)) = self.later.first() {
            if at > now {
                break;
            }
            self.later.pop_first();
            self.ring.push_back(endpoint);
            self.places.insert(endpoint, Place::Ring);
        }
        let endpoint = self.ring.pop_front()?;
        self.places.remove(&endpoint);
        Some(endpoint)
    }

    pub(super) fn forget(&mut self, endpoint: EndpointId) {
        if let Some(Place::Later(at)) = self.places.remove(&endpoint) {
            self.later.remove(&(at, endpoint));
        }
        self.ring.retain(|&other| other != endpoint);
    }

    /// The endpoints that had something to send when last asked.
    pub(super) fn ring(&self) -> impl Iterator<Item = EndpointId> {
        self.ring.iter().copied()
    }

    pub(super) fn next_later(&self) -> Option<DateTime<Utc>> {
        self.later.first().map(|&(at, _)| at)
    }
}
