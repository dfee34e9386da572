//! Who is not approved, or does not finish what was begun, gets no `OK` and keeps its rows.

use serde_json::json;

use crate::harness::{API_KEY, Answer, Recorder, Site, device, device as device_of, exchange, get, post};

const ROWS: &str =
    "1001\t2026-03-28 08:47:12\t0\t1\t0\n1002\t2026-03-28 08:47:13\t0\t15\t0\n1003\t2026-03-28 08:48:00\t1\t1\t0\n";

/// A terminal takes `OK` anywhere in an answer for an acknowledgement.
fn is_no_ok(answer: &Answer) -> bool {
    answer.status != 200 && !answer.body.to_ascii_uppercase().contains("OK")
}

/// S1-025: refused on every endpoint, shown as pending, let in by the API; then the rows it kept are taken once.
#[tokio::test]
async fn an_unknown_serial_gets_no_ok_until_it_is_approved_and_its_rows_arrive_once() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    let addr = site.gateway.device_addr;
    let calls = [
        ("GET", "/iclock/cdata?SN=NEW1&options=all&pushver=2.4.1", ""),
        ("GET", "/iclock/cdata?SN=NEW1", ""),
        ("GET", "/iclock/getrequest?SN=NEW1", ""),
        ("GET", "/iclock/ping?SN=NEW1", ""),
        ("POST", "/iclock/cdata?SN=NEW1&table=ATTLOG&Stamp=9999", ROWS),
        ("POST", "/iclock/cdata?SN=NEW1&table=OPERLOG&OpStamp=1", "OPLOG 4\t0\t2026-03-28 08:00:00\n"),
        ("POST", "/iclock/cdata?SN=NEW1&table=options", "FWVersion=1"),
        ("POST", "/iclock/cdata?SN=NEW1&table=rtlog", "time=2026-03-28 08:00:00\tpin=1\tevent=0\n"),
        ("POST", "/iclock/cdata?SN=NEW1&table=tabledata&tablename=user&count=1", "user uid=1\tpin=1\n"),
        ("POST", "/iclock/devicecmd?SN=NEW1", "ID=1&Return=0&CMD=DATA\n"),
        ("POST", "/iclock/registry?SN=NEW1", "DeviceType=acc"),
        ("POST", "/iclock/push?SN=NEW1", ""),
        ("POST", "/iclock/querydata?SN=NEW1&type=tabledata&tablename=user&count=1", "user uid=1\n"),
        ("POST", "/iclock/exchange?SN=NEW1&type=publickey", "x"),
        ("GET", "/iclock/rtdata?SN=NEW1&type=time", ""),
    ];
    // Twice: the first call makes it pending, the later ones meet a terminal that is known and not approved.
    for (method, target, body) in calls.into_iter().chain(calls) {
        let answer = if method == "GET" { get(addr, target).await } else { post(addr, target, body.as_bytes()).await };
        assert!(is_no_ok(&answer), "{method} {target}: {} {:?}", answer.status, answer.body);
    }
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row").await, 0);
    let (_, devices) = site.get("/v1/devices").await;
    let of = |serial: &str| {
        let devices = devices["data"].as_array().unwrap();
        devices.iter().find(|device| device["serial_number"] == serial).map(|device| device["admission"].clone())
    };
    assert_eq!((of("NEW1"), of("T1")), (Some(json!("pending")), Some(json!("approved"))));

    let (status, approved) = site.post("/v1/devices", json!({ "serial_number": "NEW1" })).await;
    assert_eq!((status, &approved["data"]["admission"]), (201, &json!("approved")));
    // It sends everything it kept, and again because it is a terminal.
    for _ in 0..2 {
        assert_eq!(site.upload("NEW1", "ATTLOG", ROWS).await.body, "OK: 3");
    }
    site.delivered_all().await;
    assert_eq!(receiver.seen().len(), 3);
    assert_eq!(receiver.event_ids().len(), 3);
    let site = site.restart(|_| ()).await;
    assert_eq!(site.upload("NEW1", "ATTLOG", ROWS).await.body, "OK: 3", "approved for good");
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row").await, 3);
}

#[tokio::test]
async fn a_blocked_terminal_and_a_request_without_a_usable_serial_get_no_ok() {
    let site = Site::start(|_| ()).await;
    assert!(is_no_ok(&get(site.gateway.device_addr, "/iclock/getrequest?SN=BAD1").await));
    let block = site.gateway.store().write(|tx| {
        tx.execute("UPDATE device SET admission = 'blocked' WHERE serial = 'BAD1'", &[])?;
        Ok(())
    });
    block.await.unwrap();
    let site = site.restart(|_| ()).await;
    // X01 to X05, and no endpoint at all.
    let targets = [
        ("/iclock/cdata?SN=BAD1&table=ATTLOG", 503),
        ("/iclock/cdata?SN=111%27;EXEC+xp_cmdshell&table=ATTLOG", 400),
        ("/iclock/cdata?SN=../../etc/passwd&table=ATTLOG", 400),
        ("/iclock/cdata?table=ATTLOG", 400),
        ("/iclock/cdata?SN=BAD%20SN&table=ATTLOG", 400),
        ("/iclock/cdata?SN=T1&SN=EVIL1&table=ATTLOG", 400),
        ("/iclock/nothing?SN=T1", 404),
        ("/?SN=T1", 404),
        ("/iclock/registry?SN=BAD1", 406),
    ];
    for (target, status) in targets {
        let answer = post(site.gateway.device_addr, target, ROWS.as_bytes()).await;
        assert!(is_no_ok(&answer), "{target}: {:?}", answer.body);
        assert_eq!(answer.status, status, "{target}");
    }
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row").await, 0);
}

/// I8: half an upload is none, wherever the connection broke.
#[tokio::test]
async fn a_body_cut_short_at_any_byte_is_neither_acknowledged_nor_stored() {
    let site = Site::start(|_| ()).await;
    for version in ["1.0", "1.1"] {
        let head = format!(
            "POST /iclock/cdata?SN=T1&table=ATTLOG&Stamp=9999 HTTP/{version}\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
            ROWS.len()
        );
        let whole = [head.as_bytes(), ROWS.as_bytes()].concat();
        for cut in (0..whole.len()).step_by(7).chain([head.len(), whole.len() - 1]) {
            let answer = String::from_utf8(exchange(site.gateway.device_addr, &whole[..cut]).await).unwrap();
            let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            assert!(!answer.contains(" 200 ") && !body.contains("OK"), "cut at {cut}: {answer:?}");
        }
    }
    let chunked = "POST /iclock/cdata?SN=T1&table=ATTLOG HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
                   1d\r\n1001\t2026-03-28 08:47:12\t0\t1\n\r\n";
    let answer = String::from_utf8(exchange(site.gateway.device_addr, chunked.as_bytes()).await).unwrap();
    assert!(!answer.contains("OK"), "without the last chunk: {answer:?}");
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row").await, 0);
    // The same bytes, all of them, are taken.
    site.punch(ROWS).await;
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_without_ok_and_the_limit_itself_is_taken() {
    const LIMIT: usize = 4096;
    let site = Site::start(|config| (config.limits.stream, config.limits.body) = (LIMIT, LIMIT)).await;
    let row = "1001\t2026-03-28 08:47:12\t0\t1\t";
    let body_of = |len: usize| format!("{row}{}\n", "0".repeat(len - row.len() - 1));
    let refused = site.upload("T1", "ATTLOG", body_of(LIMIT + 1)).await;
    assert!(is_no_ok(&refused) && [413, 503].contains(&refused.status), "{} {}", refused.status, refused.body);
    let body = body_of(LIMIT + 1);
    let chunked = format!(
        "POST /iclock/cdata?SN=T1&table=ATTLOG HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    let refused = Answer::of(&exchange(site.gateway.device_addr, chunked.as_bytes()).await);
    assert!(is_no_ok(&refused) && [413, 503].contains(&refused.status), "{} {}", refused.status, refused.body);
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row").await, 0);
    assert_eq!(site.upload("T1", "ATTLOG", body_of(LIMIT)).await.body, "OK: 1");
}

/// An approval that meets a call of the same terminal on its way must win.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_is_not_undone_by_a_call_that_was_on_its_way() {
    let site = Site::start(|_| ()).await;
    for round in 0..100 {
        let serial = format!("RACE{round}");
        let target = format!("/iclock/getrequest?SN={serial}");
        let calls = async {
            tokio::join!(get(site.gateway.device_addr, &target), get(site.gateway.device_addr, &target));
        };
        let ((status, _), ()) = tokio::join!(site.post("/v1/devices", json!({ "serial_number": serial })), calls);
        assert_eq!(status, 201);
        let answer = get(site.gateway.device_addr, &target).await;
        assert_eq!(answer.body, "OK", "{serial}");
    }
}

/// Approving again what the file names must not forget its zone: that would misdate every punch to come.
#[tokio::test]
async fn approving_a_configured_terminal_again_keeps_its_zone_and_name() {
    let receiver = Recorder::always(200).await;
    let site = Site::start(|config| {
        let mut lima = device("LIMA1");
        lima.profile.zone = punch_normalize::DeviceZone::parse("America/Lima").unwrap();
        config.devices.push(lima);
        config.endpoints.push(crate::harness::endpoint(&receiver.url(), punch_webhook::PayloadFormat::Nested));
    })
    .await;
    let request = site.request("PATCH", "/v1/devices/LIMA1").bearer_auth(API_KEY);
    let request = request.header("Content-Type", "application/json").body(r#"{"admission":"approved"}"#);
    assert_eq!(site.call(request).await.0, 200);
    assert_eq!(site.upload("LIMA1", "ATTLOG", "1001\t2026-03-28 08:47:12\t0\t1\n").await.body, "OK: 1");
    site.delivered_all().await;
    let event = receiver.seen()[0].json();
    assert_eq!(event["timestamp"], "2026-03-28T13:47:12Z");
    assert_eq!((&event["device"]["name"], &event["device"]["site"]), (&json!("Door LIMA1"), &json!("Plant")));
}

/// S1-025: what it said is there to decide by, and what was seen of it says why it was refused.
#[tokio::test]
async fn a_pending_terminal_shows_what_it_said_and_can_be_let_in_or_kept_out() {
    let site = Site::start(|_| ()).await;
    let addr = site.gateway.device_addr;
    get(addr, "/iclock/cdata?SN=NEW1&options=all&pushver=2.4.1&language=83&pushcommkey=canarykey").await;
    for _ in 0..3 {
        post(addr, "/iclock/cdata?SN=NEW1&table=ATTLOG&Stamp=9999", ROWS.as_bytes()).await;
    }
    let (_, device) = site.get("/v1/devices/NEW1").await;
    let device = &device["data"];
    assert_eq!((&device["admission"], &device["status"]), (&json!("pending"), &json!("pending")));
    let said = json!({ "push_version": "2.4.1", "language": "83", "user_agent": "iClock Proxy/1.09" });
    assert_eq!(device["said"], said);
    assert!(!device.to_string().contains("canarykey"), "{device}");
    let seen = async |site: &Site| {
        let (_, timeline) = site.get("/v1/devices/NEW1/timeline").await;
        let seen = timeline["data"]["since_start"].as_array().unwrap().clone();
        let told =
            seen.iter().map(|seen| format!("{} {} {}", seen["what"], seen["outcome"], seen["count"]).replace('"', ""));
        told.collect::<Vec<String>>()
    };
    assert_eq!(seen(&site).await, ["upload ATTLOG not_approved 3", "handshake not_approved 1"]);

    let change = |admission: &str| {
        let request = site.request("PATCH", "/v1/devices/NEW1").bearer_auth(API_KEY);
        site.call(
            request.header("Content-Type", "application/json").body(json!({ "admission": admission }).to_string()),
        )
    };
    let (status, approved) = change("approved").await;
    assert_eq!((status, &approved["data"]["admission"]), (200, &json!("approved")));
    assert_eq!(site.upload("NEW1", "ATTLOG", ROWS).await.body, "OK: 3");
    let (status, blocked) = change("blocked").await;
    assert_eq!((status, &blocked["data"]["status"]), (200, &json!("blocked")));
    assert!(is_no_ok(&site.upload("NEW1", "ATTLOG", ROWS).await));
    let (status, answer) = change("maybe").await;
    assert_eq!((status, &answer["error"]["field"]), (400, &json!("admission")));
    let told = seen(&site).await;
    assert!(
        told.contains(&"upload ATTLOG served 1".to_owned()) && told.contains(&"upload ATTLOG blocked 1".to_owned()),
        "{told:?}"
    );
    // Nobody lets it in again by starting anew, the file neither.
    let site = site.restart(|config| config.devices.push(device_of("NEW1"))).await;
    assert!(is_no_ok(&site.upload("NEW1", "ATTLOG", ROWS).await));
    let (_, shown) = site.get("/v1/devices/NEW1").await;
    assert_eq!((&shown["data"]["admission"], &shown["data"]["said"]), (&json!("blocked"), &said));
    assert_eq!(site.get("/v1/devices/NOBODY").await.0, 404);
}
