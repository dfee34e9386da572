//! Rows that are held aside: looked at, taken once more, put right, put away; and what releases them by itself.

use std::collections::BTreeSet;

use punch_normalize::DeviceZone;
use serde_json::{Value, json};

use crate::harness::{Recorder, Seen, Site, device, eventually};

async fn held(site: &Site, query: &str) -> Vec<Value> {
    let (status, held) = site.get(&format!("/v1/quarantine{query}")).await;
    assert_eq!(status, 200, "{held}");
    held["data"].as_array().unwrap().clone()
}

async fn id(site: &Site, reason: &str) -> String {
    held(site, &format!("?reason={reason}")).await[0]["id"].as_str().unwrap().to_owned()
}

/// One row for every reason that a terminal can give.
const ROWS: &str = "7\t2000-01-01 00:00:07\t0\t1\t0\n\t2026-03-02 08:00:00\t0\t1\t0\n\
                    7\t2090-03-02 08:00:00\t0\t1\t0\njunk\n";

/// S2-068 to S2-070: what is held is listed by reason and terminal, with what to do.
#[tokio::test]
async fn held_rows_are_listed_counted_and_shown_with_what_to_do() {
    let site = Site::start(|config| config.devices.push(device("T2"))).await;
    site.punch(ROWS).await;
    assert_eq!(site.upload("T2", "ATTLOG", "junk\n").await.body, "OK: 1");
    assert_eq!(held(&site, "").await.len(), 5);
    assert_eq!(held(&site, "?reason=malformed&device=T2").await.len(), 1);
    assert_eq!(held(&site, "?since=2090-01-01T00:00:00Z").await.len(), 0);
    let summary = site.get("/v1/quarantine/summary").await.1;
    assert_eq!(summary["data"], json!({ "anonymous": 1, "clock_reset": 1, "future": 1, "malformed": 2 }));
    let (_, row) = site.get(&format!("/v1/quarantine/{}", id(&site, "clock_reset").await)).await;
    let row = &row["data"];
    assert_eq!((&row["fate"], &row["device_local"]), (&json!("held"), &json!("2000-01-01T00:00:07")));
    assert!(row["advice"].as_str().unwrap().contains("release the row with the right shift"), "{row}");
    for (path, field) in [("?reason=bad", "reason"), ("?color=red", "color"), ("?per_page=0", "per_page")] {
        let (status, answer) = site.get(&format!("/v1/quarantine{path}")).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)), "{path}");
    }
    assert_eq!(site.get("/v1/quarantine/evt_nobody").await.0, 404);
}

/// T12, T13: somebody says what the clock was off by. What it showed, and the identity, stay.
#[tokio::test]
async fn rows_of_an_unset_clock_go_out_once_somebody_says_by_how_much() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    site.punch("7\t2000-01-01 00:00:07\t0\t1\t0\n7\t2000-01-01 09:00:07\t1\t1\t0\n").await;
    let identities = site.ask_all("SELECT id FROM row ORDER BY seq").await;
    // True time minus what it showed: 2026-03-02 08:00 was midnight of 2000.
    let shift = 825_724_800 + 28_800;
    let (status, done) = site.post("/v1/devices/T1/reanchor", json!({ "shift_seconds": shift })).await;
    assert_eq!(
        (status, &done["data"]),
        (200, &json!({ "tried": 2, "delivered": 2, "suppressed": 0, "replayed": 0, "held": 0 }))
    );
    site.delivered_all().await;
    let seen = receiver.seen();
    let told = seen.iter().map(Seen::json).map(|event| {
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        (text("/event_id"), text("/timestamp"), text("/metadata/time_quality"), text("/metadata/device_local"))
    });
    let told: BTreeSet<_> = told.collect();
    let line =
        |id: &str, at: &str, shown: &str| (id.to_owned(), at.to_owned(), "reanchored".to_owned(), shown.to_owned());
    let expected = [
        line(&identities[0], "2026-03-02T08:00:07Z", "2000-01-01T00:00:07"),
        line(&identities[1], "2026-03-02T17:00:07Z", "2000-01-01T09:00:07"),
    ];
    assert_eq!(told, BTreeSet::from(expected));
    let (_, way) = site.get(&format!("/v1/attendance/{}", identities[0])).await;
    assert_eq!(way["data"]["shift_seconds"], shift);
    // Sent again, they are known; and a changed zone moves nothing that was dated by hand.
    site.punch("7\t2000-01-01 00:00:07\t0\t1\t0\n").await;
    assert_eq!(site.fates().await, ["delivered", "delivered"]);
}

/// S2-070: who it is was said by hand, and is registered later.
#[tokio::test]
async fn a_row_whose_person_was_said_by_hand_waits_for_that_person() {
    let receiver = Recorder::always(200).await;
    let mut held = Site::start(|config| {
        config.unknown_badges = gateway::config::UnknownBadges::Hold;
        config.endpoints = vec![crate::harness::endpoint(&receiver.url(), punch_webhook::PayloadFormat::Nested)];
    })
    .await;
    for (pin, restarts) in [("9", false), ("10", true)] {
        held.punch(&format!("\t2026-03-02 08:00:{pin:0>2}\t0\t1\t0\n")).await;
        let anonymous = id(&held, "anonymous").await;
        let (status, _) = held.post(&format!("/v1/quarantine/{anonymous}/fix"), json!({ "pin": pin })).await;
        assert_eq!(status, 200);
        assert_eq!(id(&held, "unregistered_badge").await, anonymous);
        if restarts {
            held = held
                .restart(|config| {
                    config.unknown_badges = gateway::config::UnknownBadges::Hold;
                    config.employees =
                        gateway::config::Config::parse("[[employee]]\nbadge = \"10\"\n").unwrap().employees;
                })
                .await;
        } else {
            held.post("/v1/employees", json!({ "badge_number": pin })).await;
        }
        eventually("it is released", async || {
            (held.ask::<i64>("SELECT count(*) FROM row WHERE fate = 'held'").await == 0).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_row_that_names_nobody_or_cannot_be_read_is_put_right() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    site.punch(ROWS).await;
    let (anonymous, malformed) = (id(&site, "anonymous").await, id(&site, "malformed").await);
    let fix = async |id: &str, body: Value| site.post(&format!("/v1/quarantine/{id}/fix"), body).await;
    let (status, done) = fix(&anonymous, json!({ "pin": "9" })).await;
    assert_eq!((status, &done["data"]["delivered"]), (200, &json!(1)));
    let (status, done) = fix(&malformed, json!({ "text": "8\t2026-03-02 09:00:00\t1\t1" })).await;
    assert_eq!((status, &done["data"]["delivered"]), (200, &json!(1)));
    site.delivered_all().await;
    assert_eq!(receiver.badges(), BTreeSet::from(["8", "9"].map(str::to_owned)));
    // The bytes that could not be read stay, with what stands for them.
    let (_, row) = site.get(&format!("/v1/quarantine/{malformed}")).await;
    assert_eq!((&row["data"]["fate"], &row["data"]["raw"]), (&json!("discarded"), &json!("junk")));
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row AS bad JOIN row ON row.id = bad.duplicate_of").await, 1);
    let future = id(&site, "future").await;
    for (id, body, field) in [
        (&future, json!({}), "shift_seconds"),
        (&future, json!({ "text": "8\t2026-03-02 09:00:00\t1" }), "text"),
        (&future, json!({ "shift_seconds": i64::MAX }), "shift_seconds"),
        (&future, json!({ "pin": "" }), "pin"),
    ] {
        let (status, answer) = fix(id, body).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)));
    }
}

#[tokio::test]
async fn what_is_put_away_is_kept_counted_and_can_be_taken_back() {
    let site = Site::start(|_| ()).await;
    site.punch(ROWS).await;
    let anonymous = id(&site, "anonymous").await;
    let path = |verb: &str| format!("/v1/quarantine/{anonymous}/{verb}");
    assert_eq!(site.post(&path("discard"), json!({ "reason": " " })).await.0, 400);
    let (status, row) = site.post(&path("discard"), json!({ "reason": "a test of the installer" })).await;
    assert_eq!(
        (status, &row["data"]["fate"], &row["data"]["put_away"]),
        (200, &json!("discarded"), &json!("a test of the installer"))
    );
    assert_eq!(held(&site, "").await.len(), 3);
    assert_eq!(held(&site, "?discarded=true").await.len(), 1);
    // The terminal may send it as often as it likes.
    site.punch("\t2026-03-02 08:00:00\t0\t1\t0\n").await;
    assert_eq!(held(&site, "").await.len(), 3);
    let (_, status) = site.get("/status").await;
    assert_eq!(
        (&status["data"]["counts"]["held_rows"], &status["data"]["counts"]["discarded_rows"]),
        (&json!(3), &json!(1))
    );
    let (_, back) = site.post(&path("retry"), json!({})).await;
    assert_eq!(back["data"], json!({ "tried": 1, "delivered": 0, "suppressed": 0, "replayed": 0, "held": 1 }));
    assert_eq!(held(&site, "").await.len(), 4);
    let malformed = id(&site, "malformed").await;
    let (status, answer) = site.post(&format!("/v1/quarantine/{malformed}/retry"), json!({})).await;
    assert_eq!((status, &answer["error"]["code"]), (409, &json!("conflict")));
}

/// What was held releases itself: the badge is in the file now, the zone is put right.
#[tokio::test]
async fn rows_are_released_when_their_cause_goes() {
    let zone = |text: &str| DeviceZone::parse(text).unwrap();
    let known = gateway::config::Config::parse("[[employee]]\nbadge = \"7\"\n").unwrap().employees;
    let site = Site::start(|config| {
        config.unknown_badges = gateway::config::UnknownBadges::Hold;
        config.devices[0].profile.zone = zone("-12:00");
    })
    .await;
    let tomorrow = (gateway::clock::now() + chrono::TimeDelta::hours(13)).format("%Y-%m-%d %H:%M:%S");
    site.punch(&format!("7\t2026-03-02 08:00:00\t0\t1\t0\n8\t2026-03-02 08:00:00\t0\t1\t0\n7\t{tomorrow}\t0\t1\t0\n"))
        .await;
    assert_eq!(site.fates().await, ["held/unregistered_badge", "held/unregistered_badge", "held/future"]);
    let site = site
        .restart(|config| {
            config.unknown_badges = gateway::config::UnknownBadges::Hold;
            config.devices[0].profile.zone = zone("+14:00");
            config.employees = known;
        })
        .await;
    eventually("what was put right is released", async || {
        (site.fates().await == ["delivered", "held/unregistered_badge", "delivered"]).then_some(())
    })
    .await;
}
