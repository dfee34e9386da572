//! A Hikvision terminal without HikCentral: it posts, is searched, or streams.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, FixedOffset, TimeDelta};
use gateway::config::Config;
use serde_json::json;
use simulator::erp::{SharedIsapi, serve_isapi};
use simulator::isapi::{AcsEvent, Form, IsapiConfig, IsapiFault, IsapiStandIn};
use simulator::world::quiet_addr;
use sources::Settings;

use super::{LOCAL, SECRET, begin, never_stored, passages, status, until_passages, until_status, with_sources};
use crate::harness::{Site, post};

const PATH_TOKEN: &str = "0123456789abcdef0123456789abcdef";

struct World {
    terminal: SharedIsapi,
    url: String,
    begin: DateTime<FixedOffset>,
    device_addr: SocketAddr,
}

impl World {
    async fn new() -> Self {
        let begin = begin();
        let mut config = IsapiConfig::new("admin", SECRET);
        config.zone = *begin.offset();
        let terminal = Arc::new(Mutex::new(IsapiStandIn::new(config, 914)));
        let addr = serve_isapi(LOCAL, Arc::clone(&terminal)).await.unwrap();
        Self { terminal, url: format!("http://{addr}"), begin, device_addr: quiet_addr() }
    }

    fn configure(&self, config: &mut Config, more: &str) {
        let Self { url, begin, device_addr, .. } = self;
        config.device_addr = *device_addr;
        with_sources(
            config,
            &format!(
                "[[source]]\nname = \"gate\"\nkind = \"isapi\"\nserial = \"DS-1\"\nurl = \"{url}\"\nuser = \"admin\"\n\
                 password = \"{SECRET}\"\npath_token = \"{PATH_TOKEN}\"\nsite = \"Plant\"\nzone = \"America/Lima\"\n\
                 begin = \"{}\"\n{more}\n",
                begin.to_rfc3339()
            ),
        );
        let Some(Settings::Isapi(settings, _)) = config.sources.last_mut().map(|source| &mut source.settings) else {
            panic!("it is a terminal")
        };
        // What was posted is always found once more.
        (settings.poll.interval, settings.poll.overlap) = (TimeDelta::milliseconds(100), TimeDelta::days(3));
        settings.pause.first = Duration::from_millis(50);
    }

    async fn site(&self, more: &str) -> Site {
        Site::start(|config| self.configure(config, more)).await
    }

    fn event(&self, person: &str, hours: i64, status: &'static str) -> AcsEvent {
        AcsEvent::face(self.begin + TimeDelta::hours(hours), person, status)
    }

    /// Somebody is at the terminal: what it posts.
    fn happen(&self, person: &str, hours: i64, status: &'static str, form: Form) -> (String, Vec<u8>) {
        let event = self.event(person, hours, status);
        let (kind, body, _) = self.terminal.lock().unwrap().happen(event, form);
        (kind, body)
    }

    /// Posts it under a path; the status.
    async fn post_to(&self, path: &str, (kind, body): (String, Vec<u8>)) -> u16 {
        let url = format!("http://{}{path}", self.device_addr);
        let request = reqwest::Client::new().post(url).header("Content-Type", kind).body(body);
        request.send().await.unwrap().status().as_u16()
    }

    async fn post(&self, told: (String, Vec<u8>)) -> u16 {
        self.post_to(&format!("/isapi/events/{PATH_TOKEN}"), told).await
    }
}

fn line(person: &str, hours: i64, rest: &str) -> String {
    format!("DS-1 {person} {:02}:00 {rest}", (hours + 5) % 24)
}

/// S2-063 ISA-20, ISA-21: in whatever form it posts, each is one punch, also when it is found once more; of pictures and names
/// nothing is stored.
#[tokio::test]
async fn what_is_posted_is_stored_once_and_without_its_picture() {
    let world = World::new().await;
    let site = world.site("").await;
    let forms = [(8, "checkIn", Form::Json), (12, "breakOut", Form::Xml), (13, "breakIn", Form::Parts)];
    for (hours, status, form) in forms {
        let told = world.happen("1001", hours, status, form);
        assert_eq!(world.post(told.clone()).await, 200);
        assert_eq!(world.post(told).await, 200, "a post may come again");
    }
    assert_eq!(world.post(world.happen("1001", 17, "checkOut", Form::PartsWithoutLength)).await, 200);
    let lines = [(8, "in"), (12, "break_out"), (13, "break_in"), (17, "out")];
    let lines = lines.map(|(hours, way)| line("1001", hours, &format!("{way} delivered")));
    assert_eq!(passages(&site).await, lines, "a post is answered once it is stored");
    let site = site.restart(|config| world.configure(config, "")).await;
    until_status(&site, "all of it is found once more", |status| status["known"].as_u64() >= Some(4)).await;
    assert_eq!(passages(&site).await, lines);
    never_stored(&site, &[b"\xff\xd8", b"Canary Nightingale", SECRET.as_bytes(), PATH_TOKEN.as_bytes()]);
    let (_, devices) = site.get("/v1/devices").await;
    let terminal = devices["data"].as_array().unwrap().iter().find(|device| device["serial_number"] == "DS-1").unwrap();
    assert_eq!((&terminal["source"], &terminal["name"]), (&json!("gate"), &json!("Access Controller")), "{terminal}");
}

/// ISA-30, ISA-31: what it could not post is searched for, page by page, with a login that becomes too old, on firmware that
/// wants times without an offset.
#[tokio::test]
async fn what_was_not_posted_is_searched_for() {
    let world = World::new().await;
    {
        let mut terminal = world.terminal.lock().unwrap();
        (terminal.config_mut().nonce_serves, terminal.config_mut().refuses_offset) = (1, true);
    }
    for person in 0..65 {
        drop(world.happen(&format!("{}", 2000 + person), 8, "checkIn", Form::Json));
    }
    let site = world.site("").await;
    let is_all = |status: &serde_json::Value| status["punches"] == 65 && status["state"] == "working";
    until_status(&site, "it is searched", is_all).await;
    let requests = world.terminal.lock().unwrap().requests().join("\n");
    assert!(!requests.contains(SECRET));
}

/// A terminal that cannot post is streamed; the stream that ended is opened anew, and what it told twice is one punch.
#[tokio::test]
async fn a_stream_is_read_and_opened_anew() {
    let world = World::new().await;
    drop(world.happen("1001", 8, "checkIn", Form::Json));
    let site = world.site("stream = true").await;
    until_passages(&site, &[line("1001", 8, "in delivered")]).await;
    drop(world.happen("1001", 17, "checkOut", Form::Json));
    world.terminal.lock().unwrap().close_stream();
    until_passages(&site, &[line("1001", 8, "in delivered"), line("1001", 17, "out delivered")]).await;
    let opened = |request: &&String| request.starts_with("GET /ISAPI/Event/notification/alertStream");
    assert!(world.terminal.lock().unwrap().requests().iter().filter(opened).count() >= 2);
}

/// A second client of the only stream is refused: it is told, and searching goes on.
#[tokio::test]
async fn a_busy_stream_is_no_loss() {
    let world = World::new().await;
    let site = world.site("stream = true").await;
    // The stand-in believes that the first client is there for ever.
    until_status(&site, "it is searched", |status| status["read_to"].is_string()).await;
    let at = gateway::clock::now().with_timezone(world.begin.offset()) - TimeDelta::seconds(1);
    drop(world.terminal.lock().unwrap().happen(AcsEvent::face(at, "1001", "checkIn"), Form::Json));
    until_status(&site, "it is found", |status| status["punches"] == 1).await;
}

/// It is told where to post, with the path that proves who it is; told again when it was away.
#[tokio::test]
async fn it_is_told_where_to_post() {
    let world = World::new().await;
    let site = world.site(&format!("receive_at = \"http://{}\"", world.device_addr)).await;
    until_status(&site, "it is told", |status| status["subscribed"] == true).await;
    let told = || world.terminal.lock().unwrap().requests().iter().filter(|request| request.starts_with("PUT")).count();
    let host = world.terminal.lock().unwrap().host().unwrap().to_owned();
    assert!(host.contains(&format!("/isapi/events/{PATH_TOKEN}")) && host.contains("127.0.0.1"), "{host}");
    let before = told();
    world.terminal.lock().unwrap().fail_next([IsapiFault::Page(503); 2]);
    until_status(&site, "it was away", |status| status["failures"].as_u64() >= Some(1)).await;
    crate::harness::eventually("it is told again", async || (told() > before).then_some(())).await;
}

/// B2, S3-041: another path, another terminal's body, a body without an end: nothing of them is stored, and a push under its
/// serial number is none of it.
#[tokio::test]
async fn what_cannot_be_its_is_turned_away() {
    let world = World::new().await;
    let site = world.site("").await;
    let told = (String::from("application/json"), b"{}".to_vec());
    assert_eq!(world.post_to("/isapi/events/00000000000000000000000000000000", told.clone()).await, 404);
    assert_eq!(world.post(("application/json".to_owned(), b"no event".to_vec())).await, 400);
    let dtd = b"<!DOCTYPE a [<!ENTITY b \"c\">]><EventNotificationAlert>&b;</EventNotificationAlert>".to_vec();
    assert_eq!(world.post(("application/xml".to_owned(), dtd)).await, 400);
    assert_eq!(world.post(("multipart/form-data; boundary=x".to_owned(), b"--x\r\n".to_vec())).await, 400);
    let answer =
        post(site.gateway.device_addr, "/iclock/cdata?SN=DS-1&table=ATTLOG&Stamp=1", b"1\t2026-03-27 08:00:00\t0\t1\n");
    assert_eq!(answer.await.status, 503);
    assert!(site.fates().await.is_empty());
    assert_eq!(status(&site).await["refused"], 3);
}
