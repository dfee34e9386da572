//! What becomes of the rows: every one has a fate, none is lost, none is doubled, nothing biometric is kept.

use std::collections::BTreeSet;

use gateway::store::Value as Cell;
use punch_webhook::PayloadFormat;
use serde_json::{Value, json};

use crate::harness::{Recorder, Site, device, endpoint};

async fn quarantine(site: &Site) -> Vec<(String, String)> {
    let (status, held) = site.get("/v1/quarantine?per_page=200").await;
    assert_eq!(status, 200);
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    held["data"].as_array().unwrap().iter().map(|row| (text(row, "reason"), text(row, "raw"))).collect()
}

fn held(reason: &str, raw: &str) -> (String, String) {
    (reason.to_owned(), raw.to_owned())
}

/// Sample A14, S2-068, I9: the body is acknowledged by its lines, the junk is kept, the neighbours go out.
#[tokio::test]
async fn junk_between_good_rows_is_quarantined_with_its_bytes_and_costs_nothing_else() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    let body = "100\t2024-01-01 08:00:00\t0\t1\t0\njunk\n200\tbad-ts\t0\n300\t2024-01-01 09:00:00\t0\t1\t0\n";
    assert_eq!(site.upload("T1", "ATTLOG", body).await.body, "OK: 4");
    assert_eq!(quarantine(&site).await, [held("malformed", "200\tbad-ts\t0"), held("malformed", "junk")]);
    site.delivered_all().await;
    assert_eq!(receiver.badges(), ["100", "300"].map(str::to_owned).into());
    let problem: String = site.ask("SELECT problem FROM row WHERE length(raw) = 4").await;
    assert!(!problem.contains("junk") && !problem.is_empty(), "says what is wrong and repeats nothing: {problem}");
}

/// T16: firmware that counts seconds says UTC, and no zone is applied to that.
#[tokio::test]
async fn a_count_of_seconds_is_an_instant() {
    let zone = "America/Mexico_City".parse().unwrap();
    let site = Site::start(|config| config.devices.iter_mut().for_each(|device| device.profile.zone = zone)).await;
    site.punch("100\t1774687632\t0\t1\t0\n").await;
    let (at, local): (i64, String) =
        (site.ask("SELECT punched_at FROM row").await, site.ask("SELECT local_time FROM row").await);
    assert_eq!((at, local.as_str()), (1_774_687_632, "2026-03-28T02:47:12-06:00"));
}

/// Samples A32 (S2-069), A16, A20, A21 and a row from the future: held with its reason, and with its bytes.
#[tokio::test]
async fn rows_that_prove_nothing_are_held_with_their_reason() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    let rows = [
        ("12\t2000-01-01 00:03:11\t0\t1\t0\t0", "clock_reset"),
        ("12\t1970-01-01 00:00:00\t1\t1\t0\t0", "clock_reset"),
        ("\t2021-03-08 08:59:12\t255\t15\t0\t0\t0\t1\t36.4\t97.5", "anonymous"),
        ("1001\t2026-02-30 08:00:00\t0\t1\t0", "malformed"),
        ("1001\t2026-08-06 25:00:00\t0\t1\t0", "malformed"),
        ("1001\t2097-08-06 08:00:00\t0\t1\t0", "future"),
    ];
    let body: String = rows.iter().map(|(row, _)| format!("{row}\n")).collect();
    assert_eq!(site.upload("T1", "ATTLOG", body).await.body, "OK: 6");
    let expected: BTreeSet<_> = rows.iter().map(|(row, reason)| held(reason, row)).collect();
    assert_eq!(quarantine(&site).await.into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM event").await, 0);
    assert!(receiver.seen().is_empty());
}

/// S2-070: held, shown, released by registration, delivered once.
#[tokio::test]
async fn an_unregistered_badge_waits_in_quarantine_until_somebody_registers_it() {
    let receiver = Recorder::always(200).await;
    let site = Site::start(|config| {
        config.unknown_badges = gateway::config::UnknownBadges::Hold;
        config.endpoints.push(endpoint(&receiver.url(), PayloadFormat::Nested));
    })
    .await;
    let rows =
        "0042\t2026-03-28 08:47:12\t0\t1\t5\n42\t2026-03-28 08:47:12\t0\t1\t5\n0042\t2026-03-28 17:00:00\t1\t1\t5\n";
    site.punch(rows).await;
    assert_eq!(site.fates().await, ["held/unregistered_badge"; 3]);
    assert!(receiver.seen().is_empty());

    let (status, registered) = site.post("/v1/employees", json!({ "badge_number": "0042", "name": "Ada" })).await;
    assert_eq!((status, &registered["data"]["released_rows"]), (201, &json!(2)));
    site.delivered_all().await;
    let events: Vec<Value> = receiver.seen().iter().map(crate::harness::Seen::json).collect();
    assert_eq!(events.len(), 2);
    assert!(
        events.iter().all(|event| event["employee"]["badge_number"] == "0042" && event["employee"]["name"] == "Ada")
    );
    assert_eq!(events[0]["timestamp"], "2026-03-28T08:47:12Z", "in the order of the punches");
    assert_eq!(quarantine(&site).await, [held("unregistered_badge", "42\t2026-03-28 08:47:12\t0\t1\t5")]);

    // Registering once more, or the terminal repeating itself, doubles nothing.
    let (_, again) = site.post("/v1/employees", json!({ "badge_number": "0042" })).await;
    assert_eq!(again["data"]["released_rows"], 0);
    site.punch(rows).await;
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM event").await, 2);
}

/// I1, I7, S2-013: the same body again, whole or in part, changes not one row of the store. A long one is looked through
/// before it is entered.
#[tokio::test]
async fn a_repeated_upload_is_acknowledged_and_writes_nothing() {
    for others in [0, 120] {
        repeat_an_upload(others).await;
    }
}

async fn repeat_an_upload(others: usize) {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    let mut rows: String =
        (0..others).map(|other| format!("{}\t2026-03-28 08:00:00\t0\t1\t0\n", 2000 + other)).collect();
    rows += "1001\t2026-03-28 08:47:12\t0\t1\t0\njunk\n\t2026-03-28 08:47:12\t0\t1\n1001\t2026-03-28 08:47:30\t0\t1\t0\n\
                1002\t2000-01-01 00:00:00\t0\t1\n1003\t2026-03-28 08:47:12\t0\t1\t0\n";
    let operations = "OPLOG 4\t0\t2026-03-28 08:00:00\t1001\t0\t0\t0\nUSER PIN=1\tName=A\tPri=0\nOPLOG 4\t0\t2026-03-28 08:00:00\t1001\t0\t0\t0\n";
    let upload_all = async || {
        assert_eq!(site.upload("T1", "ATTLOG", &rows).await.body, format!("OK: {}", others + 6));
        assert_eq!(site.upload("T1", "OPERLOG", operations).await.body, "OK: 3");
    };
    let image = async || {
        let tables = ["row", "event", "body", "delivery", "device", "employee"];
        let read = site.gateway.store().read(move |connection| {
            let mut image = Vec::new();
            for table in tables {
                let sql = format!("SELECT * FROM {table} ORDER BY 1, 2");
                let cell = |value: Cell<'_>| match value {
                    Cell::Null => "-".to_owned(),
                    Cell::Integer(number) => number.to_string(),
                    Cell::Text(text) => text.to_owned(),
                    Cell::Bytes(bytes) => format!("{bytes:?}"),
                };
                image.extend(connection.all(&sql, &[], |row| {
                    let cells: Result<Vec<_>, _> = (0..row.columns()).map(|index| row.value(index).map(cell)).collect();
                    Ok(format!("{table} {:?}", cells?))
                })?);
            }
            Ok(image)
        });
        read.await.unwrap()
    };
    upload_all().await;
    site.delivered_all().await;
    let before = image().await;
    assert!(before.iter().filter(|line| line.starts_with("row")).count() == others + 7, "{before:#?}");
    for _ in 0..3 {
        upload_all().await;
    }
    for line in rows.lines().rev() {
        site.punch(&format!("{line}\n")).await;
    }
    assert_eq!(image().await, before);
    assert_eq!(receiver.seen().len(), others + 2);

    let new = "1001\t2026-03-28 17:01:44\t1\t1\t0\n";
    site.punch(&format!("{rows}{new}")).await;
    site.delivered_all().await;
    assert_eq!(receiver.seen().len(), others + 3);
}

/// D1 to D4 of the duplicate window, over HTTP: S2-061, S2-062, S2-063.
#[tokio::test]
async fn the_duplicate_window_counts_from_the_last_punch_kept_and_excludes_its_end() {
    let cases: [(&str, &[u32], &[u32]); 5] = [
        ("D1", &[0, 59], &[0]),
        ("D2", &[0, 60], &[0, 60]),
        ("D3", &[0, 50, 100], &[0, 100]),
        ("D4", &[0, 50, 100, 150, 200], &[0, 100, 200]),
        ("off", &[0, 1, 2], &[0, 1, 2]),
    ];
    for one_by_one in [false, true] {
        let site = Site::start(|config| {
            config.devices = cases.iter().map(|(serial, _, _)| device(serial)).collect();
            config.devices[4].profile.rules.bounce.window = chrono::TimeDelta::zero();
        })
        .await;
        for (serial, times, kept) in cases {
            let row = |second: &u32| format!("1001\t2026-03-28 08:{:02}:{:02}\t0\t1\n", second / 60, second % 60);
            let rows: Vec<String> = times.iter().map(row).collect();
            for body in if one_by_one { rows } else { vec![rows.concat()] } {
                assert!(site.upload(serial, "ATTLOG", body).await.body.starts_with("OK: "));
            }
            let read = site.gateway.store().read(move |connection| {
                let sql =
                    "SELECT punched_at % 3600 FROM row WHERE serial = ?1 AND fate = 'delivered' ORDER BY punched_at";
                connection.all(sql, &[&serial], |row| row.get::<u32>(0))
            });
            assert_eq!(read.await.unwrap(), kept, "{serial} one by one: {one_by_one}");
        }
        // A suppressed row is kept and names the punch that stands for it.
        let orphans: i64 = site
            .ask(
                "SELECT count(*) FROM row a WHERE a.fate = 'suppressed' AND NOT EXISTS
                  (SELECT 1 FROM row b WHERE b.id = a.duplicate_of AND b.fate = 'delivered')",
            )
            .await;
        assert_eq!(orphans, 0);
    }
}

/// I3 (hrms#621) and I4: another state, or another terminal, is another event.
#[tokio::test]
async fn two_states_in_one_second_and_one_pin_on_two_terminals_are_different_events() {
    let site = Site::start(|config| config.devices.push(device("T2"))).await;
    site.punch("1001\t2026-03-28 08:47:12\t0\t1\n1001\t2026-03-28 08:47:12\t1\t1\n").await;
    site.upload("T2", "ATTLOG", "1001\t2026-03-28 08:47:12\t0\t1\n").await;
    assert_eq!(site.fates().await, ["delivered"; 3]);
    assert_eq!(site.ask::<i64>("SELECT count(DISTINCT id) FROM event").await, 3);
}

/// Sent although never asked for: counted, acknowledged so that it is not sent for ever, and in no file.
#[tokio::test]
async fn users_and_templates_are_acknowledged_and_not_one_byte_of_them_is_on_disk() {
    let site = Site::start(|_| ()).await;
    let operations = "OPLOG 4\t0\t2026-03-28 08:00:00\t0\t0\t0\t0\n\
        USER PIN=77\tName=Canary Name\tPri=0\tPasswd=canarypw\tCard=[CANARYCD]\tGrp=1\tTZ=0\n\
        FP PIN=77\tFID=1\tSize=12\tValid=1\tTMP=CanaryFinger\n\
        FACE PIN=77\tFID=0\tSIZE=10\tVALID=1\tTMP=CanaryFace\n\
        USERPIC PIN=77\tFileName=77.jpg\tSize=9\tContent=CanaryPic\n\
        BIOPHOTO PIN=77\tFileName=77.jpg\tType=9\tSize=11\tContent=CanaryPhoto\n\
        FP\tCanaryBroken\n";
    let uploads = [
        ("OPERLOG", operations, "OK: 7"),
        ("USERINFO", "PIN=77\tName=Canary Name\tPasswd=canarypw\n", "OK: 1"),
        ("FINGERTMP", "PIN=77\tFID=1\tTMP=CanaryFinger\n", "OK: 1"),
        ("BIODATA", "BIODATA Pin=77\tNo=0\tType=9\tTmp=CanaryBio\n", "OK: 1"),
        ("IDCARD", "IDCARD PIN=77\tName=Canary Name\tIDNum=CanaryId\tPhoto=CanaryPhoto\n", "OK: 1"),
        ("ATTPHOTO", "PIN=20260328-77.jpg\nSN=T1\nsize=11\nCMD=uploadphoto\0CanaryPhoto", "OK"),
        ("options", "~DeviceName=CanaryOption,IPAddress=1", "OK"),
    ];
    for (table, body, ack) in uploads {
        let answer = site.upload("T1", table, body).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ack), "{table}");
    }
    assert_eq!(site.fates().await, ["recorded/OPERLOG"], "the operation alone");
    // The database and its log, while both are open: nothing has been tidied away.
    let mut read = 0;
    for file in std::fs::read_dir(site.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        read += bytes.len();
        for word in ["anary", "canarypw"] {
            let found = bytes.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()));
            assert!(!found, "`{word}` is on disk");
        }
    }
    assert!(read > 10_000 || !site.store_path().exists(), "the files were looked at");
}

/// Every row in exactly one of delivered, suppressed, held, recorded; a discarded or replayed one in none.
#[tokio::test]
async fn the_fates_of_an_upload_add_up_to_its_rows() {
    let site = Site::start(|_| ()).await;
    let counts = async || {
        let (_, status) = site.get("/status").await;
        let counts = &status["data"]["counts"];
        ["delivered_rows", "suppressed_rows", "held_rows", "recorded_rows"].map(|key| counts[key].as_u64().unwrap())
    };
    site.punch(
        "1001\t2026-03-28 08:00:00\t0\t1\n1001\t2026-03-28 08:00:30\t0\t1\n1002\t2026-03-28 08:00:00\t0\t1\njunk\n",
    )
    .await;
    assert_eq!(counts().await, [2, 1, 1, 0]);
    // One replayed, one new, one suppressed.
    site.punch("1002\t2026-03-28 08:00:00\t0\t1\n1003\t2026-03-28 08:00:00\t0\t1\n1003\t2026-03-28 08:00:59\t0\t1\n")
        .await;
    assert_eq!(counts().await, [3, 2, 1, 0]);
    // One recorded, two discarded.
    let operations = "OPLOG 4\t0\t2026-03-28 08:00:00\nUSER PIN=1\tName=A\nFP PIN=1\tFID=1\tTMP=QUJD\n";
    assert_eq!(site.upload("T1", "OPERLOG", operations).await.body, "OK: 3");
    assert_eq!(counts().await, [3, 2, 1, 1]);
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM event").await, 3);
    // Of an access terminal's records the error is recorded, the user discarded.
    let records = "errorlog errcode=D01E0001\terrmsg=\tdataorigin=cmd\tcmdid=123\tadditional=\nuser pin=4\tname=A\n";
    assert_eq!(site.upload("T1", "tabledata&tablename=errorlog&count=2", records).await.body, "errorlog=2");
    assert_eq!(counts().await, [3, 2, 1, 2]);
}

/// Samples A08 and A09: access events posted to the punch table.
#[tokio::test]
async fn access_events_in_the_punch_table_are_punches_when_they_let_somebody_pass() {
    let site = Site::start(|_| ()).await;
    let body = "time=2026-08-11 21:47:45\tpin=1\tcardno=1233447\teventaddr=1\tevent=0\tinoutstatus=0\tverifytype=4\tindex=353\n\
                time=2026-08-11 21:50:00\tpin=0\tcardno=0\teventaddr=1\tevent=27\tinoutstatus=0\tverifytype=4\tindex=354";
    assert_eq!(site.upload("T1", "ATTLOG", body).await.body, "OK: 2");
    assert_eq!(site.fates().await, ["recorded/ATTLOG", "delivered"]);
}
