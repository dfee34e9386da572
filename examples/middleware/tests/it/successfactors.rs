//! `successfactors`: punches become time events, many in a call, whatever happens on the way.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use serde_json::json;
use simulator::erp::{SharedSuccessFactors, serve_successfactors};
use simulator::successfactors::{SuccessFactorsConfig, SuccessFactorsFault, SuccessFactorsStandIn};
use simulator::world::{Dice, quiet_addr};
use tempfile::tempdir;

use crate::program::{Program, eventually, refuses, signed, successfactors};

/// A tenant that knows the assignments 1000 to 1199. It counts no calls: these tests make more of them than a day has.
fn tenant() -> SharedSuccessFactors {
    let mut config = SuccessFactorsConfig::new("client", "canary-of-the-api", "SF-EC-TA");
    config.assignments = (1000..1200).map(|number| number.to_string()).collect();
    config.has_quota = false;
    Arc::new(Mutex::new(SuccessFactorsStandIn::new(config)))
}

async fn serve(tenant: &SharedSuccessFactors) -> String {
    let addr = serve_successfactors(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::clone(tenant)).await.unwrap();
    format!("http://{addr}")
}

/// What the tenant has of somebody: `02:00:00-06:00 P10`, in order of time.
fn records(tenant: &SharedSuccessFactors, badge: u32) -> Vec<String> {
    let tenant = tenant.lock().unwrap();
    let mut rows: Vec<_> = tenant.events().iter().filter(|event| event.assignment == badge.to_string()).collect();
    rows.sort_by_key(|event| event.at);
    rows.iter().map(|event| format!("{} {}", event.at.format("%T%:z"), event.code)).collect()
}

/// A punch of 28 March 2026; the id is made of it.
async fn deliver(program: &Program, badge: u32, time: &str, direction: &str) -> String {
    let id = format!("evt_{badge}_{}_{direction}", time.replace(':', ""));
    let body = json!({
        "event": "attendance.punch", "event_id": id, "employee_id": badge.to_string(), "device_serial": "T1",
        "timestamp": format!("2026-03-28T{time}Z"), "direction": direction,
    });
    let body = body.to_string().into_bytes();
    let (status, answer) = program.post("/webhook", &signed(&id, &body), &body).await;
    assert_eq!(status, 200);
    answer
}

/// S0-001, S0-042 from webhook to record: two hundred people, and a handful of calls.
#[tokio::test]
async fn a_rush_becomes_a_few_calls() {
    let (folder, tenant) = (tempdir().unwrap(), tenant());
    let program = Program::run(successfactors(&serve(&tenant).await, folder.path()), &[]).await;
    for badge in 1000..1200 {
        deliver(&program, badge, "08:00:00", "in").await;
    }
    program.stands_at(0, 200, 0).await;
    assert_eq!(records(&tenant, 1000), ["02:00:00-06:00 P10"]);
    assert!(deliver(&program, 1000, "08:00:00", "in").await.contains("duplicate"));
    let tenant = tenant.lock().unwrap();
    assert_eq!(tenant.events().len(), 200);
    // The first one goes at once; the queue trusts an ERP it has not seen with few at a time.
    assert!(tenant.writes() <= 12, "{} calls", tenant.writes());
    assert_eq!(tenant.calls().iter().filter(|call| call.ends_with("/oauth2/token")).count(), 1);
    // The count of calls is kept beside the inbox.
    let kept = std::fs::read_to_string(folder.path().join("inbox.calls")).unwrap();
    assert!(kept.contains(&format!("\"calls\":{}", tenant.writes())), "{kept}");
}

/// S0-027: whom the tenant does not know is set aside, and nobody waits for that; nor for a call that is refused whole.
#[tokio::test]
async fn what_is_refused_is_parked_and_the_others_go_on() {
    let (folder, tenant) = (tempdir().unwrap(), tenant());
    tenant.lock().unwrap().config_mut().refuses_assignment = Some("666".to_owned());
    let program = Program::run(successfactors(&serve(&tenant).await, folder.path()), &[]).await;
    for badge in [1000, 9999, 1001, 666, 1002, 1003] {
        deliver(&program, badge, "08:00:00", "in").await;
    }
    deliver(&program, 1004, "08:00:00", "unknown").await;
    program.stands_at(0, 4, 3).await;
    for badge in 1000..1004 {
        assert_eq!(records(&tenant, badge).len(), 1, "{badge}");
    }
}

/// S0-066: what was answered 200 is on disk; the tenant's absence and a kill lose nothing.
#[tokio::test]
async fn punches_taken_while_the_tenant_is_away_are_written_after_a_kill_and_a_restart() {
    let (folder, tenant, addr) = (tempdir().unwrap(), tenant(), quiet_addr());
    let url = format!("http://{addr}");
    let program = Program::run(successfactors(&url, folder.path()), &[]).await;
    for (badge, time, direction) in [(1001, "16:00:00", "out"), (1002, "08:00:00", "in"), (1001, "08:00:00", "in")] {
        deliver(&program, badge, time, direction).await;
    }
    program.stands_at(3, 0, 0).await;
    program.kill();
    serve_successfactors(addr, Arc::clone(&tenant)).await.unwrap();
    let program = Program::run(successfactors(&url, folder.path()), &[]).await;
    program.stands_at(0, 3, 0).await;
    assert_eq!(records(&tenant, 1001), ["02:00:00-06:00 P10", "10:00:00-06:00 P20"]);
    assert_eq!(records(&tenant, 1002), ["02:00:00-06:00 P10"]);
}

/// S0-010 for this middleware: killed at any moment, with faults on the way, in any order of delivery.
#[tokio::test]
async fn kills_at_any_moment_lose_and_double_nothing_that_was_answered() {
    let (folder, tenant) = (tempdir().unwrap(), tenant());
    let (url, mut dice) = (serve(&tenant).await, Dice::new(11));
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
    for group in punches.chunks(6) {
        let program = Program::run(successfactors(&url, folder.path()), &[("SF_MIN_CALL_GAP_S", "0")]).await;
        tenant.lock().unwrap().fail_next([SuccessFactorsFault::None, SuccessFactorsFault::DropAfter]);
        for (badge, time, direction) in group {
            deliver(&program, *badge, time, direction).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(dice.below(1500))).await;
        program.kill();
    }
    let program = Program::run(successfactors(&url, folder.path()), &[("SF_MIN_CALL_GAP_S", "0")]).await;
    program.stands_at(0, 36, 0).await;
    for badge in 1001..1010 {
        let expected = ["02:00:00-06:00 P10", "07:00:00-06:00 P20", "08:00:00-06:00 P10", "12:00:00-06:00 P20"];
        assert_eq!(records(&tenant, badge), expected, "{badge}");
    }
}

/// S3-020: prints every request, masks the secrets, calls nobody.
#[tokio::test]
async fn a_dry_run_prints_the_requests_masked_and_sends_nothing() {
    let (folder, tenant) = (tempdir().unwrap(), tenant());
    let command = successfactors(&serve(&tenant).await, folder.path());
    let program = Program::run(command, &[("DRY_RUN", "true")]).await;
    deliver(&program, 1001, "08:00:00", "in").await;
    let said = eventually("the write is shown", async || {
        let said = program.said();
        said.contains("typeCode").then_some(said)
    })
    .await;
    assert!(
        said.contains(r#""assignmentId":"1001","typeCode":"P10","timestamp":"2026-03-28T02:00:00-06:00""#),
        "{said}"
    );
    assert!(said.contains("authorization: Bearer ***") && said.contains("client_secret=%2A%2A%2A"), "{said}");
    assert!(!said.contains("canary-of-the-api"), "{said}");
    assert!(tenant.lock().unwrap().calls().is_empty());
}

#[test]
fn a_missing_or_wrong_setting_is_named_and_its_value_is_not() {
    let folder = tempdir().unwrap();
    let program = || successfactors("http://127.0.0.1:9", folder.path());
    for variable in [
        "WEBHOOK_SECRET",
        "SF_API_SERVER",
        "SF_IAS_URL",
        "SF_IAS_CLIENT_ID",
        "SF_IAS_SECRET",
        "SF_IAS_DEPENDENCY",
        "SF_CODE_IN",
        "SF_CODE_OUT",
    ] {
        refuses(program().env_remove(variable), variable);
    }
    for (variable, value, named) in [
        ("SF_API_SERVER", "api55.sapsf.eu", "api_server"),
        ("SF_IAS_SECRET", "canary-of-the-api ", "ias_client_secret"),
        ("SF_TIME_ZONE", "Mexico", "time_zone"),
        ("SF_FLUSH_INTERVAL_S", "often", "SF_FLUSH_INTERVAL_S"),
        ("SF_CODE_OUT", "P 20", "codes.out"),
    ] {
        refuses(program().env(variable, value), named);
    }
}
