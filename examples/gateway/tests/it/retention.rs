//! What is done with and old is removed; what waits, and what a terminal sent, never.

use chrono::{DateTime, TimeDelta, Utc};
use gateway::config::{Config, RetentionConfig};
use gateway::delivery::retention::pass;
use gateway::store::{Place, Removed, Store};
use proptest::prelude::*;
use rusqlite::{Connection, params};

use crate::harness::{Recorder, Site};

fn now() -> DateTime<Utc> {
    "2026-03-28T08:00:00Z".parse().unwrap()
}

fn days(days: i64) -> Option<TimeDelta> {
    Some(TimeDelta::days(days))
}

/// A store with an endpoint, and a connection past it.
fn store(folder: &tempfile::TempDir) -> (Store, Connection) {
    let path = folder.path().join("punch.sqlite");
    let store = Store::open(&Place::File(path.clone())).unwrap();
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "INSERT INTO endpoint (id, url, secret, format, schedule, events, created_at)
             VALUES (1, 'https://a.example/', 'whsec_x', 'nested', 'seed-002', 'attendance.punch', 0),
                    (2, 'https://b.example/', 'whsec_x', 'nested', 'seed-002', 'attendance.punch', 0);",
        )
        .unwrap();
    (store, connection)
}

/// An event of so many days ago, with its row, its bodies and a delivery in this state, settled so many days ago.
fn event(connection: &Connection, number: i64, age: i64, deliveries: &[(&str, i64)]) {
    let at = |days: i64| (now() - TimeDelta::days(days)).timestamp_millis();
    let id = format!("evt_{number}");
    let one = |sql: &str, values: &[&dyn rusqlite::ToSql]| connection.execute(sql, values).unwrap();
    one(
        "INSERT INTO row (id, serial, fate, received_at, raw) VALUES (?1, 'T1', 'delivered', ?2, X'00')",
        params![id, at(age)],
    );
    one(
        "INSERT INTO event (seq, id, type, lane, created_at, nested) VALUES (?1, ?2, 'attendance.punch', 1, ?3, ?4)",
        params![number, id, at(age), vec![b'x'; 600]],
    );
    one("INSERT INTO body (event, format, bytes) VALUES (?1, 'flat', ?2)", params![number, vec![b'x'; 400]]);
    for (endpoint, (state, settled)) in (1_i64..).zip(deliveries) {
        let settled_at = (*state != "waiting").then(|| at(*settled));
        one(
            "INSERT INTO delivery (endpoint, event, lane, created_at, state, attempts, settled_at)
             VALUES (?1, ?2, 1, ?3, ?4, 2, ?5)",
            params![endpoint, number, at(age), state, settled_at],
        );
        let delivery = connection.last_insert_rowid();
        for attempt in [1, 2] {
            one(
                "INSERT INTO attempt (delivery, number, at, status, millis) VALUES (?1, ?2, ?3, 500, 1)",
                params![delivery, attempt, at(age)],
            );
        }
    }
}

fn ask(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

const LEFT: &str = "SELECT event || ' ' || state FROM delivery ORDER BY id";

/// S1-045: delivered ones go after their time, given-up ones and events only if that is asked for.
#[tokio::test]
async fn each_kind_is_kept_for_its_own_time() {
    let folder = tempfile::tempdir().unwrap();
    let (store, connection) = store(&folder);
    event(&connection, 1, 500, &[("delivered", 500), ("failed", 497)]);
    event(&connection, 2, 500, &[("delivered", 3), ("waiting", 0)]);
    event(&connection, 3, 500, &[]);
    event(&connection, 4, 10, &[("delivered", 10)]);
    event(&connection, 5, 0, &[("delivered", 0)]);
    let removed = pass(&store, RetentionConfig::default(), now()).await.unwrap();
    assert_eq!(removed, Removed { deliveries: 1, attempts: 2, ..Removed::default() });
    assert_eq!(ask(&connection, LEFT), ["1 failed", "2 delivered", "2 waiting", "4 delivered", "5 delivered"]);

    let all = RetentionConfig { delivered: days(1), failed: days(1), events: days(1), ..RetentionConfig::default() };
    let removed = pass(&store, all, now()).await.unwrap();
    assert_eq!(removed, Removed { deliveries: 3, attempts: 6, events: 3, ..Removed::default() });
    assert_eq!(ask(&connection, LEFT), ["2 waiting", "5 delivered"]);
    assert_eq!(ask(&connection, "SELECT CAST(seq AS TEXT) FROM event"), ["2", "5"]);
    assert_eq!(ask(&connection, "SELECT CAST(event AS TEXT) FROM body"), ["2", "5"]);
    assert_eq!(ask(&connection, "SELECT CAST(count(*) AS TEXT) FROM row"), ["5"], "the ids stay");
    assert_eq!(pass(&store, all, now()).await.unwrap(), Removed::default(), "nothing is left to do");
}

/// More than one piece of work, and deliveries that stay in the way of those that go.
#[tokio::test]
async fn everything_old_goes_however_much_of_it_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut connection) = store(&folder);
    let transaction = connection.transaction().unwrap();
    for number in 1..=1_500 {
        let state = if number % 3 == 0 { "delivered" } else { "waiting" };
        event(&transaction, number, 500, &[(state, 500), ("delivered", 500)]);
    }
    transaction.commit().unwrap();
    let removed = pass(&store, RetentionConfig::default(), now()).await.unwrap();
    // The newest delivery stays, so that its number is not used twice.
    assert_eq!(removed, Removed { deliveries: 1_999, attempts: 3_998, ..Removed::default() });
    assert_eq!(ask(&connection, "SELECT CAST(count(*) AS TEXT) FROM delivery WHERE state = 'waiting'"), ["1000"]);
}

/// What is removed makes room: the file does not grow with what comes after.
#[tokio::test]
async fn the_room_of_what_is_removed_is_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut connection) = store(&folder);
    let pages =
        |connection: &Connection| connection.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0)).unwrap();
    let fill = |connection: &mut Connection, from: i64| {
        let transaction = connection.transaction().unwrap();
        (from..from + 1_000).for_each(|number| event(&transaction, number, 500, &[("delivered", 500)]));
        transaction.commit().unwrap();
    };
    fill(&mut connection, 1);
    let all = RetentionConfig { delivered: days(1), failed: None, events: days(1), ..RetentionConfig::default() };
    let mut sizes = vec![pages(&connection)];
    for round in 1..4 {
        pass(&store, all, now()).await.unwrap();
        fill(&mut connection, 1 + round * 1_000);
        sizes.push(pages(&connection));
    }
    // Rows stay, which is a small part of each round.
    let grown = sizes[3] - sizes[0];
    assert!(grown < sizes[0] / 2, "{sizes:?}");
}

/// A row whose event is gone is still known: sent again, it is no new punch, and nothing goes out.
#[tokio::test]
async fn a_punch_whose_event_was_removed_is_not_new_again() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    let row = "1001\t2026-03-02 08:00:00\t0\t1\n";
    site.punch(row).await;
    site.punch("1001\t2026-03-02 17:00:00\t1\t1\n").await;
    site.delivered_all().await;
    let all = RetentionConfig { delivered: days(1), failed: None, events: days(1), ..RetentionConfig::default() };
    let later = gateway::clock::now() + TimeDelta::days(3);
    let removed = pass(site.gateway.store(), all, later).await.unwrap();
    assert_eq!((removed.deliveries, removed.events), (1, 1));
    site.punch(row).await;
    site.punch("1002\t2026-03-02 08:00:00\t0\t1\n").await;
    site.delivered_all().await;
    assert_eq!(receiver.seen().len(), 3);
    let text = site.request("GET", "/metrics").send().await.unwrap().text().await.unwrap();
    for (what, count) in [("deliveries", 1), ("attempts", 1), ("events", 1)] {
        assert!(text.contains(&format!("punch_removed_total{{what=\"{what}\"}} {count}")), "{text}");
    }
    // The cursor of whoever fetches events stays good.
    let (_, events) = site.get("/v1/events?after=1").await;
    assert_eq!(events["data"]["events"].as_array().unwrap().len(), 2);
}

#[test]
fn the_section_is_read_and_zero_is_for_ever() {
    let read = |text: &str| Config::parse(text).map(|config| config.retention);
    assert_eq!(
        read("").unwrap(),
        RetentionConfig { delivered: days(400), failed: None, events: None, ..RetentionConfig::default() }
    );
    let some = read("[retention]\ndelivered_days = 0\nfailed_days = 30\nevents_days = 2000\n").unwrap();
    assert_eq!(
        some,
        RetentionConfig { delivered: None, failed: days(30), events: days(2_000), ..RetentionConfig::default() }
    );
    for (line, key) in [("delivered_days = -1", "retention.delivered_days"), ("days = 3", "retention.days")] {
        let error = read(&format!("[retention]\n{line}\n")).unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is configured and however old it is: nothing that waits is removed, no event or body of it, and no row.
    #[test]
    fn never_an_undelivered_one(
        plan in prop::collection::vec(
            (0_i64..900, prop::collection::vec((prop::sample::select(vec!["waiting", "delivered", "failed"]), 0_i64..900), 0..3)),
            1..40,
        ),
        kept in (prop::option::of(0_i64..800), prop::option::of(0_i64..800), prop::option::of(0_i64..800)),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (store, mut connection) = store(&folder);
        let transaction = connection.transaction().unwrap();
        for (number, (age, deliveries)) in (1_i64..).zip(&plan) {
            event(&transaction, number, *age, deliveries);
        }
        transaction.commit().unwrap();
        let undelivered = "SELECT event || ' ' || id || ' ' || (SELECT nested IS NOT NULL FROM event WHERE seq = delivery.event)
                           FROM delivery WHERE state = 'waiting' ORDER BY id";
        let before = ask(&connection, undelivered);
        let failed = "SELECT CAST(id AS TEXT) FROM delivery WHERE state = 'failed' ORDER BY id";
        let failed_before = ask(&connection, failed);
        let config = RetentionConfig {
            delivered: kept.0.and_then(days),
            failed: kept.1.and_then(days),
            events: kept.2.and_then(days),
            ..RetentionConfig::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(pass(&store, config, now())).unwrap();
        prop_assert_eq!(ask(&connection, undelivered), before);
        if config.failed.is_none() {
            prop_assert_eq!(ask(&connection, failed), failed_before);
        }
        let rows = ask(&connection, "SELECT CAST(count(*) AS TEXT) FROM row");
        prop_assert_eq!(rows, [plan.len().to_string()]);
        // What is left is whole: no attempt without its delivery, no body without its event, no delivery without its body.
        for orphans in [
            "SELECT CAST(delivery AS TEXT) FROM attempt WHERE delivery NOT IN (SELECT id FROM delivery)",
            "SELECT CAST(event AS TEXT) FROM body WHERE event NOT IN (SELECT seq FROM event)",
            "SELECT CAST(event AS TEXT) FROM delivery WHERE event NOT IN (SELECT seq FROM event WHERE nested IS NOT NULL)",
        ] {
            prop_assert_eq!(ask(&connection, orphans), Vec::<String>::new());
        }
    }
}

#[tokio::test]
async fn a_removed_delivery_is_unknown_to_whoever_asks_for_it() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    site.punch("1001\t2026-03-02 08:00:00\t0\t1\n1002\t2026-03-02 08:00:00\t0\t1\n").await;
    site.delivered_all().await;
    let later = gateway::clock::now() + TimeDelta::days(401);
    assert_eq!(pass(site.gateway.store(), RetentionConfig::default(), later).await.unwrap().deliveries, 1);
    assert_eq!(site.get("/v1/deliveries/1").await.0, 404);
    assert_eq!(site.post("/v1/deliveries/1/resend", serde_json::json!({})).await.0, 404);
    let id: String = site.ask("SELECT id FROM event ORDER BY seq").await;
    assert_eq!(site.get(&format!("/v1/attendance/{id}")).await.1["data"]["deliveries"], serde_json::json!([]));
    assert_eq!(site.get("/v1/attendance").await.1["data"].as_array().unwrap().len(), 2);
}

/// Steps name badges, so commands go in their time too; what is on its way, and the newest of each number, stays.
#[tokio::test]
async fn commands_that_are_settled_go_after_their_time_with_their_steps() {
    let folder = tempfile::tempdir().unwrap();
    let (store, connection) = store(&folder);
    let ago = |days: i64| (now() - TimeDelta::days(days)).timestamp_millis();
    let job =
        "INSERT INTO job (id, kind, state, total, created_at, ended_at) VALUES (?1, 'commands', 'done', 1, 0, ?2)";
    for (id, ended) in [(1, 500), (2, 500), (3, 1)] {
        connection.execute(job, (id, ago(ended))).unwrap();
    }
    let commands = [
        (1, None, Some(500)),
        (2, Some(1), Some(500)),
        (3, Some(2), Some(500)),
        (4, Some(2), Some(3)),
        (5, None, None),
        (6, Some(3), Some(500)),
    ];
    for (id, job, settled) in commands {
        let sql = "INSERT INTO command (id, serial, kind, payload, state, job, total, created_at, ttl, expires_at, settled_at)
                   VALUES (?1, 'T1', 'sync_employees', '{}', 'done', ?2, 1, 0, 0, 0, ?3)";
        connection.execute(sql, (id, job, settled.map(ago))).unwrap();
        let sql = "INSERT INTO ticket (command, serial, badge, action, once, state, expires_at)
                   VALUES (?1, 'T1', 'B' || ?1, 'update', 0, 'done', 0)";
        connection.execute(sql, [id]).unwrap();
    }
    let removed = pass(&store, RetentionConfig::default(), now()).await.unwrap();
    assert_eq!(removed, Removed { commands: 3, ..Removed::default() });
    assert_eq!(ask(&connection, "SELECT badge FROM ticket ORDER BY id"), ["B4", "B5", "B6"]);
    assert_eq!(ask(&connection, "SELECT CAST(id AS TEXT) FROM command ORDER BY id"), ["4", "5", "6"]);
    assert_eq!(ask(&connection, "SELECT CAST(id AS TEXT) FROM job ORDER BY id"), ["2", "3"]);
}
