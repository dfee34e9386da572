//! What a configuration makes of punches: whose they are, which are one, which way they went, and what is told of old ones.

use chrono::{SecondsFormat, TimeDelta};
use gateway::clock::now;
use gateway::config::{Config, EndpointConfig};
use punch_webhook::PayloadFormat;
use serde_json::{Value, json};

use crate::harness::{API_KEY, Recorder, Seen, Site, endpoint};

/// A gateway that goes by `punch.toml`, with the terminals `T1` and `T2`, and a receiver that wants everything.
async fn site(toml: &str) -> (Site, Recorder) {
    let receiver = Recorder::always(200).await;
    let read = Config::parse(toml).unwrap();
    let url = receiver.url();
    let site = Site::start(|config| {
        (config.devices, config.defaults, config.sites) = (read.devices, read.defaults, read.sites);
        (config.employees, config.shifts) = (read.employees, read.shifts);
        let events = EndpointConfig::all_events();
        config.endpoints = vec![EndpointConfig { events, ..endpoint(&url, PayloadFormat::Nested) }];
    });
    (site.await, receiver)
}

fn two(more: &str) -> String {
    format!("{more}\n[[device]]\nserial = \"T1\"\n[[device]]\nserial = \"T2\"\n")
}

async fn punch(site: &Site, serial: &str, pin: &str, time: &str, state: u16) {
    let answer = site.upload(serial, "ATTLOG", format!("{pin}\t{time}\t{state}\t1\t0\n")).await;
    assert_eq!(answer.body, "OK: 1");
}

/// What was told, as `badge type direction`, in the order it came.
async fn told(site: &Site, receiver: &Recorder) -> Vec<String> {
    site.delivered_all().await;
    let line = |event: &Value| {
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        let kind = text("/event_type").replace("attendance.", "");
        format!("{} {kind} {}", text("/employee/badge_number"), text("/punch/direction"))
    };
    receiver.seen().iter().map(Seen::json).map(|event| line(&event)).collect()
}

/// What was told of one person; between people there is no order.
fn of<'t>(told: &'t [String], badge: &str) -> Vec<&'t str> {
    told.iter().map(String::as_str).filter(|line| line.split(' ').next() == Some(badge)).collect()
}

/// D10, D6: the scope says which terminals are compared.
#[tokio::test]
async fn a_second_punch_at_the_next_terminal_is_one_by_scope() {
    for (scope, sites, fates) in [
        ("device", ["Plant", "Plant"], ["delivered", "delivered"]),
        ("site", ["Plant", "Plant"], ["delivered", "suppressed"]),
        ("site", ["Plant", "Office"], ["delivered", "delivered"]),
        ("employee", ["Plant", "Office"], ["delivered", "suppressed"]),
    ] {
        let device = |serial: &str, site: &str| format!("[[device]]\nserial = \"{serial}\"\nsite = \"{site}\"\n");
        let devices = device("T1", sites[0]) + &device("T2", sites[1]);
        let (site, _) = site(&format!("[defaults]\nscope = \"{scope}\"\n{devices}")).await;
        punch(&site, "T1", "7", "2026-03-02 08:00:00", 255).await;
        punch(&site, "T2", "7", "2026-03-02 08:00:40", 255).await;
        assert_eq!(site.fates().await, fates, "{scope} {sites:?}");
    }
}

/// I4: one PIN, two people. The terminal says whose it is, and neither sees the other's shift.
#[tokio::test]
async fn i4_one_pin_is_another_person_at_another_terminal() {
    let people = concat!(
        "[[employee]]\nbadge = \"7\"\nid = \"ana\"\ndevice = \"T1\"\naliases = [\"1007\"]\n",
        "[[employee]]\nbadge = \"7\"\nid = \"luis\"\ndevice = \"T2\"\n",
    );
    let (site, receiver) = site(&two(people)).await;
    punch(&site, "T1", "7", "2026-03-02 08:00:00", 255).await;
    punch(&site, "T2", "7", "2026-03-02 08:30:00", 255).await;
    // Two PINs, one person.
    punch(&site, "T1", "1007", "2026-03-02 17:00:00", 255).await;
    punch(&site, "T2", "7", "2026-03-02 18:00:00", 255).await;
    assert_eq!(of(&told(&site, &receiver).await, "ana"), ["ana punch in", "ana punch out"]);
    assert_eq!(of(&told(&site, &receiver).await, "luis"), ["luis punch in", "luis punch out"]);
    let people = site.ask_all("SELECT DISTINCT person FROM row ORDER BY person").await;
    assert_eq!(people, ["ana", "luis"]);
}

/// I6: the PIN goes to the next one; what was of the old one stays so, even if it comes late.
#[tokio::test]
async fn i6_a_reassigned_pin_leaves_old_rows_with_the_old_person() {
    let people = concat!(
        "[[employee]]\nbadge = \"7\"\nid = \"ana\"\nvalid_to = 2026-02-28\n",
        "[[employee]]\nbadge = \"7\"\nid = \"luis\"\nvalid_from = 2026-03-01\n",
    );
    let (site, receiver) = site(&two(people)).await;
    punch(&site, "T1", "7", "2026-03-01 08:00:00", 255).await;
    punch(&site, "T1", "7", "2026-02-28 22:00:00", 255).await;
    let told = told(&site, &receiver).await;
    assert_eq!((of(&told, "luis"), of(&told, "ana")), (vec!["luis punch in"], vec!["ana punch in"]));
}

/// hrms#3298: whoever works nights arrives in the evening and leaves in the morning, whatever came first.
#[tokio::test]
async fn shifts_say_which_way_their_people_went() {
    let toml = concat!(
        "[defaults]\nrule = \"schedule\"\n",
        "[[shift]]\nname = \"night\"\nstart = \"18:00\"\nend = \"07:00\"\n",
        "[[employee]]\nbadge = \"7\"\nshifts = [\"night\"]\n",
    );
    let (site, receiver) = site(&two(toml)).await;
    punch(&site, "T1", "7", "2026-03-02 07:10:00", 255).await;
    punch(&site, "T1", "7", "2026-03-02 18:30:00", 255).await;
    assert_eq!(told(&site, &receiver).await, ["7 punch out", "7 punch in"]);
    let sources = async || site.ask_all("SELECT DISTINCT direction_source FROM row").await;
    assert_eq!(sources().await, ["schedule"]);
    // By hand and back again, the shifts are still theirs.
    let id: String = site.ask("SELECT id FROM row ORDER BY seq LIMIT 1").await;
    for direction in [json!("in"), json!(null)] {
        assert_eq!(
            site.post(&format!("/v1/attendance/{id}/direction"), json!({ "direction": direction })).await.0,
            200
        );
    }
    assert_eq!(sources().await, ["schedule"]);
    assert_eq!(site.ask_all("SELECT direction FROM row ORDER BY punched_at").await, ["out", "in"]);
}

/// 6.5: what comes of a closed pay period is told as late, and never as a change of it.
#[tokio::test]
async fn a_closed_pay_period_is_told_of_as_late() {
    let (site, receiver) = site(&two("[defaults]\nclosed_through = 2026-03-15\n")).await;
    for time in ["2026-03-20 08:00:00", "2026-03-02 08:00:00", "2026-03-02 14:00:00", "2026-03-02 13:00:00"] {
        punch(&site, "T1", "7", time, 255).await;
    }
    let told = told(&site, &receiver).await;
    let expected = [
        "7 punch in", // of the open period
        "7 punch in",
        "7 late in",
        "7 punch out",
        "7 late out",
        "7 late in", // 08:00 has a departure now
        "7 punch out",
        "7 late out",
        "7 late in", // and 14:00 is an arrival now
    ];
    assert_eq!(told, expected);
    let events: Vec<Value> = receiver.seen().iter().map(Seen::json).collect();
    let metadata = |index: usize| events[index]["metadata"].clone();
    assert_eq!((&metadata(0)["late"], &metadata(1)["late"]), (&Value::Null, &json!(true)));
    assert_eq!((&metadata(2)["about"], &metadata(2)["reason"]), (&events[1]["event_id"], &json!("late_row")));
    assert_eq!((&metadata(8)["revises"], &metadata(8)["old_direction"]), (&events[3]["event_id"], &json!("out")));
    assert!(events.iter().all(|event| event["event_type"] != "attendance.revised"));
}

/// T15: what is older than the first day is kept and shown, and sent only if it is asked for.
#[tokio::test]
async fn history_is_kept_and_not_sent() {
    for backfill in [false, true] {
        let (site, receiver) = site(&two(&format!("[defaults]\ngo_live = 2026-03-02\nbackfill = {backfill}\n"))).await;
        punch(&site, "T1", "7", "2026-03-01 08:00:00", 255).await;
        punch(&site, "T1", "7", "2026-03-02 08:00:00", 255).await;
        site.delivered_all().await;
        // With the next day's arrival, a departure of the first day is missing.
        assert_eq!(receiver.seen().len(), if backfill { 3 } else { 1 });
        let (_, listed) = site.get("/v1/attendance").await;
        let historic: Vec<_> =
            listed["data"].as_array().unwrap().iter().map(|punch| &punch["metadata"]["historic"]).collect();
        assert_eq!(historic, [&Value::Null, &json!(true)]);
    }
}

/// The terminal has told everything up to now.
async fn complete(site: &Site, serial: &str) {
    let complete_to = now().to_rfc3339_opts(SecondsFormat::Secs, true);
    let path = format!("/v1/devices/{serial}/punches?complete_to={complete_to}");
    let request = site.request("POST", &path).bearer_auth(API_KEY);
    assert_eq!(site.call(request).await.0, 200);
    site.gateway.devices.look_at_sites(now()).await.unwrap();
}

fn hours_ago(hours: i64) -> String {
    (now() - TimeDelta::hours(hours)).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// 6.5: time alone says that somebody has forgotten to leave, once every terminal of the site has told everything; and a
/// late departure takes it back.
#[tokio::test]
async fn whoever_should_have_left_by_the_watermark_has_forgotten_to_say_so() {
    let (site, receiver) = site(&two("[defaults]\nsite = \"Plant\"\n")).await;
    punch(&site, "T1", "7", &hours_ago(20), 255).await;
    complete(&site, "T1").await;
    assert_eq!(told(&site, &receiver).await, ["7 punch in"], "T2 may still know more");
    assert_eq!(site.get("/v1/sites").await.1["data"], json!([]));
    complete(&site, "T2").await;
    site.delivered_all().await;
    let events: Vec<Value> = receiver.seen().iter().map(Seen::json).collect();
    let watermark = events.iter().find(|event| event["event_type"] == "site.watermark").unwrap();
    assert_eq!(watermark["site"], "Plant");
    let revised = events.iter().find(|event| event["event_type"] == "attendance.revised").unwrap();
    assert_eq!(revised["metadata"]["exceptions"], json!(["missing_out"]));
    assert_eq!((&revised["metadata"]["reason"], &revised["punch"]["direction"]), (&json!("time_passed"), &json!("in")));
    assert_eq!(events.len(), 3);
    let sites = site.get("/v1/sites").await.1;
    assert_eq!(
        (&sites["data"][0]["site"], &sites["data"][0]["complete_to"]),
        (&json!("Plant"), &watermark["complete_to"])
    );
    let finals = async || {
        let listed = site.get("/v1/attendance").await.1;
        let of = |punch: &Value| punch["metadata"]["final"].as_bool().unwrap();
        listed["data"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(finals().await, [true]);

    // It was in the terminal all along.
    punch(&site, "T2", "7", &hours_ago(12), 255).await;
    site.delivered_all().await;
    let events: Vec<Value> = receiver.seen().iter().map(Seen::json).collect();
    let told: Vec<_> =
        events[3..].iter().map(|event| (&event["event_type"], &event["metadata"]["exceptions"])).collect();
    let none = json!([]);
    assert_eq!(told, [(&json!("attendance.punch"), &none), (&json!("attendance.revised"), &none)]);
    assert_eq!(finals().await, [true, true]);
    punch(&site, "T2", "7", &hours_ago(1), 255).await;
    assert_eq!(finals().await, [false, true, true], "the next shift is not over");
}

/// A row that is held holds the watermark; nothing takes it back.
#[tokio::test]
async fn a_held_row_holds_the_watermark() {
    let (site, _) = site("[[device]]\nserial = \"T1\"\n[[employee]]\nbadge = \"7\"\n").await;
    punch(&site, "T1", "8", &hours_ago(5), 255).await;
    complete(&site, "T1").await;
    let known = async || -> i64 { site.ask("SELECT complete_to / 60000 FROM watermark").await };
    let minutes_ago = |minutes: i64| (now() - TimeDelta::minutes(minutes)).timestamp() / 60;
    assert!((known().await - minutes_ago(300)).abs() <= 1, "{}", known().await);
    assert_eq!(site.post("/v1/employees", json!({ "badge_number": "8" })).await.0, 201);
    complete(&site, "T1").await;
    assert!((known().await - minutes_ago(0)).abs() <= 1);
    punch(&site, "T1", "9", &hours_ago(3), 255).await;
    complete(&site, "T1").await;
    assert!((known().await - minutes_ago(0)).abs() <= 1, "what was called known stays so");
}

/// T17: a zone that was put right moves what came before under the same identity, once somebody asks for it.
#[tokio::test]
async fn a_corrected_zone_moves_older_rows_when_it_is_asked_for() {
    let (site, receiver) = site("[[device]]\nserial = \"T1\"\nzone = \"UTC\"\n").await;
    for time in ["2026-03-02 08:00:00", "2026-03-02 08:00:20", "2026-03-02 17:00:00"] {
        punch(&site, "T1", "7", time, 255).await;
    }
    let ids = site.ask_all("SELECT id FROM row ORDER BY seq").await;
    let url = receiver.url();
    let moved = Config::parse("[[device]]\nserial = \"T1\"\nzone = \"America/Mexico_City\"\n").unwrap();
    let site = site
        .restart(|config| {
            config.devices = moved.devices;
            let events = EndpointConfig::all_events();
            config.endpoints = vec![EndpointConfig { events, ..endpoint(&url, PayloadFormat::Nested) }];
        })
        .await;
    punch(&site, "T1", "7", "2026-03-03 08:00:00", 255).await;
    let times = async || {
        let instants = site.instants("SELECT punched_at FROM row ORDER BY seq").await;
        instants.iter().map(|at| at.format("%d %T").to_string()).collect::<Vec<_>>()
    };
    assert_eq!(times().await, ["02 08:00:00", "02 08:00:20", "02 17:00:00", "03 14:00:00"], "what came before stays");
    let (status, done) = site.post("/v1/devices/T1/redate", json!({})).await;
    assert_eq!((status, &done["data"]), (200, &json!({ "looked_at": 4, "moved": 3 })));
    assert_eq!(times().await, ["02 14:00:00", "02 14:00:20", "02 23:00:00", "03 14:00:00"]);
    assert_eq!(site.ask_all("SELECT id FROM row ORDER BY seq").await[..3], ids);
    site.delivered_all().await;
    let events: Vec<Value> = receiver.seen().iter().map(Seen::json).collect();
    let revised: Vec<&Value> = events.iter().filter(|event| event["event_type"] == "attendance.revised").collect();
    let told: Vec<_> = revised
        .iter()
        .map(|event| {
            let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap();
            assert_eq!(text("/metadata/reason"), "zone_changed");
            (text("/metadata/revises"), text("/metadata/old_timestamp"), text("/timestamp"), text("/punch/local_time"))
        })
        .collect();
    let expected = [
        (ids[0].as_str(), "2026-03-02T08:00:00Z", "2026-03-02T14:00:00Z", "2026-03-02T08:00:00-06:00"),
        (ids[2].as_str(), "2026-03-02T17:00:00Z", "2026-03-02T23:00:00Z", "2026-03-02T17:00:00-06:00"),
    ];
    assert_eq!(told, expected);
    let (_, listed) = site.get("/v1/attendance").await;
    let listed: Vec<_> = listed["data"].as_array().unwrap().iter().map(|punch| &punch["timestamp"]).collect();
    assert_eq!(listed, ["2026-03-03T14:00:00Z", "2026-03-02T23:00:00Z", "2026-03-02T14:00:00Z"]);
    let (_, again) = site.post("/v1/devices/T1/redate", json!({})).await;
    assert_eq!(again["data"], json!({ "looked_at": 4, "moved": 0 }));
    let (status, wrong) = site.post("/v1/devices/T1/redate", json!({ "since": "yesterday" })).await;
    assert_eq!((status, &wrong["error"]["field"]), (400, &json!("since")));
    assert_eq!(site.upload("T1", "ATTLOG", "7\t2026-03-02 08:00:00\t255\t1\t0\n").await.body, "OK: 1");
    assert_eq!(site.fates().await, ["delivered", "suppressed", "delivered", "delivered"], "sent again, it is known");
}

/// Section 6, precedence: what somebody says goes before everything, survives what comes later, and can be taken back.
#[tokio::test]
async fn a_direction_by_hand_goes_before_all_others() {
    let (site, receiver) = site(&two("")).await;
    for time in ["2026-03-02 08:00:00", "2026-03-02 17:00:00"] {
        punch(&site, "T1", "7", time, 255).await;
    }
    let ids = site.ask_all("SELECT id FROM row ORDER BY seq").await;
    let path = format!("/v1/attendance/{}/direction", ids[0]);
    let (status, way) = site.post(&path, json!({ "direction": "out", "note": "came at six, forgot" })).await;
    let way = &way["data"];
    assert_eq!((status, &way["direction"], &way["direction_source"]), (200, &json!("out"), &json!("manual")));
    assert_eq!((&way["manual"], &way["manual_note"]), (&json!("out"), &json!("came at six, forgot")));
    let expected = ["7 punch in", "7 punch out", "7 revised out", "7 revised in"];
    assert_eq!(told(&site, &receiver).await, expected);
    let reasons = site.ask_all("SELECT DISTINCT reason FROM revision").await;
    assert_eq!(reasons, ["by_hand"]);
    // A late row before it changes nothing of it.
    punch(&site, "T2", "7", "2026-03-02 06:00:00", 255).await;
    assert_eq!(site.ask_all("SELECT direction FROM row ORDER BY punched_at").await, ["in", "out", "in"]);
    assert_eq!(site.post(&path, json!({ "direction": null })).await.0, 200);
    assert_eq!(site.ask_all("SELECT direction FROM row ORDER BY punched_at").await, ["in", "out", "in"]);
    for (path, body, expected) in [
        (path.as_str(), json!({ "direction": "sideways" }), (400, "direction")),
        (&path, json!({ "direction": "in", "note": "x".repeat(501) }), (400, "note")),
        ("/v1/attendance/evt_nobody/direction", json!({ "direction": "in" }), (404, "")),
    ] {
        let (status, answer) = site.post(path, body).await;
        assert_eq!((status, answer["error"]["field"].as_str().unwrap_or_default()), expected);
    }
}
