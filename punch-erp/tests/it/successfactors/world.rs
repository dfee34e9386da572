//! A tenant, an API client, some assignments, a clock, and a way to write punches.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use punch_erp::successfactors::{Session, SuccessFactors, SuccessFactorsSettings, WriteTimeEvents};
use punch_erp::{Failure, HttpRequest, HttpResponse, Outcome, drive};
use punch_webhook::ReceivedPunch;

pub(crate) use crate::successfactors_server::{SuccessFactorsConfig, SuccessFactorsFault, SuccessFactorsStandIn};
pub(crate) use crate::world::at;
use crate::world::reply;

pub(crate) const CLIENT: &str = "c0ffee00-1111-2222-3333-444455556666";
pub(crate) const SECRET: &str = "canary/s+e=c?ret";

/// A punch of Alice on 10 November 2026, at a time of day, or on another day and time.
pub(crate) fn alice(time: &str, direction: &str) -> ReceivedPunch {
    punch("1001", time, direction)
}

/// The event's id is made of its content, so two equal punches are one event delivered twice.
pub(crate) fn punch(badge: &str, time: &str, direction: &str) -> ReceivedPunch {
    let mut punch = crate::odoo::world::punch(badge, time, direction);
    // Of the badge a number, which is no badge.
    let number = badge.bytes().fold(7_u64, |number, byte| number.wrapping_mul(31).wrapping_add(u64::from(byte)));
    punch.event_id = punch_normalize::EventId::parse(&format!("{}_{number}", punch.event_id)).unwrap();
    punch
}

pub(crate) fn settings() -> SuccessFactorsSettings {
    SuccessFactorsSettings::new("https://api55.sapsf.eu", "P10", "P20").with_ias(
        "https://acme.accounts.ondemand.com",
        CLIENT,
        SECRET,
        "SF-EC-TA",
    )
}

pub(crate) struct World {
    pub(crate) tenant: SuccessFactors,
    pub(crate) server: SuccessFactorsStandIn,
    pub(crate) session: Session,
    /// Shortly after every punch of these tests, and it goes on.
    pub(crate) now: DateTime<Utc>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(settings())
    }

    pub(crate) fn with(settings: SuccessFactorsSettings) -> Self {
        let mut config = SuccessFactorsConfig::new(CLIENT, SECRET, "SF-EC-TA");
        config.api_host = "api55.sapsf.eu".to_owned();
        config.assignments = ["1001", "0042", "3003"].map(str::to_owned).into();
        Self {
            tenant: SuccessFactors::new(settings).unwrap(),
            server: SuccessFactorsStandIn::new(config),
            session: Session::default(),
            now: at("2026-11-30T00:00:00Z"),
        }
    }

    pub(crate) fn send(&mut self, request: &HttpRequest) -> Result<HttpResponse, Failure> {
        let response = self.server.answer(request, self.now);
        reply(response)
    }

    pub(crate) fn flow(&self, punches: &[ReceivedPunch]) -> WriteTimeEvents {
        WriteTimeEvents::new(&self.tenant, punches, self.now).with_session(self.session.clone())
    }

    /// One attempt; the session is kept for the next one, which comes after the interval.
    pub(crate) fn write(&mut self, punches: &[ReceivedPunch]) -> Vec<Outcome> {
        let mut flow = self.flow(punches);
        let outcomes = drive(&mut flow, |request| self.send(&request));
        self.session = flow.session().clone();
        self.now += TimeDelta::seconds(300);
        assert_eq!(outcomes.len(), punches.len());
        outcomes
    }

    /// Attempts as a queue makes them: with what is to be tried again, as soon as a call is due. How each punch ended.
    pub(crate) fn write_until_settled(&mut self, punches: &[ReceivedPunch]) -> Vec<Outcome> {
        let mut ended: BTreeMap<usize, Outcome> = BTreeMap::new();
        for _ in 0..1000 {
            let open: Vec<usize> = (0..punches.len()).filter(|index| !ended.contains_key(index)).collect();
            if open.is_empty() {
                return ended.into_values().collect();
            }
            self.now = self.session.budget().due_at(open.len(), &self.tenant.call_rules(), self.now);
            let waiting: Vec<_> = open.iter().map(|index| punches[*index].clone()).collect();
            let mut flow = self.flow(&waiting);
            let outcomes = drive(&mut flow, |request| self.send(&request));
            self.session = flow.session().clone();
            let waits = outcomes.iter().filter_map(|outcome| match outcome {
                Outcome::Retry { after, .. } => *after,
                _ => None,
            });
            self.now += waits.max().unwrap_or(TimeDelta::seconds(300));
            let settled = open.into_iter().zip(outcomes).filter(|(_, outcome)| outcome.word() != "retry");
            ended.extend(settled);
        }
        panic!("1000 attempts and no end")
    }

    /// What the tenant has of Alice: `10 08:00:00 P10`, in order of time.
    pub(crate) fn records(&self) -> Vec<String> {
        self.records_of("1001")
    }

    pub(crate) fn records_of(&self, assignment: &str) -> Vec<String> {
        let mut rows: Vec<_> = self.server.events().iter().filter(|event| event.assignment == assignment).collect();
        rows.sort_by_key(|event| event.at);
        rows.iter().map(|event| format!("{} {}", event.at.format("%d %H:%M:%S"), event.code)).collect()
    }
}

/// The outcomes as words, parked and retried ones with their reason.
pub(crate) fn words(outcomes: &[Outcome]) -> Vec<&str> {
    crate::odoo::world::words(outcomes)
}

/// A day of many people: arrival and departure, by number.
pub(crate) fn crowd(world: &mut World, people: usize) -> Vec<ReceivedPunch> {
    let names: Vec<String> = (0..people).map(|number| format!("w{number:05}")).collect();
    world.server.config_mut().assignments.extend(names.iter().cloned());
    let both = |name: &String| [punch(name, "08:00:00", "in"), punch(name, "16:00:00", "out")];
    names.iter().flat_map(both).collect()
}
