//! The same promise where the gateway writes into an ERP by itself: killed at any moment, each punch is there once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta};
use punch_normalize::TenantKey;
use punch_protocol::push::Terminal;
use punch_protocol::{RawPunch, SerialNumber};
use simulator::erp::{serve_erpnext, serve_humand, serve_odoo, serve_successfactors};
use simulator::erpnext::{ErpNextConfig, ErpNextEmployee, ErpNextStandIn};
use simulator::humand::{HumandConfig, HumandStandIn, HumandUser};
use simulator::odoo::{OdooConfig, OdooEmployee, OdooStandIn};
use simulator::successfactors::{SuccessFactorsConfig, SuccessFactorsStandIn};
use simulator::terminal::Behaviour;
use simulator::world::{Dice, quiet_addr};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::command::PATIENCE;
use crate::kill::{end, kills, punches_every, start};

const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Badges of the people.
const BADGES: std::ops::Range<u32> = 1001..1301;

/// One gateway that writes into one ERP.
struct Plant {
    serial: &'static str,
    /// One of the people punches after each such time.
    every: Duration,
    people: u32,
    folder: TempDir,
}

impl Plant {
    fn new(serial: &'static str) -> Self {
        Self { serial, every: Duration::from_millis(8), people: 300, folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// People punch, and the gateway is killed again and again, between a punch and its record and between a record and its
    /// answer. Then it runs until `is_done`. What was punched, and the identity of each.
    async fn survive(
        &self,
        sink: &str,
        written: impl Fn() -> usize,
        is_done: impl Fn(&[RawPunch]) -> bool,
    ) -> Vec<(RawPunch, String)> {
        let file = self.path().join("punch.toml");
        let store = self.path().join("punch.sqlite");
        let text = format!(
            "store = \"sqlite:{}\"\n[[device]]\nserial = \"{}\"\nwindow_seconds = 0\n[[sink]]\nname = \"hr\"\n{sink}",
            store.display(),
            self.serial
        );
        std::fs::write(&file, text).unwrap();
        let file = file.display().to_string();
        let mut dice = Dice::new(20_261_201);
        let device_addr = quiet_addr();
        let (sender, happenings) = mpsc::channel(64);
        let behaviour = Behaviour {
            server: format!("http://{device_addr}"),
            error_delay: TimeDelta::milliseconds(15),
            patience: PATIENCE,
            ca_file: None,
        };
        let terminal = Terminal::new(SerialNumber::parse(self.serial).unwrap()).with_batch(20);
        let terminal = tokio::spawn(simulator::terminal::run(terminal, behaviour, happenings));
        let stop = Arc::new(AtomicBool::new(false));
        let people = tokio::spawn(punches_every(self.every, self.people, self.serial, Arc::clone(&stop), sender));
        let mut steps = BTreeSet::new();
        // Each start asks the ERP for its people first, so there are fewer of them.
        for _ in 0..kills().div_ceil(5) {
            let gateway = start(&file, device_addr);
            tokio::time::sleep(Duration::from_millis(60 + dice.below(500))).await;
            gateway.kill();
            steps.insert(written());
        }
        stop.store(true, Ordering::Relaxed);
        let punched = people.await.unwrap();
        let gateway = start(&file, device_addr);
        let achieved = tokio::time::timeout(PATIENCE, terminal).await.expect("the terminal gets rid of its rows");
        assert_eq!(achieved.unwrap().unwrap().acknowledged, u64::try_from(punched.len()).unwrap());
        self.wait_for(|| is_done(&punched)).await;
        end(gateway);
        // The test means nothing if the kills hit nothing.
        assert!(steps.len() > 2, "records were made between kills: {steps:?}");
        let key = self.key(&store);
        punched.into_iter().map(|punch| (punch.clone(), key.event_id(&punch).to_string())).collect()
    }

    /// Waits until it is done, or until nothing happens any more that could lead there.
    async fn wait_for(&self, is_done: impl Fn() -> bool) {
        let done = async {
            while !is_done() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, done).await.is_err() {
            let store = rusqlite::Connection::open(self.path().join("punch.sqlite")).unwrap();
            let sql =
                "SELECT state || ' ' || coalesce(reason, '') || ' ' || count(*) FROM delivery GROUP BY state, reason";
            let mut query = store.prepare(sql).unwrap();
            let standing: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            panic!("not everything is in the ERP: {standing:?}");
        }
    }

    fn key(&self, store: &Path) -> TenantKey {
        let store = rusqlite::Connection::open(store).unwrap();
        let sql = "SELECT value FROM meta WHERE key = 'tenant_key'";
        let key: Vec<u8> = store.query_row(sql, [], |row| row.get(0)).unwrap();
        TenantKey::new(key.try_into().unwrap())
    }
}

fn badge(punch: &RawPunch) -> String {
    punch.pin.to_text().into_owned()
}

/// The punches of each person, in order of time.
fn by_person<'a>(punches: impl IntoIterator<Item = &'a RawPunch>) -> BTreeMap<String, Vec<NaiveDateTime>> {
    let mut people = BTreeMap::<String, Vec<NaiveDateTime>>::new();
    for punch in punches {
        people.entry(badge(punch)).or_default().push(punch.time);
    }
    people.values_mut().for_each(|times| times.sort_unstable());
    people
}

/// S0-010 with a sink: `kill -9` at random instants, between a punch and its record, and between a record and its answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_number_of_kills_loses_or_doubles_a_record_of_the_erp() {
    let mut config = ErpNextConfig::new("UTC", "key", "secret").unwrap();
    let one = |badge: u32| ErpNextEmployee::new(&format!("HR-EMP-{badge}"), "Ada", &badge.to_string());
    config.employees = BADGES.map(one).collect();
    let server = Arc::new(Mutex::new(ErpNextStandIn::new(config)));
    let addr = serve_erpnext(LOCAL, Arc::clone(&server)).await.unwrap();
    let sink =
        format!("kind = \"erpnext\"\nurl = \"http://{addr}\"\nkey = \"key\"\nsecret = \"secret\"\nzone = \"UTC\"\n");
    let written = || server.lock().unwrap().checkins().len();
    let punched = Plant::new("KILL3").survive(&sink, written, |punched| written() >= punched.len()).await;
    let wanted: BTreeSet<_> =
        punched.iter().map(|(punch, _)| (format!("HR-EMP-{}", badge(punch)), punch.time)).collect();
    let server = server.lock().unwrap();
    let stored: BTreeSet<_> = server.checkins().iter().map(|row| (row.employee.clone(), row.time)).collect();
    assert_eq!(stored, wanted);
    assert_eq!(server.checkins().len(), wanted.len(), "one is there twice");
}

/// S0-010, S0-035, S0-036 with Odoo, which is written for many people at once: each arrival and its departure are one record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_number_of_kills_loses_or_doubles_an_attendance_of_odoo() {
    let mut config = OdooConfig::new(18, "main", "secret", "secret");
    config.employees = BADGES.map(|badge| OdooEmployee::new(i64::from(badge), "Ada", &badge.to_string())).collect();
    let server = Arc::new(Mutex::new(OdooStandIn::new(config)));
    let addr = serve_odoo(LOCAL, Arc::clone(&server)).await.unwrap();
    let sink = format!(
        "kind = \"odoo\"\nurl = \"http://{addr}\"\ndatabase = \"main\"\nuser = \"punch-bot\"\nsecret = \"secret\"\n"
    );
    let ends = || {
        let server = server.lock().unwrap();
        server.attendances().iter().map(|row| 1 + usize::from(row.check_out.is_some())).sum::<usize>()
    };
    let punched = Plant::new("KILL4").survive(&sink, ends, |punched| ends() >= punched.len()).await;
    let server = server.lock().unwrap();
    let mut stored = BTreeMap::<String, Vec<NaiveDateTime>>::new();
    for row in server.attendances() {
        stored.entry(row.employee.to_string()).or_default().extend([row.check_in].into_iter().chain(row.check_out));
    }
    stored.values_mut().for_each(|times| times.sort_unstable());
    assert_eq!(stored, by_person(punched.iter().map(|(punch, _)| punch)));
    let mut ids = BTreeSet::new();
    assert!(server.attendances().iter().all(|row| ids.insert((row.employee, row.check_in))), "one is there twice");
}

/// S0-010 with SuccessFactors, which takes many punches a call: each is one time event, by the sender's own key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_number_of_kills_loses_or_doubles_a_time_event() {
    let mut config = SuccessFactorsConfig::new("client", "secret", "sf");
    config.assignments = BADGES.map(|badge| badge.to_string()).collect();
    config.has_quota = false;
    let codes = (config.types[0].0.clone(), config.types[1].0.clone());
    let server = Arc::new(Mutex::new(SuccessFactorsStandIn::new(config)));
    let addr = serve_successfactors(LOCAL, Arc::clone(&server)).await.unwrap();
    let plant = Plant::new("KILL5");
    let sink = format!(
        "kind = \"successfactors\"\nurl = \"http://{addr}\"\nias_url = \"http://{addr}\"\nias_client_id = \"client\"\n\
         ias_client_secret = \"secret\"\nias_dependency = \"sf\"\ncodes = {{ in = \"{}\", out = \"{}\" }}\ntime_zone = \"UTC\"\n\
         flush_interval_s = 1\nmin_call_gap_s = 0\ndaily_call_cap = 100000\ncalls_file = \"{}\"\n",
        codes.0,
        codes.1,
        plant.path().join("calls").display()
    );
    let written = || server.lock().unwrap().events().len();
    let punched = plant.survive(&sink, written, |punched| written() >= punched.len()).await;
    let wanted: BTreeSet<_> = punched.iter().map(|(punch, _)| (badge(punch), punch.time)).collect();
    let server = server.lock().unwrap();
    let stored: BTreeSet<_> = server.events().iter().map(|row| (row.assignment.clone(), row.at.naive_utc())).collect();
    assert_eq!(stored, wanted);
    assert_eq!(server.events().len(), wanted.len(), "one is there twice");
}

/// S0-010, S3-030 with Humand, which has no key of the sender's and allows 50 requests a minute: fewer people, and each entry once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_number_of_kills_loses_or_doubles_an_entry_of_humand() {
    let mut config = HumandConfig::new("secret");
    config.users = BADGES.map(|badge| HumandUser::new(&badge.to_string(), "Ada")).collect();
    config.limit = 1000;
    let server = Arc::new(Mutex::new(HumandStandIn::new(config)));
    let addr = serve_humand(LOCAL, Arc::clone(&server)).await.unwrap();
    let sink = format!(
        "kind = \"humand\"\nurl = \"http://{addr}/public/api/v1\"\napi_key = \"secret\"\ntime_zone = \"UTC\"\n\
         rate_per_minute = 50\n"
    );
    let mut plant = Plant::new("KILL6");
    (plant.every, plant.people) = (Duration::from_millis(300), 20);
    let written = || server.lock().unwrap().entries().len();
    let punched = plant.survive(&sink, written, |punched| written() >= punched.len()).await;
    let wanted: BTreeSet<_> = punched.iter().map(|(punch, _)| (badge(punch), punch.time)).collect();
    let server = server.lock().unwrap();
    let stored: BTreeSet<_> = server.entries().iter().map(|row| (row.employee.clone(), row.at.naive_utc())).collect();
    assert_eq!(stored, wanted);
    assert_eq!(server.entries().len(), wanted.len(), "one is there twice");
}

/// S0-010, S0-065 with a table of one's own: each punch is one row, under its identity.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_number_of_kills_loses_or_doubles_a_row_of_ones_own() {
    let plant = Plant::new("KILL7");
    let path = plant.path().join("hr.sqlite");
    let sink = format!("kind = \"hrms\"\nurl = \"sqlite:{}\"\ncreate_tables = true\n", path.display());
    let ids = || -> Vec<String> {
        let Ok(store) = rusqlite::Connection::open(&path) else { return Vec::new() };
        // Before the first write there is no table.
        let Ok(mut query) = store.prepare("SELECT event_id FROM attendance") else { return Vec::new() };
        query.query_map([], |row| row.get(0)).unwrap().filter_map(Result::ok).collect()
    };
    let punched = plant.survive(&sink, || ids().len(), |punched| ids().len() >= punched.len()).await;
    let wanted: BTreeSet<String> = punched.into_iter().map(|(_, id)| id).collect();
    let stored = ids();
    assert_eq!(stored.len(), wanted.len(), "one is there twice");
    assert_eq!(stored.into_iter().collect::<BTreeSet<_>>(), wanted);
}
