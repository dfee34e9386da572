//! What terminals post, in every form, and what it means.

use punch_erp::isapi::{HttpHost, PUSH_REPLY, SetHttpHost, read_push};
use punch_erp::passage::PersonScheme;
use punch_erp::{Endpoint as _, drive};
use punch_normalize::{DeviceZone, Direction, Normalizer, Rules, TenantKey, Verdict};
use serde_json::{Value, json};

use super::world::{World, local, rules};
use crate::isapi_server::{AcsEvent, Form};

const FORMS: [Form; 4] = [Form::Json, Form::Xml, Form::Parts, Form::PartsWithoutLength];

#[test]
fn every_form_says_the_same() {
    let mut told = Vec::new();
    for form in FORMS {
        let mut world = World::with(|_| {});
        let (kind, body, _) = world.server.happen(AcsEvent::face(local("09:01:23"), "10<42&", "overtimeIn"), form);
        let readings = read_push(&kind, &body, &rules()).unwrap();
        assert_eq!(readings.len(), 1, "{form:?}");
        told.push(readings[0].passage().unwrap().clone());
        // Terminals call JSON XML.
        let kind = if kind.contains("multipart") { kind } else { "text/plain".to_owned() };
        assert_eq!(read_push(&kind, &body, &rules()).unwrap(), readings);
    }
    assert_eq!(told[0].employee.value, "10<42&");
    assert!(told.iter().all(|passage| *passage == told[0]));
}

/// Posted and found by a search it is one punch, under one id.
#[test]
fn posted_and_found_it_is_one_punch() {
    let mut world = World::with(|_| {});
    let (kind, body, _) = world.server.happen(AcsEvent::face(local("09:01:23"), "1042", "checkIn"), Form::Json);
    let posted = read_push(&kind, &body, &rules()).unwrap()[0].passage().unwrap().clone();
    let found = world.search().unwrap().readings[0].passage().unwrap().clone();
    assert_eq!((&posted.event_id, posted.natural_key()), (&found.event_id, found.natural_key()));
    assert!(!posted.is_backlog && found.is_backlog);
    let mut normalizer = Normalizer::new(TenantKey::new([7; 32]));
    let zone = Rules::new(posted.zone());
    let received = "2026-03-28T08:01:24Z".parse().unwrap();
    assert!(matches!(normalizer.observe(&zone, posted.observation(received)), Verdict::Fresh(_)));
    assert!(matches!(normalizer.observe(&zone, found.observation(received)), Verdict::Duplicate { .. }));
}

fn event(more: &Value, detail: &Value) -> Value {
    let mut event = json!({
        "dateTime": "2026-03-28T09:01:23+01:00", "eventType": "AccessControllerEvent", "eventState": "active",
        "AccessControllerEvent": { "majorEventType": 5, "subEventType": 75, "employeeNoString": "1042", "serialNo": 1 },
    });
    for (name, value) in more.as_object().unwrap() {
        event[name] = value.clone();
    }
    for (name, value) in detail.as_object().unwrap() {
        event["AccessControllerEvent"][name] = value.clone();
    }
    event
}

#[test]
fn what_is_no_punch_says_why() {
    for (more, detail, word, reason) in [
        (json!({}), json!({ "subEventType": 76 }), "drop", Some("not_pass_event")),
        (json!({}), json!({ "subEventType": 21 }), "drop", Some("not_pass_event")),
        (json!({}), json!({ "majorEventType": 3, "subEventType": 1024 }), "drop", Some("not_pass_event")),
        (json!({}), json!({ "employeeNoString": "" }), "drop", Some("no_person")),
        (json!({}), json!({ "employeeNoString": "0" }), "drop", Some("no_person")),
        (json!({}), json!({ "employeeNoString": "", "cardNo": "77" }), "drop", Some("no_person")),
        (json!({}), json!({ "serialNo": null }), "quarantine", Some("missing_event_id")),
        (json!({ "dateTime": "2026-03-28T09:01:23" }), json!({}), "quarantine", Some("bad_time")),
        (json!({ "eventType": "videoloss", "eventState": "inactive" }), json!({}), "drop", Some("heartbeat")),
        (json!({ "eventType": "videoloss" }), json!({}), "ignore", Some("not_access_control")),
        (json!({}), json!({ "subEventType": "38" }), "punch", None),
    ] {
        let body = event(&more, &detail).to_string();
        let reading = read_push("application/json", body.as_bytes(), &rules()).unwrap().remove(0);
        assert_eq!((reading.word(), reading.reason()), (word, reason), "{more} {detail}");
    }
}

#[test]
fn a_terminal_may_have_a_zone_cards_and_doors_of_its_own() {
    let mut rules = rules();
    rules.passage.zone = Some(DeviceZone::parse("+01:00").unwrap());
    rules.passage.employee_fields.push(PersonScheme::CardNo);
    rules.passage.readers.insert("2".into(), Direction::Out);
    rules.passage.doors.insert("DS-SN-1".into(), Direction::In);
    for (detail, badge, direction) in [
        (json!({ "employeeNoString": "0", "cardNo": "77" }), "77", "in"),
        (json!({ "cardReaderNo": 2, "attendanceStatus": "undefined" }), "1042", "out"),
        (json!({ "cardReaderNo": 2, "attendanceStatus": "BREAKIN" }), "1042", "break_in"),
    ] {
        let body = event(&json!({ "dateTime": "2026-03-28T09:01:23" }), &detail).to_string();
        let reading = read_push("application/json", body.as_bytes(), &rules).unwrap().remove(0);
        let passage = reading.passage().unwrap();
        assert_eq!((passage.employee.value.as_str(), passage.direction.as_str()), (badge, direction), "{detail}");
        assert_eq!((passage.at, passage.is_zone_assumed), (local("09:01:23"), true));
    }
}

#[test]
fn bodies_that_are_none_are_refused_with_a_code() {
    let code = |kind: &str, body: &[u8]| read_push(kind, body, &rules()).unwrap_err().code();
    assert_eq!(code("application/json", b"never"), "PE-SRC-001");
    assert_eq!(code("application/xml", b"<a><b></a>"), "PE-SRC-001");
    assert_eq!(code("application/xml", "<a>".repeat(100).as_bytes()), "PE-SRC-001");
    assert_eq!(
        code("application/xml", b"<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><a>&a;</a>"),
        "PE-SRC-004"
    );
    assert_eq!(
        code("multipart/form-data; boundary=x", b"--x\r\nContent-Type: image/jpeg\r\n\r\nabc\r\n--x--"),
        "PE-SRC-001"
    );
    assert_eq!(code("application/json", &vec![b' '; (4 << 20) + 1]), "PE-SRC-002");
}

/// Where a terminal is to post is told it through the login, and names the host in the form it has.
#[test]
fn a_terminal_is_told_where_to_post() {
    for (address, parts) in [
        (
            "https://mw.example.com/isapi/8f1c",
            ["<url>/isapi/8f1c</url>", "<hostName>mw.example.com</hostName>", "<portNo>443<"],
        ),
        (
            "http://10.0.0.9:3000/isapi/a&b",
            ["<url>/isapi/a&amp;b</url>", "<ipAddress>10.0.0.9</ipAddress>", "<portNo>3000<"],
        ),
    ] {
        let mut world = World::with(|_| {});
        // The login of a search serves.
        let mut flow = world.flow();
        drive(&mut flow, |request| Ok(world.server.answer(&request))).unwrap();
        let mut session = flow.session().unwrap().clone();
        let call = SetHttpHost::new(&world.terminal, HttpHost::new(address).unwrap(), 1);
        let mut request = call.request();
        world.terminal.log_in(&mut request, &mut session, "0a4f113b");
        call.response(&world.server.answer(&request)).unwrap();
        let set = world.server.host().unwrap();
        assert!(parts.iter().all(|part| set.contains(part)), "{set}");
    }
    assert_eq!(HttpHost::new("mw.example.com").unwrap_err().key(), "http_host");
    let shown = format!("{:?}", HttpHost::new("https://mw.example.com/canary").unwrap());
    assert!(!shown.contains("canary"), "{shown}");
    let reply: Value = serde_json::from_str(PUSH_REPLY).unwrap();
    assert_eq!(reply["statusCode"], 1);
}
