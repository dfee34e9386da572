//! How many calls the programs need for a backlog, each against its stand-in 20 ms away: the whole way from the webhook on.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use simulator::erp::{StandIn, serve_far};
use simulator::erpnext::{ErpNextConfig, ErpNextEmployee, ErpNextStandIn};
use simulator::odoo::{OdooConfig, OdooEmployee, OdooStandIn};
use simulator::successfactors::{SuccessFactorsConfig, SuccessFactorsStandIn};
use tempfile::tempdir;
use tokio::time::Instant;

use crate::program::{Program, erpnext, hrms, odoo, signed, successfactors};

/// How far away an ERP is.
const LATENCY: Duration = Duration::from_millis(20);

/// A day of somebody, in UTC.
const DAY: [(&str, &str); 4] = [("14:00:00", "in"), ("19:00:00", "out"), ("20:00:00", "in"), ("23:30:00", "out")];

/// What draining a backlog came to.
#[derive(Debug)]
pub(crate) struct Drained {
    pub(crate) punches: usize,
    /// Everything that was asked of the ERP, logging in included.
    pub(crate) calls: usize,
    pub(crate) elapsed: Duration,
}

impl Drained {
    pub(crate) fn calls_per_punch(&self) -> f64 {
        float(self.calls) / float(self.punches)
    }

    pub(crate) fn punches_per_second(&self) -> f64 {
        float(self.punches) / self.elapsed.as_secs_f64()
    }
}

pub(crate) fn float(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::NAN, f64::from)
}

fn badge(person: usize) -> String {
    (10_000 + person).to_string()
}

pub(crate) async fn drain_odoo(people: usize) -> Drained {
    let mut config = OdooConfig::new(18, "main", "canary-of-the-api", "key");
    config.employees = (1..).zip(0..people).map(|(id, person)| OdooEmployee::new(id, "Ada", &badge(person))).collect();
    let (url, server) = serve(OdooStandIn::new(config)).await;
    let drained = drain(people, |folder| odoo(&url, folder), || server.lock().unwrap().calls().len()).await;
    let server = server.lock().unwrap();
    let closed = server.attendances().iter().filter(|row| row.check_out.is_some_and(|end| row.check_in < end));
    assert_eq!(closed.count() * 2, drained.punches, "every pair is there");
    drained
}

pub(crate) async fn drain_erpnext(people: usize) -> Drained {
    let mut config = ErpNextConfig::new("America/Mexico_City", "key-of-the-api", "canary-of-the-api").unwrap();
    let person = |person| ErpNextEmployee::new(&format!("HR-EMP-{person}"), "Ada", &badge(person));
    config.employees = (0..people).map(person).collect();
    let (url, server) = serve(ErpNextStandIn::new(config)).await;
    let drained = drain(people, |folder| erpnext(&url, folder), || server.lock().unwrap().requests().len()).await;
    assert_eq!(server.lock().unwrap().checkins().len(), drained.punches, "every punch is there");
    drained
}

pub(crate) async fn drain_successfactors(people: usize) -> Drained {
    let mut config = SuccessFactorsConfig::new("client", "canary-of-the-api", "SF-EC-TA");
    config.assignments = (0..people).map(badge).collect();
    // The calls of these seconds are spread over hours at work.
    config.has_quota = false;
    let (url, server) = serve(SuccessFactorsStandIn::new(config)).await;
    let drained = drain(people, |folder| successfactors(&url, folder), || server.lock().unwrap().calls().len()).await;
    assert_eq!(server.lock().unwrap().events().len(), drained.punches, "every punch is there");
    drained
}

/// A table of one's own, in a file on this machine. Its calls are transactions.
pub(crate) async fn drain_hrms(people: usize) -> Drained {
    let command = |folder: &std::path::Path| {
        let mut command = hrms("sqlite:hrms.sqlite", folder);
        command.env("CREATE_TABLES", "true");
        command
    };
    drain(people, command, || people * DAY.len()).await
}

async fn serve<S: StandIn>(server: S) -> (String, Arc<Mutex<S>>) {
    let server = Arc::new(Mutex::new(server));
    let addr = serve_far(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::clone(&server), LATENCY).await.unwrap();
    (format!("http://{addr}"), server)
}

/// Hands the program the days of so many people in lists, in order of time, and waits until all of it is written.
async fn drain(people: usize, command: impl Fn(&std::path::Path) -> Command, calls: impl Fn() -> usize) -> Drained {
    let folder = tempdir().unwrap();
    let program = Program::run(command(folder.path()), &[]).await;
    let punches = DAY.iter().flat_map(|(time, direction)| (0..people).map(move |person| (person, time, direction)));
    let events: Vec<_> = punches
        .map(|(person, time, direction)| {
            let (badge, time_of_day) = (badge(person), time.replace(':', ""));
            json!({
                "event": "attendance.punch", "event_id": format!("evt_{badge}_{time_of_day}"), "employee_id": badge,
                "timestamp": format!("2026-03-27T{time}Z"), "direction": direction, "device_serial": "T1",
            })
        })
        .collect();
    let begun = Instant::now();
    for (number, list) in events.chunks(500).enumerate() {
        let body = serde_json::to_vec(list).unwrap();
        let id = format!("evt_list_{number}");
        assert_eq!(program.post("/webhook", &signed(&id, &body), &body).await.0, 200);
    }
    program.stands_at(0, u64::try_from(events.len()).unwrap(), 0).await;
    Drained { punches: events.len(), calls: calls(), elapsed: begun.elapsed() }
}

/// At most 1.2 calls a punch: people are read and written many at once, and pairs are one record.
#[tokio::test]
async fn odoo_is_asked_at_most_1_2_times_a_punch() {
    let drained = drain_odoo(150).await;
    assert!(drained.calls_per_punch() <= 1.2, "{drained:?}");
}

/// S0-004: at most one call for a hundred punches, of which a day has some 300.
#[tokio::test]
async fn successfactors_is_asked_at_most_once_for_a_hundred_punches() {
    let drained = drain_successfactors(1000).await;
    assert!(drained.calls_per_punch() <= 0.01, "{drained:?}");
}

/// One call a punch, and the table of employees.
#[tokio::test]
async fn erpnext_is_asked_once_a_punch() {
    let drained = drain_erpnext(50).await;
    assert!(drained.calls <= drained.punches + 10, "{drained:?}");
}
