//! The exact bytes of every request.

use punch_erp::erpnext::{
    CreateCheckin, DeviceIdField, ErpNext, FindCheckins, GetCheckin, ListEmployees, LogType, LoggedUser, NewCheckin,
    Resource, UnknownDirection, WriteCheckin,
};
use punch_erp::{Endpoint as _, Flow as _, HttpRequest, Step, drive, render_masked};

use crate::world::{World, alice, now, parked, punch, settings};

fn site() -> ErpNext {
    ErpNext::new(settings("Asia/Dhaka")).unwrap()
}

fn row() -> NewCheckin {
    let time = "2026-11-10T09:00:00".parse().unwrap();
    let mut row = NewCheckin::new("evt_1", "HR-EMP-00001", time);
    row.device_id = Some("evt_1".into());
    row.log_type = Some(LogType::In);
    row
}

fn body(request: &HttpRequest) -> &str {
    std::str::from_utf8(request.body()).unwrap()
}

/// S0-054: `Authorization: token key:secret`. S0-057: employee, time, device_id, log_type. S0-060: local, no zone.
#[test]
fn create_v2() {
    let request = CreateCheckin::new(&site(), row(), Resource::V2).request();
    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri(), "https://erp.example.com/api/v2/document/Employee%20Checkin");
    assert_eq!(
        body(&request),
        r#"{"name":"evt_1","employee":"HR-EMP-00001","time":"2026-11-10 09:00:00","device_id":"evt_1","log_type":"IN"}"#
    );
    let mut headers: Vec<_> = request.headers().iter().map(|(k, v)| (k.as_str(), v.to_str().unwrap())).collect();
    headers.sort_unstable();
    assert_eq!(
        headers,
        [
            ("accept", "application/json"),
            ("accept-language", "en"),
            ("authorization", "token 4f1e2d3c4b5a697:canary-secret-9b8a"),
            ("content-type", "application/json"),
        ]
    );
}

#[test]
fn create_v1() {
    let request = CreateCheckin::new(&site(), row(), Resource::V1).request();
    assert_eq!(request.uri(), "https://erp.example.com/api/resource/Employee%20Checkin");
}

#[test]
fn get_by_name() {
    let request = GetCheckin::new(&site(), "evt_1").request();
    assert_eq!(request.method(), "GET");
    assert_eq!(request.uri(), "https://erp.example.com/api/resource/Employee%20Checkin/evt_1");
    assert!(request.body().is_empty());
    let request = GetCheckin::new(&site(), "a/b?c#d").request();
    assert_eq!(request.uri().path(), "/api/resource/Employee%20Checkin/a%2Fb%3Fc%23d");
}

/// S0-055: percent-encoded filters, the value escaped as JSON. The article's injection stays a value.
#[test]
fn find_by_employee_and_time() {
    let time = "2026-11-10T09:00:00".parse().unwrap();
    let request = FindCheckins::new(&site(), r#"E"]]&fields=["x"#, time).request();
    assert_eq!(
        request.uri().to_string(),
        "https://erp.example.com/api/resource/Employee%20Checkin\
         ?fields=%5B%22name%22%2C%22employee%22%2C%22employee_name%22%2C%22time%22%2C%22log_type%22%2C%22device_id%22%5D\
         &filters=%5B%5B%22employee%22%2C%22%3D%22%2C%22E%5C%22%5D%5D%26fields%3D%5B%5C%22x%22%5D%2C\
         %5B%22time%22%2C%22%3D%22%2C%222026-11-10%2009%3A00%3A00%22%5D%5D\
         &limit_page_length=0"
    );
}

/// S0-055: the employee is found by `attendance_device_id`. The badge is in no request at all.
#[test]
fn employees() {
    let request = ListEmployees::new(&site()).request();
    assert_eq!(
        request.uri().to_string(),
        "https://erp.example.com/api/resource/Employee\
         ?fields=%5B%22name%22%2C%22attendance_device_id%22%2C%22status%22%2C%22relieving_date%22%5D\
         &filters=%5B%5B%22attendance_device_id%22%2C%22is%22%2C%22set%22%5D%5D\
         &limit_page_length=0"
    );
}

#[test]
fn logged_user() {
    let request = LoggedUser::new(&site()).request();
    assert_eq!(request.uri(), "https://erp.example.com/api/method/frappe.auth.get_logged_user");
}

#[test]
fn a_base_with_a_path_and_a_slash() {
    let mut settings = settings("UTC");
    settings.base = "https://example.com/erp/".into();
    let request = GetCheckin::new(&ErpNext::new(settings).unwrap(), "x").request();
    assert_eq!(request.uri(), "https://example.com/erp/api/resource/Employee%20Checkin/x");
}

/// The body of the create that a punch leads to.
fn create_body(world: &mut World, punch: &punch_webhook::ReceivedPunch) -> serde_json::Value {
    let mut flow = WriteCheckin::new(&world.site, punch, now());
    let mut sent = None;
    drive(&mut flow, |request| {
        if request.method() == "POST" {
            sent = Some(serde_json::from_slice(request.body()).unwrap());
        }
        world.send(&request, now())
    });
    sent.unwrap()
}

/// S0-058: device_id carries the event id, or the serial if so configured.
#[test]
fn device_id_is_the_event_or_the_serial() {
    let mut world = World::new();
    assert_eq!(create_body(&mut world, &alice())["device_id"], "evt_5xe9rzfeytktk4ns5q1xhc1e6k");
    let mut serial = settings("Asia/Dhaka");
    serial.device_id = DeviceIdField::Serial;
    world.site = ErpNext::new(serial).unwrap();
    assert_eq!(create_body(&mut world, &alice())["device_id"], "CZKE2241600045");
}

/// S0-059, S0-071, S0-072: IN for in, OUT for out; an unknown stays unknown unless configured.
#[test]
fn log_type_follows_the_direction() {
    for (direction, expected) in [("in", Some("IN")), ("out", Some("OUT")), ("unknown", None)] {
        let punch = punch("evt_1", "1001", "2026-11-10T03:00:00Z", direction);
        let sent = create_body(&mut World::new(), &punch);
        assert_eq!(sent.get("log_type").and_then(|word| word.as_str()), expected, "{direction}");
    }
    let mut seed = settings("Asia/Dhaka");
    seed.unknown_direction = UnknownDirection::Out;
    let mut world = World::new();
    world.site = ErpNext::new(seed).unwrap();
    let sent = create_body(&mut world, &punch("evt_1", "1001", "2026-11-10T03:00:00Z", "unknown"));
    assert_eq!(sent["log_type"], "OUT");
}

/// S0-060, S0-070: the site's local time in whole seconds, in any zone and season, and never with a zone.
#[test]
fn time_is_local_to_the_site() {
    for (zone, timestamp, expected) in [
        ("Asia/Dhaka", "2026-11-10T03:00:00Z", "2026-11-10 09:00:00"),
        ("Asia/Dhaka", "2026-11-10T09:00:00.999999+06:00", "2026-11-10 09:00:00"),
        ("UTC", "2026-11-10T03:00:00Z", "2026-11-10 03:00:00"),
        ("Asia/Kathmandu", "2026-11-10T03:00:00Z", "2026-11-10 08:45:00"),
        ("America/New_York", "2026-11-10T03:00:00Z", "2026-11-09 22:00:00"),
        ("Europe/Madrid", "2026-07-01T06:00:00Z", "2026-07-01 08:00:00"),
        ("Europe/Madrid", "2026-01-01T06:00:00Z", "2026-01-01 07:00:00"),
    ] {
        let sent = create_body(&mut World::in_zone(zone, |_| {}), &punch("evt_1", "1001", timestamp, "in"));
        assert_eq!(sent["time"], expected, "{zone} {timestamp}");
    }
}

/// Foreign ids: a name survives letter case and markup, and different ids have different names.
#[test]
fn names_of_foreign_events() {
    for (event_id, expected) in [
        ("evt_a8f3k2x9m1", "evt_a8f3k2x9m1"),
        ("EVT-1", "hex-4556542d31"),
        ("hex-41", "hex-6865782d3431"),
        ("<b>", "hex-3c623e"),
        ("6b9f6c1e-3f0a-4c57-9a3e-2f6d1f3f9b11", "6b9f6c1e-3f0a-4c57-9a3e-2f6d1f3f9b11"),
    ] {
        let mut world = World::new();
        let outcome = world.write(&punch(event_id, "1001", "2026-11-10T03:00:00Z", "in"));
        assert_eq!(outcome.remote_id(), Some(expected));
    }
    let long = "A".repeat(69);
    let outcome = World::new().write(&punch(&long, "1001", "2026-11-10T03:00:00Z", "in"));
    assert_eq!(parked(&outcome).code(), "event_id_unusable");
}

/// Polling twice asks the same twice; a dry run shows it without the secret.
#[test]
fn dry_run() {
    let mut flow = WriteCheckin::new(&site(), &alice(), now());
    let (Step::Send(first), Step::Send(second)) = (flow.poll(), flow.poll()) else { panic!("a request") };
    assert_eq!(render_masked(&first), render_masked(&second));
    let text = render_masked(&CreateCheckin::new(&site(), row(), Resource::V2).request());
    assert_eq!(
        text,
        "POST https://erp.example.com/api/v2/document/Employee%20Checkin\n\
         accept: application/json\n\
         accept-language: en\n\
         authorization: token ***\n\
         content-type: application/json\n\
         \n\
         {\"name\":\"evt_1\",\"employee\":\"HR-EMP-00001\",\"time\":\"2026-11-10 09:00:00\",\"device_id\":\"evt_1\",\"log_type\":\"IN\"}\n"
    );
}
