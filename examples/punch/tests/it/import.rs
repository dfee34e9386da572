//! `punch import`: the files that other programs leave behind, and that what they say is what push and pull say.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::{Done, run};
use crate::site::{Site, exchange};

const SERIAL: &str = "OLD4500100";

/// Three punches of two people, one of them at the same moment as another, as each program writes them.
const ATTLOG: &str = "       7\t2026-03-28 08:00:00\t1\t0\t1\t0\n      12\t2026-03-28 08:00:00\t1\t0\t15\t0\n       7\t2026-03-28 17:01:02\t1\t1\t1\t0\n";
const PYZK: &str = r#"[
  {"user_id": "7", "timestamp": "2026-03-28T08:00:00", "status": 1, "punch": 0, "uid": 3},
  {"user_id": "12", "timestamp": "2026-03-28 08:00:00", "status": 15, "punch": 0, "uid": 4},
  {"user_id": "7", "timestamp": "2026-03-28 17:01:02.000000", "status": 1, "punch": 1, "uid": 3}
]"#;
const CSV: &str = "AC-No.;Name;Date;Time;State\n7;Ana;2026-03-28;08:00:00;C/In\n12;Zoe;2026-03-28;08:00:00;C/In\n7;Ana;2026-03-28;17:01:02;C/Out\n";
const LARAVEL: &str = "CREATE TABLE `attendances` (`id` bigint, `sn` varchar(255), `employee_id` int, `timestamp` datetime,\n\
    `status1` tinyint, `status2` tinyint, PRIMARY KEY (`id`));\n\
    INSERT INTO `attendances` VALUES (1,'OLD4500100',7,'2026-03-28 08:00:00',0,1),\n\
    (2,'OLD4500100',12,'2026-03-28 08:00:00',0,15),(3,'OLD4500100',7,'2026-03-28 17:01:02',1,1),\n\
    (4,'OTHER','7','2026-03-28 17:01:02',1,1);\n";

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

fn import(site: &Site, file: &Path, more: &[&str]) -> Done {
    let api = format!("http://{}", site.api);
    let fixed = ["import", file.to_str().unwrap(), "--gateway", &api, "--api-key", Site::KEY, "--json"];
    run(&[&fixed[..], more].concat(), b"")
}

fn summary(done: &Done) -> Value {
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:?}"))
}

fn counts(summary: &Value) -> [u64; 3] {
    ["received", "delivered", "replayed"].map(|name| summary[name].as_u64().unwrap())
}

/// S0-010 for those who come from another program: whatever file the punches come from, and however often, each is one.
#[test]
fn the_same_punches_have_the_same_ids_whichever_program_wrote_them_and_by_push() {
    let site = Site::start(&[(SERIAL, "UTC")]);
    let folder = site.folder.path();
    let first = import(&site, &write(folder, "1_attlog.dat", ATTLOG), &["--device", SERIAL]);
    assert_eq!((first.code, counts(&summary(&first))), (Some(0), [3, 3, 0]), "{first:?}");
    for (name, text) in [("dump.json", PYZK), ("windows.csv", CSV), ("old.sql", LARAVEL)] {
        let again = import(&site, &write(folder, name, text), &["--device", SERIAL]);
        assert_eq!((again.code, counts(&summary(&again))), (Some(0), [3, 0, 3]), "{name}: {again:?}");
    }
    let before = site.rows();
    let pushed = ATTLOG
        .replace("\t1\t0\t", "\t0\t")
        .replace("\t1\t1\t1", "\t1\t1")
        .replace(' ', "")
        .replace("2026-03-28", "2026-03-28 ");
    let target = format!("/iclock/cdata?SN={SERIAL}&table=ATTLOG&Stamp=1");
    let handshake = format!("/iclock/cdata?SN={SERIAL}&options=all");
    assert_eq!(exchange(site.device, "GET", &handshake, "", "").0, 200);
    let (status, said) = exchange(site.device, "POST", &target, "", &pushed);
    assert_eq!((status, said.starts_with("OK")), (200, true), "{said}");
    assert_eq!(site.rows(), before);
}

#[test]
fn a_dry_run_says_what_would_be_sent_and_sends_nothing() {
    let site = Site::start(&[(SERIAL, "UTC")]);
    let file = write(
        site.folder.path(),
        "old.sql",
        &LARAVEL.replace("(3,'OLD", "(3,'OLD4500100',7,'2026-03-28 08:00:00',255,1),(5,'OLD"),
    );
    let done = import(&site, &file, &["--dry-run"]);
    let told = summary(&done);
    assert_eq!(
        (done.code, &told["columns"]["pin"], &told["columns"]["state"]),
        (Some(0), &"employee_id".into(), &"status1".into())
    );
    let terminal = told["terminals"].as_array().unwrap().iter().find(|terminal| terminal["serial"] == SERIAL).unwrap();
    assert_eq!((terminal["rows"].as_u64(), terminal["people"].as_u64()), (Some(4), Some(2)), "{told}");
    assert_eq!((terminal["from"].as_str(), terminal["twice"].as_u64()), (Some("2026-03-28 08:00:00"), Some(0)));
    assert_eq!(terminal["states"], serde_json::json!({ "0": 2, "1": 1, "255": 1 }));
    assert!(site.rows().is_empty());
}

/// Rows that cannot be read cost no other, are named by their line, and can be corrected and imported again.
#[test]
fn rows_in_error_are_named_by_line_and_kept_to_be_corrected() {
    let site = Site::start(&[(SERIAL, "UTC")]);
    let wrong = "pin,time,state\n7,2026-03-28 08:00:00,0\n8,2026-02-30 08:00:00,0\n,2026-03-28 09:00:00,0\n9,2026-03-28 10:00:00,perhaps\n";
    let file = write(site.folder.path(), "wrong.csv", wrong);
    let done = import(&site, &file, &["--device", SERIAL]);
    let told = summary(&done);
    assert_eq!((done.code, counts(&told), told["rejected"].as_u64()), (Some(1), [1, 1, 0], Some(3)), "{done:?}");
    for line in ["line 3: time names a day", "line 4: has no PIN", "line 5: state is neither"] {
        assert!(done.stderr.contains(line), "{line}: {}", done.stderr);
    }
    assert!(!done.stderr.contains("perhaps") && !done.stderr.contains("2026-02-30"), "{}", done.stderr);
    let rejected = site.folder.path().join("wrong.csv.rejected");
    let kept = std::fs::read_to_string(&rejected).unwrap();
    assert_eq!(kept.lines().count(), 4, "the names of the columns, and the rows: {kept}");
    std::fs::write(&rejected, kept.replace("02-30", "03-30").replace("perhaps", "1").replace("\n,", "\n10,")).unwrap();
    let corrected = import(&site, &rejected, &["--device", SERIAL]);
    assert_eq!((corrected.code, counts(&summary(&corrected))), (Some(0), [3, 3, 0]), "{corrected:?}");
}

/// What a gateway has taken is not sent again; what it has not is.
#[test]
fn an_import_goes_on_where_it_was_interrupted() {
    let mut site = Site::start(&[(SERIAL, "UTC")]);
    let rows: String = (0..2500)
        .map(|second| {
            format!(
                "{}\t2026-03-{:02} 08:{:02}:{:02}\t1\t0\t1\t0\n",
                second % 40 + 1,
                second / 1000 + 1,
                second / 60 % 60,
                second % 60
            )
        })
        .collect();
    let file = write(site.folder.path(), "attlog.dat", &rows);
    let memory = site.folder.path().join("memory.sqlite");
    let resume = ["--device", SERIAL, "--resume", memory.to_str().unwrap()];
    site.stop();
    let interrupted = import(&site, &file, &resume);
    assert_eq!(interrupted.code, Some(3), "{interrupted:?}");
    site.begin();
    let done = import(&site, &file, &resume);
    assert_eq!((done.code, counts(&summary(&done))), (Some(0), [2500, 2500, 0]), "{done:?}");
    let again = import(&site, &file, &resume);
    assert_eq!((counts(&summary(&again)), summary(&again)["known"].as_u64()), ([0, 0, 0], Some(2500)), "{again:?}");
}

#[test]
fn what_a_file_does_not_say_is_asked_for_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text, more, expected) in [
        ("a.dat", ATTLOG, &[][..], "--device"),
        ("b.csv", "who,when\n7,x\n", &["--device", SERIAL][..], "--map pin=COLUMN"),
        ("c.sql", LARAVEL, &["--table", "punches"][..], "--table"),
        ("d.json", "{\"a\": [", &["--device", SERIAL][..], "--map"),
        ("e.csv", "", &["--device", SERIAL][..], "--map"),
    ] {
        let file = write(folder.path(), name, text);
        let done = run(&[&["import", file.to_str().unwrap(), "--dry-run"], more].concat(), b"");
        assert_eq!(done.code, Some(2), "{name}: {done:?}");
        assert!(done.stderr.contains(expected), "{name}: {}", done.stderr);
    }
}
