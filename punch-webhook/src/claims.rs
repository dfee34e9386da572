use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};

/// Who is working on what, bounded. Whoever drops its [`Held`] has stopped working: a lost task holds nothing.
#[derive(Debug)]
pub(crate) struct Claims<K, V> {
    claimed: BTreeMap<K, (V, Weak<()>)>,
    max: usize,
}

/// The right to work on something, until it is dropped.
#[derive(Debug)]
pub(crate) struct Held(#[expect(dead_code, reason = "it is held, not read")] Arc<()>);

impl<K: Ord, V> Claims<K, V> {
    pub(crate) fn new(max: usize) -> Self {
        Self { claimed: BTreeMap::new(), max }
    }

    /// What was noted by who is working on `key` now.
    pub(crate) fn holder(&self, key: &K) -> Option<&V> {
        self.claimed.get(key).filter(|(_, held)| held.strong_count() > 0).map(|(value, _)| value)
    }

    /// Takes `key`, which nobody may hold. `None` if as many are at work as there may be.
    pub(crate) fn take(&mut self, key: K, value: V) -> Option<Held> {
        self.claimed.remove(&key);
        if self.claimed.len() >= self.max {
            self.claimed.retain(|_, (_, held)| held.strong_count() > 0);
        }
        if self.claimed.len() >= self.max {
            return None;
        }
        let held = Arc::new(());
        self.claimed.insert(key, (value, Arc::downgrade(&held)));
        Some(Held(held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_free_and_no_more_are_kept_than_there_may_be() {
        let mut claims = Claims::new(2);
        let (one, two) = (claims.take(1, 'a').unwrap(), claims.take(2, 'b').unwrap());
        assert_eq!((claims.holder(&1), claims.holder(&3)), (Some(&'a'), None));
        assert!(claims.take(3, 'c').is_none());
        drop(one);
        assert_eq!(claims.holder(&1), None);
        let three = claims.take(3, 'c').unwrap();
        assert!(claims.take(4, 'd').is_none());
        drop((two, three));
        for key in 0..1000 {
            drop(claims.take(key, 'e').unwrap());
            assert!(claims.claimed.len() <= 2);
        }
    }
}
