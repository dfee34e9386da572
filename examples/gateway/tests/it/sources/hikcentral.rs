//! HikCentral Professional: pushed, listed, and both.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, FixedOffset, TimeDelta};
use gateway::config::Config;
use serde_json::json;
use simulator::erp::{SharedHikCentral, push_hikcentral, serve_hikcentral};
use simulator::hikcentral::{DoorEvent, HikCentralConfig, HikCentralFault, HikCentralStandIn, HikPerson};
use simulator::world::quiet_addr;
use sources::Settings;

use super::{LOCAL, SECRET, begin, never_stored, passages, status, until_passages, until_status, with_sources};
use crate::harness::{API_KEY, Recorder, Site, endpoint, post};
use crate::metrics::{scrape, value};

const TOKEN: &str = "t0k-canary-of-the-api";

struct World {
    hik: SharedHikCentral,
    url: String,
    begin: DateTime<FixedOffset>,
    device_addr: std::net::SocketAddr,
    /// How far before the last reading one begins.
    overlap: TimeDelta,
}

impl World {
    async fn new() -> Self {
        let mut config = HikCentralConfig::new("24680135", SECRET);
        config.people = (1..10).map(|id| HikPerson::new(&id.to_string(), &format!("100{id}"), "")).collect();
        let hik = Arc::new(Mutex::new(HikCentralStandIn::new(config)));
        let addr = serve_hikcentral(LOCAL, Arc::clone(&hik)).await.unwrap();
        Self {
            hik,
            url: format!("http://{addr}"),
            begin: begin(),
            device_addr: quiet_addr(),
            overlap: TimeDelta::days(3),
        }
    }

    /// The file, with these keys besides, and everything quicker than at work.
    fn configure(&self, config: &mut Config, more: &str) {
        let Self { url, begin, device_addr, .. } = self;
        config.device_addr = *device_addr;
        with_sources(
            config,
            &format!(
                "[[source]]\nname = \"hik\"\nkind = \"hikcentral\"\nurl = \"{url}\"\napp_key = \"24680135\"\n\
                 app_secret = \"{SECRET}\"\ntoken = \"{TOKEN}\"\nsite = \"Plant\"\nzone = \"America/Lima\"\n\
                 begin = \"{}\"\ndoors = {{ 7 = \"in\", 8 = \"out\" }}\n{more}\n",
                begin.to_rfc3339()
            ),
        );
        let Some(Settings::HikCentral(settings)) = config.sources.last_mut().map(|source| &mut source.settings) else {
            panic!("it is a HikCentral")
        };
        (settings.poll.interval, settings.poll.overlap) = (TimeDelta::milliseconds(100), self.overlap);
        settings.look_every = TimeDelta::milliseconds(100);
        settings.pause.first = Duration::from_millis(50);
    }

    async fn site(&self, more: &str) -> Site {
        Site::start(|config| self.configure(config, more)).await
    }

    /// A site that is pushed to.
    async fn pushed_site(&self) -> Site {
        let site = self.site(&format!("receive_at = \"http://{}\"", self.device_addr)).await;
        until_status(&site, "it is subscribed", |status| status["subscribed"] == true).await;
        site
    }

    fn event(&self, person: u32, hours: i64, door: &str) -> DoorEvent {
        let at = self.begin + TimeDelta::hours(hours);
        DoorEvent::face(&format!("e{person}-{hours}"), at, &person.to_string(), door)
    }

    fn happen(&self, person: u32, hours: i64, door: &str) {
        let event = self.event(person, hours, door);
        self.hik.lock().unwrap().happen(event);
    }

    fn unseen(&self, person: u32, hours: i64, door: &str) {
        let event = self.event(person, hours, door);
        self.hik.lock().unwrap().happen_unseen(event);
    }
}

/// Of somebody, so many hours after midnight in Lima.
fn line(door: &str, person: u32, hours: i64, rest: &str) -> String {
    format!("hik-{door} 100{person} {:02}:00 {rest}", (hours + 5) % 24)
}

/// S3-001, S3-002, S3-024, S3-025: what is listed is a punch under the door's own serial number, its direction from the list
/// of doors, and the door is a terminal like any other.
#[tokio::test]
async fn what_is_listed_becomes_punches_of_doors() {
    let (world, receiver) = (World::new().await, Recorder::always(200).await);
    world.unseen(1, 8, "7");
    world.unseen(1, 17, "8");
    let site = Site::start(|config| {
        world.configure(config, "");
        config.endpoints.push(endpoint(&receiver.url(), punch_webhook::PayloadFormat::Nested));
    })
    .await;
    until_passages(&site, &[line("7", 1, 8, "in delivered"), line("8", 1, 17, "out delivered")]).await;
    site.delivered_all().await;
    assert_eq!((receiver.seen().len(), receiver.badges().len()), (2, 1));
    // A terminal among the others, online as long as its server answers.
    let (_, devices) = site.get("/v1/devices").await;
    let door = devices["data"].as_array().unwrap().iter().find(|device| device["serial_number"] == "hik-7").unwrap();
    assert_eq!(
        (&door["source"], &door["site"], &door["status"], &door["zone"], &door["capabilities"]["transport"]),
        (&json!("hik"), &json!("Plant"), &json!("online"), &json!("America/Lima"), &json!("source")),
        "{door}"
    );
    assert_eq!(door["capabilities"]["commands"], json!([]));
    let (_, audit) = site.get("/v1/audit?per_page=200").await;
    let let_in = |entry: &serde_json::Value| {
        let deed = &entry["entry"]["deed"];
        deed["action"] == "let in" && deed["target"] == "hik-7" && deed["via"] == "source"
    };
    assert!(audit["data"].as_array().unwrap().iter().any(let_in), "{audit}");
    let (refused, _) =
        site.post("/v1/devices/hik-7/commands", json!({ "command": "unlock_door", "payload": {} })).await;
    assert_eq!(refused, 422, "nothing can be asked of a door of somebody else");
    // S3-047, S3-048.
    let status = until_status(&site, "it works", |status| status["state"] == "working").await;
    assert_eq!((&status["state"], &status["punches"], &status["error"]), (&json!("working"), &json!(2), &json!(null)));
    let counted = value(&scrape(&site).await, "punch_source_events_total{source=\"hik\",result=\"punch\"}");
    assert!((counted - 2.0).abs() < f64::EPSILON, "{counted}");
    never_stored(&site, &[SECRET.as_bytes(), b"Canary"]);
}

/// Pushed, pushed again, read again under another id, over a restart: one punch.
#[tokio::test]
async fn pushed_twice_and_read_again_it_is_one_punch() {
    let world = World::new().await;
    world.hik.lock().unwrap().config_mut().ids_differ = true;
    let site = world.pushed_site().await;
    for _ in 0..2 {
        world.happen(1, 8, "7");
    }
    world.happen(1, 12, "8");
    assert_eq!(push_hikcentral(&world.hik).await, [200; 3]);
    let both = [line("7", 1, 8, "in delivered"), line("8", 1, 12, "out delivered")];
    assert_eq!(passages(&site).await, both, "a push is answered once it is stored");
    until_status(&site, "everything is read once more", |status| status["known"].as_u64() >= Some(4)).await;
    let receive_at = format!("receive_at = \"http://{}\"", world.device_addr);
    let site = site.restart(|config| world.configure(config, &receive_at)).await;
    until_status(&site, "it is read again", |status| status["last_answer"].is_string()).await;
    assert_eq!(passages(&site).await, both);
}

/// Told in another order than it happened, directions and order of time stay right.
#[tokio::test]
async fn the_order_in_which_it_is_told_changes_nothing() {
    let world = World::new().await;
    let site = world.pushed_site().await;
    for (hours, door) in [(17, "8"), (13, "7"), (12, "8"), (8, "7")] {
        world.happen(1, hours, door);
    }
    assert_eq!(push_hikcentral(&world.hik).await, [200; 4]);
    let lines = [(8, "7", "in"), (12, "8", "out"), (13, "7", "in"), (17, "8", "out")];
    let lines = lines.map(|(hours, door, way)| line(door, 1, hours, &format!("{way} delivered")));
    assert_eq!(passages(&site).await, lines);
}

/// A subscription that is gone without a word is made again, and what happened meanwhile is read. So is what a door tells late.
#[tokio::test]
async fn a_lost_subscription_is_renewed_and_what_was_missed_is_read() {
    let world = World::new().await;
    let site = world.pushed_site().await;
    let destination = format!("http://{}/hik/events/hik", world.device_addr);
    assert!(!world.hik.lock().unwrap().subscribed(&destination).is_empty());
    {
        let mut hik = world.hik.lock().unwrap();
        hik.lose_subscriptions();
        // Five minutes ago: what was read up to lies behind that.
        let at = gateway::clock::now().with_timezone(world.begin.offset()) - TimeDelta::minutes(5);
        hik.happen_unseen(DoorEvent::face("late", at, "3", "7"));
    }
    until_status(&site, "the late one is read", |status| status["punches"] == 1).await;
    crate::harness::eventually("it is subscribed again", async || {
        (!world.hik.lock().unwrap().subscribed(&destination).is_empty()).then_some(())
    })
    .await;
    world.happen(1, 8, "7");
    assert_eq!(push_hikcentral(&world.hik).await, [200]);
}

/// S3-041, HCP-11, HCP-12: who does not know the token, or comes from elsewhere, is turned away before the body is read; of an
/// admitted push the bad event is held and costs its neighbour nothing.
#[tokio::test]
async fn whoever_does_not_know_the_token_is_turned_away() {
    let world = World::new().await;
    let site = world.pushed_site().await;
    let post = async |path: &str, token: Option<&str>, body: String| {
        let request = reqwest::Client::new().post(format!("http://{}{path}", world.device_addr)).body(body);
        let request = token.iter().fold(request, |request, token| request.header("token", *token));
        request.send().await.unwrap().status().as_u16()
    };
    let event = |id: &str, time: &str| {
        json!({ "eventId": id, "eventType": 196_893, "happenTime": time, "srcIndex": "7", "srcName": "Facial Entrada",
            "data": { "personId": "1", "personCode": "1001", "picUri": "/pic?1", "temperatureData": "36.6" } })
    };
    let body =
        |events: serde_json::Value| json!({ "params": { "ability": "event_acs", "events": events } }).to_string();
    let good = body(json!([event("A1", "2026-03-27T08:00:00-05:00")]));
    for (token, status) in [(None, 401), (Some("other"), 401), (Some(""), 401)] {
        assert_eq!(post("/hik/events/hik", token, good.clone()).await, status);
    }
    assert_eq!(post("/hik/events/other", Some(TOKEN), good).await, 404);
    assert_eq!(post("/hik/events/hik", Some(TOKEN), "{}".to_owned()).await, 400);
    assert!(site.fates().await.is_empty());
    let mixed = body(json!([event("A1", "not yet"), event("A2", "2026-03-27T08:00:00-05:00")]));
    assert_eq!(post("/hik/events/hik", Some(TOKEN), mixed).await, 200);
    assert_eq!(site.fates().await, ["held/malformed", "delivered"]);
    assert_eq!(status(&site).await["refused"], 4);
    let (_, held) = site.get("/v1/quarantine").await;
    assert_eq!(
        (&held["data"][0]["device_serial"], &held["data"][0]["problem"]),
        (&json!("hik"), &json!("bad_time")),
        "{held}"
    );
    never_stored(&site, &[b"/pic?1", b"36.6"]);
}

/// S3-041: a push from an address that is not in the list is turned away, whatever it knows.
#[tokio::test]
async fn a_push_from_elsewhere_is_turned_away() {
    let world = World::new().await;
    let receive_at = format!("receive_at = \"http://{}\"\nallow = [\"192.0.2.0/24\"]", world.device_addr);
    let site = world.site(&receive_at).await;
    until_status(&site, "it is subscribed", |status| status["subscribed"] == true).await;
    world.happen(1, 8, "7");
    assert_eq!(push_hikcentral(&world.hik).await, [403]);
    // It is found by reading.
    until_passages(&site, &[line("7", 1, 8, "in delivered")]).await;
}

/// HCP-E03, HCP-E06: an outage is told, the mark stays, and everything is there when it is over.
#[tokio::test]
async fn an_outage_is_told_and_loses_nothing() {
    let mut world = World::new().await;
    world.overlap = TimeDelta::minutes(15);
    let site = world.site("").await;
    until_status(&site, "it has read", |status| status["read_to"].is_string()).await;
    world.hik.lock().unwrap().config_mut().refuses = Some(("0x00052101", "busy"));
    let failing = until_status(&site, "it fails", |status| status["failures"].as_u64() >= Some(2)).await;
    assert_eq!(failing["state"], "failing");
    assert!(!failing["error"].as_str().unwrap().contains("canary"), "{failing}");
    assert!(value(&scrape(&site).await, "punch_source_failures{source=\"hik\"}") >= 2.0);
    let at = gateway::clock::now().with_timezone(world.begin.offset()) - TimeDelta::seconds(1);
    world.hik.lock().unwrap().happen_unseen(DoorEvent::face("during", at, "3", "7"));
    // Also over a restart: how far it was read is in the store.
    let site = site.restart(|config| world.configure(config, "")).await;
    let before = world.hik.lock().unwrap().requests().len();
    world.hik.lock().unwrap().config_mut().refuses = None;
    until_status(&site, "it works again", |status| status["punches"] == 1 && status["error"].is_null()).await;
    let request = world.hik.lock().unwrap().requests()[before].clone();
    let begin = format!("\"startTime\":\"{}\"", world.begin.with_timezone(&chrono::Utc).to_rfc3339());
    let local = format!("\"startTime\":\"{}\"", world.begin.to_rfc3339());
    assert!(request.contains("startTime") && !request.contains(&begin) && !request.contains(&local), "{request}");
}

/// S3-035, HCP-E01: a wrong secret is told as what it is, and nothing is read.
#[tokio::test]
async fn a_wrong_signature_is_told() {
    let world = World::new().await;
    world.hik.lock().unwrap().config_mut().app_secret = "another".to_owned();
    let site = world.site("").await;
    let failing = until_status(&site, "it is refused", |status| status["failures"].as_u64() >= Some(1)).await;
    assert!(failing["error"].as_str().unwrap().contains("PE-"), "{failing}");
    assert_eq!((&failing["punches"], &failing["last_answer"]), (&json!(0), &json!(null)));
}

/// The answer to a page may be lost: the page is read again, and nothing of it is taken twice.
#[tokio::test]
async fn a_page_whose_answer_is_lost_is_read_again() {
    let world = World::new().await;
    for person in 1..6 {
        world.unseen(person, 8, "7");
    }
    world.hik.lock().unwrap().config_mut().page_max = 2;
    let faults =
        [HikCentralFault::None, HikCentralFault::DropAfter, HikCentralFault::None, HikCentralFault::DropBefore];
    world.hik.lock().unwrap().fail_next(faults);
    let site = world.site("").await;
    let lines: Vec<String> = (1..6).map(|person| line("7", person, 8, "in delivered")).collect();
    until_passages(&site, &lines).await;
}

/// Nobody pushes as a terminal under the name of a door, and a door that is blocked stays out.
#[tokio::test]
async fn a_door_is_no_terminal_that_calls_and_can_be_blocked() {
    let world = World::new().await;
    let site = world.pushed_site().await;
    world.happen(1, 8, "7");
    assert_eq!(push_hikcentral(&world.hik).await, [200]);
    let row = b"1002\t2026-03-27 08:00:00\t0\t15\n";
    let answer = post(site.gateway.device_addr, "/iclock/cdata?SN=hik-7&table=ATTLOG&Stamp=9999", row).await;
    assert_eq!(answer.status, 503);
    assert_eq!(site.fates().await.len(), 1);
    let block = site.request("PATCH", "/v1/devices/hik-7").bearer_auth(API_KEY);
    let block = block.header("Content-Type", "application/json").body(json!({ "admission": "blocked" }).to_string());
    let (blocked, _) = site.call(block).await;
    assert_eq!(blocked, 200);
    world.happen(2, 9, "7");
    world.happen(2, 9, "8");
    assert_eq!(push_hikcentral(&world.hik).await, [200, 200]);
    assert_eq!(passages(&site).await, [line("7", 1, 8, "in delivered"), line("8", 2, 9, "out delivered")]);
}

/// A reader knows the way where a door has one on either side, also of a row that was held meanwhile.
#[tokio::test]
async fn what_was_held_keeps_the_way_it_went() {
    let world = World::new().await;
    world.unseen(1, 8, "7");
    world.unseen(1, 17, "8");
    let site = Site::start(|config| {
        world.configure(config, "");
        config.unknown_badges = gateway::config::UnknownBadges::Hold;
    })
    .await;
    let held = [line("7", 1, 8, "- held/unregistered_badge"), line("8", 1, 17, "- held/unregistered_badge")];
    let by_door = async || {
        let mut found = passages(&site).await;
        found.sort();
        found
    };
    crate::harness::eventually("both are held", async || (by_door().await == held).then_some(())).await;
    let (made, _) = site.post("/v1/employees", json!({ "badge_number": "1001", "name": "Ada" })).await;
    assert!((200..300).contains(&made));
    until_passages(&site, &[line("7", 1, 8, "in delivered"), line("8", 1, 17, "out delivered")]).await;
}
