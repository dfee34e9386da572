//! A site, an API user, some employees, and a way to write punches.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use punch_erp::erpnext::{EmployeeDirectory, ErpNext, ErpNextSettings, WriteCheckin};
use punch_erp::{Failure, HttpRequest, HttpResponse, Outcome, ParkReason, drive};
use punch_normalize::EventId;
use punch_webhook::{ReceivedEvent, ReceivedPunch, Secret, Signer, Verifier};
use serde_json::json;

use crate::erpnext::{ErpNextConfig, ErpNextEmployee, ErpNextStandIn};
use crate::month::Delivery;
use crate::stand_in::NoAnswer;

pub(crate) const KEY: &str = "4f1e2d3c4b5a697";
pub(crate) const SECRET: &str = "canary-secret-9b8a";

/// Shortly after every punch of these tests.
pub(crate) fn now() -> DateTime<Utc> {
    at("2026-11-22T04:46:48Z")
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A punch as a middleware receives it: out of a signed body.
pub(crate) fn punch(event_id: &str, badge: &str, timestamp: &str, direction: &str) -> ReceivedPunch {
    let body = json!({
        "event_id": event_id, "employee_id": badge, "timestamp": timestamp, "punch_type": direction,
        "device_serial": "CZKE2241600045",
    });
    let (body, secret) = (body.to_string(), Secret::from_random([7; 32]));
    let headers = Signer::new(&secret).headers(&EventId::parse(event_id).unwrap(), body.as_bytes(), now());
    let verifier = Verifier::new(&secret);
    let event = verifier.verify(headers.iter(), body.as_bytes(), now()).unwrap().event().unwrap();
    let ReceivedEvent::Punch(punch) = event else { panic!("not a punch") };
    punch
}

/// A punch of the generated month.
pub(crate) fn delivered(delivery: &Delivery) -> ReceivedPunch {
    punch(&delivery.id, &delivery.badge, &delivery.at.to_rfc3339(), delivery.direction)
}

/// Alice arrives at 09:00 in Dhaka.
pub(crate) fn alice() -> ReceivedPunch {
    punch("evt_5xe9rzfeytktk4ns5q1xhc1e6k", "1001", "2026-11-10T03:00:00Z", "in")
}

/// What reaches the client of an answer.
pub(crate) fn reply(response: HttpResponse) -> Result<HttpResponse, Failure> {
    match response.extensions().get::<NoAnswer>() {
        Some(NoAnswer) => Err(Failure::unknown("timed out")),
        None => Ok(response),
    }
}

pub(crate) fn settings(zone: &str) -> ErpNextSettings {
    ErpNextSettings::new("https://erp.example.com", KEY, SECRET, zone)
}

pub(crate) struct World {
    pub(crate) site: ErpNext,
    pub(crate) server: ErpNextStandIn,
    pub(crate) directory: Option<Arc<EmployeeDirectory>>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A site in Dhaka, changed by `change`.
    pub(crate) fn with(change: impl FnOnce(&mut ErpNextConfig)) -> Self {
        Self::in_zone("Asia/Dhaka", change)
    }

    pub(crate) fn in_zone(zone: &str, change: impl FnOnce(&mut ErpNextConfig)) -> Self {
        let mut config = ErpNextConfig::new(zone, KEY, SECRET).unwrap();
        config.host = "erp.example.com".to_owned();
        config.employees = vec![
            ErpNextEmployee::new("HR-EMP-00001", "Alice", "1001"),
            ErpNextEmployee::new("HR-EMP-00002", "Bob", "0042"),
            ErpNextEmployee::new("HR-EMP-00003", "Iris", "3003").with_status("Inactive"),
            ErpNextEmployee::new("HR-EMP-00004", "Liam", "4004").with_status("Left"),
            ErpNextEmployee::new("HR-EMP-00005", "Sue", "5005").with_status("Suspended"),
        ];
        config.employees[3].relieving_date = Some("2026-11-10".to_owned());
        change(&mut config);
        Self { site: ErpNext::new(settings(zone)).unwrap(), server: ErpNextStandIn::new(config), directory: None }
    }

    pub(crate) fn send(&mut self, request: &HttpRequest, now: DateTime<Utc>) -> Result<HttpResponse, Failure> {
        let response = self.server.answer(request, now);
        reply(response)
    }

    /// One attempt.
    pub(crate) fn write(&mut self, punch: &ReceivedPunch) -> Outcome {
        self.attempt(punch, false)
    }

    /// One attempt, looking first if asked to; the table is kept for the next one.
    pub(crate) fn attempt(&mut self, punch: &ReceivedPunch, look_first: bool) -> Outcome {
        let mut flow = WriteCheckin::new(&self.site, punch, now());
        if let Some(directory) = &self.directory {
            flow = flow.with_directory(Arc::clone(directory));
        }
        if look_first {
            flow = flow.look_first();
        }
        let outcome = drive(&mut flow, |request| self.send(&request, now()));
        self.directory = flow.directory().cloned();
        outcome
    }

    /// Attempts as a queue makes them: again while it says retry, looking first when it may have happened.
    pub(crate) fn write_until_settled(&mut self, punch: &ReceivedPunch) -> Outcome {
        let mut look_first = false;
        for _ in 0..100 {
            match self.attempt(punch, look_first) {
                Outcome::Retry { reason, .. } => look_first |= reason.may_have_happened(),
                settled => return settled,
            }
        }
        panic!("100 attempts and no end")
    }

    /// The requests since `from`.
    pub(crate) fn requests_since(&self, from: usize) -> Vec<String> {
        self.server.requests()[from..].to_vec()
    }
}

pub(crate) fn parked(outcome: &Outcome) -> &ParkReason {
    match outcome {
        Outcome::Park(reason) => reason,
        other => panic!("{other:?} is not parked"),
    }
}

pub(crate) fn retry_code(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Retry { reason, .. } => reason.code(),
        other => panic!("{other:?} is no retry"),
    }
}

/// The outcomes as words, parked and retried ones with their reason.
pub(crate) fn words(outcomes: &[Outcome]) -> Vec<&str> {
    outcomes.iter().map(|outcome| outcome.reason().unwrap_or_else(|| outcome.word())).collect()
}
