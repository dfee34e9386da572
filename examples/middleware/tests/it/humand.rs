//! `humand`: every punch becomes an entry, whatever happens on the way.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::json;
use simulator::erp::{SharedHumand, serve_humand};
use simulator::humand::{HumandConfig, HumandFault, HumandStandIn, HumandUser};
use simulator::world::{Dice, quiet_addr};
use tempfile::tempdir;

use crate::program::{Program, eventually, humand, refuses, signed};

/// A community that knows the ids 1001 to 1009.
fn community() -> SharedHumand {
    let mut config = HumandConfig::new("canary-of-the-api");
    config.users = (1001..1010).map(|id| HumandUser::new(&id.to_string(), "Ada")).collect();
    // What the limit does is shown elsewhere; these tests come from one second.
    config.limit = 1000;
    Arc::new(Mutex::new(HumandStandIn::new(config)))
}

async fn serve(community: &SharedHumand) -> String {
    let addr = serve_humand(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::clone(community)).await.unwrap();
    base(addr)
}

fn base(addr: SocketAddr) -> String {
    format!("http://{addr}/public/api/v1")
}

/// What Humand has of a person: `08:00:00 START`, in order of time.
fn entries(community: &SharedHumand, badge: i64) -> Vec<String> {
    let community = community.lock().unwrap();
    let mut rows: Vec<_> =
        community.entries().iter().filter(|row| row.employee == badge.to_string()).cloned().collect();
    rows.sort_by_key(|row| (row.at, row.id));
    rows.iter().map(|row| format!("{} {}", row.at.format("%T"), row.kind)).collect()
}

/// A punch of 28 March 2026; the id is made of it.
fn punch(badge: i64, time: &str, direction: &str) -> (String, Vec<u8>) {
    let id = format!("evt_{badge}_{}_{direction}", time.replace(':', ""));
    let body = json!({
        "event": "attendance.punch", "event_id": id, "employee_id": badge.to_string(), "device_serial": "T1",
        "timestamp": format!("2026-03-28T{time}Z"), "direction": direction,
    });
    (id, body.to_string().into_bytes())
}

async fn deliver(program: &Program, badge: i64, time: &str, direction: &str) {
    let (id, body) = punch(badge, time, direction);
    assert_eq!(program.post("/webhook", &signed(&id, &body), &body).await.0, 200);
}

const DAY: [(&str, &str); 4] = [("11:00:00", "in"), ("15:00:00", "out"), ("16:00:00", "in"), ("20:00:00", "out")];
const ENTRIES: [&str; 4] = ["11:00:00 START", "15:00:00 END", "16:00:00 START", "20:00:00 END"];

/// S3-026, S3-027, S3-028 from webhook to entry; a repeated delivery changes nothing. S3-032: each event is a line with what
/// became of it. S3-033, S3-034: each request is one with path, event, status, code and duration, without key and person.
#[tokio::test]
async fn a_day_becomes_its_entries_however_often_it_comes() {
    let (folder, community) = (tempdir().unwrap(), community());
    let program = Program::run(humand(&serve(&community).await, folder.path()), &[]).await;
    for _ in 0..2 {
        for (time, direction) in DAY {
            deliver(&program, 1001, time, direction).await;
        }
        program.stands_at(0, 4, 0).await;
        assert_eq!(entries(&community, 1001), ENTRIES);
    }
    deliver(&program, 9999, "11:00:00", "in").await;
    program.stands_at(0, 4, 1).await;
    let log = program.logs("outcome=\"parked\"").await;
    for part in ["path=\"/public/api/v1/time-tracking/entries/clockIn\"", "evt_1001_110000_in", "status=201", "ms="] {
        assert!(log.contains(part), "{part}: {log}");
    }
    for part in ["path=\"/public/api/v1/users/***\"", "status=404", "code=\"NOT_FOUND\"", "outcome=\"parked\""] {
        assert!(log.contains(part), "{part}: {log}");
    }
    assert!(!log.contains("canary-of-the-api") && !log.contains("Ada"), "{log}");
    assert!(!log.contains("employeeId") && !log.contains("users/9999"), "{log}");
}

/// A departure without an arrival is parked, and written with the arrival that comes later. What is unknown is parked, too,
/// and nobody waits for it.
#[tokio::test]
async fn what_is_parked_waits_for_what_it_lacks_and_delays_nobody() {
    let (folder, community) = (tempdir().unwrap(), community());
    let program = Program::run(humand(&serve(&community).await, folder.path()), &[]).await;
    deliver(&program, 1001, "20:00:00", "out").await;
    program.stands_at(0, 0, 1).await;
    deliver(&program, 9999, "11:00:00", "in").await;
    deliver(&program, 1002, "11:00:00", "in").await;
    program.stands_at(0, 1, 2).await;
    deliver(&program, 1001, "11:00:00", "in").await;
    program.stands_at(0, 3, 1).await;
    assert_eq!(entries(&community, 1001), ["11:00:00 START", "20:00:00 END"]);
}

/// What somebody deleted in Humand is not written again because the person punches.
#[tokio::test]
async fn a_deleted_entry_stays_deleted() {
    let (folder, community) = (tempdir().unwrap(), community());
    let url = serve(&community).await;
    let program = Program::run(humand(&url, folder.path()), &[]).await;
    deliver(&program, 1001, "11:00:00", "in").await;
    deliver(&program, 1001, "15:00:00", "out").await;
    program.stands_at(0, 2, 0).await;
    program.kill();
    let ids: Vec<_> = community.lock().unwrap().entries().iter().map(|row| row.id).collect();
    assert!(ids.iter().all(|id| community.lock().unwrap().delete(*id)));
    let program = Program::run(humand(&url, folder.path()), &[]).await;
    deliver(&program, 1001, "16:00:00", "in").await;
    program.stands_at(0, 3, 0).await;
    assert_eq!(entries(&community, 1001), ["16:00:00 START"]);
}

/// S3-044, S3-045: what was answered 200 is on disk; Humand's absence and a kill lose nothing.
#[tokio::test]
async fn punches_taken_while_humand_is_down_are_written_after_a_kill_and_a_restart() {
    let (folder, community, addr) = (tempdir().unwrap(), community(), quiet_addr());
    let program = Program::run(humand(&base(addr), folder.path()), &[]).await;
    for (badge, time, direction) in [(1001, "20:00:00", "out"), (1002, "11:00:00", "in"), (1001, "11:00:00", "in")] {
        deliver(&program, badge, time, direction).await;
    }
    program.stands_at(3, 0, 0).await;
    program.kill();
    serve_humand(addr, Arc::clone(&community)).await.unwrap();
    let program = Program::run(humand(&base(addr), folder.path()), &[]).await;
    program.stands_at(0, 3, 0).await;
    assert_eq!(entries(&community, 1001), ["11:00:00 START", "20:00:00 END"]);
    assert_eq!(entries(&community, 1002), ["11:00:00 START"]);
}

/// Killed at any moment, with answers lost on the way, and a server that would store anything twice.
#[tokio::test]
async fn kills_at_any_moment_lose_and_double_nothing_that_was_answered() {
    let (folder, community) = (tempdir().unwrap(), community());
    community.lock().unwrap().config_mut().rules = simulator::humand::Rules::None;
    let (url, mut dice) = (serve(&community).await, Dice::new(11));
    for (time, direction) in DAY {
        for people in [1001..1004, 1004..1007, 1007..1010] {
            let program = Program::run(humand(&url, folder.path()), &[]).await;
            community.lock().unwrap().fail_next([HumandFault::None, HumandFault::None, HumandFault::DropAfter]);
            for badge in people {
                deliver(&program, badge, time, direction).await;
            }
            tokio::time::sleep(std::time::Duration::from_millis(dice.below(60))).await;
            program.kill();
        }
    }
    let program = Program::run(humand(&url, folder.path()), &[]).await;
    program.stands_at(0, 36, 0).await;
    for badge in 1001..1010 {
        assert_eq!(entries(&community, badge), ENTRIES, "{badge}");
    }
}

/// Section 7.3: 403 keeps everything; once mended it is written.
#[tokio::test]
async fn a_key_without_rights_discards_nothing() {
    let (folder, community) = (tempdir().unwrap(), community());
    community.lock().unwrap().config_mut().is_allowed = false;
    let url = serve(&community).await;
    let program = Program::run(humand(&url, folder.path()), &[]).await;
    for (time, direction) in DAY {
        deliver(&program, 1001, time, direction).await;
    }
    eventually("Humand refuses", async || (!community.lock().unwrap().requests().is_empty()).then_some(())).await;
    program.stands_at(4, 0, 0).await;
    program.kill();
    community.lock().unwrap().config_mut().is_allowed = true;
    let program = Program::run(humand(&url, folder.path()), &[]).await;
    program.stands_at(0, 4, 0).await;
    assert_eq!(entries(&community, 1001), ENTRIES);
}

/// S3-020: prints every request, masks the key, calls nobody.
#[tokio::test]
async fn a_dry_run_prints_the_requests_masked_and_sends_nothing() {
    let (folder, community) = (tempdir().unwrap(), community());
    let url = serve(&community).await;
    let program =
        Program::run(humand(&url, folder.path()), &[("DRY_RUN", "true"), ("HUMAND_ZONE", "America/Lima")]).await;
    deliver(&program, 1001, "11:00:00", "in").await;
    let said = eventually("the entry is shown", async || {
        let said = program.said();
        said.contains("\"now\"").then_some(said)
    })
    .await;
    let request = format!(
        "POST {url}/time-tracking/entries/clockIn\naccept: application/json\nauthorization: Basic ***\n\
         content-type: application/json\n\n\
         {{\"employeeId\":\"1001\",\"now\":\"2026-03-28T06:00:00.000-05:00\",\"comment\":\"evt_1001_110000_in T1\"}}\n"
    );
    assert!(said.contains(&request), "{said}");
    assert!(!said.contains("canary-of-the-api"), "{said}");
    assert!(community.lock().unwrap().requests().is_empty());
}

/// S3-007, S3-015: every name of the published programs is read, with `Basic ` and without.
#[tokio::test]
async fn aliases_of_the_environment() {
    for (base, token, value) in [
        ("HUMAND_BASE_URL", "HUMAND_TOKEN", "canary-of-the-api"),
        ("HUMAND_BASE", "HUMAND_AUTH", "Basic canary-of-the-api"),
        ("HUMAND_BASE", "HUMAND_TOKEN", "Basic canary-of-the-api"),
    ] {
        let (folder, community) = (tempdir().unwrap(), community());
        let url = serve(&community).await;
        let program = Program::run(without_names(folder.path()), &[(base, url.as_str()), (token, value)]).await;
        deliver(&program, 1001, "11:00:00", "in").await;
        program.stands_at(0, 1, 0).await;
        let log = program.logs("evt_1001_110000_in").await;
        assert_eq!(log.contains("`Basic ` before the token"), value.starts_with("Basic "));
    }
}

fn without_names(folder: &Path) -> Command {
    let mut command = humand("", folder);
    command.env_remove("HUMAND_BASE_URL").env_remove("HUMAND_TOKEN");
    command
}

#[test]
fn a_missing_or_wrong_setting_is_named_and_its_value_is_not() {
    let folder = tempdir().unwrap();
    let program = || humand("http://127.0.0.1:9", folder.path());
    for variable in ["WEBHOOK_SECRET", "HUMAND_TOKEN"] {
        refuses(program().env_remove(variable), variable);
    }
    for (variable, value, named) in [
        ("HUMAND_BASE_URL", "humand.example.com", "base"),
        ("HUMAND_TOKEN", "canary-of-the-api ", "api_key"),
        ("HUMAND_ZONE", "Nowhere", "time_zone"),
    ] {
        refuses(program().env(variable, value), named);
    }
}
