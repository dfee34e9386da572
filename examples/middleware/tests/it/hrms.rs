//! `hrms`: every punch becomes a row of one's own table, whatever happens on the way. Against SQLite and PostgreSQL.

use std::path::Path;

use serde_json::json;
use simulator::cluster::Cluster;
use simulator::world::Dice;
use tempfile::tempdir;

use crate::program::{Program, eventually, hrms, refuses, signed};
use crate::store::Store;

const ROWS: &str = "SELECT event_id, employee_id, direction, revision FROM attendance ORDER BY event_id";
const CREATE: &[(&str, &str)] = &[("CREATE_TABLES", "true")];

/// A punch of 28 March 2026; the id is made of it.
fn punch(badge: &str, time: &str, direction: &str) -> (String, Vec<u8>) {
    let id = format!("evt_{badge}_{}_{direction}", time.replace(':', ""));
    let body = json!({
        "event": "attendance.punch", "event_id": id, "employee_id": badge, "device_serial": "T1", "method": "face",
        "timestamp": format!("2026-03-28T{time}Z"), "direction": direction,
    });
    (id, body.to_string().into_bytes())
}

async fn deliver(program: &Program, badge: &str, time: &str, direction: &str) {
    let (id, body) = punch(badge, time, direction);
    assert_eq!(program.post("/webhook", &signed(&id, &body), &body).await.0, 200);
}

/// `attendance.revised` or `attendance.late` about the punch of 0042 at eight.
async fn tell(program: &Program, kind: &str, number: u32, direction: &str) {
    let (id, about) = (format!("evt_{kind}_{number}"), "evt_0042_080000_in");
    let body = json!({
        "event_id": id, "event_type": format!("attendance.{kind}"), "timestamp": "2026-03-28T08:00:00Z",
        "employee": { "badge_number": "0042" }, "punch": { "direction": direction, "method": "face" },
        "device": { "serial_number": "T1" },
        "metadata": { "revises": about, "about": about, "revision": number, "reason": "late_row" },
    });
    let body = body.to_string().into_bytes();
    assert_eq!(program.post("/webhook", &signed(&id, &body), &body).await.0, 200);
}

/// What a crash between the commit and the note about it leaves: written, and waiting.
fn forget_the_outcome(folder: &Path) {
    let inbox = rusqlite::Connection::open(folder.join("inbox.sqlite")).unwrap();
    inbox.execute("UPDATE inbox SET state = 'waiting', remote_id = NULL", ()).unwrap();
}

/// S0-063, S0-064: badge, time, terminal and method as they came; a repeated delivery and a repeated write change nothing.
#[tokio::test]
async fn a_punch_is_one_row_however_often_it_comes_and_is_written() {
    for store in Store::all() {
        let folder = tempdir().unwrap();
        let program = Program::run(hrms(&store.url(), folder.path()), CREATE).await;
        for _ in 0..2 {
            deliver(&program, "0042", "08:00:00", "in").await;
            deliver(&program, "1001", "08:00:01", "unknown").await;
            program.stands_at(0, 2, 0).await;
        }
        let (id, body) = punch("0042", "08:00:00", "in");
        let answer = program.post("/webhook", &signed(&id, &body), &body).await.1;
        assert_eq!(answer, r#"{"duplicate":true,"received":true,"status":"duplicado"}"#);
        let rows = ["evt_0042_080000_in|0042|in|0", "evt_1001_080001_unknown|1001|unknown|0"];
        assert_eq!(store.run(ROWS).await, rows);
        let at = if matches!(store, Store::Sqlite(_)) { "punch_time" } else { "punch_time AT TIME ZONE 'UTC'" };
        let sql = format!("SELECT {at}, device_serial, method FROM attendance WHERE employee_id = '0042'");
        let time = store.run(&sql).await.remove(0);
        assert!(time.replace('T', " ").starts_with("2026-03-28 08:00:00") && time.ends_with("|T1|face"), "{time}");
        program.kill();
        forget_the_outcome(folder.path());
        let program = Program::run(hrms(&store.url(), folder.path()), &[]).await;
        program.stands_at(0, 2, 0).await;
        assert_eq!(store.run(ROWS).await, rows);
        assert!(!program.logs("outcome=\"already\"").await.contains("canary-of-the-api"));
    }
}

/// S0-065: two programs with the same events, at the same time; they make the tables at the same time, too.
#[tokio::test]
async fn two_workers_at_once_write_one_row_each() {
    for store in Store::all() {
        let folders = [tempdir().unwrap(), tempdir().unwrap()];
        let [one, two] = folders.each_ref().map(|folder| Program::run(hrms(&store.url(), folder.path()), CREATE));
        let (one, two) = tokio::join!(one, two);
        for number in 0..20 {
            let badge = format!("10{number:02}");
            let both = [&one, &two].map(|program| deliver(program, &badge, "08:00:00", "in"));
            let [first, second] = both;
            tokio::join!(first, second);
        }
        one.stands_at(0, 20, 0).await;
        two.stands_at(0, 20, 0).await;
        assert_eq!(store.run(ROWS).await.len(), 20);
    }
}

/// A revision may overtake its punch and a later one; the row ends as the highest number told it. A late one changes nothing.
#[tokio::test]
async fn revisions_in_any_order_end_as_the_highest_number_told_it() {
    for store in Store::all() {
        let folder = tempdir().unwrap();
        let program = Program::run(hrms(&store.url(), folder.path()), CREATE).await;
        tell(&program, "revised", 2, "break_out").await;
        program.stands_at(0, 1, 0).await;
        deliver(&program, "0042", "08:00:00", "in").await;
        tell(&program, "revised", 1, "out").await;
        tell(&program, "late", 3, "unknown").await;
        tell(&program, "revised", 2, "break_out").await;
        program.stands_at(0, 4, 0).await;
        assert_eq!(store.run(ROWS).await, ["evt_0042_080000_in|0042|break_out|2"]);
        let sql =
            "SELECT event_id, revises, kind, direction, revision, reason FROM attendance_revision ORDER BY event_id";
        assert_eq!(
            store.run(sql).await,
            [
                "evt_late_3|evt_0042_080000_in|late|unknown|3|late_row",
                "evt_revised_1|evt_0042_080000_in|revised|out|1|late_row",
                "evt_revised_2|evt_0042_080000_in|revised|break_out|2|late_row",
            ]
        );
    }
}

/// S0-066: what was answered 200 is on disk; a database that is not there and a kill lose nothing.
#[tokio::test]
async fn punches_taken_while_the_database_is_down_are_written_after_a_kill_and_a_restart() {
    for store in Store::all() {
        let folder = tempdir().unwrap();
        if let Store::Postgres(cluster) = &store {
            cluster.stop().unwrap();
        }
        let program = Program::run(hrms(&store.url(), folder.path()), &[]).await;
        for (badge, time) in [("1001", "16:00:00"), ("1002", "08:00:00"), ("1001", "08:00:00")] {
            deliver(&program, badge, time, "in").await;
        }
        program.logs("outcome=\"retry\"").await;
        program.stands_at(3, 0, 0).await;
        program.kill();
        if let Store::Postgres(cluster) = &store {
            cluster.resume().unwrap();
        }
        store.run(&store.schema()).await;
        let program = Program::run(hrms(&store.url(), folder.path()), &[]).await;
        program.stands_at(0, 3, 0).await;
        assert_eq!(store.run(ROWS).await.len(), 3);
    }
}

/// The connections of before the restart are gone, and no event is spent on finding out.
#[tokio::test]
async fn a_database_that_restarts_is_connected_to_again() {
    let Some(cluster) = Cluster::start().unwrap() else { return };
    let (folder, store) = (tempdir().unwrap(), Store::Postgres(cluster));
    let program = Program::run(hrms(&store.url(), folder.path()), CREATE).await;
    deliver(&program, "1001", "08:00:00", "in").await;
    program.stands_at(0, 1, 0).await;
    let Store::Postgres(cluster) = &store else { panic!() };
    cluster.stop().unwrap();
    cluster.resume().unwrap();
    deliver(&program, "1001", "16:00:00", "out").await;
    program.stands_at(0, 2, 0).await;
    assert_eq!(store.run(ROWS).await.len(), 2);
}

/// Killed at any moment, with every event told twice.
#[tokio::test]
async fn kills_at_any_moment_lose_and_double_nothing_that_was_answered() {
    for store in Store::all() {
        let (folder, mut dice) = (tempdir().unwrap(), Dice::new(11));
        store.run(&store.schema()).await;
        for group in 0..6 {
            let program = Program::run(hrms(&store.url(), folder.path()), &[]).await;
            for number in 0..6 {
                let badge = format!("10{group}{number}");
                deliver(&program, &badge, "08:00:00", "in").await;
                deliver(&program, &badge, "08:00:00", "in").await;
            }
            tokio::time::sleep(std::time::Duration::from_millis(dice.below(60))).await;
            program.kill();
        }
        let program = Program::run(hrms(&store.url(), folder.path()), &[]).await;
        program.stands_at(0, 36, 0).await;
        assert_eq!(store.run(ROWS).await.len(), 36);
    }
}

/// X7: what the database refuses is parked with its kind, nobody waits for it, and its words about the person are not logged.
#[tokio::test]
async fn what_a_constraint_refuses_is_parked_and_the_others_go_on() {
    for store in Store::all() {
        let folder = tempdir().unwrap();
        let employees =
            "CREATE TABLE employee (badge text PRIMARY KEY); INSERT INTO employee VALUES ('1001'), ('1002')";
        store.run(employees).await;
        let constraint = "NOT NULL CONSTRAINT known_badge REFERENCES employee (badge)";
        let known =
            store.schema().replacen("\"employee_id\" text NOT NULL", &format!("\"employee_id\" text {constraint}"), 1);
        store.run(&known).await;
        let program = Program::run(hrms(&store.url(), folder.path()), &[]).await;
        for badge in ["1001", "canary-of-the-api", "1002"] {
            let (id, body) = ("evt_".to_owned() + &badge[..4], punch(badge, "08:00:00", "in").1);
            let body = String::from_utf8(body).unwrap().replace(&format!("evt_{badge}_080000_in"), &id).into_bytes();
            assert_eq!(program.post("/webhook", &signed(&id, &body), &body).await.0, 200);
        }
        program.stands_at(0, 2, 1).await;
        assert_eq!(store.run(ROWS).await, ["evt_1001|1001|in|0", "evt_1002|1002|in|0"]);
        let log = program.logs("refused_by_database").await;
        assert!(!log.contains("canary-of-the-api"), "{log}");
    }
}

/// A column that would make 42 of `0042`, or cut it, gets nothing.
#[tokio::test]
async fn what_the_database_would_keep_otherwise_is_rolled_back() {
    for store in Store::all() {
        let (folder, is_sqlite) = (tempdir().unwrap(), matches!(store, Store::Sqlite(_)));
        let column = if is_sqlite { "\"employee_id\" integer" } else { "\"employee_id\" varchar(3)" };
        store.run(&store.schema().replacen("\"employee_id\" text", column, 1)).await;
        let program = Program::run(hrms(&store.url(), folder.path()), &[]).await;
        deliver(&program, "0042", "08:00:00", "in").await;
        program.stands_at(0, 0, 1).await;
        assert!(store.run(ROWS).await.is_empty());
        let reason = if is_sqlite { "not_kept" } else { "refused_by_database" };
        program.logs(reason).await;
    }
}

/// Prints schema and statements, and touches nothing.
#[tokio::test]
async fn a_dry_run_prints_the_statements_and_runs_none() {
    let (folder, store) = (tempdir().unwrap(), Store::Sqlite(tempdir().unwrap()));
    let more = [
        ("DRY_RUN", "true"),
        ("CREATE_TABLES", "true"),
        ("HRMS_TABLE", "punches"),
        ("HRMS_COLUMNS", "employee_id=badge"),
    ];
    let program = Program::run(hrms(&store.url(), folder.path()), &more).await;
    deliver(&program, "0042", "08:00:00", "in").await;
    let said = eventually("the statements are shown", async || {
        let said = program.said();
        said.contains("COMMIT;").then_some(said)
    })
    .await;
    for part in [
        "CREATE TABLE IF NOT EXISTS \"punches\" (",
        "BEGIN;\nINSERT INTO \"punches\" (\"event_id\", \"badge\", ",
        "ON CONFLICT (\"event_id\") DO NOTHING;\n-- 1: 'evt_0042_080000_in'\n-- 2: '0042'\n-- 3: '2026-03-28T08:00:00.000Z'\n",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let Store::Sqlite(place) = &store else { panic!() };
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn a_missing_or_wrong_setting_is_named_and_its_value_is_not() {
    let folder = tempdir().unwrap();
    let program = || hrms("sqlite:hrms.sqlite", folder.path());
    for variable in ["WEBHOOK_SECRET", "DATABASE_URL"] {
        refuses(program().env_remove(variable), variable);
    }
    for (variable, value, named) in [
        ("DATABASE_URL", "mysql://punch:canary-of-the-api@db/hr", "DATABASE_URL"),
        ("DATABASE_URL", "postgres://punch:canary-of-the-api@db:port/hr", "DATABASE_URL"),
        ("DATABASE_URL", "postgres://punch:canary-of-the-api@db/hr?sslmode=require", "TLS"),
        ("DATABASE_URL", "sqlite:", "names no file"),
        ("HRMS_TABLE", "a; DROP TABLE b", "`table`"),
        ("HRMS_REVISION_TABLE", "attendance", "`revision_table`"),
        ("HRMS_COLUMNS", "badge=employee_id", "`badge`"),
        ("HRMS_COLUMNS", "employee_id=0x", "columns.employee_id"),
    ] {
        refuses(program().env(variable, value), named);
    }
}
