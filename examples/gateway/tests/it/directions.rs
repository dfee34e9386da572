//! Which way punches go: by role, key, and the punches around them; and what a late row changes of what was told.

use chrono::TimeDelta;
use gateway::config::{Config, EndpointConfig};
use gateway::core::{Intake, Told};
use punch_normalize::timeline::{BounceRules, DirectionRule, Mark, Role, TimelineRules, infer};
use punch_normalize::{DeviceZone, Person, Rules};
use punch_webhook::PayloadFormat;
use serde_json::{Value, json};
use simulator::world::Dice;

use crate::core::{directory, upload};
use crate::harness::{Book, Recorder, Seen, Site, device, endpoint};

/// An endpoint that wants corrections too.
fn corrected(url: &str) -> EndpointConfig {
    EndpointConfig { events: EndpointConfig::all_events(), ..endpoint(url, PayloadFormat::Nested) }
}

fn row(time: &str) -> String {
    format!("1001\t2026-03-02 {time}\t255\t1\t0\n")
}

/// Time, type and direction of every event, in the order they came.
fn told(events: &[Value]) -> Vec<String> {
    let line = |event: &Value| {
        let time = event["timestamp"].as_str().unwrap();
        let kind = event["event_type"].as_str().unwrap().trim_start_matches("attendance.");
        format!("{} {kind} {}", &time[11..16], event["punch"]["direction"].as_str().unwrap())
    };
    events.iter().map(line).collect()
}

fn events(receiver: &Recorder) -> Vec<Value> {
    receiver.seen().iter().map(Seen::json).collect()
}

/// A8: 13:00 was still in a terminal that nobody could reach.
#[tokio::test]
async fn a_late_row_revises_what_was_told_of_the_punches_behind_it() {
    let (corrects, plain, flat) =
        (Recorder::always(200).await, Recorder::always(200).await, Recorder::always(200).await);
    let site = Site::start(|config| {
        config.devices.push(device("T2"));
        config.endpoints = vec![
            corrected(&corrects.url()),
            EndpointConfig {
                events: vec!["attendance.punch".to_owned()],
                ..endpoint(&plain.url(), PayloadFormat::Nested)
            },
            EndpointConfig { events: EndpointConfig::all_events(), ..endpoint(&flat.url(), PayloadFormat::Flat) },
        ];
    })
    .await;
    for time in ["08:00:00", "14:00:00", "18:00:00"] {
        site.punch(&row(time)).await;
    }
    site.delivered_all().await;
    assert_eq!(told(&events(&corrects)), ["08:00 punch in", "14:00 punch out", "18:00 punch in"]);
    for _ in 0..3 {
        // Sent again, it says nothing new.
        assert_eq!(site.upload("T2", "ATTLOG", row("13:00:00")).await.body, "OK: 1");
    }
    site.delivered_all().await;

    let events_seen = events(&corrects);
    let later = ["13:00 punch out", "14:00 revised in", "18:00 revised out"];
    assert_eq!(told(&events_seen)[3..], later);
    let metadata = |index: usize| &events_seen[index]["metadata"];
    for (revision, first) in [(4, 1), (5, 2)] {
        let of = |key: &str| metadata(revision)[key].clone();
        assert_eq!(of("revises"), events_seen[first]["event_id"]);
        assert_eq!((of("revision"), of("reason")), (json!(1), json!("late_row")));
        assert_eq!(of("old_direction"), events_seen[first]["punch"]["direction"]);
        assert_ne!(events_seen[revision]["event_id"], events_seen[first]["event_id"]);
        for member in ["device", "employee", "timestamp"] {
            assert_eq!(events_seen[revision][member], events_seen[first][member], "{member}");
        }
        assert_eq!(of("device_local"), metadata(first)["device_local"]);
    }
    // Lunch is no end of a shift: all of them are in one, which began at eight and is of that day.
    let session = metadata(0)["session_id"].clone();
    assert!(session.as_str().unwrap().starts_with("ses_"));
    assert!([3, 4, 5].iter().all(|&index| metadata(index)["session_id"] == session));
    assert_eq!(metadata(3)["business_date"], "2026-03-02");
    assert_eq!((&metadata(3)["direction_source"], &metadata(3)["confidence"]), (&json!("alternate"), &json!(0.6)));
    assert_eq!(metadata(3)["exceptions"], json!([]));
    // Whoever asked for punches gets punches, and what has no shape for corrections gets none.
    assert_eq!((plain.seen().len(), flat.seen().len()), (4, 4));
    let (_, listed) = site.get("/v1/attendance").await;
    // A revision is no punch, and the punch is listed as it is now: newest first.
    let listed = listed["data"].as_array().unwrap();
    assert_eq!(told(listed), ["13:00 punch out", "18:00 punch out", "14:00 punch in", "08:00 punch in"]);
    let revisions: Vec<_> = listed.iter().map(|punch| punch["metadata"]["revision"].as_u64()).collect();
    assert_eq!(revisions, [None, Some(1), Some(1), None]);
}

/// S0-007: how a punch was judged, and how often it was told anew, by its own identity and by that of a revision.
#[tokio::test]
async fn the_way_of_a_punch_says_what_was_decided_and_what_was_told_anew() {
    let receiver = Recorder::always(200).await;
    let site = Site::start(|config| config.endpoints = vec![corrected(&receiver.url())]).await;
    for time in ["08:00:00", "14:00:00", "13:00:00"] {
        site.punch(&row(time)).await;
    }
    site.delivered_all().await;
    let events = events(&receiver);
    assert_eq!(told(&events), ["08:00 punch in", "14:00 punch out", "13:00 punch out", "14:00 revised in"]);
    let id = |index: usize| events[index]["event_id"].as_str().unwrap();
    let (_, way) = site.get(&format!("/v1/attendance/{}", id(1))).await;
    let way = &way["data"];
    let expected = json!({
        "event_id": id(1), "fate": "delivered", "direction": "in", "direction_source": "alternate", "confidence": 0.6,
        "session_id": events[0]["metadata"]["session_id"], "business_date": "2026-03-02", "exceptions": [], "revision": 1, "state": 255,
        "state_trusted": true, "role": null, "device_serial": "T1", "device_local": "2026-03-02T14:00:00",
        "punched_at": "2026-03-02T14:00:00Z", "reason": null, "problem": null, "duplicate_of": null,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&way[key], value, "{key}");
    }
    let revision = &way["revisions"][0];
    assert_eq!((&revision["number"], &revision["reason"]), (&json!(1), &json!("late_row")));
    assert_eq!((&revision["old"]["direction"], &revision["new"]["direction"]), (&json!("out"), &json!("in")));
    assert_eq!((&revision["event_id"], &revision["deliveries"][0]["state"]), (&json!(id(3)), &json!("delivered")));
    assert_eq!(way["deliveries"].as_array().unwrap().len(), 1);
    let (_, by_revision) = site.get(&format!("/v1/attendance/{}", id(3))).await;
    assert_eq!(by_revision["data"], *way);
}

/// Directions in time order.
async fn directions(site: &Site) -> Vec<String> {
    site.ask_all(
        "SELECT coalesce(direction || '/' || direction_source, '-') FROM row WHERE fate = 'delivered' ORDER BY punched_at",
    )
    .await
}

/// Everybody arrives, nobody leaves: the terminal stands in one mode, and what it says of directions is nothing.
#[tokio::test]
async fn a_terminal_that_always_says_the_same_is_not_believed() {
    let site = Site::start(|_| ()).await;
    let day = |hour: u32| -> String {
        (0..60).map(|minute| format!("{}\t2026-03-02 {hour:02}:{minute:02}:00\t0\t1\n", 1001 + minute)).collect()
    };
    site.punch(&day(8)).await;
    site.punch(&day(17)).await;
    let site = site.restart(|_| ()).await;
    // What the last punches said outlives the process.
    site.punch("1001\t2026-03-02 18:30:00\t0\t1\n").await;
    let found = directions(&site).await;
    assert!(found[..60].iter().all(|one| one == "in/alternate"), "{found:?}");
    assert!(found[60..120].iter().all(|one| one == "out/alternate"), "{found:?}");
    assert_eq!(found[120], "in/alternate");
}

/// D6: what a terminal is there for goes before the key, whichever of them a person uses.
#[tokio::test]
async fn roles_go_before_keys() {
    let site = Site::start(|config| {
        config.devices.push(device("T2"));
        config.devices[0].role = Some(Role::Entry);
        config.devices[1].role = Some(Role::Exit);
    })
    .await;
    for (serial, time) in [("T2", "17:00:00"), ("T1", "08:00:00"), ("T1", "13:00:00"), ("T2", "12:00:00")] {
        assert_eq!(site.upload(serial, "ATTLOG", row(time).replace("255", "0")).await.body, "OK: 1");
    }
    assert_eq!(directions(&site).await, ["in/role", "out/role", "in/role", "out/role"]);
}

fn with_rules(change: impl Fn(&mut TimelineRules)) -> impl Fn(&mut Config) {
    move |config| change(&mut config.devices[0].profile.rules)
}

/// S0-071: where nothing may be inferred, what is not known stays unknown.
#[tokio::test]
async fn without_inference_an_unknown_direction_stays_unknown_and_a_declared_one_counts() {
    let site = Site::start(with_rules(|rules| rules.infer = false)).await;
    site.punch(&row("08:00:00")).await;
    site.punch(&row("17:00:00").replace("255", "1")).await;
    assert_eq!(directions(&site).await, ["unknown/none", "out/state"]);
    // A rule that is changed tells no past anew, not even when the next row is of the same day.
    let site = site.restart(with_rules(|rules| rules.infer = true)).await;
    site.punch(&row("17:30:00")).await;
    assert_eq!(directions(&site).await, ["unknown/none", "out/state", "in/alternate"]);
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM revision").await, 0);
}

/// S2-066: without keys that say something, arrivals and departures take turns.
#[tokio::test]
async fn a_terminal_whose_keys_do_not_count_alternates() {
    let site = Site::start(with_rules(|rules| rules.direction = DirectionRule::Alternate)).await;
    for time in ["08:00:00", "12:00:00", "13:00:00"] {
        site.punch(&row(time).replace("255", "1")).await;
    }
    assert_eq!(directions(&site).await, ["in/alternate", "out/alternate", "in/alternate"]);
}

/// S2-065: the last punch of a day is known when the day is over; until then each one is the last.
#[tokio::test]
async fn first_and_last_of_a_day_count_and_what_was_last_before_is_told_anew() {
    let receiver = Recorder::always(200).await;
    let site = Site::start(|config| {
        with_rules(|rules| rules.direction = DirectionRule::FirstLast)(config);
        config.endpoints = vec![corrected(&receiver.url())];
    })
    .await;
    for time in ["08:00:00", "13:00:00", "18:00:00"] {
        site.punch(&row(time)).await;
    }
    site.delivered_all().await;
    let events = events(&receiver);
    assert_eq!(told(&events), ["08:00 punch in", "13:00 punch out", "18:00 punch out", "13:00 revised unknown"]);
    assert_eq!(events[3]["metadata"]["reason"], "later_row");
    let found = directions(&site).await;
    assert_eq!(found, ["in/first_last", "intermediate/first_last", "out/first_last"]);
}

/// What an older program told stays told, and helps to judge what comes.
#[tokio::test]
async fn punches_of_an_older_layout_are_not_told_anew() {
    let site = Site::start(|_| ()).await;
    site.punch(&row("08:00:00")).await;
    site.punch(&row("14:00:00")).await;
    let forget = |tx: &mut gateway::store::Transaction<'_>| {
        tx.execute("UPDATE row SET direction = NULL, session_id = NULL, business_date = NULL", &[])
    };
    site.gateway.store().write(forget).await.unwrap();
    site.punch(&row("13:00:00")).await;
    site.punch(&row("18:00:00")).await;
    assert_eq!(directions(&site).await, ["-", "out/alternate", "-", "out/alternate"]);
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM revision").await, 0);
}

/// Shifts of a few people over some days, at two terminals, some with keys.
fn shifts(dice: &mut Dice) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    for _ in 0..40 {
        let (person, day, minute) = (1001 + dice.below(3), 1 + dice.below(6), dice.below(24 * 60));
        let state = [0, 1, 2, 3, 255, 255, 255, 255][usize::try_from(dice.below(8)).unwrap()];
        let time = format!("2026-03-{day:02} {:02}:{:02}:00", minute / 60, minute % 60);
        rows.push((["T1", "T2"][usize::try_from(dice.below(2)).unwrap()], format!("{person}\t{time}\t{state}\t1\n")));
    }
    rows
}

fn every_punch() -> BounceRules {
    BounceRules { window: TimeDelta::zero(), ..BounceRules::default() }
}

fn take(intake: &Intake, book: &mut Book, serial: &str, body: &str, timeline: &TimelineRules) {
    let mut rules = Rules::new(DeviceZone::Utc);
    // Which of two close punches stands for both depends on the order in which they came; here both do.
    rules.timeline = TimelineRules { bounce: every_punch(), ..timeline.clone() };
    upload(intake, book, serial, body, &directory(rules));
}

/// Design law 1: what is told last is what the whole history says, in whichever order its rows came, in uploads of any
/// size, although only the neighbourhood of each was looked at.
#[test]
fn what_is_told_last_does_not_depend_on_the_order_of_arrival() {
    for rule in [DirectionRule::Declared, DirectionRule::FirstLast] {
        let timeline = TimelineRules { direction: rule, ..TimelineRules::default() };
        for seed in 0..150 {
            let mut dice = Dice::new(3000 + seed);
            let rows = shifts(&mut dice);
            let (intake, mut book) = (Intake::new([7; 32]), Book::default());
            let mut left: Vec<_> = rows.iter().collect();
            while !left.is_empty() {
                let size = usize::try_from(1 + dice.below(4)).unwrap().min(left.len());
                let mut bodies = [("T1", String::new()), ("T2", String::new())];
                for _ in 0..size {
                    let (serial, row) = left.swap_remove(usize::try_from(dice.below(left.len() as u64)).unwrap());
                    bodies[usize::from(*serial == "T2")].1.push_str(row);
                }
                for (serial, body) in bodies.iter().filter(|(_, body)| !body.is_empty()) {
                    take(&intake, &mut book, serial, body, &timeline);
                }
            }
            for person in 1001..1004 {
                let known = book.person(&Person::new(person.to_string()));
                let mut marks: Vec<Mark> = known.iter().map(|known| known.mark.clone()).collect();
                let rules = TimelineRules { bounce: every_punch(), ..timeline.clone() };
                let findings = infer(&mut marks, &rules, None);
                for (known, finding) in known.iter().zip(&findings) {
                    assert_eq!(known.told, Some(Told::from(finding)), "{rule:?} seed {seed}: {:?}", known.mark);
                }
            }
        }
    }
}
