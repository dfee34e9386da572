//! Who waits for the writer: what happens now before the next turn of a long upload.

use std::sync::mpsc::channel;

use gateway::core::Received;
use gateway::store::{Connection, StoreError, Transaction, Writer};
use punch_protocol::SerialNumber;

use crate::harness::{Hold, PATIENCE, Recorder, Site, eventually};

fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.batch("CREATE TABLE done (number INTEGER PRIMARY KEY, what TEXT NOT NULL)")
}

fn note(what: &'static str) -> impl FnOnce(&mut Transaction<'_>) -> Result<(), StoreError> + Send {
    move |tx| tx.execute("INSERT INTO done (what) VALUES (?1)", &[&what]).map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_now_comes_before_the_next_turn_of_a_long_upload() {
    let folder = tempfile::tempdir().unwrap();
    let writer = Writer::over_file(&folder.path().join("turns.sqlite"), prepare).unwrap();
    let (go, gate) = channel::<()>();
    let (begun, begins) = channel();
    let first = writer.clone();
    let first = tokio::spawn(async move {
        let work = move |tx: &mut Transaction<'_>| {
            begun.send(()).unwrap();
            gate.recv().unwrap();
            note("first turn")(tx)
        };
        first.run_alone(work).await
    });
    tokio::task::spawn_blocking(move || begins.recv_timeout(PATIENCE)).await.unwrap().unwrap();
    assert!(!writer.is_waited_for(), "what wants a commit of its own is asked by nobody to give way");
    let mut others = Vec::new();
    for what in ["second turn", "third turn"] {
        let writer = writer.clone();
        others.push(tokio::spawn(async move { writer.run_alone(note(what)).await }));
        tokio::task::yield_now().await;
    }
    let live = writer.clone();
    others.push(tokio::spawn(async move { live.run(note("punch")).await }));
    eventually("the punch waits", async || writer.is_waited_for().then_some(())).await;
    go.send(()).unwrap();
    first.await.unwrap().unwrap();
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert!(!writer.is_waited_for());
    let (sender, order) = channel();
    let look = move |tx: &mut Transaction<'_>| {
        let order = tx.all("SELECT what FROM done ORDER BY number", &[], |row| row.get::<String>(0))?;
        sender.send(order).map_err(|_| StoreError::Stopped)
    };
    writer.run(look).await.unwrap();
    let order = order.recv().unwrap();
    let place = |what: &str| order.iter().position(|done| done == what).unwrap();
    assert_eq!(place("first turn"), 0, "{order:?}");
    let last = place("second turn").max(place("third turn"));
    assert!(place("punch") < last, "it waits for the turns that had begun, not for all of them: {order:?}");
}

/// A request that takes too long is given up while what it brought waits for the writer. It is on disk a moment later, and
/// is delivered like the rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_on_disk_is_delivered_though_nobody_waits_for_the_answer() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    let held = Hold::of(site.gateway.store()).await;
    let (devices, serial) = (site.gateway.devices.clone(), SerialNumber::parse("T1").unwrap());
    let received_at = "2026-03-28T07:00:00Z".parse().unwrap();
    let row = br#"{"pin":"1001","time":"2026-03-28T08:00:00"}"#;
    let received = Received::forwarded(serial, row, false, received_at).unwrap();
    let request = tokio::spawn(async move { devices.take(received).await });
    let store = site.gateway.store().clone();
    eventually("it waits for the writer", async || store.is_waited_for().then_some(())).await;
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    held.release().await;
    eventually("the punch is delivered", async || (receiver.seen().len() == 1).then_some(())).await;
    assert_eq!(site.fates().await, ["delivered"]);
    assert!(receiver.badges().contains("1001"));
}

/// S2-082: all of a long upload is there, its resume mark too, while others punch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_upload_and_live_punches_are_all_there() {
    let site = Site::start(|_| ()).await;
    let row = |row: u32| {
        let (person, day, minute) = (2000 + row % 500, 1 + row / 500, row % 60);
        format!("{person}\t2026-03-{day:02} 06:{minute:02}:00\t0\t1\n")
    };
    let long: String = (0..3000).map(row).collect();
    let mut answered = 0;
    {
        let mut upload = core::pin::pin!(site.punch(&long));
        loop {
            let punch = format!("{}\t2026-03-28 08:00:00\t0\t1\n", 5000 + answered);
            tokio::select! {
                () = &mut upload => break,
                () = site.punch(&punch) => answered += 1,
            }
        }
    }
    // 2026-03-28 is the day of the others.
    let long: i64 = site.ask("SELECT count(*) FROM row WHERE fate = 'delivered' AND punched_at < 1774656000").await;
    assert_eq!(long, 3000);
    let others: i64 = site.ask("SELECT count(*) FROM row WHERE fate = 'delivered' AND punched_at >= 1774656000").await;
    assert!(others >= answered, "{others} of {answered}");
    assert_eq!(site.ask::<String>("SELECT value FROM stamp WHERE serial = 'T1'").await, "9999");
}
