//! `hikcentral_humand`: who passes a door gets an entry, pushed or read, whatever happens on the way.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, FixedOffset, TimeDelta};
use simulator::erp::{SharedHikCentral, SharedHumand, push_hikcentral, serve_hikcentral, serve_humand};
use simulator::hikcentral::{DoorEvent, HikCentralConfig, HikCentralFault, HikCentralStandIn, HikPerson};
use simulator::humand::{HumandConfig, HumandStandIn, HumandUser};
use simulator::world::quiet_addr;
use tempfile::{TempDir, tempdir};

use crate::program::{Program, eventually, hikcentral_humand, refuses};

/// Both servers, a folder, and the day before today.
struct World {
    hik: SharedHikCentral,
    humand: SharedHumand,
    urls: [String; 2],
    begin: DateTime<FixedOffset>,
    folder: TempDir,
    /// Where the program receives, over its restarts.
    port: u16,
}

impl World {
    async fn new() -> Self {
        let mut config = HikCentralConfig::new("24680135", "canary-of-the-api");
        config.people = (1..10).map(|id| HikPerson::new(&id.to_string(), &format!("100{id}"), "")).collect();
        let hik = Arc::new(Mutex::new(HikCentralStandIn::new(config)));
        let mut config = HumandConfig::new("canary-of-the-api");
        config.users = (1001..1010).map(|id| HumandUser::new(&id.to_string(), "Ada")).collect();
        config.limit = 1000;
        let humand = Arc::new(Mutex::new(HumandStandIn::new(config)));
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let hik_addr = serve_hikcentral(local, Arc::clone(&hik)).await.unwrap();
        let humand_addr = serve_humand(local, Arc::clone(&humand)).await.unwrap();
        let urls = [format!("http://{hik_addr}"), format!("http://{humand_addr}/public/api/v1")];
        let zone = FixedOffset::west_opt(3 * 3600).unwrap();
        let yesterday = (gateway::clock::now().with_timezone(&zone) - TimeDelta::days(1)).date_naive();
        let begin = yesterday.and_hms_opt(0, 0, 0).unwrap().and_local_timezone(zone).unwrap();
        Self { hik, humand, urls, begin, folder: tempdir().unwrap(), port: quiet_addr().port() }
    }

    fn command(&self) -> Command {
        hikcentral_humand(&self.urls[0], &self.urls[1], &self.begin.to_rfc3339(), self.folder.path())
    }

    /// Runs the program once, beside the servers.
    async fn once(&self, more: &[(&'static str, &str)]) -> (bool, String) {
        let mut command = self.command();
        command.arg("once").envs(more.iter().copied());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Somebody's face at a door, so many hours after midnight.
    fn event(&self, person: u32, hours: i64, door: &str) -> DoorEvent {
        let at = self.begin + TimeDelta::hours(hours);
        DoorEvent::face(&format!("e{person}-{hours}"), at, &person.to_string(), door)
    }

    fn unseen(&self, person: u32, hours: i64, door: &str) {
        let event = self.event(person, hours, door);
        self.hik.lock().unwrap().happen_unseen(event);
    }

    fn happen(&self, person: u32, hours: i64, door: &str) {
        let event = self.event(person, hours, door);
        self.hik.lock().unwrap().happen(event);
    }

    /// What Humand has: `1001 08 START`, in order of person and time.
    fn entries(&self) -> Vec<String> {
        let humand = self.humand.lock().unwrap();
        let of_zone =
            |row: &simulator::humand::StoredEntry| row.at.with_timezone(self.begin.offset()).format("%H").to_string();
        let rows = humand.entries().iter().map(|row| format!("{} {} {}", row.employee, of_zone(row), row.kind));
        let mut rows: Vec<_> = rows.collect();
        rows.sort();
        rows
    }

    /// What the program is told to have events pushed to, and its port.
    fn pushed(&self) -> [(&'static str, String); 4] {
        let port = self.port;
        [
            ("PORT", port.to_string()),
            ("HIK_EVENT_DEST", format!("http://127.0.0.1:{port}/hik/events")),
            ("HIK_TOKEN", "t0k-canary-of-the-api".to_owned()),
            ("HIK_ALLOW_FROM", "127.0.0.1".to_owned()),
        ]
    }

    async fn run_pushed(&self) -> Program {
        let more = self.pushed();
        let more: Vec<_> = more.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let program = Program::run(self.command(), &more).await;
        let destination = more[1].1;
        eventually("it is subscribed", async || {
            (!self.hik.lock().unwrap().subscribed(destination).is_empty()).then_some(())
        })
        .await;
        program
    }
}

/// S3-001, S3-002, S3-018, S3-049, S3-024, S3-025: door 7 clocks in, door 8 out, at the time of the event, for the person's code.
#[tokio::test]
async fn what_is_read_becomes_entries() {
    let world = World::new().await;
    world.unseen(1, 8, "7");
    world.unseen(1, 17, "8");
    world.unseen(2, 9, "7");
    world.unseen(3, 9, "99");
    let program = Program::run(world.command(), &[("HIK_POLL_SECONDS", "60")]).await;
    program.stands_at(0, 3, 1).await;
    assert_eq!(world.entries(), ["1001 08 START", "1001 17 END", "1002 09 START"]);
    // S3-047, S3-036.
    let health = program.health().await.unwrap();
    assert_eq!(
        (&health["source"]["punches"], &health["source"]["without_direction"]),
        (&4.into(), &1.into()),
        "{health}"
    );
    let log = program.logs("hcp:e1-8").await + &program.logs("door=\"99\"").await;
    assert!(!log.contains("canary") && !log.contains("Canary"), "{log}");
}

/// Pushed, read again under another id, pushed again by a server that got no answer, after a kill: one entry.
#[tokio::test]
async fn pushed_read_and_pushed_again_it_is_one_entry() {
    let world = World::new().await;
    world.hik.lock().unwrap().config_mut().ids_differ = true;
    let program = world.run_pushed().await;
    for (hours, door) in [(8, "7"), (12, "8"), (13, "7")] {
        world.happen(1, hours, door);
    }
    assert_eq!(push_hikcentral(&world.hik).await, [200; 3]);
    program.stands_at(0, 3, 0).await;
    program.kill();
    let program = world.run_pushed().await;
    world.happen(1, 17, "8");
    assert_eq!(push_hikcentral(&world.hik).await, [200]);
    program.stands_at(0, 4, 0).await;
    program.kill();
    assert!(world.once(&[]).await.0);
    assert_eq!(world.entries(), ["1001 08 START", "1001 12 END", "1001 13 START", "1001 17 END"]);
}

/// A subscription that is lost says nothing; reading fills the hole. S3-017.
#[tokio::test]
async fn what_a_lost_subscription_did_not_tell_is_read() {
    let world = World::new().await;
    let program = world.run_pushed().await;
    world.happen(1, 8, "7");
    assert_eq!(push_hikcentral(&world.hik).await, [200]);
    program.stands_at(0, 1, 0).await;
    world.hik.lock().unwrap().lose_subscriptions();
    let at = gateway::clock::now().with_timezone(world.begin.offset()) - TimeDelta::seconds(5);
    world.hik.lock().unwrap().happen(DoorEvent::face("now", at, "2", "7"));
    assert!(push_hikcentral(&world.hik).await.is_empty());
    program.kill();
    let (is_success, log) = world.once(&[]).await;
    assert!(is_success && log.contains("done=2"), "{log}");
    assert!(world.entries()[1].starts_with("1002 "), "{:?}", world.entries());
    // The next start subscribes again, and reads at once what happened while nobody listened.
    world.hik.lock().unwrap().happen_unseen(DoorEvent::face("then", at, "3", "7"));
    let program = world.run_pushed().await;
    program.stands_at(0, 3, 0).await;
}

/// S3-021: the receiver by itself. A push without the token is refused and stores nothing; one bad event costs no other.
#[tokio::test]
async fn only_who_knows_the_token_may_push() {
    let world = World::new().await;
    let mut command = world.command();
    command.arg("receive");
    let program = Program::run(command, &[("HIK_TOKEN", "t0k")]).await;
    let body = |events: &str| format!(r#"{{"params":{{"ability":"event_acs","events":[{events}]}}}}"#).into_bytes();
    let time = (world.begin + TimeDelta::hours(8)).to_rfc3339();
    let good = format!(
        r#"{{"eventId":"g","eventType":196893,"happenTime":"{time}","srcIndex":"7","data":{{"personId":"1","personCode":"1001"}}}}"#
    );
    let bad = good.replace(&time, "never").replace("\"g\"", "\"b\"");
    let token = |value: &str| vec![("token".to_owned(), value.to_owned())];
    let (path, both) = ("/webhook/hikvision/events", body(&format!("{good},{bad}")));
    assert_eq!(program.post(path, &[], &both).await.0, 401);
    assert_eq!(program.post(path, &token("other"), &both).await.0, 401);
    program.stands_at(0, 0, 0).await;
    assert_eq!(program.post(path, &token("t0k"), b"<html>").await.0, 400);
    let reply = program.post(path, &token("t0k"), &both).await;
    assert_eq!(reply, (200, r#"{"code":"0","msg":"OK"}"#.to_owned()));
    program.stands_at(0, 1, 1).await;
    // Nothing is asked of HikCentral: the push had the person's code.
    assert!(world.hik.lock().unwrap().requests().is_empty());
}

/// S3-020: nothing is written, nothing is subscribed; the entries are shown.
#[tokio::test]
async fn a_dry_run_reads_and_writes_nothing() {
    let world = World::new().await;
    world.unseen(1, 8, "7");
    let more = world.pushed();
    let more: Vec<_> = more.iter().map(|(name, value)| (*name, value.as_str())).chain([("DRY_RUN", "true")]).collect();
    let program = Program::run(world.command(), &more).await;
    eventually("the entry is shown", async || program.said().contains("\"employeeId\":\"1001\"").then_some(())).await;
    assert!(world.hik.lock().unwrap().subscribed(more[1].1).is_empty());
    assert!(world.humand.lock().unwrap().requests().is_empty());
    let shown = program.said() + &program.logged();
    assert!(!shown.contains("canary-of-the-api"), "{shown}");
}

/// S3-035: a secret that is wrong is named, with what is signed, and nothing of it; what was missed is read once it is right.
#[tokio::test]
async fn a_changed_secret_is_told_and_loses_nothing() {
    let world = World::new().await;
    world.unseen(1, 8, "7");
    "another".clone_into(&mut world.hik.lock().unwrap().config_mut().app_secret);
    let program = Program::run(world.command(), &[]).await;
    eventually("the error is shown", async || {
        let health = program.health().await?;
        health["source"]["error"].as_str().map(drop)
    })
    .await;
    let log = program.logs("0x02401003").await + &program.logs("x-ca-nonce").await;
    assert!(!log.contains("canary-of-the-api"), "{log}");
    program.kill();
    "canary-of-the-api".clone_into(&mut world.hik.lock().unwrap().config_mut().app_secret);
    let program = Program::run(world.command(), &[]).await;
    program.stands_at(0, 1, 0).await;
}

/// A person that cannot be looked up now is not lost: the mark stays, and the next reading takes them.
#[tokio::test]
async fn a_person_that_cannot_be_looked_up_is_read_again() {
    let world = World::new().await;
    world.unseen(1, 8, "7");
    // The page is read, the person is not.
    world.hik.lock().unwrap().fail_next([HikCentralFault::None, HikCentralFault::Page(503)]);
    let (_, first) = world.once(&[]).await;
    let (is_success, second) = world.once(&[]).await;
    assert!(first.contains("Error") && is_success, "{first} {second}");
    assert_eq!(world.entries(), ["1001 08 START"]);
}

/// S3-014, S3-040: what is missing or wrong is named.
#[tokio::test]
async fn a_missing_or_wrong_setting_is_named_and_its_value_is_not() {
    let world = World::new().await;
    for variable in ["HIKVISION_HOST", "HIK_APP_KEY", "HIK_SECRET"] {
        refuses(world.command().env_remove(variable), variable);
    }
    for (variable, value, named) in [
        ("HIKVISION_HOST", "http://hik.example.com", "PE-CONF-003"),
        ("HIK_DOORS", "7=inside", "HIK_DOORS"),
        ("HIK_POLL_SECONDS", "5", "HIK_POLL_SECONDS"),
        ("HIK_EMPLOYEE_FIELD", "badge", "employee_field"),
        ("HIK_EVENT_DEST", "http://127.0.0.1:1/hik/events", "HIK_TOKEN"),
        ("HIK_CA_FILE", "nowhere.pem", "HIK_CA_FILE"),
        ("HIK_ALLOW_FROM", "somewhere", "HIK_ALLOW_FROM"),
        ("HIK_ZONE", "Nowhere", "HIK_ZONE"),
        ("HIK_BEGIN", "yesterday", "HIK_BEGIN"),
    ] {
        refuses(world.command().env(variable, value), named);
    }
    refuses(world.command().arg("twice"), "once");
}

/// S3-042: a certificate of the server's own making is refused, trusted by its root, and let pass with a warning only.
#[tokio::test]
async fn certificates_are_checked_unless_somebody_says_otherwise() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
    let mut server = Command::new("python3");
    server.arg(format!("{data}/tls_server.py")).arg(format!("{data}/server.pem")).stdout(Stdio::piped());
    let mut server = server.spawn().unwrap();
    let mut port = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let mut world = World::new().await;
    world.urls[0] = format!("https://127.0.0.1:{}", port.trim());
    let untrusted = world.once(&[]).await;
    let trusted = world.once(&[("HIK_CA_FILE", &format!("{data}/root.pem"))]).await;
    let unchecked = world.once(&[("HIK_ACCEPT_INVALID_CERTS", "true")]).await;
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(!untrusted.0 && untrusted.1.contains("PE-NET-001"), "{}", untrusted.1);
    assert!(trusted.0 && !trusted.1.contains("HIK_ACCEPT_INVALID_CERTS"), "{}", trusted.1);
    assert!(unchecked.0 && unchecked.1.contains("HIK_ACCEPT_INVALID_CERTS"), "{}", unchecked.1);
}
