//! `punch erp`: a month into each of the five, what is there already, what fails, and what is wrong before.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use simulator::erp::{
    SharedErpNext, SharedHumand, SharedOdoo, SharedSuccessFactors, serve_erpnext, serve_humand, serve_odoo,
    serve_successfactors,
};
use simulator::erpnext::{ErpNextConfig, ErpNextEmployee, ErpNextFault, ErpNextStandIn};
use simulator::humand::{HumandConfig, HumandStandIn, HumandUser};
use simulator::odoo::{OdooConfig, OdooEmployee, OdooFault, OdooStandIn};
use simulator::successfactors::{SuccessFactorsConfig, SuccessFactorsStandIn};
use simulator::world::quiet_addr;
use tempfile::{TempDir, tempdir};

use crate::command::{Done, PATIENCE, feed, punch, run};
use crate::erp_month::Month;
use crate::kill::start;
use crate::site::exchange;

const SECRET: &str = "canary-of-the-api";
const KEY: &str = "pk_erp_erp_erp_erp_erp_erp_erp_erp_erp_erp";

fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

/// An ERP that serves, and the environment that leads to it.
struct Stand<S> {
    server: S,
    environment: Vec<(&'static str, String)>,
    folder: TempDir,
}

impl<S> Stand<S> {
    fn new(server: S, environment: &[(&'static str, &str)]) -> Self {
        let environment = environment.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { server, environment, folder: tempdir().unwrap() }
    }

    /// Runs `punch erp` with these arguments.
    async fn erp(&self, arguments: &[&str], input: &[u8]) -> Done {
        let mut command = punch();
        command.arg("erp").args(arguments).current_dir(self.folder.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let input = input.to_vec();
        let done = tokio::task::spawn_blocking(move || feed(&mut command, &input)).await.unwrap();
        assert!(!done.stdout.contains(SECRET) && !done.stderr.contains(SECRET), "a secret is shown");
        done
    }
}

async fn odoo(version: u16, people: u32) -> Stand<SharedOdoo> {
    let mut config = OdooConfig::new(version, "main", SECRET, SECRET);
    config.employees =
        (1001..1001 + i64::from(people)).map(|badge| OdooEmployee::new(badge, "Ada", &badge.to_string())).collect();
    let server = Arc::new(Mutex::new(OdooStandIn::new(config)));
    let url = format!("http://{}", serve_odoo(loopback(), Arc::clone(&server)).await.unwrap());
    Stand::new(server, &[("ODOO_URL", &url), ("ODOO_DB", "main"), ("ODOO_USER", "punch-bot"), ("ODOO_PASS", SECRET)])
}

const ZONE: &str = "America/Mexico_City";

async fn erpnext(people: u32) -> Stand<SharedErpNext> {
    let mut config = ErpNextConfig::new(ZONE, "key", SECRET).unwrap();
    let one = |badge: u32| ErpNextEmployee::new(&format!("HR-EMP-{badge}"), "Ada", &badge.to_string());
    config.employees = (1001..1001 + people).map(one).collect();
    let server = Arc::new(Mutex::new(ErpNextStandIn::new(config)));
    let url = format!("http://{}", serve_erpnext(loopback(), Arc::clone(&server)).await.unwrap());
    Stand::new(server, &[("ERPNEXT_URL", &url), ("API_KEY", "key"), ("API_SECRET", SECRET), ("SITE_ZONE", ZONE)])
}

async fn successfactors(people: u32) -> Stand<SharedSuccessFactors> {
    let mut config = SuccessFactorsConfig::new("client", SECRET, "SF-EC-TA");
    config.assignments = (1001..1001 + people).map(|number| number.to_string()).collect();
    let server = Arc::new(Mutex::new(SuccessFactorsStandIn::new(config)));
    let url = format!("http://{}", serve_successfactors(loopback(), Arc::clone(&server)).await.unwrap());
    Stand::new(
        server,
        &[
            ("SF_API_SERVER", &url),
            ("SF_IAS_URL", &url),
            ("SF_IAS_CLIENT_ID", "client"),
            ("SF_IAS_SECRET", SECRET),
            ("SF_IAS_DEPENDENCY", "SF-EC-TA"),
            ("SF_CODE_IN", "P10"),
            ("SF_CODE_OUT", "P20"),
            ("SF_TIME_ZONE", ZONE),
            ("SF_MIN_CALL_GAP_S", "1"),
        ],
    )
}

async fn humand(people: u32) -> Stand<SharedHumand> {
    let mut config = HumandConfig::new(SECRET);
    config.users = (1001..1001 + people).map(|badge| HumandUser::new(&badge.to_string(), "Ada")).collect();
    let server = Arc::new(Mutex::new(HumandStandIn::new(config)));
    let url = format!("http://{}/public/api/v1", serve_humand(loopback(), Arc::clone(&server)).await.unwrap());
    Stand::new(server, &[("HUMAND_BASE_URL", &url), ("HUMAND_TOKEN", SECRET)])
}

/// Each line of the input has its outcome: how often each word came.
fn outcomes(done: &Done, lines: usize) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in done.stdout.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let word = line["outcome"].as_str().unwrap().to_owned();
        assert!(
            line["event_id"].is_string() && line.get("reason").is_some() && line.get("remote_id").is_some(),
            "{line}"
        );
        *counts.entry(word).or_default() += 1;
    }
    assert_eq!(counts.values().sum::<usize>(), lines, "{}", done.stderr);
    counts
}

fn count(counts: &BTreeMap<String, usize>, word: &str) -> usize {
    counts.get(word).copied().unwrap_or_default()
}

type Pair = (String, DateTime<Utc>, DateTime<Utc>);

/// Closed attendances of some length: by badge, to the second.
fn attendances(server: &SharedOdoo) -> Vec<Pair> {
    let server = server.lock().unwrap();
    let closed = server.attendances().iter().filter_map(|row| Some((row, row.check_out?)));
    let pair = |(row, end): (&simulator::odoo::StoredAttendance, chrono::NaiveDateTime)| {
        (row.employee.to_string(), row.check_in.and_utc(), end.and_utc())
    };
    closed.map(pair).filter(|(_, from, to)| from < to).collect()
}

/// S0-001, S0-010, S0-035 to S0-037: every pair to the second, none twice, and a second pass changes nothing.
async fn a_month_into_odoo(version: u16) {
    let (month, stand) = (Month::of(50, 30, 7), odoo(version, 50).await);
    let done = stand.erp(&["write", "--to", "odoo"], &month.input()).await;
    let counts = outcomes(&done, month.lines.len());
    assert_eq!(done.code, Some(1), "forgotten punches are parked: {}", done.stderr);
    assert_eq!(count(&counts, "retry"), 0, "{}", done.stderr);
    let stored = attendances(&stand.server);
    assert_eq!(stored.iter().cloned().collect::<BTreeSet<_>>(), month.pairs());
    assert_eq!(stored.len(), month.pairs().len(), "a pair is there twice");
    let alone: BTreeSet<_> = done
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["outcome"] == "parked")
        .map(|line| line["event_id"].to_string())
        .collect();
    assert_eq!(alone.len(), month.alone());
    // As few calls as there are hundreds of records, and some for the rest.
    let calls = stand.server.lock().unwrap().calls().len();
    assert!(calls < 120, "{calls} calls");
    let again = stand.erp(&["write", "--to", "odoo"], &month.input()).await;
    let counts = outcomes(&again, month.lines.len());
    assert_eq!((count(&counts, "applied"), count(&counts, "retry")), (0, 0));
    assert_eq!(attendances(&stand.server).len(), month.pairs().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_of_fifty_people_is_in_odoo_16_to_the_second() {
    a_month_into_odoo(16).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_of_fifty_people_is_in_odoo_18_to_the_second() {
    a_month_into_odoo(18).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_of_fifty_people_is_in_odoo_19_to_the_second() {
    a_month_into_odoo(19).await;
}

/// S0-060 to S0-066: every punch is one checkin in the site's local time.
#[tokio::test(flavor = "multi_thread")]
async fn a_month_of_fifty_people_is_in_erpnext_to_the_second() {
    let (month, stand) = (Month::of(50, 30, 8), erpnext(50).await);
    let done = stand.erp(&["write", "--to", "erpnext"], &month.input()).await;
    let counts = outcomes(&done, month.lines.len());
    assert_eq!((done.code, count(&counts, "applied")), (Some(0), month.punches.len()), "{}", done.stderr);
    assert_eq!(count(&counts, "already"), month.lines.len() - month.punches.len(), "the same event twice");
    // The zone has no summer time in 2026.
    let local = |at: DateTime<Utc>| (at - TimeDelta::hours(6)).naive_utc();
    let wanted = |punch: &crate::erp_month::Punch| {
        let way = if punch.arrives { "IN" } else { "OUT" };
        (format!("HR-EMP-{}", punch.badge), local(punch.at), Some(way.to_owned()))
    };
    let server = stand.server.lock().unwrap();
    let stored = server.checkins().iter().map(|row| (row.employee.clone(), row.time, row.log_type.clone()));
    let mut stored: Vec<_> = stored.collect();
    stored.sort();
    assert_eq!(stored, month.punches.iter().map(wanted).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>());
    let tables = server.requests().iter().filter(|request| request.contains("/Employee?")).count();
    assert!(tables <= 4, "the employee table was read {tables} times");
}

/// S0-042 to S0-045: 1000 events a call, 200 of one person, none twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_month_of_fifty_people_is_in_successfactors_in_a_few_calls() {
    let (month, stand) = (Month::of(50, 30, 9), successfactors(50).await);
    let done = stand.erp(&["write", "--to", "successfactors"], &month.input()).await;
    let counts = outcomes(&done, month.lines.len());
    assert_eq!((done.code, count(&counts, "applied")), (Some(0), month.punches.len()), "{}", done.stderr);
    let server = stand.server.lock().unwrap();
    let stored = server.events().iter().map(|event| (event.assignment.clone(), event.at.to_utc(), event.code == "P10"));
    let mut stored: Vec<_> = stored.collect();
    stored.sort();
    let wanted: Vec<_> = month.punches.iter().map(|punch| (punch.badge.clone(), punch.at, punch.arrives)).collect();
    assert_eq!(stored, wanted);
    assert!(server.writes() <= month.punches.len().div_ceil(1000) + 2, "{} calls", server.writes());
}

/// S3-027, S3-029 to S3-031. A key has 45 entries a minute, so the month is a short one.
#[tokio::test(flavor = "multi_thread")]
async fn some_days_of_some_people_are_in_humand_to_the_second() {
    let (month, stand) = (Month::of(3, 4, 3), humand(3).await);
    let done = stand.erp(&["write", "--to", "humand"], &month.input()).await;
    let counts = outcomes(&done, month.lines.len());
    assert_eq!(count(&counts, "retry"), 0, "{}", done.stderr);
    let server = stand.server.lock().unwrap();
    let stored: BTreeSet<_> =
        server.entries().iter().map(|entry| (entry.employee.clone(), entry.at, entry.kind == "START")).collect();
    assert_eq!(stored.len(), server.entries().len(), "an entry is there twice");
    let pairs = month.pairs();
    let ends = pairs.iter().flat_map(|(badge, from, to)| [(badge.clone(), *from, true), (badge.clone(), *to, false)]);
    assert!(ends.clone().count() > 20, "the days have punches");
    for end in ends {
        assert!(stored.contains(&end), "{end:?}");
    }
}

/// A punch is one row; a revision is told to the table too.
#[tokio::test(flavor = "multi_thread")]
async fn a_month_of_fifty_people_is_in_a_table_of_ones_own() {
    let month = Month::of(50, 30, 10);
    let stand = Stand::new((), &[("DATABASE_URL", "sqlite:hrms.sqlite"), ("CREATE_TABLES", "true")]);
    let mut input = month.input();
    let first = month.punches.first().unwrap();
    let revised = serde_json::json!({
        "event_id": "evt_revision_1", "event_type": "attendance.revised", "timestamp": first.at.to_rfc3339(),
        "employee": { "badge_number": first.badge }, "punch": { "direction": "break_in" },
        "metadata": { "revises": first.id(), "revision": 1, "old_direction": "in", "reason": "late_row" },
    });
    input.extend(format!("{revised}\n").bytes());
    let done = stand.erp(&["write", "--to", "hrms"], &input).await;
    let counts = outcomes(&done, month.lines.len() + 1);
    assert_eq!((done.code, count(&counts, "applied")), (Some(0), month.punches.len() + 1), "{}", done.stderr);
    let file = rusqlite::Connection::open(stand.folder.path().join("hrms.sqlite")).unwrap();
    let mut rows = file.prepare("SELECT employee_id, punch_time, direction FROM attendance").unwrap();
    let row =
        |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?));
    let stored: BTreeSet<_> = rows
        .query_map([], row)
        .unwrap()
        .map(|row| row.unwrap())
        .map(|(badge, at, way)| (badge, at.parse::<DateTime<Utc>>().unwrap(), way))
        .collect();
    let wanted = |punch: &crate::erp_month::Punch| {
        let way = if punch == first {
            "break_in"
        } else if punch.arrives {
            "in"
        } else {
            "out"
        };
        (punch.badge.clone(), punch.at, way.to_owned())
    };
    assert_eq!(stored, month.punches.iter().map(wanted).collect());
}

/// What passes is tried again within the patience, and what lasts is said: exit code 3, and nothing is lost by doing it again.
#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_tried_again_and_order_is_kept() {
    let (month, stand) = (Month::of(3, 3, 11), erpnext(3).await);
    let faults =
        [ErpNextFault::None, ErpNextFault::Maintenance, ErpNextFault::DropAfter, ErpNextFault::BadGatewayAfter];
    stand.server.lock().unwrap().fail_next(faults);
    let done = stand.erp(&["write", "--to", "erpnext"], &month.input()).await;
    let counts = outcomes(&done, month.lines.len());
    assert_eq!((done.code, count(&counts, "retry")), (Some(0), 0), "{}", done.stderr);
    {
        let server = stand.server.lock().unwrap();
        assert_eq!(server.checkins().len(), month.punches.len());
        for badge in month.people().keys() {
            let of_one = server.checkins().iter().filter(|row| row.employee == format!("HR-EMP-{badge}"));
            let times: Vec<_> = of_one.map(|row| row.time).collect();
            assert!(times.is_sorted(), "{badge}: {times:?}");
        }
    }
    let (month, stand) = (Month::of(2, 2, 12), odoo(18, 2).await);
    stand.server.lock().unwrap().fail_next([OdooFault::Maintenance; 40]);
    let done = stand.erp(&["write", "--to", "odoo", "--patience", "0"], &month.input()).await;
    let counts = outcomes(&done, month.lines.len());
    assert_eq!((done.code, count(&counts, "retry")), (Some(3), month.lines.len()), "{}", done.stderr);
    assert!(done.stderr.contains("next: punch erp check --to odoo"), "{}", done.stderr);
}

/// Whom the ERP does not know, what cannot be read and what is not about a punch is said, each on its line.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_is_parked_and_said() {
    let stand = odoo(18, 1).await;
    let input = concat!(
        r#"{"event_id":"evt_1","employee_id":"1001","timestamp":"2026-03-02T08:00:00Z","direction":"in"}"#,
        "\n\nnot json\n",
        r#"{"event_id":"evt_2","employee_id":"9999","timestamp":"2026-03-02T08:00:00Z","direction":"in"}"#,
        "\n",
        r#"{"event_id":"evt_3","event_type":"device.status","timestamp":"2026-03-02T08:00:00Z","device":{"serial_number":"T1"},"status":"online"}"#,
        "\n",
        r#"[{"event_id":"evt_4","employee_id":"1001","timestamp":"2026-03-02T16:00:00Z","direction":"out"}]"#,
    );
    let done = stand.erp(&["write", "--to", "odoo"], input.as_bytes()).await;
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    let lines: Vec<Value> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said = |id: &Value| {
        let line = lines.iter().find(|line| &line["event_id"] == id).unwrap_or_else(|| panic!("{id}: {lines:?}"));
        (line["outcome"].as_str().unwrap().to_owned(), line["reason"].as_str().unwrap_or_default().to_owned())
    };
    let id = |text: &str| Value::from(text);
    assert_eq!(said(&id("evt_1")), ("applied".into(), String::new()));
    assert_eq!(said(&id("evt_4")), ("applied".into(), String::new()));
    assert_eq!(said(&id("evt_2")), ("parked".into(), "unknown_employee".into()));
    assert_eq!(said(&id("evt_3")), ("parked".into(), "left_out".into()));
    assert_eq!(said(&Value::Null), ("parked".into(), "unreadable".into()));
    assert!(done.stderr.contains("line 3"), "{}", done.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_requests_without_secrets_and_sends_none() {
    let (month, stand) = (Month::of(2, 2, 13), odoo(18, 2).await);
    let done = stand.erp(&["write", "--to", "odoo", "--dry-run"], &month.input()).await;
    assert!(done.stdout.contains("hr.attendance") && done.stdout.contains("***"), "{}", done.stdout);
    assert!(stand.server.lock().unwrap().calls().is_empty(), "something was sent");
    let stand = successfactors(2).await;
    let done = stand.erp(&["write", "--to", "successfactors", "--dry-run"], &month.input()).await;
    let calls = done.stdout.lines().filter(|line| line.starts_with("POST ") && !line.contains("/oauth2/token")).count();
    assert_eq!(calls, 1, "all of it in the call that would be made: {}", done.stdout);
    assert!(stand.server.lock().unwrap().calls().is_empty(), "something was sent");
    let stand = erpnext(2).await;
    let done = stand.erp(&["write", "--to", "erpnext", "--dry-run"], &month.input()).await;
    assert_eq!(done.stdout.matches("POST ").count(), month.punches.len(), "{}", done.stdout);
    assert!(stand.server.lock().unwrap().requests().is_empty(), "something was sent");
}

/// A table maps badges to the ERP's own numbers; one that contradicts itself stops the start and names both lines.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_badges_says_whose_they_are() {
    let mut stand = odoo(18, 2).await;
    let table = stand.folder.path().join("badges.csv");
    stand.environment.push(("MAPPING_FILE", table.display().to_string()));
    let input = concat!(
        r#"{"event_id":"evt_1","employee_id":"77","timestamp":"2026-03-02T08:00:00Z","direction":"in"}"#,
        "\n",
        r#"{"event_id":"evt_2","employee_id":"1001","timestamp":"2026-03-02T08:00:00Z","direction":"in"}"#,
    );
    std::fs::write(&table, "badge,employee\n77,1002\n78,1001\n").unwrap();
    let done = stand.erp(&["write", "--to", "odoo"], input.as_bytes()).await;
    let counts = outcomes(&done, 2);
    assert_eq!((done.code, count(&counts, "applied"), count(&counts, "parked")), (Some(1), 1, 1), "{}", done.stderr);
    let employee = stand.server.lock().unwrap().attendances().first().unwrap().employee;
    assert_eq!(employee, 1002);
    for (text, lines) in [("77,1002\n78,1001\n77,1001\n", "lines 1 and 3"), ("77,1002\n78,1002\n", "lines 1 and 2")] {
        std::fs::write(&table, text).unwrap();
        let done = stand.erp(&["write", "--to", "odoo"], input.as_bytes()).await;
        assert_eq!(done.code, Some(2), "{}", done.stderr);
        assert!(done.stderr.contains(lines) && done.stderr.contains("badges.csv"), "{}", done.stderr);
    }
}

/// Which badges have nobody is found before a punch is parked; a wrong secret and a missing right are named.
#[tokio::test(flavor = "multi_thread")]
async fn a_check_names_what_is_wrong_before_anything_is_written() {
    let stand = odoo(18, 2).await;
    stand.server.lock().unwrap().config_mut().employees.push(OdooEmployee::new(1, "Left", "1009").archived());
    let badges = stand.folder.path().join("badges.txt");
    std::fs::write(&badges, "1001\n1002\n").unwrap();
    let file = badges.display().to_string();
    let good = stand.erp(&["check", "--to", "odoo", "--badges", &file], b"").await;
    assert_eq!(good.code, Some(0), "{}{}", good.stdout, good.stderr);
    assert!(good.stdout.contains("Odoo 18.0") && good.stderr.contains("next: punch erp write"), "{}", good.stdout);
    let events = r#"{"event_id":"evt_1","employee_id":"4711","timestamp":"2026-03-02T08:00:00Z","direction":"in"}"#;
    let bad = stand.erp(&["check", "--to", "odoo", "--events", "-", "--json"], events.as_bytes()).await;
    assert_eq!(bad.code, Some(1), "{}", bad.stdout);
    let line = bad.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert!(line.into_iter().any(|line| line["badge"] == "4711" && line["standing"] == "unknown"), "{}", bad.stdout);
    let left = stand.erp(&["check", "--to", "odoo", "--badges", "-"], b"1009\n").await;
    assert!(left.code == Some(1) && left.stdout.contains("inactive"), "{}", left.stdout);
    stand.server.lock().unwrap().config_mut().may_write = false;
    let forbidden = stand.erp(&["check", "--to", "odoo"], b"").await;
    assert!(forbidden.code == Some(1) && forbidden.stdout.contains("may not write"), "{}", forbidden.stdout);
    stand.server.lock().unwrap().config_mut().password = "another".to_owned();
    stand.server.lock().unwrap().config_mut().key = "another".to_owned();
    let refused = stand.erp(&["check", "--to", "odoo"], b"").await;
    assert!(refused.code == Some(1) && refused.stdout.contains("PE-CALL-001"), "{}", refused.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_the_others_says_who_we_are_and_whose_clock_it_is() {
    let mut stand = erpnext(2).await;
    stand.server.lock().unwrap().config_mut().may_read_settings = true;
    let good = stand.erp(&["check", "--to", "erpnext", "--badges", "-"], b"1001\n").await;
    assert_eq!(good.code, Some(0), "{}", good.stdout);
    assert!(good.stdout.contains(ZONE) && good.stdout.contains("gateway1@example.com"), "{}", good.stdout);
    stand.environment.push(("SITE_ZONE", "Asia/Dhaka".to_owned()));
    let wrong = stand.erp(&["check", "--to", "erpnext"], b"").await;
    assert!(wrong.code == Some(1) && wrong.stdout.contains("correct the setting"), "{}", wrong.stdout);
    let stand = humand(2).await;
    let humand = stand.erp(&["check", "--to", "humand", "--badges", "-"], b"1001\n4711\n").await;
    assert!(humand.code == Some(1) && humand.stdout.contains("unknown    4711"), "{}", humand.stdout);
    let stand = successfactors(2).await;
    let tenant = stand.erp(&["check", "--to", "successfactors"], b"").await;
    assert_eq!(tenant.code, Some(0), "{}{}", tenant.stdout, tenant.stderr);
    let stand = Stand::new((), &[("DATABASE_URL", "sqlite:hrms.sqlite"), ("CREATE_TABLES", "true")]);
    let own = stand.erp(&["check", "--to", "hrms"], b"").await;
    assert_eq!(own.code, Some(0), "{}", own.stdout);
    let file = rusqlite::Connection::open(stand.folder.path().join("hrms.sqlite")).unwrap();
    let rows: i64 = file.query_row("SELECT count(*) FROM attendance", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 0, "what a check writes is taken back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_variable_or_name_is_a_usage_error() {
    let stand = Stand::new((), &[]);
    let missing = stand.erp(&["write", "--to", "odoo"], b"").await;
    assert!(missing.code == Some(2) && missing.stderr.contains("ODOO_URL"), "{}", missing.stderr);
    let unknown = stand.erp(&["write", "--to", "sap"], b"").await;
    assert!(unknown.code == Some(2) && unknown.stderr.contains("successfactors"), "{}", unknown.stderr);
}

/// A sink of `punch.toml`: its gateway's badges are looked up in the ERP, and what it parked is released, by cause.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_a_sink_parked_is_released_by_whoever_mended_the_cause() {
    let mut config = OdooConfig::new(18, "main", SECRET, SECRET);
    config.employees = vec![OdooEmployee::new(1, "Ada", "1001")];
    let server: SharedOdoo = Arc::new(Mutex::new(OdooStandIn::new(config)));
    let addr = serve_odoo(loopback(), Arc::clone(&server)).await.unwrap();
    let folder = tempdir().unwrap();
    let file = folder.path().join("punch.toml");
    let text = format!(
        "store = \"sqlite:{}\"\napi_key = \"{KEY}\"\n[[device]]\nserial = \"T1\"\n[[employee]]\nbadge = \"1001\"\n\
         [[employee]]\nbadge = \"1002\"\n[[sink]]\nname = \"plant\"\nkind = \"odoo\"\nurl = \"http://{addr}\"\n\
         database = \"main\"\nuser = \"punch-bot\"\nsecret = \"{SECRET}\"\nprobe_seconds = 86400\n",
        folder.path().join("punch.sqlite").display()
    );
    std::fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    let mut gateway = start(&file, quiet_addr());
    let mut addr = |before: &str, after: &str| -> SocketAddr {
        gateway.line().strip_prefix(before).unwrap().strip_suffix(after).unwrap().parse().unwrap()
    };
    let (device, api) = (addr("device listener on http://", ""), addr("api on http://", "/v1"));
    let rows = "1002\t2026-03-02 08:00:00\t0\t1\n1002\t2026-03-02 16:00:00\t1\t1\n";
    let pushed = exchange(device, "POST", "/iclock/cdata?SN=T1&table=ATTLOG&Stamp=9999", "", rows);
    assert_eq!(pushed, (200, "OK: 2".to_owned()));
    let url = format!("http://{api}");
    let ask = |arguments: &[&str]| run(&[arguments, &["--gateway", &url, "--api-key", KEY]].concat(), b"");
    let deliveries = |state: &str| {
        let listed = ask(&["webhook", "deliveries", "--json", "--state", state]);
        assert_eq!(listed.code, Some(0), "{}", listed.stderr);
        listed.stdout.lines().count()
    };
    let until = tokio::time::Instant::now() + PATIENCE;
    while deliveries("failed") < 2 {
        assert!(tokio::time::Instant::now() < until, "they are never parked");
        // The API counts calls.
        tokio::time::sleep(core::time::Duration::from_millis(300)).await;
    }
    let checked = ask(&["erp", "check", "--to", "plant", "--config", &file, "--registered"]);
    assert!(checked.code == Some(1) && checked.stdout.contains("unknown    1002"), "{}", checked.stdout);
    server.lock().unwrap().config_mut().employees.push(OdooEmployee::new(2, "Bo", "1002"));
    let none = ask(&["erp", "release", "--to", "plant", "--reason", "orphan_out"]);
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), "0 released of 2 parked\n"), "{}", none.stderr);
    let released = ask(&["erp", "release", "--to", "plant", "--reason", "unknown_employee"]);
    assert_eq!(released.stdout, "2 released of 2 parked\n", "{}", released.stderr);
    while deliveries("delivered") < 2 {
        assert!(tokio::time::Instant::now() < until, "they are never written");
        tokio::time::sleep(core::time::Duration::from_millis(300)).await;
    }
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let pair = ("2".to_owned(), at("2026-03-02T08:00:00Z"), at("2026-03-02T16:00:00Z"));
    assert_eq!(attendances(&server), [pair]);
    let unknown = ask(&["erp", "release", "--to", "other"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("punch webhook endpoints"), "{}", unknown.stderr);
}
