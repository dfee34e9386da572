use chrono::{DateTime, TimeDelta, Utc};
use punch_webhook::DeviceStatus;

/// Whether a terminal is there, as it was told last. It is kept, so that a restart tells nothing twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reach {
    /// Whether it was told to be there; `None` if nothing was told since it was let in.
    pub is_online: Option<bool>,
    /// How often it was told of; with it each event has a name of its own.
    pub turn: u64,
    /// When it was heard, as far as gateways have told each other.
    pub heard_at: Option<DateTime<Utc>>,
}

impl Reach {
    /// What has to be told now of a terminal that may be silent for `patience`. It was `heard` by this gateway, which has
    /// listened since `since`: of what was before then, silence says nothing.
    pub fn look(
        &mut self,
        heard: Option<DateTime<Utc>>,
        patience: TimeDelta,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Option<DeviceStatus> {
        let is_here = heard.is_some_and(|at| now.signed_duration_since(at) <= patience);
        let last = self.heard_at.max(heard).max(Some(since));
        let is_gone = last.is_some_and(|at| now.signed_duration_since(at) > patience);
        match self.is_online {
            None | Some(false) if is_here => {
                self.heard_at = self.heard_at.max(heard);
                Some(self.turn_to(Some(true), DeviceStatus::Online))
            }
            Some(true) if is_gone => Some(self.turn_to(Some(false), DeviceStatus::Offline)),
            None | Some(_) => None,
        }
    }

    /// Somebody has let it in, or keeps it out: whether it is there begins anew.
    pub fn decided(&mut self, status: DeviceStatus) {
        self.turn_to(None, status);
    }

    /// Whether other gateways should hear of it that it was `heard` here: they wait a third of its patience at most.
    pub fn is_stale(&self, heard: Option<DateTime<Utc>>, patience: TimeDelta) -> bool {
        let third = patience.checked_div(3).unwrap_or_default();
        let is_newer = |at: DateTime<Utc>| self.heard_at.is_none_or(|kept| at.signed_duration_since(kept) > third);
        heard.is_some_and(is_newer)
    }

    fn turn_to(&mut self, is_online: Option<bool>, status: DeviceStatus) -> DeviceStatus {
        (self.is_online, self.turn) = (is_online, self.turn.saturating_add(1));
        status
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use punch_webhook::DeviceStatus::{Approved, Offline, Online};

    use super::Reach;

    const PATIENCE: TimeDelta = TimeDelta::seconds(150);

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn each_turn_is_told_once_and_not_before_its_time() {
        let mut reach = Reach::default();
        let mut look = |heard: Option<i64>, now| reach.look(heard.map(at), PATIENCE, at(0), at(now));
        assert_eq!(look(None, 1_000), None, "it never was there");
        assert_eq!(look(Some(1_000), 1_005), Some(Online));
        assert_eq!([1_006, 1_150].map(|now| look(Some(1_000), now)), [None, None]);
        assert_eq!(look(Some(1_000), 1_151), Some(Offline));
        assert_eq!(look(Some(1_000), 9_000), None);
        assert_eq!(look(Some(9_001), 9_002), Some(Online));
        assert_eq!(reach.turn, 3);
    }

    #[test]
    fn a_gateway_that_did_not_listen_waits_and_so_does_one_beside_another() {
        let before = Reach { is_online: Some(true), turn: 1, heard_at: Some(at(0)) };
        let look = |mut reach: Reach, since, now| reach.look(None, PATIENCE, at(since), at(now));
        assert_eq!(look(before, 5_000, 5_150), None, "it has listened for 150 seconds only");
        assert_eq!(look(before, 5_000, 5_151), Some(Offline));
        let beside = Reach { heard_at: Some(at(6_000)), ..before };
        assert_eq!(look(beside, 5_000, 6_150), None, "another gateway has heard it");
        assert!(!beside.is_stale(Some(at(6_050)), PATIENCE) && beside.is_stale(Some(at(6_051)), PATIENCE));
    }

    #[test]
    fn who_is_let_in_anew_is_told_to_be_there_anew() {
        let mut reach = Reach { is_online: Some(true), turn: 1, heard_at: None };
        reach.decided(Approved);
        assert_eq!(reach.look(None, PATIENCE, at(0), at(9_000)), None, "it was not there since");
        assert_eq!((reach.look(Some(at(9_000)), PATIENCE, at(0), at(9_000)), reach.turn), (Some(Online), 3));
    }
}
