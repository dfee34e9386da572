//! The promise of the project, with the power cut at any moment: nothing lost, nothing doubled under another name.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use punch_normalize::{DeviceZone, TenantKey};
use punch_protocol::push::Terminal;
use punch_protocol::{RawPunch, SerialNumber};
use punch_webhook::Secret;
use rusqlite::Connection;
use simulator::receiver::{Receiver, Reply, Script};
use simulator::terminal::{Behaviour, Happening};
use simulator::world::{Crowd, Dice, quiet_addr};
use tokio::sync::mpsc;

use crate::command::{PATIENCE, Running, punch};

/// How often the gateway is killed; `PUNCH_KILL_RUNS` says otherwise, as for the 500 of a release.
const KILLS: u32 = 100;
const SERIAL: &str = "KILL1";

/// The file of a gateway over `store` that knows these terminals and delivers to a receiver.
pub(crate) fn write_config(
    folder: &Path,
    store: &str,
    serials: &[&str],
    receiver: SocketAddr,
    secret: &Secret,
) -> String {
    let file = folder.join("punch.toml");
    let devices: String =
        serials.iter().map(|serial| format!("[[device]]\nserial = \"{serial}\"\nwindow_seconds = 0\n")).collect();
    let text = format!(
        "store = \"{store}\"\n\
         [delivery]\nallow_http = true\nallow_private_targets = true\n\
         {devices}[[endpoint]]\nurl = \"http://{receiver}/webhook\"\nsecret = \"{}\"\n",
        secret.expose()
    );
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

pub(crate) fn start(config: &str, device_addr: SocketAddr) -> Running {
    let addr = device_addr.to_string();
    Running::start(punch().args(["gateway", "--config", config, "--device-addr", &addr, "--api-addr", "127.0.0.1:0"]))
}

/// Asks it to end, once it listens: before that a `SIGTERM` kills it.
pub(crate) fn end(mut gateway: Running) {
    while !gateway.line().starts_with("dashboard on") {}
    assert_eq!(gateway.terminate().code, Some(0));
}

pub(crate) fn kills() -> u32 {
    std::env::var("PUNCH_KILL_RUNS").map_or(KILLS, |text| text.parse().expect("PUNCH_KILL_RUNS is a number"))
}

/// People punch until `stop`; returns every punch that went into the terminal's memory.
pub(crate) async fn punches(serial: &str, stop: Arc<AtomicBool>, terminal: mpsc::Sender<Happening>) -> Vec<RawPunch> {
    punches_every(Duration::from_millis(8), 300, serial, stop, terminal).await
}

/// The same, so many people, one of them after each such time.
pub(crate) async fn punches_every(
    every: Duration,
    people: u32,
    serial: &str,
    stop: Arc<AtomicBool>,
    terminal: mpsc::Sender<Happening>,
) -> Vec<RawPunch> {
    let serial = SerialNumber::parse(serial).unwrap();
    let mut crowd = Crowd::new(serial, DeviceZone::Utc, people, 1);
    let mut all = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let punch = crowd.punch(::gateway::clock::now());
        all.push(punch.clone());
        terminal.send(Happening::Punch(Box::new(punch))).await.unwrap();
        tokio::time::sleep(every).await;
    }
    all
}

/// S0-010, S2-016, S2-017: `kill -9` at random instants while a terminal punches and a receiver listens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_number_of_kills_loses_a_punch_or_gives_one_a_second_identity() {
    let kills = kills();
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice::new(20_260_328);
    let secret = Secret::from_random([9; 32]);
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let script = Script { replies: Vec::new(), delay: Duration::from_millis(3) };
    let (receiver, mut arrivals) = Receiver::start(loopback, &secret, script).await.unwrap();
    let store = format!("sqlite:{}", folder.path().join("punch.sqlite").display());
    let config = write_config(folder.path(), &store, &[SERIAL], receiver.addr, &secret);
    let device_addr = quiet_addr();

    let (sender, happenings) = mpsc::channel(64);
    let mut behaviour = Behaviour::new(format!("http://{device_addr}"));
    (behaviour.error_delay, behaviour.patience) = (TimeDelta::milliseconds(15), PATIENCE);
    let terminal = Terminal::new(SerialNumber::parse(SERIAL).unwrap()).with_batch(20);
    let terminal = tokio::spawn(simulator::terminal::run(terminal, behaviour, happenings));
    let stop = Arc::new(AtomicBool::new(false));
    let people = tokio::spawn(punches(SERIAL, Arc::clone(&stop), sender));

    for _ in 0..kills {
        let gateway = start(&config, device_addr);
        tokio::time::sleep(Duration::from_millis(20 + dice.below(381))).await;
        gateway.kill();
    }
    stop.store(true, Ordering::Relaxed);
    let punched = people.await.unwrap();
    let gateway = start(&config, device_addr);
    let achieved = tokio::time::timeout(PATIENCE, terminal).await.expect("the terminal gets rid of its rows");
    let achieved = achieved.unwrap().unwrap();
    assert_eq!(achieved.acknowledged, u64::try_from(punched.len()).unwrap(), "{achieved:?}");

    let store = Connection::open(folder.path().join("punch.sqlite")).unwrap();
    let key: Vec<u8> =
        store.query_row("SELECT value FROM meta WHERE key = 'tenant_key'", [], |row| row.get(0)).unwrap();
    let key = TenantKey::new(key.try_into().unwrap());
    let expected: BTreeSet<String> = punched.iter().map(|punch| key.event_id(punch).to_string()).collect();
    assert_eq!(expected.len(), punched.len(), "every punch is one of its own");
    let all_arrived = async {
        while receiver.accepted().len() < expected.len() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, all_arrived).await.is_err() {
        let lost: Vec<_> = expected.iter().filter(|id| !receiver.accepted().contains_key(*id)).collect();
        panic!("{} acknowledged punches did not arrive: {lost:?}", lost.len());
    }
    end(gateway);

    // Exactly the punches, each under its one name, however often it was sent.
    let accepted = receiver.accepted();
    assert_eq!(accepted.keys().cloned().collect::<BTreeSet<_>>(), expected);
    check_store(&store, achieved.sent);
    while let Ok(arrival) = arrivals.try_recv() {
        assert_eq!((arrival.reply, arrival.problem), (Reply::Status(200), None), "every attempt was signed and whole");
    }
    let deliveries: u32 = accepted.values().sum();
    let repeated = accepted.values().filter(|times| **times > 1).count();
    eprintln!(
        "{kills} kills, {} punches, {} requests refused, {deliveries} deliveries, {repeated} events sent more than once",
        achieved.sent, achieved.refused
    );
    // The test means nothing if the kills hit nothing.
    assert!(achieved.refused > 0 && achieved.sent > u64::from(kills) * 10, "{achieved:?}");
}

/// The store is whole, and knows every punch once and as delivered.
fn check_store(store: &Connection, punches: u64) {
    let count = |sql: &str| store.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap().cast_unsigned();
    assert_eq!(count("SELECT count(*) FROM row WHERE fate = 'delivered'"), punches);
    assert_eq!(count("SELECT count(*) FROM row"), punches, "no row but the punches");
    assert_eq!(count("SELECT count(*) FROM delivery WHERE state = 'delivered'"), punches);
    let integrity: String = store.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
}
