//! What held rows become once they are taken again: dated as they were, with what was said of them, each in one place.

use std::collections::BTreeSet;

use gateway::config::UnknownBadges;
use punch_normalize::DeviceZone;
use punch_webhook::PayloadFormat;
use serde_json::{Value, json};
use simulator::world::Dice;

use crate::harness::{Recorder, Seen, Site, endpoint};

async fn holding(receiver: &Recorder, zone: &str) -> Site {
    let (url, zone) = (receiver.url(), DeviceZone::parse(zone).unwrap());
    Site::start(|config| {
        config.unknown_badges = UnknownBadges::Hold;
        config.devices[0].profile.zone = zone;
        config.endpoints.push(endpoint(&url, PayloadFormat::Nested));
    })
    .await
}

async fn restart(site: Site, receiver: &Recorder) -> Site {
    let url = receiver.url();
    site.restart(|config| {
        config.unknown_badges = UnknownBadges::Hold;
        config.endpoints.push(endpoint(&url, PayloadFormat::Nested));
    })
    .await
}

async fn rows(site: &Site, query: &str) -> Vec<Value> {
    let (status, answer) = site.get(&format!("/v1/quarantine?per_page=200&{query}")).await;
    assert_eq!(status, 200, "{answer}");
    answer["data"].as_array().unwrap().clone()
}

async fn ids(site: &Site, query: &str) -> Vec<String> {
    rows(site, query).await.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

async fn fix(site: &Site, id: &str, body: Value) -> (u16, Value) {
    site.post(&format!("/v1/quarantine/{id}/fix"), body).await
}

async fn register(site: &Site, badge: u64) {
    drop(site.post("/v1/employees", json!({ "badge_number": badge.to_string() })).await);
}

/// T2, T3: the order of the rows it came with says which of the two hours it is, whether they are held or not.
#[tokio::test]
async fn a_row_of_the_repeated_hour_is_released_into_the_hour_it_came_with() {
    let receiver = Recorder::always(200).await;
    let site = holding(&receiver, "Europe/Madrid").await;
    register(&site, 7).await;
    site.punch("7\t2025-10-26 02:50:00\t0\t1\n8\t2025-10-26 02:10:00\t0\t1\n9\t2025-10-26 02:20:00\t0\t1\n").await;
    register(&site, 9).await;
    register(&site, 8).await;
    site.delivered_all().await;
    let seen = receiver.seen();
    let told = seen.iter().map(Seen::json).map(|event| {
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        (text("/employee/badge_number"), text("/timestamp"), text("/metadata/time_quality"))
    });
    let line = |badge: &str, at: &str, quality: &str| (badge.to_owned(), at.to_owned(), quality.to_owned());
    let expected = [
        line("7", "2025-10-26T00:50:00Z", "fold_guess"),
        line("8", "2025-10-26T01:10:00Z", "fold_order"),
        line("9", "2025-10-26T01:20:00Z", "fold_order"),
    ];
    assert_eq!(told.collect::<BTreeSet<_>>(), BTreeSet::from(expected));
}

/// The terminal sends it again and knows no better: what somebody said of it stays.
#[tokio::test]
async fn a_row_that_is_sent_again_keeps_what_was_said_of_it() {
    let receiver = Recorder::always(200).await;
    let site = holding(&receiver, "UTC").await;
    let row = "\t2000-01-01 00:00:07\t0\t1\n";
    site.punch(row).await;
    let id = ids(&site, "").await.remove(0);
    let shift = 825_724_800 + 28_800;
    assert_eq!(fix(&site, &id, json!({ "shift_seconds": shift, "pin": "9" })).await.0, 200);
    assert_eq!(ids(&site, "reason=unregistered_badge").await, [id.as_str()]);
    site.punch(row).await;
    assert_eq!(ids(&site, "reason=unregistered_badge").await, [id.as_str()]);
    register(&site, 9).await;
    site.delivered_all().await;
    assert_eq!(receiver.badges(), BTreeSet::from(["9".to_owned()]));
    assert_eq!(receiver.seen()[0].json()["timestamp"], "2026-03-02T08:00:07Z");
}

/// T12: a shift that puts a row where no row can be is refused, and the row stays as it is.
#[tokio::test]
async fn an_impossible_shift_is_refused() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    site.punch("7\t2000-01-01 00:00:07\t0\t1\n").await;
    let id = ids(&site, "reason=clock_reset").await.remove(0);
    for shift in [0, 3_000_000_000_i64, -86_400] {
        let (status, answer) = fix(&site, &id, json!({ "shift_seconds": shift })).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!("shift_seconds")), "{shift}");
        let (status, done) = site.post("/v1/devices/T1/reanchor", json!({ "shift_seconds": shift })).await;
        assert_eq!((status, &done["data"]["held"]), (200, &json!(1)), "{shift}");
    }
    assert_eq!(site.fates().await, ["held/clock_reset"]);
    assert_eq!(site.ask::<Option<i64>>("SELECT shift_s FROM row").await, None);
    assert_eq!(site.post("/v1/devices/T9/reanchor", json!({ "shift_seconds": 9 })).await.0, 404);
    let (_, done) = site.post("/v1/devices/T1/reanchor", json!({ "shift_seconds": 825_753_600 })).await;
    assert_eq!(done["data"]["delivered"], 1);
}

/// More than are read at once, of one badge: none is left behind.
#[tokio::test]
async fn however_many_are_held_all_are_released() {
    let receiver = Recorder::always(200).await;
    let site = holding(&receiver, "UTC").await;
    let minutes = (0..450).map(|minute| format!("8\t2026-03-02 {:02}:{:02}:00\t255\t1\n", minute / 60, minute % 60));
    site.punch(&minutes.collect::<String>()).await;
    let (_, answer) = site.post("/v1/employees", json!({ "badge_number": "8" })).await;
    assert!(answer["error"].is_null(), "{answer}");
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row WHERE fate = 'held'").await, 0);
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row WHERE fate IN ('delivered', 'suppressed')").await, 450);
}

/// What was put away comes back with one call, keeps why it could not be read, and says why it was put away.
#[tokio::test]
async fn rows_that_were_put_away_come_back_together() {
    let site = Site::start(|_| ()).await;
    site.punch("7\t2090-03-02 08:00:00\t0\t1\njunk\n").await;
    let malformed = rows(&site, "reason=malformed").await.remove(0);
    for id in ids(&site, "").await {
        for reason in ["a test", "a test of the installer"] {
            assert_eq!(site.post(&format!("/v1/quarantine/{id}/discard"), json!({ "reason": reason })).await.0, 200);
        }
    }
    let away = rows(&site, "discarded=true&reason=malformed").await.remove(0);
    assert_eq!((&away["problem"], &away["put_away"]), (&malformed["problem"], &json!("a test of the installer")));
    let (status, answer) = site.post("/v1/quarantine/retry", json!({ "discarded": true, "page": 1 })).await;
    assert_eq!((status, &answer["error"]["field"]), (400, &json!("page")));
    let (_, done) = site.post("/v1/quarantine/retry", json!({ "discarded": true })).await;
    assert_eq!(done["data"], json!({ "tried": 2, "delivered": 0, "suppressed": 0, "replayed": 0, "held": 2 }));
    let back = rows(&site, "reason=malformed").await.remove(0);
    assert_eq!((&back["problem"], &back["put_away"]), (&malformed["problem"], &Value::Null));
}

/// Somebody writes down a punch that is there already: nothing is doubled, and the answer says so.
#[tokio::test]
async fn the_text_of_a_punch_that_is_known_changes_nothing() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    site.punch("7\t2026-03-02 08:00:00\t0\t1\njunk\n").await;
    let id = ids(&site, "").await.remove(0);
    let (_, done) = fix(&site, &id, json!({ "text": "7\t2026-03-02 08:00:00\t0\t1" })).await;
    assert_eq!(done["data"], json!({ "tried": 1, "delivered": 0, "suppressed": 0, "replayed": 1, "held": 0 }));
    assert_eq!(site.fates().await, ["discarded/malformed", "delivered"]);
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM event").await, 1);
}

/// S2-068: every row that was sent ends in exactly one place, whatever is done to it, and no identity is told twice.
#[tokio::test]
async fn the_counts_add_up_after_everything() {
    for seed in 0..6 {
        let mut dice = Dice::new(7000 + seed);
        let receiver = Recorder::always(200).await;
        let mut site = holding(&receiver, "UTC").await;
        let mut sent = BTreeSet::new();
        for step in 0..16 {
            let row = any_row(&mut dice);
            site.punch(&format!("{row}\n")).await;
            sent.insert(row);
            if dice.below(6) == 0 {
                site = restart(site, &receiver).await;
            }
            act(&site, &mut dice, &mut sent).await;
            let (_, status) = site.get("/status").await;
            let names = ["delivered_rows", "suppressed_rows", "held_rows", "recorded_rows", "discarded_rows"];
            let sum: u64 = names.iter().map(|name| status["data"]["counts"][name].as_u64().unwrap()).sum();
            assert_eq!(sum, u64::try_from(sent.len()).unwrap(), "seed {seed} step {step}: {sent:?}");
        }
        site.delivered_all().await;
        let told: Vec<String> =
            receiver.seen().iter().map(|seen| seen.json()["event_id"].as_str().unwrap().to_owned()).collect();
        let once: BTreeSet<String> = told.iter().cloned().collect();
        assert_eq!(told.len(), once.len(), "seed {seed}: an event twice");
        let punches = site.ask_all("SELECT id FROM row WHERE fate = 'delivered'").await;
        assert_eq!(once, punches.into_iter().collect(), "seed {seed}");
    }
}

/// A row of one of few moments, so that some come twice.
fn any_row(dice: &mut Dice) -> String {
    let minute = dice.below(60) * 10;
    let time = format!("{:02}:{:02}:00", 8 + minute / 60, minute % 60);
    match dice.below(6) {
        0 => format!("junk {minute}"),
        1 => format!("1001\t2000-01-01 {time}\t0\t1"),
        2 => format!("\t2026-03-02 {time}\t255\t1"),
        _ => format!("{}\t2026-03-02 {time}\t255\t1", 1001 + dice.below(3)),
    }
}

/// Does something to what is held, as an operator would, right or wrong.
async fn act(site: &Site, dice: &mut Dice, sent: &mut BTreeSet<String>) {
    let any = |ids: Vec<String>, dice: &mut Dice| {
        let at = usize::try_from(dice.below(8)).unwrap();
        ids.into_iter().nth(at)
    };
    let held = any(ids(site, "").await, dice);
    match (dice.below(8), held) {
        (0, Some(id)) => drop(site.post(&format!("/v1/quarantine/{id}/discard"), json!({ "reason": "x" })).await),
        (1, Some(id)) => drop(fix(site, &id, json!({ "pin": "1001" })).await),
        (2, Some(id)) => drop(fix(site, &id, json!({ "shift_seconds": dice.below(4) * 275_251_200 })).await),
        (3, Some(id)) => {
            let text = format!("{}\t2026-03-02 07:{:02}:00\t255\t1", 1001 + dice.below(3), dice.below(4));
            if fix(site, &id, json!({ "text": text })).await.0 == 200 {
                sent.insert(text);
            }
        }
        (4, _) => {
            if let Some(id) = any(ids(site, "discarded=true").await, dice) {
                drop(site.post(&format!("/v1/quarantine/{id}/retry"), json!({})).await);
            }
        }
        (5, _) => drop(site.post("/v1/devices/T1/reanchor", json!({ "shift_seconds": 825_753_600 })).await),
        (6, _) => drop(site.post("/v1/quarantine/retry", json!({ "discarded": dice.below(2) == 0 })).await),
        _ => register(site, 1001 + dice.below(3)).await,
    }
}
