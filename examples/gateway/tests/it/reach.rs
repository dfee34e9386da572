//! Terminals that come and go, are let in and kept out: who asked for `device.status` is told, once each.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gateway::clock::now;
use gateway::config::{Config, EndpointConfig};
use punch_webhook::PayloadFormat;
use serde_json::json;

use crate::harness::{API_KEY, Recorder, Site, device, endpoint, get};

/// Tests look when they say so, and nobody else does.
pub(crate) const NEVER: Duration = Duration::from_secs(86_400);

/// Longer than a terminal may be silent: three times 30 seconds, a tenth more by its serial number, and a minute.
const SILENCE: TimeDelta = TimeDelta::seconds(160);

fn asking(receiver: &Recorder, events: &[&str]) -> EndpointConfig {
    let mut config = endpoint(&receiver.url(), PayloadFormat::Nested);
    config.events = events.iter().map(|event| (*event).to_owned()).collect();
    config
}

async fn site(receiver: &Recorder, change: impl FnOnce(&mut Config)) -> Site {
    let endpoint = asking(receiver, &["device.status"]);
    Site::start(move |config| {
        config.endpoints.push(endpoint);
        config.look_every = NEVER;
        change(config);
    })
    .await
}

impl Site {
    pub(crate) async fn look(&self, at: DateTime<Utc>) {
        self.gateway.devices.look_at_reach(DateTime::UNIX_EPOCH, at).await.unwrap();
    }

    pub(crate) async fn ping(&self, serial: &str) {
        get(self.gateway.device_addr, &format!("/iclock/getrequest?SN={serial}")).await;
    }
}

/// Serial and status of every event, in the order of arrival, and that no id came twice.
fn told(receiver: &Recorder) -> Vec<String> {
    let seen = receiver.seen();
    assert_eq!(receiver.event_ids().len(), seen.len(), "each has an id of its own");
    let line = |event: serde_json::Value| {
        assert_eq!(event["event_type"], "device.status");
        format!("{} {}", event["device"]["serial_number"], event["status"]).replace('"', "")
    };
    seen.iter().map(|seen| line(seen.json())).collect()
}

/// S1-004, S2-043: a terminal went away, and came back.
#[tokio::test]
async fn a_terminal_that_comes_and_goes_is_told_once_each_over_restarts_too() {
    let receiver = Recorder::always(200).await;
    let site = site(&receiver, |_| ()).await;
    site.look(now()).await;
    site.delivered_all().await;
    assert!(
        told(&receiver).is_empty(),
        "nobody was there yet, and what the file names beside an endpoint is no news to it"
    );
    site.ping("T1").await;
    for _ in 0..2 {
        site.look(now()).await;
        site.look(now() + TimeDelta::seconds(100)).await;
    }
    site.look(now() + SILENCE).await;
    site.look(now() + SILENCE * 2).await;
    site.delivered_all().await;
    assert_eq!(told(&receiver), ["T1 online", "T1 offline"]);

    // What was told is in the store.
    let site = site.restart(|config| config.look_every = NEVER).await;
    site.look(now() + SILENCE).await;
    site.ping("T1").await;
    site.look(now()).await;
    site.delivered_all().await;
    assert_eq!(told(&receiver)[2..], ["T1 online"]);

    // After a start it is waited for as long as ever: nobody has listened meanwhile.
    let site = site.restart(|config| config.look_every = NEVER).await;
    let since = now();
    site.gateway.devices.look_at_reach(since, since + TimeDelta::seconds(150)).await.unwrap();
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM event").await, 3);
    site.gateway.devices.look_at_reach(since, since + SILENCE).await.unwrap();
    site.delivered_all().await;
    assert_eq!(told(&receiver)[3..], ["T1 offline"]);
}

/// S2-043: people decide, and that is told in the transaction in which it is so.
#[tokio::test]
async fn who_is_let_in_or_kept_out_is_told() {
    let receiver = Recorder::always(200).await;
    let site = site(&receiver, |config| config.devices.clear()).await;
    site.ping("T2").await;
    let decide = |admission: &str| {
        let request = site.request("PATCH", "/v1/devices/T2").bearer_auth(API_KEY);
        site.call(request.header("Content-Type", "application/json").body(json!({"admission": admission}).to_string()))
    };
    for admission in ["approved", "approved", "blocked", "blocked", "approved"] {
        assert_eq!(decide(admission).await.0, 200);
        // The first call after it was let in is that it came, and one that is kept out does not go away.
        site.ping("T2").await;
        site.look(now()).await;
    }
    assert_eq!(decide("blocked").await.0, 200);
    site.look(now() + SILENCE).await;
    site.delivered_all().await;
    let once = ["T2 approved", "T2 online", "T2 blocked"];
    assert_eq!(told(&receiver), [once, once].concat());
}

/// How long a terminal may be silent can be said of it, of its site and of all.
#[tokio::test]
async fn the_silence_that_is_too_long_can_be_chosen() {
    let receiver = Recorder::always(200).await;
    let site = site(&receiver, |config| {
        let mut patient = device("T2");
        patient.profile.offline_after = Some(TimeDelta::hours(2));
        config.devices.push(patient);
    })
    .await;
    for serial in ["T1", "T2"] {
        site.ping(serial).await;
    }
    site.look(now()).await;
    site.look(now() + SILENCE).await;
    site.look(now() + TimeDelta::minutes(119)).await;
    site.delivered_all().await;
    assert!(!told(&receiver).contains(&"T2 offline".to_owned()), "{:?}", told(&receiver));
    site.look(now() + TimeDelta::minutes(121)).await;
    site.delivered_all().await;
    assert_eq!(told(&receiver).iter().filter(|told| told.ends_with("offline")).count(), 2);
    let (_, shown) = site.get("/v1/devices/T2").await;
    assert_eq!(shown["data"]["status"], "online");
}

/// An agent that asks whether there is something to do is no sign that the terminal is there; what it read of it is.
#[tokio::test]
async fn a_terminal_that_is_read_is_there_as_long_as_it_is_read() {
    let receiver = Recorder::always(200).await;
    let site = site(&receiver, |_| ()).await;
    let (status, _) = site.get("/v1/devices/T1/steps").await;
    assert_eq!(status, 200);
    site.look(now()).await;
    assert_eq!(site.post("/v1/devices/T1/probe", json!({"model": "K40"})).await.0, 200);
    site.look(now()).await;
    site.look(now() + TimeDelta::minutes(15)).await;
    site.delivered_all().await;
    assert_eq!(told(&receiver), ["T1 online"]);
    site.look(now() + TimeDelta::minutes(17)).await;
    site.delivered_all().await;
    assert_eq!(told(&receiver)[1..], ["T1 offline"]);
}

/// Rows that somebody brings now and then are no promise to bring more.
#[tokio::test]
async fn a_terminal_that_is_read_by_hand_never_goes_away() {
    let receiver = Recorder::always(200).await;
    let site = site(&receiver, |_| ()).await;
    let row = r#"{"serial":"T1","pin":"1001","time":"2026-03-02T08:00:00"}"#;
    let request = site.request("POST", "/v1/devices/T1/punches").bearer_auth(API_KEY);
    let (status, answer) = site.call(request.header("Content-Type", "application/x-ndjson").body(row)).await;
    assert_eq!(status, 200, "{answer}");
    site.look(now()).await;
    site.look(now() + TimeDelta::days(3)).await;
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM event WHERE type = 'device.status'").await, 0);
}
