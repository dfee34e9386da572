use core::net::IpAddr;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections that are served at once: so many, and so many from one address. A further one waits to be accepted, or is
/// closed if its address has all it may have, so that nobody takes the places of all others by opening and saying nothing.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
    most: u16,
    from: Arc<Mutex<BTreeMap<IpAddr, u16>>>,
}

/// A place that nobody has yet.
#[derive(Debug)]
pub(super) struct Place {
    permit: OwnedSemaphorePermit,
    places: Places,
}

/// A connection's place. It is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    from: Option<IpAddr>,
    places: Places,
    _permit: OwnedSemaphorePermit,
}

/// The part of all places that one address can have.
const SHARE: u16 = 4;

impl Places {
    /// So many, a quarter of them for one address.
    pub(crate) fn new(most: u16) -> Self {
        Self { free: Arc::new(Semaphore::new(most.into())), most, from: Arc::default() }
    }

    /// Waits for a place. `None` never comes in practice.
    pub(super) async fn take(&self) -> Option<Place> {
        let permit = Arc::clone(&self.free).acquire_owned().await.ok()?;
        Some(Place { permit, places: self.clone() })
    }

    /// Waits until none is taken any more.
    pub(crate) async fn all_free(&self) {
        // It is never closed.
        drop(self.free.acquire_many(self.most.into()).await);
    }
}

impl Place {
    /// Gives it to a connection from this address; `None` if that has all it may have. Without an address nobody counts.
    pub(super) fn seat(self, from: Option<IpAddr>) -> Option<Seat> {
        let Self { permit, places } = self;
        if let Some(from) = from {
            let mut counts = places.from.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(from).or_default();
            if *count >= places.most / SHARE {
                return None;
            }
            *count += 1;
        }
        Some(Seat { from, places, _permit: permit })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some(from) = self.from else { return };
        let mut counts = self.places.from.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&from) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) | None => drop(counts.remove(&from)),
        }
    }
}

#[cfg(test)]
mod tests {
    use core::net::IpAddr;

    use super::Places;

    #[tokio::test]
    async fn one_address_has_a_quarter_of_the_places_and_leaves_the_others_theirs() {
        let places = Places::new(8);
        let seat = async |from: Option<&str>| {
            let from = from.map(|from| from.parse::<IpAddr>().unwrap());
            places.take().await.unwrap().seat(from)
        };
        let (one, two) = (Some("192.0.2.1"), Some("192.0.2.2"));
        let mut held = vec![seat(one).await.unwrap(), seat(one).await.unwrap()];
        assert!(seat(one).await.is_none() && seat(one).await.is_none(), "and the place is free for others");
        for other in [two, two, None, None, None, None] {
            held.push(seat(other).await.unwrap());
        }
        assert_eq!(places.free.available_permits(), 0);
        held.remove(0);
        held.push(seat(one).await.unwrap());
        held.clear();
        assert!(places.from.lock().unwrap().is_empty(), "nobody is remembered who is not here");
        places.all_free().await;
    }
}
