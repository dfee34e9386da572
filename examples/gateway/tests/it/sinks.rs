//! `[[sink]]`: what terminals send is in the ERP, in order, once, and what is parked is released by whoever mends the cause.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gateway::config::Config;
use serde_json::json;
use simulator::erp::{SharedErpNext, SharedOdoo, serve_erpnext, serve_far};
use simulator::erpnext::{ErpNextConfig, ErpNextEmployee, ErpNextStandIn};
use simulator::odoo::{OdooConfig, OdooEmployee, OdooFault, OdooStandIn};

use crate::deliveries::patch;
use crate::harness::{Site, eventually};

const SECRET: &str = "canary-of-the-api";

/// A database that knows these badges, and the file that makes it a sink.
async fn odoo(badges: &[i64]) -> (SharedOdoo, String) {
    far_odoo(badges, Duration::ZERO).await
}

async fn far_odoo(badges: &[i64], latency: Duration) -> (SharedOdoo, String) {
    let mut config = OdooConfig::new(18, "main", SECRET, SECRET);
    config.employees = badges.iter().map(|badge| OdooEmployee::new(*badge, "Ada", &badge.to_string())).collect();
    let server = Arc::new(Mutex::new(OdooStandIn::new(config)));
    let addr = serve_far(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::clone(&server), latency).await.unwrap();
    let file = format!(
        "[[sink]]\nname = \"plant\"\nkind = \"odoo\"\nurl = \"http://{addr}\"\ndatabase = \"main\"\nuser = \"punch-bot\"\n\
         secret = \"{SECRET}\"\nprobe_seconds = 1\n"
    );
    (server, file)
}

/// Takes over the sinks of a file.
fn with_sinks(config: &mut Config, file: &str) {
    let parsed = Config::parse(file).unwrap_or_else(|errors| panic!("{errors}"));
    config.sinks.extend(parsed.sinks);
    config.endpoints.extend(parsed.endpoints);
}

fn row(badge: i64, time: &str, state: u8) -> String {
    format!("{badge}\t2026-03-27 {time}\t{state}\t1\n")
}

/// `08:00:00-16:00:00` of a person, in order of time.
fn records(server: &SharedOdoo, badge: i64) -> Vec<String> {
    let server = server.lock().unwrap();
    let mut rows: Vec<_> = server.attendances().iter().filter(|row| row.employee == badge).collect();
    rows.sort_by_key(|row| (row.check_in, row.check_out));
    let end = |end: Option<chrono::NaiveDateTime>| end.map_or(String::new(), |end| end.format("%T").to_string());
    rows.iter().map(|row| format!("{}-{}", row.check_in.format("%T"), end(row.check_out))).collect()
}

async fn until_records(server: &SharedOdoo, badge: i64, wanted: &[&str]) {
    eventually("the ERP has the records", async || (records(server, badge) == wanted).then_some(())).await;
}

/// S0-035, S0-036: arrivals and departures become records; the sink is shown where endpoints are, and in the status.
#[tokio::test]
async fn what_a_terminal_sends_is_in_the_erp_and_the_sink_is_shown() {
    let (server, file) = odoo(&[1001, 1002]).await;
    let site = Site::start(|config| with_sinks(config, &file)).await;
    let rows = [("08:00:00", 0), ("13:00:00", 1), ("14:00:00", 0), ("18:00:00", 1)];
    site.punch(&rows.map(|(time, state)| row(1001, time, state)).concat()).await;
    site.punch(&row(1002, "09:00:00", 0)).await;
    until_records(&server, 1001, &["08:00:00-13:00:00", "14:00:00-18:00:00"]).await;
    until_records(&server, 1002, &["09:00:00-"]).await;
    site.delivered_all().await;
    let (_, endpoints) = site.get("/v1/webhooks").await;
    assert_eq!(endpoints["data"][0]["url"], "sink:plant");
    assert_eq!(endpoints["data"][0]["events"], json!(["attendance.punch", "attendance.revised"]));
    let (_, status) = site.get("/status").await;
    assert_eq!(status["data"]["sinks"], json!([{ "name": "plant", "state": "healthy", "waiting": 0, "parked": 0 }]));
    let (_, delivery) = site.get("/v1/deliveries/1").await;
    let attempt = &delivery["data"]["attempt_log"][0];
    assert!(attempt["response"].as_str().unwrap().starts_with("applied "), "{attempt}");
    // Nobody makes a sink by the API, but it is paused and goes on by it.
    let (refused, _) = site.post("/v1/webhooks", json!({ "url": "sink:other", "events": ["attendance.punch"] })).await;
    assert_eq!(refused, 400);
    let (refused, _) = patch(&site, 1, json!({ "batch": true })).await;
    assert_eq!(refused, 400);
    let (paused, _) = patch(&site, 1, json!({ "state": "paused" })).await;
    assert_eq!(paused, 200);
    site.punch(&row(1002, "17:00:00", 1)).await;
    let (_, status) = site.get("/status").await;
    assert_eq!(
        (&status["data"]["sinks"][0]["state"], &status["data"]["sinks"][0]["waiting"]),
        (&json!("paused"), &json!(1))
    );
    patch(&site, 1, json!({ "state": "active" })).await;
    until_records(&server, 1002, &["09:00:00-17:00:00"]).await;
}

/// S0-037: a departure without its arrival is parked, and the arrival that comes later settles both.
#[tokio::test]
async fn a_late_arrival_completes_the_departure_that_was_parked() {
    let (server, file) = odoo(&[1001]).await;
    let site = Site::start(|config| with_sinks(config, &file)).await;
    site.punch(&row(1001, "18:00:00", 1)).await;
    eventually("it is parked", async || {
        (site.ask::<i64>("SELECT count(*) FROM delivery WHERE reason = 'parked: orphan_out'").await == 1).then_some(())
    })
    .await;
    assert!(records(&server, 1001).is_empty());
    site.punch(&row(1001, "08:00:00", 0)).await;
    site.delivered_all().await;
    assert_eq!(records(&server, 1001), ["08:00:00-18:00:00"]);
}

/// S0-027, X7: whom the ERP does not know is parked and delays nobody; entered there later, the punches are written by
/// themselves, in order.
#[tokio::test]
async fn a_badge_entered_later_releases_what_was_parked() {
    let (server, file) = odoo(&[1002]).await;
    let site = Site::start(|config| with_sinks(config, &file)).await;
    site.punch(&[row(1001, "08:00:00", 0), row(1001, "16:00:00", 1), row(1002, "08:30:00", 0)].concat()).await;
    until_records(&server, 1002, &["08:30:00-"]).await;
    eventually("both are parked", async || {
        let parked = "SELECT count(*) FROM delivery WHERE reason = 'parked: unknown_employee'";
        (site.ask::<i64>(parked).await == 2).then_some(())
    })
    .await;
    server.lock().unwrap().config_mut().employees.push(OdooEmployee::new(1001, "Ada", "1001"));
    until_records(&server, 1001, &["08:00:00-16:00:00"]).await;
    site.delivered_all().await;
}

/// An ERP that answers with nothing is asked again: nothing is lost, nothing doubled. A test event says how it stands.
#[tokio::test]
async fn an_erp_that_loses_its_answers_gets_every_punch_once() {
    let (server, file) = odoo(&[1001]).await;
    let site = Site::start(|config| with_sinks(config, &file)).await;
    site.punch(&row(1001, "08:00:00", 0)).await;
    until_records(&server, 1001, &["08:00:00-"]).await;
    site.delivered_all().await;
    // The reading of the next attempt, then its write: both done, and both answers lost.
    server.lock().unwrap().fail_next([OdooFault::None, OdooFault::BadGatewayAfter]);
    site.punch(&row(1001, "16:00:00", 1)).await;
    site.attempts(2).await;
    let (_, delivery) = site.get("/v1/deliveries/2").await;
    assert_eq!(
        (&delivery["data"]["state"], &delivery["data"]["attempts"]),
        (&json!("waiting"), &json!(1)),
        "{delivery}"
    );
    assert!(delivery["data"]["next_at"].is_string(), "it is tried again by the schedule: {delivery}");
    assert_eq!(records(&server, 1001), ["08:00:00-16:00:00"]);
    // The next start does not wait for the schedule.
    assert_eq!(site.edit("UPDATE delivery SET not_before = NULL WHERE state = 'waiting'").await, 1);
    let site = site.restart(|config| with_sinks(config, &file)).await;
    site.delivered_all().await;
    assert_eq!(records(&server, 1001), ["08:00:00-16:00:00"]);
    let (status, sent) = site.post("/v1/webhooks/1/test", json!({})).await;
    assert_eq!(status, 202, "{sent}");
    site.delivered_all().await;
    let (_, delivery) = site.get(&format!("/v1/deliveries/{}", sent["data"]["delivery_id"])).await;
    let said = delivery["data"]["attempt_log"][0]["response"].as_str().unwrap().to_owned();
    assert!(said.contains("Odoo 18.0"), "{said}");
}

/// S0-004: people who wait are written with one call, each in their order, and each hears of their own.
#[tokio::test]
async fn many_people_are_written_with_few_calls() {
    let badges: Vec<i64> = (1001..1101).collect();
    // One of them is nobody's. What takes no time at all is over before others come.
    let (server, file) = far_odoo(&badges[1..], Duration::from_millis(50)).await;
    let site = Site::start(|config| with_sinks(config, &file)).await;
    let punches = |time: &str, state: u8| badges.iter().map(|badge| row(*badge, time, state)).collect::<String>();
    site.punch(&[punches("08:00:00", 0), punches("16:00:00", 1)].concat()).await;
    for badge in &badges[1..] {
        until_records(&server, *badge, &["08:00:00-16:00:00"]).await;
    }
    eventually("the others are parked", async || {
        let parked = "SELECT count(*) FROM delivery WHERE reason = 'parked: unknown_employee'";
        (site.ask::<i64>(parked).await == 2).then_some(())
    })
    .await;
    let calls = server.lock().unwrap().calls().len();
    assert!(calls < 2 * badges.len() * 6 / 5, "{calls} calls for {} punches", 2 * badges.len());
}

/// A sink of another kind and a table of badges; `punch.toml` says everything that is wrong with one at once.
#[tokio::test]
async fn a_table_of_badges_is_used_and_a_wrong_section_is_named() {
    let mut config = ErpNextConfig::new("UTC", "key", SECRET).unwrap();
    config.employees = vec![ErpNextEmployee::new("HR-EMP-1", "Ada", "other")];
    let server: SharedErpNext = Arc::new(Mutex::new(ErpNextStandIn::new(config)));
    let addr = serve_erpnext(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::clone(&server)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (table, secret) = (folder.path().join("badges.csv"), folder.path().join("secret"));
    std::fs::write(&table, "badge,employee\n1001,HR-EMP-1\n").unwrap();
    std::fs::write(&secret, format!("{SECRET}\n")).unwrap();
    let file = format!(
        "[[sink]]\nname = \"hr\"\nkind = \"erpnext\"\nurl = \"http://{addr}\"\nkey = \"key\"\nsecret_file = {:?}\nzone = \"UTC\"\n\
         mapping_file = {:?}\n",
        secret, table
    );
    let site = Site::start(|config| with_sinks(config, &file)).await;
    site.punch(&row(1001, "08:00:00", 0)).await;
    site.delivered_all().await;
    let employee = server.lock().unwrap().checkins()[0].employee.clone();
    assert_eq!(employee, "HR-EMP-1");
    std::fs::write(&table, "1001,HR-EMP-1\n1001,HR-EMP-2\n").unwrap();
    let wrong = format!("{file}\n[[sink]]\nname = \"hr\"\nkind = \"odoo\"\nurl = \"odoo\"\nsecret = 12345\n");
    let text = Config::parse(&wrong).unwrap_err().to_string();
    for part in ["sink[1].mapping_file", "lines 1 and 2", "sink[2].secret"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("12345") && !text.contains(SECRET), "{text}");
}
