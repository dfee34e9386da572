use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use chrono::{DateTime, TimeDelta, Utc};

/// Addresses that are remembered at once; beyond it the one that has been known longest is forgotten.
const ADDRESSES_MAX: usize = 1024;

/// Who has tried something how often, by address. Behind a proxy that is not trusted everybody has the proxy's address.
#[derive(Debug)]
pub struct Attempts {
    tries: BTreeMap<IpAddr, Tries>,
    most: u32,
    window: TimeDelta,
}

#[derive(Debug, Clone, Copy)]
struct Tries {
    since: DateTime<Utc>,
    count: u32,
}

impl Attempts {
    /// So many from one address within `window`.
    pub fn new(most: u32, window: TimeDelta) -> Self {
        Self { tries: BTreeMap::new(), most, window }
    }

    /// Counts a try before it is looked at.
    ///
    /// # Errors
    ///
    /// There were too many: after so many seconds the next one counts.
    pub fn count(&mut self, from: IpAddr, now: DateTime<Utc>) -> Result<(), i64> {
        let (window, age) = (self.window, |tries: &Tries| now.signed_duration_since(tries.since));
        self.tries.retain(|_, tries| age(tries) < window);
        let from = network(from);
        if self.tries.len() >= ADDRESSES_MAX && !self.tries.contains_key(&from) {
            let oldest = self.tries.iter().min_by_key(|(_, tries)| tries.since).map(|(from, _)| *from);
            oldest.and_then(|oldest| self.tries.remove(&oldest));
        }
        let tries = self.tries.entry(from).or_insert(Tries { since: now, count: 0 });
        if tries.count >= self.most {
            return Err((window - age(tries)).num_seconds() + 1);
        }
        tries.count += 1;
        Ok(())
    }

    /// It was right: what was tried before does not count any more.
    pub fn forget(&mut self, from: IpAddr) {
        self.tries.remove(&network(from));
    }
}

/// Whoever has one address of the sixth version has 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use chrono::{DateTime, TimeDelta, Utc};

    use super::{ADDRESSES_MAX, Attempts};

    const TRIES: u32 = 10;
    const WINDOW: TimeDelta = TimeDelta::minutes(5);

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn tries_are_limited_by_address_and_for_a_time() {
        let (mut attempts, start) = (Attempts::new(TRIES, WINDOW), DateTime::<Utc>::UNIX_EPOCH);
        for _ in 0..TRIES {
            assert_eq!(attempts.count(address("2001:db8::1"), start), Ok(()));
        }
        let later = start + TimeDelta::seconds(60);
        assert_eq!(attempts.count(address("2001:db8::ffff"), later), Err(241), "the same network");
        assert_eq!(attempts.count(address("2001:db8:0:1::1"), later), Ok(()));
        assert_eq!(attempts.count(address("2001:db8::1"), start + WINDOW), Ok(()), "forgotten by then");
        for _ in 1..TRIES {
            assert_eq!(attempts.count(address("::ffff:192.0.2.1"), later), Ok(()));
        }
        attempts.forget(address("192.0.2.1"));
        assert_eq!(attempts.count(address("192.0.2.1"), later), Ok(()));
    }

    #[test]
    fn no_more_addresses_are_remembered_than_the_limit() {
        let (mut attempts, start) = (Attempts::new(TRIES, WINDOW), DateTime::<Utc>::UNIX_EPOCH);
        for number in 0..u32::try_from(ADDRESSES_MAX).unwrap() + 10 {
            attempts.count(IpAddr::V4(number.into()), start + TimeDelta::milliseconds(number.into())).unwrap();
        }
        assert_eq!(attempts.tries.len(), ADDRESSES_MAX);
        assert!(!attempts.tries.contains_key(&address("0.0.0.9")) && attempts.tries.contains_key(&address("0.0.0.10")));
    }
}
