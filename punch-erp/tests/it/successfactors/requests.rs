//! The exact bytes of every request that no vector has, and what the calls make of good answers.

use bytes::Bytes;
use chrono::TimeDelta;
use punch_erp::successfactors::{
    Access, BreakFallback, CreateTimeEvents, DeleteTimeEvents, EmployeeField, FindTimeEventTypes, FindTimeEvents,
    NewTimeEvent, RequestToken, SuccessFactors, SuccessFactorsSettings, TimeEventKind, Token, TypeCodes, ValidateToken,
};
use punch_erp::{Endpoint as _, HttpRequest, HttpResponse, ParkReason, render_masked};
use punch_normalize::Direction;
use punch_webhook::ReceivedPunch;
use serde_json::Value;

use super::world::{SECRET, World, alice, at, punch, settings};

fn tenant() -> SuccessFactors {
    SuccessFactors::new(settings()).unwrap()
}

fn access() -> Access {
    Access::Bearer(Token::new("canary.token", Some(TimeDelta::hours(1))))
}

fn body(request: &HttpRequest) -> &str {
    core::str::from_utf8(request.body()).unwrap()
}

fn event(change: impl FnOnce(&mut SuccessFactorsSettings), punch: &ReceivedPunch) -> Result<String, ParkReason> {
    let mut settings = settings();
    change(&mut settings);
    let tenant = SuccessFactors::new(settings).unwrap();
    let event = NewTimeEvent::of(&tenant, punch, at("2026-11-30T00:00:00Z"))?;
    Ok(serde_json::to_string(&event).unwrap())
}

#[test]
fn reading_back() {
    let (from, until) = (at("2026-11-10T00:00:00Z"), at("2026-11-11T00:00:00.9Z"));
    let request = FindTimeEvents::new(&tenant(), &access(), from, until, 2000).request();
    assert_eq!(request.method(), "GET");
    assert_eq!(
        request.uri(),
        "https://api55.sapsf.eu/odatav4/timemanagement/timeeventprocessing/clockinclockout/v1/timeevents\
         ?$filter=timestampUTC%20ge%202026-11-10T00%3A00%3A00Z%20and%20timestampUTC%20lt%202026-11-11T00%3A00%3A00Z\
         &$top=1000&$skip=2000"
    );
    assert_eq!(request.headers()["accept"], "application/json");
    assert_eq!(request.headers()["authorization"], "Bearer canary.token");

    let mut world = World::new();
    world.write(&[alice("08:00:00", "in"), alice("16:00:00", "out")]);
    let held = drive_token(&mut world);
    let call = FindTimeEvents::new(&world.tenant, &held, at("2026-11-10T08:00:00Z"), at("2026-11-10T16:00:00Z"), 0);
    let answer = world.send(&call.request()).unwrap();
    let page = call.response(&answer).unwrap();
    assert_eq!((page.events.len(), page.count), (1, Some(1)));
    let [found] = page.events.as_slice() else { panic!("one") };
    assert_eq!((found.at, found.time_event_type_code.as_deref()), (at("2026-11-10T08:00:00Z"), Some("P10")));
    assert_eq!(found.validation_status_code.as_deref(), Some("VALID"));

    let id = found.external_id.clone().unwrap();
    let call = DeleteTimeEvents::new(&world.tenant, &held, vec![id.clone()]);
    let request = call.request();
    assert_eq!(request.method(), "PATCH");
    let path = "/rest/timemanagement/timeeventprocessing/clockinclockout/v1/timeevents";
    assert_eq!(request.uri().path(), path);
    assert_eq!(body(&request), format!("{{\"value\":[{{\"deleted\":true,\"id\":\"{id}\"}}]}}"));
    let answer = world.send(&request).unwrap();
    call.response(&answer).unwrap();
    assert_eq!(world.records(), ["10 16:00:00 P20"]);
}

/// A token of the stand-in.
fn drive_token(world: &mut World) -> Access {
    let call = RequestToken::ias(&world.tenant);
    let answer = world.send(&call.request()).unwrap();
    Access::Bearer(call.response(&answer).unwrap())
}

#[test]
fn token_is_validated() {
    let request = ValidateToken::new(&tenant(), &access()).request();
    assert_eq!(
        (request.method().as_str(), request.uri().to_string()),
        ("GET", "https://api55.sapsf.eu/oauth/validate".into())
    );
    let mut world = World::new();
    let held = drive_token(&mut world);
    for (access, is_good) in [(held, true), (access(), false)] {
        let call = ValidateToken::new(&world.tenant, &access);
        let answer = world.send(&call.request()).unwrap();
        assert_eq!(call.response(&answer).is_ok(), is_good);
    }
}

#[test]
fn codes_are_checked_against_the_tenant() {
    let request = FindTimeEventTypes::new(&tenant(), &access()).request();
    assert_eq!(
        request.uri(),
        "https://api55.sapsf.eu/odatav4/timemanagement/timeeventprocessing/ClockInClockOutIntegration.svc/v1/\
         ClockInClockOutGroups?$expand=timeEventTypeNav"
    );
    let mut world = World::new();
    let held = drive_token(&mut world);
    let call = FindTimeEventTypes::new(&world.tenant, &held);
    let answer = world.send(&call.request()).unwrap();
    let types = call.response(&answer).unwrap();
    assert_eq!((types[1].code.as_str(), &types[1].kind, types[1].is_active), ("P20", &TimeEventKind::Stop, true));
    assert!(TypeCodes::new("P10", "P20").problems(&types).is_empty());
    let mut turned = TypeCodes::new("P20", "C20");
    turned.unknown = Some("P01".to_owned());
    assert_eq!(
        turned.problems(&types),
        [
            "`codes.in` is `P20`, which is no START type",
            "`codes.out` is `C20`, and the tenant has no such time event type"
        ]
    );
    let one =
        br#"{"value":[{"timeEventTypeNav":{"code":"X","event":"STOP","active":false}},{"timeEventTypeNav":null}]}"#;
    let types = call.response(&HttpResponse::new(Bytes::from_static(one))).unwrap();
    assert_eq!(
        TypeCodes::new("X", "X").problems(&types),
        ["`codes.in` is `X`, which is not active", "`codes.out` is `X`, which is not active"]
    );
}

/// The time is the site's: as the sender says it, or of a zone of the settings, else UTC.
#[test]
fn times() {
    let mut late = punch("1001", "10 05:30:00", "out");
    let time = |zone: &str, punch: &ReceivedPunch| {
        let text = event(|settings| settings.time_zone = zone.to_owned(), punch).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["timestamp"].as_str().unwrap().to_owned()
    };
    assert_eq!(time("device", &late), "2026-11-10T05:30:00+00:00");
    // The night shift in Mexico ends on the ninth.
    assert_eq!(time("America/Mexico_City", &late), "2026-11-09T23:30:00-06:00");
    late.local_time = Some("2026-11-10T11:00:00+05:30".parse().unwrap());
    assert_eq!(time("device", &late), "2026-11-10T11:00:00+05:30");
    assert_eq!(time("America/Mexico_City", &late), "2026-11-09T23:30:00-06:00");
    // The clocks go back: the same wall time twice, told apart by the offset.
    let first = crate::world::punch("evt_1", "1001", "2026-10-25T00:30:00.999Z", "in");
    let second = crate::world::punch("evt_2", "1001", "2026-10-25T01:30:00Z", "in");
    assert_eq!(time("Europe/Berlin", &first), "2026-10-25T02:30:00+02:00");
    assert_eq!(time("Europe/Berlin", &second), "2026-10-25T02:30:00+01:00");
}

/// S0-048: every direction, with the codes of the settings and without.
#[test]
fn directions() {
    let code = |change: fn(&mut SuccessFactorsSettings), direction: Direction| {
        let mut punch = alice("08:00:00", "in");
        punch.direction = direction;
        match event(change, &punch) {
            Ok(text) => serde_json::from_str::<Value>(&text).unwrap()["typeCode"].as_str().unwrap().to_owned(),
            Err(reason) => reason.code().to_owned(),
        }
    };
    let all = [
        Direction::In,
        Direction::Out,
        Direction::BreakOut,
        Direction::BreakIn,
        Direction::OvertimeIn,
        Direction::OvertimeOut,
        Direction::Unknown,
        Direction::Intermediate,
    ];
    let codes = |change: fn(&mut SuccessFactorsSettings)| all.map(|direction| code(change, direction));
    let default = codes(|_| {});
    assert_eq!(default, ["P10", "P20", "P20", "P10", "P10", "P20", "unknown_direction", "left_out"]);
    let own = codes(|settings| {
        let TypeCodes { break_out, break_in, overtime_in, overtime_out, unknown, .. } = &mut settings.codes;
        for (code, text) in
            [(break_out, "P15"), (break_in, "P25"), (overtime_in, "O1"), (overtime_out, "O2"), (unknown, "P01")]
        {
            *code = Some(text.to_owned());
        }
        settings.break_fallback = BreakFallback::Drop;
    });
    assert_eq!(own, ["P10", "P20", "P15", "P25", "O1", "O2", "P01", "left_out"]);
    let parked = codes(|settings| {
        (settings.break_fallback, settings.overtime_as_normal) = (BreakFallback::Park, false);
    });
    let none = "no_type_code";
    assert_eq!(parked, ["P10", "P20", none, none, none, none, "unknown_direction", "left_out"]);
    let dropped = codes(|settings| settings.break_fallback = BreakFallback::Drop);
    assert_eq!(dropped[2..5], ["left_out", "left_out", "P10"]);
}

/// A time type is for begins only; the terminal can be left out; what no assignment is, is parked.
#[test]
fn the_other_fields() {
    let with_type = |settings: &mut SuccessFactorsSettings| settings.time_type = "WORK".to_owned();
    assert!(event(with_type, &alice("08:00:00", "in")).unwrap().ends_with(",\"timeTypeCode\":\"WORK\"}"));
    assert!(!event(with_type, &alice("08:00:00", "out")).unwrap().contains("timeTypeCode"));
    assert!(
        !event(|settings| settings.send_terminal_id = false, &alice("08:00:00", "in")).unwrap().contains("terminalId")
    );
    let mut punch = alice("08:00:00", "in");
    punch.device_serial = Some("ä".repeat(31));
    assert!(event(|_| {}, &punch).unwrap().contains(&format!("\"{}\"", "ä".repeat(30))));
    punch.device_serial = None;
    assert!(!event(|_| {}, &punch).unwrap().contains("terminalId"));

    for (badge, is_taken) in [("x", true), (" ", false), ("", false), ("a\nb", false)] {
        punch.badge = badge.to_owned();
        assert_eq!(event(|_| {}, &punch).is_ok(), is_taken, "{badge:?}");
    }
    for (length, is_taken) in [(100, true), (101, false)] {
        punch.badge = "ß".repeat(length);
        assert_eq!(event(|_| {}, &punch).is_ok(), is_taken, "{length}");
    }
    let by_reference = |settings: &mut SuccessFactorsSettings| settings.employee_field = EmployeeField::EmployeeRef;
    assert_eq!(event(by_reference, &punch), Err(ParkReason::UnknownEmployee));
    punch.employee_ref = Some("emp_7".to_owned());
    assert!(event(by_reference, &punch).unwrap().contains("\"assignmentId\":\"emp_7\""));
}

#[test]
fn a_dry_run_shows_no_secret() {
    let saml = SuccessFactors::new(
        SuccessFactorsSettings::new("https://api55.sapsf.eu", "P10", "P20").with_saml("ACME", "KEY123"),
    );
    let shown = render_masked(&RequestToken::ias(&tenant()).request());
    assert!(shown.ends_with(
        "client_secret=%2A%2A%2A&resource=urn%3Asap%3Aidentity%3Aapplication%3Aprovider%3Aname%3ASF-EC-TA\n"
    ));
    let requests = [
        RequestToken::ias(&tenant()).request(),
        RequestToken::ias_exchange(&tenant(), "canary.token").request(),
        RequestToken::saml(&saml.unwrap(), "canary.token").request(),
        CreateTimeEvents::new(&tenant(), &access(), Vec::new()).request(),
    ];
    for request in requests {
        let shown = render_masked(&request);
        let escaped = "canary%2Fs%2Be";
        assert!(!shown.contains("canary.token") && !shown.contains(escaped) && !shown.contains(SECRET), "{shown}");
    }
}
