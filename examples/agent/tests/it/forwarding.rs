//! From the spool to a real gateway over a line that breaks: everything arrives, once.

use std::time::Duration;

use agent::{BrokenRow, Courier, Forwarder, Outcome, Pace, Put, Row};
use gateway::api::ApiKey;
use gateway::clock::now;
use punch_protocol::Pin;

use crate::harness::{Fault, KEY, Proxy, Site, answer, at, brisk, day, eventually, punch, serial};

#[tokio::test]
async fn a_gateway_that_is_down_for_a_while_gets_everything_once_and_in_order() {
    let mut site = Site::start().await;
    let line = Proxy::start(site.api_addr, []).await;
    site.go_down().await;
    let courier = site.forward_to(&line.url(), KEY, brisk());
    // More than two posts of one terminal, and another one between.
    let (first, second) = (day("T1", 2300), day("T2", 40));
    site.spool.put(first.clone()).await.unwrap();
    site.spool.put(second).await.unwrap();
    let mut standing = courier.standing.clone();
    let failures = standing.wait_for(|standing| standing.failures >= 3).await.unwrap().clone();
    assert!(failures.trouble.is_some() && failures.stored == 0, "{failures:?}");
    assert_eq!(site.waiting().await, 2340);

    site.come_up().await;
    line.lead_to(site.api_addr);
    site.forwarded_all().await;
    assert_eq!(site.stored().await, (2340, 2340));
    let order = site.order().await;
    let of_first: Vec<&String> = order.iter().filter(|line| line.starts_with("T1 ")).collect();
    assert!(of_first.is_sorted(), "in the order of the terminal");
    // What is put while it runs goes at once, and what is read again does not go again.
    let mut again = first;
    again.push(punch("T1", b"9999", at("2026-03-28 12:00:00"), Some(1)));
    assert_eq!(site.spool.put(again).await.unwrap().new, 1);
    site.forwarded_all().await;
    let done = eventually("the courier says so", async || {
        let standing = courier.standing.borrow().clone();
        (standing.stored == 2341).then_some(standing)
    })
    .await;
    assert_eq!((done.failures, done.trouble), (0, None));
    assert_eq!(site.stored().await, (2341, 2341));
    courier.stop().await;
}

#[tokio::test]
async fn answers_that_are_lost_after_the_rows_are_stored_double_nothing() {
    let site = Site::start().await;
    let faults = [
        Fault::LoseAnswer,
        Fault::CutAnswer,
        Fault::LoseRequest,
        answer("500 Internal Server Error", "", "oops"),
        answer("502 Bad Gateway", "", ""),
        answer("429 Too Many Requests", "Retry-After: 3600\r\n", ""),
        answer("503 Service Unavailable", "", "{}"),
        // The sign-in page of a network, and a gateway that counts otherwise.
        answer("200 OK", "", "<html>Sign in</html>"),
        answer("200 OK", "", r#"{"data":{"received":1,"delivered":1,"suppressed":0,"held":0,"replayed":0}}"#),
        Fault::LoseAnswer,
    ];
    let count = faults.len();
    let proxy = Proxy::start(site.api_addr, faults).await;
    site.spool.put(day("T1", 1500)).await.unwrap();
    let courier = site.forward_to(&proxy.url(), KEY, brisk());
    site.forwarded_all().await;
    courier.stop().await;
    assert_eq!(proxy.faults_left(), 0, "every fault happened");
    assert_eq!(proxy.seen().len(), count + 2, "and then each post once");
    assert_eq!(site.stored().await, (1500, 1500));
}

#[tokio::test]
async fn what_became_of_the_rows_is_told_exactly() {
    let site = Site::start().await;
    let forwarder = Forwarder::new(&site.url(), &ApiKey::new(KEY.to_owned())).unwrap();
    let rows = [
        punch("T1", b"1001", at("2026-03-28 08:00:00"), Some(0)),
        punch("T1", b"1001", at("2026-03-28 08:00:30"), Some(0)),
        punch("T1", b"", at("2026-03-28 08:00:00"), Some(0)),
    ]
    .map(Row::from);
    for (delivered, replayed) in [(1, 0), (0, 2)] {
        let Outcome::Stored(stored) = forwarder.post(&serial("T1"), &rows).await else { panic!() };
        assert_eq!((stored.received, stored.held, stored.delivered, stored.replayed), (3, 1, delivered, replayed));
        assert_eq!(stored.suppressed, 2 - delivered - replayed);
    }
    let Outcome::Stored(none) = forwarder.post(&serial("T1"), &[]).await else { panic!() };
    assert_eq!(none.received, 0);
}

/// Leading zeros, letters, broken UTF-8 and backslashes: the gateway keeps the bytes the terminal has.
#[tokio::test]
async fn a_pin_of_any_bytes_arrives_as_it_is() {
    let site = Site::start().await;
    let pins: [&[u8]; 5] = [b"007", b"A-77b", b"a\xff\\", b"\\xff", "ñandú €".as_bytes()];
    site.spool.put(pins.map(|pin| punch("T1", pin, at("2026-03-28 08:00:00"), None))).await.unwrap();
    let courier = site.forward_to(&site.url(), KEY, brisk());
    site.forwarded_all().await;
    courier.stop().await;
    let read = site
        .gateway
        .as_ref()
        .unwrap()
        .store()
        .read(|connection| connection.all("SELECT pin FROM row ORDER BY seq", &[], |row| row.get::<Vec<u8>>(0)));
    assert_eq!(read.await.unwrap(), pins);
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_keeps_everything() {
    let site = Site::start().await;
    site.spool.put(day("T1", 5)).await.unwrap();
    let courier = site.forward_to(&site.url(), "pk_wrong", brisk());
    let mut standing = courier.standing.clone();
    let refused = standing.wait_for(|standing| !standing.refused.is_empty()).await.unwrap().clone();
    let refusal = &refused.refused[&serial("T1")];
    assert_eq!((refusal.status, refusal.code.as_deref()), (401, Some("unauthorized")));
    courier.stop().await;
    assert_eq!((site.waiting().await, site.stored().await), (5, (0, 0)));
    let courier = site.forward_to(&site.url(), KEY, brisk());
    site.forwarded_all().await;
    courier.stop().await;
    assert_eq!(site.stored().await, (5, 5));
}

#[tokio::test]
async fn a_terminal_that_is_not_approved_waits_alone_and_arrives_once_it_is() {
    let site = Site::start().await;
    site.spool.put(day("NEW1", 3)).await.unwrap();
    site.spool.put(day("T1", 3)).await.unwrap();
    let courier = site.forward_to(&site.url(), KEY, brisk());
    let mut standing = courier.standing.clone();
    let seen =
        standing.wait_for(|standing| standing.stored == 3 && !standing.refused.is_empty()).await.unwrap().clone();
    let refusal = &seen.refused[&serial("NEW1")];
    assert_eq!((refusal.status, refusal.code.as_deref()), (409, Some("device_not_approved")));
    assert!(refusal.text.contains("POST /v1/devices"), "the cure: {}", refusal.text);
    assert_eq!(site.stored().await, (3, 3));
    site.approve("NEW1").await;
    site.forwarded_all().await;
    assert_eq!(site.stored().await, (6, 6));
    standing.wait_for(|standing| standing.refused.is_empty()).await.unwrap();
    courier.stop().await;
}

#[tokio::test]
async fn every_other_status_keeps_the_rows_and_no_redirect_is_followed() {
    let site = Site::start().await;
    let trap = Proxy::start(site.api_addr, []).await;
    let location = format!("Location: {}/v1/devices/T1/punches\r\n", trap.url());
    let statuses = [
        "301 Moved Permanently",
        "307 Temporary Redirect",
        "400 Bad Request",
        "403 Forbidden",
        "404 Not Found",
        "413 Content Too Large",
        "422 Unprocessable Content",
        "204 No Content",
    ];
    let proxy = Proxy::start(site.api_addr, statuses.map(|status| answer(status, &location, ""))).await;
    site.spool.put(day("T1", 2)).await.unwrap();
    let forwarder = Forwarder::new(&proxy.url(), &ApiKey::new(KEY.to_owned())).unwrap();
    let rows = site.spool.batch(&serial("T1"), 10).await.unwrap().rows;
    for status in statuses {
        let Outcome::Refused(refusal) = forwarder.post(&serial("T1"), &rows).await else { panic!("{status}") };
        assert_eq!(refusal.status.to_string(), status[..3]);
    }
    assert!(trap.seen().is_empty(), "the key went nowhere else");
    assert_eq!((proxy.faults_left(), site.stored().await), (0, (0, 0)));
    let Outcome::Retry { after, .. } = ({
        let asked = answer("429 Too Many Requests", "Retry-After: 7\r\n", "");
        let busy = Proxy::start(site.api_addr, [asked]).await;
        Forwarder::new(&busy.url(), &ApiKey::new(KEY.to_owned())).unwrap().post(&serial("T1"), &rows).await
    }) else {
        panic!()
    };
    assert_eq!(after, Some(Duration::from_secs(7)));
}

/// A gateway that never answers holds up no end, and one that talks without end is not listened to.
#[tokio::test]
async fn a_stop_ends_a_post_that_hangs_and_a_flood_is_cut_off() {
    let site = Site::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    site.spool.put(day("T1", 2)).await.unwrap();
    let courier = site.forward_to(&silent, KEY, Pace::default());
    let (connection, _) = listener.accept().await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), courier.stop()).await.expect("it ends at once");
    drop(connection);
    assert_eq!(site.waiting().await, 2);

    let flood = answer("200 OK", "", &"x".repeat(Forwarder::ANSWER_MAX * 8));
    let proxy = Proxy::start(site.api_addr, [flood]).await;
    let courier = site.forward_to(&proxy.url(), KEY, brisk());
    site.forwarded_all().await;
    courier.stop().await;
    assert_eq!((proxy.faults_left(), site.stored().await), (0, (2, 2)));
}

/// A day that does not exist, and a place in the table of users that is nobody's: the gateway shows them, once.
#[tokio::test]
async fn records_that_cannot_be_punches_are_parked_at_the_gateway() {
    let site = Site::start().await;
    let lost = BrokenRow {
        serial: serial("T1"),
        pin: None,
        slot: Some(7),
        time: Some(at("2026-03-28 08:00:00")),
        time_raw: 842_000_000,
        state: 0,
        verify: 1,
    };
    let timeless = BrokenRow { pin: Some(Pin::new(b"1001").into_owned()), slot: None, time: None, ..lost.clone() };
    let other = BrokenRow { slot: Some(8), ..lost.clone() };
    let rows = [lost, timeless, other].map(Row::Broken);
    assert_eq!(site.spool.put(rows.clone()).await.unwrap(), Put { new: 3, known: 0 });
    assert_eq!(site.spool.put(rows.clone()).await.unwrap(), Put { new: 0, known: 3 });
    assert_eq!(site.spool.batch(&serial("T1"), 10).await.unwrap().rows, rows);
    let courier = site.forward_to(&site.url(), KEY, brisk());
    site.forwarded_all().await;
    courier.stop().await;
    let held = site.gateway.as_ref().unwrap().store().read(|connection| {
        let sql = "SELECT count(*) FROM row WHERE fate = 'held' AND reason = 'malformed'";
        connection.value::<i64>(sql, &[])
    });
    assert_eq!((held.await.unwrap(), site.stored().await), (3, (3, 0)));
}

#[tokio::test]
async fn without_anybody_who_could_stop_it_a_courier_ends() {
    let site = Site::start().await;
    let forwarder = Forwarder::new(&site.url(), &ApiKey::new(KEY.to_owned())).unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    drop(stop);
    Courier::new(site.spool.clone(), forwarder, Pace::default()).run(stopped).await;
}

/// A site is known to be complete up to the reading that everything of was forwarded.
#[tokio::test]
async fn a_reading_counts_as_complete_once_all_of_it_is_forwarded() {
    let site = Site::start().await;
    let complete = async || {
        let gateway = site.gateway.as_ref().unwrap();
        gateway.devices.look_at_sites(now()).await.unwrap();
        let read = gateway.store().read(|connection| {
            let sql = "SELECT coalesce((SELECT complete_to FROM watermark), 0)";
            connection.value::<i64>(sql, &[])
        });
        read.await.unwrap()
    };
    let began = now();
    site.spool.put(day("T1", 40)).await.unwrap();
    for terminal in ["T1", "T2"] {
        site.spool.completed(&serial(terminal), began);
    }
    assert_eq!(site.spool.take_complete().await.unwrap().into_keys().collect::<Vec<_>>(), [serial("T2")], "T1 waits");
    assert_eq!(complete().await, 0);
    site.spool.completed(&serial("T2"), began);
    let courier = site.forward_to(&site.url(), KEY, brisk());
    let millis = began.timestamp_millis();
    eventually("both are complete", async || (complete().await == millis).then_some(())).await;
    assert_eq!(site.waiting().await, 0);
    courier.stop().await;
}
