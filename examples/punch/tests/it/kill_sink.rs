//! The same promise where the gateway writes into the ERP by itself: killed at any moment, each punch is there once.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use punch_protocol::SerialNumber;
use punch_protocol::push::Terminal;
use simulator::erp::{SharedErpNext, serve_erpnext};
use simulator::erpnext::{ErpNextConfig, ErpNextEmployee, ErpNextStandIn};
use simulator::terminal::Behaviour;
use simulator::world::Dice;
use tokio::sync::mpsc;

use crate::command::PATIENCE;
use crate::kill::{kills, listens, punches, quiet_port, start};

const SERIAL: &str = "KILL3";

/// S0-010 with a sink: `kill -9` at random instants, between a punch and its record, and between a record and its answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_number_of_kills_loses_or_doubles_a_record_of_the_erp() {
    // Each start asks the ERP for its people first, so there are fewer of them.
    let kills = kills().div_ceil(4);
    let mut config = ErpNextConfig::new("UTC", "key", "secret").unwrap();
    let one = |badge: u32| ErpNextEmployee::new(&format!("HR-EMP-{badge}"), "Ada", &badge.to_string());
    config.employees = (1001..1301).map(one).collect();
    let server: SharedErpNext = Arc::new(Mutex::new(ErpNextStandIn::new(config)));
    let addr = serve_erpnext(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::clone(&server)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("punch.toml");
    let text = format!(
        "store = \"sqlite:{}\"\n[[device]]\nserial = \"{SERIAL}\"\nwindow_seconds = 0\n[[sink]]\nname = \"hr\"\n\
         kind = \"erpnext\"\nurl = \"http://{addr}\"\nkey = \"key\"\nsecret = \"secret\"\nzone = \"UTC\"\n",
        folder.path().join("punch.sqlite").display()
    );
    std::fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    let mut dice = Dice::new(20_261_201);
    let device_addr = quiet_port(&mut Dice::new(u64::from(std::process::id()).wrapping_add(7)));
    let (sender, happenings) = mpsc::channel(64);
    let behaviour = Behaviour {
        server: format!("http://{device_addr}"),
        error_delay: TimeDelta::milliseconds(15),
        patience: PATIENCE,
        ca_file: None,
    };
    let terminal = Terminal::new(SerialNumber::parse(SERIAL).unwrap()).with_batch(20);
    let terminal = tokio::spawn(simulator::terminal::run(terminal, behaviour, happenings));
    let stop = Arc::new(AtomicBool::new(false));
    let people = tokio::spawn(punches(SERIAL, Arc::clone(&stop), sender));
    let mut written = BTreeSet::new();
    for _ in 0..kills {
        let gateway = start(&file, device_addr);
        tokio::time::sleep(Duration::from_millis(60 + dice.below(500))).await;
        gateway.kill();
        written.insert(server.lock().unwrap().checkins().len());
    }
    stop.store(true, Ordering::Relaxed);
    let punched = people.await.unwrap();
    let mut gateway = start(&file, device_addr);
    listens(&mut gateway);
    let achieved = tokio::time::timeout(PATIENCE, terminal).await.expect("the terminal gets rid of its rows");
    assert_eq!(achieved.unwrap().unwrap().acknowledged, u64::try_from(punched.len()).unwrap());
    let all_there = async {
        while server.lock().unwrap().checkins().len() < punched.len() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, all_there).await.is_ok();
    let wanted: BTreeSet<_> =
        punched.iter().map(|punch| (format!("HR-EMP-{}", punch.pin.to_text()), punch.time)).collect();
    let server = server.lock().unwrap();
    let stored: BTreeSet<_> = server.checkins().iter().map(|row| (row.employee.clone(), row.time)).collect();
    assert!(in_time, "{} of {} are there", stored.len(), wanted.len());
    assert_eq!(stored, wanted);
    assert_eq!(server.checkins().len(), wanted.len(), "one is there twice");
    drop(server);
    assert_eq!(gateway.terminate().code, Some(0));
    // The test means nothing if the kills hit nothing.
    assert!(written.len() > 3, "records were made between kills: {written:?}");
}
