//! The store: what a commit returned for is there, in this life and the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use gateway::store::{Deliveries, DeviceRow, HeldRow, Place, Store, StoreError, Transaction, connect_file};
use punch_protocol::push::Admission;
use rusqlite::Connection;
use tokio::task::JoinSet;

use crate::harness::{API_KEY, Hold, Site};

#[test]
fn a_store_of_a_newer_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("punch.sqlite");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(&Place::File(path.clone())).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("punch.sqlite") && text.contains("newer") && text.contains("install"), "{text}");
    let connection = Connection::open(&path).unwrap();
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 0, "nothing was written into it");
}

/// A punch of the second layout keeps all it had; which way it went stays as it was told, which its columns do not say.
#[test]
fn punches_of_an_older_layout_are_carried_over() {
    let folder = tempfile::tempdir().unwrap();
    for layout in [1, 2] {
        let path = folder.path().join(format!("punch_{layout}.sqlite"));
        let old = Connection::open(&path).unwrap();
        old.execute_batch(include_str!("../../src/store/schema_1.sql")).unwrap();
        if layout == 2 {
            old.execute_batch(include_str!("../../src/store/schema_2.sql")).unwrap();
        }
        old.execute_batch(
            "INSERT INTO row (id, serial, fate, pin, device_local, status, punched_at, received_at, raw)
             VALUES ('evt_1', 'A1', 'delivered', X'31', '2026-03-02T08:00:00', 0, 1772438400, 1772438401000, X'00')",
        )
        .unwrap();
        old.pragma_update(None, "user_version", layout).unwrap();
        drop(old);
        Store::open(&Place::File(path.clone())).unwrap();
        // Opening once more changes nothing.
        Store::open(&Place::File(path.clone())).unwrap();
        let new = Connection::open(&path).unwrap();
        let version: i64 = new.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        let sql = "SELECT id, punched_at, direction, trusted, revision FROM row";
        let row: (String, i64, Option<String>, bool, u32) = new
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
            .unwrap();
        assert_eq!((version, row), (29, ("evt_1".to_owned(), 1_772_438_400, None, true, 0)), "layout {layout}");
    }
}

/// A file of the first layout is brought to the newest one with all it holds.
#[test]
fn an_older_layout_is_carried_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("punch.sqlite");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../../src/store/schema_1.sql")).unwrap();
    old.execute_batch(
        "PRAGMA user_version = 1;
         INSERT INTO device VALUES ('A1', 'approved', 1000, '9999', NULL), ('B2', 'blocked', 2000, NULL, '7');",
    )
    .unwrap();
    drop(old);
    Store::open(&Place::File(path.clone())).unwrap();
    let rows = DeviceRow::all(&connect_file(&path).unwrap()).unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            (row.serial.as_str(), row.admission, row.stamps.get("ATTLOG"), row.stamps.get("OPERLOG"), row.dialect)
        })
        .collect();
    let expected =
        [("A1", Admission::Approved, Some("9999"), None, None), ("B2", Admission::Blocked, None, Some("7"), None)];
    assert_eq!(told, expected);
}

/// What waits to be delivered, and what was put away, is found again under a layout that keeps them otherwise.
#[test]
fn deliveries_and_rows_put_away_of_an_older_layout_are_carried_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("punch.sqlite");
    let old = Connection::open(&path).unwrap();
    for sql in [
        include_str!("../../src/store/schema_1.sql"),
        include_str!("../../src/store/schema_2.sql"),
        include_str!("../../src/store/schema_3.sql"),
        include_str!("../../src/store/schema_4.sql"),
        include_str!("../../src/store/schema_5.sql"),
        include_str!("../../src/store/schema_6.sql"),
        include_str!("../../src/store/schema_9.sql"),
        include_str!("../../src/store/schema_12.sql"),
        include_str!("../../src/store/schema_13.sql"),
        include_str!("../../src/store/schema_14.sql"),
        include_str!("../../src/store/schema_15.sql"),
    ] {
        old.execute_batch(sql).unwrap();
    }
    old.execute_batch(
        "PRAGMA user_version = 15;
         INSERT INTO endpoint (id, url, secret, format, schedule, events, created_at)
         VALUES (4, 'https://example.com/', 'whsec_x', 'flat', 'seed-002', 'attendance.punch', 0);
         INSERT INTO event VALUES (6, 'evt_b', 'attendance.punch', 1, 1000), (9, 'evt_a', 'attendance.punch', 1, 2000);
         INSERT INTO body VALUES ('evt_a', 'nested', CAST('{\"n\":1}' AS BLOB)), ('evt_a', 'flat', CAST('{\"f\":1}' AS BLOB)),
                                 ('evt_b', 'nested', CAST('{\"n\":2}' AS BLOB));
         INSERT INTO delivery (id, endpoint, event_id, lane, created_at, state, attempts)
         VALUES (7, 4, 'evt_a', 1, 2000, 'waiting', 3), (8, 4, 'evt_b', 1, 1000, 'delivered', 1);
         INSERT INTO row (id, serial, fate, reason, problem, received_at, raw)
         VALUES ('row_1', 'A1', 'discarded', 'malformed', 'a test', 1000, X'00'),
                ('evt_a', 'A1', 'delivered', NULL, NULL, 1000, X'00');",
    )
    .unwrap();
    drop(old);
    Store::open(&Place::File(path.clone())).unwrap();
    let new = connect_file(&path).unwrap();
    let deliveries = Deliveries::default().page(&new, 10, 0).unwrap();
    let told: Vec<_> = deliveries.iter().map(|row| (row.id, row.event_id.as_str(), row.attempts)).collect();
    assert_eq!(told, [(8, "evt_b", 1), (7, "evt_a", 3)]);
    let bodies = deliveries.iter().map(|row| row.details(&new).unwrap().0.unwrap().to_string());
    assert_eq!(bodies.collect::<Vec<_>>(), [r#"{"n":2}"#, r#"{"f":1}"#]);
    for (id, delivery) in [("evt_a", Some(7)), ("evt_b", Some(8)), ("evt_c", None)] {
        let of_event = Deliveries { event_id: Some(id.to_owned()), ..Deliveries::default() };
        assert_eq!(of_event.page(&new, 10, 0).unwrap().first().map(|row| row.id), delivery, "{id}");
    }
    let row = HeldRow::of(&new, "row_1").unwrap().unwrap();
    assert_eq!((row.put_away.as_deref(), row.problem), (Some("a test"), None));
}

/// S2-017, design 5: keys and identities outlive the process, so nothing is doubled by a restart.
#[tokio::test]
async fn a_restart_keeps_the_keys_and_every_identity() {
    let site = Site::start(|config| config.api_key = None).await;
    let made = site.gateway.new_api_key.as_ref().unwrap().expose().to_owned();
    assert!(made.starts_with("pk_") && made.len() == 67);
    let rows = "1001\t2026-03-28 08:47:12\t0\t1\n1002\t2026-03-28 08:47:12\t255\t15\n";
    site.punch(rows).await;
    let ids = site.ask_all("SELECT id FROM event ORDER BY id").await;
    let site = site.restart(|config| config.api_key = None).await;
    assert!(site.gateway.new_api_key.is_none(), "made once");
    site.punch(rows).await;
    assert_eq!(site.ask_all("SELECT id FROM event ORDER BY id").await, ids);
    let with = async |key: &str| site.call(site.request("GET", "/v1/devices").bearer_auth(key)).await.0;
    assert_eq!((with(&made).await, with(API_KEY).await), (200, 401));
    // What is stored of the key is not the key.
    let bytes = std::fs::read(site.store_path()).unwrap();
    assert!(!bytes.windows(made.len()).any(|window| window == made.as_bytes()));
}

/// Two stores have two tenant keys: an id says nothing to whoever has no key.
#[tokio::test]
async fn two_stores_give_one_punch_two_identities() {
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..2 {
        let site = Site::start(|_| ()).await;
        site.punch("1001\t2026-03-28 08:47:12\t0\t1\n").await;
        ids.insert(site.ask::<String>("SELECT id FROM event").await);
    }
    assert_eq!(ids.len(), 2);
}

/// S2-016: 200 terminals at once; every `OK` stands for a row that another connection can read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_uploads_at_once_every_acknowledged_one_is_there() {
    let site = Site::start(|_| ()).await;
    let addr = site.gateway.device_addr;
    let mut uploads = JoinSet::new();
    for person in 0..200 {
        let row = format!("{}\t2026-03-28 08:47:12\t0\t1\n", 1001 + person);
        uploads.spawn(async move {
            let target = "/iclock/cdata?SN=T1&table=ATTLOG&Stamp=9999";
            crate::harness::post(addr, target, row.as_bytes()).await.body
        });
    }
    let answers = uploads.join_all().await;
    assert_eq!(answers, vec!["OK: 1"; 200]);
    let rows: i64 = site.ask("SELECT count(DISTINCT pin) FROM row WHERE fate = 'delivered'").await;
    assert_eq!(rows, 200);
}

/// A piece of work that fails takes nothing else of its group commit with it, and leaves nothing behind; neither does one
/// that has a commit of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_piece_of_work_spoils_no_other_of_its_group() {
    let site = Site::start(|_| ()).await;
    let mut jobs = JoinSet::new();
    for number in 0..300_i64 {
        let store = site.gateway.store().clone();
        jobs.spawn(async move {
            let work = move |tx: &mut Transaction<'_>| {
                tx.execute("INSERT INTO employee (badge) VALUES (?1)", &[&number.to_string()])?;
                match number % 3 {
                    0 => Err(StoreError::Stopped),
                    // A second row under the same badge breaks the key.
                    1 => Ok(tx.execute("INSERT INTO employee (badge) VALUES (?1)", &[&number.to_string()])?),
                    _ => Ok(1),
                }
            };
            let kept = if number % 7 == 0 { store.write_alone(work).await } else { store.write(work).await };
            (number, kept.is_ok())
        });
    }
    let outcomes = jobs.join_all().await;
    assert!(outcomes.iter().all(|(number, kept)| (number % 3 == 2) == *kept), "{outcomes:?}");
    let kept = site.ask_all("SELECT badge FROM employee ORDER BY CAST(badge AS INTEGER)").await;
    let expected: Vec<String> = (0..300).filter(|number| number % 3 == 2).map(|number| number.to_string()).collect();
    assert_eq!(kept, expected);
}

/// Work that may be done again is done in a group as if it were alone. When a part of the group fails all of it is done once
/// more, each part so that it can be undone.
#[tokio::test]
async fn of_work_that_is_done_again_only_the_last_time_counts() {
    let site = Site::start(|_| ()).await;
    let store = site.gateway.store().clone();
    let done = Arc::new(AtomicU32::new(0));
    let held = Hold::of(&store).await;
    let mut jobs = JoinSet::new();
    for number in 0..20_i64 {
        let (store, done) = (store.clone(), Arc::clone(&done));
        jobs.spawn(async move {
            let work = move |tx: &mut Transaction<'_>| {
                done.fetch_add(1, Ordering::Relaxed);
                tx.execute("INSERT INTO employee (badge) VALUES (?1)", &[&number.to_string()])?;
                // A second row under the same badge breaks the key.
                if number == 13 { tx.execute("INSERT INTO employee (badge) VALUES ('13')", &[]) } else { Ok(1) }
            };
            (number, store.write_repeatable(work).await.is_ok())
        });
    }
    // Each has its place in the queue by then.
    tokio::task::yield_now().await;
    held.release().await;
    let outcomes = jobs.join_all().await;
    assert!(outcomes.iter().all(|(number, kept)| (*number != 13) == *kept), "{outcomes:?}");
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM employee").await, 19);
    assert!((21..=40).contains(&done.load(Ordering::Relaxed)), "{done:?}");
}

/// The keys are in it, and who was where.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_on_the_machine_reads_a_new_store() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("punch.sqlite");
    let _store = Store::open(&Place::File(path)).unwrap();
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap());
    let modes: Vec<u32> = files.map(|file| file.permissions().mode() & 0o777).collect();
    assert!(modes.len() > 1 && modes.iter().all(|mode| *mode == 0o600), "{modes:?}");
}
