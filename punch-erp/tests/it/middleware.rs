//! The published sample's middleware, case by case: what it did to a real server, and that ours does not.

use bytes::Bytes;
use http::Request;
use punch_erp::Outcome;
use serde_json::{Value, json};

use crate::erpnext::ErpNextFault;
use crate::world::{KEY, SECRET, World, alice, now, punch};

/// Posts what the sample would have posted; the answer's status and body.
fn sample(world: &mut World, body: &Value) -> (u16, Value) {
    let request = Request::post("https://erp.example.com/api/resource/Employee%20Checkin")
        .header("Authorization", format!("token {KEY}:{SECRET}"))
        .body(Bytes::from(body.to_string()))
        .unwrap();
    let response = world.server.answer(&request, now());
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
}

/// X12, S0-060: UTC with `Z` never arrives; with `Z` cut off it arrives six hours early. Ours is the local time.
#[test]
fn times_of_the_sample() {
    let mut world = World::new();
    let (status, answer) = sample(&mut world, &json!({"employee": "HR-EMP-00001", "time": "2026-11-11T03:00:00Z"}));
    assert_eq!((status, answer["exc_type"].as_str()), (500, Some("TypeError")));
    world.server.config_mut().employees[0].has_shift = false;
    let (status, answer) = sample(&mut world, &json!({"employee": "HR-EMP-00001", "time": "2026-11-11T03:00:00Z"}));
    assert_eq!((status, answer["exc_type"].as_str()), (500, Some("OperationalError")));
    let (status, answer) = sample(&mut world, &json!({"employee": "HR-EMP-00001", "time": "2026-11-11T03:00:00"}));
    assert_eq!((status, answer["data"]["time"].as_str()), (200, Some("2026-11-11 03:00:00")));
    // Now the wall clock exists, and the same text is called a duplicate although the punch is not there.
    let (status, answer) = sample(&mut world, &json!({"employee": "HR-EMP-00001", "time": "2026-11-11T03:00:00Z"}));
    assert_eq!((status, answer["exc_type"].as_str()), (417, Some("ValidationError")));

    assert_eq!(world.write(&punch("evt_1", "1001", "2026-11-11T03:00:00Z", "in")).word(), "applied");
    assert_eq!(world.server.checkins().last().unwrap().time.to_string(), "2026-11-11 09:00:00");
}

/// No time is *now*, with 200; ours always has one.
#[test]
fn a_missing_time() {
    let mut world = World::new();
    let (status, answer) = sample(&mut world, &json!({"employee": "HR-EMP-00001"}));
    assert_eq!((status, answer["data"]["time"].as_str()), (200, Some("2026-11-22 10:46:48")));
}

/// An unknown employee is stored as an orphan; ours is parked before anything is sent.
#[test]
fn an_unknown_employee() {
    let mut world = World::new();
    let (status, answer) = sample(&mut world, &json!({"employee": "HR-EMP-99999", "time": "2026-11-11 09:00:00"}));
    assert_eq!((status, answer["data"].get("employee_name")), (200, None));
    assert_eq!(world.write(&punch("evt_1", "9999", "2026-11-11T03:00:00Z", "in")).word(), "parked");
    assert_eq!(world.server.checkins().len(), 1);
}

/// `CHECK_IN` and ids over 140 are refused; people who left are booked; markup is stored escaped.
#[test]
fn fields_of_the_sample() {
    let mut world = World::new();
    let base = json!({"employee": "HR-EMP-00004", "time": "2026-11-11 09:00:00"});
    let with = |field: &str, value: &str| {
        let mut body = base.clone();
        body[field] = value.into();
        body
    };
    assert_eq!(sample(&mut world, &with("log_type", "CHECK_IN")).0, 417);
    assert_eq!(sample(&mut world, &with("device_id", &"x".repeat(141))).1["exc_type"], "CharacterLengthExceededError");
    let (status, answer) = sample(&mut world, &with("device_id", "<a&b>"));
    assert_eq!((status, answer["data"]["device_id"].as_str()), (200, Some("&lt;a&amp;b&gt;")));
    assert_eq!(sample(&mut world, &json!({"time": "2026-11-11 09:00:00"})).1["exc_type"], "MandatoryError");
}

/// An empty badge matched the first employee without one. Here an empty badge is not even an event.
#[test]
fn an_empty_badge() {
    let mut world = World::with(|config| config.employees[1].badge = None);
    let mut nobody = alice();
    nobody.badge = String::new();
    assert_eq!(world.write(&nobody).reason(), Some("unknown_employee"));
}

/// The default page is 20 rows; the table is read as a whole.
#[test]
fn more_employees_than_a_page() {
    let mut world = World::with(|config| {
        let more =
            (0..100).map(|n| crate::erpnext::ErpNextEmployee::new(&format!("HR-EMP-1{n:04}"), "X", &format!("b{n}")));
        config.employees.splice(0..0, more);
    });
    assert_eq!(world.write(&alice()).word(), "applied");
}

/// Redirects, maintenance, limits and a dead database lose nothing: every punch is there in the end, once.
#[test]
fn nothing_is_lost() {
    let mut world = World::new();
    for (index, fault) in [
        ErpNextFault::Redirect,
        ErpNextFault::Maintenance,
        ErpNextFault::RateLimited(1),
        ErpNextFault::DatabaseDown,
        ErpNextFault::DropAfter,
        ErpNextFault::Portal,
    ]
    .into_iter()
    .enumerate()
    {
        world.server.fail_next([fault]);
        let punch = punch(&format!("evt_{index}"), "1001", &format!("2026-11-10T03:0{index}:00Z"), "in");
        assert!(world.write_until_settled(&punch).is_done());
    }
    assert_eq!(world.server.checkins().len(), 6);
}

/// S0-061: auto attendance computes *Attendance*; nothing ever addresses it. Every kind of flow is run.
#[test]
fn attendance_is_never_addressed() {
    use crate::erpnext::Naming;
    for naming in [Naming::Honoured, Naming::Ignored, Naming::NoV2] {
        let mut world = World::with(|config| config.naming = naming);
        for fault in [ErpNextFault::None, ErpNextFault::DropAfter, ErpNextFault::DropBefore, ErpNextFault::Portal] {
            world.server.fail_next([ErpNextFault::None, fault]);
            let _: Outcome = world.write(&alice());
            let _: Outcome = world.attempt(&alice(), true);
            let _: Outcome = world.write(&punch("evt_9", "9999", "2026-11-10T03:00:00Z", "in"));
        }
        let allowed = |call: &String| {
            let path = call.split(['?', ' ']).nth(1).unwrap();
            path == "/api/resource/Employee"
                || path == "/api/v2/document/Employee%20Checkin"
                || path == "/api/resource/Employee%20Checkin"
                || path.starts_with("/api/resource/Employee%20Checkin/evt_")
        };
        assert!(world.server.requests().iter().all(allowed), "{:?}", world.server.requests());
        // Nothing is changed or deleted either.
        assert!(world.server.requests().iter().all(|call| call.starts_with("GET ") || call.starts_with("POST ")));
    }
}
