//! A server with events, a partner user, and a way to read.

use chrono::{DateTime, FixedOffset, Utc};
use punch_erp::hikcentral::{
    DoorEventQuery, DoorEventsRead, HikCentral, HikCentralRules, HikCentralSettings, ReadDoorEvents, Stamp,
};
use punch_erp::passage::Reading;
use punch_erp::{Failure, Flow, HttpRequest, HttpResponse, RetryReason, drive};
use punch_normalize::Direction;

use crate::hikcentral_server::{DoorEvent, HikCentralConfig, HikCentralStandIn, HikPerson};
pub(crate) use crate::world::at;
use crate::world::reply;

pub(crate) const KEY: &str = "24680135";
pub(crate) const SECRET: &str = "canary-secret-5d1c";

pub(crate) fn settings() -> HikCentralSettings {
    HikCentralSettings::new("https://hik.example.com", KEY, SECRET)
}

/// A time of 27 January 2026, in the offset of the site.
pub(crate) fn local(time: &str) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(&format!("2026-01-27T{time}-03:00")).unwrap()
}

pub(crate) struct World {
    pub(crate) site: HikCentral,
    pub(crate) server: HikCentralStandIn,
    pub(crate) rules: HikCentralRules,
    calls: u8,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {}, |_| {})
    }

    /// A server with door 7 in and door 8 out.
    pub(crate) fn with(
        change: impl FnOnce(&mut HikCentralConfig),
        choose: impl FnOnce(&mut HikCentralSettings),
    ) -> Self {
        let mut config = HikCentralConfig::new(KEY, SECRET);
        config.people =
            (11..20).map(|id| HikPerson::new(&id.to_string(), &format!("EMP{id}"), &format!("43{id}"))).collect();
        change(&mut config);
        let mut settings = settings();
        choose(&mut settings);
        let mut rules = HikCentralRules::default();
        rules.passage.doors = [("7".into(), Direction::In), ("8".into(), Direction::Out)].into();
        Self { site: HikCentral::new(settings).unwrap(), server: HikCentralStandIn::new(config), rules, calls: 0 }
    }

    /// A stamp nobody had before.
    pub(crate) fn stamp(&mut self) -> Stamp {
        self.calls += 1;
        Stamp::new([self.calls; 16], at("2026-01-27T20:00:00Z"))
    }

    pub(crate) fn send(&mut self, request: &HttpRequest) -> Result<HttpResponse, Failure> {
        let response = self.server.answer(request, at("2026-01-27T20:00:00Z"));
        reply(response)
    }

    pub(crate) fn run<F: Flow>(&mut self, flow: &mut F) -> F::Output {
        drive(flow, |request| self.send(&request))
    }

    pub(crate) fn read(&mut self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<DoorEventsRead, RetryReason> {
        let query = DoorEventQuery::new(from, to, self.rules.event_types.codes());
        let stamp = self.stamp();
        let mut flow = ReadDoorEvents::new(&self.site, &query, self.rules.clone(), stamp);
        self.run(&mut flow)
    }

    /// The whole of 27 January.
    pub(crate) fn read_day(&mut self) -> Result<DoorEventsRead, RetryReason> {
        self.read(at("2026-01-27T00:00:00Z"), at("2026-01-28T12:00:00Z"))
    }

    /// A face every minute from 08:00, of nine people in turn.
    pub(crate) fn faces(&mut self, count: u32) {
        for number in 0..count {
            let time = format!("{:02}:{:02}:00", 8 + number / 60, number % 60);
            let person = (11 + number % 9).to_string();
            self.server.happen(DoorEvent::face(&format!("e{number}"), local(&time), &person, "7"));
        }
    }
}

/// The ids of what passed, sorted.
pub(crate) fn ids(readings: &[Reading]) -> Vec<String> {
    let ids = readings.iter().filter_map(Reading::passage).map(|passage| passage.event_id.to_string());
    let mut ids: Vec<_> = ids.collect();
    ids.sort();
    ids
}
