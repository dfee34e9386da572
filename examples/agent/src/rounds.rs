use core::time::Duration;
use std::collections::BTreeMap;

use punch_protocol::SerialNumber;
use tokio::time::Instant;

use crate::Outcome;

/// How long to wait before rows are posted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// After the first failure; then twice as long each time. Default 1 second.
    pub first: Duration,
    /// At most. Default 60 seconds.
    pub most: Duration,
    /// After a refusal, for the terminal that was refused. Default 5 minutes.
    pub refused: Duration,
    /// The longest wait a gateway may ask for. Default 15 minutes.
    pub asked: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self { first: second, most: 60 * second, refused: 300 * second, asked: 900 * second }
    }
}

impl Pace {
    /// The wait after this many failures in a row.
    ///
    /// ```
    /// use agent::Pace;
    ///
    /// let waits: Vec<u64> = (0..9).map(|failures| Pace::default().after(failures).as_secs()).collect();
    /// assert_eq!(waits, [0, 1, 2, 4, 8, 16, 32, 60, 60]);
    /// ```
    pub fn after(&self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
        let factor = 2_u32.saturating_pow(doublings);
        self.first.checked_mul(factor).unwrap_or(self.most).min(self.most)
    }
}

/// Whose rows are posted next, and when: terminals take turns, one that is refused holds up no other.
#[derive(Debug)]
pub(crate) struct Rounds {
    pace: Pace,
    failures: u32,
    not_before: Option<Instant>,
    refused: BTreeMap<SerialNumber, Instant>,
    last: Option<SerialNumber>,
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Post rows of this terminal.
    Post(SerialNumber),
    /// Nothing until then, or until rows are put if there is no then.
    Wait(Option<Instant>),
}

impl Rounds {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, failures: 0, not_before: None, refused: BTreeMap::new(), last: None }
    }

    /// Chooses among the terminals with rows that wait, given in order.
    pub(crate) fn next<'a>(&self, waiting: impl IntoIterator<Item = &'a SerialNumber>, now: Instant) -> Next {
        let (mut first, mut after_last, mut soonest) = (None, None, None::<Instant>);
        for serial in waiting {
            match self.refused.get(serial) {
                Some(&until) if until > now => soonest = Some(soonest.map_or(until, |soonest| soonest.min(until))),
                _ if Some(serial) > self.last.as_ref() => after_last = after_last.or(Some(serial)),
                _ => first = first.or(Some(serial)),
            }
        }
        match (after_last.or(first), self.not_before) {
            (Some(_), Some(until)) if until > now => Next::Wait(Some(until)),
            (Some(serial), _) => Next::Post(serial.clone()),
            (None, _) => Next::Wait(soonest),
        }
    }

    /// Takes in what became of the rows of a terminal.
    pub(crate) fn settle(&mut self, serial: &SerialNumber, outcome: &Outcome, now: Instant) {
        self.last = Some(serial.clone());
        match outcome {
            Outcome::Retry { after, .. } => self.fail(*after, now),
            Outcome::Stored(_) => {
                self.recover();
                self.refused.remove(serial);
            }
            Outcome::Refused(_) => {
                self.recover();
                self.refused.insert(serial.clone(), now + self.pace.refused);
            }
        }
    }

    /// Something is wrong that concerns every terminal.
    pub(crate) fn fail(&mut self, asked: Option<Duration>, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        let asked = asked.unwrap_or_default().min(self.pace.asked);
        self.not_before = Some(now + self.pace.after(self.failures).max(asked));
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    fn recover(&mut self) {
        (self.failures, self.not_before) = (0, None);
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use punch_protocol::SerialNumber;
    use tokio::time::Instant;

    use super::{Next, Pace, Rounds};
    use crate::{Outcome, Refusal, Stored};

    fn serials(names: &[&str]) -> Vec<SerialNumber> {
        names.iter().map(|name| SerialNumber::parse(name).unwrap()).collect()
    }

    fn stored() -> Outcome {
        Outcome::Stored(Stored::default())
    }

    fn retry(after: Option<u64>) -> Outcome {
        Outcome::Retry { trouble: String::new(), after: after.map(Duration::from_secs) }
    }

    fn refused() -> Outcome {
        Outcome::Refused(Refusal { status: 409, code: None, text: String::new() })
    }

    #[test]
    fn the_wait_doubles_up_to_a_limit_and_never_overflows() {
        let pace = Pace::default();
        for failures in 1..200 {
            assert!(pace.after(failures) <= pace.after(failures + 1), "{failures}");
        }
        assert_eq!(pace.after(u32::MAX), pace.most);
        assert_eq!(Pace { most: Duration::MAX, ..pace }.after(40), Duration::from_secs(u64::from(u32::MAX)));
    }

    #[test]
    fn terminals_take_turns() {
        let (mut rounds, now, serials) = (Rounds::new(Pace::default()), Instant::now(), serials(&["A", "B", "C"]));
        for turn in 0..7 {
            let expected = &serials[turn % 3];
            assert_eq!(rounds.next(&serials, now), Next::Post(expected.clone()));
            rounds.settle(expected, &stored(), now);
        }
        assert_eq!(rounds.next(&[], now), Next::Wait(None));
    }

    #[test]
    fn a_refused_terminal_waits_and_the_others_do_not() {
        let (mut rounds, now, serials) = (Rounds::new(Pace::default()), Instant::now(), serials(&["A", "B"]));
        rounds.settle(&serials[0], &refused(), now);
        for _ in 0..3 {
            assert_eq!(rounds.next(&serials, now), Next::Post(serials[1].clone()));
            rounds.settle(&serials[1], &stored(), now);
        }
        let again = now + Pace::default().refused;
        assert_eq!(rounds.next(&serials[..1], now), Next::Wait(Some(again)));
        assert_eq!(rounds.next(&serials[..1], again), Next::Post(serials[0].clone()));
    }

    #[test]
    fn a_gateway_in_trouble_is_left_alone_as_long_as_it_asks_within_limits() {
        let (pace, now, serials) = (Pace::default(), Instant::now(), serials(&["A", "B"]));
        for (asked, expected) in [(None, 1), (Some(0), 1), (Some(30), 30), (Some(1_000_000), 900)] {
            let mut rounds = Rounds::new(pace);
            rounds.settle(&serials[0], &retry(asked), now);
            let until = now + Duration::from_secs(expected);
            assert_eq!(rounds.next(&serials, now), Next::Wait(Some(until)));
            // And then it is somebody else's turn: rows that make the gateway fail hold up nobody for ever.
            assert_eq!(rounds.next(&serials, until), Next::Post(serials[1].clone()));
        }
        let mut rounds = Rounds::new(pace);
        for _ in 0..5 {
            rounds.settle(&serials[0], &retry(None), now);
        }
        assert_eq!(rounds.failures(), 5);
        assert_eq!(rounds.next(&serials, now), Next::Wait(Some(now + Duration::from_secs(16))));
        rounds.settle(&serials[0], &stored(), now);
        assert_eq!((rounds.failures(), rounds.next(&serials, now)), (0, Next::Post(serials[1].clone())));
    }
}
