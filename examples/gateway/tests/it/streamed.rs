//! Bodies that are read as they come, and the events that access terminals kept while nobody listened.

use chrono::{DateTime, Utc};
use gateway::core::{Received, ReceivedRow};
use punch_protocol::push::{Limits, Parts, Request, RowStream};

use crate::harness::{Site, post};

fn received_at() -> DateTime<Utc> {
    "2026-03-28T10:00:00Z".parse().unwrap()
}

/// 12 MiB of templates between two operations: more than is ever read whole, acknowledged, and none of it kept.
#[tokio::test]
async fn a_long_body_of_templates_is_taken_and_not_kept() {
    let site = Site::start(|_| ()).await;
    assert!(12 << 20 > Limits::default().body);
    let template = "QUNBTkFSWUNBTkFSWQ".repeat(58_000);
    let row =
        format!("BIODATA Pin=7\tNo=0\tIndex=0\tValid=1\tDuress=0\tType=9\tMajorVer=39\tMinorVer=3\tTmp={template}\n");
    let operation = "OPLOG 4\t0\t2026-03-28 08:00:00\t0\n";
    let body = format!("{operation}{}{operation}", row.repeat(12));
    let answer = post(site.gateway.device_addr, "/iclock/cdata?SN=T1&table=OPERLOG&OpStamp=77", body.as_bytes()).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "OK: 14"));
    assert_eq!(site.fates().await, ["recorded/OPERLOG"]);
    assert_eq!(site.ask::<String>("SELECT value FROM stamp WHERE serial = 'T1' AND name = 'OPERLOG'").await, "77");
    for entry in std::fs::read_dir(site.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(12).any(|window| window == b"QUNBTkFSWUNB"));
    }
}

/// A body beyond what terminals are told to post is made durable in slices; the mark moves with the last one, and no
/// slice counts as live.
#[test]
fn a_very_long_upload_is_cut_into_slices() {
    let parts = Parts::new("POST", "/iclock/cdata", "SN=T1&table=ATTLOG&Stamp=99", b"");
    let (serial, head) = Request::streamed(parts, &Limits::default()).unwrap().unwrap();
    let mut received = Received::new(serial, &head, received_at());
    let mut stream = RowStream::new(&head);
    let mut slices = Vec::new();
    let rows = 2 * Received::SLICE + 2;
    for row in 0..rows {
        let line = format!("{row}\t2026-03-28 08:47:12\t0\t1\n");
        stream.feed(line.as_bytes(), &mut |seen| received.see(&seen)).unwrap();
        slices.extend(received.slice());
    }
    assert_eq!(usize::try_from(stream.finish(&mut |seen| received.see(&seen)).unwrap().lines).unwrap(), rows);
    slices.push(received);
    assert_eq!(slices.iter().map(|slice| slice.rows.len()).collect::<Vec<_>>(), [Received::SLICE, Received::SLICE, 2]);
    assert_eq!(slices.iter().map(|slice| slice.stamp.as_deref()).collect::<Vec<_>>(), [None, None, Some("99")]);
    assert!(slices.iter().all(|slice| !slice.whole && slice.table == "ATTLOG"));
    let mut pins = slices.iter().flat_map(|slice| &slice.rows).map(|row| {
        let ReceivedRow::Punch { punch, .. } = row else { panic!("{row:?}") };
        punch.pin.to_text().parse::<usize>().unwrap()
    });
    assert!((0..rows).all(|row| pins.next() == Some(row)) && pins.next().is_none());
}

/// Design 5: an event has one identity, told live, stored and uploaded later, or asked for. S0-005.
#[tokio::test]
async fn a_stored_event_is_the_live_event() {
    let site = Site::start(|_| ()).await;
    let addr = site.gateway.device_addr;
    // 548003688 is 2017-01-19 15:14:48, 548003690 two seconds later.
    let live =
        "time=2017-01-19 15:14:48\tpin=7\tcardno=0\teventaddr=1\tevent=3\tinoutstatus=0\tverifytype=15\tindex=1\n";
    assert_eq!(site.upload("T1", "rtlog", live).await.body, "OK");
    let stored = "transaction cardno=0\tpin=7\tverified=15\tdoorid=1\teventtype=3\tinoutstate=0\ttime_second=548003688\n\
                  transaction cardno=0\tpin=8\tverified=15\tdoorid=1\teventtype=0\tinoutstate=1\ttime_second=548003690\n\
                  transaction cardno=0\tpin=0\tverified=200\tdoorid=1\teventtype=100\tinoutstate=2\ttime_second=548003688\n";
    let upload = "/iclock/cdata?SN=T1&table=tabledata&tablename=transaction&count=3";
    assert_eq!(post(addr, upload, stored.as_bytes()).await.body, "transaction=3");
    let query = "/iclock/querydata?SN=T1&type=tabledata&cmdid=4&tablename=transaction&count=3&packcnt=1&packidx=1";
    assert_eq!(post(addr, query, stored.as_bytes()).await.body, "transaction=3");
    let mut fates = site.fates().await;
    fates.sort_unstable();
    // The tamper alarm is kept under each of the two ways it came, the punches once.
    assert_eq!(fates, ["delivered", "delivered", "recorded/tabledata", "recorded/transaction"]);
    let states = site.ask_all("SELECT CAST(status AS TEXT) FROM row WHERE fate = 'delivered' ORDER BY pin").await;
    assert_eq!(states, ["0", "1"]);
}

/// A packed answer cannot be read: it stays on the terminal, and so does a page of a stranger.
#[tokio::test]
async fn what_cannot_be_read_is_not_acknowledged() {
    let site = Site::start(|_| ()).await;
    let query = "/iclock/querydata?SN=T1&type=tabledata&cmdid=4&tablename=user&count=3&packcnt=1&packidx=1&datafmt=3";
    let packed = b"name=user.tgz\nsize=3\ndatacode=base64\ndatatype=tgz\0QUJD";
    assert_eq!(post(site.gateway.device_addr, query, packed).await.status, 503);
    let stranger = query.replace("SN=T1", "SN=NOBODY").replace("&datafmt=3", "");
    assert_eq!(post(site.gateway.device_addr, &stranger, b"user pin=1\n").await.status, 503);
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row").await, 0);
}

/// Results are kept by what they are about; what a shell printed may be anything and is not.
#[tokio::test]
async fn the_output_of_a_command_is_not_kept() {
    let site = Site::start(|_| ()).await;
    let body = b"ID=70\nReturn=0\nCMD=Shell\nContent=root:canary:0:0\n";
    assert_eq!(post(site.gateway.device_addr, "/iclock/devicecmd?SN=T1", body).await.body, "OK");
    assert_eq!(site.raw("SELECT raw FROM row").await, ["ID=70&Return=0&CMD=Shell"]);
}

/// Design 7: a door that tells its state every few seconds fills no disk.
#[tokio::test]
async fn the_state_of_a_door_is_not_kept() {
    let site = Site::start(|_| ()).await;
    for second in 0..5 {
        let state = format!("time=2017-01-10 15:42:4{second}\tsensor=01\trelay=00\talarm=0000000000000000\tdoor=01");
        assert_eq!(site.upload("T1", "rtstate", state).await.body, "OK");
    }
    assert_eq!(site.upload("T1", "rtlog", "").await.body, "OK");
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row").await, 0);
}
