//! `odoo`: the punches of a person become attendances, whatever happens on the way.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use serde_json::json;
use simulator::erp::{SharedOdoo, serve_odoo};
use simulator::odoo::{OdooConfig, OdooEmployee, OdooFault, OdooStandIn};
use simulator::world::{Dice, quiet_addr};
use tempfile::tempdir;

use crate::program::{Program, eventually, odoo, refuses, signed};

/// A database that knows the badges 1001 to 1009.
fn database() -> SharedOdoo {
    let mut config = OdooConfig::new(18, "main", "canary-of-the-api", "key");
    config.employees = (1001..1010).map(|badge| OdooEmployee::new(badge, "Ada", &badge.to_string())).collect();
    Arc::new(Mutex::new(OdooStandIn::new(config)))
}

async fn serve(database: &SharedOdoo) -> String {
    let addr = serve_odoo(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::clone(database)).await.unwrap();
    format!("http://{addr}")
}

/// What Odoo has of a person: `08:00:00-16:00:00`, in order of time; all of it is on one day.
fn records(database: &SharedOdoo, badge: i64) -> Vec<String> {
    let database = database.lock().unwrap();
    let mut rows: Vec<_> = database.attendances().iter().filter(|row| row.employee == badge).collect();
    rows.sort_by_key(|row| (row.check_in, row.check_out));
    let end = |end: Option<chrono::NaiveDateTime>| end.map_or(String::new(), |end| end.format("%T").to_string());
    rows.iter().map(|row| format!("{}-{}", row.check_in.format("%T"), end(row.check_out))).collect()
}

/// A punch of 28 March 2026; the id is made of it.
fn punch(badge: i64, time: &str, direction: &str) -> (String, Vec<u8>) {
    let id = format!("evt_{badge}_{}_{direction}", time.replace(':', ""));
    let body = json!({
        "event": "attendance.punch", "event_id": id, "employee_id": badge.to_string(),
        "timestamp": format!("2026-03-28T{time}Z"), "direction": direction,
    });
    (id, body.to_string().into_bytes())
}

async fn deliver(program: &Program, badge: i64, time: &str, direction: &str) {
    let (id, body) = punch(badge, time, direction);
    assert_eq!(program.post("/webhook", &signed(&id, &body), &body).await.0, 200);
}

/// S0-001, S0-035, S0-036 from webhook to record; a repeated delivery changes nothing.
#[tokio::test]
async fn a_day_becomes_its_records_however_often_it_comes() {
    let (folder, database) = (tempdir().unwrap(), database());
    let program = Program::run(odoo(&serve(&database).await, folder.path()), &[]).await;
    for _ in 0..2 {
        for (time, direction) in [("08:00:00", "in"), ("13:00:00", "out"), ("14:00:00", "in"), ("18:00:00", "out")] {
            deliver(&program, 1001, time, direction).await;
        }
        program.stands_at(0, 4, 0).await;
        assert_eq!(records(&database, 1001), ["08:00:00-13:00:00", "14:00:00-18:00:00"]);
    }
    // S0-032: logged in once.
    let database = database.lock().unwrap();
    assert_eq!(database.calls().iter().filter(|call| *call == "common.authenticate").count(), 1);
}

/// S0-037: a departure without an arrival is parked, and shown. The arrival that comes later brings both into Odoo.
#[tokio::test]
async fn what_was_parked_is_completed_by_what_comes_later() {
    let (folder, database) = (tempdir().unwrap(), database());
    let program = Program::run(odoo(&serve(&database).await, folder.path()), &[]).await;
    deliver(&program, 1001, "18:00:00", "out").await;
    program.stands_at(0, 0, 1).await;
    assert!(records(&database, 1001).is_empty());
    deliver(&program, 1001, "08:00:00", "in").await;
    program.stands_at(0, 2, 0).await;
    assert_eq!(records(&database, 1001), ["08:00:00-18:00:00"]);
    // The punches at lunch come last: for a moment the departure in the evening has no arrival.
    deliver(&program, 1001, "13:00:00", "out").await;
    program.stands_at(0, 2, 1).await;
    assert_eq!(records(&database, 1001), ["08:00:00-13:00:00"]);
    deliver(&program, 1001, "14:00:00", "in").await;
    program.stands_at(0, 4, 0).await;
    assert_eq!(records(&database, 1001), ["08:00:00-13:00:00", "14:00:00-18:00:00"]);
}

/// A direction told anew changes the record, and a repeated or older telling changes nothing any more.
#[tokio::test]
async fn a_revised_direction_changes_the_record() {
    let (folder, database) = (tempdir().unwrap(), database());
    let program = Program::run(odoo(&serve(&database).await, folder.path()), &[]).await;
    deliver(&program, 1001, "08:00:00", "in").await;
    deliver(&program, 1001, "16:00:00", "in").await;
    program.stands_at(0, 1, 1).await;
    assert_eq!(records(&database, 1001), ["08:00:00-08:00:00", "16:00:00-"]);
    let revise = async |number: u32, direction: &str, old: &str| {
        let id = format!("evt_revision_{number}");
        let body = json!({
            "event_id": id, "event_type": "attendance.revised", "timestamp": "2026-03-28T16:00:00Z",
            "employee": { "badge_number": "1001" }, "punch": { "direction": direction },
            "metadata": { "revises": "evt_1001_160000_in", "revision": number, "old_direction": old, "reason": "late_row" },
        });
        let body = body.to_string().into_bytes();
        assert_eq!(program.post("/webhook", &signed(&id, &body), &body).await.0, 200);
    };
    revise(2, "out", "unknown").await;
    program.stands_at(0, 3, 0).await;
    // The record of the arrival that was none keeps no time. Odoo has nobody open.
    assert_eq!(records(&database, 1001), ["08:00:00-16:00:00", "16:00:00-16:00:00"]);
    revise(1, "unknown", "in").await;
    revise(2, "out", "unknown").await;
    program.stands_at(0, 4, 0).await;
    assert_eq!(records(&database, 1001), ["08:00:00-16:00:00", "16:00:00-16:00:00"]);
}

/// S0-027, X7: whom Odoo does not know is set aside, and nobody waits for that.
#[tokio::test]
async fn an_unknown_employee_is_parked_and_the_others_go_on() {
    let (folder, database) = (tempdir().unwrap(), database());
    let program = Program::run(odoo(&serve(&database).await, folder.path()), &[]).await;
    for badge in [9999, 1002, 42, 1003] {
        deliver(&program, badge, "08:00:00", "in").await;
    }
    program.stands_at(0, 2, 2).await;
    assert_eq!(
        (records(&database, 1002), records(&database, 1003)),
        (vec!["08:00:00-".into()], vec!["08:00:00-".into()])
    );
}

/// A table of badges says whose they are; what is not in it is parked. One that contradicts itself stops the start.
#[tokio::test]
async fn a_table_of_badges_is_read_from_the_environment() {
    let (folder, database) = (tempdir().unwrap(), database());
    let table = folder.path().join("badges.csv");
    std::fs::write(&table, "badge,employee\n77,1002\n").unwrap();
    let (url, path) = (serve(&database).await, table.display().to_string());
    let program = Program::run(odoo(&url, folder.path()), &[("MAPPING_FILE", path.as_str())]).await;
    for badge in [77, 1001] {
        deliver(&program, badge, "08:00:00", "in").await;
    }
    program.stands_at(0, 1, 1).await;
    assert_eq!((records(&database, 1002), records(&database, 1001)), (vec!["08:00:00-".into()], vec![]));
    std::fs::write(&table, "77,1002\n77,1003\n").unwrap();
    refuses(odoo(&url, folder.path()).env("MAPPING_FILE", path), "lines 1 and 2");
}

/// S0-066: what was answered 200 is on disk; Odoo's absence and a kill lose nothing.
#[tokio::test]
async fn punches_taken_while_odoo_is_down_are_written_after_a_kill_and_a_restart() {
    let (folder, database, addr) = (tempdir().unwrap(), database(), quiet_addr());
    let url = format!("http://{addr}");
    let program = Program::run(odoo(&url, folder.path()), &[]).await;
    for (badge, time, direction) in [(1001, "16:00:00", "out"), (1002, "08:00:00", "in"), (1001, "08:00:00", "in")] {
        deliver(&program, badge, time, direction).await;
    }
    program.stands_at(3, 0, 0).await;
    program.kill();
    serve_odoo(addr, Arc::clone(&database)).await.unwrap();
    let program = Program::run(odoo(&url, folder.path()), &[]).await;
    program.stands_at(0, 3, 0).await;
    assert_eq!(records(&database, 1001), ["08:00:00-16:00:00"]);
    assert_eq!(records(&database, 1002), ["08:00:00-"]);
}

/// S0-010 for this middleware: killed at any moment, with faults on the way, in any order of delivery.
#[tokio::test]
async fn kills_at_any_moment_lose_and_double_nothing_that_was_answered() {
    let (folder, database) = (tempdir().unwrap(), database());
    let (url, mut dice) = (serve(&database).await, Dice::new(11));
    let mut punches = Vec::new();
    for badge in 1001..1010 {
        for (time, direction) in [("08:00:00", "in"), ("13:00:00", "out"), ("14:00:00", "in"), ("18:00:00", "out")] {
            punches.push((badge, time, direction));
        }
    }
    for number in (1..punches.len()).rev() {
        let other = dice.below(u64::try_from(number).unwrap() + 1);
        punches.swap(number, usize::try_from(other).unwrap());
    }
    for group in punches.chunks(4) {
        let program = Program::run(odoo(&url, folder.path()), &[]).await;
        database.lock().unwrap().fail_next([OdooFault::None, OdooFault::None, OdooFault::DropAfter]);
        for (badge, time, direction) in group {
            deliver(&program, *badge, time, direction).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(dice.below(40))).await;
        program.kill();
    }
    let program = Program::run(odoo(&url, folder.path()), &[]).await;
    program.stands_at(0, 36, 0).await;
    for badge in 1001..1010 {
        assert_eq!(records(&database, badge), ["08:00:00-13:00:00", "14:00:00-18:00:00"], "{badge}");
    }
}

/// S3-020: prints every request, masks the secret, calls nobody.
#[tokio::test]
async fn a_dry_run_prints_the_requests_masked_and_sends_nothing() {
    let (folder, database) = (tempdir().unwrap(), database());
    let program = Program::run(odoo(&serve(&database).await, folder.path()), &[("DRY_RUN", "true")]).await;
    deliver(&program, 1001, "08:00:00", "in").await;
    let said = eventually("the create is shown", async || {
        let said = program.said();
        said.contains("\"create\"").then_some(said)
    })
    .await;
    assert!(said.contains(r#"[["barcode","=","1001"]]"#), "{said}");
    assert!(said.contains(r#"{"check_in":"2026-03-28 08:00:00","employee_id":1}"#), "{said}");
    assert!(said.contains(r#""authenticate","args":["main","punch-bot","***",{}]"#), "{said}");
    assert!(!said.contains("canary-of-the-api"), "{said}");
    assert!(database.lock().unwrap().calls().is_empty());
}

#[test]
fn a_missing_or_wrong_setting_is_named_and_its_value_is_not() {
    let folder = tempdir().unwrap();
    let program = || odoo("http://127.0.0.1:9", folder.path());
    for variable in ["WEBHOOK_SECRET", "ODOO_URL", "ODOO_DB", "ODOO_USER", "ODOO_PASS"] {
        refuses(program().env_remove(variable), variable);
    }
    for (variable, value, named) in
        [("ODOO_URL", "odoo.example.com", "base"), ("ODOO_PASS", "canary-of-the-api ", "secret")]
    {
        refuses(program().env(variable, value), named);
    }
}

/// A file of the first version lacks a column; its events are kept.
#[tokio::test]
async fn an_older_inbox_is_taken_over() {
    let (folder, database) = (tempdir().unwrap(), database());
    let (id, body) = punch(1001, "08:00:00", "in");
    let file = rusqlite::Connection::open(folder.path().join("inbox.sqlite")).unwrap();
    let old = "CREATE TABLE inbox (id INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, lane INTEGER NOT NULL,
               created_at INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'waiting', attempts INTEGER NOT NULL DEFAULT 0,
               reason TEXT, remote_id TEXT, body BLOB NOT NULL)";
    file.execute_batch(old).unwrap();
    let now = gateway::clock::now().timestamp_millis();
    file.execute("INSERT INTO inbox (event_id, lane, created_at, body) VALUES (?1, 7, ?2, ?3)", (id, now, body))
        .unwrap();
    drop(file);
    let program = Program::run(odoo(&serve(&database).await, folder.path()), &[]).await;
    program.stands_at(0, 1, 0).await;
    assert_eq!(records(&database, 1001), ["08:00:00-"]);
}
