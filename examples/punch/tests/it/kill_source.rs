//! The same promise for what an access system tells: killed between a push and its answer, each passage is there once.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{SubsecRound as _, TimeDelta};
use simulator::erp::{push_hikcentral, serve_hikcentral};
use simulator::hikcentral::{DoorEvent, HikCentralConfig, HikCentralStandIn, HikPerson};
use simulator::world::{Dice, quiet_addr};

use crate::command::PATIENCE;
use crate::kill::{end, kills, start};

/// A gateway that reads a HikCentral at `addr` and is pushed to.
fn config_of(store: &Path, addr: SocketAddr, device_addr: SocketAddr) -> String {
    let begin = ::gateway::clock::now() - TimeDelta::hours(1);
    format!(
        "store = \"sqlite:{}\"\n[defaults]\nwindow_seconds = 0\n[[source]]\nname = \"hik\"\nkind = \"hikcentral\"\n\
         url = \"http://{addr}\"\napp_key = \"24680135\"\napp_secret = \"secret\"\ntoken = \"t0k\"\n\
         receive_at = \"http://{device_addr}\"\nbegin = \"{}\"\ndoors = {{ 7 = \"in\", 8 = \"out\" }}\n",
        store.display(),
        begin.to_rfc3339()
    )
}

/// Door, person and time of what is delivered.
fn stored(store: &Path) -> Vec<(String, String, String)> {
    let store = rusqlite::Connection::open(store).unwrap();
    let sql = "SELECT serial, CAST(pin AS TEXT), device_local FROM row WHERE fate = 'delivered'";
    let mut query = store.prepare(sql).unwrap();
    query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().map(Result::unwrap).collect()
}

/// S3-001, S3-002: `kill -9` at random instants while a HikCentral pushes; what was not answered is not pushed again, and is
/// read after the next start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_number_of_kills_loses_or_doubles_a_passage() {
    let mut config = HikCentralConfig::new("24680135", "secret");
    config.people = (1..=300).map(|id| HikPerson::new(&id.to_string(), &format!("{}", 1000 + id), "")).collect();
    // A listed event has another id than it was pushed with.
    config.ids_differ = true;
    let hik = Arc::new(Mutex::new(HikCentralStandIn::new(config)));
    let addr = serve_hikcentral(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::clone(&hik)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let device_addr = quiet_addr();
    let (file, store) = (folder.path().join("punch.toml"), folder.path().join("punch.sqlite"));
    std::fs::write(&file, config_of(&store, addr, device_addr)).unwrap();
    let file = file.display().to_string();
    let mut dice = Dice::new(20_261_202);
    let (mut happened, mut answers) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..kills().div_ceil(5) {
        let gateway = start(&file, device_addr);
        let until = tokio::time::Instant::now() + Duration::from_millis(60 + dice.below(400));
        // The process is killed while a push is on its way.
        let killing = tokio::task::spawn_blocking(move || {
            std::thread::sleep(until.saturating_duration_since(tokio::time::Instant::now()));
            gateway.kill();
        });
        while !killing.is_finished() {
            let number = happened.len();
            let (person, door) = (number % 300 + 1, if number / 300 % 2 == 0 { "7" } else { "8" });
            // Three hundred people, and four milliseconds between two: nobody passes twice in a second.
            let at = ::gateway::clock::now().trunc_subsecs(0);
            let event = DoorEvent::face(&format!("e{number}"), at.fixed_offset(), &person.to_string(), door);
            happened.insert((format!("hik-{door}"), (1000 + person).to_string(), at.naive_utc()));
            hik.lock().unwrap().happen(event);
            answers.extend(push_hikcentral(&hik).await);
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
        killing.await.unwrap();
    }
    let gateway = start(&file, device_addr);
    let rows = || stored(&store);
    let all_there = async {
        while rows().len() < happened.len() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, all_there).await.is_ok();
    let stored = rows();
    assert!(in_time, "{} of {} are there", stored.len(), happened.len());
    end(gateway);
    let form = "%Y-%m-%dT%H:%M:%S";
    let wanted: BTreeSet<_> =
        happened.into_iter().map(|(door, person, at)| (door, person, at.format(form).to_string())).collect();
    assert_eq!(stored.len(), wanted.len(), "one is there twice");
    assert_eq!(stored.into_iter().collect::<BTreeSet<_>>(), wanted);
    // The test means nothing if the kills hit nothing, or everything.
    assert!(answers.contains(&200) && answers.contains(&0), "{answers:?}");
}
