//! Commands for terminals that somebody asks on port 4370: taken once, in their order, and told of.

use chrono::TimeDelta;
use gateway::clock::now;
use serde_json::{Value, json};

use crate::harness::{Site, eventually};

const STEPS: &str = "SELECT count(*) FROM ticket";

async fn ask(site: &Site, command: &str, payload: Value) -> Value {
    let before: i64 = site.ask(STEPS).await;
    let (status, answer) =
        site.post("/v1/devices/T1/commands", json!({ "command": command, "payload": payload })).await;
    assert_eq!(status, 202, "{answer}");
    // What was asked becomes steps a moment later.
    eventually("the steps are there", async || {
        let waiting = site.get("/v1/devices/T1/steps").await.1["data"]["waiting"].as_bool().unwrap();
        // Those of others may wait already.
        (waiting && site.ask::<i64>(STEPS).await > before).then_some(())
    })
    .await;
    answer["data"]["id"].clone()
}

async fn take(site: &Site) -> Vec<Value> {
    let (status, answer) = site.post("/v1/devices/T1/steps/take", json!({})).await;
    assert_eq!(status, 200, "{answer}");
    answer["data"]["steps"].as_array().unwrap().clone()
}

async fn tell(site: &Site, results: Value) -> Value {
    let (status, answer) = site.post("/v1/devices/T1/steps/results", json!({ "results": results })).await;
    assert_eq!(status, 200, "{answer}");
    answer["data"].clone()
}

async fn is_read(site: &Site) {
    let (status, answer) = site.post("/v1/devices/T1/probe", json!({ "name": "K40", "records": 12 })).await;
    assert_eq!(status, 200, "{answer}");
}

fn actions(steps: &[Value]) -> Vec<(&str, bool)> {
    steps.iter().map(|step| (step["step"]["action"].as_str().unwrap(), step["once"].as_bool().unwrap())).collect()
}

/// S2-052, S2-053: a door is given out once, whatever becomes of the answer; what may be repeated is given out again.
#[tokio::test]
async fn what_must_not_be_done_twice_is_given_out_once_and_what_may_be_again() {
    let site = Site::start(|_| ()).await;
    is_read(&site).await;
    let people = json!({ "employees": [{ "badge_number": "1" }, { "badge_number": "2" }] });
    ask(&site, "sync_employees", people).await;
    let door = ask(&site, "unlock_door", json!({})).await;
    let taken = take(&site).await;
    assert_eq!(actions(&taken), [("open_door", true), ("update_user", false), ("update_user", false)]);
    assert!(taken[0]["left_ms"].as_u64().unwrap() <= 60_000, "{taken:?}");
    // Whoever took them says nothing.
    assert_eq!(take(&site).await, Vec::<Value>::new());
    site.edit("UPDATE ticket SET sent_at = sent_at - 11000").await;
    let again = take(&site).await;
    assert_eq!(actions(&again), [("update_user", false), ("update_user", false)]);
    let ids = |steps: &[Value]| steps.iter().map(|step| step["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&taken[1..]), "the same, in their order");
    // And when its time is over, nobody knows.
    site.gateway.devices.look_at_commands(now() + TimeDelta::minutes(2)).await.unwrap();
    assert_eq!(site.get(&format!("/v1/commands/{door}")).await.1["data"]["state"], "unknown");
}

#[tokio::test]
async fn nothing_overtakes_what_somebody_has_but_what_cannot_wait() {
    let site = Site::start(|_| ()).await;
    is_read(&site).await;
    ask(&site, "sync_employees", json!({ "employees": [{ "badge_number": "1" }] })).await;
    let first = take(&site).await;
    let (status, _) = site.post("/v1/devices/T1/commands", json!({ "command": "info" })).await;
    assert_eq!(status, 202);
    ask(&site, "unlock_door", json!({})).await;
    assert_eq!(actions(&take(&site).await), [("open_door", true)]);
    tell(&site, json!([{ "id": first[0]["id"], "outcome": "done" }])).await;
    eventually("the next is free", async || (actions(&take(&site).await) == [("information", false)]).then_some(()))
        .await;
}

#[tokio::test]
async fn what_became_of_steps_is_kept_with_its_reason_and_its_answer() {
    let site = Site::start(|_| ()).await;
    is_read(&site).await;
    let disable = ask(&site, "disable_employee", json!({ "badge_number": "1042" })).await;
    let taken = take(&site).await;
    let id = &taken[0]["id"];
    let said = tell(
        &site,
        json!([
            { "id": id, "outcome": "failed", "reason": "it has\nno room" },
            { "id": "none", "outcome": "done" },
        ]),
    )
    .await;
    assert_eq!((&said["settled"], &said["unknown"]), (&json!(1), &json!(["none"])));
    let shown = site.get(&format!("/v1/commands/{disable}")).await.1["data"].clone();
    assert_eq!((&shown["state"], &shown["error"]["message"]), (&json!("failed"), &json!("it has no room")), "{shown}");

    let info = ask(&site, "info", json!({})).await;
    let taken = take(&site).await;
    tell(&site, json!([{ "id": taken[0]["id"], "outcome": "done", "answer": { "users": 7 } }])).await;
    let shown = site.get(&format!("/v1/commands/{info}")).await.1["data"].clone();
    assert_eq!((&shown["state"], &shown["answer"]["users"]), (&json!("done"), &json!(7)), "{shown}");
    for (body, field) in [
        (json!({ "results": [{ "id": "1", "outcome": "perhaps" }] }), "results[0].outcome"),
        (json!({ "results": [{ "id": "1", "outcome": "done", "answer": { "a": [1] } }] }), "results[0].answer"),
    ] {
        let (status, answer) = site.post("/v1/devices/T1/steps/results", body).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)), "{answer}");
    }
}

/// A terminal gets its commands one way: from whoever asks it, or by itself.
#[tokio::test]
async fn a_terminal_that_calls_by_itself_is_not_asked_and_one_that_is_asked_can_more() {
    let site = Site::start(|_| ()).await;
    let refused = site
        .post("/v1/devices/T1/commands", json!({ "command": "disable_employee", "payload": { "badge_number": "1" } }))
        .await;
    assert_eq!(refused.0, 422, "attendance terminals cannot: {}", refused.1);
    is_read(&site).await;
    let device = site.get("/v1/devices/T1").await.1["data"].clone();
    assert_eq!(device["capabilities"]["transport"], "pull");
    assert_eq!(
        (&device["capabilities"]["probe"]["name"], &device["backlog"]["punches_on_device"]),
        (&json!("K40"), &json!(12))
    );
    assert!(device["capabilities"]["commands"].as_array().unwrap().contains(&json!("disable_employee")), "{device}");
    // It is known after a restart.
    let site = site.restart(|_| ()).await;
    assert_eq!(site.get("/v1/devices/T1").await.1["data"]["capabilities"]["transport"], "pull");

    ask(&site, "info", json!({})).await;
    let told = eventually("it calls by itself", async || Some(site.poll("T1").await).filter(|told| !told.is_empty()));
    assert_eq!(told.await.len(), 1);
    assert_eq!(site.get("/v1/devices/T1/steps").await.1["data"]["waiting"], false);
    assert_eq!(take(&site).await, Vec::<Value>::new());
    let (status, answer) = site.get("/v1/devices/NOBODY/steps?wait_seconds=1").await;
    assert_eq!((status, &answer["error"]["code"]), (409, &json!("device_not_approved")));
    let (status, answer) = site.get("/v1/devices/T1/steps?wait_seconds=26").await;
    assert_eq!((status, &answer["error"]["field"]), (400, &json!("wait_seconds")));
}

/// Whoever waits is told as soon as there is something.
#[tokio::test]
async fn whoever_waits_for_a_step_hears_of_it() {
    let site = Site::start(|_| ()).await;
    is_read(&site).await;
    let wait = site.get("/v1/devices/T1/steps?wait_seconds=25");
    let order = async {
        let (status, _) = site.post("/v1/devices/T1/commands", json!({ "command": "unlock_door" })).await;
        assert_eq!(status, 202);
    };
    let ((status, answer), ()) = tokio::join!(wait, order);
    assert_eq!((status, &answer["data"]["waiting"]), (200, &json!(true)));
}
