//! One call for many people at many terminals: a job that is accepted at once, worked off beside everything else, and of
//! which what went wrong can be asked for once more.

use serde_json::{Value, json};

use crate::harness::{API_KEY, Site, device, eventually};

fn employees(count: u32) -> Vec<Value> {
    (1..=count).map(|badge| json!({ "badge_number": badge.to_string(), "name": format!("Person {badge}") })).collect()
}

async fn job(site: &Site, id: &Value) -> Value {
    let (status, answer) = site.get(&format!("/v1/jobs/{id}")).await;
    assert_eq!(status, 200, "{answer}");
    answer["data"].clone()
}

/// Everything a terminal is told, answered with `code`.
async fn work(site: &Site, serial: &str, code: impl Fn(&str) -> i32) -> usize {
    let mut count = 0;
    loop {
        let told = site.poll(serial).await;
        if told.is_empty() {
            return count;
        }
        count += told.len();
        let results: Vec<(&str, i32)> = told.iter().map(|told| (told.id.as_str(), code(&told.text))).collect();
        site.results(serial, &results).await;
    }
}

/// S2-087, S2-088, S0-010: 250,000 writes are one call, and terminals get their answers while it is worked off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_people_at_fifty_terminals_are_one_call() {
    let site = Site::start(|config| {
        config.devices = (0..50).map(|number| device(&format!("D{number}"))).chain([device("T1")]).collect();
    })
    .await;
    let devices: Vec<String> = (0..50).map(|number| format!("D{number}")).collect();
    let body = json!({ "command": "sync_employees", "payload": { "employees": employees(5000) }, "devices": devices });
    let (status, answer) = site.post("/v1/commands", body).await;
    assert_eq!(status, 202, "{answer}");
    let id = answer["data"]["id"].clone();
    let begun = job(&site, &id).await;
    let told = ["kind", "state", "total", "done", "failed", "waiting", "devices"].map(|name| begun[name].clone());
    assert_eq!(
        told,
        [json!("commands"), json!("running"), json!(250_000), json!(0), json!(0), json!(250_000), json!(50)]
    );
    // A terminal uploads and another gets its people long before all of it is written down.
    site.punch("1001\t2026-03-28 08:47:12\t0\t1\n").await;
    let told = site.poll_until_told("D0").await;
    assert!(told[0].text.starts_with("DATA UPDATE USERINFO PIN=1\t"), "{}", told[0].text);
    let open: i64 = site.ask("SELECT count(*) FROM command WHERE steps IS NOT NULL").await;
    assert!(open > 0, "the job was worked off before anybody asked; the test says nothing");
    site.punch("1002\t2026-03-28 08:47:12\t0\t1\n").await;
    // Another life goes on with it.
    let site = site.restart(|_| ()).await;
    let before: i64 = site.ask("SELECT count(*) FROM ticket").await;
    eventually("it goes on", async || (site.ask::<i64>("SELECT count(*) FROM ticket").await > before).then_some(()))
        .await;
    let cancel = site.request("DELETE", &format!("/v1/jobs/{id}")).bearer_auth(API_KEY);
    assert_eq!(site.call(cancel).await.0, 200);
    let cancelled = job(&site, &id).await;
    assert_eq!((&cancelled["state"], &cancelled["total"]), (&json!("cancelled"), &json!(250_000)));
}

/// S2-088, S2-089: some terminals cannot, some people do not go in; the rest is done, and the rest alone is asked again.
#[tokio::test]
async fn a_part_that_fails_is_listed_and_asked_for_once_more() {
    let site = Site::start(|config| config.devices = ["T1", "T2", "T3"].map(device).to_vec()).await;
    let body = json!({ "command": "sync_employees", "payload": { "employees": employees(40) }, "sites": ["Plant"] });
    let (status, answer) = site.post("/v1/commands", body).await;
    assert_eq!(status, 202, "{answer}");
    let id = answer["data"]["id"].clone();
    eventually("it is all commands", async || {
        (site.ask::<i64>("SELECT count(*) FROM ticket").await == 120).then_some(())
    })
    .await;
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM steps").await, 0, "the list that names people is gone");
    assert_eq!(work(&site, "T1", |_| 0).await, 40);
    let half = job(&site, &id).await;
    assert_eq!((&half["done"], &half["waiting"], &half["devices_settled"]), (&json!(40), &json!(80), &json!(1)));
    let is_odd = |text: &str| text.contains("PIN=7\t") || text.contains("PIN=9\t");
    assert_eq!(work(&site, "T2", |text| if is_odd(text) { -1001 } else { 0 }).await, 40);
    assert_eq!(work(&site, "T3", |_| 0).await, 40);
    let ended = job(&site, &id).await;
    assert_eq!((&ended["state"], &ended["done"], &ended["failed"]), (&json!("done"), &json!(118), &json!(2)));

    let (_, wrong) = site.get(&format!("/v1/jobs/{id}/items?state=wrong&sort=badge_number")).await;
    let told: Vec<(&Value, &Value, &Value)> = wrong["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (&item["device_serial"], &item["badge_number"], &item["error"]["code"]))
        .collect();
    let refused = json!("terminal_refused");
    assert_eq!(told, [(&json!("T2"), &json!("7"), &refused), (&json!("T2"), &json!("9"), &refused)]);
    let (status, again) = site.post(&format!("/v1/jobs/{id}/retry"), json!({})).await;
    assert_eq!((status, &again["data"]["state"], &again["data"]["waiting"]), (202, &json!("running"), &json!(2)));
    assert_eq!((work(&site, "T1", |_| 0).await, work(&site, "T2", |_| 0).await), (0, 2));
    let ended = job(&site, &id).await;
    assert_eq!((&ended["state"], &ended["done"], &ended["failed"]), (&json!("done"), &json!(120), &json!(0)));
    let (_, commands) = site.get(&format!("/v1/commands?job_id={id}&state=done")).await;
    assert_eq!(commands["meta"]["total"], 3);
}

/// S2-089: a terminal that cannot do it stops nobody else.
#[tokio::test]
async fn a_terminal_that_cannot_is_told_apart() {
    let site = Site::start(|config| config.devices = ["T1", "ACC1"].map(device).to_vec()).await;
    crate::harness::post(site.gateway.device_addr, "/iclock/registry?SN=ACC1", b"DeviceType=acc").await;
    crate::harness::get(site.gateway.device_addr, "/iclock/getrequest?SN=NEW1").await;
    let body = json!({
        "command": "disable_employee", "payload": { "badge_number": "7" }, "devices": ["T1", "ACC1", "NEW1"],
    });
    let (status, answer) = site.post("/v1/commands", body).await;
    assert_eq!((status, &answer["data"]["failed"]), (202, &json!(2)));
    let id = answer["data"]["id"].clone();
    eventually("it is a command", async || (work(&site, "ACC1", |_| 0).await > 0).then_some(())).await;
    let ended = job(&site, &id).await;
    assert_eq!((&ended["state"], &ended["done"], &ended["failed"]), (&json!("done"), &json!(1), &json!(2)));
    let (_, refused) = site.get(&format!("/v1/commands?job_id={id}&state=refused&sort=device_serial")).await;
    let told: Vec<(&Value, &Value)> =
        refused["data"].as_array().unwrap().iter().map(|row| (&row["device_serial"], &row["error"]["code"])).collect();
    let code = json!("unsupported_command");
    assert_eq!(told, [(&json!("NEW1"), &code), (&json!("T1"), &code)]);
}

#[tokio::test]
async fn a_call_for_many_that_cannot_be_names_the_field_at_fault() {
    let site = Site::start(|_| ()).await;
    for (body, field) in [
        (json!({ "command": "info" }), "devices"),
        (json!({ "command": "info", "devices": ["T1", "NOBODY"] }), "devices[1]"),
        (json!({ "command": "info", "sites": ["Nowhere"] }), "sites[0]"),
        (json!({ "command": "none", "devices": ["T1"] }), "command"),
        (json!({ "command": "info", "devices": ["T1"], "speed": 1 }), "speed"),
    ] {
        let (status, answer) = site.post("/v1/commands", body.clone()).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)), "{body}: {answer}");
    }
    assert_eq!(site.get("/v1/jobs/1").await.0, 404);
    let (_, jobs) = site.get("/v1/jobs").await;
    assert_eq!((&jobs["data"], &jobs["meta"]["total"]), (&json!([]), &json!(0)));
}
