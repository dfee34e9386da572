//! The spool: what it said to have, it has, whenever the program ends.

use std::path::Path;

use agent::{Counts, Put, Spool, SpoolError, SpoolLimits};
use proptest::prelude::*;
use punch_protocol::{Pin, RawPunch, Status, Verify};

use crate::harness::{at, day, punch, serial};

fn open(path: &Path) -> Spool {
    Spool::open(path, SpoolLimits::default()).unwrap()
}

/// The files of a spool as they are while it is open: what is left after a `kill -9`.
fn crash(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

async fn counts(spool: &Spool, terminal: &str) -> (u64, u64) {
    let counts = spool.counts().await.unwrap();
    let Counts { waiting, forwarded } = counts.get(&serial(terminal)).copied().unwrap_or_default();
    (waiting, forwarded)
}

#[tokio::test]
async fn what_was_put_settled_and_marked_is_there_after_a_crash() {
    let (folder, wreck) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let spool = open(&folder.path().join("spool.sqlite"));
    let rows = day("T1", 30);
    assert_eq!(spool.put(rows.clone()).await.unwrap(), Put { new: 30, known: 0 });
    let batch = spool.batch(&serial("T1"), 10).await.unwrap();
    spool.settle(&batch).await.unwrap();
    spool.set_mark(&serial("T1"), at("2026-03-28 06:00:29")).await.unwrap();
    // A batch that is on its way, and never settled.
    assert_eq!(spool.batch(&serial("T1"), 5).await.unwrap().rows, rows[10..15]);

    crash(folder.path(), wreck.path());
    let spool = open(&wreck.path().join("spool.sqlite"));
    assert_eq!(counts(&spool, "T1").await, (20, 10));
    assert_eq!(spool.mark(&serial("T1")).await.unwrap(), Some(at("2026-03-28 06:00:29")));
    assert_eq!(spool.batch(&serial("T1"), 100).await.unwrap().rows, rows[10..]);
    // Read again from the start, nothing is put again: neither what waits nor what has gone.
    assert_eq!(spool.put(rows).await.unwrap(), Put { new: 0, known: 30 });
    assert_eq!(counts(&spool, "T1").await, (20, 10));
}

#[tokio::test]
async fn a_row_is_known_by_terminal_pin_time_and_state() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder.path().join("spool.sqlite"));
    let time = at("2026-03-28 08:00:00");
    let first = punch("T1", b"7", time, Some(0));
    let mut other_way = first.clone();
    (other_way.verify, other_way.work_code) = (Some(Verify(15)), Some("9".to_owned()));
    let cases = [
        (first, true),
        (other_way, false),
        (punch("T1", b"007", time, Some(0)), true),
        (punch("T1", b"7", time, Some(1)), true),
        (punch("T1", b"7", time, None), true),
        (punch("T1", b"7", time, Some(255)), false),
        (punch("T1", b"7", at("2026-03-28 08:00:01"), Some(0)), true),
        (punch("T2", b"7", time, Some(0)), true),
    ];
    for (row, new) in cases {
        assert_eq!(spool.put(vec![row.clone()]).await.unwrap().new, u64::from(new), "{row:?}");
    }
    assert_eq!((counts(&spool, "T1").await, counts(&spool, "T2").await), ((5, 0), (1, 0)));
    // Twice in one call is once.
    let row = punch("T3", b"7", time, Some(0));
    assert_eq!(spool.put(vec![row.clone(), row]).await.unwrap(), Put { new: 1, known: 1 });
    assert_eq!(spool.put(Vec::<RawPunch>::new()).await.unwrap(), Put::default());
}

#[tokio::test]
async fn batches_come_in_the_order_of_putting_and_settle_once() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder.path().join("spool.sqlite"));
    let rows = day("T1", 25);
    // A terminal's order is not always that of time.
    let (late, early) = rows.split_at(10);
    spool.put([early, late].concat()).await.unwrap();
    let batch = spool.batch(&serial("T1"), 10).await.unwrap();
    assert_eq!(batch.rows, early[..10]);
    // What comes while a batch is on its way is no part of it.
    let late = punch("T1", b"late", at("2020-01-01 00:00:00"), None);
    spool.put([late.clone()]).await.unwrap();
    spool.put(day("T2", 3)).await.unwrap();
    for _ in 0..2 {
        spool.settle(&batch).await.unwrap();
        assert_eq!((counts(&spool, "T1").await, counts(&spool, "T2").await), ((16, 10), (3, 0)));
    }
    let rest = spool.batch(&serial("T1"), 100).await.unwrap();
    assert_eq!((rest.rows.len(), &rest.rows[15]), (16, &late.into()));
    spool.settle(&rest).await.unwrap();
    let none = spool.batch(&serial("T1"), 100).await.unwrap();
    assert!(none.rows.is_empty());
    spool.settle(&none).await.unwrap();
    assert_eq!((counts(&spool, "T1").await, counts(&spool, "NOBODY").await), ((0, 26), (0, 0)));
}

#[tokio::test]
async fn as_many_rows_wait_as_the_limit_says_and_none_is_thrown_away() {
    let folder = tempfile::tempdir().unwrap();
    let limits = SpoolLimits { waiting: 10, ..SpoolLimits::default() };
    let spool = Spool::open(&folder.path().join("spool.sqlite"), limits).unwrap();
    spool.put(day("T1", 6)).await.unwrap();
    let full = spool.put(day("T2", 5)).await.unwrap_err();
    assert!(matches!(full, SpoolError::Full { waiting: 6, limit: 10 }), "{full}");
    assert_eq!(counts(&spool, "T2").await, (0, 0), "all or none");
    spool.put(day("T2", 4)).await.unwrap();
    assert!(matches!(spool.put(day("T3", 1)).await.unwrap_err(), SpoolError::Full { waiting: 10, limit: 10 }));
    spool.settle(&spool.batch(&serial("T1"), 1).await.unwrap()).await.unwrap();
    spool.put(day("T3", 1)).await.unwrap();
    assert_eq!((counts(&spool, "T1").await, counts(&spool, "T3").await), ((5, 1), (1, 0)));
}

#[tokio::test]
async fn the_oldest_forwarded_rows_are_forgotten_beyond_the_limit_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let limits = SpoolLimits { remembered: 10, ..SpoolLimits::default() };
    let spool = Spool::open(&folder.path().join("spool.sqlite"), limits).unwrap();
    let rows = day("T1", 16);
    spool.put(rows.clone()).await.unwrap();
    spool.put(day("T2", 16)).await.unwrap();
    spool.settle(&spool.batch(&serial("T1"), 10).await.unwrap()).await.unwrap();
    assert_eq!(counts(&spool, "T1").await, (6, 10), "the limit itself is kept");
    assert_eq!(spool.put(rows.clone()).await.unwrap().new, 0);
    spool.settle(&spool.batch(&serial("T1"), 2).await.unwrap()).await.unwrap();
    assert_eq!((counts(&spool, "T1").await, counts(&spool, "T2").await), ((4, 10), (16, 0)));
    // The first two are forgotten, so they would go again; the gateway knows them.
    assert_eq!(spool.put(rows.clone()).await.unwrap(), Put { new: 2, known: 14 });
    let waiting = spool.batch(&serial("T1"), 100).await.unwrap().rows;
    assert_eq!(waiting, [&rows[12..], &rows[..2]].concat());
}

#[tokio::test]
async fn a_mark_is_kept_for_each_terminal_and_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder.path().join("spool.sqlite"));
    assert_eq!(spool.mark(&serial("T1")).await.unwrap(), None);
    spool.put(day("T1", 1)).await.unwrap();
    assert_eq!(spool.mark(&serial("T1")).await.unwrap(), None, "rows make no mark");
    for time in ["2026-03-28 08:00:00", "2000-01-01 00:00:00", "2133-12-31 23:59:59"] {
        spool.set_mark(&serial("T1"), at(time)).await.unwrap();
        assert_eq!(spool.mark(&serial("T1")).await.unwrap(), Some(at(time)));
    }
    assert_eq!(spool.mark(&serial("T2")).await.unwrap(), None);
    assert_eq!(counts(&spool, "T1").await, (1, 0));
}

#[tokio::test]
async fn a_file_of_a_newer_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool.sqlite");
    drop(open(&path));
    let connection = gateway::store::connect_file(&path).unwrap();
    let synchronous: i64 = connection.value("PRAGMA synchronous", &[]).unwrap();
    let journal: String = connection.value("PRAGMA journal_mode", &[]).unwrap();
    assert_eq!((synchronous, journal.as_str()), (2, "wal"), "FULL: what a commit returns for is on disk");
    connection.batch("PRAGMA user_version = 9").unwrap();
    let error = Spool::open(&path, SpoolLimits::default()).unwrap_err();
    assert!(matches!(error, SpoolError::Newer { found: 9, .. }), "{error}");
    assert!(error.to_string().contains("install the newer version"), "{error}");
    let version: i64 = connection.value("PRAGMA user_version", &[]).unwrap();
    assert_eq!(version, 9);
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_its_owners_alone_and_one_that_is_there_stays_as_it_was() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let permissions = || {
        let files = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap);
        files.map(|file| file.metadata().unwrap().permissions().mode() & 0o777).collect::<Vec<_>>()
    };
    let path = folder.path().join("spool.sqlite");
    let spool = open(&path);
    spool.put(day("T1", 3)).await.unwrap();
    let found = permissions();
    assert!(found.len() > 1, "the file, and those of SQLite beside it");
    assert!(found.iter().all(|mode| *mode == 0o600), "{found:?}");
    drop(spool);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    drop(open(&path));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
}

fn rows() -> impl Strategy<Value = Vec<RawPunch>> {
    let row = (
        proptest::collection::vec(any::<u8>(), 0..24),
        946_684_800_i64..5_175_000_000,
        any::<Option<u16>>(),
        any::<Option<u16>>(),
        proptest::option::of("[0-9a-z]{1,8}"),
    );
    let row = row.prop_map(|(pin, second, state, verify, work_code)| {
        let time = chrono::DateTime::from_timestamp(second, 0).unwrap().naive_utc();
        let mut row = RawPunch::new(serial("T1"), Pin::new(&pin).into_owned(), time);
        (row.status, row.verify, row.work_code) = (state.map(Status), verify.map(Verify), work_code);
        row
    });
    proptest::collection::vec(row, 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Any row comes out as it went in.
    #[test]
    fn a_row_comes_out_as_it_went_in(rows in rows()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let spool = open(&folder.path().join("spool.sqlite"));
        let batch = runtime.block_on(async {
            spool.put(rows.clone()).await.unwrap();
            spool.batch(&serial("T1"), 100).await.unwrap()
        });
        prop_assert_eq!(batch.rows, rows);
    }
}
