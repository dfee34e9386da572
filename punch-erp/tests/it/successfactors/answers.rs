//! Answers of the time events that the vectors do not have.

use bytes::Bytes;
use chrono::TimeDelta;
use punch_erp::successfactors::{
    Access, CreateTimeEvents, FindTimeEvents, NewTimeEvent, SuccessFactors, TimeEventResult, Token,
};
use punch_erp::{CallError, Endpoint as _, HttpResponse};

use super::world::{alice, at, settings};

fn read(status: u16, body: &str) -> Result<Vec<TimeEventResult>, CallError> {
    let tenant = SuccessFactors::new(settings()).unwrap();
    let access = Access::Bearer(Token::new("T", Some(TimeDelta::hours(1))));
    let event = NewTimeEvent::of(&tenant, &alice("08:00:00", "in"), at("2026-11-30T00:00:00Z")).unwrap();
    let body = body.replace("OURS", event.id.as_str());
    let response = http::Response::builder().status(status).body(Bytes::from(body)).unwrap();
    CreateTimeEvents::new(&tenant, &access, vec![event]).response(&response)
}

fn one(body: &str) -> TimeEventResult {
    read(201, body).unwrap().remove(0)
}

#[test]
fn lists_in_every_form() {
    let stored = TimeEventResult::Stored { uuid: "u".to_owned() };
    assert_eq!(one(r#"{"succeededTimeEvents":[{"UUID":"u","id":"OURS"}]}"#), stored);
    assert_eq!(one(r#"{"succeededTimeEvents":[{"UUID":"u","id":"OURS"}],"failedTimeEvents":null,"more":1}"#), stored);
    // Stored is stored, whatever else is said.
    let both =
        r#"{"succeededTimeEvents":[{"UUID":"u","id":"OURS"}],"failedTimeEvents":[{"id":"OURS","errorText":"no"}]}"#;
    assert_eq!(one(both), stored);
    let bare = one(r#"{"succeededTimeEvents":[{"id":"OURS"}]}"#);
    assert!(matches!(bare, TimeEventResult::Stored { uuid } if uuid.len() == 36));
    for unmentioned in [
        r#"{"succeededTimeEvents":[]}"#,
        r#"{"succeededTimeEvents":[{"UUID":"u","id":"another"}],"failedTimeEvents":[{"id":null}]}"#,
        r#"{"failedTimeEvents":[{"errorText":"A time event already exists."}]}"#,
    ] {
        assert_eq!(one(unmentioned), TimeEventResult::Unmentioned, "{unmentioned}");
    }
    for (text, is_there) in [
        ("A TIME EVENT for this employee and timestamp ALREADY EXISTS", true),
        ("The employee already exists.", false),
        ("The time event is not valid.", false),
        ("", false),
    ] {
        let found = one(&format!("{{\"failedTimeEvents\":[{{\"id\":\"OURS\",\"errorText\":\"{text}\"}}]}}"));
        assert_eq!(found == TimeEventResult::AlreadyThere, is_there, "{text}");
    }
    assert!(matches!(one(r#"{"failedTimeEvents":[{"id":"OURS"}]}"#), TimeEventResult::Refused(_)));
}

#[test]
fn what_is_no_list() {
    for body in ["", "{}", "[]", "null", "<html>", "{\"succeededTimeEvents\":{}}", "{\"succeededTimeEvents\":[7]}"] {
        assert!(matches!(read(201, body), Err(CallError::Unreadable { .. })), "{body}");
        assert!(read(200, body).unwrap_err().may_have_happened(), "{body}");
    }
    let reason = |status: u16, body: &str| read(status, body).unwrap_err().reason();
    for (status, body, word) in [
        (400, r#"{"status":"BAD_REQUEST","message":"m","errors":[]}"#, "refused"),
        (400, "<html>", "unreadable"),
        (413, "<html>", "refused"),
        (404, "<html>", "misaddressed"),
        (405, "", "misaddressed"),
        (408, "", "busy"),
        (302, "", "redirected"),
        (100, "", "unreadable"),
        (501, "", "unavailable"),
    ] {
        assert_eq!(reason(status, body), word, "{status} {body}");
    }
    let error = read(400, r#"{"status":"BAD_REQUEST"}"#).unwrap_err();
    assert!(matches!(error, CallError::Refused { kind: Some(kind), .. } if &*kind == "BAD_REQUEST"));
    let error = read(400, r#"{"status":"Alice is not known"}"#).unwrap_err();
    assert!(matches!(error, CallError::Refused { kind: None, .. }), "a sentence is no name");
}

#[test]
fn pages() {
    let tenant = SuccessFactors::new(settings()).unwrap();
    let call = FindTimeEvents::new(&tenant, &Access::Basic, at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z"), 0);
    let read = |body: &'static str| call.response(&HttpResponse::new(Bytes::from_static(body.as_bytes())));
    let page =
        read(r#"{"value":[{"timestampUTC":"2026-11-10T09:00:00.123+01:00","validationMessages":null}]}"#).unwrap();
    assert_eq!((page.count, page.events[0].at), (None, at("2026-11-10T08:00:00.123Z")));
    assert!(page.events[0].validation_messages.is_empty() && page.events[0].external_id.is_none());
    for bad in [r#"{"value":[{"timestampUTC":"/Date(0)/"}]}"#, r#"{"value":[{}]}"#, "{}", "[]"] {
        assert!(matches!(read(bad), Err(CallError::Unreadable { .. })), "{bad}");
    }
}
