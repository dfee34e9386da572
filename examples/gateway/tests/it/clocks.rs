//! Clocks and zones from outside: rows and calls into the device listener, probes into the API, answers out of it.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, TimeDelta, Utc};
use gateway::clock::now;
use gateway::config::{Config, EndpointConfig};
use punch_normalize::{ClockPolicy, DeviceZone};
use punch_webhook::PayloadFormat;
use serde_json::{Value, json};

use crate::api::check_error;
use crate::harness::{API_KEY, Recorder, Seen, Site, device, endpoint, get};

fn in_zone(zone: &str) -> impl FnOnce(&mut Config) {
    let zone = DeviceZone::parse(zone).unwrap();
    move |config| {
        let mut device = device("T1");
        device.profile.zone = zone;
        config.devices = vec![device];
    }
}

/// A clock that needs `behind` seconds added and is `east` minutes east of UTC.
fn shows(behind: i64, east: i64) -> DateTime<Utc> {
    now() - TimeDelta::seconds(behind) + TimeDelta::minutes(east)
}

impl Site {
    /// `count` people punch, one after another, at a terminal with such a clock.
    async fn punches(&self, first: usize, count: usize, behind: i64, east: i64) {
        for pin in first..first + count {
            self.punch(&format!("{pin}\t{}\t0\t1\n", shows(behind, east).format("%Y-%m-%d %H:%M:%S"))).await;
        }
    }

    async fn t1(&self) -> Value {
        let (status, answer) = self.get("/v1/devices/T1").await;
        assert_eq!(status, 200, "{answer}");
        answer["data"].clone()
    }

    async fn probe(&self, serial: &str, behind: i64) -> (u16, Value) {
        let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let device_time = shows(behind, 0).format("%Y-%m-%dT%H:%M:%S").to_string();
        let body = json!({ "device_time": device_time, "before": time(now()), "after": time(now()) });
        self.post(&format!("/v1/devices/{serial}/clock"), body).await
    }

    /// Everything the store has of the clock, and how much was ever written.
    async fn written(&self) -> (Vec<String>, u64) {
        let rows = self.ask_all("SELECT state || zones || coalesce(CAST(alarm_since AS TEXT), '') FROM clock").await;
        let mut log = self.store_path().into_os_string();
        log.push("-wal");
        (rows, std::fs::metadata(log).map_or(0, |log| log.len()))
    }
}

/// Measurements have seconds: of one second nobody knows which came first.
async fn next_second() {
    tokio::time::sleep(core::time::Duration::from_millis(1_100)).await;
}

fn near(found: &Value, expected: i64) -> bool {
    // The terminal cuts off what is less than a second, and a busy machine adds some.
    found.as_i64().is_some_and(|found| (expected..expected + 4).contains(&found))
}

#[tokio::test]
async fn live_rows_measure_the_clock_and_the_api_says_how_to_mend_it() {
    let site = Site::start(in_zone("America/Mexico_City")).await;
    let unknown = site.t1().await;
    assert_eq!((&unknown["zone"], &unknown["zone_changes"]), (&json!("America/Mexico_City"), &json!([])));
    assert_eq!((&unknown["clock"]["health"], &unknown["clock"]["samples"]), (&json!("unknown"), &json!(0)));
    assert_eq!(unknown["clock"]["offset_s"], Value::Null);

    site.punches(1, 6, 47, -360).await;
    let drift = site.t1().await["clock"].clone();
    assert!(near(&drift["offset_s"], 47) && drift["samples"] == 5, "{drift}");
    assert_eq!((&drift["health"], &drift["alarm_since"]), (&json!("drift"), &Value::Null));
    assert!(drift["advice"].as_str().unwrap().ends_with("synchronise it"), "{drift}");
    let (_, list) = site.get("/v1/devices").await;
    assert_eq!(list["data"][0]["clock"]["health"], "drift");

    // It is told the time and another zone: what was measured is void, and is measured anew.
    let target = "/iclock/cdata?SN=T1&options=all&pushver=2.4.1";
    assert!(get(site.gateway.device_addr, target).await.body.contains("\nTimeZone=-6\n"));
    assert_eq!(site.t1().await["clock"]["health"], "unknown");
    next_second().await;
    site.punches(11, 5, 9_001, -360).await;
    let wrong = site.t1().await["clock"].clone();
    assert_eq!(wrong["health"], "timezone_misconfigured", "{wrong}");
    assert!(wrong["alarm_since"].is_string() && wrong["alarm_cause"] == "measured", "{wrong}");
    let advice = wrong["advice"].as_str().unwrap();
    assert!(advice.contains("wrong by 150 minutes") && advice.contains("set its zone here to -08:30"), "{advice}");

    let site = site.restart(in_zone("America/Mexico_City")).await;
    assert_eq!(site.t1().await["clock"]["alarm_since"], wrong["alarm_since"], "the next life knows");
    assert_eq!(site.get("/v1/devices/T9").await.0, 404);
}

/// T14: the row is delivered, and the alarm is there with it.
#[tokio::test]
async fn a_row_ahead_of_its_receipt_opens_the_alarm() {
    let site = Site::start(in_zone("UTC")).await;
    site.punches(1, 1, -600, 0).await;
    let clock = site.t1().await["clock"].clone();
    assert_eq!((&clock["health"], &clock["alarm_cause"]), (&json!("unknown"), &json!("row_ahead")));
    assert!(clock["advice"].as_str().unwrap().starts_with("the terminal's clock was ahead"), "{clock}");
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row WHERE fate = 'delivered'").await, 1);
}

/// By default the instant stands and the offset is told beside it; a policy that corrects says so; one that holds keeps
/// the row.
#[tokio::test]
async fn each_policy_does_what_it_says_with_a_clock_that_is_measured() {
    for (policy, behind, fate, quality, moved) in [
        (ClockPolicy::Flag, 47, "delivered", "exact", 0),
        (ClockPolicy::Adjust, 47, "delivered", "adjusted", 47),
        (ClockPolicy::Adjust, 740, "delivered", "exact", 0),
        (ClockPolicy::AdjustWrong, 740, "delivered", "adjusted", 740),
        (ClockPolicy::AdjustWrong, 3_600, "delivered", "exact", 0),
        (ClockPolicy::Quarantine, 47, "delivered", "exact", 0),
        (ClockPolicy::Quarantine, 3_600, "held", "", 0),
    ] {
        let site = Site::start(|config| config.devices[0].profile.clock = policy).await;
        site.punches(1, 7, behind, 0).await;
        let offset: i64 = site.ask("SELECT coalesce(clock_offset_s, -1) FROM row ORDER BY seq DESC LIMIT 1").await;
        assert!(fate == "held" || near(&json!(offset), behind), "{policy:?} {behind}: {offset}");
        let sql =
            "SELECT fate || ' ' || coalesce(time_quality, '') || ' ' || coalesce(CAST(clock_offset_s AS TEXT), '')
                   FROM row ORDER BY seq DESC LIMIT 1";
        let mut told: String = site.ask(sql).await;
        let last = "SELECT punched_at FROM row WHERE punched_at IS NOT NULL AND seq = (SELECT max(seq) FROM row)";
        for at in site.instants(last).await {
            let shown: String = site.ask("SELECT device_local FROM row ORDER BY seq DESC LIMIT 1").await;
            let shown = shown.parse::<NaiveDateTime>().unwrap();
            told += &format!(" {}", at.naive_utc().signed_duration_since(shown).num_seconds());
        }
        let moved = if moved == 0 { 0 } else { offset };
        let expected = if fate == "held" { "held  ".to_owned() } else { format!("{fate} {quality} {offset} {moved}") };
        assert_eq!(told, expected, "{policy:?} {behind}");
        // What was received before anything was measured stays as it was.
        let first: String =
            site.ask("SELECT coalesce(CAST(clock_offset_s AS TEXT), 'none') FROM row WHERE seq = 1").await;
        assert_eq!(first, "none");
    }
}

/// T17: rows received from now on are in the new zone, the ones before keep theirs, and the terminal is told.
#[tokio::test]
async fn a_changed_zone_applies_to_what_is_received_since() {
    let site = Site::start(in_zone("America/Mexico_City")).await;
    site.punch("1\t2026-03-28 08:00:00\t0\t1\n").await;
    let changed_from = now() - TimeDelta::seconds(1);
    let site = site.restart(in_zone("America/Tijuana")).await;
    let device = site.t1().await;
    assert_eq!(device["zone"], "America/Tijuana");
    let change = &device["zone_changes"][0];
    assert_eq!((&change["zone"], &change["former"]), (&json!("America/Tijuana"), &json!("America/Mexico_City")));
    assert!(change["from"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap() >= changed_from, "{change}");
    let addr = site.gateway.device_addr;
    assert_ne!(get(addr, "/iclock/getrequest?SN=T1").await.body, "OK", "it has to shake hands");
    let told = get(addr, "/iclock/cdata?SN=T1&options=all&pushver=2.4.1").await;
    assert!(told.body.contains("\nTimeZone=-8\n") || told.body.contains("\nTimeZone=-7\n"), "{}", told.body);
    assert_eq!(get(addr, "/iclock/getrequest?SN=T1").await.body, "OK");

    site.punch("2\t2026-03-28 08:00:00\t0\t1\n").await;
    site.punch("1\t2026-03-28 08:00:00\t0\t1\n").await;
    let instants = site.instants("SELECT punched_at FROM row ORDER BY pin").await;
    assert_eq!(
        instants,
        ["2026-03-28T14:00:00Z", "2026-03-28T15:00:00Z"].map(|at| at.parse::<DateTime<Utc>>().unwrap())
    );
    // The same zone at the next start is no change.
    let site = site.restart(in_zone("America/Tijuana")).await;
    assert_eq!(site.t1().await["zone_changes"].as_array().unwrap().len(), 1);
}

/// Design 7: what stores nothing writes nothing.
#[tokio::test]
async fn replays_polls_and_times_told_to_a_clock_that_nobody_measured_cost_no_write() {
    let site = Site::start(in_zone("UTC")).await;
    site.punches(1, 6, 47, 0).await;
    let row: String = site.ask("SELECT replace(device_local, 'T', ' ') FROM row WHERE person = '6'").await;
    let before = site.written().await;
    let addr = site.gateway.device_addr;
    for _ in 0..3 {
        site.punch(&format!("6\t{row}\t0\t1\n")).await;
        get(addr, "/iclock/getrequest?SN=T1").await;
        get(addr, "/iclock/ping?SN=T1").await;
    }
    assert_eq!(site.written().await, before);
    // The first time that is told voids what was measured; the others find nothing.
    get(addr, "/iclock/cdata?SN=T1&options=all&pushver=2.4.1").await;
    let void = site.written().await;
    assert_ne!(void.0, before.0);
    for _ in 0..3 {
        get(addr, "/iclock/cdata?SN=T1&options=all&pushver=2.4.1").await;
    }
    assert_eq!(site.written().await, void);
}

#[tokio::test]
async fn a_probe_stands_alone_and_one_that_says_the_same_is_not_written() {
    let site = Site::start(in_zone("UTC")).await;
    let (status, answer) = site.probe("T1", 740).await;
    assert_eq!((status, &answer["data"]["health"]), (200, &json!("clock_wrong")), "{answer}");
    assert!(near(&answer["data"]["offset_s"], 740) && answer["data"]["samples"] == 5, "{answer}");
    assert_eq!(answer["data"]["alarm_cause"], "measured");
    let before = site.written().await;
    assert_eq!(site.probe("T1", 740).await.1["data"]["health"], "clock_wrong");
    assert_eq!(site.written().await, before, "it says the same");

    // With the next rows it is written: what the agent read is dated between two probes.
    let forwarded = json!({ "pin": "1", "time": shows(741, 0).format("%Y-%m-%dT%H:%M:%S").to_string() }).to_string();
    let request = site.request("POST", "/v1/devices/T1/punches").bearer_auth(API_KEY);
    assert_eq!(site.call(request.body(forwarded)).await.0, 200);
    let since = site.written().await;
    assert_ne!(since.0, before.0);

    next_second().await;
    let (_, mended) = site.probe("T1", 0).await;
    assert_eq!((&mended["data"]["health"], &mended["data"]["alarm_since"]), (&json!("ok"), &Value::Null), "{mended}");
    assert_eq!(site.t1().await["clock"], mended["data"]);
}

/// S2-064: told once when it opens and once when it closes, to whom wants to know, whatever else is measured meanwhile.
#[tokio::test]
async fn an_alarm_is_an_event_when_it_opens_and_when_it_closes() {
    let (receiver, punches) = (Recorder::always(200).await, Recorder::always(200).await);
    let site = Site::start(|config| {
        let mut all = endpoint(&receiver.url(), PayloadFormat::Nested);
        all.events = EndpointConfig::default_events();
        config.endpoints = vec![all, endpoint(&punches.url(), PayloadFormat::Nested)];
    })
    .await;
    for behind in [740, 3_600, 100, 12] {
        assert_eq!(site.probe("T1", behind).await.0, 200);
        next_second().await;
    }
    site.delivered_all().await;
    let told: Vec<Value> = receiver.seen().iter().map(Seen::json).collect();
    let states: Vec<&Value> = told.iter().map(|event| &event["state"]).collect();
    assert_eq!(states, ["opened", "closed"], "{told:?}");
    assert_ne!(told[0]["event_id"], told[1]["event_id"]);
    assert_eq!((&told[0]["event_type"], &told[0]["clock"]["health"]), (&json!("device.clock"), &json!("clock_wrong")));
    assert!(near(&told[0]["clock"]["offset_s"], 740), "{}", told[0]);
    assert!(told[0]["clock"]["advice"].as_str().unwrap().contains("look at its battery"), "{}", told[0]);
    assert_eq!(told[1]["clock"]["health"], "drift");

    // A row that is ahead opens it in the transaction that stores the row.
    site.punches(1, 1, -600, 0).await;
    site.delivered_all().await;
    let told: Vec<String> =
        receiver.seen().iter().map(|seen| seen.json()["event_type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told[2..].iter().filter(|word| *word == "device.clock").count(), 1, "{told:?}");
    assert_eq!(punches.seen().len(), 1);
}

#[tokio::test]
async fn a_probe_that_measures_nothing_is_refused_and_changes_nothing() {
    let site = Site::start(in_zone("Europe/Madrid")).await;
    let time = |seconds: i64| (now() + TimeDelta::seconds(seconds)).to_rfc3339_opts(SecondsFormat::Millis, true);
    let civil = "2026-07-01T08:00:00";
    let cases = [
        (json!({}), "device_time"),
        (json!({ "device_time": civil, "before": time(0) }), "after"),
        (json!({ "device_time": civil, "before": "yesterday", "after": time(0) }), "before"),
        (json!({ "device_time": civil, "before": time(0), "after": time(0), "pin": "1" }), "pin"),
        (json!({ "device_time": "2026-07-01 08:00:00", "before": time(0), "after": time(0) }), "device_time"),
        (json!({ "device_time": "2026-13-01T08:00:00", "before": time(0), "after": time(0) }), "device_time"),
        (json!({ "device_time": "2026-10-25T02:30:00", "before": time(0), "after": time(0) }), "device_time"),
        (json!({ "device_time": "2000-01-01T00:00:09", "before": time(0), "after": time(0) }), "device_time"),
        (json!({ "device_time": civil, "before": time(0), "after": time(-1) }), "after"),
        (json!({ "device_time": civil, "before": time(-6), "after": time(0) }), "after"),
        (json!({ "device_time": civil, "before": time(-20), "after": time(-20) }), "after"),
        (json!({ "device_time": civil, "before": time(9), "after": time(9) }), "after"),
    ];
    for (body, field) in cases {
        let (status, error) = site.post("/v1/devices/T1/clock", body.clone()).await;
        assert_eq!(status, 400, "{body} {error}");
        check_error(&error, "validation_failed");
        assert_eq!(error["error"]["field"], field, "{error}");
    }
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM clock").await, 0);
    let (status, error) = site.probe("NEW1", 0).await;
    assert_eq!(status, 409, "{error}");
    check_error(&error, "device_not_approved");
    let (status, _) = site.call(site.request("GET", "/v1/devices/T1")).await;
    assert_eq!(status, 401);
}
