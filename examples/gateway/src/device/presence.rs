//! Which terminals are there: what people look at first when punches are missing.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::handler::Devices;
use super::registry::{Device, Registry};
use crate::clock::now;

/// A terminal is late when it has missed so many of its calls,
const MISSED_CALLS: i32 = 3;

/// and this on top, for a call that takes its time.
const GRACE: TimeDelta = TimeDelta::seconds(60);

/// How a terminal is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It calls as often as it was told to.
    Online,
    /// It has called since the start, and has missed several calls.
    Late,
    /// Somebody who reads it brings what it has: how often, only they know.
    Forwarded,
    /// Not since the start.
    Never,
}

/// A terminal, as far as it was heard since the start.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// Its name for people.
    pub(crate) name: Option<String>,
    /// Its site.
    pub(crate) site: Option<String>,
    /// How it is heard.
    pub(crate) manner: Manner,
    /// When it was heard last, itself or through somebody who had read it.
    pub(crate) last_seen: Option<DateTime<Utc>>,
    /// Whether earlier rows may be waiting on it.
    pub(crate) is_behind: bool,
    /// Up to when it has told everything, if anybody knows.
    pub(crate) complete_to: Option<DateTime<Utc>>,
}

impl Device {
    fn heard(&self, now: DateTime<Utc>) -> Heard {
        let called_at = self.session.last_seen();
        let patience = self.session.delay().checked_mul(MISSED_CALLS).and_then(|calls| calls.checked_add(&GRACE));
        let is_recent = |at: DateTime<Utc>| patience.is_none_or(|patience| now.signed_duration_since(at) <= patience);
        let manner = match (called_at, self.forwarded_at) {
            (Some(called_at), _) if is_recent(called_at) => Manner::Online,
            (called_at, Some(forwarded_at)) if called_at.is_none_or(|at| at <= forwarded_at) => Manner::Forwarded,
            (Some(_), _) => Manner::Late,
            (None, _) => Manner::Never,
        };
        let presence = &self.timekeeping.presence;
        Heard {
            name: self.directory.device.name.clone(),
            site: self.directory.device.site.clone(),
            manner,
            last_seen: called_at.max(self.forwarded_at),
            is_behind: presence.is_behind(now),
            complete_to: presence.complete_to(),
        }
    }
}

impl Registry {
    fn heard(&self, now: DateTime<Utc>) -> BTreeMap<String, Heard> {
        self.lock().iter().map(|(serial, device)| (serial.to_string(), device.heard(now))).collect()
    }
}

impl Devices {
    /// Every terminal that is named or has called, by serial.
    pub(crate) fn heard(&self) -> BTreeMap<String, Heard> {
        self.0.registry.heard(now())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use punch_protocol::SerialNumber;
    use punch_protocol::push::{Admission, Limits, Parts, Request};

    use super::{Manner, Registry};
    use crate::config::Config;

    #[test]
    fn a_terminal_is_late_after_three_calls_and_a_minute_unless_somebody_reads_it() {
        let registry = Registry::new(&Config::default(), &[], [7; 32]);
        let serial = SerialNumber::parse("T1").unwrap();
        registry.admit(serial.clone(), Admission::Approved, None, None);
        let start = DateTime::<Utc>::UNIX_EPOCH;
        let manner = |seconds: i64| registry.heard(start + TimeDelta::seconds(seconds))["T1"].manner;
        assert_eq!(manner(0), Manner::Never);
        let poll = Parts::new("GET", "/iclock/getrequest", "SN=T1", b"");
        let (_, request) = Request::parse(poll, &Limits::default()).unwrap();
        drop(registry.handle(&serial, &request, start).unwrap());
        let patience = registry.lock()[&serial].session.delay().num_seconds() * 3 + 60;
        assert_eq!([manner(0), manner(patience), manner(patience + 1)], [Manner::Online, Manner::Online, Manner::Late]);
        let at = start + TimeDelta::seconds(patience + 1);
        registry.meet(&serial, at).unwrap();
        assert_eq!(manner(100_000), Manner::Forwarded);
        assert_eq!(registry.heard(at)["T1"].last_seen, Some(at));
    }
}
