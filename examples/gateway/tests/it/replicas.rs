//! Several gateways over one store of PostgreSQL: the work is shared, and nothing is done twice.

use std::collections::BTreeSet;
use std::time::Duration;

use gateway::Gateway;
use punch_webhook::PayloadFormat;
use serde_json::json;
use simulator::cluster::Cluster;

use crate::harness::{API_KEY, Recorder, Site, Visitor, device, endpoint, eventually, schema};
use crate::reach::NEVER;

/// A server: the one of `PUNCH_TEST_POSTGRES_URL`, or one of the test's own.
struct Server {
    url: String,
    _cluster: Option<Cluster>,
}

impl Server {
    fn start() -> Option<Self> {
        if let Ok(url) = std::env::var("PUNCH_TEST_POSTGRES_URL") {
            return Some(Self { url, _cluster: None });
        }
        let cluster = Cluster::start().unwrap()?;
        Some(Self { url: cluster.url(), _cluster: Some(cluster) })
    }
}

/// A gateway that knows `T1` and `T2`, over the schema `name`.
async fn replica(server: &Server, name: &str, receivers: &[Recorder]) -> Site {
    let (url, name) = (server.url.clone(), format!("{name}_{}", std::process::id()));
    let store = schema(&url, &name).await;
    Site::start(|config| {
        config.store = store;
        config.devices = vec![device("T1"), device("T2")];
        config.look_every = NEVER;
        let to = receivers.iter().map(|receiver| endpoint(&receiver.url(), PayloadFormat::Nested));
        config.endpoints.extend(to);
    })
    .await
}

async fn receivers(count: usize) -> Vec<Recorder> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(Recorder::always(200).await);
    }
    all
}

fn rows(badge: u32, hours: core::ops::Range<u32>) -> String {
    hours.map(|hour| format!("{badge}\t2026-03-02 {hour:02}:00:00\t0\t1\n")).collect()
}

async fn holders(site: &Site) -> BTreeSet<String> {
    site.ask_all("SELECT coalesce(holder, '-') FROM endpoint ORDER BY id").await.into_iter().collect()
}

/// Both take rows and both deliver; every event goes to every endpoint once, in its employee's order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_share_the_endpoints_and_send_each_event_once() {
    let Some(server) = Server::start() else { return };
    let receivers = receivers(4).await;
    let first = replica(&server, "share", &receivers).await;
    let second = replica(&server, "share", &receivers).await;
    eventually("each holds two", async || {
        let held = first.ask_all("SELECT coalesce(holder, '-') FROM endpoint GROUP BY 1 HAVING count(*) = 2").await;
        (held.len() == 2).then_some(())
    })
    .await;
    for hour in 0..20 {
        let (site, serial) = if hour % 2 == 0 { (&first, "T1") } else { (&second, "T2") };
        assert_eq!(site.upload(serial, "ATTLOG", rows(1001, hour..hour + 1)).await.body, "OK: 1");
    }
    first.delivered_all().await;
    for receiver in &receivers {
        let times: Vec<_> = receiver.seen().iter().map(|seen| seen.json()["timestamp"].to_string()).collect();
        let mut sorted = times.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!((times.len(), &times), (20, &sorted), "once each, in order");
    }
}

/// A punch that came by two ways through two gateways is one punch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_row_through_two_gateways_at_once_is_one_punch() {
    let Some(server) = Server::start() else { return };
    let receivers = receivers(1).await;
    let first = replica(&server, "same", &receivers).await;
    let second = replica(&server, "same", &receivers).await;
    let body = rows(7, 0..24);
    let (one, other) = tokio::join!(first.upload("T1", "ATTLOG", &body), second.upload("T1", "ATTLOG", &body));
    assert_eq!((one.body.as_str(), other.body.as_str()), ("OK: 24", "OK: 24"));
    first.delivered_all().await;
    assert_eq!(second.ask::<i64>("SELECT count(*) FROM row").await, 24);
    assert_eq!((receivers[0].seen().len(), receivers[0].event_ids().len()), (24, 24));
}

/// What a gateway holds when it ends is let go of at once; what one holds that is cut off, when its lease has ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_gateway_held_that_is_gone_is_delivered_by_another() {
    let Some(server) = Server::start() else { return };
    let receivers = receivers(2).await;
    let first = replica(&server, "gone", &receivers).await;
    let name = holders(&first).await;
    let second = replica(&server, "gone", &receivers).await;
    let Site { gateway, folder: _folder, .. } = first;
    Gateway::shut_down(gateway).await;
    eventually("the other one holds all", async || {
        let holders = holders(&second).await;
        (holders.len() == 1 && holders != name && !holders.contains("-")).then_some(())
    })
    .await;
    assert_eq!(second.upload("T1", "ATTLOG", rows(7, 0..4)).await.body, "OK: 4");
    second.delivered_all().await;

    // Nobody answers for this one any more.
    let sql = "UPDATE endpoint SET holder = 'somebody else', held_until = now_millis() + 2000";
    assert_eq!(second.edit(sql).await, 2);
    assert_eq!(second.upload("T1", "ATTLOG", rows(7, 4..8)).await.body, "OK: 4");
    second.delivered_all().await;
    assert_eq!(receivers[1].event_ids().len(), 8);
}

async fn change(site: &Site, state: &str) -> u16 {
    let request =
        site.request("PATCH", "/v1/webhooks/1").bearer_auth(API_KEY).header("Content-Type", "application/json");
    site.call(request.body(json!({ "state": state }).to_string())).await.0
}

/// What is asked of one gateway is done by the one that delivers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_is_paused_resumed_and_changed_through_any_gateway() {
    let Some(server) = Server::start() else { return };
    let receivers = receivers(1).await;
    let sites = [replica(&server, "wish", &receivers).await, replica(&server, "wish", &receivers).await];
    for (number, site) in (0..).zip(&sites) {
        assert_eq!(change(site, "paused").await, 200);
        eventually("it is paused", async || {
            let health: String = site.ask("SELECT health FROM endpoint").await;
            (health == "paused").then_some(())
        })
        .await;
        site.upload("T1", "ATTLOG", rows(7 + number, 0..2)).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let before = receivers[0].seen().len();
        assert_eq!(change(site, "active").await, 200);
        site.delivered_all().await;
        assert_eq!(receivers[0].seen().len(), before + 2);
    }
    // A delivery that was made is made again, whoever is asked.
    for site in &sites {
        let before = receivers[0].seen().len();
        assert_eq!(site.post("/v1/deliveries/1/resend", json!({})).await.0, 202);
        eventually("it is sent again", async || (receivers[0].seen().len() > before).then_some(())).await;
        site.delivered_all().await;
    }
    // A terminal that was approved through one is known to the other.
    assert_eq!(sites[0].post("/v1/devices", json!({ "serial_number": "NEW1" })).await.0, 201);
    eventually("the other one takes its rows", async || {
        (sites[1].upload("NEW1", "ATTLOG", rows(9, 0..1)).await.status == 200).then_some(())
    })
    .await;
}

/// What is not in the memory of one gateway is not forgotten by the other: a session is, and ends, at both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_out_at_one_gateway_is_one_at_all() {
    let Some(server) = Server::start() else { return };
    let (first, second) = (replica(&server, "session", &[]).await, replica(&server, "session", &[]).await);
    let mut at_first = Visitor::logged_in(&first).await;
    let mut at_second = Visitor::of(&second);
    at_second.cookies = at_first.cookies.clone();
    assert_eq!(at_second.get("/dashboard").await.status, 200, "a login at one is one at all");
    at_first.read("/dashboard").await;
    assert_eq!(at_first.submit("/dashboard/logout", &[]).await.status, 303);
    assert_eq!(at_second.get("/dashboard").await.status, 303, "so is a log-out, of a copied cookie too");
    assert_eq!(at_second.get("/dashboard").await.location(), "/dashboard/login");
}

/// A terminal that calls one gateway is not away for the other, and of both one tells each turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_that_calls_one_gateway_is_there_for_the_other_and_each_turn_is_told_once() {
    let Some(server) = Server::start() else { return };
    let receiver = Recorder::always(200).await;
    let first = replica(&server, "reach", &[]).await;
    let second = replica(&server, "reach", &[]).await;
    let body = json!({ "url": receiver.url(), "events": ["device.status"] });
    assert_eq!(first.post("/v1/webhooks", body).await.0, 201);
    first.ping("T1").await;
    let at = |seconds| gateway::clock::now() + chrono::TimeDelta::seconds(seconds);
    for site in [&first, &second] {
        site.look(at(0)).await;
    }
    let told = async || first.ask::<i64>("SELECT count(*) FROM event WHERE type = 'device.status'").await;
    assert_eq!(told().await, 1);
    // A while later it has called the first one again, which says so.
    assert_eq!(first.edit("UPDATE reach SET heard_at = heard_at - 100000 WHERE serial = 'T1'").await, 1);
    first.look(at(0)).await;
    second.look(at(100)).await;
    assert_eq!(told().await, 1, "it was heard by the other one");
    // Now by none.
    tokio::join!(first.look(at(200)), second.look(at(200)));
    assert_eq!(told().await, 2);
    first.delivered_all().await;
    let told: Vec<_> = receiver.seen().iter().map(|seen| seen.json()["status"].to_string()).collect();
    assert_eq!(told, ["\"online\"", "\"offline\""]);
}
