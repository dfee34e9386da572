//! Who is enrolled at a terminal: told once, by the row of its log of operations, and nothing of what was enrolled.

use gateway::clock::now;
use gateway::config::{Config, EndpointConfig};
use punch_webhook::PayloadFormat;
use serde_json::json;

use crate::harness::{Recorder, Site, endpoint};

fn asking(receiver: &Recorder, format: PayloadFormat) -> EndpointConfig {
    let mut config = endpoint(&receiver.url(), format);
    config.events = vec!["enrollment.created".to_owned()];
    config
}

async fn site(receiver: &Recorder, change: impl FnOnce(&mut Config)) -> Site {
    let endpoint = asking(receiver, PayloadFormat::Nested);
    Site::start(move |config| {
        config.endpoints.push(endpoint);
        change(config);
    })
    .await
}

/// As a terminal writes what its menu was used for: the user, the finger, and the row and template nobody asked for.
const LOG: &str = "OPLOG 30\t9001\t2026-03-02 09:58:00\t1042\t0\t0\t0\n\
                   OPLOG 6\t9001\t2026-03-02 10:00:00\t1042\t0\t1\t1218\n\
                   USER PIN=1042\tName=Ana\tPri=0\tPasswd=\tCard=\tGrp=1\tTZ=0000000100000000\n\
                   FP PIN=1042\tFID=1\tSize=16\tValid=1\tTMP=canarytemplate==\n\
                   OPLOG 101\t9001\t2026-03-02 10:01:00\t1042\t0\t0\t0\n\
                   OPLOG 10\t9001\t2026-03-02 10:02:00\t1042\t1\t0\t0\n\
                   OPLOG 6\t0\t2026-03-02 10:03:00\t0\t0\t1\t1218\n";

/// S1-004: a new fingerprint.
#[tokio::test]
async fn who_is_enrolled_is_told_once_and_never_by_what() {
    let receiver = Recorder::always(200).await;
    let site = site(&receiver, |config| {
        config.devices[0].profile.zone = punch_normalize::DeviceZone::parse("America/Mexico_City").unwrap();
    })
    .await;
    let people = json!({"badge_number": "1042", "id": "ana-torres", "name": "Ana Torres"});
    assert_eq!(site.post("/v1/employees", people).await.0, 201);
    for _ in 0..3 {
        assert_eq!(site.upload("T1", "OPERLOG", LOG).await.body, "OK: 7");
    }
    site.delivered_all().await;
    let told: Vec<_> = receiver.seen().iter().map(|seen| seen.json()).collect();
    let what =
        |event: &serde_json::Value| format!("{} {}", event["timestamp"], event["enrollment"]["kind"]).replace('"', "");
    let expected = ["2026-03-02T15:58:00Z user", "2026-03-02T16:00:00Z fingerprint", "2026-03-02T16:01:00Z face"];
    assert_eq!(told.iter().map(what).collect::<Vec<_>>(), expected);
    assert_eq!(told[1]["event_type"], "enrollment.created");
    assert_eq!(
        (&told[1]["employee"]["badge_number"], &told[1]["employee"]["name"]),
        (&json!("ana-torres"), &json!("Ana Torres"))
    );
    assert_eq!(told[1]["device"]["serial_number"], "T1");
    assert_eq!(receiver.event_ids().len(), 3);
    let kept = site.raw("SELECT bytes FROM body").await.join("");
    assert!(!kept.contains("canarytemplate") && !kept.contains("1218"), "{kept}");
    // A restart, and another gateway over the same store, make the same ids of the same rows.
    let site = site.restart(|_| ()).await;
    assert_eq!(site.upload("T1", "OPERLOG", LOG).await.body, "OK: 7");
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM event").await, 3);
}

#[tokio::test]
async fn a_time_that_is_none_or_ahead_is_that_of_the_receipt_and_history_is_not_sent() {
    let receiver = Recorder::always(200).await;
    let site = site(&receiver, |config| {
        config.devices[0].profile.periods.go_live = Some("2026-01-01".parse().unwrap());
    })
    .await;
    let began = now();
    let log = "OPLOG 6\t0\t0\t1001\t0\t1\t900\nOPLOG 8\t0\t2199-03-02 10:00:00\t1002\t0\t0\t0\n\
               OPLOG 101\t0\t2025-12-31 23:59:59\t1003\t0\t0\t0\n";
    assert_eq!(site.upload("T1", "OPERLOG", log).await.body, "OK: 3");
    site.delivered_all().await;
    let told: Vec<_> = receiver.seen().iter().map(|seen| seen.json()).collect();
    let badges: Vec<_> = told.iter().map(|event| event["employee"]["badge_number"].as_str().unwrap()).collect();
    assert_eq!(badges, ["1001", "1002"]);
    for event in &told {
        let at: chrono::DateTime<chrono::Utc> = event["timestamp"].as_str().unwrap().parse().unwrap();
        assert!(at.timestamp() >= began.timestamp() && at <= now(), "{event}");
    }
    assert_eq!(site.fates().await, ["recorded/OPERLOG"; 3]);
}

/// Whoever asks for punches alone hears of no enrolment, and whoever is erased is erased from it.
#[tokio::test]
async fn nobody_else_hears_of_it_and_an_erasure_reaches_it() {
    let (receiver, punches) = (Recorder::always(200).await, Recorder::always(200).await);
    let of_punches = endpoint(&punches.url(), PayloadFormat::Nested);
    let flat = Recorder::always(200).await;
    let of_flat = asking(&flat, PayloadFormat::Flat);
    let site = site(&receiver, |config| config.endpoints.extend([of_punches, of_flat])).await;
    site.upload("T1", "OPERLOG", LOG).await;
    site.delivered_all().await;
    assert_eq!((receiver.seen().len(), flat.seen().len(), punches.seen().len()), (3, 3, 0));
    assert_eq!(flat.seen()[0].json()["badge_number"], "1042");
    let (status, answer) = site.post("/v1/employees/erase", json!({"badge_number": "1042"})).await;
    assert_eq!(status, 200, "{answer}");
    let kept = site.raw("SELECT bytes FROM body").await.join("");
    assert!(kept.contains("erased_") && !kept.contains("1042"), "{kept}");
}
