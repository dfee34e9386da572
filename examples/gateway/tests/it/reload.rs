//! What a gateway at work takes from its file: who is named now is let in, registered and subscribed, at once.

use gateway::config::Config;
use gateway::core::Networks;
use punch_webhook::PayloadFormat;

use crate::harness::{Recorder, Site, device, endpoint, get};

/// The file as it is now: another terminal with a zone of its own, somebody, and a receiver.
fn file(receiver: &Recorder) -> Config {
    let mut config = Config { devices: vec![device("T1"), device("T2")], ..Config::default() };
    config.devices[1].profile.zone = punch_normalize::DeviceZone::parse("America/Mexico_City").unwrap();
    config.endpoints.push(endpoint(&receiver.url(), PayloadFormat::Nested));
    config
}

#[tokio::test]
async fn who_is_named_now_is_let_in_and_told_of_without_a_restart() {
    let receiver = Recorder::always(200).await;
    let site = Site::start(|_| ()).await;
    // It has called before anybody named it.
    get(site.gateway.device_addr, "/iclock/getrequest?SN=T2").await;
    let row = "1001\t2026-03-28 08:47:12\t0\t1\n";
    assert_eq!(site.upload("T2", "ATTLOG", row).await.status, 503);
    let taken = site.gateway.reload(file(&receiver)).await.unwrap();
    assert_eq!((taken.devices, taken.employees, taken.endpoints), (1, 0, 1));
    assert_eq!(site.upload("T2", "ATTLOG", row).await.body, "OK: 1");
    site.delivered_all().await;
    let event = receiver.seen()[0].json();
    assert_eq!(event["timestamp"], "2026-03-28T14:47:12Z", "in the zone of the file");
    assert_eq!(event["device"]["name"], "Door T2");
    // The same once more is nothing new, and leaves no entry in the audit log.
    let entries: i64 = site.ask("SELECT count(*) FROM audit").await;
    let taken = site.gateway.reload(file(&receiver)).await.unwrap();
    assert_eq!((taken.devices, taken.employees, taken.endpoints), (0, 0, 0));
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM audit").await, entries);
    let deeds = site.ask_all("SELECT via || ' ' || action FROM audit ORDER BY seq").await;
    assert_eq!(deeds.last().unwrap(), "configuration reload");
}

/// Nobody is taken back by a file, and somebody who was blocked stays out.
#[tokio::test]
async fn a_file_takes_nobody_back_and_lets_in_nobody_who_was_blocked() {
    let receiver = Recorder::always(200).await;
    let site = Site::start(|_| ()).await;
    let request = site.request("PATCH", "/v1/devices/T1").bearer_auth(crate::harness::API_KEY);
    let blocked = request.header("Content-Type", "application/json").body(r#"{"admission":"blocked"}"#);
    assert_eq!(site.call(blocked).await.0, 200);
    let mut config = file(&receiver);
    config.devices.pop();
    assert_eq!(site.gateway.reload(config).await.unwrap().devices, 0);
    assert_eq!(site.upload("T1", "ATTLOG", "1001\t2026-03-28 08:47:12\t0\t1\n").await.status, 503);
    assert_eq!(site.gateway.reload(Config::default()).await.unwrap().endpoints, 0);
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM endpoint WHERE removed_at IS NULL").await, 1);
}

/// From where a terminal may call holds at once; how its rows are judged waits for a restart.
#[tokio::test]
async fn a_file_says_at_once_from_where_a_known_terminal_may_call() {
    let receiver = Recorder::always(200).await;
    let site = Site::start(|_| ()).await;
    let mut config = file(&receiver);
    config.devices[0].allow = Some(Networks::parse(&["192.0.2.0/24"]).unwrap());
    config.devices[0].profile.zone = punch_normalize::DeviceZone::parse("America/Mexico_City").unwrap();
    let row = "1001\t2026-03-28 08:47:12\t0\t1\n";
    site.gateway.reload(config).await.unwrap();
    assert_eq!(site.upload("T1", "ATTLOG", row).await.status, 503);
    let mut config = file(&receiver);
    config.devices[0].allow = Some(Networks::default());
    site.gateway.reload(config).await.unwrap();
    site.punch(row).await;
    site.delivered_all().await;
    assert_eq!(receiver.seen()[0].json()["timestamp"], "2026-03-28T08:47:12Z", "it is judged as before");
}
