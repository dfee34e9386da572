//! A database, an API user, some employees, and a way to write punches.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use punch_erp::odoo::{Odoo, OdooSettings, Protocol, Session, WriteAttendances};
use punch_erp::{Failure, HttpRequest, HttpResponse, Outcome, drive};
use punch_webhook::ReceivedPunch;

pub(crate) use crate::odoo_server::{OdooConfig, OdooEmployee, OdooFault, OdooStandIn};
pub(crate) use crate::world::at;
use crate::world::reply;
pub(crate) use crate::world::words;

pub(crate) const PASSWORD: &str = "canary pass:word <&>";
pub(crate) const KEY: &str = "canary4f1e2d3c4b5a69788796a5b4c3d2e1f0aa";

/// Versions and protocols that go together.
pub(crate) const DOORS: [(u16, Protocol); 7] = [
    (16, Protocol::JsonRpc),
    (16, Protocol::XmlRpc),
    (18, Protocol::JsonRpc),
    (18, Protocol::XmlRpc),
    (19, Protocol::JsonRpc),
    (19, Protocol::XmlRpc),
    (19, Protocol::Json2),
];

/// Shortly after every punch of these tests.
pub(crate) fn now() -> DateTime<Utc> {
    at("2026-11-30T12:00:00Z")
}

/// A punch of Alice on 10 November 2026, at a time of day, or on another day and time.
pub(crate) fn alice(time: &str, direction: &str) -> ReceivedPunch {
    punch("1001", time, direction)
}

/// The event's id is made of its content, so two equal punches are one event delivered twice.
pub(crate) fn punch(badge: &str, time: &str, direction: &str) -> ReceivedPunch {
    let timestamp = match time.split_once(' ') {
        Some((day, time)) => format!("2026-11-{day}T{time}Z"),
        None => format!("2026-11-10T{time}Z"),
    };
    let id = format!("evt_{}_{}_{direction}", badge.len(), timestamp.replace([':', '-'], ""));
    let mut punch = crate::world::punch(&id, "1", &timestamp, direction);
    punch.badge = badge.to_owned();
    punch
}

pub(crate) fn settings() -> OdooSettings {
    OdooSettings::new("https://odoo.example.com", "main", "punch-bot", KEY)
}

pub(crate) struct World {
    pub(crate) odoo: Odoo,
    pub(crate) server: OdooStandIn,
    pub(crate) session: Session,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::at_door(18, Protocol::JsonRpc)
    }

    pub(crate) fn at_door(version: u16, protocol: Protocol) -> Self {
        let mut settings = settings();
        settings.protocol = Some(protocol);
        Self::with(version, settings)
    }

    pub(crate) fn with(version: u16, settings: OdooSettings) -> Self {
        let mut config = OdooConfig::new(version, "main", PASSWORD, KEY);
        config.employees = vec![
            OdooEmployee::new(1, "Administrator", ""),
            OdooEmployee::new(11, "Alice Canary", "1001"),
            OdooEmployee::new(12, "Bob", "0042"),
            OdooEmployee::new(13, "Iris", "3003").archived(),
        ];
        config.employees[0].badge = None;
        Self { odoo: Odoo::new(settings).unwrap(), server: OdooStandIn::new(config), session: Session::default() }
    }

    pub(crate) fn send(&mut self, request: &HttpRequest) -> Result<HttpResponse, Failure> {
        let response = self.server.answer(request, now());
        reply(response)
    }

    pub(crate) fn flow(&self, punches: &[ReceivedPunch]) -> WriteAttendances {
        WriteAttendances::new(&self.odoo, punches, now()).with_session(self.session.clone())
    }

    /// One attempt; the session is kept for the next one.
    pub(crate) fn write(&mut self, punches: &[ReceivedPunch]) -> Vec<Outcome> {
        let mut flow = self.flow(punches);
        let outcomes = drive(&mut flow, |request| self.send(&request));
        self.session = flow.session().clone();
        assert_eq!(outcomes.len(), punches.len());
        outcomes
    }

    /// Attempts until nothing is left to be tried again.
    pub(crate) fn write_until_settled(&mut self, punches: &[ReceivedPunch]) -> Vec<Outcome> {
        for _ in 0..100 {
            let outcomes = self.write(punches);
            if outcomes.iter().all(|outcome| outcome.word() != "retry") {
                return outcomes;
            }
        }
        panic!("100 attempts and no end")
    }

    /// What Odoo has of Alice: `10 08:00:00-16:00:00`, `08:00:00-` while open.
    pub(crate) fn records(&self) -> Vec<String> {
        self.records_of(11)
    }

    pub(crate) fn records_of(&self, employee: i64) -> Vec<String> {
        let mut rows: Vec<_> =
            self.server.attendances().iter().filter(|row| row.employee == employee).cloned().collect();
        rows.sort_by_key(|row| (row.check_in, row.check_out));
        let end = |row: &crate::odoo_server::StoredAttendance| match row.check_out {
            Some(end) if end.date() == row.check_in.date() => end.format("%H:%M:%S").to_string(),
            Some(end) => end.format("%d %H:%M:%S").to_string(),
            None => String::new(),
        };
        rows.iter().map(|row| format!("{}-{}", row.check_in.format("%d %H:%M:%S"), end(row))).collect()
    }

    /// The calls since `from`, counted by name.
    pub(crate) fn calls_since(&self, from: usize) -> BTreeMap<String, usize> {
        let mut counted = BTreeMap::new();
        for call in &self.server.calls()[from..] {
            *counted.entry(call.clone()).or_default() += 1;
        }
        counted
    }

    /// Odoo, or a person, writes an attendance of Alice.
    pub(crate) fn put(&mut self, check_in: &str, check_out: Option<&str>, out_mode: &str) -> i64 {
        self.server.put_attendance(11, naive(check_in), check_out.map(naive), out_mode)
    }
}

pub(crate) fn naive(time: &str) -> NaiveDateTime {
    let (day, time) = time.split_once(' ').unwrap_or(("10", time));
    format!("2026-11-{day}T{time}").parse().unwrap()
}
